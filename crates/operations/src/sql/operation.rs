//! Operations: stored, read, changed.

use crate::operation::{NewOperation, Operation, OperationError, Transition};
use crate::{Error, Result, State};
use base::{Actor, OperationId, Timestamp};
use std::time::Duration;
use storage::{Db, Row, Tx, values};

/// What [`read`] needs of `operation`, in every statement that gives operations.
pub(crate) const COLUMNS: &str = "id, kind, title, state, subject, server, actor, trigger, exclusive_key,
    parent, retry_of, attempt, created_at, run_at, started_at, ended_at, progress, error_code, error_text,
    outcome, log_last, changed, cancel_requested";

/// An operation from a row with [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<Operation> {
    let present = |text: String| if text.is_empty() { None } else { Some(text) };
    let state: String = row.get("state")?;
    let trigger: String = row.get("trigger")?;
    let progress: Option<String> = row.get("progress")?;
    let outcome: Option<String> = row.get("outcome")?;
    let code: Option<String> = row.get("error_code")?;
    let text: Option<String> = row.get("error_text")?;
    let id = |column| -> Result<Option<OperationId>> {
        Ok(row
            .get::<Option<uuid::Uuid>>(column)?
            .map(OperationId::from))
    };
    Ok(Operation {
        id: OperationId::from(row.get::<uuid::Uuid>("id")?),
        kind: row.get("kind")?,
        title: row.get("title")?,
        state: state.parse().map_err(|_| Error::Stored("state"))?,
        subject: present(row.get("subject")?),
        server: present(row.get("server")?),
        actor: Actor::recorded(row.get("actor")?),
        trigger: trigger.parse().map_err(|_| Error::Stored("trigger"))?,
        key: present(row.get("exclusive_key")?),
        parent: id("parent")?,
        retry_of: id("retry_of")?,
        attempt: row.get("attempt")?,
        created_at: row.get("created_at")?,
        run_at: row.get("run_at")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
        progress: progress
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| Error::Stored("progress"))?,
        error: code
            .zip(text)
            .map(|(code, message)| OperationError { code, message }),
        outcome: outcome
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| Error::Stored("outcome"))?,
        last_seq: row.get("log_last")?,
        changed: row.get("changed")?,
        cancel_requested: row.get("cancel_requested")?,
    })
}

/// The next `count` numbers of change; gives the last of them. The counter's row
/// stays locked until the transaction ends, so numbers become visible in order.
pub(crate) async fn next_changes(tx: &mut Tx, count: usize) -> Result<u64> {
    const SQL: &str =
        "UPDATE counter SET value = value + $1 WHERE name = 'operation_changed' RETURNING value";
    let row = tx
        .one(SQL, values![count])
        .await?
        .ok_or(Error::Stored("counter"))?;
    Ok(row.get("value")?)
}

/// Waits until nobody else changes states, and keeps others from it until the
/// transaction ends.
pub(crate) async fn hold_changes(tx: &mut Tx) -> Result<()> {
    next_changes(tx, 0).await.map(drop)
}

/// Lets what waits for the process of `worker` alone wait for as long as it lives.
pub(crate) async fn lease_pinned(tx: &mut Tx, id: OperationId, lease: Duration) -> Result<()> {
    const SQL: &str = "UPDATE operation SET lease_until = {now} + $2 WHERE id = $1";
    tx.execute(SQL, values![id.uuid(), super::lease::micros(lease)])
        .await?;
    Ok(())
}

/// The number of the newest change.
pub(crate) async fn newest_change(db: &Db) -> Result<u64> {
    const SQL: &str = "SELECT value FROM counter WHERE name = 'operation_changed'";
    let row = db
        .one(SQL, values![])
        .await?
        .ok_or(Error::Stored("counter"))?;
    Ok(row.get("value")?)
}

/// Stores a new operation with its input and first transition. The input may have megabytes,
/// of which no copy is made here.
pub(crate) async fn insert(
    tx: &mut Tx,
    new: NewOperation,
    worker: &str,
    now: Timestamp,
) -> Result<()> {
    const OPERATION: &str =
        "INSERT INTO operation (id, kind, title, state, subject, server, actor, trigger,
            exclusive_key, pinned, parent, retry_of, created_at, run_at, changed)
        VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    const INPUT: &str = "INSERT INTO operation_input (operation, input) VALUES ($1, $2)";
    let changed = next_changes(tx, 1).await?;
    let id = new.id.uuid();
    tx.execute(
        OPERATION,
        values![
            id,
            &new.kind,
            &new.title,
            &new.subject,
            &new.server,
            new.actor.as_str(),
            new.trigger.as_str(),
            &new.key,
            if new.pinned { worker } else { "" },
            new.parent.map(OperationId::uuid),
            new.retry_of.map(OperationId::uuid),
            now,
            new.run_at.unwrap_or(now),
            changed,
        ],
    )
    .await?;
    tx.execute(INPUT, values![id, new.input]).await?;
    transition(tx, new.id, State::Queued, now, "accepted").await
}

