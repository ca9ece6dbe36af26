//! The sweep: what nobody needs any more goes, and what anybody may still want stays.

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::desk::{id_of, in_state};
use crate::program::files_below;
use crate::stored::{answered, path_of, put, refusal};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use storage::values;
use testing::Live;
use uuid::Uuid;

/// Names of 2024.
const NAMED: Uuid = Uuid::from_u128(0x0190_a6e0_c7a1_7000_8000_0000_0000_000a);
const ORPHAN: Uuid = Uuid::from_u128(0x0190_a6e0_c7a1_7000_8000_0000_0000_010a);
const SLOW: Uuid = Uuid::from_u128(0x0190_a6e0_c7a1_7000_8000_0000_0000_020a);
/// Once a year, and next in 2100.
const RARELY: &str = "UPDATE schedule SET cron = '0 0 1 1 *', next_run = 4102444800000000
    WHERE kind = 'file-sweep'";
const DUE: &str = "UPDATE schedule SET next_run = 1 WHERE kind = 'file-sweep'";

fn old() -> SystemTime {
    SystemTime::now() - Duration::from_secs(48 * 3600)
}

fn age(path: &Path) {
    let file = fs::File::options().write(true).open(path).expect("there");
    file.set_modified(old()).expect("its time can be set");
}

/// Where a content of this name lies on the disk.
fn place(server: &Afloat, name: Uuid) -> PathBuf {
    let name = name.simple().to_string();
    let shard = server.data().join("files").join(&name[30..]);
    shard.join(name)
}

/// A server whose sweep comes when a story wants it, and not within it.
async fn unswept(berth: Berth) -> Afloat {
    let mut server = berth.usual().await;
    server.changed_meanwhile(&[(RARELY, values![])]).await;
    server
}

/// The outcome of the sweep that was due when the server started.
async fn swept(server: &Afloat) -> Value {
    let mut live = Live::connect(server).await;
    let filter = json!({ "kind": "file-sweep" });
    live.subscribe(json!({ "kind": "operations", "filter": filter, "since": 0 }))
        .await;
    let message = live.until(|message| message["type"] == "operation").await;
    let id = id_of(&message.last().expect("the operation")["operation"]);
    let swept = in_state(server, &id, &["succeeded", "failed"]).await;
    assert_eq!(swept["state"], "succeeded", "{swept:#}");
    swept["outcome"].clone()
}

async fn deleted(server: &Afloat, path: &str) -> String {
    let at = format!("/api/v1/buckets/files/files/{path}");
    let (status, file) = server.delete(&at).await;
    assert_eq!(status, 200, "{file}");
    id_of(&file)
}

async fn trash(server: &Afloat) -> Vec<String> {
    let (_, page) = server.get("/api/v1/buckets/files/trash").await;
    let items = page["items"].as_array().expect("a page");
    let path = |item: &Value| item["path"].as_str().expect("a path").to_owned();
    items.iter().map(path).collect()
}

async fn content(server: &Afloat, path: &str) -> (u16, Vec<u8>) {
    answered(server.request(Method::GET, path)).await
}

/// The files of a bucket whose store nobody can ask.
const LOST: [&str; 2] = ["lost", "lost-too"];

/// A bucket in the store with these in its trash, and without the secret of its key.
async fn lose_a_bucket(server: &Afloat) {
    let store = server.store().expect("there is one");
    let secret = "/api/v1/secrets/lost-key";
    let keep = server.request(Method::PUT, secret);
    let keep = keep.header("Content-Type", "application/json");
    let keep = keep.body(json!({ "value": store.secret() }).to_string());
    assert_eq!(answered(keep).await.0, 204);
    let bucket = json!({
        "name": "lost",
        "storage": {
            "kind": "s3", "endpoint": store.endpoint(), "region": "us-east-1",
            "bucket": store.bucket(), "prefix": "lost/", "path_style": true,
            "access_key": store.access_key(), "secret": "lost-key",
        },
    });
    let (status, made) = server.post("/api/v1/buckets", &bucket).await;
    assert_eq!(status, 201, "{made}");
    for name in LOST {
        let file = format!("/api/v1/buckets/lost/files/{name}");
        let put = server.request(Method::PUT, &file).body("content");
        assert_eq!(answered(put).await.0, 201);
        let delete = server.request(Method::DELETE, &file);
        assert_eq!(answered(delete).await.0, 200);
    }
    let forget = server.request(Method::DELETE, secret);
    assert_eq!(answered(forget).await.0, 204);
}

on_disk_and_in_store!(what_was_in_the_trash_for_long_enough_goes_and_the_rest_comes_back);
async fn what_was_in_the_trash_for_long_enough_goes_and_the_rest_comes_back(berth: Berth) {
    let mut server = unswept(berth).await;
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    let change = change.body(json!({ "trash_seconds": 3600 }).to_string());
    assert_eq!(answered(change).await.0, 200);
    for path in ["kept", "gone", "young"] {
        put(&server, path, b"content").await;
    }
    let gone = deleted(&server, "gone").await;
    let young = deleted(&server, "young").await;
    assert_eq!(server.contents(), 3);
    let long_ago = "UPDATE file SET removed_at = 1 WHERE path = 'gone'";
    server
        .changed_meanwhile(&[(long_ago, values![]), (DUE, values![])])
        .await;

    let outcome = swept(&server).await;
    assert_eq!(outcome["removed"], 1, "{outcome}");
    assert_eq!(trash(&server).await, ["young"]);
    assert_eq!(server.contents(), 2, "its bytes are gone, too");
    let past = |id: &str| format!("/api/v1/buckets/files/past/{id}");
    assert_eq!(content(&server, &past(&gone)).await.0, 404);
    let restore = |id: &str| json!({ "id": id });
    let back = "/api/v1/buckets/files/restore";
    assert_eq!(server.post(back, &restore(&gone)).await.0, 404);
    assert_eq!(server.post(back, &restore(&young)).await.0, 200);
    for path in ["kept", "young"] {
        let path = format!("/api/v1/buckets/files/files/{path}");
        assert_eq!(content(&server, &path).await, (200, b"content".to_vec()));
    }
}

