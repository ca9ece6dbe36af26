//! Shares whose time is over: nothing opens them any more, whatever one has of them.

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::stored::{answered, path_of, put, refusal};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use storage::values;

const SHARES: &str = "/api/v1/buckets/files/shares";

/// Shares as admin for an hour; the path of the link.
async fn shared(server: &Afloat, mut body: Value) -> String {
    body["expires_in"] = json!(3600);
    let (status, share) = server.post(SHARES, &body).await;
    assert_eq!(status, 201, "{share}");
    path_of(server, share["url"].as_str().expect("an address"))
}

fn get(server: &Afloat, path: &str) -> RequestBuilder {
    server.anonymous(Method::GET, path)
}

/// As a browser asks.
fn page(server: &Afloat, path: &str) -> RequestBuilder {
    get(server, path).header("Accept", "text/html,*/*;q=0.8")
}

fn unlock(server: &Afloat, link: &str, password: &str) -> RequestBuilder {
    server
        .anonymous(Method::POST, link)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("password={password}"))
}

async fn downloads(server: &Afloat) -> Vec<u64> {
    let (_, shares) = server.get(SHARES).await;
    let shares = shares["items"].as_array().expect("shares");
    let downloads = |share: &Value| share["downloads"].as_u64().expect("a number");
    shares.iter().map(downloads).collect()
}

/// Lets the time of all shares, so many, be over.
async fn over(server: &mut Afloat, shares: usize) {
    let over = "UPDATE file_share SET expires_at = 1 WHERE expires_at =
        (SELECT max(expires_at) FROM file_share)";
    let each = vec![(over, values![]); shares];
    server.changed_meanwhile(&each).await;
}

fn is_over() -> (u16, String) {
    (410, "share-over".to_owned())
}

on_disk_and_in_store!(a_share_whose_time_is_over_gives_nothing_and_counts_nothing);
async fn a_share_whose_time_is_over_gives_nothing_and_counts_nothing(berth: Berth) {
    let mut server = berth.usual().await;
    put(&server, "a/cargo-list", b"0123456789").await;
    let file = shared(
        &server,
        json!({ "path": "a/cargo-list", "max_downloads": 9 }),
    )
    .await;
    let folder = shared(&server, json!({ "path": "a/" })).await;
    let download = format!("{file}/download");
    // A download that began while it was good, and broke off.
    assert_eq!(answered(get(&server, &download)).await.0, 200);
    let rest = get(&server, &download).header("Range", "bytes=4-");
    assert_eq!(answered(rest).await, (206, b"456789".to_vec()));
    assert_eq!(answered(page(&server, &file)).await.0, 200);
    assert_eq!(downloads(&server).await, [1, 0]);

    over(&mut server, 2).await;
    let rest = get(&server, &download).header("Range", "bytes=4-");
    assert_eq!(refusal(rest).await, is_over(), "it is not gone on with");
    for link in [&file, &folder] {
        let (status, text) = answered(page(&server, link)).await;
        assert_eq!(status, 410, "{link}");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("This link is over"), "{text}");
        assert!(!text.contains("cargo-list"), "not even a name: {text}");
        let download = format!("{link}/download");
        assert_eq!(refusal(get(&server, &download)).await, is_over());
        assert_eq!(answered(page(&server, &download)).await.0, 410);
        let head = server.anonymous(Method::HEAD, &download).send().await;
        let head = head.expect("an answer");
        assert_eq!(head.status(), 410);
        assert!(!head.headers().contains_key("etag"), "{head:?}");
        let same = get(&server, &download).header("If-None-Match", "*");
        assert_eq!(refusal(same).await, is_over());
    }
    assert_eq!(downloads(&server).await, [1, 0], "a refusal is no download");
}

on_disk_and_in_store!(neither_a_password_nor_what_it_opened_outlives_a_share);
async fn neither_a_password_nor_what_it_opened_outlives_a_share(berth: Berth) {
    let mut server = berth.usual().await;
    put(&server, "a", b"content").await;
    let body = json!({ "path": "a", "password": "open-sesame" });
    let link = shared(&server, body).await;
    let answer = unlock(&server, &link, "open-sesame").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 303);
    let opened = answer.headers()["location"].to_str().expect("ASCII");
    let opened = opened.to_owned();
    let content = answered(get(&server, &opened)).await;
    assert_eq!(content, (200, b"content".to_vec()));

    over(&mut server, 1).await;
    for password in ["open-sesame", "a-guess"] {
        let refused = refusal(unlock(&server, &link, password)).await;
        assert_eq!(refused, is_over(), "{password}: it says nothing of it");
    }
    let form = unlock(&server, &link, "open-sesame").header("Accept", "text/html");
    assert_eq!(answered(form).await.0, 410);
    assert_eq!(refusal(get(&server, &opened)).await, is_over());
    let rest = get(&server, &opened).header("Range", "bytes=3-");
    assert_eq!(refusal(rest).await, is_over());
    let locked = format!("{link}/download");
    assert_eq!(refusal(get(&server, &locked)).await, is_over());
}