/// Records a transition.
pub(crate) async fn transition(
    tx: &mut Tx,
    operation: OperationId,
    state: State,
    at: Timestamp,
    reason: &str,
) -> Result<()> {
    const SQL: &str = "INSERT INTO operation_transition (operation, number, at, state, reason)
        VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM operation_transition WHERE operation = $1), $2, $3, $4)";
    tx.execute(SQL, values![operation.uuid(), at, state.as_str(), reason])
        .await?;
    Ok(())
}

/// An operation by its id.
pub(crate) async fn get(db: &Db, id: OperationId) -> Result<Option<Operation>> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE id = $1");
    db.one(sql, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The first line that is still kept, and the last that is stored.
pub(crate) async fn log_bounds(db: &Db, id: OperationId) -> Result<Option<(u64, u64, State)>> {
    const SQL: &str = "SELECT log_first, log_last, state FROM operation WHERE id = $1";
    let Some(row) = db.one(SQL, values![id.uuid()]).await? else {
        return Ok(None);
    };
    let state: String = row.get("state")?;
    Ok(Some((
        row.get("log_first")?,
        row.get("log_last")?,
        state.parse().map_err(|_| Error::Stored("state"))?,
    )))
}

/// What an attempt begins with: the input, and whether the end was asked for meanwhile.
pub(crate) async fn beginning(db: &Db, id: OperationId) -> Result<Option<(String, bool)>> {
    const SQL: &str = "SELECT i.input, o.cancel_requested FROM operation_input i
        JOIN operation o ON o.id = i.operation WHERE i.operation = $1";
    let Some(row) = db.one(SQL, values![id.uuid()]).await? else {
        return Ok(None);
    };
    Ok(Some((row.get("input")?, row.get("cancel_requested")?)))
}

/// The input of an operation.
pub(crate) async fn input(db: &Db, id: OperationId) -> Result<Option<String>> {
    const SQL: &str = "SELECT input FROM operation_input WHERE operation = $1";
    let row = db.one(SQL, values![id.uuid()]).await?;
    Ok(row.map(|row| row.get("input")).transpose()?)
}

/// What a resumable operation saved last.
pub(crate) async fn checkpoint(db: &Db, id: OperationId) -> Result<Option<String>> {
    const SQL: &str = "SELECT saved FROM operation_checkpoint WHERE operation = $1";
    let row = db.one(SQL, values![id.uuid()]).await?;
    Ok(row.map(|row| row.get("saved")).transpose()?)
}

/// Saves the state of an operation, if `worker` still holds its lease.
pub(crate) async fn save_checkpoint(
    db: &Db,
    id: OperationId,
    worker: &str,
    attempt: u64,
    saved: &str,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO operation_checkpoint (operation, attempt, saved)
        SELECT $1, $3, $4 FROM operation WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'
        ON CONFLICT (operation) DO UPDATE SET attempt = excluded.attempt, saved = excluded.saved";
    Ok(db
        .execute(SQL, values![id.uuid(), worker, attempt, saved])
        .await?
        == 1)
}

/// The life of an operation, oldest first; of a very long one the newest thousand steps.
pub(crate) async fn transitions(db: &Db, id: OperationId) -> Result<Vec<Transition>> {
    const SQL: &str = "SELECT at, state, reason FROM operation_transition WHERE operation = $1 ORDER BY number DESC LIMIT 1000";
    let rows = db.all(SQL, values![id.uuid()]).await?;
    rows.iter()
        .rev()
        .map(|row| {
            let state: String = row.get("state")?;
            Ok(Transition {
                at: row.get("at")?,
                state: state.parse().map_err(|_| Error::Stored("state"))?,
                reason: row.get("reason")?,
            })
        })
        .collect()
}

/// Everything that changed after `since`, oldest change first.
pub(crate) async fn changes(db: &Db, since: u64, limit: u64) -> Result<Vec<Operation>> {
    let sql =
        format!("SELECT {COLUMNS} FROM operation WHERE changed > $1 ORDER BY changed LIMIT $2");
    let rows = db.all(sql, values![since, limit]).await?;
    rows.iter().map(read).collect()
}

/// Notes the progress of operations that `worker` runs.
pub(crate) async fn put_progress(
    tx: &mut Tx,
    id: OperationId,
    worker: &str,
    attempt: u64,
    progress: &str,
    changed: u64,
) -> Result<()> {
    const SQL: &str = "UPDATE operation SET progress = $4, changed = $5
        WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'";
    tx.execute(SQL, values![id.uuid(), worker, attempt, progress, changed])
        .await?;
    Ok(())
}
