//! Shares: links that anybody may download by.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::archive::contents as members;
use crate::stored::{answered, path_of, put, refusal};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testing::TestServer;

const SHARES: &str = "/api/v1/buckets/files/shares";

/// Shares as admin; the path of the link.
async fn shared(server: &TestServer, body: &Value) -> String {
    let (status, share) = server.post(SHARES, body).await;
    assert_eq!(status, 201, "{share}");
    path_of(server, share["url"].as_str().expect("an address"))
}

fn get(server: &TestServer, path: &str) -> RequestBuilder {
    server.anonymous(Method::GET, path)
}

/// As a browser asks.
fn page(server: &TestServer, path: &str) -> RequestBuilder {
    get(server, path).header("Accept", "text/html,*/*;q=0.8")
}

async fn downloads(server: &TestServer) -> u64 {
    let (_, shares) = server.get(SHARES).await;
    shares["items"][0]["downloads"].as_u64().expect("a number")
}

on_disk_and_in_store!(a_share_shows_a_page_and_gives_its_file);
async fn a_share_shows_a_page_and_gives_its_file(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/%3Cb%3E.txt", b"0123456789").await;
    let link = shared(&server, &json!({ "path": "a/<b>.txt" })).await;
    // It is listed with those of its folder, and not with those beside it or above.
    for (ask, found) in [
        ("prefix=a/&delimiter=/", 1),
        ("prefix=a/%3C", 1),
        ("delimiter=/", 0),
        ("prefix=b", 0),
    ] {
        let (_, shares) = server.get(&format!("{SHARES}?{ask}")).await;
        assert_eq!(
            shares["items"].as_array().map(Vec::len),
            Some(found),
            "{ask}: {shares}"
        );
    }
    let (status, _) = server.get(&format!("{SHARES}?prefix=a&delimiter=/")).await;
    assert_eq!(status, 400);
    let answer = page(&server, &link).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("ASCII");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(answer.headers()["referrer-policy"], "same-origin");
    let text = answer.text().await.expect("whole");
    assert!(
        text.contains("&lt;b&gt;.txt") && text.contains("10 bytes"),
        "{text}"
    );
    assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    assert!(!text.contains("password"), "{text}");

    let download = format!("{link}/download");
    let head = server.anonymous(Method::HEAD, &download).send().await;
    assert_eq!(head.expect("an answer").status(), 200);
    assert_eq!(downloads(&server).await, 0, "a look is no download");
    let answer = get(&server, &download).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let disposition = answer.headers()["content-disposition"]
        .to_str()
        .expect("ASCII");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let tag = answer.headers()["etag"].clone();
    assert_eq!(answer.bytes().await.expect("whole").as_ref(), b"0123456789");
    assert_eq!(downloads(&server).await, 1);
    let rest = get(&server, &download).header("Range", "bytes=4-");
    assert_eq!(answered(rest).await, (206, b"456789".to_vec()));
    let same = get(&server, &download).header("If-None-Match", tag);
    assert_eq!(answered(same).await.0, 304);
    assert_eq!(downloads(&server).await, 1, "it goes on with the same");
    let again = get(&server, &download).header("Range", "bytes=0-");
    assert_eq!(answered(again).await.0, 206);
    assert_eq!(downloads(&server).await, 2);

    // The link is told once, and stored nowhere.
    let token = link.rsplit('/').next().expect("a token");
    assert!(token.len() >= 22, "{token}");
    let (_, shares) = server.get(SHARES).await;
    assert!(!shares.to_string().contains(token), "{shares}");
    let id = shares["items"][0]["id"].as_str().expect("an id");
    let (status, _) = server.delete(&format!("/api/v1/shares/{id}")).await;
    assert_eq!(status, 204);
    assert_eq!(
        refusal(get(&server, &download)).await,
        (404, "not-found".to_owned())
    );
    assert_eq!(answered(page(&server, &link)).await.0, 404);
}

on_disk_and_in_store!(of_two_that_come_for_the_last_download_one_gets_it);
async fn of_two_that_come_for_the_last_download_one_gets_it(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a", b"content").await;
    for _ in 0..5 {
        let link = shared(&server, &json!({ "path": "a", "max_downloads": 1 })).await;
        let download = format!("{link}/download");
        let one = || answered(get(&server, &download));
        let (one, two) = tokio::join!(one(), one());
        let mut statuses = [one.0, two.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410]);
        let over = refusal(get(&server, &download)).await;
        assert_eq!(over, (410, "share-over".to_owned()));
        let (status, text) = answered(page(&server, &download)).await;
        assert_eq!(status, 410);
        assert!(String::from_utf8_lossy(&text).contains("This link is over"));
        assert_eq!(answered(page(&server, &link)).await.0, 410);
        // Whose download broke off goes on with it.
        let rest = get(&server, &download).header("Range", "bytes=3-");
        assert_eq!(answered(rest).await, (206, b"tent".to_vec()));
    }
}

on_disk_and_in_store!(a_range_is_no_way_around_the_count);
async fn a_range_is_no_way_around_the_count(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a", b"content").await;
    let link = shared(&server, &json!({ "path": "a", "max_downloads": 1 })).await;
    let download = format!("{link}/download");
    let part = get(&server, &download).header("Range", "bytes=1-");
    assert_eq!(answered(part).await.0, 206);
    assert_eq!(downloads(&server).await, 1, "nothing began here before");
    let whole = refusal(get(&server, &download)).await;
    assert_eq!(whole, (410, "share-over".to_owned()));
}

