//! Who may what, over HTTP.

use crate::desk::id_of;
use crate::program::{server, sharing_a_key};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testing::{ServerOptions, Session, TestDatabase, TestServer, on_both, on_postgres};

/// What nobody needs a password for. The page and `POST /session` are for logging in; what
/// stands in the address opens a share or a signed address, or else nothing.
const PUBLIC: [&str; 15] = [
    "GET /",
    "GET /api/docs",
    "GET /api/v1/openapi.json",
    "GET /healthz",
    "GET /readyz",
    // Whoever knows a bucket's secret may tell of its store; anybody else is forbidden to.
    "GET /hooks/s3/{bucket}",
    "POST /hooks/s3/{bucket}",
    "POST /api/v1/session",
    "DELETE /api/v1/session",
    // Of a bucket that is not there; one that is, asks unless it is public.
    "GET /api/v1/buckets/{bucket}/files/{path}",
    "GET /api/v1/signed/{bucket}/{path}",
    "PUT /api/v1/signed/{bucket}/{path}",
    "GET /s/{token}",
    "POST /s/{token}",
    "GET /s/{token}/download",
];

async fn add(server: &TestServer, name: &str, role: &str) -> String {
    let password = format!("long-enough-for-{name}");
    let body = json!({ "name": name, "role": role, "password": password });
    let (status, user) = server.post("/api/v1/users", &body).await;
    assert_eq!(status, 201, "{user}");
    password
}

fn json_body(request: reqwest::RequestBuilder, body: &Value) -> reqwest::RequestBuilder {
    request
        .header("Content-Type", "application/json")
        .body(body.to_string())
}

async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("whole");
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    (
        status,
        problem["code"].as_str().unwrap_or_default().to_owned(),
    )
}

on_both!(nobody_gets_past_the_door_of_any_route_that_is_not_public);
async fn nobody_gets_past_the_door_of_any_route_that_is_not_public(database: TestDatabase) {
    let server = server(&database).start().await;
    let document = server
        .anonymous(Method::GET, "/api/v1/openapi.json")
        .send()
        .await;
    let document: Value = document
        .expect("an answer")
        .json()
        .await
        .expect("the document");
    let mut open = BTreeSet::new();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            if !["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            routes += 1;
            let at = path.replace("{id}", "01900000-0000-7000-8000-000000000000");
            let at = at.replace("{name}", "admin");
            let request = json_body(server.anonymous(method.clone(), &at), &json!({}));
            let answer = request.send().await.expect("an answer");
            if answer.status() == 401 {
                let type_ = answer.headers()["content-type"].to_str().expect("ASCII");
                assert_eq!(type_, "application/problem+json", "{method} {path}");
            } else {
                open.insert(format!("{method} {path}"));
            }
        }
    }
    assert!(routes > 40, "{routes} routes");
    assert_eq!(open, PUBLIC.map(str::to_owned).into());
}

on_both!(a_viewer_sees_and_makes_nothing_and_an_operator_manages_nobody);
async fn a_viewer_sees_and_makes_nothing_and_an_operator_manages_nobody(database: TestDatabase) {
    let server = server(&database).start().await;
    let viewer = add(&server, "vera", "viewer").await;
    let operator = add(&server, "otto", "operator").await;
    let bundle = json!({ "sources": ["http://127.0.0.1:9/a"] });
    let user = json!({ "name": "new", "role": "viewer", "password": "long-enough-for-new" });
    for (name, password, method, path, body, expected) in [
        ("vera", &viewer, Method::GET, "/api/v1/bundles", None, 200),
        (
            "vera",
            &viewer,
            Method::GET,
            "/api/v1/operations",
            None,
            200,
        ),
        (
            "vera",
            &viewer,
            Method::POST,
            "/api/v1/bundles",
            Some(&bundle),
            403,
        ),
        (
            "vera",
            &viewer,
            Method::POST,
            "/api/v1/bundles?stream=1",
            Some(&bundle),
            403,
        ),
        ("vera", &viewer, Method::GET, "/api/v1/users", None, 403),
        (
            "otto",
            &operator,
            Method::POST,
            "/api/v1/bundles",
            Some(&bundle),
            201,
        ),
        (
            "otto",
            &operator,
            Method::POST,
            "/api/v1/users",
            Some(&user),
            403,
        ),
        ("otto", &operator, Method::GET, "/api/v1/audit", None, 403),
        (
            "admin",
            &server.admin_password().to_owned(),
            Method::POST,
            "/api/v1/users",
            Some(&user),
            201,
        ),
    ] {
        let request = server.request_as(name, password, method.clone(), path);
        let request = match body {
            Some(body) => json_body(request, body),
            None => request,
        };
        let (status, code) = code(request.send().await.expect("an answer")).await;
        assert_eq!(status, expected, "{name}: {method} {path} ({code})");
    }
    let (_, page) = server.get("/api/v1/bundles").await;
    assert_eq!(
        page["items"].as_array().expect("a list").len(),
        1,
        "the operator's alone"
    );
}

