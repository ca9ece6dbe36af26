//! The rows of the record.

use crate::Result;
use crate::audit::{AuditFilter, AuditRecord, Position};
use base::{Actor, Timestamp};
use storage::{Db, Row, Tx, Value, values};

/// How many old rows one statement removes.
const BATCH: u64 = 1_000;

fn read(row: &Row) -> Result<AuditRecord> {
    let json = |column: &str| -> Result<Option<serde_json::Value>> {
        let text: Option<String> = row.get(column)?;
        Ok(text.map(|text| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))))
    };
    Ok(AuditRecord {
        id: row.get("id")?,
        at: row.get("at")?,
        actor: Actor::recorded(row.get("actor")?),
        action: row.get("action")?,
        subject: row.get("subject")?,
        address: row.get("address")?,
        before: json("before")?,
        after: json("after")?,
    })
}

/// Puts an entry in.
pub(crate) async fn insert(tx: &mut Tx, record: &AuditRecord) -> Result<()> {
    const SQL: &str = "INSERT INTO audit
            (id, at, actor, action, subject, address, before, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    let values = values![
        record.id,
        record.at,
        record.actor.as_str(),
        &record.action,
        &record.subject,
        &record.address,
        json(&record.before),
        json(&record.after)
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Up to `limit` entries, newest first, from after `from` on.
pub(crate) async fn list(
    db: &Db,
    filter: &AuditFilter,
    after: Option<Position>,
    limit: u64,
) -> Result<Vec<AuditRecord>> {
    let mut sql = String::from(
        "SELECT id, at, actor, action, subject, address, before, after FROM audit WHERE 1 = 1",
    );
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        sql.push_str(" AND ");
        sql.push_str(condition);
        sql.push_str(&values.len().to_string());
    };
    if let Some(actor) = &filter.actor {
        add("actor = $", actor.into());
    }
    if let Some(action) = &filter.action {
        add("action = $", action.into());
    }
    if let Some(subject) = &filter.subject {
        add("subject = $", subject.into());
    }
    if let Some(from) = filter.from {
        add("at >= $", from.into());
    }
    if let Some(to) = filter.to {
        add("at < $", to.into());
    }
    if let Some(Position { at, id }) = after {
        values.extend(values![at, id]);
        let (at, id) = (values.len() - 1, values.len());
        sql.push_str(&format!(" AND (at, id) < (${at}, ${id})"));
    }
    values.push(limit.into());
    sql.push_str(&format!(
        " ORDER BY at DESC, id DESC LIMIT ${}",
        values.len()
    ));
    db.all(sql, values).await?.iter().map(read).collect()
}

/// Removes entries from before then, some at a time; how many.
pub(crate) async fn sweep(db: &Db, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM audit WHERE id IN (
        SELECT id FROM audit WHERE at < $1 ORDER BY at, id LIMIT $2)";
    let mut removed = 0;
    loop {
        let some = db.execute(SQL, values![before, BATCH]).await?;
        removed += some;
        if some < BATCH {
            return Ok(removed);
        }
    }
}
