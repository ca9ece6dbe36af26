//! Grants: who may do what in which part of a bucket.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::stored::{HOST, add_user, answered, put};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testing::TestServer;

const GRANTS: &str = "/api/v1/buckets/files/grants";

async fn grant(server: &TestServer, body: Value) -> String {
    let (status, grant) = server.post(GRANTS, &body).await;
    assert_eq!(status, 201, "{grant}");
    grant["id"].as_str().expect("an id").to_owned()
}

/// The bucket `files`, opened by grants alone, with three files.
async fn closed(server: &TestServer) {
    for path in ["a/b/one", "a/two", "z"] {
        put(server, path, b"content").await;
    }
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    let (status, _) = answered(change.body(r#"{"by_role":false}"#)).await;
    assert_eq!(status, 200);
}

/// Somebody who asks.
struct Asker<'a> {
    server: &'a TestServer,
    name: &'a str,
    password: String,
    /// Instead of name and password.
    token: Option<String>,
}

impl Asker<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        match &self.token {
            Some(token) => self.server.anonymous(method, path).bearer_auth(token),
            None => self
                .server
                .request_as(self.name, &self.password, method, path),
        }
    }

    async fn status(&self, method: Method, path: &str) -> u16 {
        let request = self.request(method.clone(), path);
        let request = match method {
            Method::PUT => request.body("new"),
            _ => request,
        };
        answered(request).await.0
    }

    async fn json(&self, path: &str) -> Value {
        let (status, body) = answered(self.request(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).expect("JSON")
    }
}

fn file(path: &str) -> String {
    format!("/api/v1/buckets/files/files/{path}")
}

on_disk_and_in_store!(a_grant_opens_its_verbs_below_its_prefix_and_nothing_beside);
async fn a_grant_opens_its_verbs_below_its_prefix_and_nothing_beside(berth: Berth) {
    let server = berth.usual().await;
    closed(&server).await;
    let password = add_user(&server, "vera", "viewer").await;
    let vera = Asker {
        server: &server,
        name: "vera",
        password,
        token: None,
    };
    assert_eq!(vera.status(Method::GET, &file("a/b/one")).await, 403);
    let buckets = vera.json("/api/v1/buckets").await;
    assert_eq!(buckets["items"], json!([]), "{buckets}");

    let list = "/api/v1/buckets/files/files?delimiter=/&prefix=";
    let verbs = ["read", "list", "write", "delete", "share"];
    for granted in verbs {
        let id = grant(
            &server,
            json!({
                "user": "vera", "prefix": "a/b/", "permissions": [granted],
            }),
        )
        .await;
        // No sleep: it holds at once here.
        let share = json!({ "path": "a/b/one" }).to_string();
        let sharing = vera.request(Method::POST, "/api/v1/buckets/files/shares");
        let sharing = sharing
            .header("Content-Type", "application/json")
            .body(share);
        let presign = json!({ "path": "a/b/new", "method": "PUT" }).to_string();
        let signing = vera.request(Method::POST, "/api/v1/buckets/files/presign");
        let signing = signing
            .header("Content-Type", "application/json")
            .body(presign);
        for (verb, status) in [
            ("read", vera.status(Method::GET, &file("a/b/one")).await),
            (
                "list",
                vera.status(Method::GET, &format!("{list}a/b/")).await,
            ),
            (
                "list",
                vera.status(Method::GET, "/api/v1/buckets/files/sum?prefix=a/b/")
                    .await,
            ),
            ("write", vera.status(Method::PUT, &file("a/b/new")).await),
            ("write", answered(signing).await.0),
            (
                "delete",
                vera.status(Method::DELETE, &file("a/b/none")).await,
            ),
        ] {
            let refused = status == 403;
            assert_eq!(refused, verb != granted, "{verb} with {granted}: {status}");
        }
        // To share is to give what one may read.
        assert_eq!(answered(sharing).await.0, 403, "{granted}");
        for outside in ["a/two", "z", "a/bc"] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let status = vera.status(method.clone(), &file(outside)).await;
                assert_eq!(status, 403, "{method} {outside}");
            }
        }
        for outside in ["", "a/", "a/b", "z"] {
            let status = vera
                .status(
                    Method::GET,
                    &format!("/api/v1/buckets/files/files?prefix={outside}"),
                )
                .await;
            assert_eq!(status, 403, "listing {outside}");
        }
        let buckets = vera.json("/api/v1/buckets").await;
        let within = &buckets["items"][0]["within"];
        assert_eq!(within, &json!([{ "prefix": "a/b/", "actions": [granted] }]));
        let (status, _) = server.delete(&format!("{GRANTS}/{id}")).await;
        assert_eq!(status, 204);
        assert_eq!(vera.status(Method::GET, &file("a/b/one")).await, 403);
    }
    let (_, log) = server.get("/api/v1/audit?action=grant.created").await;
    assert_eq!(
        log["items"].as_array().map(Vec::len),
        Some(verbs.len()),
        "{log}"
    );
}