on_disk_and_in_store!(a_password_is_asked_for_and_tried_seldom);
async fn a_password_is_asked_for_and_tried_seldom(berth: Berth) {
    let server = berth
        .with(|options| options.env("LONGSHORE_ACCESS_ATTEMPTS_PER_ACCOUNT", "3"))
        .await;
    put(&server, "a", b"content").await;
    let body = json!({ "path": "a", "password": "open, sesame", "max_downloads": 1 });
    let link = shared(&server, &body).await;
    let (status, text) = answered(page(&server, &link)).await;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(status, 200);
    assert!(text.contains("type=\"password\""), "{text}");
    let download = format!("{link}/download");
    let locked = (403, "share-locked".to_owned());
    assert_eq!(refusal(get(&server, &download)).await, locked);
    let send = |password: &str| {
        let form = format!("password={password}");
        let request = server.anonymous(Method::POST, &link);
        request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form)
    };
    let answer = send("open%2C+sesame").send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
    let opened = answer.headers()["location"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    for forged in [
        opened.replace("expires=1", "expires=2"),
        format!("{opened}A"),
        opened.split('&').next().expect("a part").to_owned(),
    ] {
        assert_eq!(refusal(get(&server, &forged)).await, locked, "{forged}");
    }
    assert_eq!(downloads(&server).await, 0);
    assert_eq!(
        answered(get(&server, &opened)).await,
        (200, b"content".to_vec())
    );

    let other = shared(&server, &json!({ "path": "a", "password": "another one" })).await;
    let elsewhere = opened.replace(&link, &other);
    assert_eq!(refusal(get(&server, &elsewhere)).await, locked);
    let wrong = |password: &str| {
        let form = format!("password={password}");
        server.anonymous(Method::POST, &other).body(form)
    };
    for _ in 0..3 {
        let refusal = refusal(wrong("guess")).await;
        assert_eq!(refusal, (403, "wrong-password".to_owned()));
    }
    let limited = wrong("another+one").send().await.expect("an answer");
    assert_eq!(limited.status(), 429);
    assert!(limited.headers().contains_key("retry-after"));
    let limited = wrong("guess").header("Accept", "text/html").send().await;
    let limited = limited.expect("an answer");
    assert_eq!(limited.status(), 429);
    assert!(limited.headers().contains_key("retry-after"));
    let third = shared(&server, &json!({ "path": "a", "password": "yet another" })).await;
    let right = server
        .anonymous(Method::POST, &third)
        .body("password=yet+another");
    assert_eq!(
        answered(right).await.0,
        303,
        "another share is not held for it"
    );
}

on_disk_and_in_store!(a_folder_downloads_as_one_archive_of_known_length);
async fn a_folder_downloads_as_one_archive_of_known_length(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/one.txt", b"one").await;
    put(&server, "a/deep/two.txt", b"two two").await;
    put(&server, "ab", b"not in it").await;
    let link = shared(&server, &json!({ "path": "a/", "max_downloads": 2 })).await;
    let (_, text) = answered(page(&server, &link)).await;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("A folder of 2 files, 10 bytes"), "{text}");
    let download = format!("{link}/download");
    let head = server.anonymous(Method::HEAD, &download).send().await;
    let head = head.expect("an answer");
    assert_eq!(head.headers()["content-type"], "application/zip");
    assert!(!head.headers().contains_key("content-length"), "{head:?}");
    let answer = get(&server, &download).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let length = answer.content_length().expect("it is told ahead");
    let disposition = answer.headers()["content-disposition"].clone();
    assert!(
        disposition.to_str().expect("ASCII").contains("a.zip"),
        "{disposition:?}"
    );
    let archive = answer.bytes().await.expect("whole");
    assert_eq!(archive.len() as u64, length);
    let found = members(&archive);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["deep/two.txt", "one.txt"]);
    assert_eq!(found["one.txt"], b"one");
    assert_eq!(downloads(&server).await, 1);
    assert_eq!(answered(get(&server, &download)).await.0, 200);
    assert_eq!(answered(get(&server, &download)).await.0, 410);
}

on_disk_and_in_store!(shares_that_make_no_sense_are_refused);
async fn shares_that_make_no_sense_are_refused(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a", b"a").await;
    for (body, wanted) in [
        (json!({ "path": "none" }), 404),
        (json!({ "path": "none/" }), 404),
        (json!({ "path": "a/" }), 404),
        (json!({ "path": "../a" }), 400),
        (json!({ "path": "a", "expires_in": 0 }), 400),
        (json!({ "path": "a", "expires_in": u64::MAX }), 400),
        (json!({ "path": "a", "max_downloads": 0 }), 400),
        (json!({ "path": "a", "max_downloads": u64::MAX }), 400),
        (json!({ "path": "a", "password": "short" }), 400),
        (json!({ "path": "a", "colour": "red" }), 400),
    ] {
        let (status, problem) = server.post(SHARES, &body).await;
        assert_eq!(status, wanted, "{body} {problem}");
    }
    for path in ["/s/none", "/s/none/download"] {
        assert_eq!(answered(page(&server, path)).await.0, 404, "{path}");
    }
    let (status, _) = server
        .delete("/api/v1/shares/01900000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(status, 404);
}
