//! Bad input: the right status, a problem document that says what to do, and no bytes.

use super::HOST;
use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::stored;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::fmt::Write;
use testing::{TestServer, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Of nothing, and of `cargo`.
const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
const CARGO: &str = "sha-256=:MyJTLYWJ+VyRKnyVauzVsNiEcmO5AhQ4xyoSYEH2Eug=:";
const EMPTY_MD5: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
const CARGO_MD5: &str = "+RzV1h4eMxs2D9v+VliMvw==";

const EMPTY_SHA512: &str = "sha-512=:z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==:";
const CARGO_SHA512: &str = "sha-512=:ZUEMco/F09cicUIRCJan/3b9af9dV1whlmWXWShOkiPGlrfV+0N5WfU3Q83OSXL0BK0gZgPtjFuXSAnzmqewcw==:";
/// By an algorithm that is not known here.
const UNKNOWN: &str = "crc32c=:AAAAAA==:";

/// A path below the buckets, headers, and the status and code that they get.
type Bad<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

on_disk_and_in_store!(bad_input_gets_the_right_answer_and_leaves_no_bytes);
async fn bad_input_gets_the_right_answer_and_leaves_no_bytes(berth: Berth) {
    let server = &berth.usual().await;
    let long = format!("files/files/{}", "a".repeat(2000));
    let file = "files/files/a";
    let cases: &[Bad<'_>] = &[
        ("files/files/a%2F..%2Fb", &[], 400, "invalid-request"),
        ("files/files/a%00b", &[], 400, "invalid-request"),
        ("files/files/%FF", &[], 400, "invalid-request"),
        (&long, &[], 400, "invalid-request"),
        ("nothing/files/a", &[], 404, "not-found"),
        (
            file,
            &[("Repr-Digest", "sha-256=:AAAA:")],
            400,
            "invalid-request",
        ),
        (file, &[("Repr-Digest", EMPTY)], 400, "content-mismatch"),
        (file, &[("Content-Digest", EMPTY)], 400, "content-mismatch"),
        (file, &[("Content-MD5", EMPTY_MD5)], 400, "content-mismatch"),
        (
            file,
            &[("Repr-Digest", EMPTY_SHA512)],
            400,
            "content-mismatch",
        ),
        (
            file,
            &[("Content-Digest", EMPTY_SHA512), ("Repr-Digest", CARGO)],
            400,
            "content-mismatch",
        ),
        // What nobody compares must not be taken for compared.
        (file, &[("Repr-Digest", UNKNOWN)], 400, "invalid-request"),
        (file, &[("Content-Digest", UNKNOWN)], 400, "invalid-request"),
        (
            file,
            &[("Longshore-Metadata", "[]")],
            400,
            "invalid-request",
        ),
        (
            file,
            &[("Content-Range", "bytes 0-4/10")],
            400,
            "invalid-request",
        ),
        (file, &[("If-Match", "*")], 412, "precondition-failed"),
        // Which of two values was meant nobody knows.
        (
            file,
            &[
                ("Content-Type", "text/plain"),
                ("Content-Type", "image/png"),
            ],
            400,
            "invalid-request",
        ),
        (
            file,
            &[
                ("Longshore-Metadata", "{}"),
                ("Longshore-Metadata", "{\"a\":1}"),
            ],
            400,
            "invalid-request",
        ),
        // A right promise does not excuse a wrong one, whichever comes first.
        (
            file,
            &[("Content-Digest", EMPTY), ("Repr-Digest", CARGO)],
            400,
            "invalid-request",
        ),
        (
            file,
            &[("Content-Digest", CARGO), ("Repr-Digest", EMPTY)],
            400,
            "invalid-request",
        ),
        (
            file,
            &[("Repr-Digest", EMPTY), ("Repr-Digest", CARGO)],
            400,
            "invalid-request",
        ),
        (
            file,
            &[("Content-MD5", CARGO_MD5), ("Content-MD5", EMPTY_MD5)],
            400,
            "invalid-request",
        ),
    ];
    for (path, headers, status, code) in cases {
        let mut put = server
            .request(Method::PUT, &format!("/api/v1/buckets/{path}"))
            .body("cargo");
        for (name, text) in *headers {
            put = put.header(*name, HeaderValue::from_str(text).expect("a header"));
        }
        let said = stored::refusal(put).await;
        assert_eq!(said, (*status, (*code).to_owned()), "{path} {headers:?}");
        assert_eq!(server.contents(), 0, "{path} {headers:?}");
    }
    bad_input_on_its_domain(server).await;
    nothing_is_left(server, "all of it").await;
    let said_twice = server
        .request(Method::PUT, "/api/v1/buckets/files/files/a")
        .header("Content-Digest", CARGO)
        .header("Repr-Digest", UNKNOWN)
        .header("Repr-Digest", CARGO)
        .header("Repr-Digest", CARGO_SHA512)
        .header("Content-MD5", CARGO_MD5)
        .body("cargo");
    assert_eq!(stored::answered(said_twice).await.0, 201);
}

/// The same by the two ways in of the bucket's own domain.
async fn bad_input_on_its_domain(server: &Afloat) {
    let long = "a".repeat(2000);
    let (wrong, invalid) = ("content-mismatch", "invalid-request");
    let cases: &[Bad<'_>] = &[
        ("a%2F..%2Fb", &[], 400, invalid),
        ("a%2f%2e%2e%2fb", &[], 400, invalid),
        ("a%00b", &[], 400, invalid),
        ("%FF", &[], 400, invalid),
        (&long, &[], 400, invalid),
        ("a", &[("Repr-Digest", EMPTY)], 400, wrong),
        ("a", &[("Content-Digest", EMPTY)], 400, wrong),
        ("a", &[("Content-MD5", EMPTY_MD5)], 400, wrong),
        ("a", &[("Repr-Digest", EMPTY_SHA512)], 400, wrong),
        ("a", &[("Repr-Digest", UNKNOWN)], 400, invalid),
        (
            "a",
            &[("Content-MD5", CARGO_MD5), ("Content-MD5", EMPTY_MD5)],
            400,
            invalid,
        ),
        ("a", &[("Content-Range", "bytes 0-4/10")], 400, invalid),
    ];
    for way in ["/api/upload/", "/"] {
        for (path, headers, status, code) in cases {
            let mut put = server
                .request(Method::PUT, &format!("{way}{path}"))
                .header("Host", HOST)
                .body("cargo");
            for (name, text) in *headers {
                put = put.header(*name, *text);
            }
            let said = stored::refusal(put).await;
            assert_eq!(
                said,
                (*status, (*code).to_owned()),
                "{way}{path} {headers:?}"
            );
            assert_eq!(server.contents(), 0, "{way}{path} {headers:?}");
        }
    }
}

/// Sends what clients that keep to the rules do not, and reads the answer.
async fn raw(server: &TestServer, host: &str, target: &str, more: &[&str], body: &str) -> String {
    let address = server.url();
    let address = address.trim_start_matches("http://");
    let basic = format!("admin:{}", server.admin_password());
    let basic = data_encoding::BASE64.encode(basic.as_bytes());
    let mut sent =
        format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\n");
    for line in more {
        let _ = write!(sent, "{line}\r\n");
    }
    let _ = write!(sent, "\r\n{body}");
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    socket.write_all(sent.as_bytes()).await.expect("sent");
    answered(&mut socket).await
}

/// All that comes until the connection ends.
async fn answered(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _ = within("the connection to end", read).await;
    String::from_utf8(answer).expect("text")
}

/// That an answer is a problem document which says what to do about a request that cannot be.
fn is_refused(answer: &str, code: &str, of: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 400 "), "{of}: {answer}");
    let head = head.to_lowercase();
    let kind = "\r\ncontent-type: application/problem+json";
    assert!(head.contains(kind), "{of}: {answer}");
    let problem: Value = serde_json::from_str(body).expect("a problem document");
    assert_eq!(problem["code"], code, "{of}: {problem}");
    assert!(
        !problem["detail"].as_str().unwrap_or_default().is_empty(),
        "{of}: {problem}"
    );
}

/// Nothing at the path, and no bytes anywhere.
async fn nothing_is_left(server: &Afloat, of: &str) {
    assert_eq!(server.contents(), 0, "{of}");
    let (_, list) = server.get("/api/v1/buckets/files/files").await;
    assert_eq!(list["items"], serde_json::json!([]), "{of}");
}

on_disk_and_in_store!(headers_that_contradict_each_other_are_refused_and_leave_no_bytes);
async fn headers_that_contradict_each_other_are_refused_and_leave_no_bytes(berth: Berth) {
    let server = &berth.usual().await;
    let path = "/api/v1/buckets/files/files/a";
    let (empty, right) = (
        format!("Content-Digest: {EMPTY}"),
        format!("Content-Digest: {CARGO}"),
    );
    let (empty, right, close) = (empty.as_str(), right.as_str(), "Connection: close");
    let here = "here";
    for (host, path, headers, body) in [
        (
            here,
            path,
            vec!["Content-Length: 5", empty, right, close],
            "cargo",
        ),
        (
            here,
            path,
            vec!["Content-Length: 5", right, empty, close],
            "cargo",
        ),
        (
            HOST,
            "/api/upload/a",
            vec!["Content-Length: 5", right, empty, close],
            "cargo",
        ),
    ] {
        let of = format!("{host}{path} {headers:?}");
        let answer = raw(server, host, path, &headers, body).await;
        is_refused(&answer, "invalid-request", &of);
        nothing_is_left(server, &of).await;
    }
    // Where such a request ends nobody knows: it is refused before there is one to answer,
    // without a document, and the connection with it.
    for lengths in [["5", "6"], ["6", "5"], ["5", "-5"]] {
        let lengths = lengths.map(|length| format!("Content-Length: {length}"));
        let lines = [lengths[0].as_str(), lengths[1].as_str()];
        let answer = raw(server, here, path, &lines, "cargo").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lines:?}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{lines:?}: {answer}");
        let head = answer.to_lowercase();
        assert!(head.contains("\r\nconnection: close"), "{answer}");
        assert!(head.contains("\r\ncontent-length: 0"), "{answer}");
        nothing_is_left(server, "two lengths").await;
    }
}

