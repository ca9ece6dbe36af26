//! Buckets and their host names.

use crate::bucket::{AuthorisedBy, Bucket};
use base::{Actor, BucketId};
use std::collections::HashMap;
use storage::{Db, Error, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, name, storage, versions, public_read, by_role, trash, quota_bytes,
    quota_files, user_quota_bytes, redirect_above, authoriser, created_at";

fn read(row: &Row) -> Result<Bucket> {
    let name: String = row.get("name")?;
    let storage: String = row.get("storage")?;
    let authoriser: String = row.get("authoriser")?;
    Ok(Bucket {
        id: row.get::<Uuid>("id")?.into(),
        name: name.parse().map_err(|_| Error::Stored("a bucket's name"))?,
        storage: serde_json::from_str(&storage).map_err(|_| Error::Stored("a bucket's storage"))?,
        hosts: Vec::new(),
        versions: row.get("versions")?,
        public_read: row.get("public_read")?,
        by_role: row.get("by_role")?,
        authoriser: AuthorisedBy::stored(&authoriser)
            .ok_or(Error::Stored("who decides in a bucket"))?,
        trash_seconds: row.get("trash")?,
        quota_bytes: row.get("quota_bytes")?,
        quota_files: row.get("quota_files")?,
        user_quota_bytes: row.get("user_quota_bytes")?,
        redirect_above: row.get("redirect_above")?,
        created_at: row.get("created_at")?,
    })
}

/// How many changes of buckets there were.
pub(crate) async fn changes(db: &Db) -> Result<i64> {
    const SQL: &str = "SELECT value FROM counter WHERE name = 'buckets_changed'";
    match db.one(SQL, values![]).await? {
        Some(row) => row.get("value"),
        None => Ok(0),
    }
}

pub(crate) async fn count_change(tx: &mut Tx) -> Result<()> {
    const SQL: &str = "UPDATE counter SET value = value + 1 WHERE name = 'buckets_changed'";
    tx.execute(SQL, values![]).await.map(drop)
}

/// Whether there ever was a bucket: one that was removed does not come again.
pub(crate) async fn were_any(db: &Db) -> Result<bool> {
    Ok(changes(db).await? > 0)
}

/// All of them, with their hosts.
pub(crate) async fn all(db: &Db) -> Result<Vec<Bucket>> {
    let mut hosts: HashMap<BucketId, Vec<String>> = HashMap::new();
    let rows = db
        .all(
            "SELECT host, bucket FROM bucket_host ORDER BY host",
            values![],
        )
        .await?;
    for row in rows {
        let bucket: Uuid = row.get("bucket")?;
        hosts
            .entry(bucket.into())
            .or_default()
            .push(row.get("host")?);
    }
    let sql = format!("SELECT {COLUMNS} FROM bucket");
    let rows = db.all(sql, values![]).await?;
    rows.iter()
        .map(|row| {
            let mut bucket = read(row)?;
            bucket.hosts = hosts.remove(&bucket.id).unwrap_or_default();
            Ok(bucket)
        })
        .collect()
}

/// Sees to it that nobody removes it until the transaction ends; whether it is there.
pub(crate) async fn hold(tx: &mut Tx, id: BucketId) -> Result<bool> {
    // A write takes the row's lock on both databases.
    const LOCK: &str = "UPDATE bucket SET name = name WHERE id = $1";
    Ok(tx.execute(LOCK, values![id.uuid()]).await? > 0)
}

/// One of them, which nobody else changes until the transaction ends.
pub(crate) async fn get_for_change(tx: &mut Tx, id: BucketId) -> Result<Option<Bucket>> {
    if !hold(tx, id).await? {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM bucket WHERE id = $1");
    let Some(row) = tx.one(sql, values![id.uuid()]).await? else {
        return Ok(None);
    };
    let mut bucket = read(&row)?;
    let rows = tx
        .all(
            "SELECT host FROM bucket_host WHERE bucket = $1 ORDER BY host",
            values![id.uuid()],
        )
        .await?;
    for row in rows {
        bucket.hosts.push(row.get("host")?);
    }
    Ok(Some(bucket))
}

fn storage_text(bucket: &Bucket) -> String {
    serde_json::to_string(&bucket.storage).unwrap_or_default()
}

/// Whether the name was free.
pub(crate) async fn insert(tx: &mut Tx, bucket: &Bucket, by: &Actor) -> Result<bool> {
    const SQL: &str =
        "INSERT INTO bucket (id, name, storage, versions, public_read, by_role, trash,
        quota_bytes, quota_files, user_quota_bytes, redirect_above, authoriser, created_at,
        created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (name) DO NOTHING";
    let inserted = tx
        .execute(
            SQL,
            values![
                bucket.id.uuid(),
                bucket.name.as_str(),
                storage_text(bucket),
                bucket.versions,
                bucket.public_read,
                bucket.by_role,
                bucket.trash_seconds,
                bucket.quota_bytes,
                bucket.quota_files,
                bucket.user_quota_bytes,
                bucket.redirect_above,
                bucket.authoriser.word(),
                bucket.created_at,
                by.as_str(),
            ],
        )
        .await?;
    Ok(inserted == 1)
}

pub(crate) async fn update(tx: &mut Tx, bucket: &Bucket) -> Result<()> {
    const SQL: &str = "UPDATE bucket SET versions = $2, public_read = $3, by_role = $4, trash = $5,
        quota_bytes = $6, quota_files = $7, user_quota_bytes = $8, redirect_above = $9,
        authoriser = $10 WHERE id = $1";
    tx.execute(
        SQL,
        values![
            bucket.id.uuid(),
            bucket.versions,
            bucket.public_read,
            bucket.by_role,
            bucket.trash_seconds,
            bucket.quota_bytes,
            bucket.quota_files,
            bucket.user_quota_bytes,
            bucket.redirect_above,
            bucket.authoriser.word(),
        ],
    )
    .await
    .map(drop)
}

pub(crate) async fn take_hosts(tx: &mut Tx, id: BucketId) -> Result<()> {
    const SQL: &str = "DELETE FROM bucket_host WHERE bucket = $1";
    tx.execute(SQL, values![id.uuid()]).await.map(drop)
}

/// Whether the host was free.
pub(crate) async fn give_host(tx: &mut Tx, id: BucketId, host: &str) -> Result<bool> {
    const SQL: &str = "INSERT INTO bucket_host (host, bucket) VALUES ($1, $2)
        ON CONFLICT (host) DO NOTHING";
    Ok(tx.execute(SQL, values![host, id.uuid()]).await? == 1)
}

/// Whether there is any content in it, past or present.
pub(crate) async fn holds_any(tx: &mut Tx, id: BucketId) -> Result<bool> {
    const CURRENT: &str = "SELECT id FROM file WHERE bucket = $1 AND standing = 'current' LIMIT 1";
    const PAST: &str = "SELECT id FROM file WHERE bucket = $1 AND standing <> 'current' LIMIT 1";
    Ok(tx.one(CURRENT, values![id.uuid()]).await?.is_some()
        || tx.one(PAST, values![id.uuid()]).await?.is_some())
}

pub(crate) async fn delete(tx: &mut Tx, id: BucketId) -> Result<()> {
    const SQL: &str = "DELETE FROM bucket WHERE id = $1";
    tx.execute(SQL, values![id.uuid()]).await.map(drop)
}
