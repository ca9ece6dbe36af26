//! Older versions and the trash: listed, got, and seen by nobody else.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::stored::{add_user, answered, put, refusal};
use reqwest::Method;
use serde_json::{Value, json};
use testing::TestServer;

const VERSIONS: &str = "/api/v1/buckets/files/versions";

async fn change(server: &TestServer, rules: Value) {
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(rules.to_string());
    assert_eq!(answered(change).await.0, 200);
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a page");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

fn past(id: &str) -> String {
    format!("/api/v1/buckets/files/past/{id}")
}

on_disk_and_in_store!(the_versions_of_one_file_are_listed_the_newest_first_and_got_by_their_ids);
async fn the_versions_of_one_file_are_listed_the_newest_first_and_got_by_their_ids(berth: Berth) {
    let server = berth.usual().await;
    change(&server, json!({ "versions": true })).await;
    for content in [&b"first"[..], b"second", b"third"] {
        put(&server, "a", content).await;
        put(&server, "a2", content).await;
    }
    let (status, page) = server.get(&format!("{VERSIONS}?path=a")).await;
    assert_eq!(status, 200, "{page}");
    let listed = ids(&page);
    assert_eq!(listed.len(), 2, "of this path alone: {page}");
    assert_eq!(page["items"][0]["size"], 6, "the newest first: {page}");

    let (_, one) = server.get(&format!("{VERSIONS}?path=a&limit=1")).await;
    let next = one["next"].as_str().expect("another page");
    let (_, two) = server
        .get(&format!("{VERSIONS}?path=a&limit=1&cursor={next}"))
        .await;
    assert_eq!([ids(&one), ids(&two)].concat(), listed);
    assert_eq!(two["next"], Value::Null);

    let oldest = past(&listed[1]);
    let get = server.request(Method::GET, &oldest);
    assert_eq!(answered(get).await, (200, b"first".to_vec()));
    let part = server
        .request(Method::GET, &oldest)
        .header("Range", "bytes=1-2");
    assert_eq!(answered(part).await, (206, b"ir".to_vec()));
    let save = server.request(Method::GET, &format!("{oldest}?download=1"));
    let saved = save.send().await.expect("an answer");
    assert_eq!(
        saved.headers()["content-disposition"],
        "attachment; filename=\"a\""
    );
    // What is current is not of the past.
    let (_, now) = server.get("/api/v1/buckets/files/details/a").await;
    let now = past(now["id"].as_str().expect("an id"));
    assert_eq!(
        refusal(server.request(Method::GET, &now)).await,
        (404, "not-found".to_owned())
    );
}

on_disk_and_in_store!(what_is_in_the_trash_of_a_public_bucket_is_not_public);
async fn what_is_in_the_trash_of_a_public_bucket_is_not_public(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a", b"regretted").await;
    change(&server, json!({ "public_read": true, "by_role": false })).await;
    let (_, gone) = server.delete("/api/v1/buckets/files/files/a").await;
    let gone = past(gone["id"].as_str().expect("an id"));
    let get = server.request(Method::GET, &gone);
    assert_eq!(answered(get).await, (200, b"regretted".to_vec()));
    assert_eq!(
        refusal(server.anonymous(Method::GET, &gone)).await.0,
        401,
        "nobody"
    );
    // Who may read what is there, and list nothing.
    let password = add_user(&server, "vera", "viewer").await;
    let vera = server.request_as("vera", &password, Method::GET, &gone);
    assert_eq!(refusal(vera).await.0, 403);

    // Who may list a part of the bucket sees nothing of what lies before it, wherever they say
    // that a page begins.
    let grant = json!({ "user": "vera", "prefix": "covers/", "permissions": ["list"] });
    let (status, made) = server.post("/api/v1/buckets/files/grants", &grant).await;
    assert_eq!(status, 201, "{made}");
    put(&server, "covers/a", b"regretted").await;
    let path = "/api/v1/buckets/files/files/covers/a";
    assert_eq!(server.delete(path).await.0, 200);
    change(&server, json!({ "versions": true })).await;
    for path in ["a", "a", "covers/a", "covers/a"] {
        put(&server, path, b"again").await;
    }
    let beginning = json!(["", uuid::Uuid::nil()]).to_string();
    let beginning = data_encoding::BASE64URL_NOPAD.encode(beginning.as_bytes());
    for heap in ["trash", "versions"] {
        let whole = format!("/api/v1/buckets/files/{heap}");
        let (_, all) = server.get(&whole).await;
        assert_eq!(paths(&all), ["a", "covers/a"], "{heap}");
        let page = format!("{whole}?prefix=covers/&cursor=1{beginning}");
        let vera = server.request_as("vera", &password, Method::GET, &page);
        let (status, page) = answered(vera).await;
        assert_eq!(status, 200, "{heap}");
        let page: Value = serde_json::from_slice(&page).expect("JSON");
        assert_eq!(paths(&page), ["covers/a"], "{heap}");
    }
}

fn paths(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a page");
    let paths = items.iter();
    paths
        .map(|item| item["path"].as_str().expect("a path"))
        .collect()
}
