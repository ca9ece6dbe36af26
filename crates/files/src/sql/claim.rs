//! Who changes what lies at a path of a store. All times are by the clock of the database, for
//! the clocks of replicas need not agree.

use base::BucketId;
use std::time::Duration;
use storage::{Db, Result, Tx, values};
use uuid::Uuid;

/// A path of a bucket.
pub(crate) type Place = (BucketId, String);

/// A length of time, in the unit of the database's times.
fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Takes a place for so long, unless somebody else has it; whether `holder` has it now. Whoever
/// has it keeps it for so long from now on.
pub(crate) async fn take(
    db: &Db,
    (bucket, path): &Place,
    holder: Uuid,
    lease: Duration,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO store_claim (bucket, path, holder, held_until)
        VALUES ($1, $2, $3, {now} + $4)
        ON CONFLICT (bucket, path) DO UPDATE
        SET holder = excluded.holder, held_until = excluded.held_until
        WHERE store_claim.holder = excluded.holder OR store_claim.held_until < {now}";
    let values = values![bucket.uuid(), path.as_str(), holder, micros(lease)];
    Ok(db.execute(SQL, values).await? == 1)
}

const KEEP: &str = "UPDATE store_claim SET held_until = {now} + $4
    WHERE bucket = $1 AND path = $2 AND holder = $3";

/// Keeps a place for so long from now on; whether `holder` has it still.
pub(crate) async fn renew(
    db: &Db,
    (bucket, path): &Place,
    holder: Uuid,
    lease: Duration,
) -> Result<bool> {
    let values = values![bucket.uuid(), path.as_str(), holder, micros(lease)];
    Ok(db.execute(KEEP, values).await? == 1)
}

/// The same in a transaction: nobody takes it over before that has ended.
pub(crate) async fn keep(
    tx: &mut Tx,
    (bucket, path): &Place,
    holder: Uuid,
    lease: Duration,
) -> Result<bool> {
    let values = values![bucket.uuid(), path.as_str(), holder, micros(lease)];
    Ok(tx.execute(KEEP, values).await? == 1)
}

/// Gives a place back.
pub(crate) async fn release(db: &Db, (bucket, path): &Place, holder: Uuid) -> Result<()> {
    const SQL: &str = "DELETE FROM store_claim WHERE bucket = $1 AND path = $2 AND holder = $3";
    db.execute(SQL, values![bucket.uuid(), path.as_str(), holder])
        .await
        .map(drop)
}

/// Forgets what nobody has kept for so long: who had it is gone.
pub(crate) async fn sweep(db: &Db, overdue: Duration) -> Result<u64> {
    const SQL: &str = "DELETE FROM store_claim WHERE held_until < {now} - $1";
    db.execute(SQL, values![micros(overdue)]).await
}

/// As if nobody who has a place had been heard of for long; of how many places.
#[cfg(test)]
pub(crate) async fn run_out(db: &Db) -> Result<u64> {
    db.execute("UPDATE store_claim SET held_until = 0", values![])
        .await
}
