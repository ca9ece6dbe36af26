//! Whether more fits into a bucket with limits, asked before it comes. When it counts it is
//! asked once more, as others may have come first, and then of everybody one by one: of a file
//! when it comes to its place, of what becomes a file when it is noted that it has come.

use crate::bucket::{Bucket, Usage};
use crate::file::File;
use crate::path::FilePath;
use crate::{Files, Result, sql};
use storage::Tx;
use uuid::Uuid;

/// What is to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Where, if that is known: what lies there goes for it.
    pub(crate) path: Option<&'a FilePath>,
    /// Whose it will be.
    pub(crate) account: Option<Uuid>,
    /// How many bytes it will have.
    pub(crate) bytes: u64,
    /// How many of them have come.
    pub(crate) counted: Counted,
}

impl Wanted<'_> {
    /// Whether it fits beside what there is of the bucket, and of the user in it, in the place
    /// of what goes for it.
    fn fits(
        self,
        bucket: &Bucket,
        (held, mine): (Usage, Usage),
        goes: Option<&File>,
    ) -> Result<()> {
        let (mut held, mut mine) = self.counted.out_of(held, mine);
        if let Some(goes) = goes {
            held.files = held.files.saturating_sub(1);
            held.bytes = held.bytes.saturating_sub(goes.size);
            if goes.account == self.account {
                mine.bytes = mine.bytes.saturating_sub(goes.size);
            }
        }
        sql::usage::allows(bucket, held, mine, self.bytes)
    }
}

/// Bytes that have come and are no file yet: they count already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// In the bucket.
    pub(crate) of_bucket: u64,
    /// Of the user whose the file will be.
    pub(crate) of_account: u64,
}

impl Counted {
    /// All of that user.
    pub(crate) const fn of_one(bytes: u64) -> Self {
        Self {
            of_bucket: bytes,
            of_account: bytes,
        }
    }

    /// What there is of the bucket, and of the user in it, without them.
    pub(crate) const fn out_of(self, mut held: Usage, mut mine: Usage) -> (Usage, Usage) {
        held.bytes = held.bytes.saturating_sub(self.of_bucket);
        mine.bytes = mine.bytes.saturating_sub(self.of_account);
        (held, mine)
    }
}

impl Files {
    /// Refuses at once what would not fit.
    ///
    /// # Errors
    /// [`Error::Quota`](crate::Error::Quota).
    pub(crate) async fn check_quota(&self, bucket: &Bucket, wanted: Wanted<'_>) -> Result<()> {
        if !sql::usage::has_quota(bucket) {
            return Ok(());
        }
        let db = self.db();
        let held = sql::usage::against_bucket(db, bucket.id).await?;
        let mine = match wanted.account {
            Some(account) => sql::usage::against_account(db, bucket.id, account).await?,
            None => Usage::default(),
        };
        let goes = match wanted.path {
            Some(path) if !bucket.versions => {
                sql::file::current(db, bucket.id, path.as_str()).await?
            }
            _ => None,
        };
        wanted.fits(bucket, (held, mine), goes.as_ref())
    }

    /// Refuses what was noted in this transaction and is more than there is room for. Nobody
    /// else notes anything in the bucket before it has ended.
    ///
    /// # Errors
    /// [`Error::Quota`](crate::Error::Quota).
    pub(crate) async fn check_noted(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        (path, account, bytes): (Option<&FilePath>, Uuid, u64),
    ) -> Result<()> {
        if !sql::usage::has_quota(bucket) {
            return Ok(());
        }
        sql::usage::hold(tx, bucket.id).await?;
        let counts = sql::usage::against(tx, bucket.id, account).await?;
        let goes = match path {
            Some(path) if !bucket.versions => {
                sql::file::current_in(tx, bucket.id, path.as_str()).await?
            }
            _ => None,
        };
        let noted = Wanted {
            path,
            account: Some(account),
            bytes,
            counted: Counted::of_one(bytes),
        };
        noted.fits(bucket, counts, goes.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_is_taken_out_of_the_bucket_and_of_its_user() {
        let of = |bytes| Usage { files: 2, bytes };
        let counted = Counted {
            of_bucket: 4,
            of_account: 3,
        };
        assert_eq!(counted.out_of(of(10), of(5)), (of(6), of(2)));
        let (held, mine) = Counted::of_one(7).out_of(of(10), of(5));
        assert_eq!((held, mine), (of(3), of(0)));
    }
}
