//! How much a bucket holds, what counts against its limits, and whether more fits.

use crate::bucket::{Bucket, Usage};
use crate::file::File;
use crate::sql::{places, portions};
use crate::{Error, Result};
use base::BucketId;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use storage::{Db, Row, Tx, values};
use uuid::Uuid;

/// Rows for one user in one bucket.
const SHARDS: u8 = 8;

const OF_BUCKET: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM file_usage WHERE bucket = $1";

/// What counts against the limits of a bucket: its files, what is on its way into its store,
/// and what has come of uploads and in parts. All of one moment, as what becomes a file leaves
/// the one and comes to the other at once.
const AGAINST_BUCKET: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM (
    SELECT files, bytes FROM file_usage WHERE bucket = $1
    UNION ALL
    SELECT files, bytes FROM store_room WHERE bucket = $1 AND held_until > {now}
    UNION ALL
    SELECT 0 AS files, received AS bytes FROM upload WHERE counts_in = $1 AND state = 'open'
    UNION ALL
    SELECT 0 AS files, bytes FROM parted WHERE bucket = $1) AS held";
/// The same of one user.
const AGAINST_ACCOUNT: &str = "SELECT CAST(COALESCE(SUM(files), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM (
    SELECT files, bytes FROM file_usage WHERE bucket = $1 AND account = $2
    UNION ALL
    SELECT files, account_bytes AS bytes FROM store_room
    WHERE bucket = $1 AND account = $2 AND held_until > {now}
    UNION ALL
    SELECT 0 AS files, received AS bytes FROM upload
    WHERE counts_in = $1 AND account = $2 AND state = 'open'
    UNION ALL
    SELECT 0 AS files, bytes FROM parted WHERE bucket = $1 AND account = $2) AS held";

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

/// What counts against the limits of a bucket.
pub(crate) async fn against_bucket(db: &Db, bucket: BucketId) -> storage::Result<Usage> {
    read(db.one(AGAINST_BUCKET, values![bucket.uuid()]).await?)
}

/// What of that is of one user.
pub(crate) async fn against_account(
    db: &Db,
    bucket: BucketId,
    account: Uuid,
) -> storage::Result<Usage> {
    let values = values![bucket.uuid(), account];
    read(db.one(AGAINST_ACCOUNT, values).await?)
}

/// Both, within a transaction.
pub(crate) async fn against(
    tx: &mut Tx,
    bucket: BucketId,
    account: Uuid,
) -> storage::Result<(Usage, Usage)> {
    let held = read(tx.one(AGAINST_BUCKET, values![bucket.uuid()]).await?)?;
    let values = values![bucket.uuid(), account];
    let mine = read(tx.one(AGAINST_ACCOUNT, values).await?)?;
    Ok((held, mine))
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

/// Whether `file` fits in the place of another, where so much is held.
///
/// # Errors
/// [`Error::Quota`] when it does not.
pub(super) fn would_fit(
    bucket: &Bucket,
    file: &File,
    goes: Option<&File>,
    held: Usage,
    mine: Usage,
) -> Result<()> {
    let account = file.account.unwrap_or_default();
    let mut tally = Tally {
        held,
        of_accounts: HashMap::from([(account, mine)]),
        ..Tally::default()
    };
    if let Some(goes) = goes {
        tally.subtract(goes);
    }
    tally.allows(bucket, file)
}

/// Has others wait who want to know whether something fits, until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, bucket: BucketId) -> storage::Result<()> {
    let [.., a, b, c, d, e, f, g, h] = *bucket.uuid().as_bytes();
    tx.lock(i64::from_be_bytes([a, b, c, d, e, f, g, h])).await
}

/// Whether `file` fits, so that of several who come at once not all believe so.
pub(crate) async fn check(tx: &mut Tx, bucket: &Bucket, file: &File) -> Result<()> {
    hold(tx, bucket.id).await?;
    let account = file.account.unwrap_or_default();
    let (held, mine) = against(tx, bucket.id, account).await?;
    allows(bucket, held, mine, file.size)
}

