//! Stories of files are told twice: with the bucket `files` on the disk and the catalogue in
//! SQLite, and with the bucket in a real S3-compatible store, the catalogue in Postgres and
//! what is remembered in Redis. What holds for the one holds for the other.

use crate::program::{files_below, opened, server};
use reqwest::Method;
use serde_json::json;
use std::ops::{Deref, DerefMut};
use testing::{Redis, S3Store, ServerOptions, TestDatabase, TestServer, within};

/// Where a story is to be told.
pub(crate) struct Berth {
    database: TestDatabase,
    away: Option<Away>,
}

/// What there is beside the server where nothing lies on its disk.
struct Away {
    store: S3Store,
    redis: Redis,
}

/// A server, and where the bytes of its bucket `files` are.
pub(crate) struct Afloat {
    server: TestServer,
    database: TestDatabase,
    away: Option<Away>,
}

impl Berth {
    pub(crate) fn on_disk(database: &TestDatabase) -> Self {
        Self {
            database: database.clone(),
            away: None,
        }
    }

    /// Nothing, where a peer is missing.
    pub(crate) async fn in_store(database: &TestDatabase) -> Option<Self> {
        let away = Away {
            store: S3Store::start().await?,
            redis: Redis::start().await?,
        };
        Some(Self {
            database: database.clone(),
            away: Some(away),
        })
    }

    /// A server as it is usually.
    pub(crate) async fn usual(self) -> Afloat {
        self.with(|options| options).await
    }

    /// A server that is set up in another way.
    pub(crate) async fn with(self, other: impl FnOnce(ServerOptions) -> ServerOptions) -> Afloat {
        let mut options = server(&self.database);
        if let Some(away) = &self.away {
            options = options.env("LONGSHORE_CACHE", &away.redis.url());
        }
        let server = other(options).start().await;
        if let Some(away) = &self.away {
            moor(&server, &away.store).await;
        }
        Afloat {
            server,
            database: self.database,
            away: self.away,
        }
    }
}

impl Afloat {
    /// Whether the bytes lie in a store.
    pub(crate) fn is_in_store(&self) -> bool {
        self.away.is_some()
    }

    /// What its bucket `files` lies in, if that is a store.
    pub(crate) fn store(&self) -> Option<&S3Store> {
        self.away.as_ref().map(|away| &away.store)
    }

    /// Changes its database while it is stopped, and starts it again: what a test cannot
    /// wait for. Each statement must change one row.
    pub(crate) async fn changed_meanwhile(&mut self, statements: &[(&str, Vec<storage::Value>)]) {
        self.server.terminate().await;
        self.change(statements).await;
        self.server.start_again().await;
    }

    /// The same of a server that is stopped.
    pub(crate) async fn change(&self, statements: &[(&str, Vec<storage::Value>)]) {
        let db = opened(&self.server, &self.database).await;
        for (statement, values) in statements {
            let changed = db.execute((*statement).to_owned(), values.clone()).await;
            assert_eq!(changed.expect("it changes"), 1, "{statement}");
        }
        db.close().await;
    }

    /// The contents that are stored, the unfinished ones included.
    pub(crate) fn contents(&self) -> usize {
        let on_disk = files_below(&self.server.data().join("files")).len();
        let in_store = self.away.as_ref().map(|away| away.store.keys().len());
        on_disk + in_store.unwrap_or(0)
    }

    /// Waits until so many contents are stored: what is given up goes a little later.
    pub(crate) async fn comes_to(&self, contents: usize) {
        within("what is given up to go", async {
            while self.contents() != contents {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// What of uploads has not become a file.
    pub(crate) fn unfinished(&self) -> usize {
        let on_disk = files_below(&self.server.data().join("files/partial")).len();
        let in_store = self.away.as_ref().map(|away| {
            let keys = away.store.keys();
            let hidden = keys.iter().filter(|key| key.starts_with(".longshore/"));
            hidden.count() + away.store.unfinished()
        });
        on_disk + in_store.unwrap_or(0)
    }
}

impl Deref for Afloat {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

impl DerefMut for Afloat {
    fn deref_mut(&mut self) -> &mut TestServer {
        &mut self.server
    }
}

/// Makes two tests of a story that takes a [`Berth`]: on the disk with SQLite, and in a
/// store with Postgres and Redis.
macro_rules! on_disk_and_in_store {
    ($story:ident) => {
        mod $story {
            async fn on_disk(database: testing::TestDatabase) {
                super::$story(crate::afloat::Berth::on_disk(&database)).await;
            }

            async fn in_store(database: testing::TestDatabase) {
                if let Some(berth) = crate::afloat::Berth::in_store(&database).await {
                    super::$story(berth).await;
                }
            }

            testing::on_sqlite!(on_disk);
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
    moor_at(server, store, (&store.endpoint(), true)).await;
}

/// The same at an address of the store, with its bucket in the path or before the host.
pub(crate) async fn moor_at(
    server: &TestServer,
    store: &S3Store,
    (endpoint, path_style): (&str, bool),
) {
    keep_secret(server, store.secret()).await;
    assert_eq!(server.delete("/api/v1/buckets/files").await.0, 204);
    let bucket = json!({
        "name": "files",
        "storage": {
            "kind": "s3",
            "endpoint": endpoint,
            "region": "us-east-1",
            "bucket": store.bucket(),
            "path_style": path_style,
            "access_key": store.access_key(),
            "secret": "harbour-key",
        },
        "settings": { "hosts": ["files.localhost"] },
    });
    let (status, made) = server.post("/api/v1/buckets", &bucket).await;
    assert_eq!(status, 201, "{made}");
}
