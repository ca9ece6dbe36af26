//! Deliveries: found, listed, counted, and what people do to them.

use crate::delivery::{Delivery, DeliveryFilter, DeliveryState};
use crate::source::Found;
use base::{DeliveryId, SyncId, Timestamp};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use storage::{Db, Error, Result, Row, Tx, Value, values};
use uuid::Uuid;

pub(super) const COLUMNS: &str = "id, item, place, name, media_type, size, content, metadata,
    creator, target, state, known, reached, remote_id, told, thumbnail, attempt, failures, waits, reason, run_at,
    lease_until > {now} AS claimed, operation, found_at, changed_at, ended_at";

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn read(row: &Row) -> Result<Delivery> {
    let state: String = row.get("state")?;
    let metadata: String = row.get("metadata")?;
    let known: String = row.get("known")?;
    let reached: String = row.get("reached")?;
    let told: String = row.get("told")?;
    let ended_at: Option<Timestamp> = row.get("ended_at")?;
    let next_at: Timestamp = row.get("run_at")?;
    Ok(Delivery {
        id: row.get::<Uuid>("id")?.into(),
        item: row.get("item")?,
        place: row.get("place")?,
        name: row.get("name")?,
        media_type: row.get("media_type")?,
        size: row.get("size")?,
        content: some(row.get("content")?),
        metadata: if metadata.is_empty() {
            BTreeMap::new()
        } else {
            serde_json::from_str(&metadata).map_err(|_| Error::Stored("a delivery"))?
        },
        creator: some(row.get("creator")?),
        target: some(row.get("target")?),
        state: DeliveryState::parse(&state).ok_or(Error::Stored("a delivery"))?,
        remote_id: some(row.get("remote_id")?),
        thumbnail: some(row.get("thumbnail")?),
        attempt: row.get("attempt")?,
        failures: row.get("failures")?,
        waits: row.get("waits")?,
        reason: some(row.get("reason")?),
        next_at: ended_at.is_none().then_some(next_at),
        claimed: row.get("claimed")?,
        operation: row.get::<Option<Uuid>>("operation")?.map(Into::into),
        found_at: row.get("found_at")?,
        changed_at: row.get("changed_at")?,
        ended_at,
        reached: DeliveryState::parse(&reached),
        known: some(known)
            .map(|known| serde_json::from_str(&known))
            .transpose()
            .map_err(|_| Error::Stored("a delivery"))?,
        told: if told.is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(&told).map_err(|_| Error::Stored("a delivery"))?
        },
    })
}

/// What goes along with a file, as it is stored.
pub(super) fn stored(metadata: &BTreeMap<String, Json>) -> Result<String> {
    if metadata.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(metadata).map_err(|_| Error::Stored("a delivery"))
}

/// What time it is by the database's clock, which all replicas have in common.
pub(crate) async fn clock(db: &Db) -> Result<Timestamp> {
    const SQL: &str = "SELECT {now} AS clock";
    let row = db.one(SQL, values![]).await?;
    row.ok_or(Error::Stopped)?.get("clock")
}

/// What becomes of a file that a source tells of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noting<'a> {
    pub(crate) found: &'a Found,
    /// Why no target takes it, if none does.
    pub(crate) unfit: Option<&'a str>,
    /// The target that takes it, where that is known.
    pub(crate) target: Option<&'a str>,
    /// Since when its source says that it is to be delivered, by the database's clock.
    pub(crate) read_at: Timestamp,
    /// What time it is for this process.
    pub(crate) now: Timestamp,
}

