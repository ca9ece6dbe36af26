//! The buckets of failed attempts.

use crate::Result;
use base::Timestamp;
use std::time::Duration;
use storage::{Db, Tx, values};

/// When each of these buckets is empty; one that is not stored is empty.
pub(crate) async fn read(
    db: &Db,
    buckets: [Option<Vec<u8>>; 3],
) -> Result<Vec<(Vec<u8>, Timestamp)>> {
    const SQL: &str = "SELECT bucket, empty_at FROM attempt WHERE bucket IN ($1, $2, $3)";
    let [first, second, third] = buckets;
    let rows = db.all(SQL, values![first, second, third]).await?;
    rows.iter()
        .map(|row| Ok((row.get("bucket")?, row.get("empty_at")?)))
        .collect()
}

/// Puts one failure in; when the bucket is empty then.
pub(crate) async fn add(
    tx: &mut Tx,
    bucket: &[u8],
    account: &[u8],
    now: Timestamp,
    step: Duration,
) -> Result<Timestamp> {
    const SQL: &str = "INSERT INTO attempt (bucket, account, empty_at) VALUES ($1, $2, $3)
        ON CONFLICT (bucket) DO UPDATE SET empty_at = CASE
            WHEN attempt.empty_at > $4 THEN attempt.empty_at + ($3 - $4) ELSE $3 END
        RETURNING empty_at";
    let alone = now.plus(step);
    let row = tx.one(SQL, values![bucket, account, alone, now]).await?;
    Ok(row.map_or(Ok(alone), |row| row.get("empty_at"))?)
}

/// Empties a bucket.
pub(crate) async fn forget(db: &Db, bucket: &[u8]) -> Result<()> {
    const SQL: &str = "DELETE FROM attempt WHERE bucket = $1";
    db.execute(SQL, values![bucket]).await?;
    Ok(())
}

/// Empties the buckets of an account.
pub(crate) async fn forget_account(tx: &mut Tx, account: &[u8]) -> Result<()> {
    const SQL: &str = "DELETE FROM attempt WHERE account = $1";
    tx.execute(SQL, values![account]).await?;
    Ok(())
}

/// Removes what is empty.
pub(crate) async fn sweep(db: &Db, now: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM attempt WHERE empty_at <= $1";
    Ok(db.execute(SQL, values![now]).await?)
}
