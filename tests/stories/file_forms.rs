//! Files by a form, as browsers and curl send it: each is stored as a whole or not at
//! all, and the answer tells of each.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::stored::{HOST, add_user, answered, put, refusal, refused, uploader};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testing::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FORM: &str = "/api/v1/buckets/files/files";
const TYPE: &str = "multipart/form-data; boundary=b0undary";

fn field(name: &str, value: &str) -> String {
    format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(name: &str, content: &str) -> String {
    format!(
        "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\n{content}\r\n"
    )
}

fn form(parts: &[String]) -> String {
    format!("{}--b0undary--\r\n", parts.concat())
}

fn posted(request: RequestBuilder, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request.header("Content-Type", TYPE).body(body)
}

fn post(server: &TestServer, parts: &[String]) -> RequestBuilder {
    posted(server.request(Method::POST, FORM), form(parts))
}

async fn report(request: RequestBuilder) -> (u16, Value) {
    let (status, body) = answered(request).await;
    (status, serde_json::from_slice(&body).expect("JSON"))
}

/// The paths that were stored, and the names and codes of those that were not.
fn said(report: &Value) -> (Vec<&str>, Vec<(&str, &str)>) {
    let list = |field: &str| report[field].as_array().expect("a list").iter();
    let stored = list("stored").map(|file| file["path"].as_str().unwrap_or_default());
    let refused = list("refused").map(|file| {
        (
            file["name"].as_str().unwrap_or_default(),
            file["problem"]["code"].as_str().unwrap_or_default(),
        )
    });
    (stored.collect(), refused.collect())
}

async fn content(server: &TestServer, path: &str) -> Vec<u8> {
    let get = server.request(Method::GET, &format!("{FORM}/{path}"));
    let (status, content) = answered(get).await;
    assert_eq!(status, 200, "{path}");
    content
}

on_disk_and_in_store!(all_files_of_a_form_are_stored_where_it_says);
async fn all_files_of_a_form_are_stored_where_it_says(berth: Berth) {
    let server = berth.usual().await;
    let parts = [
        file("first.txt", "one"),
        field("prefix", "covers/"),
        file("a b/\u{e4}.txt", "two"),
        field("note", "is not looked at"),
        field("path", "elsewhere/named.bin"),
        file("whatever", "three"),
        file("empty", ""),
        file("", ""),
    ];
    let (status, report) = report(post(&server, &parts)).await;
    assert_eq!(status, 201, "{report}");
    let (stored, refused) = said(&report);
    assert_eq!(
        stored,
        [
            "first.txt",
            "covers/a b/\u{e4}.txt",
            "elsewhere/named.bin",
            "covers/empty"
        ]
    );
    assert_eq!(refused, []);
    assert_eq!(report["stored"][0]["type"], "text/plain");
    assert_eq!(content(&server, "covers/a%20b/%C3%A4.txt").await, b"two");
    assert_eq!(
        uploader(&server, "first.txt").await.as_deref(),
        Some("user:admin")
    );
    assert_eq!(server.contents(), 4);

    let at_host = server
        .request(Method::POST, "/api/upload")
        .header("Host", HOST);
    let (status, _) = answered(posted(at_host, form(&[file("host", "x")]))).await;
    assert_eq!(status, 201);
    assert_eq!(content(&server, "host").await, b"x");
}

on_disk_and_in_store!(what_is_refused_of_one_file_keeps_no_other_out);
async fn what_is_refused_of_one_file_keeps_no_other_out(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "there", b"before").await;
    let parts = [
        file("good", "x"),
        file("../up", "x"),
        file("a/../../b", "x"),
        file("C:\\Users\\a", "x"),
        file("/etc/passwd", "x"),
        file("there", "after"),
        file("also good", "x"),
    ];
    let request = post(&server, &parts).header("If-None-Match", "*");
    let (status, report) = report(request).await;
    assert_eq!(status, 207, "{report}");
    let (stored, refused) = said(&report);
    assert_eq!(stored, ["good", "also good"]);
    assert_eq!(
        refused,
        [
            ("../up", "invalid-request"),
            ("a/../../b", "invalid-request"),
            ("C:\\Users\\a", "invalid-request"),
            ("/etc/passwd", "invalid-request"),
            ("there", "precondition-failed"),
        ]
    );
    assert_eq!(content(&server, "there").await, b"before");
    assert_eq!(server.contents(), 3);
}

on_disk_and_in_store!(a_form_that_is_none_is_refused_and_leaves_nothing);
async fn a_form_that_is_none_is_refused_and_leaves_nothing(berth: Berth) {
    let server = berth.usual().await;
    let request = || server.request(Method::POST, FORM);
    let whole = form(&[file("a", "content")]);
    let typed = |kind: &'static str| request().header("Content-Type", kind).body(whole.clone());
    let invalid = (400, "invalid-request".to_owned());
    let kind = (415, "unsupported-media-type".to_owned());
    assert_eq!(refusal(typed("multipart/form-data")).await, invalid);
    assert_eq!(
        refusal(typed("multipart/form-data; boundary=\"")).await,
        invalid
    );
    assert_eq!(refusal(typed("application/octet-stream")).await, kind);
    assert_eq!(refusal(request().body(whole.clone())).await, kind);
    for (parts, expected) in [
        (vec![], invalid.clone()),
        (vec![field("prefix", "x")], invalid.clone()),
        (vec![file("", "")], invalid.clone()),
        (vec![file("..", "x")], invalid.clone()),
        (
            vec![field("path", "a/../b"), file("x", "x")],
            invalid.clone(),
        ),
        (
            vec![field("prefix", "../"), file("x", "x")],
            invalid.clone(),
        ),
        (vec![file(&"n".repeat(1025), "x")], invalid.clone()),
        (
            vec![field("path", &"n".repeat(1025)), file("x", "x")],
            (413, "field-too-long".to_owned()),
        ),
        (
            vec![field("note", &"n".repeat(70_000)), file("x", "x")],
            (413, "field-too-long".to_owned()),
        ),
        (
            vec![file(&"n".repeat(20_000), "x")],
            (400, "invalid-form".to_owned()),
        ),
    ] {
        let shown: String = parts.concat().chars().take(120).collect();
        assert_eq!(refusal(post(&server, &parts)).await, expected, "{shown}");
    }
    for body in [
        &whole[..whole.len() - 12],
        "--b0undary\r\n",
        "",
        "no form at all",
    ] {
        let broken = (400, "body-incomplete".to_owned());
        let request = posted(request(), body.to_owned());
        assert_eq!(refusal(request).await, broken, "{body}");
    }
    assert_eq!(server.contents(), 0);
}

