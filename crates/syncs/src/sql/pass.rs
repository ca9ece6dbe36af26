//! How passes went.

use crate::tally::{PassRecord, PassState, Tally};
use base::{OperationId, SyncId, Timestamp};
use storage::{Db, Result, Row, values};
use uuid::Uuid;

fn read(row: &Row) -> Result<PassRecord> {
    let ended_at: Option<Timestamp> = row.get("ended_at")?;
    let failure: String = row.get("failure")?;
    let failure = Some(failure).filter(|failure| !failure.is_empty());
    Ok(PassRecord {
        id: row.get::<Uuid>("id")?.into(),
        started_at: row.get("started_at")?,
        ended_at,
        state: match (ended_at, &failure) {
            // Whether it was cut off, its operation says.
            (None, _) => PassState::Running,
            (Some(_), None) => PassState::Done,
            (Some(_), Some(_)) => PassState::Failed,
        },
        failure,
        tally: read_tally(row)?,
    })
}

fn read_tally(row: &Row) -> Result<Tally> {
    Ok(Tally {
        delivered: row.get("delivered")?,
        working: row.get("working")?,
        skipped: row.get("skipped")?,
        failed: row.get("failed")?,
        retried: row.get("retried")?,
        removed: row.get("removed")?,
        bytes: row.get("bytes")?,
    })
}

/// A pass has begun, or goes on.
pub(crate) async fn begin(db: &Db, id: OperationId, sync: SyncId, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO sync_pass (id, sync, started_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET ended_at = NULL, failure = ''";
    db.execute(SQL, values![id.uuid(), sync.uuid(), now])
        .await
        .map(drop)
}

/// How far it is.
pub(crate) async fn note(db: &Db, id: OperationId, tally: &Tally) -> Result<()> {
    const SQL: &str = "UPDATE sync_pass SET delivered = $2, working = $3, skipped = $4,
        failed = $5, retried = $6, removed = $7, bytes = $8 WHERE id = $1";
    db.execute(
        SQL,
        values![
            id.uuid(),
            tally.delivered,
            tally.working,
            tally.skipped,
            tally.failed,
            tally.retried,
            tally.removed,
            tally.bytes,
        ],
    )
    .await
    .map(drop)
}

/// It has come to its end, by a failure or without one.
pub(crate) async fn end(
    db: &Db,
    id: OperationId,
    failure: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "UPDATE sync_pass SET ended_at = $2, failure = $3 WHERE id = $1";
    let values = values![id.uuid(), now, failure.unwrap_or_default()];
    db.execute(SQL, values).await.map(drop)
}

/// Somebody was told that it failed as a whole.
pub(crate) async fn told(db: &Db, id: OperationId, now: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE sync_pass SET told_at = $2 WHERE id = $1";
    db.execute(SQL, values![id.uuid(), now]).await.map(drop)
}

/// Whether anybody was told after `since` that a pass of this sync failed so.
pub(crate) async fn is_told(
    db: &Db,
    sync: SyncId,
    failure: &str,
    since: Timestamp,
) -> Result<bool> {
    const SQL: &str =
        "SELECT id FROM sync_pass WHERE sync = $1 AND failure = $2 AND told_at > $3 LIMIT 1";
    let row = db.one(SQL, values![sync.uuid(), failure, since]).await?;
    Ok(row.is_some())
}

/// What is kept of how far it is, if it has begun.
pub(crate) async fn tally(db: &Db, id: OperationId) -> Result<Option<Tally>> {
    const SQL: &str = "SELECT delivered, working, skipped, failed, retried, removed, bytes
        FROM sync_pass WHERE id = $1";
    let row = db.one(SQL, values![id.uuid()]).await?;
    row.as_ref().map(read_tally).transpose()
}

/// The passes of a sync, the newest first, after the place `before`.
pub(crate) async fn list(
    db: &Db,
    sync: SyncId,
    before: Option<(Timestamp, Uuid)>,
    limit: usize,
) -> Result<Vec<PassRecord>> {
    const SQL: &str =
        "SELECT id, started_at, ended_at, failure, delivered, working, skipped, failed,
            retried, removed, bytes
        FROM sync_pass WHERE sync = $1 AND (started_at, id) < ($2, $3)
        ORDER BY started_at DESC, id DESC LIMIT $4";
    let (at, id) = before.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
    let rows = db.all(SQL, values![sync.uuid(), at, id, limit]).await?;
    rows.iter().map(read).collect()
}

/// Forgets what is older; how many.
pub(crate) async fn forget(db: &Db, before: Timestamp) -> Result<u64> {
    db.execute(
        "DELETE FROM sync_pass WHERE started_at < $1",
        values![before],
    )
    .await
}