on_both!(a_session_changes_nothing_without_its_token);
async fn a_session_changes_nothing_without_its_token(database: TestDatabase) {
    let server = server(&database).start().await;
    let session = server.log_in("admin", server.admin_password()).await;
    let path = "/api/v1/schedules/preview";
    let body = json!({ "cron": "0 3 * * *", "zone": "UTC" });
    let without = json_body(session.request_without_csrf(Method::POST, path), &body);
    let refused = code(without.send().await.expect("an answer")).await;
    assert_eq!(refused, (403, "csrf".to_owned()));
    let wrong = json_body(session.request_without_csrf(Method::POST, path), &body);
    let wrong = wrong
        .header("X-CSRF-Token", "of-somebody-else")
        .send()
        .await;
    assert_eq!(code(wrong.expect("an answer")).await.0, 403);
    let right = json_body(session.request(Method::POST, path), &body);
    assert_eq!(right.send().await.expect("an answer").status(), 200);
    let read = session
        .request_without_csrf(Method::GET, "/api/v1/about")
        .send()
        .await;
    assert_eq!(read.expect("an answer").status(), 200, "reading needs none");
    let out = session
        .request(Method::DELETE, "/api/v1/session")
        .send()
        .await;
    assert_eq!(out.expect("an answer").status(), 204);
    let after = session
        .request_without_csrf(Method::GET, "/api/v1/about")
        .send()
        .await;
    assert_eq!(after.expect("an answer").status(), 401, "logged out");
}

on_both!(the_cookie_is_for_this_site_and_no_script);
async fn the_cookie_is_for_this_site_and_no_script(database: TestDatabase) {
    let server = server(&database).start().await;
    let body = json!({ "name": "admin", "password": server.admin_password() });
    let answer = json_body(server.anonymous(Method::POST, "/api/v1/session"), &body);
    let answer = answer.send().await.expect("an answer");
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    for word in [
        "longshore_session=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(word), "{word} is not in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "this is plain http: {cookie}");
}

on_both!(guessing_is_slowed_down_and_told_when_to_come_back);
async fn guessing_is_slowed_down_and_told_when_to_come_back(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_ACCESS_ATTEMPTS_PER_ACCOUNT", "3");
    let server = options.start().await;
    let attempt = async |name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        let request = json_body(server.anonymous(Method::POST, "/api/v1/session"), &body);
        request.send().await.expect("an answer")
    };
    for name in ["admin", "nobody-of-that-name"] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(attempt(name, "a wrong guess").await.status().as_u16());
        }
        assert_eq!(statuses, [401; 3], "{name}");
        let refused = attempt(name, "a wrong guess").await;
        assert_eq!(refused.status(), 429, "{name}, there or not");
        let wait = refused.headers()["retry-after"].to_str().expect("ASCII");
        assert!(
            wait.parse::<u64>().is_ok_and(|seconds| seconds > 0),
            "{wait}"
        );
    }
    let right = attempt("admin", server.admin_password()).await;
    assert_eq!(right.status(), 429, "not even the right one, for a while");
}

