//! What a sync needs: a table with rows, a store with their objects, and the command.

use super::double::Double;
use super::measured::{Measured, measure};
use super::stores::{BUCKET, Store};
use crate::files::servers::{KEY, SECRET};
use crate::{Error, Result, place};
use data_encoding::HEXLOWER;
use longshore_testing::{Content, files_table};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use storage::{Db, DbLimits, values};

/// The schema of the benchmark; what is in it is thrown away.
const SCHEMA: &str = "longshore_bench_syncs";
/// Before the paths of rows in the store.
pub(super) const PREFIX: &str = "files/";
const PIECE: usize = 1 << 20;

/// Rows of one kind, and the contents of their objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files {
    pub(super) kind: &'static str,
    pub(super) media_type: &'static str,
    pub(super) end: &'static str,
    pub(super) count: u64,
    pub(super) size: u64,
}

impl Files {
    /// 2,000 pictures of 200 KiB.
    pub(super) fn pictures() -> Self {
        Self {
            kind: "picture",
            media_type: "image/jpeg",
            end: "jpg",
            count: place::part(2000, 20),
            size: 200 << 10,
        }
    }

    /// 20 films of 100 MiB.
    pub(super) fn films() -> Self {
        Self {
            kind: "film",
            media_type: "video/mp4",
            end: "mp4",
            count: place::part(20, 3),
            // Stream takes nothing that is less than a piece and not the last one.
            size: place::part(100 << 20, 6 << 20),
        }
    }

    pub(super) fn id(&self, number: u64) -> String {
        format!("{}-{number:07}", self.kind)
    }

    /// Where the content of a row is in the store.
    pub(super) fn key(&self, number: u64) -> String {
        format!("{PREFIX}{}/{}.{}", self.kind, self.id(number), self.end)
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.count * self.size
    }
}

/// Everything that stays over all cases.
pub(super) struct World {
    url: String,
    pub(super) db: Db,
    pub(super) source: Store,
    pub(super) folder: PathBuf,
}

impl World {
    pub(super) async fn open() -> Result<Self> {
        let variable = longshore_testing::POSTGRES;
        let url = std::env::var(variable).map_err(|_| {
            Error::from(format!(
                "name a Postgres in {variable}, as `cargo xtask bench` does"
            ))
        })?;
        let folder = place::folder("syncs")?;
        let (db, _) = Db::foreign(&url, &DbLimits::default())?;
        let source = Store::start(&folder.join("source")).await?;
        let world = Self {
            url,
            db,
            source,
            folder,
        };
        world.drop_schema().await?;
        let sql = format!("CREATE SCHEMA {SCHEMA}");
        world.db.execute(sql, values![]).await?;
        world.make_table().await?;
        Ok(world)
    }

    pub(super) async fn close(self) -> Result {
        self.drop_schema().await?;
        self.db.close().await;
        self.source.end().await
    }

    async fn drop_schema(&self) -> Result {
        let sql = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE");
        self.db.execute(sql, values![]).await?;
        Ok(())
    }

    /// The table of the copier of Spaces to Cloudflare.
    async fn make_table(&self) -> Result {
        self.db.execute(files_table(&table()), values![]).await?;
        Ok(())
    }

    /// Fills the table with rows of these files alone.
    pub(super) async fn rows_of(&self, files: &Files) -> Result {
        self.no_rows().await?;
        let sql = format!(
            r#"INSERT INTO {} (id, "fileName", "fileType", path, "gpsLatitude", "gpsLongitude")
            SELECT named.id, named.id || '.{end}', '{media_type}', '{kind}/' || named.id || '.{end}', 52.5, 13.4
            FROM (SELECT '{kind}-' || lpad(CAST(n AS text), 7, '0') AS id
                  FROM generate_series(0, CAST($1 AS bigint) - 1) AS n) AS named"#,
            table(),
            end = files.end,
            kind = files.kind,
            media_type = files.media_type,
        );
        let count = i64::try_from(files.count)?;
        self.db.execute(sql, values![count]).await?;
        Ok(())
    }

