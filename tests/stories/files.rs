//! Files, as scripts use them: the few routes of a bucket's own domain, by curl, and the
//! API for everything else. Bad input gets the right answer and leaves no bytes.

mod conditions;
mod listing;
mod refused;
mod video;

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::program::{files_below, server};
use crate::stored;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use testing::{TestDatabase, TestServer, on_both, on_postgres, on_sqlite, within};
use tokio::process::Command;

const HOST: &str = "files.localhost";

/// curl, as its user types it, on the default bucket's domain.
async fn curl(server: &TestServer, arguments: &[&str]) -> String {
    let address = server.url();
    let port = address.rsplit(':').next().expect("a port");
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "20"])
        .args(["--user", &format!("admin:{}", server.admin_password())])
        .kill_on_drop(true);
    for argument in arguments {
        command.arg(argument.replace("HOST", &format!("{HOST}:{port}")));
    }
    let output = within("curl", command.output()).await.expect("curl runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

async fn answer(request: RequestBuilder) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = within("an answer", request.send()).await.expect("it comes");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.expect("whole").to_vec();
    (status, headers, body)
}

fn value(headers: &HeaderMap, name: &str) -> String {
    let mut values = headers.get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    assert!(values.next().is_none(), "{name} comes twice: {headers:?}");
    value.unwrap_or_default().to_owned()
}

fn write(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("written");
    path.to_str().expect("text").to_owned()
}

on_disk_and_in_store!(the_lines_that_scripts_know_give_what_they_gave);
async fn the_lines_that_scripts_know_give_what_they_gave(berth: Berth) {
    let server = &berth.usual().await;
    let folder = tempfile::tempdir().expect("a folder");
    let cargo = write(folder.path(), "foo", b"some cargo\n");
    let url = "http://HOST/api/upload/foo";
    assert_eq!(
        curl(server, &["-XPUT", "-T", &cargo, url]).await,
        "\"File uploaded\""
    );
    assert_eq!(curl(server, &["http://HOST/foo"]).await, "some cargo\n");
    let upload = "http://HOST/api/upload/covers/blue%20one.txt";
    curl(server, &["-T", &cargo, upload]).await;
    for list in ["http://HOST/", "http://HOST/api/list"] {
        let text = curl(server, &[list]).await;
        let list: Vec<Value> = serde_json::from_str(&text).expect("an array");
        assert_eq!(list.len(), 2, "{text}");
        let first = &list[0];
        assert_eq!(first["filename"], "blue one.txt");
        assert_eq!(first["prefix_path"], "covers/");
        assert_eq!(first["s3_bucket"], "files");
        assert_eq!(first["size"], 11);
        assert!(first["date_added"].is_string());
        let url = first["url"].as_str().expect("an address");
        assert!(url.ends_with("/covers/blue%20one.txt"), "{url}");
        assert_eq!(curl(server, &[url]).await, "some cargo\n");
    }
    let health = server
        .anonymous(Method::GET, "/health")
        .header("Host", HOST);
    assert_eq!(answer(health).await.0, 200);
    let nobody = server.anonymous(Method::GET, "/foo").header("Host", HOST);
    let (status, headers, _) = answer(nobody).await;
    assert_eq!(status, 401);
    let ways = headers.get_all("www-authenticate").iter();
    assert!(
        ways.into_iter()
            .any(|way| way.as_bytes().starts_with(b"Basic"))
    );
}

on_sqlite!(on_a_buckets_host_nothing_but_its_routes_answers);
async fn on_a_buckets_host_nothing_but_its_routes_answers(database: TestDatabase) {
    let server = server(&database).start().await;
    let on_host = |method, path: &str| server.request(method, path).header("Host", HOST);
    let missing = (404, "not-found".to_owned());
    for path in [
        "/login",
        "/files",
        "/assets/index.js",
        "/metrics",
        "/readyz",
        "/api/docs",
        "/api/v1/openapi.json",
        "/api/v1/session",
        "/api/v1/buckets",
        "/api/v1/buckets/files/files",
        "/api/v1/users",
        "/hooks/s3/files",
        "/tus",
    ] {
        // Whatever it is elsewhere, here it is the path of a file that is not there.
        let got = stored::refusal(on_host(Method::GET, path)).await;
        assert_eq!(got, missing, "{path}");
        let nobody = server.anonymous(Method::GET, path).header("Host", HOST);
        assert_eq!(answer(nobody).await.0, 401, "{path}");
        let post = on_host(Method::POST, path).body("{}");
        assert_eq!(answer(post).await.0, 405, "{path}");
    }
    let path = "/api/v1/buckets";
    let put = on_host(Method::PUT, path).body("cargo");
    assert_eq!(answer(put).await.0, 200);
    let got = answer(on_host(Method::GET, path)).await;
    assert_eq!((got.0.as_u16(), &got.2[..]), (200, &b"cargo"[..]));
    let listed = server.get("/api/v1/buckets/files/details/api/v1/buckets");
    assert_eq!(listed.await.0, 200, "a file");
}

