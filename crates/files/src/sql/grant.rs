//! Grants.

use crate::grant::{Grant, Holder, Permissions};
use base::{BucketId, GrantId};
use std::collections::HashSet;
use storage::{Db, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, bucket, prefix, kind, holder, permissions, created_at, created_by";

/// Nothing for a holder that only a newer version knows.
fn read(row: &Row) -> Result<Option<Grant>> {
    let kind: String = row.get("kind")?;
    let Some(holder) = Holder::stored(&kind, row.get("holder")?) else {
        return Ok(None);
    };
    let permissions: String = row.get("permissions")?;
    Ok(Some(Grant {
        id: row.get::<Uuid>("id")?.into(),
        bucket: row.get::<Uuid>("bucket")?.into(),
        prefix: row.get("prefix")?,
        holder,
        permissions: Permissions::stored(&permissions),
        created_at: row.get("created_at")?,
        created_by: row.get("created_by")?,
    }))
}

/// All of them.
pub(crate) async fn all(db: &Db) -> Result<Vec<Grant>> {
    let sql = format!("SELECT {COLUMNS} FROM file_grant");
    let rows = db.all(sql, values![]).await?;
    rows.iter()
        .filter_map(|row| read(row).transpose())
        .collect()
}

pub(crate) async fn of_bucket(db: &Db, bucket: BucketId) -> Result<Vec<Grant>> {
    let sql = format!("SELECT {COLUMNS} FROM file_grant WHERE bucket = $1 ORDER BY prefix, id");
    let rows = db.all(sql, values![bucket.uuid()]).await?;
    rows.iter()
        .filter_map(|row| read(row).transpose())
        .collect()
}

pub(crate) async fn count(tx: &mut Tx, bucket: BucketId) -> Result<usize> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM file_grant WHERE bucket = $1";
    let row = tx.one(SQL, values![bucket.uuid()]).await?;
    let number: u64 = row.map_or(Ok(0), |row| row.get("number"))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

pub(crate) async fn insert(tx: &mut Tx, grant: &Grant) -> Result<()> {
    const SQL: &str = "INSERT INTO file_grant
            (id, bucket, prefix, kind, holder, permissions, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(
        SQL,
        values![
            grant.id.uuid(),
            grant.bucket.uuid(),
            grant.prefix.as_str(),
            grant.holder.kind(),
            grant.holder.uuid(),
            grant.permissions.text(),
            grant.created_at,
            grant.created_by.as_str(),
        ],
    )
    .await
    .map(drop)
}

/// The tokens and keys that have grants in this bucket.
pub(crate) async fn held_in(tx: &mut Tx, bucket: BucketId) -> Result<HashSet<Holder>> {
    const SQL: &str =
        "SELECT DISTINCT kind, holder FROM file_grant WHERE bucket = $1 AND kind <> 'user'";
    holders(&tx.all(SQL, values![bucket.uuid()]).await?)
}

/// The tokens and keys that have grants in other buckets.
pub(crate) async fn held_elsewhere(tx: &mut Tx, bucket: BucketId) -> Result<HashSet<Holder>> {
    const SQL: &str =
        "SELECT DISTINCT kind, holder FROM file_grant WHERE bucket <> $1 AND kind <> 'user'";
    holders(&tx.all(SQL, values![bucket.uuid()]).await?)
}

fn holders(rows: &[Row]) -> Result<HashSet<Holder>> {
    let read = |row: &Row| -> Result<Option<Holder>> {
        let kind: String = row.get("kind")?;
        Ok(Holder::stored(&kind, row.get("holder")?))
    };
    rows.iter()
        .filter_map(|row| read(row).transpose())
        .collect()
}

/// Removes one; what it was.
pub(crate) async fn take(tx: &mut Tx, bucket: BucketId, id: GrantId) -> Result<Option<Grant>> {
    let sql = format!("DELETE FROM file_grant WHERE id = $1 AND bucket = $2 RETURNING {COLUMNS}");
    match tx.one(sql, values![id.uuid(), bucket.uuid()]).await? {
        Some(row) => read(&row),
        None => Ok(None),
    }
}