    pub(super) async fn no_rows(&self) -> Result {
        let sql = format!("TRUNCATE {}", table());
        self.db.execute(sql, values![]).await?;
        Ok(())
    }

    /// How many rows are marked as ready.
    pub(super) async fn marked(&self) -> Result<u64> {
        let sql = format!(
            r#"SELECT COUNT(*) AS marked FROM {}
            WHERE "copiedToCloudflare" AND status = 'ready' AND "cloudflareId" IS NOT NULL"#,
            table()
        );
        let row = self.db.one(sql, values![]).await?.ok_or("no count")?;
        let marked: i64 = row.get("marked")?;
        Ok(u64::try_from(marked)?)
    }

    /// Makes the objects that are not there, and gives the digest of each by its id.
    pub(super) fn objects_of(&self, files: &Files) -> Result<BTreeMap<String, String>> {
        let mut digests = BTreeMap::new();
        for number in 0..files.count {
            let path = self.source.file(&files.key(number));
            make(&path, number, files.size)?;
            digests.insert(files.id(number), sha256(&path)?);
        }
        Ok(digests)
    }

    /// The variables of the copier of Spaces to Cloudflare, and the schema.
    pub(super) fn variables(&self, double: &Double) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.url.clone()),
            ("SPACES_ENDPOINT", self.source.endpoint()),
            ("SPACES_KEY", KEY.to_owned()),
            ("SPACES_SECRET", SECRET.to_owned()),
            ("SPACES_BUCKET", BUCKET.to_owned()),
            ("CLOUDFLARE_ACCOUNT_ID", double.account.clone()),
            ("CLOUDFLARE_API_TOKEN", double.token.clone()),
            ("CLOUDFLARE_API_URL", double.api.clone()),
            ("SYNC_SCHEMA", SCHEMA.to_owned()),
        ]
    }

    /// One pass of `longshore sync run` by this rule, on an empty data directory.
    pub(super) async fn pass(&self, double: &Double, rule: &Value) -> Result<Measured> {
        let data = self.folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        self.next_pass(double, rule).await
    }

    /// Another one on the same data directory.
    pub(super) async fn next_pass(&self, double: &Double, rule: &Value) -> Result<Measured> {
        let mut command = Command::new(place::longshore()?);
        command
            .env_clear()
            .args(["sync", "run", "--data"])
            .arg(self.folder.join("data"))
            .current_dir(&self.folder)
            .env("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8")
            .env("LONGSHORE_LOG_FILTER", "warn")
            .env("SYNC_RULE", rule.to_string())
            .envs(self.variables(double));
        for (name, value) in
            std::env::vars().filter(|(name, _)| name.starts_with("BENCH_LONGSHORE_"))
        {
            command.env(name.trim_start_matches("BENCH_"), value);
        }
        measure(command, &self.folder.join("pass.log")).await
    }

    /// Fails unless so many rows are marked.
    pub(super) async fn all_marked(&self, count: u64) -> Result {
        let marked = self.marked().await?;
        if marked == count {
            return Ok(());
        }
        Err(format!("{marked} rows of {count} are marked").into())
    }
}

/// The table with its schema.
pub(super) fn table() -> String {
    format!(r#"{SCHEMA}."File""#)
}

/// Makes a file of bytes that do not shrink, unless it is there.
fn make(path: &Path, seed: u64, size: u64) -> Result {
    if fs::metadata(path).is_ok_and(|known| known.len() == size) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    let content = Content::seeded(seed, size);
    let mut file = File::create(path)?;
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    while at < size {
        let count = content.read(at, &mut buffer);
        file.write_all(&buffer[..count])?;
        at += count as u64;
    }
    Ok(())
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(HEXLOWER.encode(&digest.finalize()));
        }
        digest.update(&buffer[..count]);
    }
}
