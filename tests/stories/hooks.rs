//! What others put into a bucket on S3 appears: the store tells of it, in any order and as
//! often as it likes, or Longshore compares. The store is another Longshore, which an
//! ordinary client puts things into behind the back of the one that is tried.

mod comparing;
mod going_on;
mod signing;
mod telling;

use crate::desk::in_state;
use crate::program::{a_store_of_others, server};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use testing::{ServerOptions, TestDatabase, TestServer};

/// What the bucket is called at the store, and at the one that is tried.
pub(crate) const CARGO: &str = "cargo";
pub(crate) const MEDIA: &str = "media";
const ENDED: [&str; 4] = ["succeeded", "failed", "cancelled", "interrupted"];

/// A store with a bucket, and an access key to it.
struct Store {
    server: TestServer,
    key: Value,
}

impl Store {
    async fn start() -> Arc<Self> {
        let server = a_store_of_others().start().await;
        let made = json!({ "name": CARGO, "settings": { "trash_seconds": 0 } });
        let (status, made) = server.post("/api/v1/buckets", &made).await;
        assert_eq!(status, 201, "{made}");
        let wanted = json!({ "name": "longshore", "scopes": ["files:read", "files:write"] });
        let (status, key) = server.post("/api/v1/access-keys", &wanted).await;
        assert_eq!(status, 201, "{key}");
        Arc::new(Self { server, key })
    }

    /// Puts an object straight into it.
    async fn put(&self, key: &str, content: &str) {
        let at = format!("/api/v1/buckets/{CARGO}/files/{key}");
        let put = self
            .server
            .request(Method::PUT, &at)
            .body(content.to_owned());
        let status = put.send().await.expect("an answer").status();
        assert!(status.is_success(), "{key}: {status}");
    }

    async fn remove(&self, key: &str) {
        let at = format!("/api/v1/buckets/{CARGO}/files/{key}");
        let (status, answer) = self.server.delete(&at).await;
        assert!(status.is_success(), "{key}: {answer}");
    }
}

/// A store, and a server with a bucket in it.
pub(crate) struct Pair {
    store: Arc<Store>,
    pub(crate) server: TestServer,
    secret: String,
}

impl Pair {
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_at(Store::start().await, server(database)).await
    }

    async fn start_at(store: Arc<Store>, tried: ServerOptions) -> Self {
        let key = &store.key;
        let server = tried.start().await;
        let kept = server
            .request(Method::PUT, "/api/v1/secrets/store-key")
            .header("Content-Type", "application/json")
            .body(json!({ "value": key["secret"] }).to_string());
        assert_eq!(kept.send().await.expect("an answer").status(), 204);
        let made = json!({
            "name": MEDIA,
            "storage": {
                "kind": "s3", "endpoint": store.server.s3_url(), "bucket": CARGO,
                "region": "us-east-1", "path_style": true,
                "access_key": key["key"], "secret": "store-key",
            },
        });
        let (status, made) = server.post("/api/v1/buckets", &made).await;
        assert_eq!(status, 201, "{made}");
        let secret = renewed(&server).await;
        Self {
            store,
            server,
            secret,
        }
    }

    /// Puts an object straight into the store.
    async fn put(&self, key: &str, content: &str) {
        self.store.put(key, content).await;
    }

    async fn remove(&self, key: &str) {
        self.store.remove(key).await;
    }

    /// Tells the server something; what it answers.
    pub(crate) async fn tell(&self, body: &Value) -> u16 {
        let told = self
            .server
            .anonymous(Method::POST, &format!("/hooks/s3/{MEDIA}"))
            .bearer_auth(&self.secret)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        told.send().await.expect("an answer").status().as_u16()
    }

    /// Tells the server something, and waits until it has looked at it.
    async fn tell_and_wait(&self, body: &Value) {
        assert_eq!(self.tell(body).await, 204, "{body}");
        let operations = self.operations("take-in").await;
        let newest = operations.first().expect("somebody looks at it");
        let id = newest["id"].as_str().expect("an id");
        let ended = in_state(&self.server, id, &ENDED).await;
        assert_eq!(ended["state"], "succeeded", "{ended:#}");
    }

    /// Operations of this kind about the bucket, the newest first.
    async fn operations(&self, kind: &str) -> Vec<Value> {
        let path = format!("/api/v1/operations?kind={kind}&subject=bucket:{MEDIA}&limit=200");
        let (status, page) = self.server.get(&path).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().expect("a page").clone()
    }

    /// What the catalogue knows of a path. Asked for the file itself, the server would look
    /// into the store.
    async fn known(&self, path: &str) -> Option<Value> {
        let at = format!("/api/v1/buckets/{MEDIA}/files?prefix={path}");
        let (status, page) = self.server.get(&at).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().expect("a page").first().cloned()
    }

    /// What the server gives for a path.
    async fn content(&self, path: &str) -> String {
        let at = format!("/api/v1/buckets/{MEDIA}/files/{path}");
        let answer = self.server.request(Method::GET, &at).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("whole")
    }
}

/// The secret of the bucket's hook, made anew.
async fn renewed(server: &TestServer) -> String {
    let path = format!("/api/v1/buckets/{MEDIA}/hook");
    let (status, made) = server.post(&path, &json!({})).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["path"], format!("/hooks/s3/{MEDIA}"));
    made["secret"].as_str().expect("a secret").to_owned()
}

/// An event as AWS sends it.
pub(crate) fn event(name: &str, key: &str, order: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
        "eventTime": "2026-01-02T03:04:05.678Z", "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "longshore",
            "bucket": { "name": CARGO, "arn": format!("arn:aws:s3:::{CARGO}") },
            "object": { "key": key, "size": 1, "eTag": "0", "sequencer": order },
        },
    }] })
}
