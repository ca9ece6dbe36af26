//! Removing old operations. What is to go is found by reading, and removed by its id,
//! some at a time: SQLite has one writer, and nobody shall wait long for it.

use crate::Result;
use base::{OperationId, Timestamp};
use storage::{Db, Row, values};

/// An operation that is kept no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Old {
    pub(crate) id: OperationId,
    /// Bytes of its log, before compression.
    pub(crate) log_bytes: u64,
    /// Bytes of its input.
    pub(crate) input_bytes: u64,
}

const OLD: &str = "SELECT o.id, o.log_bytes, COALESCE((SELECT CAST(OCTET_LENGTH(i.input) AS BIGINT)
        FROM operation_input i WHERE i.operation = o.id), 0) AS input_bytes
    FROM operation o WHERE o.kind = $1 AND o.ended_at IS NOT NULL";

fn read(row: &Row) -> Result<Old> {
    Ok(Old {
        id: row.get::<uuid::Uuid>("id")?.into(),
        log_bytes: row.get("log_bytes")?,
        input_bytes: row.get("input_bytes")?,
    })
}

/// The kind that comes after `after`, of those that have operations.
pub(crate) async fn next_kind(db: &Db, after: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT MIN(kind) AS kind FROM operation WHERE kind > $1";
    let row = db.one(SQL, values![after]).await?;
    Ok(row.map(|row| row.get("kind")).transpose()?.flatten())
}

/// Operations of `kind` that ended before `before`.
pub(crate) async fn ended_before(
    db: &Db,
    kind: &str,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<Old>> {
    let sql = format!("{OLD} AND o.ended_at < $2 ORDER BY o.ended_at LIMIT $3");
    let rows = db.all(sql, values![kind, before, limit]).await?;
    rows.iter().map(read).collect()
}

/// The oldest of the newest `count` operations of `kind`, if there are so many.
pub(crate) async fn newest(db: &Db, kind: &str, count: u64) -> Result<Option<OperationId>> {
    const SQL: &str = "SELECT id FROM operation WHERE kind = $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    let skipped = count.saturating_sub(1);
    let row = db.one(SQL, values![kind, skipped]).await?;
    Ok(row
        .map(|row| row.get::<uuid::Uuid>("id"))
        .transpose()?
        .map(OperationId::from))
}

/// Ended operations of `kind` that are older than the operation `oldest`.
pub(crate) async fn ended_older_than(
    db: &Db,
    kind: &str,
    oldest: OperationId,
    limit: u64,
) -> Result<Vec<Old>> {
    let sql = format!("{OLD} AND o.id < $2 ORDER BY o.id LIMIT $3");
    let rows = db.all(sql, values![kind, oldest.uuid(), limit]).await?;
    rows.iter().map(read).collect()
}

/// Removes the first `rows` rows of a log; how many there were. What is left says where
/// it begins, so that a reader is told of the gap.
pub(crate) async fn shorten_log(db: &Db, operation: OperationId, rows: u64) -> Result<u64> {
    const DELETE: &str = "DELETE FROM operation_log WHERE operation = $1 AND first_seq IN (
            SELECT first_seq FROM operation_log WHERE operation = $1 ORDER BY first_seq LIMIT $2)";
    const FIRST: &str = "UPDATE operation SET log_first = COALESCE(
            (SELECT MIN(first_seq) FROM operation_log WHERE operation = $1), log_last + 1)
        WHERE id = $1";
    let mut tx = db.begin().await?;
    let removed = tx.execute(DELETE, values![operation.uuid(), rows]).await?;
    tx.execute(FIRST, values![operation.uuid()]).await?;
    tx.commit().await?;
    Ok(removed)
}

/// Removes operations that have ended, with all that belongs to them; how many.
pub(crate) async fn remove(db: &Db, ids: &[OperationId]) -> Result<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "DELETE FROM operation WHERE ended_at IS NOT NULL AND id IN ({})",
        places.join(", ")
    );
    let values = ids.iter().map(|id| id.uuid().into()).collect();
    Ok(db.execute(sql, values).await?)
}
