//! Conditions on changes, and several ranges at once: as RFC 9110 has them.

use super::{answer, value};
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::stored;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use testing::TestServer;

const AT: &str = "/api/v1/buckets/files/files/a";
const LONG_AGO: &str = "Thu, 01 Jan 1998 00:00:00 GMT";
const IN_A_WHILE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

fn put(server: &TestServer, content: &'static str) -> RequestBuilder {
    server.request(Method::PUT, AT).body(content)
}

fn patch(server: &TestServer, album: &str) -> RequestBuilder {
    server
        .request(Method::PATCH, AT)
        .header("Content-Type", "application/json")
        .body(json!({ "metadata": { "album": album } }).to_string())
}

fn delete(server: &TestServer) -> RequestBuilder {
    server.request(Method::DELETE, AT)
}

/// What is at the path: its content, and what is said of it.
async fn there(server: &TestServer) -> (String, String) {
    let (status, content) = stored::answered(server.request(Method::GET, AT)).await;
    assert_eq!(status, 200);
    let (_, file) = server.get("/api/v1/buckets/files/details/a").await;
    let album = file["metadata"]["album"].as_str().unwrap_or_default();
    let content = String::from_utf8(content).expect("text");
    (content, album.to_owned())
}

fn is(content: &str, album: &str) -> (String, String) {
    (content.to_owned(), album.to_owned())
}

async fn is_refused(request: RequestBuilder, of: &str) {
    let failed = (412, "precondition-failed".to_owned());
    assert_eq!(stored::refusal(request).await, failed, "{of}");
}

on_disk_and_in_store!(what_changed_since_is_neither_overwritten_nor_deleted);
async fn what_changed_since_is_neither_overwritten_nor_deleted(berth: Berth) {
    let server = &berth.usual().await;
    let since = |request: RequestBuilder, date: &str| request.header("If-Unmodified-Since", date);
    // What is not there has not changed.
    assert_eq!(answer(since(put(server, "one"), LONG_AGO)).await.0, 201);
    is_refused(since(put(server, "two"), LONG_AGO), "PUT").await;
    is_refused(since(patch(server, "blue"), LONG_AGO), "PATCH").await;
    is_refused(since(delete(server), LONG_AGO), "DELETE").await;
    assert_eq!(there(server).await, is("one", ""));
    let seen = answer(server.request(Method::HEAD, AT)).await.1;
    let seen = value(&seen, "last-modified");
    for date in [seen.as_str(), IN_A_WHILE, "yesterday"] {
        let status = answer(since(put(server, "two"), date)).await.0;
        assert_eq!(status, 200, "{date}");
    }
    // Where tags are sent, the date is of no account.
    let tag = value(&answer(server.request(Method::HEAD, AT)).await.1, "etag");
    let both = since(put(server, "three"), LONG_AGO).header("If-Match", &tag);
    assert_eq!(answer(both).await.0, 200);
    assert_eq!(there(server).await, is("three", ""));
    assert_eq!(answer(since(delete(server), IN_A_WHILE)).await.0, 200);
    assert_eq!(answer(server.request(Method::GET, AT)).await.0, 404);
}

on_disk_and_in_store!(another_content_is_neither_described_nor_deleted);
async fn another_content_is_neither_described_nor_deleted(berth: Berth) {
    let server = &berth.usual().await;
    let before = value(&answer(put(server, "one")).await.1, "etag");
    let now = value(&answer(put(server, "two")).await.1, "etag");
    for tag in [before.as_str(), "\"x\"", &format!("W/{now}")] {
        is_refused(patch(server, "blue").header("If-Match", tag), tag).await;
        is_refused(delete(server).header("If-Match", tag), tag).await;
    }
    assert_eq!(there(server).await, is("two", ""));
    let several = format!("{before}, {now}");
    let patched = answer(patch(server, "blue").header("If-Match", several)).await;
    assert_eq!(patched.0, 200);
    assert_eq!(there(server).await, is("two", "blue"));
    let deleted = answer(delete(server).header("If-Match", &now)).await;
    assert_eq!(deleted.0, 200);
    // What is not there has no condition, either: RFC 9110 (13.2.1).
    let nothing = patch(server, "red").header("If-Match", "*");
    let missing = (404, "not-found".to_owned());
    assert_eq!(stored::refusal(nothing).await, missing);
}

/// The parts of an answer of several ranges, each with its `Content-Range`.
fn parts(kind: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=");
    let line = format!("\r\n--{}", boundary.expect("several parts"));
    let at = |from: usize, what: &[u8]| {
        let found = body[from..]
            .windows(what.len())
            .position(|here| here == what);
        found.map(|found| from + found)
    };
    // The first line may lack the break before it.
    let mut from = at(0, &line.as_bytes()[2..]).expect("a first part") + line.len() - 2;
    let mut parts = Vec::new();
    while !body[from..].starts_with(b"--") {
        let begins = at(from, b"\r\n\r\n").expect("a head") + 4;
        let ends = at(begins, line.as_bytes()).expect("an end");
        let head = String::from_utf8_lossy(&body[from..begins]).to_lowercase();
        let range = head
            .lines()
            .find_map(|line| line.strip_prefix("content-range: "));
        parts.push((
            range.expect("a range").to_owned(),
            body[begins..ends].to_vec(),
        ));
        from = ends + line.len();
    }
    parts
}

on_disk_and_in_store!(several_ranges_of_a_file_come_in_one_answer);
async fn several_ranges_of_a_file_come_in_one_answer(berth: Berth) {
    let server = &berth.usual().await;
    // Larger than what is read at once, or kept in memory.
    let content: Vec<u8> = (0..200_000_u32)
        .flat_map(|number| number.to_be_bytes())
        .collect();
    let size = content.len();
    let sent = server.request(Method::PUT, AT).body(content.clone());
    assert_eq!(answer(sent).await.0, 201);
    let get = |ranges: &str| server.request(Method::GET, AT).header("Range", ranges);
    let wanted = [
        (0, 9),
        (65_530, 65_545),
        (131_072, 262_143),
        (size - 5, size - 1),
    ];
    let ranges = "bytes=0-9, 65530-65545,131072-262143, -5";
    let (status, headers, body) = answer(get(ranges)).await;
    assert_eq!(status, 206);
    assert_eq!(value(&headers, "content-length"), body.len().to_string());
    let came = parts(&value(&headers, "content-type"), &body);
    let expected: Vec<(String, Vec<u8>)> = wanted
        .iter()
        .map(|(first, last)| {
            let range = format!("bytes {first}-{last}/{size}");
            (range, content[*first..=*last].to_vec())
        })
        .collect();
    assert!(
        came == expected,
        "{:?}",
        came.iter().map(|part| &part.0).collect::<Vec<_>>()
    );
    // Of those that cannot be, the others are left; of none, nothing.
    let (status, headers, body) = answer(get("bytes=900000-,10-19")).await;
    assert_eq!((status.as_u16(), &body[..]), (206, &content[10..20]));
    assert_eq!(
        value(&headers, "content-range"),
        format!("bytes 10-19/{size}")
    );
    assert_eq!(answer(get("bytes=900000-,950000-")).await.0, 416);
}
