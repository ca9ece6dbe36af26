//! Ends, and what asks for them.
//!
//! Whoever changes a state takes the counter of changes first, and then rows. So
//! these transactions follow one another: none sees another half-done, and no two
//! wait for each other.

use super::operation::{next_changes, transition};
use crate::{Result, State};
use base::{OperationId, Timestamp};
use storage::{Db, Row, Tx, values};

/// Children that are looked at together.
const BATCH: u64 = 500;

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
    /// Whether its worker was lost with it.
    pub(crate) lost: bool,
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
            lost: false,
        }
    }

    /// Back to the queue, not before `run_at`.
    pub(crate) fn again(reason: impl Into<String>, run_at: Timestamp) -> Self {
        Self {
            run_at: Some(run_at),
            ..Self::new(State::Queued, reason)
        }
    }

    pub(crate) fn error(mut self, code: impl Into<String>, text: impl Into<String>) -> Self {
        self.error = Some((code.into(), text.into()));
        self
    }

    /// This end, where somebody has asked for one: what is not done or failed yet
    /// ends as cancelled, and says who asked.
    fn asked_for(&self, reason: String) -> Self {
        match self.state {
            State::Succeeded | State::Failed => self.clone(),
            _ => Self {
                progress: self.progress.clone(),
                lost: self.lost,
                ..Self::new(State::Cancelled, &reason).error("cancelled", reason)
            },
        }
    }
}

/// Ends an attempt, if `holder` still holds it: then the state that it has now.
pub(crate) async fn end(
    db: &Db,
    id: OperationId,
    holder: Holder<'_>,
    end: &End,
    now: Timestamp,
) -> Result<Option<State>> {
    const ASKED: &str = "SELECT cancel_requested, cancel_reason FROM operation
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'";
    const SQL: &str =
        "UPDATE operation SET state = $4, ended_at = $5, run_at = COALESCE($6, run_at),
            error_code = $7, error_text = $8, outcome = $9, progress = COALESCE($10, progress),
            failures = failures + $11, losses = losses + $12, changed = $13, worker = ''
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'";
    let mut tx = db.begin().await?;
    let changed = next_changes(&mut tx, 1).await?;
    // Who cancels holds the counter, too, so nobody does after this look.
    let held = values![id.uuid(), holder.worker, holder.attempt];
    let Some(row) = tx.one(ASKED, held).await? else {
        return Ok(None);
    };
    let end = if row.get("cancel_requested")? {
        end.asked_for(row.get("cancel_reason")?)
    } else {
        end.clone()
    };
    let ended_at = end.state.is_ended().then_some(now);
    let (code, text) = end.error.unzip();
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
                end.outcome,
                end.progress,
                i64::from(end.failed),
                i64::from(end.lost),
                changed,
            ],
        )
        .await?;
    if updated == 0 {
        return Ok(None);
    }
    transition(&mut tx, id, end.state, now, &end.reason).await?;
    tx.commit().await?;
    Ok(Some(end.state))
}

/// Cancels one that still waits. Whether it did wait.
pub(crate) async fn cancel_queued(
    tx: &mut Tx,
    id: OperationId,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str =
        "UPDATE operation SET state = 'cancelled', cancel_requested = TRUE, cancel_reason = $3,
            ended_at = $2, error_code = 'cancelled', error_text = $3, changed = $4
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

/// Notes that the end of a running one was asked for, and why; the first who asks
/// counts. Whether it runs.
pub(crate) async fn request_cancel(tx: &mut Tx, id: OperationId, reason: &str) -> Result<bool> {
    const SQL: &str = "UPDATE operation SET cancel_requested = TRUE, changed = $2,
            cancel_reason = CASE WHEN cancel_requested THEN cancel_reason ELSE $3 END
        WHERE id = $1 AND state = 'running'";
    let changed = next_changes(tx, 1).await?;
    let updated = tx.execute(SQL, values![id.uuid(), changed, reason]).await?;
    Ok(updated == 1)
}

/// The children of `parent` that have not ended, and were not asked to.
pub(crate) async fn unfinished_children(db: &Db, parent: OperationId) -> Result<Vec<OperationId>> {
    const SQL: &str = "SELECT id FROM operation
        WHERE parent = $1 AND ended_at IS NULL AND cancel_requested = FALSE";
    ids(db.all(SQL, values![parent.uuid()]).await?)
}

/// Some of the unfinished children of all that ended without success, and that were
/// not asked to end: whoever should have asked did not live to do it.
pub(crate) async fn abandoned_children(db: &Db) -> Result<Vec<OperationId>> {
    const SQL: &str = "SELECT c.id FROM operation c JOIN operation p ON p.id = c.parent
        WHERE c.parent IS NOT NULL AND c.ended_at IS NULL AND c.cancel_requested = FALSE
          AND p.state IN ('failed', 'cancelled', 'interrupted') LIMIT $1";
    ids(db.all(SQL, values![BATCH]).await?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<OperationId>> {
    rows.iter()
        .map(|row| Ok(row.get::<uuid::Uuid>("id")?.into()))
        .collect()
}
