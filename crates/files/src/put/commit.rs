//! Making a file the current one at its path, in one transaction with all that ends or
//! makes room at the same moment.

use super::place::{Coming, Placing};
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::file::File;
use crate::presign::{LinkError, Once};
use crate::quota::Counted;
use crate::store::{Aside, Held, Room};
use crate::upload::Joined;
use crate::{Error, Files, Result, sql, words};
use base::{PartedId, UploadId};
use std::sync::Arc;
use storage::{BlobName, Tx};
use uuid::Uuid;

/// What ends in the moment in which a file comes to its place.
#[derive(Clone, Debug)]
pub(crate) enum Along {
    /// Nothing.
    Nothing,
    /// The upload that it came by.
    Upload(UploadId),
    /// The uploads that it was put together of.
    Joined(Arc<Joined>),
    /// What came of it in parts.
    Parts(PartedId),
    /// The use of a signature that is good for one.
    Signature(Once),
}

/// What belongs to a content that comes to its place.
pub(crate) struct Beside<'a> {
    /// What ends at the same moment.
    pub(crate) along: Along,
    /// Where what is there was copied to.
    pub(crate) aside: Option<&'a Aside>,
    /// The turn at its path, where its bytes lie in a store.
    pub(crate) held: Option<&'a Held>,
    /// What it may take up of a bucket with limits, where that was asked before.
    pub(crate) room: Option<&'a Room>,
}

impl From<Along> for Beside<'_> {
    fn from(along: Along) -> Self {
        Self {
            along,
            aside: None,
            held: None,
            room: None,
        }
    }
}

impl Along {
    /// Refuses at once what could not end any more.
    ///
    /// # Errors
    /// What [`end`](Self::end) would say.
    pub(crate) async fn check(&self, files: &Files) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Upload(upload) => match sql::upload::with_id(files.db(), *upload).await? {
                Some(upload) if !upload.done => Ok(()),
                _ => Err(Error::NoUpload),
            },
            Self::Joined(joined) => joined.check(files).await,
            Self::Parts(parted) => match sql::parted::came(files.db(), *parted).await? {
                Some(_) => Ok(()),
                None => Err(Error::NoParted),
            },
            Self::Signature(once) => files.not_used(*once).await,
        }
    }

    /// How much of it has come, and counts against the limits of a bucket until it ends.
    pub(crate) async fn counted(
        &self,
        files: &Files,
        bucket: &Bucket,
        account: Option<Uuid>,
    ) -> Result<Counted> {
        if !sql::usage::has_quota(bucket) {
            return Ok(Counted::default());
        }
        match self {
            Self::Nothing | Self::Signature(_) => Ok(Counted::default()),
            Self::Upload(upload) => {
                let upload = sql::upload::with_id(files.db(), *upload).await?;
                Ok(upload.map_or_else(Counted::default, |upload| upload.counted_in(bucket)))
            }
            Self::Joined(joined) => Ok(joined.counted_in(bucket)),
            Self::Parts(parted) => {
                let came = sql::parted::came(files.db(), *parted).await?;
                let (of, bytes) = came.ok_or(Error::NoParted)?;
                let is_theirs = of == account.unwrap_or_default();
                Ok(Counted {
                    of_bucket: bytes,
                    of_account: if is_theirs { bytes } else { 0 },
                })
            }
        }
    }

    async fn end(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Upload(upload) if sql::upload::end(tx, *upload).await? => Ok(()),
            Self::Upload(_) => Err(Error::NoUpload),
            Self::Joined(joined) => joined.end(tx).await,
            Self::Parts(parted) if sql::parted::end(tx, *parted).await? => Ok(()),
            Self::Parts(_) => Err(Error::NoParted),
            Self::Signature(once) if sql::signature::use_up(tx, once.id, once.expires).await? => {
                Ok(())
            }
            Self::Signature(_) => Err(LinkError::Used.into()),
        }
    }
}

/// Why a change is not in the database.
#[derive(Debug)]
pub(crate) enum Uncommitted {
    /// It is not.
    Certainly(Error),
    /// The database did not say whether it is.
    Perhaps(Error),
}

impl Uncommitted {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Certainly(error) | Self::Perhaps(error) => error,
        }
    }
}

impl<E: Into<Error>> From<E> for Uncommitted {
    fn from(error: E) -> Self {
        Self::Certainly(error.into())
    }
}

impl Files {
    /// Makes `file` the current one at its path. A copy needs its `source` to be there
    /// still, for the bytes are the same.
    pub(crate) async fn commit(
        &self,
        bucket: &Bucket,
        file: File,
        expect: &Expect,
        source: Option<&File>,
    ) -> Result<File, Uncommitted> {
        let beside = Along::Nothing.into();
        self.commit_along(bucket, file, expect, source, beside)
            .await
    }

    /// The same with what belongs to it.
    pub(crate) async fn commit_along(
        &self,
        bucket: &Bucket,
        file: File,
        expect: &Expect,
        source: Option<&File>,
        beside: Beside<'_>,
    ) -> Result<File, Uncommitted> {
        let mut places = vec![(bucket.id, file.path.as_str())];
        places.extend(source.map(|source| (source.bucket, source.path.as_str())));
        let mut tx = self.alter_held(&places, beside.held).await?;
        beside.along.end(&mut tx).await?;
        if let Some(room) = beside.room {
            room.use_up(&mut tx).await?;
        }
        if let Some(source) = source
            && !sql::file::hold(&mut tx, source.id).await?
        {
            return Err(Error::NoFile(source.path.clone()).into());
        }
        let coming = Coming {
            bucket,
            file,
            expect,
            aside: beside.aside,
            granted: beside.room.is_some(),
        };
        let mut placed = self.place_all(&mut tx, vec![coming]).await?;
        let outcome = placed.outcomes.pop();
        let placing = outcome.ok_or(storage::Error::Stopped)??;
        let committed = tx.commit(placed.to_tell).await;
        committed.map_err(|error| Uncommitted::Perhaps(error.into()))?;
        Ok(self.replaced(placing).await)
    }

    /// A file that is at its place for good, after what it replaced is removed.
    pub(super) async fn replaced(&self, (file, unused): Placing) -> File {
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        file
    }

    /// What lies at a path makes room for something else there. Its bytes, where it does
    /// not stay as a version.
    pub(crate) async fn displace(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        there: &File,
        by: &str,
        aside: Option<&Aside>,
    ) -> Result<Option<BlobName>> {
        sql::word::remove(tx, there.bucket, there.path.as_str()).await?;
        if bucket.versions {
            let object = Aside::of(aside, there)?;
            sql::file::retire(tx, there.id, "old", (by, self.now()), object).await?;
            return Ok(None);
        }
        sql::file::delete(tx, there.id).await?;
        sql::usage::subtract(tx, there).await?;
        Ok(there.blob)
    }

    /// Removes bytes that nothing names any more. What cannot be removed, the sweep will.
    pub(crate) async fn discard(&self, blob: BlobName) {
        if let Err(error) = self.blobs().delete(blob).await {
            tracing::warn!(%error, "stored content could not be removed");
        }
    }
}

/// Notes the words by which a current file is found.
pub(crate) async fn index(tx: &mut Tx, file: &File) -> storage::Result<()> {
    let words = words::of_file(&file.path, &file.metadata);
    sql::word::add(tx, file.bucket, &[(file.path.as_str(), words)]).await
}
