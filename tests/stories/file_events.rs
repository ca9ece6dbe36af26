//! What happens to files is told to webhooks: signed, in order, at least once, also after
//! the other side was away.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::desk::{id_of, in_state};
use crate::program::{server, sharing_a_key};
use crate::stored::answered;
use crate::told::Listener;
use reqwest::Method;
use serde_json::{Value, json};
use testing::{TestDatabase, TestServer, on_postgres};

async fn put(server: &TestServer, path: &str) {
    let put = server
        .request(Method::PUT, &format!("/api/v1/buckets/files/files/{path}"))
        .body("cargo");
    assert_eq!(put.send().await.expect("an answer").status(), 201);
}

/// The key of its signatures, and its id.
async fn webhook(server: &TestServer, url: &str, prefix: &str) -> (String, String) {
    let body = json!({ "url": url, "prefix": prefix });
    let (status, made) = server.post("/api/v1/buckets/files/webhooks", &body).await;
    assert_eq!(status, 201, "{made}");
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    (text("secret"), text("id"))
}

on_disk_and_in_store!(what_happens_to_files_is_told_signed_and_in_order);
async fn what_happens_to_files_is_told_signed_and_in_order(berth: Berth) {
    let server = berth.usual().await;
    let mut listener = Listener::start(&[200]).await;
    let (secret, id) = webhook(&server, &listener.url, "covers/").await;
    let (_, listed) = server.get("/api/v1/buckets/files/webhooks").await;
    assert_eq!(listed["items"][0]["id"], id);
    assert!(listed["items"][0]["secret"].is_null());
    put(&server, "docs/unheard").await;
    put(&server, "covers/a").await;
    let transfer = json!({ "from": "covers/a", "to": "away/b" });
    let (status, _) = server.post("/api/v1/buckets/files/move", &transfer).await;
    assert_eq!(status, 200);
    put(&server, "covers/c").await;
    let (status, _) = server.delete("/api/v1/buckets/files/files/covers/c").await;
    assert_eq!(status, 200);
    let events = listener.events(4, &secret).await;
    let seen: Vec<(&str, &str)> = events
        .iter()
        .map(|event| {
            let text = |field: &str| event[field].as_str().unwrap_or_default();
            (text("type"), text("path"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("file.put", "covers/a"),
            ("file.moved", "away/b"),
            ("file.put", "covers/c"),
            ("file.deleted", "covers/c"),
        ]
    );
    assert_eq!(events[1]["from"], "covers/a");
    assert_eq!(events[0]["actor"], "user:admin");
    assert_eq!(events[0]["bucket"], "files");
    assert_eq!(events[0]["file"]["size"], 5);
    let path = format!("/api/v1/buckets/files/webhooks/{id}");
    let removed = server.request(Method::DELETE, &path).send().await;
    assert_eq!(removed.expect("an answer").status(), 204);
    put(&server, "covers/d").await;
    let (_, listed) = server.get("/api/v1/buckets/files/webhooks").await;
    assert_eq!(listed["items"], json!([]));
}

on_disk_and_in_store!(a_webhook_that_was_away_is_told_when_it_is_back);
async fn a_webhook_that_was_away_is_told_when_it_is_back(berth: Berth) {
    let server = berth.usual().await;
    let mut listener = Listener::start(&[500, 503, 200]).await;
    let (secret, _) = webhook(&server, &listener.url, "").await;
    put(&server, "a").await;
    // The first two requests were refused, so the same event comes three times.
    for _ in 0..3 {
        let told = listener.next().await;
        told.verify(&secret);
        assert_eq!(told.events()[0]["path"], "a");
    }
    put(&server, "b").await;
    let events = listener.events(1, &secret).await;
    assert_eq!(events[0]["path"], "b");
}

on_postgres!(a_webhook_is_told_whichever_replica_tells_it);
async fn a_webhook_is_told_whichever_replica_tells_it(database: TestDatabase) {
    let options = sharing_a_key(server(&database));
    let one = options.clone().start().await;
    let _other = options.start().await;
    let mut listener = Listener::start(&[200]).await;
    let (secret, _) = webhook(&one, &listener.url, "").await;
    for number in 0..20 {
        // One after the other, so that each needs an operation, which either may take.
        put(&one, &number.to_string()).await;
        let events = listener.events(1, &secret).await;
        assert_eq!(events[0]["path"], number.to_string());
    }
}

on_disk_and_in_store!(an_address_that_must_not_be_reached_is_no_webhook);
async fn an_address_that_must_not_be_reached_is_no_webhook(berth: Berth) {
    let server = berth.usual().await;
    for url in [
        "ftp://example.org/",
        "http://169.254.169.254/",
        "nonsense",
        "",
    ] {
        let body = json!({ "url": url });
        let (status, problem) = server.post("/api/v1/buckets/files/webhooks", &body).await;
        assert_eq!(status, 400, "{url}: {problem}");
        assert_eq!(problem["errors"][0]["field"], "url");
    }
}

on_disk_and_in_store!(a_webhook_that_is_off_is_never_told_what_happened_then);
async fn a_webhook_that_is_off_is_never_told_what_happened_then(berth: Berth) {
    let server = berth.usual().await;
    let mut listener = Listener::start(&[200]).await;
    let (secret, id) = webhook(&server, &listener.url, "").await;
    let path = format!("/api/v1/buckets/files/webhooks/{id}");
    let switch = async |on: bool| {
        let change = server
            .request(Method::PATCH, &path)
            .header("Content-Type", "application/json")
            .body(json!({ "enabled": on }).to_string());
        let (status, body) = answered(change).await;
        assert_eq!(status, 200);
        let webhook: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(webhook["enabled"], on);
    };
    switch(false).await;
    put(&server, "unheard").await;
    switch(true).await;
    put(&server, "heard").await;
    let events = listener.events(1, &secret).await;
    assert_eq!(events[0]["path"], "heard");
    let nobody = path.replace(&id, "01900000-0000-7000-8000-000000000000");
    let change = server
        .request(Method::PATCH, &nobody)
        .header("Content-Type", "application/json")
        .body("{}");
    assert_eq!(answered(change).await.0, 404);
}

on_disk_and_in_store!(a_webhook_that_is_off_is_told_what_was_noted_before_when_it_is_on);
async fn a_webhook_that_is_off_is_told_what_was_noted_before_when_it_is_on(berth: Berth) {
    let server = berth.usual().await;
    let mut listener = Listener::start(&[500]).await;
    let (secret, id) = webhook(&server, &listener.url, "").await;
    let path = format!("/api/v1/buckets/files/webhooks/{id}");
    let switch = async |on: bool| {
        let change = server
            .request(Method::PATCH, &path)
            .header("Content-Type", "application/json")
            .body(json!({ "enabled": on }).to_string());
        assert_eq!(answered(change).await.0, 200);
    };
    put(&server, "noted").await;
    assert_eq!(listener.next().await.events()[0]["path"], "noted");
    switch(false).await;
    // It would be tried again for a day.
    let at = format!("/api/v1/operations?kind=webhook&subject=webhook:{id}");
    let (_, page) = server.get(&at).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    let telling = id_of(&page["items"][0]);
    in_state(&server, &telling, &["cancelled"]).await;
    while listener.told.try_recv().is_ok() {}
    switch(true).await;
    let told = listener.next().await;
    told.verify(&secret);
    assert_eq!(told.events()[0]["path"], "noted");
}
