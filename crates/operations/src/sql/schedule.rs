//! Schedules.

use crate::kind::WhenWaiting;
use crate::operation::NewOperation;
use crate::schedule::{MOST, Missed, NewSchedule, Schedule, StoredSchedule};
use crate::{Error, Result};
use base::{Actor, OperationId, ScheduleId, Timestamp};
use storage::{Db, Row, Tx, values};

/// One change of a schedule at a time over all replicas, so that what is recorded as
/// having been there before it was, and that they stay as few as they may be.
const CHANGE_LOCK: i64 = 0x6c73_7363_6865_6400;
/// Longshore's own come on top of what people may make.
const OWN: u64 = 100;

const COLUMNS: &str =
    "id, name, kind, title, input, cron, zone, missed, enabled, created_by, created_at,
    next_run, last_run, last_operation";

fn read(row: &Row) -> Result<StoredSchedule> {
    let input: String = row.get("input")?;
    let missed: String = row.get("missed")?;
    Ok(StoredSchedule {
        next_run: row.get("next_run")?,
        schedule: Schedule {
            id: ScheduleId::from(row.get::<uuid::Uuid>("id")?),
            name: row.get("name")?,
            kind: row.get("kind")?,
            title: row.get("title")?,
            input: serde_json::from_str(&input).map_err(|_| Error::Stored("input"))?,
            cron: row.get("cron")?,
            zone: row.get("zone")?,
            words: String::new(),
            missed: Missed::parse(&missed).ok_or(Error::Stored("policy"))?,
            enabled: row.get("enabled")?,
            created_by: Actor::recorded(row.get("created_by")?),
            created_at: row.get("created_at")?,
            next_runs: Vec::new(),
            last_run: row.get("last_run")?,
            last_operation: row
                .get::<Option<uuid::Uuid>>("last_operation")?
                .map(OperationId::from),
        },
    })
}

pub(crate) async fn all(db: &Db) -> Result<Vec<StoredSchedule>> {
    let most = MOST + OWN;
    let sql = format!("SELECT {COLUMNS} FROM schedule ORDER BY name LIMIT {most}");
    db.all(sql, values![]).await?.iter().map(read).collect()
}

