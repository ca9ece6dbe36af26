//! What was begun in parts in the stores of buckets.

use base::{BucketId, Timestamp};
use storage::{Db, Result, values};

pub(crate) async fn insert(
    db: &Db,
    bucket: BucketId,
    (key, id): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "INSERT INTO store_upload (bucket, id, key, begun_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, id) DO NOTHING";
    db.execute(SQL, values![bucket.uuid(), id, key, now])
        .await
        .map(drop)
}

pub(crate) async fn delete(db: &Db, bucket: BucketId, id: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM store_upload WHERE bucket = $1 AND id = $2";
    db.execute(SQL, values![bucket.uuid(), id]).await.map(drop)
}

/// What was begun before `before`, the oldest first: keys and ids.
pub(crate) async fn overdue(
    db: &Db,
    bucket: BucketId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT key, id FROM store_upload WHERE bucket = $1 AND begun_at <= $2
        ORDER BY begun_at, id LIMIT $3";
    let rows = db.all(SQL, values![bucket.uuid(), before, limit]).await?;
    rows.iter()
        .map(|row| Ok((row.get("key")?, row.get("id")?)))
        .collect()
}