/// Notes a file that a source tells of. True where that is news: it is new, has another
/// content, was delivered before the source was asked and is to be delivered again, or rests
/// though another thing is said of it by now.
///
/// What its target has of it stays known where the content may be the same.
pub(crate) async fn note(tx: &mut Tx, sync: SyncId, noting: Noting<'_>) -> Result<bool> {
    const SQL: &str = "INSERT INTO delivery (id, sync, item, place, name, media_type, size,
            content, metadata, state, reason, run_at, found_at, changed_at, ended_at, target,
            creator, seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, $13, $15, $16, $17)
        ON CONFLICT (sync, item) DO UPDATE SET place = $4, name = $5, media_type = $6,
            size = $7, content = CASE WHEN $8 = '' THEN delivery.content ELSE $8 END,
            metadata = $9, creator = $16, seen = $17, reason = $11, run_at = $12, changed_at = $12, ended_at = $13,
            failures = 0, waits = 0,
            reached = CASE WHEN $8 = '' THEN delivery.reached ELSE '' END,
            target = CASE WHEN delivery.known = '' THEN $15 ELSE delivery.target END,
            state = CASE WHEN $10 <> 'pending' THEN $10
                WHEN delivery.state = 'marked' AND delivery.known <> '' AND ($8 = '' OR delivery.content = $8)
                    THEN 'again'
                ELSE 'pending' END
        WHERE (delivery.ended_at IS NOT NULL AND $8 <> '' AND delivery.content <> '' AND delivery.content <> $8)
           OR (delivery.ended_at IS NOT NULL AND NOT $14 AND $8 = '' AND $17 <> '' AND delivery.seen <> '' AND delivery.seen <> $17)
           OR (delivery.state = 'marked' AND $14 AND delivery.ended_at < $18)
           OR (delivery.state IN ('failed', 'skipped') AND $14 AND $17 <> '' AND delivery.seen <> $17)
           OR delivery.state = 'removed'
        RETURNING id";
    let Noting {
        found,
        unfit,
        target,
        read_at,
        now,
    } = noting;
    let state = if unfit.is_some() {
        DeliveryState::Skipped
    } else {
        DeliveryState::Pending
    };
    let row = tx
        .one(
            SQL,
            values![
                Uuid::now_v7(),
                sync.uuid(),
                found.key.as_str(),
                found.place.as_str(),
                found.name.as_str(),
                found.media_type.as_str(),
                found.size,
                found.content.as_deref().unwrap_or_default(),
                stored(&found.metadata)?,
                state.as_str(),
                unfit.unwrap_or_default(),
                now,
                unfit.is_some().then_some(now),
                found.asked,
                target.unwrap_or_default(),
                found.creator.as_deref().unwrap_or_default(),
                found.seen.as_deref().unwrap_or_default(),
                read_at,
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Notes of a file that is under way that it was put anew, in the transaction in which
/// [`note`] had nothing to note: that one holds its row. When the attempt at it ends, it is
/// looked at once more.
///
/// Somebody else who has heard of the same, and is late with it, does not take that back.
pub(crate) async fn stir(tx: &mut Tx, sync: SyncId, found: &Found) -> Result<()> {
    const SQL: &str = "UPDATE delivery SET metadata = $4, creator = $5,
            stirred = CASE WHEN content <> '' AND content <> $3 THEN 2
                WHEN stirred = 0 THEN 1 ELSE stirred END
        WHERE sync = $1 AND item = $2 AND ended_at IS NULL";
    let values = values![
        sync.uuid(),
        found.key.as_str(),
        found.content.as_deref().unwrap_or_default(),
        stored(&found.metadata)?,
        found.creator.as_deref().unwrap_or_default()
    ];
    tx.execute(SQL, values).await.map(drop)
}

/// How many there are in each state.
pub(crate) async fn counts(db: &Db, sync: SyncId) -> Result<Vec<(DeliveryState, u64)>> {
    const SQL: &str = "SELECT state, COUNT(*) AS files FROM delivery WHERE sync = $1
        GROUP BY state ORDER BY state";
    let rows = db.all(SQL, values![sync.uuid()]).await?;
    let mut counts = Vec::new();
    for row in &rows {
        let state: String = row.get("state")?;
        if let Some(state) = DeliveryState::parse(&state) {
            counts.push((state, row.get("files")?));
        }
    }
    Ok(counts)
}

/// One of them.
pub(crate) async fn get(db: &Db, sync: SyncId, id: DeliveryId) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE id = $1 AND sync = $2");
    let row = db.one(sql, values![id.uuid(), sync.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// Those that pass the filter, the last changed first, after the place `before`.
pub(crate) async fn list(
    db: &Db,
    sync: SyncId,
    filter: &DeliveryFilter,
    before: Option<(Timestamp, Uuid)>,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let (at, id) = before.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
    let mut values: Vec<Value> = values![sync.uuid(), at, id, limit];
    let mut conditions = String::new();
    let mut and = |condition: &str, value: Value| {
        values.push(value);
        let number = values.len();
        conditions.push_str(" AND ");
        conditions.push_str(&condition.replace('?', &format!("${number}")));
    };
    if let Some(state) = filter.state {
        and("state = ?", state.as_str().into());
    }
    if let Some(target) = &filter.target {
        and("target = ?", target.into());
    }
    match &filter.media_type {
        Some(kind) if kind.ends_with("/*") => {
            let kind = kind.trim_end_matches('*');
            and("substr(media_type, 1, length(?)) = ?", kind.into());
        }
        Some(kind) => and("media_type = ?", kind.into()),
        None => {}
    }
    if let Some(text) = &filter.text {
        let pattern = format!("%{}%", escaped(&text.to_lowercase()));
        and(
            "(lower(item) LIKE ? ESCAPE '\\' OR lower(place) LIKE ? ESCAPE '\\' OR lower(name) LIKE ? ESCAPE '\\')",
            pattern.into(),
        );
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE sync = $1 AND (changed_at, id) < ($2, $3){conditions}
         ORDER BY changed_at DESC, id DESC LIMIT $4"
    );
    db.all(sql, values).await?.iter().map(read).collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// Has failed ones tried again: one of them, or all; how many. What their target knows of
/// them stays.
pub(crate) async fn retry(
    tx: &mut Tx,
    sync: SyncId,
    one: Option<DeliveryId>,
    now: Timestamp,
) -> Result<u64> {
    const SQL: &str = "UPDATE delivery SET failures = 0, waits = 0, run_at = $2, changed_at = $2,
            ended_at = NULL, attempt = attempt + 1, worker = '', lease_until = 0,
            state = CASE WHEN reached <> '' THEN reached ELSE 'pending' END
        WHERE sync = $1 AND state = 'failed' AND ($3 IS NULL OR id = $3)";
    let one = one.map(DeliveryId::uuid);
    tx.execute(SQL, values![sync.uuid(), now, one]).await
}

/// Has one that has ended delivered once more, from the beginning; whether it had. One that is
/// claimed though it has ended is being removed at its target: it has not, until that is over.
pub(crate) async fn deliver_again(
    tx: &mut Tx,
    sync: SyncId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET failures = 0, waits = 0, run_at = $3, changed_at = $3,
            ended_at = NULL, attempt = attempt + 1, worker = '', lease_until = 0, reason = '',
            state = CASE WHEN state = 'marked' AND known <> '' THEN 'again' ELSE 'pending' END
        WHERE sync = $1 AND id = $2 AND ended_at IS NOT NULL AND lease_until <= {now}";
    Ok(tx
        .execute(SQL, values![sync.uuid(), id.uuid(), now])
        .await?
        == 1)
}

/// Looks anew at what no target took: the rule has changed.
pub(crate) async fn reconsider(tx: &mut Tx, sync: SyncId, now: Timestamp) -> Result<u64> {
    const SQL: &str = "UPDATE delivery SET state = 'pending', reason = '', target = '',
            ended_at = NULL, run_at = $2, changed_at = $2
        WHERE sync = $1 AND state = 'skipped'";
    tx.execute(SQL, values![sync.uuid(), now]).await
}

/// Those that were delivered, by their id, after one.
pub(crate) async fn delivered(
    db: &Db,
    sync: SyncId,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE sync = $1 AND id > $2 AND state = 'marked'
         ORDER BY id LIMIT $3"
    );
    let after = after.map_or(Uuid::nil(), DeliveryId::uuid);
    let rows = db.all(sql, values![sync.uuid(), after, limit]).await?;
    rows.iter().map(read).collect()
}

/// What verifying found of one, in words; nothing where all is well.
pub(crate) async fn note_reason(db: &Db, delivery: &Delivery, reason: &str) -> Result<()> {
    const SQL: &str = "UPDATE delivery SET reason = $3 WHERE id = $1 AND attempt = $2";
    db.execute(SQL, values![delivery.id.uuid(), delivery.attempt, reason])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests;
