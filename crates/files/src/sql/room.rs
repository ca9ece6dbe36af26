//! Room in buckets with limits for contents on their way into a store. All times are by the
//! clock of the database, for the clocks of replicas need not agree.

use super::usage;
use crate::Result;
use crate::bucket::Bucket;
use crate::file::File;
use crate::quota::Counted;
use std::time::Duration;
use storage::{Db, Tx, values};
use uuid::Uuid;

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Takes room for `file` in the place of another, for so long at most, beside what has come
/// of it and counts already.
///
/// # Errors
/// [`Error::Quota`](crate::Error::Quota) when there is none.
pub(crate) async fn take(
    db: &Db,
    bucket: &Bucket,
    file: &File,
    goes: Option<&File>,
    counted: Counted,
    lease: Duration,
) -> Result<Uuid> {
    const SQL: &str = "INSERT INTO store_room
        (id, bucket, account, files, bytes, account_bytes, held_until)
        VALUES ($1, $2, $3, $4, $5, $6, {now} + $7)";
    let (of_bucket, account) = (bucket.id.uuid(), file.account.unwrap_or_default());
    let mut tx = db.begin().await?;
    usage::hold(&mut tx, bucket.id).await?;
    let (held, mine) = usage::against(&mut tx, bucket.id, account).await?;
    let (held, mine) = counted.out_of(held, mine);
    usage::would_fit(bucket, file, goes, held, mine)?;
    // What goes makes room only once it has gone, and so does what has come.
    let more = |goes: Option<&File>, counted: u64| {
        let goes = goes.map_or(0, |goes| goes.size);
        file.size.saturating_sub(goes).saturating_sub(counted)
    };
    let same = goes.filter(|goes| goes.account.unwrap_or_default() == account);
    let (id, files) = (Uuid::now_v7(), i64::from(goes.is_none()));
    let values = values![
        id,
        of_bucket,
        account,
        files,
        more(goes, counted.of_bucket),
        more(same, counted.of_account),
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
