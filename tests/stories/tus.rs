//! Resumable uploads with the clients that people have, unchanged, and over the wire.

pub(crate) mod peers;
mod wire;

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::stored::{add_user, refusal};
use peers::{Js, Python};
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use testing::{Content, TestServer, size};

const MIB: u64 = 1 << 20;

/// Who uploads: `admin`, with Basic.
fn authorization(server: &TestServer) -> String {
    basic("admin", server.admin_password())
}

fn basic(name: &str, password: &str) -> String {
    let pair = format!("{name}:{password}");
    format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
}

/// Whether the file at `path` is this content.
async fn holds(server: &Afloat, path: &str, content: &Content) {
    let path = format!("/api/v1/buckets/files/files/{path}");
    let answer = server.request(Method::GET, &path).send().await;
    let mut answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    let (mut at, mut expected) = (0, Vec::new());
    while let Some(bytes) = answer.chunk().await.expect("it flows") {
        expected.resize(bytes.len(), 0);
        assert_eq!(content.read(at, &mut expected), bytes.len());
        assert!(bytes == expected, "other bytes after {at}");
        at += bytes.len() as u64;
    }
    assert_eq!(Some(at), content.length());
    // What a sudden end leaves in a store is swept later.
    if !server.is_in_store() {
        assert_eq!(server.unfinished(), 0);
    }
}

/// Writes a content to a file.
fn write(path: &Path, content: &Content) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file can be made");
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let length = content.read(at, &mut buffer);
        if length == 0 {
            return;
        }
        file.write_all(&buffer[..length])
            .expect("the disk takes it");
        at += length as u64;
    }
}

on_disk_and_in_store!(tus_js_client_goes_on_after_two_sudden_ends_in_the_middle_of_a_request);
async fn tus_js_client_goes_on_after_two_sudden_ends_in_the_middle_of_a_request(berth: Berth) {
    let Some(client) = Js::installed() else {
        return;
    };
    let length = size(60 * MIB, 5 * 1024 * MIB) + 1;
    let content = Content::seeded(1, length);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("film.mp4");
    write(&path, &content);
    let mut server = berth.usual().await;
    let options = json!({
        "endpoint": format!("{}/tus", server.url()),
        "headers": { "Authorization": authorization(&server) },
        "metadata": { "path": "films/a film.mp4", "filetype": "video/mp4", "by": "anna" },
    });
    let mut upload = client.upload(&options, &path, &[length / 3, length / 3 * 2]);
    for _ in 0..2 {
        upload.stands_still().await;
        server.kill9().await;
        upload.goes_on().await;
        server.start_again().await;
    }
    upload.is_done().await;
    holds(&server, "films/a%20film.mp4", &content).await;
    let details = "/api/v1/buckets/files/details/films/a%20film.mp4";
    let (_, details) = server.get(details).await;
    assert_eq!(details["type"], "video/mp4");
    assert_eq!(details["metadata"], json!({ "by": "anna" }));
}

on_disk_and_in_store!(tuspy_with_checksums_goes_on_after_two_sudden_ends);
async fn tuspy_with_checksums_goes_on_after_two_sudden_ends(berth: Berth) {
    let Some(client) = Python::installed() else {
        return;
    };
    let content = Content::seeded(2, 20 * MIB + 1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("book");
    write(&path, &content);
    let mut server = berth.usual().await;
    let options = json!({
        "endpoint": format!("{}/tus", server.url()),
        "headers": { "Authorization": authorization(&server) },
        "metadata": { "filename": "book" },
        "chunk_size": 3 * MIB,
        "upload_checksum": true,
    });
    let mut upload = client.upload(&options, &path, &[5 * MIB, 12 * MIB]);
    for _ in 0..2 {
        upload.stands_still().await;
        server.kill9().await;
        upload.goes_on().await;
        server.start_again().await;
    }
    upload.is_done().await;
    holds(&server, "book", &content).await;
}

on_disk_and_in_store!(every_way_in_which_tus_js_client_uploads_ends_in_the_same_file);
async fn every_way_in_which_tus_js_client_uploads_ends_in_the_same_file(berth: Berth) {
    let Some(client) = Js::installed() else {
        return;
    };
    let server = berth.usual().await;
    let folder = tempfile::tempdir().expect("a folder");
    let ways = [
        ("empty", 0, json!({})),
        ("chunks", 5 * MIB, json!({ "chunkSize": 700_001 })),
        (
            "creation",
            5 * MIB,
            json!({ "uploadDataDuringCreation": true }),
        ),
        ("override", 5 * MIB, json!({ "overridePatchMethod": true })),
        (
            "deferred",
            5 * MIB,
            json!({ "uploadLengthDeferred": true, "chunkSize": 700_001 }),
        ),
        ("parallel", 5 * MIB + 2, json!({ "parallelUploads": 3 })),
        (
            "parallel-chunks",
            5 * MIB + 2,
            json!({ "parallelUploads": 4, "chunkSize": 300_001 }),
        ),
    ];
    for (name, size, way) in ways {
        let content = Content::seeded(size, size);
        let path = folder.path().join(name);
        write(&path, &content);
        let mut options = json!({
            "endpoint": format!("{}/tus", server.url()),
            "headers": { "Authorization": authorization(&server) },
            "metadata": { "filename": name },
        });
        for (option, value) in way.as_object().expect("options") {
            options[option] = value.clone();
        }
        client.upload(&options, &path, &[]).is_done().await;
        holds(&server, name, &content).await;
        assert_eq!(server.unfinished(), 0, "nothing of an upload is left");
    }
    // The parts of these do not say where they go: whoever may write below one prefix may send
    // them, a user to whom that is granted and a token that is held to it.
    let password = add_user(&server, "vera", "viewer").await;
    let part = server.request_as("vera", &password, Method::POST, "/tus");
    let part = part
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Concat", "partial")
        .header("Upload-Length", 1);
    assert_eq!(refusal(part).await.0, 403, "who may write nowhere");
    let body = json!({ "name": "held", "scopes": ["files:read", "files:write"] });
    let (status, token) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{token}");
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let content = Content::seeded(3, 3 * MIB + 1);
    let path = folder.path().join("granted");
    write(&path, &content);
    for (holder, named, authorization) in [
        ("user", json!("vera"), basic("vera", &password)),
        ("token", token["id"].clone(), bearer),
    ] {
        let grant = json!({ holder: named, "prefix": "in/", "permissions": ["write"] });
        let (status, made) = server.post("/api/v1/buckets/files/grants", &grant).await;
        assert_eq!(status, 201, "{made}");
        let options = json!({
            "endpoint": format!("{}/tus", server.url()),
            "headers": { "Authorization": authorization },
            "metadata": { "path": format!("in/{holder}") },
            "parallelUploads": 3,
        });
        client.upload(&options, &path, &[]).is_done().await;
        holds(&server, &format!("in/{holder}"), &content).await;
        assert_eq!(server.unfinished(), 0, "nothing of an upload is left");
    }
}
