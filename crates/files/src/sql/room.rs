//! Room in buckets with limits for contents on their way into a store. All times are by the
//! clock of the database, for the clocks of replicas need not agree.

use super::usage;
use crate::Result;
use crate::bucket::Bucket;
use crate::file::File;
use std::time::Duration;
use storage::{Db, Tx, values};
use uuid::Uuid;

/// What a bucket holds, with what is on its way into it: of one moment, as what arrives leaves
/// the one and comes to the other at once.
const OF_BUCKET: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM (
    SELECT files, bytes FROM file_usage WHERE bucket = $1
    UNION ALL
    SELECT files, bytes FROM store_room WHERE bucket = $1 AND held_until > {now}) AS held";
const OF_ACCOUNT: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM (
    SELECT files, bytes FROM file_usage WHERE bucket = $1 AND account = $2
    UNION ALL
    SELECT files, account_bytes AS bytes FROM store_room
    WHERE bucket = $1 AND account = $2 AND held_until > {now}) AS held";

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Takes room for `file` in the place of another, for so long at most.
///
/// # Errors
/// [`Error::Quota`](crate::Error::Quota) when there is none.
pub(crate) async fn take(
    db: &Db,
    bucket: &Bucket,
    file: &File,
    goes: Option<&File>,
    lease: Duration,
) -> Result<Uuid> {
    const SQL: &str = "INSERT INTO store_room
        (id, bucket, account, files, bytes, account_bytes, held_until)
        VALUES ($1, $2, $3, $4, $5, $6, {now} + $7)";
    let (of_bucket, account) = (bucket.id.uuid(), file.account.unwrap_or_default());
    let mut tx = db.begin().await?;
    usage::hold(&mut tx, bucket.id).await?;
    let held = usage::read(tx.one(OF_BUCKET, values![of_bucket]).await?)?;
    let mine = usage::read(tx.one(OF_ACCOUNT, values![of_bucket, account]).await?)?;
    usage::would_fit(bucket, file, goes, held, mine)?;
    // What goes makes room only once it has gone.
    let more = |goes: Option<&File>| file.size.saturating_sub(goes.map_or(0, |goes| goes.size));
    let same = goes.filter(|goes| goes.account.unwrap_or_default() == account);
    let (id, files) = (Uuid::now_v7(), i64::from(goes.is_none()));
    let values = values![
        id,
        of_bucket,
        account,
        files,
        more(goes),
        more(same),
        micros(lease)
    ];
    tx.execute(SQL, values).await?;
    tx.commit().await?;
    Ok(id)
}

const END: &str = "DELETE FROM store_room WHERE id = $1";

/// What it was taken for is there, or will not come.
pub(crate) async fn give_back(db: &Db, id: Uuid) -> storage::Result<()> {
    db.execute(END, values![id]).await.map(drop)
}

/// The same in the transaction in which it comes.
pub(crate) async fn use_up(tx: &mut Tx, id: Uuid) -> storage::Result<()> {
    tx.execute(END, values![id]).await.map(drop)
}

/// Forgets what nobody has given back: who took it is gone.
pub(crate) async fn sweep(db: &Db) -> storage::Result<u64> {
    const SQL: &str = "DELETE FROM store_room WHERE held_until < {now}";
    db.execute(SQL, values![]).await
}

/// As if nobody who took room had been heard of for long; of how many.
#[cfg(test)]
pub(crate) async fn run_out(db: &Db) -> storage::Result<u64> {
    db.execute("UPDATE store_room SET held_until = 0", values![])
        .await
}