pub(crate) async fn add(tx: &mut Tx, file: &File) -> storage::Result<()> {
    let mut tally = Tally::default();
    tally.add(file);
    tally.keep(tx, file.bucket).await
}

pub(crate) async fn subtract(tx: &mut Tx, file: &File) -> storage::Result<()> {
    let mut tally = Tally::default();
    tally.subtract(file);
    tally.keep(tx, file.bucket).await
}

/// What changes of how much a bucket holds, and, where there are limits, what counted before.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    held: Usage,
    of_accounts: HashMap<Uuid, Usage>,
    /// Files and bytes of an account and a shard.
    changes: BTreeMap<(Uuid, u8), (i64, i64)>,
}

impl Tally {
    /// Sees to it that nobody else changes what a bucket with limits holds, and asks what
    /// that is.
    pub(crate) async fn of_limited(
        tx: &mut Tx,
        bucket: BucketId,
        accounts: impl Iterator<Item = Uuid>,
    ) -> storage::Result<Self> {
        hold(tx, bucket).await?;
        let mut tally = Self {
            held: read(tx.one(AGAINST_BUCKET, values![bucket.uuid()]).await?)?,
            ..Self::default()
        };
        for account in accounts {
            if let Entry::Vacant(of_account) = tally.of_accounts.entry(account) {
                let values = values![bucket.uuid(), account];
                of_account.insert(read(tx.one(AGAINST_ACCOUNT, values).await?)?);
            }
        }
        Ok(tally)
    }

    pub(crate) fn add(&mut self, file: &File) {
        self.change(file, 1, i64::try_from(file.size).unwrap_or(i64::MAX));
    }

    pub(crate) fn subtract(&mut self, file: &File) {
        self.change(file, -1, -i64::try_from(file.size).unwrap_or(i64::MAX));
    }

    fn change(&mut self, file: &File, files: i64, bytes: i64) {
        let shard = file.id.uuid().as_bytes()[15] % SHARDS;
        let account = file.account.unwrap_or_default();
        let changed = self.changes.entry((account, shard)).or_default();
        changed.0 = changed.0.saturating_add(files);
        changed.1 = changed.1.saturating_add(bytes);
    }

    /// What is held by now, of all accounts or of one.
    fn now(&self, held: Usage, mine: impl Fn(Uuid) -> bool) -> Usage {
        let changes = self.changes.iter();
        let changes = changes.filter(|((account, _), _)| mine(*account));
        changes.fold(held, |held, (_, (files, bytes))| Usage {
            files: held.files.saturating_add_signed(*files),
            bytes: held.bytes.saturating_add_signed(*bytes),
        })
    }

    /// Whether `file` fits, with all that came before it.
    ///
    /// # Errors
    /// [`Error::Quota`] when it does not.
    pub(crate) fn allows(&self, bucket: &Bucket, file: &File) -> Result<()> {
        let account = file.account.unwrap_or_default();
        let mine = self.of_accounts.get(&account).copied().unwrap_or_default();
        let held = self.now(self.held, |_| true);
        let mine = self.now(mine, |of| of == account);
        allows(bucket, held, mine, file.size)
    }

    /// Writes down what has changed, always in the same order, so that no two wait for each
    /// other.
    pub(crate) async fn keep(self, tx: &mut Tx, bucket: BucketId) -> storage::Result<()> {
        let changes: Vec<_> = self.changes.into_iter().collect();
        for changes in portions(&changes) {
            let sql = format!(
                "INSERT INTO file_usage (bucket, account, shard, files, bytes) VALUES {}
                ON CONFLICT (bucket, account, shard) DO UPDATE SET
                files = file_usage.files + excluded.files,
                bytes = file_usage.bytes + excluded.bytes",
                places(changes.len(), 5, 0)
            );
            let mut values = Vec::with_capacity(changes.len() * 5);
            for ((account, shard), (files, bytes)) in changes {
                let shard = u32::from(*shard);
                values.extend(values![bucket.uuid(), *account, shard, *files, *bytes]);
            }
            tx.execute(sql, values).await?;
        }
        Ok(())
    }
}
