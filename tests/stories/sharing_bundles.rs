//! Bundles of stored files.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::archive::contents;
use crate::desk::{ended, made, rest, streamed};
use crate::stored::{add_user, answered, put};
use reqwest::Method;
use serde_json::json;
use testing::{Answer, Content, Origin};

on_disk_and_in_store!(stored_paths_and_prefixes_are_sources_beside_addresses);
async fn stored_paths_and_prefixes_are_sources_beside_addresses(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "covers/a.txt", b"a").await;
    put(&server, "covers/deep/b.txt", b"bb").await;
    put(&server, "covers.txt", b"ccc").await;
    let large: &'static [u8] = Box::leak(vec![7; 600 << 10].into_boxed_slice());
    put(&server, "large.bin", large).await;
    let origin = Origin::start().await;
    let url = origin.put("/far.txt", Answer::ok(Content::bytes("far")));
    let sources = json!([
        { "bucket": "files", "prefix": "covers/" },
        { "bucket": "files", "prefix": "covers/", "as": "again" },
        { "bucket": "files", "path": "covers.txt" },
        { "bucket": "files", "path": "large.bin", "as": "x/large.bin" },
        url,
    ]);
    let (id, archive) = made(&server, &json!({ "sources": sources })).await;
    let found = contents(&archive);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "a.txt",
            "again/a.txt",
            "again/deep/b.txt",
            "covers.txt",
            "deep/b.txt",
            "far.txt",
            "x/large.bin"
        ]
    );
    assert_eq!(found["deep/b.txt"], b"bb");
    assert_eq!(found["x/large.bin"], large);
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(bundle["sources"], 7, "{bundle:#}");
    let (_, asked) = server.get(&format!("/api/v1/bundles/{id}/sources")).await;
    assert_eq!(
        asked["items"][0]["url"], "longshore://files/covers/a.txt",
        "{asked}"
    );
}

on_disk_and_in_store!(of_stored_files_alone_the_exact_length_is_told);
async fn of_stored_files_alone_the_exact_length_is_told(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/one", b"one").await;
    let large: &'static [u8] = Box::leak(vec![7; 600 << 10].into_boxed_slice());
    put(&server, "a/two", large).await;
    let body = json!({
        "sources": [{ "bucket": "files", "prefix": "a/" }],
        "options": { "compress": "never" },
    });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    let told = answer.content_length().expect("its length is told ahead");
    let archive = rest(answer).await.expect("whole");
    assert_eq!(archive.len() as u64, told);
    assert_eq!(contents(&archive)["two"], large);
}

on_disk_and_in_store!(a_bundle_holds_what_its_maker_may_read);
async fn a_bundle_holds_what_its_maker_may_read(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/one", b"one").await;
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    assert_eq!(answered(change.body(r#"{"by_role":false}"#)).await.0, 200);
    let password = add_user(&server, "otto", "operator").await;
    for (source, code) in [
        (json!({ "bucket": "files", "path": "a/one" }), "forbidden"),
        (json!({ "bucket": "files", "prefix": "a/" }), "forbidden"),
        (json!({ "bucket": "filez", "path": "a/one" }), "not-found"),
        (json!({ "bucket": "files", "path": "../one" }), "invalid"),
    ] {
        let request = server.request_as("otto", &password, Method::POST, "/api/v1/bundles");
        let request = request.header("Content-Type", "application/json");
        let body = json!({ "sources": ["http://127.0.0.1:9/", source] }).to_string();
        let (status, problem) = answered(request.body(body)).await;
        let problem: serde_json::Value = serde_json::from_slice(&problem).expect("JSON");
        assert_eq!(status, 400, "{problem}");
        assert_eq!(problem["errors"][0]["field"], "sources[1]", "{problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    // One that is not there fails by itself.
    let body = json!({ "sources": [
        { "bucket": "files", "path": "none" }, { "bucket": "files", "path": "a/one" },
    ] });
    let id = crate::desk::accepted(&server, &body).await;
    let bundle = ended(&server, &id).await;
    assert_eq!(
        (&bundle["done"], &bundle["failed"]),
        (&json!(1), &json!(1)),
        "{bundle:#}"
    );
}
