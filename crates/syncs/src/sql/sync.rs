//! Syncs.

use crate::rule::Rule;
use crate::sync::{Origin, Sync};
use base::{Actor, SyncId, Timestamp};
use storage::{Db, Error, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, name, rule, origin, paused, created_at, created_by, changed_at";

fn read(row: &Row) -> Result<Sync> {
    let rule: String = row.get("rule")?;
    let rule: Rule = serde_json::from_str(&rule).map_err(|_| Error::Stored("a sync"))?;
    let origin: String = row.get("origin")?;
    Ok(Sync {
        id: row.get::<Uuid>("id")?.into(),
        name: row.get("name")?,
        rule,
        origin: Origin::of(&origin),
        paused: row.get("paused")?,
        created_at: row.get("created_at")?,
        created_by: row.get("created_by")?,
        changed_at: row.get("changed_at")?,
    })
}

fn written(rule: &Rule) -> Result<String> {
    serde_json::to_string(rule).map_err(|_| Error::Stored("a sync"))
}

/// All of them, by name.
pub(crate) async fn all(db: &Db) -> Result<Vec<Sync>> {
    let sql = format!("SELECT {COLUMNS} FROM sync ORDER BY name");
    db.all(sql, values![]).await?.iter().map(read).collect()
}

/// Those that are not paused, each with the number of the change of files up to which all is
/// noted of it.
pub(crate) async fn awake(db: &Db) -> Result<Vec<(Sync, u64)>> {
    let sql = format!(
        "SELECT {COLUMNS}, heard,
            (SELECT value FROM counter WHERE name = 'syncs_heard') AS heard_by_all
        FROM sync WHERE NOT paused ORDER BY name"
    );
    let rows = db.all(sql, values![]).await?;
    let read = rows.iter().map(|row| {
        let (heard, by_all): (u64, u64) = (row.get("heard")?, row.get("heard_by_all")?);
        Ok((read(row)?, heard.max(by_all)))
    });
    read.collect()
}

/// Of one that a bucket feeds, all is noted up to this change of files.
pub(crate) async fn hear(tx: &mut Tx, id: SyncId, number: u64) -> Result<()> {
    const SQL: &str = "UPDATE sync SET heard = $2 WHERE id = $1 AND heard < $2";
    tx.execute(SQL, values![id.uuid(), number]).await.map(drop)
}

/// The same of all that buckets feed: one write, however many there are.
pub(crate) async fn all_hear(db: &Db, number: u64) -> Result<()> {
    const SQL: &str = "UPDATE counter SET value = $1 WHERE name = 'syncs_heard' AND value < $1";
    db.execute(SQL, values![number]).await.map(drop)
}

/// One by its name.
pub(crate) async fn named(db: &Db, name: &str) -> Result<Option<Sync>> {
    let sql = format!("SELECT {COLUMNS} FROM sync WHERE name = $1");
    let row = db.one(sql, values![name]).await?;
    row.as_ref().map(read).transpose()
}

/// One by its id.
pub(crate) async fn get(db: &Db, id: SyncId) -> Result<Option<Sync>> {
    let sql = format!("SELECT {COLUMNS} FROM sync WHERE id = $1");
    let row = db.one(sql, values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// How many there are.
pub(crate) async fn count(tx: &mut Tx) -> Result<u64> {
    let row = tx
        .one("SELECT COUNT(*) AS syncs FROM sync", values![])
        .await?;
    row.map_or(Ok(0), |row| row.get("syncs"))
}

pub(crate) async fn insert(tx: &mut Tx, sync: &Sync, by: &Actor) -> Result<()> {
    const SQL: &str = "INSERT INTO sync (id, name, rule, origin, paused, created_at, created_by,
        changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $6)";
    tx.execute(
        SQL,
        values![
            sync.id.uuid(),
            sync.name.as_str(),
            written(&sync.rule)?,
            sync.origin.as_str(),
            sync.paused,
            sync.created_at,
            by.as_str(),
        ],
    )
    .await
    .map(drop)
}

/// Whether it is there.
pub(crate) async fn update(
    tx: &mut Tx,
    id: SyncId,
    (rule, paused): (&Rule, bool),
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE sync SET rule = $2, paused = $3, changed_at = $4 WHERE id = $1";
    let values = values![id.uuid(), written(rule)?, paused, now];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// Whether it was there. Its deliveries go with it.
pub(crate) async fn delete(tx: &mut Tx, id: SyncId) -> Result<bool> {
    let deleted = tx
        .execute("DELETE FROM sync WHERE id = $1", values![id.uuid()])
        .await?;
    Ok(deleted == 1)
}