on_disk_and_in_store!(a_token_with_grants_is_held_to_them);
async fn a_token_with_grants_is_held_to_them(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "in/a", b"a").await;
    put(&server, "out/a", b"a").await;
    let body = json!({ "name": "ci", "scopes": ["files:read", "files:write"] });
    let (status, made) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{made}");
    let ci = Asker {
        server: &server,
        name: "admin",
        password: String::new(),
        token: made["token"].as_str().map(str::to_owned),
    };
    assert_eq!(ci.status(Method::GET, &file("out/a")).await, 200, "before");
    let permissions = json!(["read", "list"]);
    let id = grant(
        &server,
        json!({
            "token": made["id"], "prefix": "in/", "permissions": permissions,
        }),
    )
    .await;
    for (method, path, wanted) in [
        (Method::GET, file("in/a"), 200),
        (Method::PUT, file("in/a"), 403),
        (Method::GET, file("out/a"), 403),
        (
            Method::GET,
            "/api/v1/buckets/files/files?prefix=in/".to_owned(),
            200,
        ),
        (Method::GET, "/api/v1/buckets/files/files".to_owned(), 403),
        // It cannot let itself out.
        (Method::GET, GRANTS.to_owned(), 403),
        (Method::DELETE, format!("{GRANTS}/{id}"), 403),
        (Method::DELETE, "/api/v1/buckets/files".to_owned(), 403),
    ] {
        assert_eq!(
            ci.status(method.clone(), &path).await,
            wanted,
            "{method} {path}"
        );
    }
    changes_no_bucket(&ci, &made["id"]).await;
    // The seed's list shows what it may see.
    let listed = ci.request(Method::GET, "/api/list").header("Host", HOST);
    let (status, listed) = answered(listed).await;
    let listed: Value = serde_json::from_slice(&listed).expect("JSON");
    assert_eq!(status, 200, "{listed}");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["prefix_path"], "in/");
    // Its owner in person is not held.
    assert_eq!(
        answered(server.request(Method::GET, &file("out/a")))
            .await
            .0,
        200
    );
    let id = stays_held_without_its_bucket(&ci, &made["id"], &id).await;
    server.delete(&format!("{GRANTS}/{id}")).await;
    assert_eq!(ci.status(Method::GET, &file("out/a")).await, 200, "after");
}

/// That the bucket `empty` does not go with the only grants of a token, and goes with others.
/// The grant that the token has in the end instead of the one that it had.
async fn stays_held_without_its_bucket(held: &Asker<'_>, token: &Value, id: &str) -> String {
    let (server, out) = (held.server, file("out/a"));
    let other = json!({ "name": "other", "scopes": ["files:read"] });
    let (_, other) = server.post("/api/v1/tokens", &other).await;
    let bucket = "/api/v1/buckets/empty";
    for token in [token, &other["id"]] {
        let all = json!({ "token": token, "permissions": ["read"] });
        let (status, grant) = server.post(&format!("{bucket}/grants"), &all).await;
        assert_eq!(status, 201, "{grant}");
    }
    // Who is gone is let in nowhere.
    let other = other["id"].as_str().expect("an id");
    let (status, _) = server.delete(&format!("/api/v1/tokens/{other}")).await;
    assert_eq!(status, 204);
    assert_eq!(server.delete(&format!("{GRANTS}/{id}")).await.0, 204);
    let (status, problem) = server.delete(bucket).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["code"], "conflict");
    assert_eq!(held.status(Method::GET, &out).await, 403, "held yet");
    let inside = json!({ "token": token, "prefix": "in/", "permissions": ["read"] });
    let id = grant(server, inside).await;
    assert_eq!(server.delete(bucket).await.0, 204);
    assert_eq!(held.status(Method::GET, &out).await, 403, "held elsewhere");
    id
}