on_disk_and_in_store!(the_number_of_parts_is_bounded);
async fn the_number_of_parts_is_bounded(berth: Berth) {
    let server = berth.usual().await;
    let mut parts = vec![field("note", "x"); 999];
    parts.extend([file("last", "x"), file("too many", "x")]);
    let (status, report) = report(post(&server, &parts)).await;
    assert_eq!(status, 207, "{report}");
    assert_eq!(said(&report), (vec!["last"], vec![("", "too-many-parts")]));
    let parts = vec![field("note", "x"); 1001];
    let (status, code) = refusal(post(&server, &parts)).await;
    assert_eq!((status, code.as_str()), (413, "too-many-parts"));
}

on_disk_and_in_store!(rights_and_quotas_hold_for_each_file);
async fn rights_and_quotas_hold_for_each_file(berth: Berth) {
    let server = berth.usual().await;
    let password = add_user(&server, "vera", "viewer").await;
    let grant = json!({ "user": "vera", "prefix": "in/", "permissions": ["write"] });
    let (status, _) = server.post("/api/v1/buckets/files/grants", &grant).await;
    assert_eq!(status, 201);
    let vera = || server.request_as("vera", &password, Method::POST, FORM);
    let both = form(&[file("in/a", "x"), file("out/a", "x")]);
    let (status, report) = report(posted(vera(), both)).await;
    assert_eq!(status, 207, "{report}");
    assert_eq!(said(&report), (vec!["in/a"], vec![("out/a", "forbidden")]));
    let outside = form(&[file("out/a", "x")]);
    assert_eq!(
        refusal(posted(vera(), outside)).await,
        (403, "forbidden".to_owned())
    );

    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(r#"{"quota_bytes":10}"#);
    assert_eq!(answered(change).await.0, 200);
    let parts = [file("in/large", "0123456789"), file("in/small", "x")];
    let (status, quota) = report_of(&server, &parts).await;
    assert_eq!(status, 207, "{quota}");
    let expected = (vec!["in/small"], vec![("in/large", "quota-exceeded")]);
    assert_eq!(said(&quota), expected);
    let anonymous = posted(
        server.anonymous(Method::POST, FORM),
        form(&[file("a", "x")]),
    );
    assert_eq!(refusal(anonymous).await.0, 401);
    let session = server.log_in("admin", server.admin_password()).await;
    let forged = session.request_without_csrf(Method::POST, FORM);
    let forged = posted(forged, form(&[file("a", "x")]));
    assert_eq!(refusal(forged).await, (403, "csrf".to_owned()));
    let own = session.request(Method::POST, FORM);
    assert_eq!(answered(posted(own, form(&[file("a", "x")]))).await.0, 201);
    assert_eq!(server.contents(), 3);
}

async fn report_of(server: &TestServer, parts: &[String]) -> (u16, Value) {
    report(post(server, parts)).await
}

on_disk_and_in_store!(who_leaves_in_the_middle_of_a_file_leaves_nothing_of_it);
async fn who_leaves_in_the_middle_of_a_file_leaves_nothing_of_it(berth: Berth) {
    let server = berth.usual().await;
    let pair = format!("admin:{}", server.admin_password());
    let head = format!(
        "POST {FORM} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {}\r\nContent-Type: {TYPE}\r\nContent-Length: 100000\r\n\r\n",
        data_encoding::BASE64.encode(pair.as_bytes())
    );
    let body = [file("whole", "x"), file("half", &"h".repeat(50_000))].concat();
    let mut socket = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .expect("it listens");
    socket
        .write_all(head.as_bytes())
        .await
        .expect("it takes it");
    socket
        .write_all(body.as_bytes())
        .await
        .expect("it takes it");
    socket.shutdown().await.expect("it ends");
    let mut answer = Vec::new();
    // Whatever it says, it is done with the request when it closes.
    let _ = testing::within("the end", socket.read_to_end(&mut answer)).await;
    assert_eq!(content(&server, "whole").await, b"x");
    assert_eq!(uploader(&server, "half").await, None);
    assert_eq!(server.contents(), 1);
}

on_disk_and_in_store!(a_form_of_another_bucket_is_not_found);
async fn a_form_of_another_bucket_is_not_found(berth: Berth) {
    let server = berth.usual().await;
    let elsewhere = server.request(Method::POST, "/api/v1/buckets/nowhere/files");
    let sent = posted(elsewhere, form(&[file("a", "x")])).send().await;
    let (status, code) = refused(sent.expect("an answer")).await;
    assert_eq!((status, code.as_str()), (404, "not-found"));
}