on_disk_and_in_store!(bytes_that_no_file_names_go_and_named_ones_stay_however_old);
async fn bytes_that_no_file_names_go_and_named_ones_stay_however_old(berth: Berth) {
    let mut server = unswept(berth).await;
    put(&server, "named", b"named content").await;
    let deleted = deleted(&server, "named").await;
    server.terminate().await;
    let planted = match server.store() {
        // In a store its own time tells how old it is.
        Some(store) => {
            let keys = store.keys();
            let named = keys.iter().find(|key| key.ends_with(&deleted));
            let named = store.folder().join(named.expect("it is in the trash"));
            let orphan = named.with_file_name(ORPHAN.to_string());
            fs::write(&orphan, "nobody's").expect("written");
            age(&named);
            age(&orphan);
            orphan
        }
        // On the disk its name, and its own time, too.
        None => {
            let names = files_below(&server.data().join("files"));
            let [name] = &names[..] else {
                panic!("one content: {names:?}")
            };
            let named = place(&server, NAMED);
            fs::rename(server.data().join("files").join(name), &named).expect("it moves");
            let orphan = place(&server, ORPHAN);
            fs::write(&orphan, "nobody's").expect("written");
            age(&named);
            age(&orphan);
            let rename = "UPDATE file SET blob = $1 WHERE path = 'named'";
            server.change(&[(rename, values![NAMED])]).await;
            orphan
        }
    };
    // Of a minute ago, as it may be of a file that is about to come, and one that was begun
    // long ago and whose last byte has just come.
    let young = [Uuid::now_v7(), SLOW].map(|name| place(&server, name));
    for content in &young {
        fs::write(content, "to come").expect("written");
    }
    server.change(&[(DUE, values![])]).await;
    server.start_again().await;

    let outcome = swept(&server).await;
    assert_eq!(outcome["orphans"], 1, "{outcome}");
    assert!(!planted.exists(), "nothing names it");
    for content in &young {
        assert!(content.exists(), "a file may be about to name {content:?}");
    }
    let past = format!("/api/v1/buckets/files/past/{deleted}");
    let found = content(&server, &past).await;
    assert_eq!(found, (200, b"named content".to_vec()));
    let body = json!({ "id": deleted });
    let (status, _) = server.post("/api/v1/buckets/files/restore", &body).await;
    assert_eq!(status, 200);
    let at = "/api/v1/buckets/files/files/named";
    let found = content(&server, at).await;
    assert_eq!(found, (200, b"named content".to_vec()));
}

on_disk_and_in_store!(an_upload_that_expired_is_gone_for_its_client_and_then_from_the_disk);
async fn an_upload_that_expired_is_gone_for_its_client_and_then_from_the_disk(berth: Berth) {
    let mut server = unswept(berth).await;
    let tus = |server: &Afloat, method: Method, path: &str| {
        let request = server.request(method, path);
        request.header("Tus-Resumable", "1.0.0")
    };
    let create = tus(&server, Method::POST, "/tus")
        .header("Upload-Length", 10)
        .header("Upload-Metadata", "filename ZmlsbQ==")
        .header("Content-Type", "application/offset+octet-stream")
        .body("begun");
    let begun = create.send().await.expect("an answer");
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"].to_str().expect("text");
    let path = path_of(&server, location);
    assert_eq!(server.unfinished(), 1);
    let over = "UPDATE upload SET expires_at = 1";
    // Somebody starts the sweep only after the client was told.
    server.changed_meanwhile(&[(over, values![])]).await;

    let head = tus(&server, Method::HEAD, &path).send().await;
    let head = head.expect("an answer");
    assert_eq!(head.status(), 410);
    assert!(!head.headers().contains_key("upload-offset"), "{head:?}");
    let go_on = tus(&server, Method::PATCH, &path)
        .header("Upload-Offset", 5)
        .header("Content-Type", "application/offset+octet-stream")
        .body(" film");
    assert_eq!(
        refusal(go_on).await,
        (410, "upload-expired".to_owned()),
        "and the body is for nothing"
    );
    let end = tus(&server, Method::DELETE, &path);
    assert_eq!(refusal(end).await, (410, "upload-expired".to_owned()));
    let film = "/api/v1/buckets/files/files/film";
    assert_eq!(content(&server, film).await.0, 404);

    let (mut due, mut removed) = (vec![(DUE, values![])], 0);
    if server.is_in_store() {
        // Another bucket, whose store nobody can ask any more, keeps nothing from going, and
        // its own trash neither.
        lose_a_bucket(&server).await;
        for path in LOST {
            let overdue = "UPDATE file SET removed_at = 1 WHERE path = $1";
            due.push((overdue, values![path]));
            removed += 1;
        }
    }
    server.changed_meanwhile(&due).await;
    let outcome = swept(&server).await;
    assert_eq!(outcome["expired"], 1, "{outcome}");
    assert_eq!(outcome["removed"], removed, "{outcome}");
    assert_eq!(server.unfinished(), 0);
    let head = tus(&server, Method::HEAD, &path).send().await;
    assert_eq!(head.expect("an answer").status(), 404, "nobody knows of it");
}
