//! Every statement of this crate.

use crate::bundle::StoredBundle;
use base::{Actor, BundleId, Timestamp};
use storage::{BlobName, Db, Result, Row, StoredBlob, values};

const COLUMNS: &str =
    "id, name, kept, sources, done, failed, bytes, blob, size, sha256, created_at, expires_at";

fn read(row: &Row) -> Result<StoredBundle> {
    Ok(StoredBundle {
        id: row.get::<uuid::Uuid>("id")?.into(),
        name: row.get("name")?,
        kept: row.get("kept")?,
        sources: row.get("sources")?,
        done: row.get("done")?,
        failed: row.get("failed")?,
        bytes: row.get("bytes")?,
        blob: row.get::<Option<uuid::Uuid>>("blob")?.map(BlobName::from),
        size: row.get("size")?,
        sha256: row.get("sha256")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

/// Notes a bundle, unless it is noted already.
pub(crate) async fn insert(
    db: &Db,
    id: BundleId,
    name: &str,
    kept: bool,
    sources: usize,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "INSERT INTO bundle (id, name, kept, sources, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
    db.execute(
        SQL,
        values![id.uuid(), name, kept, sources, actor.as_str(), now],
    )
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &Db, id: BundleId) -> Result<Option<StoredBundle>> {
    let sql = format!("SELECT {COLUMNS} FROM bundle WHERE id = $1");
    db.one(sql, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The newest, before `before`.
pub(crate) async fn list(
    db: &Db,
    before: Option<BundleId>,
    limit: usize,
) -> Result<Vec<StoredBundle>> {
    let rows = match before {
        Some(before) => {
            let sql =
                format!("SELECT {COLUMNS} FROM bundle WHERE id < $1 ORDER BY id DESC LIMIT $2");
            db.all(sql, values![before.uuid(), limit]).await?
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM bundle ORDER BY id DESC LIMIT $1");
            db.all(sql, values![limit]).await?
        }
    };
    rows.iter().map(read).collect()
}

/// Notes what a bundle came to.
pub(crate) async fn finish(
    db: &Db,
    id: BundleId,
    done: u64,
    missing: &[usize],
    bytes: u64,
    stored: Option<&StoredBlob>,
    expires_at: Option<Timestamp>,
) -> Result<()> {
    const SQL: &str =
        "UPDATE bundle SET done = $2, failed = $3, bytes = $4, missing = $5, blob = $6,
        size = $7, sha256 = $8, expires_at = $9 WHERE id = $1";
    let indexes: Vec<String> = missing.iter().map(ToString::to_string).collect();
    db.execute(
        SQL,
        values![
            id.uuid(),
            done,
            missing.len(),
            bytes,
            indexes.join(","),
            stored.map(|stored| stored.name.uuid()),
            stored.map(|stored| stored.size),
            stored.map(|stored| stored.sha256.to_vec()),
            expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// The sources that are missing from a bundle.
pub(crate) async fn missing(db: &Db, id: BundleId) -> Result<Vec<usize>> {
    const SQL: &str = "SELECT missing FROM bundle WHERE id = $1";
    let Some(row) = db.one(SQL, values![id.uuid()]).await? else {
        return Ok(Vec::new());
    };
    let text: String = row.get("missing")?;
    Ok(text
        .split(',')
        .filter_map(|index| index.parse().ok())
        .collect())
}

/// Removes a bundle's row.
pub(crate) async fn delete(db: &Db, id: BundleId) -> Result<()> {
    db.execute("DELETE FROM bundle WHERE id = $1", values![id.uuid()])
        .await?;
    Ok(())
}

/// Kept archives whose time is over, with their blob and size.
pub(crate) async fn expired(
    db: &Db,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(BundleId, BlobName, u64)>> {
    const SQL: &str = "SELECT id, blob, size FROM bundle
        WHERE expires_at <= $1 AND blob IS NOT NULL ORDER BY expires_at LIMIT $2";
    let rows = db.all(SQL, values![now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.get::<uuid::Uuid>("id")?.into(),
                BlobName::from(row.get::<uuid::Uuid>("blob")?),
                row.get("size")?,
            ))
        })
        .collect()
}

/// The archive is not kept any more; what it was stays on record.
pub(crate) async fn forget_blob(db: &Db, id: BundleId) -> Result<()> {
    db.execute(
        "UPDATE bundle SET blob = NULL WHERE id = $1",
        values![id.uuid()],
    )
    .await?;
    Ok(())
}

/// Whether a bundle owns this blob.
pub(crate) async fn owns(db: &Db, blob: BlobName) -> Result<bool> {
    const SQL: &str = "SELECT id FROM bundle WHERE blob = $1";
    Ok(db.one(SQL, values![blob.uuid()]).await?.is_some())
}

/// How many archives are kept, and their bytes.
pub(crate) async fn kept(db: &Db) -> Result<(u64, u64)> {
    const SQL: &str = "SELECT COUNT(*) AS archives, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes
        FROM bundle WHERE blob IS NOT NULL";
    match db.one(SQL, values![]).await? {
        Some(row) => Ok((row.get("archives")?, row.get("bytes")?)),
        None => Ok((0, 0)),
    }
}
