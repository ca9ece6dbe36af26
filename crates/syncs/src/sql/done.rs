//! What a pass has done, and what is left to do, read from the deliveries: so nothing that
//! is recorded is counted twice or lost, wherever a pass was cut off.

use crate::tally::Tally;
use base::{DeliveryId, OperationId, SyncId};
use storage::{Db, Result, values};
use uuid::Uuid;

/// How many files this pass delivered, gave up and skipped.
pub(crate) async fn by(db: &Db, sync: SyncId, pass: OperationId) -> Result<Tally> {
    const SQL: &str = "SELECT COUNT(CASE WHEN state = 'marked' THEN 1 END) AS delivered,
            COUNT(CASE WHEN state = 'failed' THEN 1 END) AS failed,
            COUNT(CASE WHEN state = 'skipped' THEN 1 END) AS skipped
        FROM delivery WHERE sync = $1 AND operation = $2
          AND changed_at >= (SELECT started_at FROM sync_pass WHERE id = $2)";
    let Some(row) = db.one(SQL, values![sync.uuid(), pass.uuid()]).await? else {
        return Ok(Tally::default());
    };
    Ok(Tally {
        delivered: row.get("delivered")?,
        failed: row.get("failed")?,
        skipped: row.get("skipped")?,
        ..Tally::default()
    })
}

/// The files that this pass had last, and that their targets work on.
pub(crate) async fn working_of(
    db: &Db,
    sync: SyncId,
    pass: OperationId,
) -> Result<Vec<DeliveryId>> {
    const SQL: &str = "SELECT id FROM delivery
        WHERE sync = $1 AND operation = $2 AND state = 'working'
          AND changed_at >= (SELECT started_at FROM sync_pass WHERE id = $2)";
    let rows = db.all(SQL, values![sync.uuid(), pass.uuid()]).await?;
    let ids = rows.iter().map(|row| Ok(row.get::<Uuid>("id")?.into()));
    ids.collect()
}

/// How many files of a sync are on their way, without those that their targets work on:
/// nobody has anything to do with them.
pub(crate) async fn left(db: &Db, sync: SyncId) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) AS files FROM delivery
        WHERE sync = $1 AND ended_at IS NULL AND state <> 'working'";
    let row = db.one(SQL, values![sync.uuid()]).await?;
    row.map_or(Ok(0), |row| row.get("files"))
}
