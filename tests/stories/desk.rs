//! Asking a server for bundles, and waiting for what becomes of them.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use testing::{Live, Seen, TestServer};

/// Asks for a bundle and gives its id.
pub(crate) async fn accepted(server: &TestServer, body: &Value) -> String {
    let (status, bundle) = server.post("/api/v1/bundles", body).await;
    assert_eq!(status, StatusCode::CREATED, "{bundle}");
    id_of(&bundle)
}

/// The id of a bundle or an operation.
pub(crate) fn id_of(shown: &Value) -> String {
    shown["id"].as_str().expect("it has an id").to_owned()
}

/// The operation once it is in a state that `wanted` names.
pub(crate) async fn in_state(server: &TestServer, id: &str, wanted: &[&str]) -> Value {
    operation_when(server, id, |operation| {
        wanted.iter().any(|wanted| operation["state"] == **wanted)
    })
    .await
}

/// The operation once it is as wanted, told by the live socket.
pub(crate) async fn operation_when(
    server: &TestServer,
    id: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut live = Live::connect(server).await;
    live.subscribe(
        json!({ "kind": "operation", "operation": id, "since": null, "log_from": null }),
    )
    .await;
    loop {
        let message = live.next().await;
        assert_ne!(message["type"], "error", "{message}");
        let operation = &message["operation"];
        if message["type"] == "operation" && operation["id"] == id && wanted(operation) {
            return operation.clone();
        }
    }
}

/// The bundle, once its operation has ended.
pub(crate) async fn ended(server: &TestServer, id: &str) -> Value {
    let ends = ["succeeded", "failed", "cancelled", "interrupted"];
    in_state(server, id, &ends).await;
    let (status, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(status, 200, "{bundle}");
    bundle
}

/// Makes a kept bundle, which must succeed; its id and archive.
pub(crate) async fn made(server: &TestServer, body: &Value) -> (String, Vec<u8>) {
    let id = accepted(server, body).await;
    let bundle = ended(server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    let archive = archive(server, &id).await;
    assert_eq!(bundle["size"], archive.len(), "{bundle:#}");
    (id, archive)
}

/// The path of a bundle's archive.
pub(crate) fn archive_path(id: &str) -> String {
    format!("/api/v1/bundles/{id}/archive")
}

/// All of an archive.
pub(crate) async fn archive(server: &TestServer, id: &str) -> Vec<u8> {
    let answer = server.request(Method::GET, &archive_path(id)).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect("a whole archive").to_vec()
}

/// Asks for a streamed bundle; the answer, of which nothing was read.
pub(crate) async fn streamed(server: &TestServer, body: &Value) -> Response {
    let answer = server
        .request(Method::POST, "/api/v1/bundles?stream=1")
        .header("Content-Type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    answer.expect("an answer")
}

/// The operation that makes a streamed archive.
pub(crate) fn operation_of(answer: &Response) -> String {
    let id = answer.headers().get("longshore-operation");
    let id = id.expect("a streamed archive names its operation");
    id.to_str().expect("an id is ASCII").to_owned()
}

/// What is left of a body, or that it broke off.
pub(crate) async fn rest(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut all = Vec::new();
    while let Some(part) = answer.chunk().await? {
        all.extend_from_slice(&part);
    }
    Ok(all)
}

/// The whole log of an operation.
pub(crate) async fn log_lines(server: &TestServer, id: &str) -> Vec<Value> {
    let (mut lines, mut from) = (Vec::new(), 1);
    loop {
        let path = format!("/api/v1/operations/{id}/log?from={from}&limit=5000");
        let (status, page) = server.get(&path).await;
        assert_eq!(status, 200, "{page}");
        lines.extend(page["lines"].as_array().expect("lines").iter().cloned());
        match page["next"].as_u64() {
            Some(next) => from = next,
            None => return lines,
        }
    }
}

/// The number at the end of a path such as `/17` or `/17?`.
pub(crate) fn number_of(seen: &Seen) -> u64 {
    let digits = seen.path.rsplit('/').next().unwrap_or_default();
    digits.trim_end_matches('?').parse().expect("a number")
}
