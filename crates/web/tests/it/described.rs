//! The API's description says what is so.

use crate::fixture::{call, gate, get, site};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use web::{Problem, Requirement, Routes, Settings, routes};

async fn document() -> Value {
    get("/api/v1/openapi.json").to(&site()).await.json()
}

fn statuses(operation: &Value) -> Vec<&str> {
    let responses = operation["responses"].as_object().expect("responses");
    responses.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_has_every_route() {
    let site = site();
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    for entry in site.table.entries() {
        if entry.path == "/{*console}" {
            continue;
        }
        let method = entry.method.as_str().to_lowercase();
        assert!(
            document["paths"][&entry.path][method].is_object(),
            "{entry:?}"
        );
    }
}

#[tokio::test]
async fn every_operation_has_the_answers_of_the_toolkit() {
    let paths = &document().await["paths"];
    for (path, method, expected) in [
        (
            "/api/v1/things",
            "get",
            vec!["200", "400", "401", "403", "429", "431", "500", "503"],
        ),
        (
            "/api/v1/things",
            "post",
            vec![
                "201", "400", "401", "403", "408", "409", "413", "415", "429", "431", "500", "503",
            ],
        ),
        (
            "/api/v1/things/{id}",
            "delete",
            vec![
                "204", "400", "401", "403", "404", "409", "429", "431", "500", "503",
            ],
        ),
        (
            "/api/v1/from",
            "get",
            vec!["200", "400", "431", "500", "503"],
        ),
        (
            "/api/v1/open",
            "post",
            vec![
                "200", "400", "403", "408", "413", "415", "431", "500", "503",
            ],
        ),
    ] {
        assert_eq!(statuses(&paths[path][method]), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn every_operation_says_who_may() {
    let paths = &document().await["paths"];
    let anybody = json!([{"session": []}, {"password": []}, {"token": []}]);
    assert_eq!(paths["/api/v1/things"]["get"]["security"], anybody);
    assert_eq!(paths["/api/v1/from"]["get"]["security"], json!([]));
    let archive = &paths["/api/v1/things/{id}/archive"]["get"];
    assert_eq!(archive["security"][3], json!({}));
    let names: Vec<&Value> = archive["parameters"]
        .as_array()
        .expect("some")
        .iter()
        .map(|parameter| &parameter["name"])
        .collect();
    assert_eq!(names, ["id", "expires", "signature"]);
    assert_eq!(
        paths["/api/v1/things"]["post"]["x-requires"],
        json!({"kind": "role", "role": "operator", "scope": "operations:write"})
    );
}

#[tokio::test]
async fn every_reference_refers_to_something() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("within the document");
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                fields.values().for_each(|value| walk(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = document().await;
    walk(&document, &document);
    let schemes: Vec<_> = document["components"]["securitySchemes"]
        .as_object()
        .expect("some")
        .keys()
        .collect();
    assert_eq!(schemes, ["password", "session", "token"]);
}

#[tokio::test]
async fn a_problem_is_as_it_is_described() {
    let site = site();
    let document = document().await;
    let schema = &document["components"]["schemas"]["Problem"];
    let problem = get("/api/v1/things?limit=x")
        .bearer("viewer")
        .to(&site)
        .await
        .json();
    for name in schema["required"].as_array().expect("some") {
        assert!(!problem[name.as_str().expect("a name")].is_null(), "{name}");
    }
    for name in problem.as_object().expect("an object").keys() {
        assert!(schema["properties"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn the_page_needs_no_script_and_has_every_route() {
    let site = site();
    let page = get("/api/docs").to(&site).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; style-src")
    );
    assert!(!page.text.contains("<script"));
    assert!(page.text.contains("POST /api/v1/things"));
    assert!(page.text.contains("Needs the role <code>operator</code>"));
    assert!(page.text.contains("id=\"schema-Thing\""));
}

#[test]
#[should_panic(expected = "are both called `list_things`")]
fn two_routes_of_one_name_are_noticed_at_the_start() {
    use crate::fixture::{gate, routes};
    #[utoipa::path(get, path = "/api/v1/others", responses((status = 200)))]
    async fn list_things() {}
    let other = web::routes!(list_things);
    let routes = routes().add(web::Requirement::Public, other);
    let _ = routes.finish(&gate(web::Settings::default(), 1));
}

#[test]
#[should_panic(expected = "refers to the schema Colour")]
fn a_schema_that_none_describes_is_noticed_at_the_start() {
    use crate::fixture::{gate, routes};
    #[derive(serde::Deserialize, utoipa::ToSchema)]
    #[allow(dead_code, reason = "only described")]
    enum Colour {
        Red,
    }
    #[derive(serde::Deserialize, utoipa::IntoParams)]
    #[allow(dead_code, reason = "only described")]
    struct Which {
        colour: Option<Colour>,
    }
    #[utoipa::path(get, path = "/api/v1/coloured", params(Which), responses((status = 200)))]
    async fn list_coloured(_query: web::Query<Which>) {}
    let coloured = web::routes!(list_coloured);
    let routes = routes().add(web::Requirement::Public, coloured);
    let _ = routes.finish(&gate(web::Settings::default(), 1));
}

#[utoipa::path(get, path = "/told", responses((status = 200, description = "It.")))]
async fn told() -> StatusCode {
    StatusCode::OK
}

#[utoipa::path(put, path = "/told", responses((status = 204, description = "Done.")))]
async fn told_otherwise() -> StatusCode {
    StatusCode::ACCEPTED
}

#[utoipa::path(post, path = "/told", responses((status = 204, description = "Done.")))]
async fn conflicting() -> Problem {
    Problem::conflict("Something stands against it.")
}

#[tokio::test]
async fn an_answer_that_nothing_describes_is_the_programs_failure() {
    let told = Routes::new().add(
        Requirement::Public,
        routes!(told, told_otherwise, conflicting),
    );
    let site = told.finish(&gate(Settings::default(), 64));
    for answered in [Method::GET, Method::HEAD] {
        assert_eq!(call(answered, "/told").to(&site).await.status, 200);
    }
    for undescribed in [Method::PUT, Method::POST] {
        let answered = call(undescribed, "/told").to(&site).await;
        assert_eq!(answered.problem(), (500, "undescribed".to_owned()));
    }
}
