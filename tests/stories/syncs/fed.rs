//! A sync that a bucket feeds and that has no schedule: no file that comes is forgotten,
//! whatever happens between its coming and its delivery.

use super::on_server::put;
use crate::program::{opened, server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use testing::{TestDatabase, TestServer, on_both, within};

/// A rule by which what comes below `media/` is copied into another bucket.
fn rule() -> Value {
    json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
        "targets": [{
            "name": "copies",
            "to": { "kind": "bucket", "bucket": "served" },
        }],
    })
}

async fn made(server: &TestServer, path: &str, new: &Value) {
    let (status, made) = server.post(path, new).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

/// Waits until a file has been copied.
async fn copied(server: &TestServer, name: &str) {
    let path = format!("/api/v1/buckets/served/files/media/{name}");
    within("the file to be copied", async {
        loop {
            let answer = server.request(Method::GET, &path).send().await;
            if answer.expect("an answer").status().is_success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

async fn asked(server: &TestServer, what: &str) {
    let path = format!("/api/v1/syncs/copies/{what}");
    let (status, answer) = server.post(&path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// Starts it again a day after everything was heard, when all that is forgotten.
async fn forgotten(server: &mut TestServer, database: &TestDatabase) {
    const IS_HEARD: &str = "SELECT c.value FROM counter c JOIN counter h ON h.name = 'syncs_heard'
        WHERE c.name = 'file_changes' AND h.value = c.value
          AND NOT EXISTS (SELECT f.id FROM file_change f WHERE f.number IS NULL)";
    const FORGET: &str = "UPDATE counter SET value =
            (SELECT c.value FROM counter c WHERE c.name = 'file_changes')
        WHERE name = 'file_changes_forgotten'";
    let db = opened(server, database).await;
    within("everything to be heard", async {
        while db.one(IS_HEARD, vec![]).await.expect("read").is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    server.kill9().await;
    for sql in ["DELETE FROM file_change", FORGET] {
        assert!(db.execute(sql, vec![]).await.expect("changed") > 0, "{sql}");
    }
    db.close().await;
    server.start_again().await;
}

on_both!(no_new_file_of_a_bucket_is_forgotten_without_a_schedule);
async fn no_new_file_of_a_bucket_is_forgotten_without_a_schedule(database: TestDatabase) {
    let mut server = server(&database).start().await;
    made(&server, "/api/v1/buckets", &json!({ "name": "served" })).await;
    // What lies there already is not new, and waits for somebody who runs it.
    put(&server, "media/old.png", "image/png", b"an old one").await;
    let new = json!({ "name": "copies", "rule": rule() });
    made(&server, "/api/v1/syncs", &new).await;
    put(&server, "media/a.png", "image/png", b"a picture").await;
    copied(&server, "a.png").await;
    // Killed before anybody has looked at what came.
    put(&server, "media/b.png", "image/png", b"another").await;
    server.kill9().await;
    server.start_again().await;
    copied(&server, "b.png").await;
    // Another sync is made at the moment in which it comes.
    put(&server, "media/c.png", "image/png", b"a third").await;
    let other = json!({ "name": "other", "rule": rule(), "paused": true });
    made(&server, "/api/v1/syncs", &other).await;
    copied(&server, "c.png").await;
    // What is no news to it is heard, too: when that is forgotten, nothing was missed.
    let gone = server.request(Method::DELETE, "/api/v1/buckets/files/files/media/c.png");
    let gone = gone.send().await.expect("an answer");
    assert!(gone.status().is_success(), "{gone:?}");
    forgotten(&mut server, &database).await;
    put(&server, "media/e.png", "image/png", b"a fifth").await;
    copied(&server, "e.png").await;
    let (_, found) = server.get("/api/v1/syncs/copies/deliveries?q=old").await;
    assert_eq!(found["items"], json!([]), "{found}");
    // It comes while nothing is delivered. A pass that is resumed looks for all there is.
    asked(&server, "pause").await;
    put(&server, "media/d.png", "image/png", b"a fourth").await;
    asked(&server, "resume").await;
    copied(&server, "d.png").await;
    copied(&server, "old.png").await;
}