on_disk_and_in_store!(a_length_beside_a_coding_counts_for_nothing_and_smuggles_nothing);
async fn a_length_beside_a_coding_counts_for_nothing_and_smuggles_nothing(berth: Berth) {
    let server = &berth.usual().await;
    let path = "/api/v1/buckets/files/files/a";
    let (length, coding) = ("Content-Length: 5", "Transfer-Encoding: chunked");
    for lines in [[length, coding], [coding, length]] {
        let answer = raw(server, "here", path, &lines, "cargo").await;
        is_refused(&answer, "body-incomplete", &lines.concat());
        nothing_is_left(server, "a body that is not in the coding").await;
    }
    // A proxy that went by the length would take what stands behind it for a request.
    let hidden = "PUT /api/v1/buckets/files/files/b HTTP/1.1\r\nHost: here\r\n\r\n";
    for (lines, status) in [([length, coding], "201"), ([coding, length], "200")] {
        let body = format!("7\r\nchunked\r\n0\r\n\r\n{hidden}");
        let answer = raw(server, "here", path, &lines, &body).await;
        let begins = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&begins), "{lines:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        let stored = stored::answered(server.request(Method::GET, path)).await;
        assert_eq!(stored, (200, b"chunked".to_vec()), "{lines:?}");
    }
}

