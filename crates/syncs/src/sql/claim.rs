//! Claims: who works on a delivery, and what only that one may write.

use super::delivery::{COLUMNS, read, stored};
use crate::delivery::{Claim, Claimed, Delivery, DeliveryState};
use crate::ledger::Ledger;
use crate::source::Found;
use base::{DeliveryId, OperationId, SyncId, Timestamp};
use std::time::Duration;
use storage::{Db, Error, Result, Value, values};

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Who claims, for which pass, and how long it is theirs without a heartbeat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimer<'a> {
    pub(crate) worker: &'a str,
    pub(crate) operation: OperationId,
    pub(crate) lease: Duration,
}

/// What is claimed: what is due now of this sync, so many, and nothing for which one of these
/// targets is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) sync: SyncId,
    pub(crate) now: Timestamp,
    pub(crate) limit: usize,
    pub(crate) but: &'a [String],
}

/// The condition that leaves out what one of these targets is needed for; their names become
/// values. What is served there already only waits for its source to be told.
fn besides(but: &[String], values: &mut Vec<Value>) -> String {
    let mut conditions = String::new();
    for target in but {
        values.push(target.into());
        let number = values.len();
        conditions.push_str(&format!(" AND (target <> ${number} OR state = 'verified')"));
    }
    conditions
}

/// Claims what is due of a sync, the longest due first. What was heard of a file before that is
/// seen where its source is looked at anew, which it is unless all is at its target already.
pub(crate) async fn claim(db: &Db, by: Claimer<'_>, wanted: Wanted<'_>) -> Result<Vec<Claimed>> {
    let mut values: Vec<Value> = values![
        wanted.sync.uuid(),
        by.worker,
        micros(by.lease),
        by.operation.uuid(),
        wanted.now,
        wanted.limit
    ];
    let but = besides(wanted.but, &mut values);
    let sql = format!(
        "UPDATE delivery SET worker = $2, lease_until = {{now}} + $3, attempt = attempt + 1,
            operation = $4, stirred = CASE WHEN state IN ('working', 'verified') THEN stirred ELSE 0 END
         WHERE ended_at IS NULL AND lease_until <= {{now}} AND id IN (
            SELECT d.id FROM delivery d
            WHERE d.sync = $1 AND d.ended_at IS NULL AND d.run_at <= $5 AND d.lease_until <= {{now}}{but}
            ORDER BY d.run_at, d.id LIMIT $6 {{skip locked}})
         RETURNING {COLUMNS}"
    );
    let rows = db.returning(sql, values).await?;
    let mut claimed = Vec::new();
    for row in &rows {
        let delivery = read(row)?;
        let claim = Claim {
            id: delivery.id,
            worker: by.worker.to_owned(),
            attempt: delivery.attempt,
        };
        claimed.push(Claimed { delivery, claim });
    }
    // What `RETURNING` gives is in no order.
    claimed.sort_by_key(|claimed| (claimed.delivery.next_at, claimed.delivery.id));
    Ok(claimed)
}

/// Renews what a worker holds of these, and nothing else: a claim of which it does not know,
/// because the answer to the write was lost, ends with its lease.
pub(crate) async fn renew(db: &Db, by: Claimer<'_>, held: &[DeliveryId]) -> Result<u64> {
    if held.is_empty() {
        return Ok(0);
    }
    let mut values: Vec<Value> = values![by.worker, micros(by.lease)];
    let mut list = Vec::with_capacity(held.len());
    for id in held {
        values.push(id.uuid().into());
        list.push(format!("${}", values.len()));
    }
    let sql = format!(
        "UPDATE delivery SET lease_until = {{now}} + $2
         WHERE id IN ({}) AND worker = $1 AND lease_until > {{now}}",
        list.join(", ")
    );
    db.execute(sql, values).await
}

/// When something of a sync can be claimed next: the earliest time that is set, and the
/// time until the earliest lease of somebody else is over. Of what the target works on
/// nothing is said, for that may take hours, nor of what these targets are needed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NextDue {
    pub(crate) run_at: Option<Timestamp>,
    pub(crate) lease_left: Option<Duration>,
}

pub(crate) async fn next_due(db: &Db, sync: SyncId, but: &[String]) -> Result<NextDue> {
    let mut values: Vec<Value> = values![sync.uuid()];
    let but = besides(but, &mut values);
    let sql = format!(
        "SELECT MIN(CASE WHEN lease_until <= {{now}} AND state <> 'working' THEN run_at END) AS run_at,
            MIN(CASE WHEN lease_until > {{now}} THEN lease_until - {{now}} END) AS lease_left
        FROM delivery WHERE sync = $1 AND ended_at IS NULL{but}"
    );
    let Some(row) = db.one(sql, values).await? else {
        return Ok(NextDue::default());
    };
    let left: Option<u64> = row.get("lease_left")?;
    Ok(NextDue {
        run_at: row.get("run_at")?,
        lease_left: left.map(Duration::from_micros),
    })
}

