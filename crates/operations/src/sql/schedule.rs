//! Schedules.

use crate::schedule::{Missed, NewSchedule, Schedule, StoredSchedule};
use crate::{Error, Result};
use base::{Actor, OperationId, ScheduleId, Timestamp};
use storage::{Db, Row, Tx, values};

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
    let sql = format!("SELECT {COLUMNS} FROM schedule ORDER BY name LIMIT 1000");
    db.all(sql, values![]).await?.iter().map(read).collect()
}

pub(crate) async fn get(db: &Db, id: ScheduleId) -> Result<Option<StoredSchedule>> {
    let sql = format!("SELECT {COLUMNS} FROM schedule WHERE id = $1");
    db.one(sql, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

pub(crate) async fn insert(
    db: &Db,
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
    db.execute(
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
    db: &Db,
    schedule: &Schedule,
    input: &str,
    next: Option<Timestamp>,
) -> Result<bool> {
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
    Ok(db.execute(SQL, values).await? == 1)
}

pub(crate) async fn delete(db: &Db, id: ScheduleId) -> Result<bool> {
    Ok(db
        .execute("DELETE FROM schedule WHERE id = $1", values![id.uuid()])
        .await?
        == 1)
}

/// Those whose next run is due.
pub(crate) async fn due(db: &Db, now: Timestamp) -> Result<Vec<StoredSchedule>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM schedule WHERE enabled = TRUE AND next_run <= $1 ORDER BY next_run LIMIT 100"
    );
    db.all(sql, values![now]).await?.iter().map(read).collect()
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
