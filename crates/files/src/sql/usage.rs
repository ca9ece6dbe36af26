//! How much a bucket holds, and whether more fits.

use crate::bucket::{Bucket, Usage};
use crate::file::File;
use crate::{Error, Result};
use base::BucketId;
use storage::{Db, Row, Tx, values};
use uuid::Uuid;

/// Rows for one user in one bucket.
const SHARDS: u8 = 8;

const OF_BUCKET: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM file_usage WHERE bucket = $1";
const OF_ACCOUNT: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM file_usage
    WHERE bucket = $1 AND account = $2";

fn read(row: Option<Row>) -> storage::Result<Usage> {
    let Some(row) = row else {
        return Ok(Usage::default());
    };
    Ok(Usage {
        files: row.get("files")?,
        bytes: row.get("bytes")?,
    })
}

pub(crate) async fn of_bucket(db: &Db, bucket: BucketId) -> storage::Result<Usage> {
    read(db.one(OF_BUCKET, values![bucket.uuid()]).await?)
}

pub(crate) async fn of_account(db: &Db, bucket: BucketId, account: Uuid) -> storage::Result<Usage> {
    read(db.one(OF_ACCOUNT, values![bucket.uuid(), account]).await?)
}

/// Whether any limit is set.
pub(crate) const fn has_quota(bucket: &Bucket) -> bool {
    bucket.quota_bytes.is_some()
        || bucket.quota_files.is_some()
        || bucket.user_quota_bytes.is_some()
}

/// Whether a further file of so many bytes fits.
///
/// # Errors
/// [`Error::Quota`] when it does not.
pub(crate) fn allows(bucket: &Bucket, held: Usage, mine: Usage, bytes: u64) -> Result<()> {
    let checks = [
        ("the bucket", bucket.quota_bytes, held.bytes, bytes, "bytes"),
        ("the bucket", bucket.quota_files, held.files, 1, "files"),
        (
            "a user in the bucket",
            bucket.user_quota_bytes,
            mine.bytes,
            bytes,
            "bytes",
        ),
    ];
    for (scope, limit, there, more, unit) in checks {
        if let Some(limit) = limit
            && there.saturating_add(more) > limit
        {
            return Err(Error::Quota { scope, limit, unit });
        }
    }
    Ok(())
}

/// Whether `file` fits, so that of several who come at once not all believe so.
pub(crate) async fn check(tx: &mut Tx, bucket: &Bucket, file: &File) -> Result<()> {
    let [.., a, b, c, d, e, f, g, h] = *bucket.id.uuid().as_bytes();
    tx.lock(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
        .await?;
    let held = read(tx.one(OF_BUCKET, values![bucket.id.uuid()]).await?)?;
    let account = file.account.unwrap_or_default();
    let mine = read(
        tx.one(OF_ACCOUNT, values![bucket.id.uuid(), account])
            .await?,
    )?;
    allows(bucket, held, mine, file.size)
}

pub(crate) async fn add(tx: &mut Tx, file: &File) -> storage::Result<()> {
    change(tx, file, 1, i64::try_from(file.size).unwrap_or(i64::MAX)).await
}

pub(crate) async fn subtract(tx: &mut Tx, file: &File) -> storage::Result<()> {
    change(tx, file, -1, -i64::try_from(file.size).unwrap_or(i64::MAX)).await
}

async fn change(tx: &mut Tx, file: &File, files: i64, bytes: i64) -> storage::Result<()> {
    const SQL: &str = "INSERT INTO file_usage (bucket, account, shard, files, bytes)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (bucket, account, shard)
        DO UPDATE SET files = file_usage.files + $4, bytes = file_usage.bytes + $5";
    let shard = file.id.uuid().as_bytes()[15] % SHARDS;
    tx.execute(
        SQL,
        values![
            file.bucket.uuid(),
            file.account.unwrap_or_default(),
            u32::from(shard),
            files,
            bytes,
        ],
    )
    .await
    .map(drop)
}