on_disk_and_in_store!(a_path_that_climbs_is_refused_as_it_is_sent);
async fn a_path_that_climbs_is_refused_as_it_is_sent(berth: Berth) {
    let server = &berth.usual().await;
    for (host, path) in [
        ("here", "/api/v1/buckets/files/files/a/../b"),
        ("here", "/api/v1/buckets/files/files/../../../../etc/passwd"),
        ("here", "/api/v1/buckets/files/files/a/%2e%2e/b"),
        ("here", "/api/v1/buckets/files/files/a/./b"),
        (HOST, "/api/upload/a/../b"),
        (HOST, "/a/../b"),
        (HOST, "/a/%2E./b"),
    ] {
        let lines = ["Content-Length: 5", "Connection: close"];
        let answer = raw(server, host, path, &lines, "cargo").await;
        is_refused(&answer, "invalid-request", path);
        nothing_is_left(server, path).await;
    }
}

on_disk_and_in_store!(a_body_that_breaks_off_is_not_stored);
async fn a_body_that_breaks_off_is_not_stored(berth: Berth) {
    let server = berth.usual().await;
    let address = server.url();
    let address = address.trim_start_matches("http://");
    let basic = format!("admin:{}", server.admin_password());
    let basic = data_encoding::BASE64.encode(basic.as_bytes());
    for (host, path) in [
        (address, "/api/v1/buckets/files/files/short"),
        (HOST, "/api/upload/short"),
        (HOST, "/short"),
    ] {
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\n\
             Authorization: Basic {basic}\r\nContent-Length: 1000000\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        socket.write_all(&[7; 300_000]).await.expect("sent");
        socket.shutdown().await.expect("half closed");
        is_refused(&answered(&mut socket).await, "body-incomplete", path);
        let (status, _) = server.get("/api/v1/buckets/files/details/short").await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(server.contents(), 0, "{path}");
    }
}