/// When anything of a sync is due, what its target works on included, and what these targets
/// are needed for left out.
pub(crate) async fn next_at_all(
    db: &Db,
    sync: SyncId,
    but: &[String],
) -> Result<Option<Timestamp>> {
    let mut values: Vec<Value> = values![sync.uuid()];
    let but = besides(but, &mut values);
    let sql = format!(
        "SELECT MIN(run_at) AS run_at FROM delivery WHERE sync = $1 AND ended_at IS NULL{but}"
    );
    let row = db.one(sql, values).await?;
    row.map_or(Ok(None), |row| row.get("run_at"))
}

/// Since when its target works on what a delivery has there, where it does.
pub(crate) async fn working_since(db: &Db, claim: &Claim) -> Result<Option<Timestamp>> {
    const SQL: &str = "SELECT working_since FROM delivery WHERE id = $1";
    let row = db.one(SQL, values![claim.id.uuid()]).await?;
    row.map_or(Ok(None), |row| row.get("working_since"))
}

/// What was looked at before anything is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked<'a> {
    pub(crate) size: u64,
    pub(crate) content: &'a str,
    pub(crate) target: &'a str,
    pub(crate) media_type: &'a str,
}

/// Notes what was looked at, what the target wants to know after a crash, or both in one
/// write; whether it is still this worker's.
pub(crate) async fn note(
    ledger: &Ledger,
    claim: &Claim,
    looked: Option<Looked<'_>>,
    reached: Option<(DeliveryState, &str)>,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str =
        "UPDATE delivery SET size = COALESCE($4, size), content = COALESCE($5, content),
            target = COALESCE($6, target), media_type = COALESCE($7, media_type),
            state = COALESCE($8, state), reached = COALESCE($8, reached),
            known = COALESCE($9, known), changed_at = $10,
            working_since = CASE WHEN $8 IS NULL THEN working_since END
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND ended_at IS NULL";
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        looked.map(|looked| looked.size),
        looked.map(|looked| looked.content),
        looked.map(|looked| looked.target),
        looked.map(|looked| looked.media_type),
        reached.map(|(state, _)| state.as_str()),
        reached.map(|(_, known)| known),
        now
    ];
    ledger.write(SQL, values).await
}

/// What the target says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) state: DeliveryState,
    pub(crate) remote_id: &'a str,
    pub(crate) thumbnail: &'a str,
    /// What is known of it.
    pub(crate) known: &'a str,
    /// The ids that its source may have from now on, this one among them.
    pub(crate) told: &'a [String],
    /// Whether that takes the place of what the target has recorded, and not only of
    /// nothing.
    pub(crate) anew: bool,
}

/// Keeps what the target says, the claim with it; whether it is still this worker's.
pub(crate) async fn said(
    ledger: &Ledger,
    claim: &Claim,
    said: Said<'_>,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET state = $4, remote_id = $5, thumbnail = $6,
            known = CASE WHEN known = '' OR $9 THEN $7 ELSE known END, changed_at = $8, told = $10,
            working_since = CASE WHEN $4 = 'working' THEN COALESCE(working_since, $8) END
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND ended_at IS NULL";
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        said.state.as_str(),
        said.remote_id,
        said.thumbnail,
        said.known,
        now,
        said.anew,
        serde_json::to_string(said.told).map_err(|_| Error::Stored("a delivery"))?
    ];
    ledger.write(SQL, values).await
}

/// Notes what its source says of a file by now; whether it is still this worker's.
pub(crate) async fn correct(
    ledger: &Ledger,
    claim: &Claim,
    found: &Found,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET place = $4, name = $5, media_type = $6, metadata = $7,
            creator = $8, seen = $9, changed_at = $10
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND ended_at IS NULL";
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        found.place.as_str(),
        found.name.as_str(),
        found.media_type.as_str(),
        stored(&found.metadata)?,
        found.creator.as_deref().unwrap_or_default(),
        found.seen.as_deref().unwrap_or_default(),
        now
    ];
    ledger.write(SQL, values).await
}

/// Its source has it no more: should it tell of it again, that is news. Whether it is still
/// this worker's.
pub(crate) async fn unsee(ledger: &Ledger, claim: &Claim, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET seen = '', changed_at = $4
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND ended_at IS NULL";
    let values = values![claim.id.uuid(), claim.attempt, claim.worker.as_str(), now];
    ledger.write(SQL, values).await
}

/// Somebody else has delivered it, under this id; whether it is still this worker's.
pub(crate) async fn of_others(
    ledger: &Ledger,
    claim: &Claim,
    id: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET remote_id = $4, thumbnail = '', changed_at = $5
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND ended_at IS NULL";
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        id,
        now
    ];
    ledger.write(SQL, values).await
}

