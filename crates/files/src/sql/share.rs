//! Shares.

use crate::path::after_prefix;
use crate::share::Share;
use base::{BucketId, ShareId, Timestamp};
use storage::{Db, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, bucket, path, password, expires_at, max_downloads, downloads,
    created_at, created_by";

fn read(row: &Row) -> Result<Share> {
    let password: String = row.get("password")?;
    Ok(Share {
        id: row.get::<Uuid>("id")?.into(),
        path: row.get("path")?,
        has_password: !password.is_empty(),
        expires_at: row.get("expires_at")?,
        max_downloads: row.get("max_downloads")?,
        downloads: row.get("downloads")?,
        created_at: row.get("created_at")?,
        created_by: row.get("created_by")?,
        bucket: row.get::<Uuid>("bucket")?.into(),
        password,
    })
}

pub(crate) async fn by_token(db: &Db, token: &[u8]) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM file_share WHERE token = $1");
    let row = db.one(sql, values![token]).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn by_id(db: &Db, id: ShareId) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM file_share WHERE id = $1");
    let row = db.one(sql, values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// Those of a bucket whose paths begin with `prefix`, the newest last. A bucket has few, so
/// that no index helps to find them.
pub(crate) async fn of_bucket(
    db: &Db,
    bucket: BucketId,
    prefix: &str,
    after: Option<ShareId>,
    limit: usize,
) -> Result<Vec<Share>> {
    let after = after.map_or(Uuid::nil(), ShareId::uuid);
    let mut values = values![bucket.uuid(), after, limit, prefix];
    let mut within = "";
    if let Some(end) = after_prefix(prefix) {
        within = " AND path < $5";
        values.extend(values![end]);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM file_share WHERE bucket = $1 AND id > $2 AND path >= $4{within}
        ORDER BY id LIMIT $3"
    );
    let rows = db.all(sql, values).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn count(tx: &mut Tx, bucket: BucketId) -> Result<usize> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM file_share WHERE bucket = $1";
    let row = tx.one(SQL, values![bucket.uuid()]).await?;
    let number: u64 = row.map_or(Ok(0), |row| row.get("number"))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

pub(crate) async fn insert(tx: &mut Tx, share: &Share, token: &[u8]) -> Result<()> {
    const SQL: &str = "INSERT INTO file_share (id, token, bucket, path, password, expires_at,
            max_downloads, downloads, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.execute(
        SQL,
        values![
            share.id.uuid(),
            token,
            share.bucket.uuid(),
            share.path.as_str(),
            share.password.as_str(),
            share.expires_at,
            share.max_downloads,
            share.downloads,
            share.created_at,
            share.created_by.as_str(),
        ],
    )
    .await
    .map(drop)
}

pub(crate) async fn delete(tx: &mut Tx, id: ShareId) -> Result<bool> {
    const SQL: &str = "DELETE FROM file_share WHERE id = $1";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Counts a download; whether there was one left.
pub(crate) async fn count_one(tx: &mut Tx, id: ShareId, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE file_share SET downloads = downloads + 1
        WHERE id = $1 AND (max_downloads IS NULL OR downloads < max_downloads)
            AND (expires_at IS NULL OR expires_at > $2)";
    Ok(tx.execute(SQL, values![id.uuid(), now]).await? == 1)
}

pub(crate) async fn note_place(
    tx: &mut Tx,
    id: ShareId,
    place: &[u8],
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "INSERT INTO file_share_place (share, place, begun_at) VALUES ($1, $2, $3)
        ON CONFLICT (share, place) DO UPDATE SET begun_at = $3";
    tx.execute(SQL, values![id.uuid(), place, now])
        .await
        .map(drop)
}

/// Whether a download began at this place since then.
pub(crate) async fn began_at(db: &Db, id: ShareId, place: &[u8], since: Timestamp) -> Result<bool> {
    const SQL: &str = "SELECT share FROM file_share_place
        WHERE share = $1 AND place = $2 AND begun_at > $3";
    Ok(db
        .one(SQL, values![id.uuid(), place, since])
        .await?
        .is_some())
}

/// Forgets where downloads began before this.
pub(crate) async fn sweep_places(db: &Db, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM file_share_place WHERE begun_at < $1";
    db.execute(SQL, values![before]).await
}

/// Removes shares that ended before this.
pub(crate) async fn sweep(db: &Db, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM file_share WHERE expires_at < $1";
    db.execute(SQL, values![before]).await
}
