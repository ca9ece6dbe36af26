//! What a pass came to, by whom the files were and by what failed. Read from the
//! deliveries, so that a pass that was cut off and taken up tells all of it.

use crate::operations::{ByWhom, FailedFile};
use base::{OperationId, SyncId};
use storage::{Db, Result, values};

/// By whom the files of a pass were, those of the most files first.
pub(crate) async fn by_whom(
    db: &Db,
    sync: SyncId,
    pass: OperationId,
    limit: usize,
) -> Result<Vec<ByWhom>> {
    const SQL: &str = "SELECT creator, COUNT(CASE WHEN state = 'marked' THEN 1 END) AS delivered,
            COUNT(CASE WHEN state = 'working' THEN 1 END) AS working,
            COUNT(CASE WHEN state = 'failed' THEN 1 END) AS failed
        FROM delivery
        WHERE sync = $1 AND operation = $2 AND state IN ('marked', 'working', 'failed')
          AND changed_at >= (SELECT started_at FROM sync_pass WHERE id = $2)
        GROUP BY creator ORDER BY COUNT(*) DESC, creator LIMIT $3";
    let rows = db
        .all(SQL, values![sync.uuid(), pass.uuid(), limit])
        .await?;
    let read = rows.iter().map(|row| {
        Ok(ByWhom {
            creator: row.get("creator")?,
            delivered: row.get("delivered")?,
            working: row.get("working")?,
            failed: row.get("failed")?,
        })
    });
    read.collect()
}

/// The files that a pass gave up, in the order in which it did.
pub(crate) async fn failed(
    db: &Db,
    sync: SyncId,
    pass: OperationId,
    limit: usize,
) -> Result<Vec<FailedFile>> {
    const SQL: &str = "SELECT item, name, creator, reason FROM delivery
        WHERE sync = $1 AND operation = $2 AND state = 'failed'
          AND changed_at >= (SELECT started_at FROM sync_pass WHERE id = $2)
        ORDER BY changed_at, id LIMIT $3";
    let rows = db
        .all(SQL, values![sync.uuid(), pass.uuid(), limit])
        .await?;
    let read = rows.iter().map(|row| {
        let creator: String = row.get("creator")?;
        Ok(FailedFile {
            item: row.get("item")?,
            name: row.get("name")?,
            creator: Some(creator).filter(|creator| !creator.is_empty()),
            reason: row.get("reason")?,
        })
    });
    read.collect()
}