on_both!(a_token_opens_what_its_scopes_name_until_it_is_deleted);
async fn a_token_opens_what_its_scopes_name_until_it_is_deleted(database: TestDatabase) {
    let server = server(&database).start().await;
    let body = json!({ "name": "ci", "scopes": ["bundles:read"], "expires_in": 3600 });
    let (status, made) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{made}");
    let token = made["token"]
        .as_str()
        .expect("it is shown this once")
        .to_owned();
    assert!(token.starts_with("lsh_"), "{token}");
    let as_token = async |method: Method, path: &str, body: Option<&Value>| {
        let request = server.anonymous(method, path).bearer_auth(&token);
        let request = match body {
            Some(body) => json_body(request, body),
            None => request,
        };
        request.send().await.expect("an answer").status().as_u16()
    };
    let bundle = json!({ "sources": ["http://127.0.0.1:9/a"] });
    assert_eq!(as_token(Method::GET, "/api/v1/bundles", None).await, 200);
    assert_eq!(
        as_token(Method::POST, "/api/v1/bundles", Some(&bundle)).await,
        403
    );
    assert_eq!(as_token(Method::GET, "/api/v1/operations", None).await, 403);
    assert_eq!(as_token(Method::GET, "/api/v1/users", None).await, 403);
    let (_, tokens) = server.get("/api/v1/tokens").await;
    assert!(
        !tokens.to_string().contains(&token),
        "it is shown once: {tokens}"
    );
    let used = &tokens["items"][0];
    assert_eq!(used["name"], "ci", "{tokens}");
    let path = format!("/api/v1/tokens/{}", id_of(used));
    assert_eq!(server.delete(&path).await.0, 204);
    assert_eq!(
        as_token(Method::GET, "/api/v1/bundles", None).await,
        401,
        "at once"
    );
}

/// Two servers on one Postgres, and a user that both know.
async fn replicas(options: ServerOptions) -> (TestServer, TestServer, String) {
    let options = sharing_a_key(options);
    let one = options.clone().start().await;
    let other = options.start().await;
    let password = add(&one, "otto", "operator").await;
    (one, other, password)
}

async fn asks(session: &Session) -> u16 {
    let answer = session
        .request(Method::GET, "/api/v1/operations")
        .send()
        .await;
    answer.expect("an answer").status().as_u16()
}

async fn asks_with(server: &TestServer, password: &str) -> u16 {
    let request = server.request_as("otto", password, Method::GET, "/api/v1/operations");
    request.send().await.expect("an answer").status().as_u16()
}

on_postgres!(a_changed_password_ends_its_sessions_on_every_replica_at_once);
async fn a_changed_password_ends_its_sessions_on_every_replica_at_once(database: TestDatabase) {
    // Longer than any wait here: what is remembered is not merely forgotten in time.
    let options = server(&database).env("LONGSHORE_ACCESS_CREDENTIAL_CACHE", "10m");
    let (one, other, old) = replicas(options).await;
    let here = one.log_in("otto", &old).await;
    let there = other.log_in("otto", &old).await;
    for (server, session) in [(&one, &here), (&other, &there)] {
        assert_eq!(asks(session).await, 200);
        assert_eq!(asks_with(server, &old).await, 200, "remembered from now on");
    }
    let new = "another-one-for-otto";
    let (status, problem) = one
        .post("/api/v1/users/otto/password", &json!({ "password": new }))
        .await;
    assert_eq!(status, 204, "{problem}");
    // The one that was told answers after it has forgotten; the other hears of it.
    assert_eq!(asks(&here).await, 401);
    testing::within("the other replica to hear of it", async {
        while asks(&there).await != 401 {}
    })
    .await;
    for server in [&one, &other] {
        assert_eq!(asks_with(server, &old).await, 401, "{}", server.url());
        assert_eq!(asks_with(server, new).await, 200, "{}", server.url());
    }
}

on_postgres!(what_one_replica_is_asked_for_is_seen_on_the_other);
async fn what_one_replica_is_asked_for_is_seen_on_the_other(database: TestDatabase) {
    let (one, other, _) = replicas(server(&database)).await;
    let origin = testing::Origin::start().await;
    let held = testing::Answer::ok(testing::Content::seeded(1, 100)).held();
    let url = origin.put("/held.bin", held);
    let id = crate::desk::accepted(&one, &json!({ "sources": [url] })).await;
    origin
        .when("one of them to ask", |counts| counts.requests == 1)
        .await;
    crate::desk::in_state(&other, &id, &["running"]).await;
    let (status, _) = other
        .post(&format!("/api/v1/operations/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(status, 202);
    crate::desk::in_state(&one, &id, &["cancelled"]).await;
    origin
        .when("the fetching to end", |counts| counts.connections == 0)
        .await;
    assert_eq!(origin.seen().len(), 1, "one of the two ran it");
}
