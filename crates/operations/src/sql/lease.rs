//! Leases: renewed, lost. All by the clock of the database, for the clocks of
//! replicas need not agree.

use crate::Result;
use base::OperationId;
use std::time::Duration;
use storage::{Db, Row, values};

/// Rows that are looked at together.
const BATCH: u64 = 1000;

/// A length of time, in the unit of the database's times.
pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Renews the leases of `attempts`, which must be in the order of their ids: all who
/// lock rows of running operations do it in that order. For each in its place,
/// whether its end was asked for; `None` when `worker` does not hold it any more.
pub(crate) async fn renew(
    db: &Db,
    worker: &str,
    attempts: &[(OperationId, u64)],
    lease: Duration,
) -> Result<Vec<Option<bool>>> {
    const SQL: &str = "UPDATE operation SET lease_until = {now} + $4
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'
        RETURNING cancel_requested";
    let mut tx = db.begin().await?;
    let mut held = Vec::with_capacity(attempts.len());
    for (id, attempt) in attempts {
        let row = tx
            .one(SQL, values![id.uuid(), worker, *attempt, micros(lease)])
            .await?;
        held.push(row.map(|row| row.get("cancel_requested")).transpose()?);
    }
    tx.commit().await?;
    Ok(held)
}

/// Renews the leases of what waits for this process alone. A row that somebody
/// changes just now is renewed at the next heartbeat.
pub(crate) async fn renew_pinned(db: &Db, worker: &str, lease: Duration) -> Result<()> {
    const SQL: &str = "UPDATE operation SET lease_until = {now} + $2 WHERE id IN (
        SELECT id FROM operation WHERE state = 'queued' AND pinned <> '' AND pinned = $1
        {skip locked})";
    db.execute(SQL, values![worker, micros(lease)]).await?;
    Ok(())
}

/// A running operation whose worker is lost.
pub(crate) struct Lost {
    pub(crate) id: OperationId,
    pub(crate) kind: String,
    pub(crate) worker: String,
    pub(crate) attempt: u64,
    pub(crate) losses: u64,
    pub(crate) pinned: bool,
}

impl Lost {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get::<uuid::Uuid>("id")?.into(),
            kind: row.get("kind")?,
            worker: row.get("worker")?,
            attempt: row.get("attempt")?,
            losses: row.get("losses")?,
            pinned: !row.get::<String>("pinned")?.is_empty(),
        })
    }
}

/// What other workers than `worker` run with a lease that has run out; `alone`: with
/// any lease.
pub(crate) async fn lost(db: &Db, worker: &str, alone: bool) -> Result<Vec<Lost>> {
    const SQL: &str = "SELECT id, kind, worker, attempt, losses, pinned FROM operation
        WHERE state = 'running' AND worker <> $1 AND ($2 OR lease_until < {now}) LIMIT $3";
    let rows = db.all(SQL, values![worker, alone, BATCH]).await?;
    rows.iter().map(Lost::read).collect()
}

/// What `worker` runs, as far as the database knows.
pub(crate) async fn held(db: &Db, worker: &str) -> Result<Vec<Lost>> {
    const SQL: &str = "SELECT id, kind, worker, attempt, losses, pinned FROM operation
        WHERE state = 'running' AND worker = $1";
    let rows = db.all(SQL, values![worker]).await?;
    rows.iter().map(Lost::read).collect()
}

/// Some that wait for the process of `worker` alone.
pub(crate) async fn pinned(db: &Db, worker: &str) -> Result<Vec<OperationId>> {
    const SQL: &str = "SELECT id FROM operation
        WHERE state = 'queued' AND pinned <> '' AND pinned = $1 LIMIT $2";
    ids(db.all(SQL, values![worker, BATCH]).await?)
}

/// Some that wait for a process that is gone: for another than that of `worker`,
/// with a lease that has run out; `alone`: with any lease.
pub(crate) async fn stranded(db: &Db, worker: &str, alone: bool) -> Result<Vec<OperationId>> {
    const SQL: &str = "SELECT id FROM operation
        WHERE state = 'queued' AND pinned <> '' AND pinned <> $1 AND ($2 OR lease_until < {now})
        LIMIT $3";
    ids(db.all(SQL, values![worker, alone, BATCH]).await?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<OperationId>> {
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}
