//! Schedules over HTTP: made, shown with their next runs, changed, deleted, refused, and
//! never without a record of who did it.

use crate::desk::id_of;
use crate::program::server;
use reqwest::Method;
use serde_json::{Value, json};
use testing::{TestDatabase, TestServer, on_both};

const SCHEDULES: &str = "/api/v1/schedules";

/// One call by somebody: the status and the JSON, if any.
async fn call(
    server: &TestServer,
    (name, password): (&str, &str),
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let mut request = server.request_as(name, password, method, path);
    if let Some(body) = body {
        request = request
            .header("Content-Type", "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("whole");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// What a schedule of the cleaning looks like when it is asked for.
fn cleaning(name: &str) -> Value {
    json!({
        "name": name, "kind": "retention", "input": {},
        "cron": "30 4 * * *", "zone": "Europe/Berlin", "missed": "skip",
    })
}

/// What the record has about a schedule, the newest first.
async fn recorded(server: &TestServer, name: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?subject=schedule:{name}");
    let (status, page) = server.get(&path).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().expect("a page").clone()
}

on_both!(a_schedule_is_made_changed_and_deleted_and_all_of_it_is_on_the_record);
async fn a_schedule_is_made_changed_and_deleted_and_all_of_it_is_on_the_record(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let (status, made) = server.post(SCHEDULES, &cleaning("tidy")).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["created_by"], "user:admin", "{made}");
    assert_eq!(made["zone"], "Europe/Berlin");
    let runs = made["next_runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 5, "{made}");
    let id = id_of(&made);
    let at = format!("{SCHEDULES}/{id}");
    let (_, shown) = server.get(&at).await;
    assert_eq!(shown["cron"], "30 4 * * *", "{shown}");
    let (_, list) = server.get(SCHEDULES).await;
    let names: Vec<&Value> = list["items"]
        .as_array()
        .expect("schedules")
        .iter()
        .map(|schedule| &schedule["name"])
        .collect();
    assert_eq!(names, ["bundle-expiry", "file-sweep", "retention", "tidy"]);

    let admin = ("admin", server.admin_password());
    let off = json!({ "enabled": false, "cron": "0 5 * * *" });
    let (status, changed) = call(&server, admin, Method::PATCH, &at, Some(&off)).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["next_runs"], json!([]), "it is off");
    assert_eq!(
        (&changed["cron"], &changed["zone"]),
        (&json!("0 5 * * *"), &json!("UTC")),
    );
    assert_eq!(server.delete(&at).await.0, 204);
    assert_eq!(server.get(&at).await.0, 404);
    assert_eq!(server.delete(&at).await.0, 404);

    let entries = recorded(&server, "tidy").await;
    let told: Vec<(&Value, &Value)> = entries
        .iter()
        .map(|entry| (&entry["action"], &entry["actor"]))
        .collect();
    let by = json!("user:admin");
    assert_eq!(
        told,
        [
            (&json!("schedule.deleted"), &by),
            (&json!("schedule.changed"), &by),
            (&json!("schedule.created"), &by),
        ]
    );
    let [deleted, changed, created] = &entries[..] else {
        panic!("{entries:?}");
    };
    assert_eq!(created["before"], Value::Null);
    assert_eq!(created["after"]["cron"], "30 4 * * *");
    assert_eq!(changed["before"], created["after"]);
    assert_eq!(changed["after"]["enabled"], false);
    assert_eq!(deleted["before"], changed["after"]);
    assert_eq!(deleted["after"], Value::Null);
}

on_both!(when_the_servers_own_schedules_run_is_changed_and_stays_so);
async fn when_the_servers_own_schedules_run_is_changed_and_stays_so(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let (_, list) = server.get(SCHEDULES).await;
    let own = list["items"].as_array().expect("schedules").clone();
    let names: Vec<&Value> = own.iter().map(|schedule| &schedule["name"]).collect();
    assert_eq!(names, ["bundle-expiry", "file-sweep", "retention"]);
    let password = server.admin_password().to_owned();
    let admin = ("admin", password.as_str());
    for schedule in &own {
        let at = format!("{SCHEDULES}/{}", id_of(schedule));
        // As the console sends it: with what stays as it is.
        let change = json!({
            "cron": "0 5 * * *", "zone": "Europe/Berlin", "missed": "skip",
            "enabled": false, "input": schedule["input"],
        });
        let (status, changed) = call(&server, admin, Method::PATCH, &at, Some(&change)).await;
        assert_eq!(status, 200, "{changed}");
        assert_eq!(changed["next_runs"], json!([]), "it is off");
    }
    let name = own[1]["name"].as_str().expect("a name");
    let made = json!({
        "name": "mine", "kind": name, "input": {}, "cron": "0 5 * * *", "zone": "UTC",
        "missed": "skip",
    });
    let (status, refused) = server.post(SCHEDULES, &made).await;
    assert_eq!(status, 400, "{refused}");
    assert_eq!(refused["errors"][0]["code"], "not-schedulable", "{refused}");
    server.kill9().await;
    server.start_again().await;
    let (_, list) = server.get(SCHEDULES).await;
    for schedule in list["items"].as_array().expect("schedules") {
        assert_eq!(schedule["cron"], "0 5 * * *", "{schedule}");
        assert_eq!(schedule["enabled"], false, "{schedule}");
    }
    assert_eq!(recorded(&server, name).await.len(), 1);
}

on_both!(a_schedule_that_cannot_be_is_refused_with_the_field_and_leaves_no_record);
async fn a_schedule_that_cannot_be_is_refused_with_the_field_and_leaves_no_record(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let (status, _) = server.post(SCHEDULES, &cleaning("taken")).await;
    assert_eq!(status, 201);
    for (change, status, field) in [
        (json!({ "kind": "brew-coffee" }), 400, "kind"),
        // It has to be asked for as what it is, not on a schedule.
        (json!({ "kind": "bundle" }), 400, "kind"),
        (json!({ "input": "no" }), 400, "input"),
        (json!({ "cron": "61 * * * *" }), 400, "cron"),
        (json!({ "zone": "Mars/Base" }), 400, "zone"),
        (json!({ "name": "taken" }), 409, ""),
    ] {
        let mut body = cleaning("wrong");
        for (key, value) in change.as_object().expect("fields") {
            body[key] = value.clone();
        }
        let (found, problem) = server.post(SCHEDULES, &body).await;
        assert_eq!(found, status, "{change}: {problem}");
        if !field.is_empty() {
            assert_eq!(problem["errors"][0]["field"], field, "{change}: {problem}");
        }
    }
    assert!(recorded(&server, "wrong").await.is_empty());
    assert_eq!(recorded(&server, "taken").await.len(), 1);
    // What the program sees to by itself, people have it do at other times, and do no other thing.
    let (_, list) = server.get(SCHEDULES).await;
    let own = list["items"]
        .as_array()
        .expect("schedules")
        .iter()
        .find(|schedule| schedule["name"] == "bundle-expiry")
        .expect("the program's own");
    let at = format!("{SCHEDULES}/{}", id_of(own));
    let admin = ("admin", server.admin_password());
    let other = json!({ "input": { "another": 1 } });
    let (status, problem) = call(&server, admin, Method::PATCH, &at, Some(&other)).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["code"], "not-schedulable", "{problem}");
    let alone = json!({ "zone": "UTC" });
    let (status, problem) = call(&server, admin, Method::PATCH, &at, Some(&alone)).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (400, &json!("zone"))
    );
}

