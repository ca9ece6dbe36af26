//! What is said over the wire, the wrong things included.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::program::server;
use crate::stored::{refusal, refused};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use std::path::Path;
use std::time::Duration;
use testing::{Nginx, TestDatabase, TestServer, on_both, within};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const BYTES: &str = "application/offset+octet-stream";

fn tus(server: &TestServer, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    server
        .request(method, path)
        .header("Tus-Resumable", "1.0.0")
}

/// `filename NAME`, as tus writes it.
fn named(name: &str) -> String {
    format!("filename {}", data_encoding::BASE64.encode(name.as_bytes()))
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// Begins an upload; its path.
async fn begun(server: &TestServer, name: &str, length: u64) -> String {
    let create = tus(server, "POST", "/tus")
        .header("Upload-Length", length)
        .header("Upload-Metadata", named(name));
    let answer = send(create).await;
    assert_eq!(answer.status(), 201);
    let location = text(answer.headers(), "location");
    let path = location.strip_prefix(&server.url());
    path.expect("it is an address of this server").to_owned()
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {headers:?}"));
    value.to_str().expect("text").to_owned()
}

fn patch(server: &TestServer, path: &str, offset: &str, body: &'static str) -> RequestBuilder {
    tus(server, "PATCH", path)
        .header("Upload-Offset", offset)
        .header("Content-Type", BYTES)
        .body(body)
}

/// How far it has come.
async fn offset(server: &TestServer, path: &str) -> String {
    let answer = send(tus(server, "HEAD", path)).await;
    assert_eq!(answer.status(), 200);
    text(answer.headers(), "upload-offset")
}

on_both!(what_is_spoken_is_told_to_anybody);
async fn what_is_spoken_is_told_to_anybody(database: TestDatabase) {
    let server = server(&database).start().await;
    let answer = send(server.anonymous(Method::OPTIONS, "/tus")).await;
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(text(headers, "tus-version"), "1.0.0");
    assert_eq!(
        text(headers, "tus-extension"),
        "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum,\
         concatenation"
    );
    assert_eq!(text(headers, "tus-max-size"), (5_u64 << 40).to_string());
    assert_eq!(text(headers, "tus-checksum-algorithm"), "sha1,sha256,md5");
    for (method, path) in [(Method::POST, "/tus"), (Method::HEAD, "/tus/1")] {
        let answer = send(server.anonymous(method, path)).await;
        assert_eq!(answer.status(), 401, "{path}");
    }
}

on_disk_and_in_store!(an_upload_is_asked_after_without_a_cache_and_ended);
async fn an_upload_is_asked_after_without_a_cache_and_ended(berth: Berth) {
    let server = berth.usual().await;
    let path = begun(&server, "a", 10).await;
    let answer = send(patch(&server, &path, "0", "carg")).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(text(answer.headers(), "upload-offset"), "4");
    text(answer.headers(), "upload-expires");
    // Proxies that make GET of HEAD, and clients that know POST alone.
    let asked = [
        tus(&server, "HEAD", &path),
        tus(&server, "GET", &path),
        tus(&server, "POST", &path).header("X-HTTP-Method-Override", "HEAD"),
    ];
    for request in asked {
        let answer = send(request).await;
        assert_eq!(answer.status(), 200);
        let headers = answer.headers();
        assert_eq!(text(headers, "cache-control"), "no-store");
        assert_eq!(text(headers, "tus-resumable"), "1.0.0");
        assert_eq!(text(headers, "upload-offset"), "4");
        assert_eq!(text(headers, "upload-length"), "10");
        assert_eq!(text(headers, "upload-metadata"), named("a"));
        text(headers, "upload-expires");
    }
    let on = tus(&server, "POST", &path)
        .header("X-HTTP-Method-Override", "PATCH")
        .header("Upload-Offset", "4")
        .header("Content-Type", BYTES)
        .body("o");
    assert_eq!(send(on).await.status(), 204);
    let wrong = tus(&server, "POST", &path).header("X-HTTP-Method-Override", "PUT");
    assert_eq!(send(wrong).await.status(), 405);
    assert_eq!(send(tus(&server, "DELETE", &path)).await.status(), 204);
    let gone = send(tus(&server, "HEAD", &path)).await;
    assert_eq!(gone.status(), 404);
    assert_eq!(text(gone.headers(), "cache-control"), "no-store");
    assert_eq!(send(tus(&server, "DELETE", &path)).await.status(), 404);
    server.comes_to(0).await;
}

on_disk_and_in_store!(bytes_that_come_with_the_beginning_are_kept);
async fn bytes_that_come_with_the_beginning_are_kept(berth: Berth) {
    let server = berth.usual().await;
    let create = tus(&server, "POST", "/tus")
        .header("Upload-Length", 5)
        .header("Upload-Metadata", named("a"))
        .header("Content-Type", BYTES)
        .body("carg");
    let answer = send(create).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(text(answer.headers(), "upload-offset"), "4");
    let location = text(answer.headers(), "location");
    let path = location.strip_prefix(&server.url()).expect("here");
    assert_eq!(send(patch(&server, path, "4", "o")).await.status(), 204);
    let get = server.request(Method::GET, "/api/v1/buckets/files/files/a");
    assert_eq!(send(get).await.text().await.expect("whole"), "cargo");
}

on_disk_and_in_store!(what_cannot_be_is_refused_with_the_right_status_and_leaves_no_bytes);
async fn what_cannot_be_is_refused_with_the_right_status_and_leaves_no_bytes(berth: Berth) {
    let server = berth.usual().await;
    let create = |headers: &[(&str, &str)]| {
        let mut request = tus(&server, "POST", "/tus");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    };
    let (long, name) = (format!("a {}", "A".repeat(9000)), named("a"));
    let (nul, long_path) = (named("a\0b"), named(&"a".repeat(2000)));
    let length = ("Upload-Length", "4");
    let metadata = ("Upload-Metadata", name.as_str());
    let typed = ("Content-Type", BYTES);
    for (status, headers) in [
        (400, vec![metadata]),
        (400, vec![length]),
        (400, vec![("Upload-Length", "-4"), metadata]),
        (400, vec![("Upload-Length", "four"), metadata]),
        (
            400,
            vec![("Upload-Length", "99999999999999999999"), metadata],
        ),
        (400, vec![length, ("Upload-Defer-Length", "1"), metadata]),
        (400, vec![length, ("Upload-Length", "5"), metadata]),
        (400, vec![length, metadata, metadata]),
        (400, vec![("Upload-Defer-Length", "2"), metadata]),
        (
            413,
            vec![("Upload-Length", "9000000000000000000"), metadata],
        ),
        (400, vec![length, ("Upload-Metadata", "filename ****")]),
        (400, vec![length, ("Upload-Metadata", "filename Li4vZXRj")]),
        (400, vec![length, ("Upload-Metadata", nul.as_str())]),
        (400, vec![length, ("Upload-Metadata", long_path.as_str())]),
        // The byte 255, which is no UTF-8.
        (400, vec![length, ("Upload-Metadata", "filename /w==")]),
        (400, vec![length, ("Upload-Metadata", "path /w==")]),
        (400, vec![length, ("Upload-Metadata", long.as_str())]),
        // The bucket `none`.
        (
            404,
            vec![length, ("Upload-Metadata", "bucket bm9uZQ==,filename YQ==")],
        ),
        (400, vec![("Upload-Concat", "final;/tus/x"), metadata]),
        (400, vec![("Upload-Concat", "final;"), metadata]),
        (400, vec![("Upload-Concat", "half"), length, metadata]),
        (
            400,
            vec![length, metadata, typed, ("Upload-Checksum", "crc32 AAAA")],
        ),
    ] {
        let (said, _) = refusal(create(&headers)).await;
        assert_eq!(said, status, "{headers:?}");
    }
    // What comes along is more than was said, not what was said, or no part of an upload.
    let sha1 = ("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
    for (status, headers, body) in [
        (413, vec![length, metadata, typed], "cargo"),
        (460, vec![length, metadata, typed, sha1], "carg"),
        (
            415,
            vec![length, metadata, ("Content-Type", "text/plain")],
            "carg",
        ),
    ] {
        let (said, _) = refusal(create(&headers).body(body)).await;
        assert_eq!(said, status, "{headers:?}");
    }
    let another = server
        .request(Method::POST, "/tus")
        .header("Tus-Resumable", "0.2.2");
    let answer = send(another.header("Upload-Length", "4")).await;
    assert_eq!(text(answer.headers(), "tus-version"), "1.0.0");
    assert_eq!(refused(answer).await.0, 412);
    server.comes_to(0).await;
    let (_, list) = server.get("/api/v1/buckets/files/files").await;
    assert_eq!(list["items"], serde_json::json!([]), "{list}");
}

on_disk_and_in_store!(bytes_that_cannot_be_appended_are_not);
async fn bytes_that_cannot_be_appended_are_not(berth: Berth) {
    let server = berth.usual().await;
    let path = begun(&server, "a", 5).await;
    assert_eq!(send(patch(&server, &path, "0", "ca")).await.status(), 204);
    let wrong = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    let unknown = "crc32 AAAAAA==";
    for (status, request) in [
        (409, patch(&server, &path, "0", "rgo")),
        (409, patch(&server, &path, "3", "go")),
        (400, patch(&server, &path, "-2", "rgo")),
        (400, patch(&server, &path, "two", "rgo")),
        (413, patch(&server, &path, "2", "rgo and more")),
        (
            460,
            patch(&server, &path, "2", "rgo").header("Upload-Checksum", wrong),
        ),
        (
            400,
            patch(&server, &path, "2", "rgo").header("Upload-Checksum", unknown),
        ),
        (
            400,
            patch(&server, &path, "2", "rgo").header("Upload-Length", "6"),
        ),
        (
            400,
            patch(&server, &path, "2", "rgo").header("Upload-Offset", "0"),
        ),
        (
            415,
            tus(&server, "PATCH", &path)
                .header("Upload-Offset", "2")
                .body("rgo"),
        ),
        (
            400,
            tus(&server, "PATCH", &path)
                .header("Content-Type", BYTES)
                .body("rgo"),
        ),
        (404, patch(&server, "/tus/nothing", "0", "x")),
        (
            412,
            server
                .request(Method::PATCH, &path)
                .header("Tus-Resumable", "2.0.0"),
        ),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(refusal(request).await.0, status, "{shown}");
        assert_eq!(offset(&server, &path).await, "2", "{shown}");
    }
    let none = server.request(Method::GET, "/api/v1/buckets/files/files/a");
    assert_eq!(send(none).await.status(), 404);
    assert_eq!(send(patch(&server, &path, "2", "rgo")).await.status(), 204);
    assert_eq!(send(tus(&server, "DELETE", &path)).await.status(), 409);
    assert_eq!(
        offset(&server, &path).await,
        "5",
        "whole, it is known still"
    );
}

on_disk_and_in_store!(the_console_uploads_with_its_session_and_its_token);
async fn the_console_uploads_with_its_session_and_its_token(berth: Berth) {
    let server = berth.usual().await;
    let session = server.log_in("admin", server.admin_password()).await;
    let create = |request: RequestBuilder| {
        request
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", 0)
            .header("Upload-Metadata", named("a"))
    };
    let without = create(session.request_without_csrf(Method::POST, "/tus"));
    assert_eq!(send(without).await.status(), 403);
    let with = create(session.request(Method::POST, "/tus"));
    assert_eq!(send(with).await.status(), 201);
}

on_both!(an_upload_goes_through_the_sample_of_nginx_under_its_address);
async fn an_upload_goes_through_the_sample_of_nginx_under_its_address(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_TRUSTED_PROXIES", "127.0.0.0/8");
    let server = options.start().await;
    let Some(nginx) = Nginx::before(server.port()).await else {
        return;
    };
    let plain = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let through = |method: Method, url: String| {
        plain
            .request(method, url)
            .basic_auth("admin", Some(server.admin_password()))
            .header("Tus-Resumable", "1.0.0")
    };
    let length: u64 = 3 << 20;
    let create = through(Method::POST, format!("{}/tus", nginx.url()))
        .header("Upload-Length", length)
        .header("Upload-Metadata", named("a"));
    let location = text(send(create).await.headers(), "location");
    let begins = format!("{}/tus/", nginx.url());
    assert!(location.starts_with(&begins), "{location}");
    // A line that goes silent in the middle of a request: what came through is kept, and
    // whoever asks is not kept waiting.
    let _silent = silent_after(&nginx, &location, &server, length, 2 << 20).await;
    let partial = server.data().join("files/partial");
    within(
        "bytes to come through before all have",
        until_larger(&partial, 1 << 20),
    )
    .await;
    let head = send(through(Method::HEAD, location.clone())).await;
    let offset: u64 = text(head.headers(), "upload-offset")
        .parse()
        .expect("a number");
    assert!(offset >= 1 << 20, "{offset}");
    let rest = usize::try_from(length - offset).expect("it is little");
    let patch = through(Method::PATCH, location)
        .header("Upload-Offset", offset)
        .header("Content-Type", BYTES)
        .body("x".repeat(rest));
    assert_eq!(send(patch).await.status(), 204);
    let get = server.request(Method::GET, "/api/v1/buckets/files/files/a");
    let content = send(get).await.bytes().await.expect("whole");
    assert_eq!(content.len() as u64, length);
    assert!(content.iter().all(|byte| *byte == b'x'));
}

/// Says that so much will come, sends a part of it, and falls silent.
async fn silent_after(
    nginx: &Nginx,
    location: &str,
    server: &TestServer,
    length: u64,
    sent: usize,
) -> TcpStream {
    let path = &location[nginx.url().len()..];
    let line = TcpStream::connect(("127.0.0.1", nginx.port())).await;
    let mut line = line.expect("nginx listens");
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: {}\r\n\
         Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {BYTES}\r\n\
         Content-Length: {length}\r\n\r\n{}",
        nginx.port(),
        super::authorization(server),
        "x".repeat(sent)
    );
    within("nginx to take the bytes", line.write_all(head.as_bytes()))
        .await
        .expect("it takes them");
    line
}

/// Waits until a file in the folder has so many bytes: nothing tells of it.
async fn until_larger(folder: &Path, bytes: u64) {
    loop {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut sizes = entries.filter_map(|entry| Some(entry.metadata().ok()?.len()));
        if sizes.any(|size| size >= bytes) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