/// How a claim ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'a> {
    /// Where it stands; where it stood by what was recorded, when absent.
    pub(crate) state: Option<DeliveryState>,
    pub(crate) reason: &'a str,
    /// When it is tried again; nothing where it has ended.
    pub(crate) again: Option<Timestamp>,
    pub(crate) failures: u64,
    pub(crate) waits: u64,
    /// Whether what the target knows is forgotten.
    pub(crate) anew: bool,
}

/// Ends a claim; whether it was still this worker's. When it ended is said by the database's
/// clock, by which it is told later whether its source has asked for it again since.
///
/// What was put anew at its source meanwhile does not end: it is looked at once more.
pub(crate) async fn end(
    ledger: &Ledger,
    claim: &Claim,
    ending: Ending<'_>,
    now: Timestamp,
) -> Result<bool> {
    // `$11` holds how much must have been heard of it for that, 3 where nothing is enough.
    const SQL: &str =
        "UPDATE delivery SET state = CASE WHEN $4 = '' THEN state WHEN stirred < $11 THEN $4
                WHEN $4 = 'marked' AND known <> '' THEN 'again' ELSE 'pending' END,
            reason = CASE WHEN stirred < $11 THEN $5 ELSE '' END,
            run_at = COALESCE($6, CASE WHEN stirred < $11 THEN run_at ELSE $9 END),
            ended_at = CASE WHEN $6 IS NULL AND stirred < $11 THEN {now} END,
            failures = CASE WHEN stirred < $11 THEN $7 ELSE 0 END,
            waits = CASE WHEN stirred < $11 THEN $8 ELSE 0 END,
            stirred = CASE WHEN $6 IS NULL THEN 0 ELSE stirred END,
            known = CASE WHEN $10 THEN '' ELSE known END,
            reached = CASE WHEN $10 THEN '' ELSE reached END, changed_at = $9, worker = '',
            lease_until = 0,
            working_since = CASE WHEN $4 IN ('', 'working') THEN working_since END
        WHERE id = $1 AND attempt = $2 AND worker = $3";
    let enough: u64 = match ending.state {
        // It was not there, or nothing took it: that may be otherwise now.
        Some(DeliveryState::Skipped) => 1,
        Some(DeliveryState::Marked | DeliveryState::Failed) => 2,
        _ => 3,
    };
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        ending.state.map_or("", DeliveryState::as_str),
        ending.reason,
        ending.again,
        ending.failures,
        ending.waits,
        now,
        ending.anew,
        enough
    ];
    ledger.write(SQL, values).await
}

/// Gives claims back untouched: nothing was done under them.
pub(crate) async fn release(db: &Db, claims: &[Claim]) -> Result<()> {
    const SQL: &str = "UPDATE delivery SET worker = '', lease_until = 0
        WHERE id = $1 AND attempt = $2 AND worker = $3";
    let mut tx = db.begin().await?;
    for claim in claims {
        tx.execute(
            SQL,
            values![claim.id.uuid(), claim.attempt, claim.worker.as_str()],
        )
        .await?;
    }
    tx.commit().await
}

/// Claims a file that was delivered, to remove it at its target. Nothing where it is not as it
/// was looked at any more, or somebody has it.
pub(crate) async fn claim_delivered(
    db: &Db,
    by: Claimer<'_>,
    delivery: &Delivery,
) -> Result<Option<Claim>> {
    const SQL: &str =
        "UPDATE delivery SET worker = $3, lease_until = {now} + $4, attempt = attempt + 1
        WHERE id = $1 AND attempt = $2 AND state = 'marked' AND lease_until <= {now}
        RETURNING attempt";
    let values = values![
        delivery.id.uuid(),
        delivery.attempt,
        by.worker,
        micros(by.lease)
    ];
    let rows = db.returning(SQL, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Claim {
        id: delivery.id,
        worker: by.worker.to_owned(),
        attempt: row.get("attempt")?,
    }))
}

/// A file that was delivered is at its target no more, or stays there as somebody else's: the
/// claim ends. Whether it was still this worker's, and as it was looked at.
pub(crate) async fn removed(db: &Db, claim: &Claim, reason: &str, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE delivery SET state = 'removed', reason = $4, changed_at = $5,
            ended_at = $5, known = '', reached = '', remote_id = '', thumbnail = '', worker = '',
            lease_until = 0
        WHERE id = $1 AND attempt = $2 AND worker = $3 AND state = 'marked'";
    let values = values![
        claim.id.uuid(),
        claim.attempt,
        claim.worker.as_str(),
        reason,
        now
    ];
    Ok(db.execute(SQL, values).await? == 1)
}
