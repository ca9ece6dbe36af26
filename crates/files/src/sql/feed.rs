//! What happened to files, numbered, for those who watch.
//!
//! A change is noted in the transaction that makes it, without a number: a counter there
//! would have all writers wait for one another. Numbers are given afterwards, one
//! transaction at a time, to what is committed; so who has read up to a number has missed
//! nothing below it.

use crate::event::Noted;
use crate::sql::{places, portions};
use base::{BucketId, Timestamp};
use storage::{Db, Error, Result, Row, Tx, values};
use uuid::Uuid;

/// A change with its number.
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) bucket: BucketId,
    pub(crate) change: Noted,
}

fn read(row: &Row) -> Result<Numbered> {
    let from: String = row.get("came_from")?;
    Ok(Numbered {
        number: row.get("number")?,
        bucket: row.get::<Uuid>("bucket")?.into(),
        change: Noted {
            id: row.get("id")?,
            at: row.get("at")?,
            happened: row.get("happened")?,
            path: row.get("path")?,
            from: Some(from).filter(|from| !from.is_empty()),
            actor: row.get("actor")?,
            file: row.get("file")?,
        },
    })
}

pub(crate) async fn note(tx: &mut Tx, bucket: BucketId, changes: &[Noted]) -> Result<()> {
    const INTO: &str = "INSERT INTO file_change (id, bucket, at, happened, path, came_from, actor,
        file) VALUES ";
    for changes in portions(changes) {
        let sql = format!("{INTO}{}", places(changes.len(), 8, 0));
        let mut values = Vec::with_capacity(changes.len() * 8);
        for change in changes {
            values.extend(values![
                change.id,
                bucket.uuid(),
                change.at,
                change.happened.as_str(),
                change.path.as_str(),
                change.from.as_deref().unwrap_or_default(),
                change.actor.as_str(),
                change.file.as_str(),
            ]);
        }
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// The highest number that was given.
pub(crate) async fn newest(db: &Db) -> Result<u64> {
    counter(db, "file_changes").await
}

/// The number up to which something is not kept any more.
pub(crate) async fn forgotten(db: &Db) -> Result<u64> {
    counter(db, "file_changes_forgotten").await
}

async fn counter(db: &Db, name: &str) -> Result<u64> {
    const SQL: &str = "SELECT value FROM counter WHERE name = $1";
    let row = db.one(SQL, values![name]).await?;
    row.ok_or(Error::Stored("a counter"))?.get("value")
}

/// Has others who number or forget wait; the highest number.
async fn hold(tx: &mut Tx) -> Result<u64> {
    const SQL: &str =
        "UPDATE counter SET value = value + 0 WHERE name = 'file_changes' RETURNING value";
    let row = tx.one(SQL, values![]).await?;
    row.ok_or(Error::Stored("a counter"))?.get("value")
}

async fn count_up(tx: &mut Tx, name: &str, to: u64) -> Result<()> {
    const SQL: &str = "UPDATE counter SET value = $2 WHERE name = $1";
    tx.execute(SQL, values![name, to]).await.map(drop)
}

/// Numbers so many of the oldest changes that have no number; how many.
pub(crate) async fn number(db: &Db, limit: usize) -> Result<u64> {
    const ANY: &str = "SELECT id FROM file_change WHERE number IS NULL LIMIT 1";
    const NUMBER: &str = "UPDATE file_change SET number = n.given FROM (
            SELECT id, $1 + ROW_NUMBER() OVER (ORDER BY turn, id) AS given FROM file_change
            WHERE number IS NULL ORDER BY turn, id LIMIT $2
        ) AS n WHERE file_change.id = n.id";
    // Looking takes no turn among those who write.
    if db.one(ANY, values![]).await?.is_none() {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    let newest = hold(&mut tx).await?;
    let numbered = tx.execute(NUMBER, values![newest, limit]).await?;
    count_up(&mut tx, "file_changes", newest + numbered).await?;
    tx.commit().await?;
    Ok(numbered)
}

/// The changes after a number, in order.
pub(crate) async fn after(db: &Db, number: u64, limit: usize) -> Result<Vec<Numbered>> {
    const SQL: &str = "SELECT id, number, bucket, at, happened, path, came_from, actor, file
        FROM file_change WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = db.all(SQL, values![number, limit]).await?;
    rows.iter().map(read).collect()
}

/// Forgets what happened before `before`, and all but the newest `most`.
pub(crate) async fn forget(db: &Db, before: Timestamp, most: usize) -> Result<()> {
    const OLD: &str = "SELECT id FROM file_change WHERE at < $1 ORDER BY id DESC LIMIT 1";
    const MANY: &str = "SELECT id FROM file_change ORDER BY id DESC LIMIT 1 OFFSET $1";
    const GOING: &str = "SELECT COALESCE(MAX(number), 0) AS newest,
        COUNT(*) - COUNT(number) AS unnumbered FROM file_change WHERE id <= $1";
    const DELETE: &str = "DELETE FROM file_change WHERE id <= $1";
    let old = db.one(OLD, values![before]).await?;
    let many = db.one(MANY, values![most]).await?;
    let mut last: Option<Uuid> = None;
    for row in [old, many].into_iter().flatten() {
        last = last.max(Some(row.get("id")?));
    }
    let Some(last) = last else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    let newest = hold(&mut tx).await?;
    let going = tx.one(GOING, values![last]).await?;
    let going = going.ok_or(Error::Stored("a count"))?;
    let mut up_to: u64 = going.get("newest")?;
    let unnumbered: u64 = going.get("unnumbered")?;
    if unnumbered > 0 {
        // One number stands for all that go without one.
        up_to = newest + 1;
        count_up(&mut tx, "file_changes", up_to).await?;
    }
    if tx.execute(DELETE, values![last]).await? > 0 && up_to > 0 {
        const SQL: &str = "UPDATE counter SET value = $1
            WHERE name = 'file_changes_forgotten' AND value < $1";
        tx.execute(SQL, values![up_to]).await?;
    }
    tx.commit().await
}