/// That a token, with all that can be granted, changes no bucket and is told of none.
async fn changes_no_bucket(held: &Asker<'_>, token: &Value) {
    let (server, all) = (held.server, ["read", "list", "write", "delete", "share"]);
    let empty = json!({ "name": "empty" });
    assert_eq!(server.post("/api/v1/buckets", &empty).await.0, 201);
    let at = |rest: &str| format!("/api/v1/buckets/empty{rest}");
    let all = json!({ "token": token, "permissions": all });
    let (status, grant) = server.post(&at("/grants"), &all).await;
    assert_eq!(status, 201, "{grant}");
    let another = "01900000-0000-7000-8000-000000000000";
    let told = json!({ "url": "https://example.org/told" });
    let more = "/api/v1/buckets".to_owned();
    let (webhook, other) = (format!("/webhooks/{another}"), format!("/grants/{another}"));
    for (method, path, body) in [
        (Method::POST, more, json!({ "name": "more" })),
        (Method::PATCH, at(""), json!({ "public_read": true })),
        (Method::DELETE, at(""), Value::Null),
        (Method::GET, at("/webhooks"), Value::Null),
        (Method::POST, at("/webhooks"), told),
        (Method::PATCH, at(&webhook), json!({ "enabled": false })),
        (Method::DELETE, at(&webhook), Value::Null),
        (Method::GET, at("/hook"), Value::Null),
        (Method::POST, at("/hook"), Value::Null),
        (Method::DELETE, at("/hook"), Value::Null),
        (Method::GET, at("/grants"), Value::Null),
        (Method::POST, at("/grants"), all),
        (Method::DELETE, at(&other), Value::Null),
    ] {
        let mut request = held.request(method.clone(), &path);
        if !body.is_null() {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        assert_eq!(answered(request).await.0, 403, "{method} {path}");
    }
    let grant = grant["id"].as_str().expect("an id");
    let grant = at(&format!("/grants/{grant}"));
    assert_eq!(server.delete(&grant).await.0, 204);
}

on_disk_and_in_store!(grants_that_make_no_sense_are_refused);
async fn grants_that_make_no_sense_are_refused(berth: Berth) {
    let server = berth.usual().await;
    for (body, field) in [
        (json!({ "permissions": ["read"] }), "user"),
        (json!({ "user": "nobody", "permissions": ["read"] }), "user"),
        (
            json!({ "user": "admin", "token": "01900000-0000-7000-8000-000000000000", "permissions": ["read"] }),
            "user",
        ),
        (
            json!({ "token": "01900000-0000-7000-8000-000000000000", "permissions": ["read"] }),
            "token",
        ),
        (
            json!({ "access_key": "01900000-0000-7000-8000-000000000000", "permissions": ["read"] }),
            "access_key",
        ),
        (json!({ "user": "admin", "permissions": [] }), "settings"),
        (
            json!({ "user": "admin", "prefix": "a/../b", "permissions": ["read"] }),
            "prefix",
        ),
        (
            json!({ "user": "admin", "prefix": "x".repeat(2000), "permissions": ["read"] }),
            "prefix",
        ),
    ] {
        let (status, problem) = server.post(GRANTS, &body).await;
        assert_eq!(status, 400, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let wanted = json!({ "name": "nas", "scopes": ["files:read"] });
    let (_, key) = server.post("/api/v1/access-keys", &wanted).await;
    let id = grant(
        &server,
        json!({ "access_key": key["id"], "permissions": ["read"] }),
    )
    .await;
    assert_eq!(server.delete(&format!("{GRANTS}/{id}")).await.0, 204);
    let (status, problem) = server
        .post(GRANTS, &json!({ "user": "admin", "permissions": ["fly"] }))
        .await;
    assert_eq!(status, 400, "{problem}");
    let (status, _) = server
        .delete(&format!("{GRANTS}/01900000-0000-7000-8000-000000000000"))
        .await;
    assert_eq!(status, 404);
    let password = add_user(&server, "otto", "operator").await;
    let listed = server.request_as("otto", &password, Method::GET, GRANTS);
    assert_eq!(answered(listed).await.0, 403);
}
