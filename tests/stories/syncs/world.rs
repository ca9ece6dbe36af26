//! Somebody's table, the store of its files, and the store to which they are delivered: a
//! real Postgres and two real S3-compatible stores.

use crate::program::{Ended, ends};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use storage::{Db, DbLimits, DbSettings, Row, values};
use testing::{S3Store, TestDatabase, files_table, on_postgres};

/// A row, as far as it is looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) copied: bool,
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
}

/// What a sync of theirs needs.
pub(super) struct World {
    pub(super) source: S3Store,
    pub(super) target: S3Store,
    pub(super) url: String,
    pub(super) db: Db,
    pub(super) folder: tempfile::TempDir,
    ours: TestDatabase,
}

/// Runs a test of a world on a database of ours. Nothing is run where there is no store.
pub(super) async fn in_world<F>(ours: TestDatabase, test: impl Fn(World) -> F)
where
    F: Future<Output = ()>,
{
    let (ours, test) = (&ours, &test);
    on_postgres(move |theirs| async move {
        let (Some(source), Some(target)) = (S3Store::start().await, S3Store::start().await) else {
            return;
        };
        let url = theirs.postgres_url().expect("Postgres has one").to_owned();
        let limits = DbLimits::default();
        let (db, _) = Db::foreign(&url, &limits).expect("an address");
        let table = files_table(r#""File""#);
        db.execute(table, values![]).await.expect("made");
        let world = World {
            source,
            target,
            url,
            db,
            folder: tempfile::tempdir().expect("a folder"),
            ours: ours.clone(),
        };
        test(world).await;
    })
    .await;
}

impl World {
    /// Adds a row and its object.
    pub(super) async fn add(&self, id: &str, name: &str, media_type: &str, content: &[u8]) {
        let path = format!("2024/{name}");
        self.put(&path, content);
        let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path, "gpsLatitude")
            VALUES ($1, $2, $3, $4, 52.5)"#;
        self.db
            .execute(sql, values![id, name, media_type, path])
            .await
            .expect("added");
    }

    /// Adds a row whose object is `length` zeros, which take no room.
    pub(super) async fn add_hole(&self, id: &str, media_type: &str, length: u64) {
        self.add(id, id, media_type, b"").await;
        let file = self.source.folder().join("files/2024").join(id);
        let file = fs::File::create(file).expect("made");
        file.set_len(length).expect("lengthened");
    }

    /// Puts an object where a row's path says.
    pub(super) fn put(&self, path: &str, content: &[u8]) {
        let file = self.source.folder().join("files").join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, content).expect("written");
    }

    /// The rows, by their ids.
    pub(super) async fn rows(&self) -> BTreeMap<String, Marked> {
        let sql = r#"SELECT id, "copiedToCloudflare" AS copied, "cloudflareId" AS by, status
            FROM "File" ORDER BY id"#;
        let rows = self.db.all(sql, values![]).await.expect("read");
        let read = |row: &Row| {
            let marked = Marked {
                copied: row.get("copied").expect("a truth"),
                id: row.get("by").expect("a text"),
                status: row.get("status").expect("a text"),
            };
            (row.get("id").expect("a text"), marked)
        };
        rows.iter().map(read).collect()
    }

    /// The thumbnail that a row names.
    pub(super) async fn thumbnail(&self, id: &str) -> Option<String> {
        let sql = r#"SELECT thumbnail FROM "File" WHERE id = $1"#;
        let row = self.db.one(sql, values![id]).await.expect("read");
        row.expect("it is there").get("thumbnail").expect("a text")
    }

    /// The seven variables, and a rule that sends everything to the other store.
    pub(super) fn variables(&self, rule: &Value) -> Vec<(String, String)> {
        let mut variables = vec![
            ("DATABASE_URL", self.url.clone()),
            ("SPACES_ENDPOINT", self.source.endpoint()),
            ("SPACES_KEY", self.source.access_key().to_owned()),
            ("SPACES_SECRET", self.source.secret().to_owned()),
            ("SPACES_BUCKET", self.source.bucket().to_owned()),
            ("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef".to_owned()),
            ("CLOUDFLARE_API_TOKEN", "a-token-of-cloudflare".to_owned()),
            ("SYNC_RULE", rule.to_string()),
            ("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8".to_owned()),
            ("LONGSHORE_SYNCS_LEASE", "2s".to_owned()),
        ];
        if let Some(url) = self.ours.postgres_url() {
            variables.push(("LONGSHORE_DATABASE", url.to_owned()));
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Pictures and films to the other store. Both stores have the same access key.
    pub(super) fn rule(&self) -> Value {
        let store = json!({
            "endpoint": self.target.endpoint(),
            "bucket": self.target.bucket(),
            "access_key": self.target.access_key(),
            "secret": "SPACES_SECRET",
        });
        json!({ "targets": [{
            "name": "other",
            "when": { "types": ["image/*", "video/*"] },
            "to": { "kind": "store", "store": store, "key": "served/{key}" },
        }] })
    }

    /// Runs `longshore sync` with these arguments.
    pub(super) async fn sync(&self, arguments: &[&str]) -> Ended {
        self.sync_by(&self.rule(), arguments).await
    }

    /// The same by another rule.
    pub(super) async fn sync_by(&self, rule: &Value, arguments: &[&str]) -> Ended {
        self.sync_with(self.variables(rule), arguments).await
    }

    /// The same with these variables.
    pub(super) async fn sync_with(
        &self,
        variables: Vec<(String, String)>,
        arguments: &[&str],
    ) -> Ended {
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let arguments = [&["sync"], arguments].concat();
        ends(&arguments, &variables, self.folder()).await
    }

    /// Loses everything that Longshore knows by itself.
    pub(super) async fn forget(&self) {
        fs::remove_dir_all(self.folder().join("longshore-data")).expect("it was there");
        if let Some(url) = self.ours.postgres_url() {
            let (db, _) = Db::foreign(url, &DbLimits::default()).expect("an address");
            for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
                db.execute(sql, values![]).await.expect("emptied");
            }
            db.close().await;
        }
    }

    /// Whatever waits for a later time need not wait any longer.
    pub(super) async fn make_due(&self) {
        let settings = match self.ours.postgres_url() {
            Some(url) => DbSettings::Postgres(url.to_owned()),
            None => DbSettings::Sqlite(self.folder().join("longshore-data/longshore.db")),
        };
        let db = Db::open(&settings).await.expect("the schema is ours");
        let sql = "UPDATE delivery SET run_at = 0 WHERE ended_at IS NULL";
        db.execute(sql, values![]).await.expect("set");
        db.close().await;
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) const fn ours(&self) -> &TestDatabase {
        &self.ours
    }
}

/// A row that was delivered to the other store.
pub(super) fn served(id: &str) -> Marked {
    Marked {
        copied: true,
        id: Some(format!("served/{id}")),
        status: Some("ready".to_owned()),
    }
}

/// A row as it was.
pub(super) const fn waiting() -> Marked {
    Marked {
        copied: false,
        id: None,
        status: None,
    }
}