on_both!(an_expression_is_shown_in_words_with_its_next_runs);
async fn an_expression_is_shown_in_words_with_its_next_runs(database: TestDatabase) {
    let server = server(&database).start().await;
    let path = format!("{SCHEDULES}/preview");
    let body = json!({ "cron": "0 12 * * *", "zone": "UTC" });
    let (status, preview) = server.post(&path, &body).await;
    assert_eq!(status, 200, "{preview}");
    assert!(!preview["words"].as_str().expect("words").is_empty());
    let runs = preview["next_runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 5);
    for run in runs {
        let run = run.as_str().expect("a time");
        assert!(run.contains("T12:00:00"), "{run}");
    }
    let (status, problem) = server.post(&path, &json!({ "cron": "soon" })).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "cron", "{problem}");
}

on_both!(a_viewer_looks_at_schedules_and_an_operator_makes_them);
async fn a_viewer_looks_at_schedules_and_an_operator_makes_them(database: TestDatabase) {
    let server = server(&database).start().await;
    for (name, role) in [("vera", "viewer"), ("otto", "operator")] {
        let body = json!({ "name": name, "role": role, "password": "long-enough-for-it" });
        assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    }
    let (vera, otto) = (
        ("vera", "long-enough-for-it"),
        ("otto", "long-enough-for-it"),
    );
    let body = cleaning("ottos");
    let (status, made) = call(&server, otto, Method::POST, SCHEDULES, Some(&body)).await;
    assert_eq!(status, 201, "{made}");
    let at = format!("{SCHEDULES}/{}", id_of(&made));
    let off = json!({ "enabled": false });
    for (method, path, body, expected) in [
        (Method::GET, SCHEDULES, None, 200),
        (Method::GET, &*at, None, 200),
        (Method::POST, SCHEDULES, Some(&body), 403),
        (Method::PATCH, &at, Some(&off), 403),
        (Method::DELETE, &at, None, 403),
    ] {
        let (status, answer) = call(&server, vera, method.clone(), path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let (status, _) = call(&server, otto, Method::DELETE, &at, None).await;
    assert_eq!(status, 204);
    let entries = recorded(&server, "ottos").await;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["actor"] == "user:otto"));
}
