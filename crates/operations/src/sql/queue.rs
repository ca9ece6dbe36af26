//! The queue: claims, leases, ends.

use super::operation::{COLUMNS, next_changes, read, transition};
use crate::operation::Operation;
use crate::{Result, State};
use base::{OperationId, Timestamp};
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
pub(crate) struct Room {
    pub(crate) of_kind: usize,
    pub(crate) here: usize,
}

/// Claims as many operations of `kind` for `worker` as there is room for.
///
/// An operation with a key is passed over while one under that key runs, or an
/// earlier one waits.
pub(crate) async fn claim(
    db: &Db,
    kind: &str,
    room: Room,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Claimed>> {
    const RUNNING: &str =
        "SELECT COUNT(*) AS running FROM operation WHERE state = 'running' AND kind = $1";
    const NEXT: &str = "SELECT o.id FROM operation o
        WHERE o.state = 'queued' AND o.kind = $1 AND o.run_at <= $2 AND o.pinned IN ('', $3)
          AND (o.exclusive_key = '' OR (
                NOT EXISTS (SELECT 1 FROM operation r
                    WHERE r.state = 'running' AND r.exclusive_key <> '' AND r.exclusive_key = o.exclusive_key)
            AND NOT EXISTS (SELECT 1 FROM operation w
                    WHERE w.state = 'queued' AND w.exclusive_key <> '' AND w.exclusive_key = o.exclusive_key
                      AND w.id < o.id)))
        ORDER BY o.run_at, o.id LIMIT $4 {skip locked}";
    let mut tx = db.begin().await?;
    tx.lock(CLAIM_LOCK).await?;
    let running: u64 = match tx.one(RUNNING, values![kind]).await? {
        Some(row) => row.get("running")?,
        None => 0,
    };
    let free = (room.of_kind as u64)
        .saturating_sub(running)
        .min(room.here as u64);
    if free == 0 {
        return Ok(Vec::new());
    }
    let rows = tx.all(NEXT, values![kind, now, worker, free]).await?;
    let mut claimed = Vec::with_capacity(rows.len());
    if rows.is_empty() {
        return Ok(claimed);
    }
    let update = format!(
        "UPDATE operation SET state = 'running', attempt = attempt + 1, worker = $2, lease_until = $3,
            started_at = COALESCE(started_at, $4), changed = $5
         WHERE id = $1 AND state = 'queued' RETURNING {COLUMNS}, log_bytes, failures, pinned"
    );
    let mut change = next_changes(&mut tx, rows.len()).await? - rows.len() as u64;
    for row in rows {
        change += 1;
        let id: uuid::Uuid = row.get("id")?;
        let Some(row) = tx
            .one(
                update.clone(),
                values![id, worker, lease_until, now, change],
            )
            .await?
        else {
            continue;
        };
        let operation = read(&row)?;
        let reason = format!("attempt {}", operation.attempt);
        transition(&mut tx, operation.id, State::Running, now, &reason).await?;
        claimed.push(Claimed {
            operation,
            log_bytes: row.get("log_bytes")?,
            failures: row.get("failures")?,
            pinned: !row.get::<String>("pinned")?.is_empty(),
        });
    }
    tx.commit().await?;
    Ok(claimed)
}

/// Renews every lease of `worker`. Gives what it still runs, and of which somebody
/// has asked for the end.
pub(crate) async fn renew(
    db: &Db,
    worker: &str,
    lease_until: Timestamp,
) -> Result<Vec<(OperationId, bool)>> {
    const SQL: &str =
        "UPDATE operation SET lease_until = $2 WHERE state = 'running' AND worker = $1
        RETURNING id, cancel_requested";
    let rows = db.returning(SQL, values![worker, lease_until]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.get::<uuid::Uuid>("id")?.into(),
                row.get("cancel_requested")?,
            ))
        })
        .collect()
}

/// A running operation whose worker is lost.
pub(crate) struct Lost {
    pub(crate) id: OperationId,
    pub(crate) kind: String,
    pub(crate) worker: String,
    pub(crate) attempt: u64,
    pub(crate) failures: u64,
    pub(crate) pinned: bool,
    pub(crate) cancel_requested: bool,
}

