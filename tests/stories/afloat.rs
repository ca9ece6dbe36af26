//! Servers whose bucket `files` lies on the disk, and servers whose bucket `files` lies in
//! a real S3-compatible store: what holds for the one holds for the other.

use crate::program::{files_below, server};
use reqwest::Method;
use serde_json::json;
use testing::{S3Store, TestDatabase, TestServer};

/// A server, and where the bytes of its bucket `files` are.
pub(crate) struct Afloat {
    pub(crate) server: TestServer,
    pub(crate) store: Option<S3Store>,
}

impl Afloat {
    pub(crate) async fn on_disk(database: &TestDatabase) -> Self {
        Self {
            server: server(database).start().await,
            store: None,
        }
    }

    /// Nothing, where there is no such store.
    pub(crate) async fn in_store(database: &TestDatabase) -> Option<Self> {
        let store = S3Store::start().await?;
        let server = server(database).start().await;
        moor(&server, &store).await;
        Some(Self {
            server,
            store: Some(store),
        })
    }

    /// The contents that are stored, the unfinished ones included.
    pub(crate) fn contents(&self) -> usize {
        let on_disk = files_below(&self.server.data().join("files")).len();
        let in_store = self.store.as_ref().map(|store| store.keys().len());
        on_disk + in_store.unwrap_or(0)
    }
}

/// Makes three tests of a story that takes an [`Afloat`]: with the bucket on the disk, on
/// both databases, and with it in a store, on Postgres.
macro_rules! on_disk_and_in_store {
    ($story:ident) => {
        mod $story {
            async fn on_disk(database: testing::TestDatabase) {
                super::$story(crate::afloat::Afloat::on_disk(&database).await).await;
            }

            async fn in_store(database: testing::TestDatabase) {
                if let Some(afloat) = crate::afloat::Afloat::in_store(&database).await {
                    super::$story(afloat).await;
                }
            }

            testing::on_both!(on_disk);
            testing::on_postgres!(in_store);
        }
    };
}
pub(crate) use on_disk_and_in_store;

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
