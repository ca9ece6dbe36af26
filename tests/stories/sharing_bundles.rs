//! Bundles of stored files.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::archive::contents;
use crate::desk::{archive, ended, id_of, made, operation_of, rest, streamed};
use crate::stored::{add_user, answered, put};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestServer};

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

/// Asks for a bundle once more, as one of its own or as any operation; the answer.
async fn again(server: &TestServer, (name, password): (&str, &str), path: &str) -> (u16, Value) {
    let request = server.request_as(name, password, Method::POST, path);
    let request = request.header("Content-Type", "application/json");
    let (status, answer) = answered(request.body(r#"{"sources":[0]}"#)).await;
    let answer = serde_json::from_slice(&answer).expect("JSON");
    (status, answer)
}

on_disk_and_in_store!(a_bundle_that_is_made_again_holds_what_who_asks_may_read);
async fn a_bundle_that_is_made_again_holds_what_who_asks_may_read(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/one", b"one").await;
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    assert_eq!(answered(change.body(r#"{"by_role":false}"#)).await.0, 200);
    let password = add_user(&server, "otto", "operator").await;
    let otto = ("otto", password.as_str());
    let body = json!({ "sources": [{ "bucket": "files", "path": "a/one" }] });
    let answer = streamed(&server, &body).await;
    let id = operation_of(&answer);
    rest(answer).await.expect("whole");
    ended(&server, &id).await;
    let ways = [
        format!("/api/v1/bundles/{id}/retry"),
        format!("/api/v1/operations/{id}/retry"),
    ];
    for way in &ways {
        let (status, problem) = again(&server, otto, way).await;
        assert_eq!(status, 400, "{way}: {problem}");
        assert_eq!(problem["errors"][0]["field"], "sources[0]", "{problem}");
        assert_eq!(problem["errors"][0]["code"], "forbidden", "{problem}");
    }
    let grants = "/api/v1/buckets/files/grants";
    let body = json!({ "user": "otto", "prefix": "a/", "permissions": ["read"] });
    let (status, grant) = server.post(grants, &body).await;
    assert_eq!(status, 201, "{grant}");
    for way in &ways {
        let (status, made) = again(&server, otto, way).await;
        assert_eq!(status, 201, "{way}: {made}");
        let id = id_of(&made);
        ended(&server, &id).await;
        assert_eq!(contents(&archive(&server, &id).await)["one"], b"one");
    }
    // And what was once theirs is not any more.
    let taken = format!("{grants}/{}", id_of(&grant));
    assert_eq!(server.delete(&taken).await.0, 204);
    for way in &ways {
        assert_eq!(again(&server, otto, way).await.0, 400, "{way}");
    }

    // What somebody sent in a header is sent for nobody else.
    let origin = Origin::start().await;
    let url = origin.put("/far.txt", Answer::ok(Content::bytes("far")));
    let source = json!({ "url": url, "headers": { "authorization": "Bearer of the maker" } });
    let (id, _) = made(&server, &json!({ "sources": [source] })).await;
    for way in [
        format!("/api/v1/bundles/{id}/retry"),
        format!("/api/v1/operations/{id}/retry"),
    ] {
        let (status, problem) = again(&server, otto, &way).await;
        assert_eq!(status, 400, "{way}: {problem}");
        assert_eq!(problem["errors"][0]["code"], "forbidden", "{problem}");
        let asked = origin.seen().len();
        let (status, made) = server.post(&way, &json!({ "sources": [0] })).await;
        assert_eq!(status, 201, "{way}: {made}");
        ended(&server, &id_of(&made)).await;
        let last = origin.seen().pop().expect("it was fetched again");
        assert_eq!(origin.seen().len(), asked + 1, "for its maker alone");
        assert_eq!(last.header("authorization"), Some("Bearer of the maker"));
    }
}
