//! Where the bytes of a bucket in a store are: at the store, whose addresses have the bucket
//! in their path or before their host, and are signed for others.

use super::{get, put};
use crate::afloat::{moor, moor_at};
use crate::desk::in_state;
use crate::program::server;
use crate::sharing::over;
use crate::stored::{HOST, answered};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use testing::{Content, S3Store, TestDatabase, on_both, on_sqlite};

on_sqlite!(a_bucket_is_reached_by_its_host_where_the_store_wants_that);
async fn a_bucket_is_reached_by_its_host_where_the_store_wants_that(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    moor_at(&server, &store, (&store.domain(), false)).await;
    // In one piece, in parts, and a copy that the store makes.
    let large = Content::seeded(5, 20 << 20).to_vec();
    assert_eq!(put(&server, "a%20b", b"cargo".to_vec()).await, 201);
    assert_eq!(put(&server, "films/a.mp4", large.clone()).await, 201);
    let copy = json!({ "from": "films/a.mp4", "to": "films/b.mp4" });
    let (status, copied) = server.post("/api/v1/buckets/files/copy", &copy).await;
    assert_eq!(status, 200, "{copied}");
    assert_eq!(store.keys(), ["a b", "films/a.mp4", "films/b.mp4"]);
    let cargo = (StatusCode::OK, b"cargo".to_vec());
    assert_eq!(get(&server, "a%20b").await, cargo);
    assert!(get(&server, "films/b.mp4").await == (StatusCode::OK, large));
    // What the store lists.
    std::fs::write(store.folder().join("theirs"), "their cargo").expect("written");
    let (status, begun) = server
        .post("/api/v1/buckets/files/reconcile", &json!({}))
        .await;
    assert_eq!(status, 202, "{begun}");
    let id = begun["operation"].as_str().expect("an id");
    let ended = in_state(&server, id, &["succeeded", "failed"]).await;
    assert_eq!(ended["outcome"]["added"], 1, "{ended:#}");
    assert_eq!(ended["outcome"]["unchanged"], 3, "{ended:#}");
    assert_eq!(get(&server, "theirs").await.1, b"their cargo");
    // What is signed for others.
    let wanted = json!({ "path": "a b", "method": "GET" });
    let (status, signed) = server.post("/api/v1/buckets/files/presign", &wanted).await;
    assert_eq!(status, 200, "{signed}");
    let host = format!("{}.localhost", store.bucket());
    let url = signed["url"].as_str().expect("an address");
    let begins = format!("http://{host}:{}/a%20b?", store.port());
    assert!(url.starts_with(&begins), "{url}");
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, store.port()));
    let client = reqwest::Client::builder().no_proxy().resolve(&host, here);
    let client = client.build().expect("a client");
    let answer = client.get(url).send().await.expect("answered");
    assert_eq!(answer.text().await.expect("whole"), "cargo");
}