pub(crate) async fn get(db: &Db, id: ScheduleId) -> Result<Option<StoredSchedule>> {
    let row = db.one(by_id(), values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// The same, within a transaction.
pub(crate) async fn get_in(tx: &mut Tx, id: ScheduleId) -> Result<Option<StoredSchedule>> {
    let row = tx.one(by_id(), values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

fn by_id() -> String {
    format!("SELECT {COLUMNS} FROM schedule WHERE id = $1")
}

/// Until the transaction ends, nobody else changes a schedule.
pub(crate) async fn lock(tx: &mut Tx) -> Result<()> {
    Ok(tx.lock(CHANGE_LOCK).await?)
}

pub(crate) async fn count(tx: &mut Tx) -> Result<u64> {
    let row = tx
        .one("SELECT COUNT(*) AS count FROM schedule", values![])
        .await?;
    Ok(row.map_or(Ok(0), |row| row.get("count"))?)
}

pub(crate) async fn insert(
    tx: &mut Tx,
    id: ScheduleId,
    new: &NewSchedule,
    input: &str,
    actor: &Actor,
    now: Timestamp,
    next: Option<Timestamp>,
) -> Result<()> {
    const SQL: &str =
        "INSERT INTO schedule (id, name, kind, title, input, cron, zone, missed, enabled,
            created_by, created_at, next_run)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let (cron, zone) = new.timing.parts();
    tx.execute(
        SQL,
        values![
            id.uuid(),
            new.name.as_str(),
            &new.kind,
            &new.title,
            input,
            cron,
            zone,
            new.missed.as_str(),
            new.enabled,
            actor.as_str(),
            now,
            next,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn update(
    tx: &mut Tx,
    schedule: &Schedule,
    input: &str,
    next: Option<Timestamp>,
) -> Result<()> {
    const SQL: &str =
        "UPDATE schedule SET input = $2, cron = $3, zone = $4, missed = $5, enabled = $6,
        next_run = $7 WHERE id = $1";
    let values = values![
        schedule.id.uuid(),
        input,
        &schedule.cron,
        &schedule.zone,
        schedule.missed.as_str(),
        schedule.enabled,
        next,
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

pub(crate) async fn delete(tx: &mut Tx, id: ScheduleId) -> Result<()> {
    tx.execute("DELETE FROM schedule WHERE id = $1", values![id.uuid()])
        .await?;
    Ok(())
}

/// Those whose next run is due, each by itself: one that cannot be read must not keep
/// the others from running.
pub(crate) async fn due(
    db: &Db,
    now: Timestamp,
) -> Result<Vec<(ScheduleId, Result<StoredSchedule>)>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM schedule WHERE enabled = TRUE AND next_run <= $1 ORDER BY next_run LIMIT 100"
    );
    let rows = db.all(sql, values![now]).await?;
    rows.iter()
        .map(|row| {
            let id = ScheduleId::from(row.get::<uuid::Uuid>("id")?);
            Ok((id, read(row)))
        })
        .collect()
}

/// Looks at a schedule that is due at `now` not before `next`.
pub(crate) async fn put_off(
    db: &Db,
    id: ScheduleId,
    now: Timestamp,
    next: Timestamp,
) -> Result<()> {
    const SQL: &str = "UPDATE schedule SET next_run = $3 WHERE id = $1 AND next_run <= $2";
    db.execute(SQL, values![id.uuid(), now, next]).await?;
    Ok(())
}

/// Whether what makes `new` needless still waits in its place: an earlier run of its schedule,
/// or, where the later takes the place of the one that waits, any of its kind.
pub(crate) async fn waits(
    tx: &mut Tx,
    new: &NewOperation,
    when_waiting: WhenWaiting,
) -> Result<bool> {
    const OF_ITS_OWN: &str = "SELECT 1 AS one FROM operation
        WHERE state = 'queued' AND exclusive_key <> '' AND exclusive_key = $1 AND actor = $2
        LIMIT 1";
    const OF_ITS_KIND: &str = "SELECT 1 AS one FROM operation
        WHERE state = 'queued' AND exclusive_key <> '' AND exclusive_key = $1 AND kind = $2
        LIMIT 1";
    let row = match when_waiting {
        WhenWaiting::Queue => {
            let values = values![&new.key, new.actor.as_str()];
            tx.one(OF_ITS_OWN, values).await?
        }
        WhenWaiting::Replace => {
            let values = values![&new.key, &new.kind];
            tx.one(OF_ITS_KIND, values).await?
        }
    };
    Ok(row.is_some())
}

/// When the next run is due.
pub(crate) async fn next_due(db: &Db) -> Result<Option<Timestamp>> {
    const SQL: &str = "SELECT MIN(next_run) AS due FROM schedule WHERE enabled = TRUE";
    let row = db.one(SQL, values![]).await?;
    Ok(row.map(|row| row.get("due")).transpose()?.flatten())
}

/// Takes the run that was planned for `planned`. Whether nobody else had.
pub(crate) async fn claim_run(
    tx: &mut Tx,
    id: ScheduleId,
    planned: Timestamp,
    next: Option<Timestamp>,
    now: Timestamp,
    operation: Option<OperationId>,
) -> Result<bool> {
    const RAN: &str = "UPDATE schedule SET next_run = $3, last_run = $4, last_operation = $5
        WHERE id = $1 AND next_run = $2 AND enabled = TRUE";
    const SKIPPED: &str = "UPDATE schedule SET next_run = $3
        WHERE id = $1 AND next_run = $2 AND enabled = TRUE";
    let changed = match operation {
        Some(operation) => {
            tx.execute(
                RAN,
                values![id.uuid(), planned, next, now, operation.uuid()],
            )
            .await?
        }
        None => {
            tx.execute(SKIPPED, values![id.uuid(), planned, next])
                .await?
        }
    };
    Ok(changed == 1)
}
