//! Asking a server for files: putting them, getting them, and what lies on its disk.

use crate::program::files_below;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::path::PathBuf;
use testing::TestServer;

/// The host of the bucket that there is from the start.
pub(crate) const HOST: &str = "files.localhost";

/// What an answer came to: its status and its body.
pub(crate) async fn answered(request: RequestBuilder) -> (u16, Vec<u8>) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.bytes().await.expect("whole").to_vec())
}

/// The status and the code of the problem that an answer is.
pub(crate) async fn refusal(request: RequestBuilder) -> (u16, String) {
    refused(request.send().await.expect("an answer")).await
}

pub(crate) async fn refused(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let problem: Value = serde_json::from_slice(&answer.bytes().await.expect("whole"))
        .unwrap_or_else(|_| panic!("{status} is no problem document"));
    assert_eq!(
        kind.expect("it has a type"),
        "application/problem+json",
        "{problem}"
    );
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty(), "it says what to do: {problem}");
    (
        status,
        problem["code"].as_str().unwrap_or_default().to_owned(),
    )
}

/// Puts a file as admin into the bucket `files`.
pub(crate) async fn put(server: &TestServer, path: &str, content: &'static [u8]) {
    let at = format!("/api/v1/buckets/files/files/{path}");
    let (status, body) = answered(server.request(Method::PUT, &at).body(content)).await;
    assert!(
        matches!(status, 200 | 201),
        "{}",
        String::from_utf8_lossy(&body)
    );
}

/// What admin finds of a file: its uploader, or nothing.
pub(crate) async fn uploader(server: &TestServer, path: &str) -> Option<String> {
    let (status, file) = server
        .get(&format!("/api/v1/buckets/files/details/{path}"))
        .await;
    match status.as_u16() {
        200 => Some(file["uploader"].as_str().expect("a name").to_owned()),
        404 => None,
        status => panic!("{status} {file}"),
    }
}

/// Every content on the disk, those that come in included.
pub(crate) fn contents(server: &TestServer) -> Vec<PathBuf> {
    files_below(&server.data().join("files"))
}

/// Adds a user; its password.
pub(crate) async fn add_user(server: &TestServer, name: &str, role: &str) -> String {
    let password = format!("long-enough-for-{name}");
    let body = json!({ "name": name, "role": role, "password": password });
    let (status, user) = server.post("/api/v1/users", &body).await;
    assert_eq!(status, 201, "{user}");
    password
}

/// Without scheme and host, which must be those of the server.
pub(crate) fn path_of(server: &TestServer, url: &str) -> String {
    let path = url.strip_prefix(&server.url());
    path.unwrap_or_else(|| panic!("{url} is none of this server"))
        .to_owned()
}