/// The running operations whose lease has run out at `now`, or that belong to
/// anybody but `alone`, where that is given.
pub(crate) async fn lost(db: &Db, now: Timestamp, alone: Option<&str>) -> Result<Vec<Lost>> {
    const EXPIRED: &str =
        "SELECT id, kind, worker, attempt, failures, pinned, cancel_requested FROM operation
        WHERE state = 'running' AND lease_until < $1 LIMIT 1000";
    const OTHERS: &str =
        "SELECT id, kind, worker, attempt, failures, pinned, cancel_requested FROM operation
        WHERE state = 'running' AND worker <> $1 LIMIT 1000";
    let rows = match alone {
        Some(worker) => db.all(OTHERS, values![worker]).await?,
        None => db.all(EXPIRED, values![now]).await?,
    };
    rows.iter()
        .map(|row| {
            Ok(Lost {
                id: row.get::<uuid::Uuid>("id")?.into(),
                kind: row.get("kind")?,
                worker: row.get("worker")?,
                attempt: row.get("attempt")?,
                failures: row.get("failures")?,
                pinned: !row.get::<String>("pinned")?.is_empty(),
                cancel_requested: row.get("cancel_requested")?,
            })
        })
        .collect()
}

/// Which attempt writes: only the worker that holds it may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'a> {
    pub(crate) worker: &'a str,
    pub(crate) attempt: u64,
}

/// How an attempt ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) error: Option<(String, String)>,
    pub(crate) outcome: Option<String>,
    pub(crate) progress: Option<String>,
    /// Back to the queue, not before this time.
    pub(crate) run_at: Option<Timestamp>,
    /// Whether this attempt counts against the kind's attempts.
    pub(crate) failed: bool,
}

impl End {
    pub(crate) fn new(state: State, reason: impl Into<String>) -> Self {
        Self {
            state,
            reason: reason.into(),
            error: None,
            outcome: None,
            progress: None,
            run_at: None,
            failed: false,
        }
    }

    pub(crate) fn error(mut self, code: impl Into<String>, text: impl Into<String>) -> Self {
        self.error = Some((code.into(), text.into()));
        self
    }
}

/// Ends an attempt, if `holder` still holds it. Whether it did.
pub(crate) async fn end(
    db: &Db,
    id: OperationId,
    holder: Holder<'_>,
    end: &End,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str =
        "UPDATE operation SET state = $4, ended_at = $5, run_at = COALESCE($6, run_at),
            error_code = $7, error_text = $8, outcome = $9, progress = COALESCE($10, progress),
            failures = failures + $11, changed = $12, worker = '', lease_until = 0
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'";
    let mut tx = db.begin().await?;
    let changed = next_changes(&mut tx, 1).await?;
    let ended_at = end.state.is_ended().then_some(now);
    let (code, text) = end.error.clone().unzip();
    let updated = tx
        .execute(
            SQL,
            values![
                id.uuid(),
                holder.worker,
                holder.attempt,
                end.state.as_str(),
                ended_at,
                end.run_at,
                code,
                text,
                end.outcome.clone(),
                end.progress.clone(),
                i64::from(end.failed),
                changed,
            ],
        )
        .await?;
    if updated == 0 {
        return Ok(false);
    }
    transition(&mut tx, id, end.state, now, &end.reason).await?;
    tx.commit().await?;
    Ok(true)
}

/// Cancels one that still waits. Whether it did wait.
pub(crate) async fn cancel_queued(
    tx: &mut Tx,
    id: OperationId,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str =
        "UPDATE operation SET state = 'cancelled', cancel_requested = TRUE, ended_at = $2,
            error_code = 'cancelled', error_text = $3, changed = $4
        WHERE id = $1 AND state = 'queued'";
    let changed = next_changes(tx, 1).await?;
    let updated = tx
        .execute(SQL, values![id.uuid(), now, reason, changed])
        .await?;
    if updated == 1 {
        transition(tx, id, State::Cancelled, now, reason).await?;
    }
    Ok(updated == 1)
}

/// Notes that the end of a running one was asked for. Whether it runs.
pub(crate) async fn request_cancel(tx: &mut Tx, id: OperationId) -> Result<bool> {
    const SQL: &str = "UPDATE operation SET cancel_requested = TRUE, changed = $2 WHERE id = $1 AND state = 'running'";
    let changed = next_changes(tx, 1).await?;
    Ok(tx.execute(SQL, values![id.uuid(), changed]).await? == 1)
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

/// The children of `parent` that have not ended.
pub(crate) async fn unfinished_children(db: &Db, parent: OperationId) -> Result<Vec<OperationId>> {
    const SQL: &str =
        "SELECT id FROM operation WHERE parent = $1 AND state IN ('queued', 'running')";
    let rows = db.all(SQL, values![parent.uuid()]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}

/// Queued ones that are bound to a process which is gone.
pub(crate) async fn stranded(db: &Db, worker: &str) -> Result<Vec<OperationId>> {
    const SQL: &str =
        "SELECT id FROM operation WHERE state = 'queued' AND pinned NOT IN ('', $1) LIMIT 1000";
    let rows = db.all(SQL, values![worker]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}