on_disk_and_in_store!(a_content_is_got_whole_in_part_or_not_at_all_as_the_request_says);
async fn a_content_is_got_whole_in_part_or_not_at_all_as_the_request_says(berth: Berth) {
    let server = &berth.usual().await;
    let path = "/api/v1/buckets/files/files/deep/n%C3%A4me.bin";
    let put = server
        .request(Method::PUT, path)
        .header("Content-Type", "application/x-cargo")
        .header("Cache-Control", "max-age=7")
        .header("Content-Disposition", "inline; filename=\"x\"")
        .header("Longshore-Metadata", r#"{"album":"blue"}"#)
        .body("0123456789");
    let (status, headers, body) = answer(put).await;
    assert_eq!(status, 201);
    let file: Value = serde_json::from_slice(&body).expect("a file");
    assert_eq!(file["path"], "deep/näme.bin");
    assert_eq!(file["metadata"]["album"], "blue");
    let tag = value(&headers, "etag");
    let get = || server.request(Method::GET, path);
    let (status, headers, body) = answer(get()).await;
    assert_eq!(
        (status, body.as_slice()),
        (StatusCode::OK, &b"0123456789"[..])
    );
    assert_eq!(value(&headers, "content-type"), "application/x-cargo");
    assert_eq!(value(&headers, "cache-control"), "max-age=7");
    assert_eq!(value(&headers, "etag"), tag);
    let (status, headers, body) = answer(get().header("Range", "bytes=2-4")).await;
    assert_eq!(
        (status, body.as_slice()),
        (StatusCode::PARTIAL_CONTENT, &b"234"[..])
    );
    assert_eq!(value(&headers, "content-range"), "bytes 2-4/10");
    assert_eq!(answer(get().header("Range", "bytes=10-")).await.0, 416);
    assert_eq!(answer(get().header("If-None-Match", &tag)).await.0, 304);
    assert_eq!(answer(get().header("If-Match", "\"x\"")).await.0, 412);
    let head = answer(server.request(Method::HEAD, path)).await;
    assert_eq!(value(&head.1, "content-length"), "10");
    assert!(head.2.is_empty());
    let saved = server.request(Method::GET, &format!("{path}?download=1"));
    let disposition = value(&answer(saved).await.1, "content-disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let again = || server.request(Method::PUT, path).body("other");
    assert_eq!(answer(again().header("If-None-Match", "*")).await.0, 412);
    assert_eq!(answer(again().header("If-Match", &tag)).await.0, 200);
    assert_eq!(answer(again().header("If-Match", &tag)).await.0, 412);
}

on_disk_and_in_store!(what_was_deleted_is_in_the_trash_and_comes_back);
async fn what_was_deleted_is_in_the_trash_and_comes_back(berth: Berth) {
    let server = &berth.usual().await;
    let put = server.request(Method::PUT, "/api/v1/buckets/files/files/a/b");
    assert_eq!(answer(put.body("cargo")).await.0, 201);
    let (status, gone) = server.delete("/api/v1/buckets/files/files/a/b").await;
    assert_eq!(status, 200);
    let (status, _) = server.delete("/api/v1/buckets/files/files/a/b").await;
    assert_eq!(status, 404);
    let (_, trash) = server.get("/api/v1/buckets/files/trash").await;
    assert_eq!(trash["items"][0]["id"], gone["id"]);
    let body = json!({ "id": gone["id"] });
    let (status, _) = server.post("/api/v1/buckets/files/restore", &body).await;
    assert_eq!(status, 200);
    let (_, page) = server.get("/api/v1/buckets/files/files?delimiter=/").await;
    assert_eq!(page["folders"], json!(["a/"]));
    let body = json!({ "from": "a/b", "to": "c" });
    let (status, _) = server.post("/api/v1/buckets/files/copy", &body).await;
    assert_eq!(status, 200);
    let (status, _) = server.post("/api/v1/buckets/files/move", &body).await;
    assert_eq!(status, 200);
    let (_, page) = server.get("/api/v1/buckets/files/files").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["items"][0]["path"], "c");
}

on_both!(what_was_acknowledged_survives_a_kill_and_what_was_not_is_whole_or_absent);
async fn what_was_acknowledged_survives_a_kill_and_what_was_not_is_whole_or_absent(
    database: TestDatabase,
) {
    let mut server = Berth::on_disk(&database).usual().await;
    let all = killed_while_it_writes(&mut server).await;
    server.start_again().await;
    is_whole(&server, &all).await;
}

on_postgres!(a_kill_leaves_nothing_but_whole_files_in_a_store);
async fn a_kill_leaves_nothing_but_whole_files_in_a_store(database: TestDatabase) {
    let Some(berth) = Berth::in_store(&database).await else {
        return;
    };
    let mut server = berth.usual().await;
    let all = killed_while_it_writes(&mut server).await;
    // As long after it as nobody else may write where it was writing.
    let db = crate::program::opened(&server, &database).await;
    let later = "UPDATE store_claim SET held_until = 0";
    db.execute(later, Vec::new()).await.expect("changed");
    db.close().await;
    server.start_again().await;
    // Where the row was not written any more, the file is there or not, and then whole.
    let keys = server.store().expect("it is in a store").keys();
    for key in keys.iter().filter(|key| !key.starts_with(".longshore/")) {
        let path = format!("/api/v1/buckets/files/files/{key}");
        let (status, _, body) = answer(server.request(Method::GET, &path)).await;
        assert_eq!(status, 200, "{path}");
        assert!(body == expected_at(key), "{path}");
    }
    is_whole(&server, &all).await;
    let put = server.request(Method::PUT, "/api/v1/buckets/files/files/0/0");
    assert_eq!(answer(put.body("again")).await.0, 200);
}

/// The content that is put at a path.
fn expected_at(path: &str) -> Vec<u8> {
    let (number, round) = path.split_once('/').expect("two numbers");
    let parsed = |text: &str| text.parse().expect("a number");
    content(parsed(number), parsed(round))
}

/// Many clients put files at once until the server is killed: what was acknowledged.
async fn killed_while_it_writes(server: &mut Afloat) -> Vec<(u64, u64)> {
    let (base, password) = (server.url(), server.admin_password().to_owned());
    let mut clients = tokio::task::JoinSet::new();
    let (told, mut acknowledged) = tokio::sync::mpsc::channel(1);
    for number in 0..16_u64 {
        let (base, password, told) = (base.clone(), password.clone(), told.clone());
        clients.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build().expect("one");
            for round in 0_u64.. {
                let path = format!("{number}/{round}");
                let body = content(number, round);
                let put = client
                    .put(format!("{base}/api/v1/buckets/files/files/{path}"))
                    .basic_auth("admin", Some(&password))
                    .body(body);
                match put.send().await {
                    Ok(answer) if answer.status() == 201 => {}
                    Ok(answer) => panic!("{}", answer.status()),
                    Err(_) => return,
                }
                if told.send((number, round)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(told);
    let mut all = Vec::new();
    while all.len() < 120 {
        all.extend(within("uploads", acknowledged.recv()).await);
    }
    server.kill9().await;
    while let Some(more) = within("every client to notice", acknowledged.recv()).await {
        all.push(more);
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client saw anything wrong");
    }
    all
}

/// What was acknowledged is there, and what is listed is whole.
async fn is_whole(server: &Afloat, all: &[(u64, u64)]) {
    for (number, round) in all {
        let path = format!("/api/v1/buckets/files/files/{number}/{round}");
        let (status, _, body) = answer(server.request(Method::GET, &path)).await;
        assert_eq!(status, 200, "{path}");
        assert!(body == content(*number, *round), "{path}");
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = server
            .get(&format!("/api/v1/buckets/files/files?limit=200{cursor}"))
            .await;
        listed.extend(page["items"].as_array().expect("files").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(listed.len() >= all.len());
    for file in &listed {
        let path = file["path"].as_str().expect("a path");
        let expected = expected_at(path);
        let path = format!("/api/v1/buckets/files/files/{path}");
        let (status, _, body) = answer(server.request(Method::GET, &path)).await;
        assert_eq!(status, 200);
        assert!(body == expected, "{path}");
    }
    let incoming = files_below(&server.data().join("files/incoming"));
    assert!(incoming.is_empty(), "{incoming:?}");
}

/// A content that no other upload has: of some hundred kilobytes, or of some hundred bytes,
/// of which many come to their places together.
fn content(number: u64, round: u64) -> Vec<u8> {
    let least = if number.is_multiple_of(6) {
        100_000
    } else {
        100
    };
    let length = least + (number * 7919 + round * 104_729) % (2 * least);
    format!("{number}/{round};")
        .into_bytes()
        .into_iter()
        .cycle()
        .take(usize::try_from(length).expect("small"))
        .collect()
}

on_both!(viewers_read_operators_write_and_nobody_sees_a_thing);
async fn viewers_read_operators_write_and_nobody_sees_a_thing(database: TestDatabase) {
    let server = server(&database).start().await;
    for (name, role) in [("vera", "viewer"), ("otto", "operator")] {
        let body = json!({ "name": name, "role": role, "password": "long enough 1" });
        assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    }
    let path = "/api/v1/buckets/files/files/a";
    let by = |name: &str, method| server.request_as(name, "long enough 1", method, path);
    assert_eq!(answer(by("vera", Method::PUT).body("x")).await.0, 403);
    assert_eq!(answer(by("otto", Method::PUT).body("x")).await.0, 201);
    assert_eq!(answer(by("vera", Method::GET)).await.0, 200);
    assert_eq!(answer(by("vera", Method::DELETE)).await.0, 403);
    assert_eq!(answer(server.anonymous(Method::GET, path)).await.0, 401);
    let open = json!({ "public_read": true });
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(open.to_string());
    assert_eq!(answer(change).await.0, 200);
    assert_eq!(answer(server.anonymous(Method::GET, path)).await.0, 200);
    assert_eq!(
        answer(server.anonymous(Method::PUT, path).body("y"))
            .await
            .0,
        401
    );
    let list = server.anonymous(Method::GET, "/api/v1/buckets/files/files");
    assert_eq!(answer(list).await.0, 401);
}
