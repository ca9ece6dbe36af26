//! The queue: what is due, and who takes it.

use super::operation::{COLUMNS, next_changes, read, transition};
use crate::operation::Operation;
use crate::{Result, State};
use base::{OperationId, Timestamp};
use std::time::Duration;
use storage::{Db, Tx, values};

/// One claim at a time over all replicas, so that a limit of a kind is not overrun.
const CLAIM_LOCK: i64 = 0x6c73_636c_6169_6d00;

/// The kinds that have something to run now, and when the next one is due.
pub(crate) async fn due_kinds(db: &Db, now: Timestamp) -> Result<Vec<String>> {
    const SQL: &str = "SELECT DISTINCT kind FROM operation WHERE state = 'queued' AND run_at <= $1";
    let rows = db.all(SQL, values![now]).await?;
    rows.iter().map(|row| Ok(row.get("kind")?)).collect()
}

/// When the next queued operation is due that is not due yet.
pub(crate) async fn next_due(db: &Db, now: Timestamp) -> Result<Option<Timestamp>> {
    const SQL: &str =
        "SELECT MIN(run_at) AS due FROM operation WHERE state = 'queued' AND run_at > $1";
    let row = db.one(SQL, values![now]).await?;
    Ok(row.map(|row| row.get("due")).transpose()?.flatten())
}

/// What is claimed.
pub(crate) struct Claimed {
    pub(crate) operation: Operation,
    pub(crate) log_bytes: u64,
    pub(crate) failures: u64,
    pub(crate) pinned: bool,
}

/// How many may run: of the kind, over all replicas; and in this process, beside
/// those that run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room<'a> {
    pub(crate) of_kind: usize,
    pub(crate) here: usize,
    /// What runs here: one whose lease was lost may have an attempt that has not
    /// ended yet, and must not run beside it.
    pub(crate) except: &'a [OperationId],
}

/// Who claims, and for how long it is theirs without a heartbeat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimer<'a> {
    pub(crate) worker: &'a str,
    pub(crate) lease: Duration,
}

/// Claims as many operations of `kind` as there is room for.
pub(crate) async fn claim(
    db: &Db,
    kind: &str,
    room: Room<'_>,
    claimer: Claimer<'_>,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    let mut tx = db.begin().await?;
    tx.lock(CLAIM_LOCK).await?;
    let free = free(&mut tx, kind, room).await?;
    if free == 0 {
        return Ok(Vec::new());
    }
    // The counter before any row, as everywhere: a cancel that holds it may wait for
    // a row. Numbers that are not used are no harm.
    let mut change = next_changes(&mut tx, free).await? - free as u64;
    let mut claimed = Vec::new();
    for id in next(&mut tx, kind, claimer.worker, free + room.except.len(), now).await? {
        if claimed.len() == free {
            break;
        }
        if room.except.contains(&id) {
            continue;
        }
        change += 1;
        claimed.extend(take(&mut tx, id, claimer, now, change).await?);
    }
    if !claimed.is_empty() {
        tx.commit().await?;
    }
    Ok(claimed)
}

/// How many more of `kind` may run.
async fn free(tx: &mut Tx, kind: &str, room: Room<'_>) -> Result<usize> {
    const RUNNING: &str =
        "SELECT COUNT(*) AS running FROM operation WHERE state = 'running' AND kind = $1";
    let running: u64 = match tx.one(RUNNING, values![kind]).await? {
        Some(row) => row.get("running")?,
        None => 0,
    };
    let running = usize::try_from(running).unwrap_or(usize::MAX);
    Ok(room.of_kind.saturating_sub(running).min(room.here))
}

/// What may run next. An operation with a key is passed over while one under that
/// key runs, or an earlier one waits.
async fn next(
    tx: &mut Tx,
    kind: &str,
    worker: &str,
    most: usize,
    now: Timestamp,
) -> Result<Vec<OperationId>> {
    const NEXT: &str = "SELECT o.id FROM operation o
        WHERE o.state = 'queued' AND o.kind = $1 AND o.run_at <= $2 AND o.pinned IN ('', $3)
          AND (o.exclusive_key = '' OR (
                NOT EXISTS (SELECT 1 FROM operation r
                    WHERE r.state = 'running' AND r.exclusive_key <> '' AND r.exclusive_key = o.exclusive_key)
            AND NOT EXISTS (SELECT 1 FROM operation w
                    WHERE w.state = 'queued' AND w.exclusive_key <> '' AND w.exclusive_key = o.exclusive_key
                      AND w.id < o.id)))
        ORDER BY o.run_at, o.id LIMIT $4 {skip locked}";
    let rows = tx.all(NEXT, values![kind, now, worker, most]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}

/// Begins an attempt of `id`, unless it does not wait any more.
async fn take(
    tx: &mut Tx,
    id: OperationId,
    claimer: Claimer<'_>,
    now: Timestamp,
    change: u64,
) -> Result<Option<Claimed>> {
    let update = format!(
        "UPDATE operation SET state = 'running', attempt = attempt + 1, worker = $2,
            lease_until = {{now}} + $3, started_at = COALESCE(started_at, $4), changed = $5
         WHERE id = $1 AND state = 'queued' RETURNING {COLUMNS}, log_bytes, failures, pinned"
    );
    let lease = super::lease::micros(claimer.lease);
    let values = values![id.uuid(), claimer.worker, lease, now, change];
    let Some(row) = tx.one(update, values).await? else {
        return Ok(None);
    };
    let operation = read(&row)?;
    let reason = format!("attempt {}", operation.attempt);
    transition(tx, operation.id, State::Running, now, &reason).await?;
    Ok(Some(Claimed {
        operation,
        log_bytes: row.get("log_bytes")?,
        failures: row.get("failures")?,
        pinned: !row.get::<String>("pinned")?.is_empty(),
    }))
}

/// Those under `key` that still wait and are of `kind`.
pub(crate) async fn waiting_under(tx: &mut Tx, key: &str, kind: &str) -> Result<Vec<OperationId>> {
    const SQL: &str = "SELECT id FROM operation WHERE state = 'queued' AND exclusive_key <> ''
        AND exclusive_key = $1 AND kind = $2 AND attempt = 0";
    let rows = tx.all(SQL, values![key, kind]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}
