//! Servers whose bucket `files` lies on the disk, and servers whose bucket `files` lies in
//! a real S3-compatible store: what holds for the one holds for the other.

use crate::program::files_below;
use reqwest::Method;
use serde_json::json;
use testing::{S3Store, ServerOptions, TestServer, on_both};

/// A server, and where the bytes of its bucket `files` are.
pub(crate) struct Afloat {
    pub(crate) server: TestServer,
    pub(crate) store: Option<S3Store>,
}

impl Afloat {
    /// The contents that are stored, the unfinished ones included.
    pub(crate) fn contents(&self) -> usize {
        let on_disk = files_below(&self.server.data().join("files")).len();
        let in_store = self.store.as_ref().map(|store| store.keys().len());
        on_disk + in_store.unwrap_or(0)
    }
}

/// Runs a story on both databases with the bucket on the disk, and then in a store.
pub(crate) async fn on_disk_and_in_store<F, Fut>(options: fn() -> ServerOptions, story: F)
where
    F: Fn(Afloat) -> Fut,
    Fut: Future<Output = ()>,
{
    let story = &story;
    on_both(|database| async move {
        let server = options().on(&database).start().await;
        story(Afloat {
            server,
            store: None,
        })
        .await;
    })
    .await;
    on_both(|database| async move {
        let Some(store) = S3Store::start().await else {
            return;
        };
        let server = options().on(&database).start().await;
        moor(&server, &store).await;
        story(Afloat {
            server,
            store: Some(store),
        })
        .await;
    })
    .await;
}

/// Puts the secret of a store's access key where buckets refer to it.
pub(crate) async fn keep_secret(server: &TestServer, secret: &str) {
    let put = server
        .request(Method::PUT, "/api/v1/secrets/harbour-key")
        .header("Content-Type", "application/json")
        .body(json!({ "value": secret }).to_string());
    let status = put.send().await.expect("an answer").status();
    assert!(status.is_success(), "{status}");
}

/// Makes the bucket `files` anew, in a store.
pub(crate) async fn moor(server: &TestServer, store: &S3Store) {
    keep_secret(server, store.secret()).await;
    assert_eq!(server.delete("/api/v1/buckets/files").await.0, 204);
    let bucket = json!({
        "name": "files",
        "storage": {
            "kind": "s3",
            "endpoint": store.endpoint(),
            "region": "us-east-1",
            "bucket": store.bucket(),
            "path_style": true,
            "access_key": store.access_key(),
            "secret": "harbour-key",
        },
        "settings": { "hosts": ["files.localhost"] },
    });
    let (status, made) = server.post("/api/v1/buckets", &bucket).await;
    assert_eq!(status, 201, "{made}");
}
