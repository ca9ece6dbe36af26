//! The log's rows.

use crate::Result;
use base::OperationId;
use storage::{Db, Tx, values};

/// A stored segment.
#[derive(Debug)]
pub(crate) struct StoredSegment {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Bytes before compression.
    pub(crate) bytes: u64,
    pub(crate) chunk: Vec<u8>,
}

/// The segments that hold line `from` and those after it.
pub(crate) async fn segments(
    db: &Db,
    operation: OperationId,
    from: u64,
    limit: u64,
) -> Result<Vec<StoredSegment>> {
    // The segment that holds `from` is the last that begins at or before it.
    const SQL: &str = "SELECT first_seq, last_seq, bytes, chunk FROM operation_log
        WHERE operation = $1 AND last_seq >= $2 AND first_seq >= COALESCE(
            (SELECT MAX(before.first_seq) FROM operation_log before
             WHERE before.operation = $1 AND before.first_seq <= $2), 0)
        ORDER BY first_seq LIMIT $3";
    let rows = db.all(SQL, values![operation.uuid(), from, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredSegment {
                first: row.get("first_seq")?,
                last: row.get("last_seq")?,
                bytes: row.get("bytes")?,
                chunk: row.get("chunk")?,
            })
        })
        .collect()
}

/// Writes a segment, again and longer when it has grown.
pub(crate) async fn put(
    tx: &mut Tx,
    operation: OperationId,
    first: u64,
    last: u64,
    bytes: usize,
    chunk: Vec<u8>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO operation_log (operation, first_seq, last_seq, bytes, chunk)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (operation, first_seq) DO UPDATE
        SET last_seq = excluded.last_seq, bytes = excluded.bytes, chunk = excluded.chunk";
    tx.execute(SQL, values![operation.uuid(), first, last, bytes, chunk])
        .await?;
    Ok(())
}

/// Says how far the log goes, if `worker` still holds the lease of attempt `attempt`.
pub(crate) async fn advance(
    tx: &mut Tx,
    operation: OperationId,
    worker: &str,
    attempt: u64,
    last: u64,
    bytes: u64,
) -> Result<bool> {
    const SQL: &str = "UPDATE operation SET log_last = $4, log_bytes = $5
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'";
    let changed = tx
        .execute(SQL, values![operation.uuid(), worker, attempt, last, bytes])
        .await?;
    Ok(changed == 1)
}
