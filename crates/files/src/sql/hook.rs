//! Hooks, and what was told by them.

use crate::hook::event::Told;
use crate::path::FilePath;
use base::{Actor, BucketId, Timestamp};
use std::collections::BTreeMap;
use storage::{Db, Error, Result, Row, Tx, Value, values};
use uuid::Uuid;

/// Events in one statement.
const AT_ONCE: usize = 100;

/// A hook as it is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The SHA-256 of its secret.
    pub(crate) secret: Vec<u8>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

/// The hook of a bucket.
pub(crate) async fn of_bucket(db: &Db, bucket: Uuid) -> Result<Option<Stored>> {
    const SQL: &str = "SELECT secret, created_at, created_by FROM hook WHERE bucket = $1";
    let row = db.one(SQL, values![bucket]).await?;
    row.map(|row| {
        Ok(Stored {
            secret: row.get("secret")?,
            created_at: row.get("created_at")?,
            created_by: row.get("created_by")?,
        })
    })
    .transpose()
}

/// Gives a bucket a hook, or its hook another secret.
pub(crate) async fn put(
    tx: &mut Tx,
    bucket: BucketId,
    secret: &[u8],
    at: Timestamp,
    by: &Actor,
) -> Result<()> {
    const SQL: &str = "INSERT INTO hook (bucket, secret, waits, created_at, created_by)
        VALUES ($1, $2, FALSE, $3, $4)
        ON CONFLICT (bucket) DO UPDATE SET secret = excluded.secret,
        created_at = excluded.created_at, created_by = excluded.created_by";
    tx.execute(SQL, values![bucket.uuid(), secret, at, by.as_str()])
        .await
        .map(drop)
}

/// Whether there was one.
pub(crate) async fn delete(tx: &mut Tx, bucket: BucketId) -> Result<bool> {
    const SQL: &str = "DELETE FROM hook WHERE bucket = $1";
    Ok(tx.execute(SQL, values![bucket.uuid()]).await? == 1)
}

/// Forgets the order of what was looked at: another store numbers in another way.
pub(crate) async fn forget_order(tx: &mut Tx, bucket: BucketId) -> Result<()> {
    const SQL: &str = "DELETE FROM hook_event WHERE bucket = $1 AND NOT waiting";
    tx.execute(SQL, values![bucket.uuid()]).await?;
    const WAITING: &str = "UPDATE hook_event SET sequencer = '' WHERE bucket = $1";
    tx.execute(WAITING, values![bucket.uuid()]).await.map(drop)
}

/// Holds a hook until the transaction ends, so that no operation begins meanwhile; whether
/// one waits to begin, and nothing where there is no hook any more.
pub(crate) async fn hold(tx: &mut Tx, bucket: BucketId) -> Result<Option<bool>> {
    const SQL: &str = "UPDATE hook SET waits = waits WHERE bucket = $1 RETURNING waits";
    let row = tx.one(SQL, values![bucket.uuid()]).await?;
    row.map(|row| row.get("waits")).transpose()
}

/// Whether an operation waits from now on.
pub(crate) async fn set_waits(tx: &mut Tx, bucket: BucketId, waits: bool) -> Result<()> {
    const SQL: &str = "UPDATE hook SET waits = $2 WHERE bucket = $1";
    tx.execute(SQL, values![bucket.uuid(), waits])
        .await
        .map(drop)
}

/// Notes what was told, the last of each key; how many were new. Another copy of an event,
/// and one that is older than what is known of its key, changes nothing.
pub(crate) async fn note(
    tx: &mut Tx,
    bucket: BucketId,
    told: &[Told],
    at: Timestamp,
) -> Result<u64> {
    // In the order of their paths, so that no two wait for each other.
    let mut last: BTreeMap<&FilePath, &str> = BTreeMap::new();
    for told in told {
        let order = told.order.as_ref().map_or("", |order| order.as_str());
        last.entry(&told.key)
            // What comes without a number is always looked at.
            .and_modify(|known| {
                if known.is_empty() || order.is_empty() {
                    *known = "";
                } else {
                    *known = order.max(*known);
                }
            })
            .or_insert(order);
    }
    let last: Vec<_> = last.into_iter().collect();
    let mut new = 0;
    for some in last.chunks(AT_ONCE) {
        new += note_some(tx, bucket, some, at).await?;
    }
    Ok(new)
}

async fn note_some(
    tx: &mut Tx,
    bucket: BucketId,
    some: &[(&FilePath, &str)],
    at: Timestamp,
) -> Result<u64> {
    let mut values: Vec<Value> = values![bucket.uuid(), at];
    let mut rows = Vec::with_capacity(some.len());
    for (path, order) in some {
        values.extend(values![path.as_str(), *order]);
        let number = values.len();
        rows.push(format!("($1, ${}, ${number}, 1, TRUE, $2)", number - 1));
    }
    let sql = format!(
        "INSERT INTO hook_event (bucket, path, sequencer, heard, waiting, at) VALUES {}
        ON CONFLICT (bucket, path) DO UPDATE SET sequencer = CASE
            WHEN excluded.sequencer > hook_event.sequencer THEN excluded.sequencer
            ELSE hook_event.sequencer END,
        heard = hook_event.heard + 1, waiting = TRUE, at = excluded.at
        WHERE excluded.sequencer = '' OR excluded.sequencer > hook_event.sequencer",
        rows.join(", ")
    );
    tx.execute(sql, values).await
}

/// A key that is to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) path: FilePath,
    heard: i64,
}

fn read_waiting(row: &Row) -> Result<Waiting> {
    let path: String = row.get("path")?;
    Ok(Waiting {
        path: path
            .parse()
            .map_err(|_| Error::Stored("a path of a hook"))?,
        heard: row.get("heard")?,
    })
}

/// Keys that are to be looked at, in their order.
pub(crate) async fn waiting(
    db: &Db,
    bucket: BucketId,
    after: &str,
    limit: usize,
) -> Result<Vec<Waiting>> {
    const SQL: &str = "SELECT path, heard FROM hook_event
        WHERE bucket = $1 AND waiting AND path > $2 ORDER BY path LIMIT $3";
    let rows = db.all(SQL, values![bucket.uuid(), after, limit]).await?;
    rows.iter().map(read_waiting).collect()
}

/// These have been looked at. What was told during the look is to be looked at again.
pub(crate) async fn looked_at(
    db: &Db,
    bucket: BucketId,
    keys: &[Waiting],
    at: Timestamp,
) -> Result<()> {
    const SQL: &str = "UPDATE hook_event SET waiting = FALSE, at = $4
        WHERE bucket = $1 AND path = $2 AND heard = $3";
    let mut tx = db.begin().await?;
    for key in keys {
        tx.execute(
            SQL,
            values![bucket.uuid(), key.path.as_str(), key.heard, at],
        )
        .await?;
    }
    tx.commit().await
}

/// Removes what was looked at before `looked_at`, and what nobody could look at since
/// before `waiting`.
pub(crate) async fn sweep(db: &Db, looked_at: Timestamp, waiting: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM hook_event WHERE at < $1 AND (at < $2 OR NOT waiting)";
    db.execute(SQL, values![looked_at, waiting]).await
}

/// Buckets in which something waits since before `before`.
pub(crate) async fn late(db: &Db, before: Timestamp) -> Result<Vec<BucketId>> {
    const SQL: &str = "SELECT DISTINCT bucket FROM hook_event WHERE waiting AND at < $1";
    let rows = db.all(SQL, values![before]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<Uuid>("bucket")?.into()))
        .collect()
}

#[cfg(test)]
mod tests;