on_both!(signed_addresses_are_the_stores_own);
async fn signed_addresses_are_the_stores_own(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    moor(&server, &store).await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let sign = async |wanted: Value| {
        let (status, signed) = server.post("/api/v1/buckets/files/presign", &wanted).await;
        assert_eq!(status, 200, "{signed}");
        let url = signed["url"].as_str().expect("an address").to_owned();
        assert!(url.starts_with(&store.endpoint()), "{url}");
        url
    };
    let url = sign(json!({ "path": "a b", "method": "PUT", "type": "text/plain" })).await;
    let sent = client
        .put(&url)
        .header("Content-Type", "text/plain")
        .body("cargo");
    assert_eq!(sent.send().await.expect("answered").status(), 200);
    assert_eq!(
        get(&server, "a%20b").await,
        (StatusCode::OK, b"cargo".to_vec())
    );
    let url = sign(json!({ "path": "a b", "method": "GET", "download": true })).await;
    let answer = client.get(&url).send().await.expect("answered");
    assert_eq!(answer.text().await.expect("whole"), "cargo");
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(json!({ "redirect_above": 3 }).to_string());
    assert_eq!(change.send().await.expect("answered").status(), 200);
    let path = format!("{}/api/v1/buckets/files/files/a%20b", server.url());
    let redirected = client
        .get(path)
        .basic_auth("admin", Some(server.admin_password()));
    let redirected = redirected.send().await.expect("answered");
    assert_eq!(redirected.status(), 307);
    let location = redirected.headers()["location"].to_str().expect("text");
    assert!(location.starts_with(&store.endpoint()), "{location}");
    let answer = client.get(location).send().await.expect("answered");
    assert_eq!(answer.text().await.expect("whole"), "cargo");
    // On its own host as well.
    let on_host = |path: &str| server.request(Method::GET, path).header("Host", HOST);
    let sign = async |way: &str| {
        let asked = on_host(&format!("/api/{way}_presigned/foo/b%C3%A4r.txt"));
        let (status, signed) = answered(asked).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&signed));
        let signed: Value = serde_json::from_slice(&signed).expect("JSON");
        let url = signed["url"].as_str().expect("an address").to_owned();
        let begins = format!("{}/{}/foo/b%C3%A4r.txt?", store.endpoint(), store.bucket());
        assert!(url.starts_with(&begins), "{url}");
        url
    };
    let sent = client.put(sign("upload").await).body("content").send();
    assert_eq!(sent.await.expect("answered").status(), 200);
    let got = client.get(sign("download").await).send().await;
    let got = got.expect("answered").text().await.expect("whole");
    assert_eq!(got, "content");
    let redirected = on_host("/foo/b%C3%A4r.txt").send().await.expect("answered");
    assert_eq!(redirected.status(), 307);
    let location = redirected.headers()["location"].to_str().expect("text");
    assert!(location.starts_with(&store.endpoint()), "{location}");
    let answer = client.get(location).send().await.expect("answered");
    assert_eq!(answer.text().await.expect("whole"), "content");
    // The store signs for GET, and has a tag of its own for what came in parts.
    let head = server.request(Method::HEAD, "/foo/b%C3%A4r.txt");
    let head = head.header("Host", HOST).send().await.expect("answered");
    assert_eq!(head.status(), 200);
    let tag = head.headers()["etag"].to_str().expect("text").to_owned();
    let same = on_host("/foo/b%C3%A4r.txt").header("If-None-Match", tag);
    assert_eq!(same.send().await.expect("answered").status(), 304);
}

on_sqlite!(an_address_of_the_store_that_ended_or_was_altered_puts_nothing);
async fn an_address_of_the_store_that_ended_or_was_altered_puts_nothing(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    moor(&server, &store).await;
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let sign = async |seconds: u64| {
        let wanted = json!({
            "path": "in/a", "method": "PUT", "expires_in": seconds,
            "length": 5, "type": "text/plain",
        });
        let (status, signed) = server.post("/api/v1/buckets/files/presign", &wanted).await;
        assert_eq!(status, 200, "{signed}");
        let url = signed["url"].as_str().expect("an address").to_owned();
        (url, signed["expires_at"].clone())
    };
    let (short, ends) = sign(1).await;
    let (url, _) = sign(600).await;
    let swapped = |from: &str, to: &str| {
        assert_eq!(url.matches(from).count(), 1, "{from}: {url}");
        url.replace(from, to)
    };
    let signature = url.split_once("X-Amz-Signature=").expect("it is signed").1;
    let other: String = signature.chars().rev().collect();
    over(&ends).await;
    for (what, url, kind, body) in [
        ("ended", &short, "text/plain", "cargo"),
        (
            "another file",
            &swapped("in/a", "in/b"),
            "text/plain",
            "cargo",
        ),
        (
            "a later end",
            &swapped("X-Amz-Expires=600", "X-Amz-Expires=6000"),
            "text/plain",
            "cargo",
        ),
        (
            "another signature",
            &swapped(signature, &other),
            "text/plain",
            "cargo",
        ),
        ("another type", &url, "text/html", "cargo"),
        ("another length", &url, "text/plain", "cargo!"),
    ] {
        let put = client.put(url).header("Content-Type", kind).body(body);
        let answer = put.send().await.expect("answered");
        assert_eq!(answer.status(), 403, "{what}: {url}");
        assert_eq!(store.keys(), Vec::<String>::new(), "{what}: {url}");
    }
    let put = client.put(&url).header("Content-Type", "text/plain");
    let answer = put.body("cargo").send().await.expect("answered");
    assert_eq!(answer.status(), 200, "what failed did not use it up");
    assert_eq!(
        get(&server, "in/a").await,
        (StatusCode::OK, b"cargo".to_vec())
    );
}
