//! An upload: a file that comes in parts, over breaks of the line, of its sender and of
//! this program.
//!
//! Where it goes and what is said of it is fixed when it begins. How much of it has come
//! is written into the database after the bytes are on the disk, so that it goes on from
//! there after any end of the process. Where the bucket lies in a store, its bytes go there
//! at once, in [`pieces`], so that any replica goes on with it. When it is whole, it becomes a file by the same
//! door as every other, all at once.
//!
//! Only one request at a time writes to an upload ([`turn`]); a newer one ends an older.

mod append;
mod checksum;
mod finish;
mod gathered;
mod join;
mod pieces;
mod turn;

pub use append::Appending;
pub use checksum::Checksum;
pub(crate) use join::Joined;
pub(crate) use pieces::Piece;
pub(crate) use turn::Turns;

use crate::bucket::{Bucket, Storage};
use crate::expect::Expect;
use crate::file::{Metadata, metadata_text};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::quota::{Counted, Wanted};
use crate::{Error, Files, Result, sql, store};
use base::{Actor, BucketId, Timestamp, UploadId};
use std::sync::Arc;
use storage::{BlobName, Mark, Tx};
use uuid::Uuid;

/// Uploads that are not done, of one user; and as many that come in parts.
pub(crate) const MOST_OPEN: usize = 10_000;

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadKind {
    /// It becomes a file.
    Whole,
    /// It becomes a part of one.
    Part,
    /// It was put together of parts.
    Joined,
}

impl UploadKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::Joined => "joined",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Whole, Self::Part, Self::Joined]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// An upload to be begun.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Where the file shall be; a part need not say.
    pub place: Option<(Arc<Bucket>, FilePath)>,
    /// Against the limits of which bucket its bytes count until they are a file's, where it
    /// does not say its place.
    pub room: Option<Arc<Bucket>>,
    /// Whether it is a part, to be put together with others later.
    pub part: bool,
    /// Its length in bytes, where it is known.
    pub length: Option<u64>,
    /// What it is said to be; nothing where nobody says.
    pub media_type: String,
    /// What is said of it.
    pub metadata: Metadata,
    /// What must be at its path in the end.
    pub expect: Expect,
    /// What its sender reads again when it asks.
    pub said: String,
}

impl NewUpload {
    /// The bucket against whose limits its bytes count.
    fn counts_in(&self) -> Option<&Arc<Bucket>> {
        let place = self.place.as_ref().map(|(bucket, _)| bucket);
        place.or(self.room.as_ref())
    }
}

/// An upload, as it stands.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id, which its sender keeps.
    pub id: UploadId,
    /// What it is for.
    pub kind: UploadKind,
    /// Whether its bytes are a file's.
    pub done: bool,
    /// Its length in bytes, once it is known.
    pub length: Option<u64>,
    /// How many bytes are there for good.
    pub received: u64,
    /// What its sender said of it.
    pub said: String,
    /// Of which parts it was put together, as its sender named them.
    pub parts: String,
    /// When it begins to be forgotten, unless somebody goes on with it.
    pub expires_at: Timestamp,
    pub(crate) bucket: Option<BucketId>,
    pub(crate) path: Option<FilePath>,
    /// The bucket against whose limits its bytes count while it is not done.
    pub(crate) counts_in: Option<BucketId>,
    pub(crate) blob: Option<BlobName>,
    pub(crate) hashes: Vec<u8>,
    /// The bucket in whose store its bytes are; nothing where they are on the disk.
    pub(crate) stored_in: Option<BucketId>,
    pub(crate) media_type: String,
    pub(crate) metadata: Metadata,
    pub(crate) expect: Expect,
    pub(crate) uploader: String,
    pub(crate) account: Uuid,
    pub(crate) created_at: Timestamp,
}

impl Upload {
    /// Whether all of it has come.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.length == Some(self.received)
    }

    /// Up to where its bytes are on the disk.
    fn mark(&self) -> Result<Mark> {
        Ok(Mark {
            name: self.blob.ok_or(Error::NoUpload)?,
            length: self.received,
            hashes: self.hashes.clone(),
        })
    }

    /// How many of its bytes count against the limits of a bucket.
    pub(crate) fn counted_in(&self, bucket: &Bucket) -> Counted {
        if self.done || self.counts_in != Some(bucket.id) {
            return Counted::default();
        }
        Counted::of_one(self.received)
    }

    fn by(&self) -> Writer {
        Writer {
            actor: Actor::recorded(self.uploader.clone()),
            account: Some(self.account),
        }
    }
}

/// Whose uploads these are.
fn account(by: &Writer) -> Uuid {
    by.account.unwrap_or_default()
}

impl Files {
    /// Begins an upload. What can be refused before its bytes come is refused here. One
    /// without bytes is done at once.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Quota`], [`Error::Precondition`],
    /// [`Error::TooManyUploads`], or what cannot be kept of what is said of it.
    pub async fn begin_upload(&self, by: &Writer, new: NewUpload) -> Result<Upload> {
        metadata_text(&new.metadata)?;
        self.allows_length(new.length.unwrap_or(0))?;
        if let Some((bucket, path)) = &new.place {
            store::is_storable(bucket, path)?;
            if !new.expect.is_nothing() {
                let there = sql::file::current(self.db(), bucket.id, path.as_str()).await?;
                new.expect.check(there.as_ref())?;
            }
        }
        if let Some(bucket) = new.counts_in() {
            let wanted = Wanted {
                path: new.place.as_ref().map(|(_, path)| path),
                account: by.account,
                bytes: new.length.unwrap_or(0),
                counted: Counted::default(),
            };
            self.check_quota(bucket, wanted).await?;
        }
        let account = account(by);
        if sql::upload::count_open(self.db(), account, MOST_OPEN).await? >= MOST_OPEN {
            return Err(Error::TooManyUploads { most: MOST_OPEN });
        }
        let stored_in = self.gathered_in(&new);
        let mark = match stored_in {
            None => Some(self.blobs().begin_partial().await?),
            Some(_) => None,
        };
        let upload = self.begun(by, new, mark.as_ref(), stored_in);
        if let Err(error) = sql::upload::insert(self.db(), &upload).await {
            if let Some(mark) = mark {
                self.discard_partial(mark.name).await;
            }
            return Err(match error {
                storage::Error::Reference => Error::NoBucket("of this upload".to_owned()),
                error => error.into(),
            });
        }
        if upload.length == Some(0) {
            return self.when_whole(upload).await;
        }
        Ok(upload)
    }

    /// In which bucket's store its bytes are gathered; nothing where that is the disk. A part
    /// that does not say where it goes is gathered where the usual bucket is.
    fn gathered_in(&self, new: &NewUpload) -> Option<BucketId> {
        let usual = || self.buckets().named(crate::DEFAULT_BUCKET);
        let place = new.place.as_ref().map(|(bucket, _)| Arc::clone(bucket));
        let bucket = place.or_else(usual)?;
        matches!(bucket.storage, Storage::S3 { .. }).then_some(bucket.id)
    }

    fn begun(
        &self,
        by: &Writer,
        new: NewUpload,
        mark: Option<&Mark>,
        stored_in: Option<BucketId>,
    ) -> Upload {
        let now = self.now();
        let counts_in = new.counts_in().map(|bucket| bucket.id);
        let (bucket, path) = new.place.map(|(bucket, path)| (bucket.id, path)).unzip();
        Upload {
            id: UploadId::new(),
            kind: if new.part {
                UploadKind::Part
            } else {
                UploadKind::Whole
            },
            done: false,
            length: new.length,
            received: 0,
            said: new.said,
            parts: String::new(),
            expires_at: now.plus(self.settings().upload_expires_in),
            bucket,
            path,
            counts_in,
            blob: mark.map(|mark| mark.name),
            hashes: mark.map(|mark| mark.hashes.clone()).unwrap_or_default(),
            stored_in,
            media_type: new.media_type,
            metadata: new.metadata,
            expect: new.expect,
            uploader: by.actor.as_str().to_owned(),
            account: account(by),
            created_at: now,
        }
    }

    /// An upload of this user. To everybody else it is not there.
    ///
    /// # Errors
    /// [`Error::NoUpload`], [`Error::UploadExpired`].
    pub async fn upload(&self, by: &Writer, id: UploadId) -> Result<Upload> {
        let found = sql::upload::with_id(self.db(), id).await?;
        let upload = found
            .filter(|upload| upload.account == account(by))
            .ok_or(Error::NoUpload)?;
        if upload.expires_at <= self.now() {
            return Err(Error::UploadExpired);
        }
        Ok(upload)
    }

    /// Where an upload goes, unless it says nothing of it or the bucket is gone.
    #[must_use]
    pub fn place_of_upload(&self, upload: &Upload) -> Option<(Arc<Bucket>, FilePath)> {
        let bucket = self.buckets().with_id(upload.bucket?)?;
        Some((bucket, upload.path.clone()?))
    }

    /// Where an upload goes, whoever's it is: for whoever has to be asked about that. A
    /// part that does not say it counts as one of the usual bucket.
    pub(crate) async fn place_of_any_upload(
        &self,
        id: UploadId,
    ) -> Result<Option<(Arc<Bucket>, String)>> {
        let Some(upload) = sql::upload::with_id(self.db(), id).await? else {
            return Ok(None);
        };
        let bucket = match upload.bucket {
            Some(bucket) => self.buckets().with_id(bucket),
            None => self.buckets().named(crate::DEFAULT_BUCKET),
        };
        let path = upload.path.as_ref().map_or("", FilePath::as_str);
        Ok(bucket.map(|bucket| (bucket, path.to_owned())))
    }

    /// How far an upload has come, for a sender that will go on from there: a request
    /// that still writes to it, and whose sender is lost perhaps, is ended. One that is
    /// whole and no file yet, as this program ended in between, becomes one.
    ///
    /// # Errors
    /// As [`Files::upload`], and [`Error::UploadBusy`].
    pub async fn settled_upload(&self, by: &Writer, id: UploadId) -> Result<Upload> {
        let upload = self.upload(by, id).await?;
        if upload.done {
            return Ok(upload);
        }
        let files = self.clone();
        let by = by.clone();
        self.in_the_background(async move {
            let _turn = files.turns().take(id).await?;
            let upload = files.upload(&by, id).await?;
            files.when_whole(upload).await
        })
        .await
    }

    /// Ends an upload, and removes what has come of it.
    ///
    /// # Errors
    /// As [`Files::upload`], and [`Error::UploadDone`].
    pub async fn terminate_upload(&self, by: &Writer, id: UploadId) -> Result<()> {
        self.upload(by, id).await?;
        let files = self.clone();
        let by = by.clone();
        self.in_the_background(async move {
            let _turn = files.turns().take(id).await?;
            let upload = files.upload(&by, id).await?;
            if upload.done {
                return Err(Error::UploadDone);
            }
            files.remove_upload(&upload).await
        })
        .await
    }

    /// Removes an upload with its bytes.
    async fn remove_upload(&self, upload: &Upload) -> Result<()> {
        self.discard_pieces(upload).await;
        sql::upload::delete(self.db(), upload.id).await?;
        if let Some(blob) = upload.blob {
            self.discard_partial(blob).await;
        }
        Ok(())
    }

    /// Removes the bytes of an upload. What cannot be removed, the sweep will.
    pub(crate) async fn discard_partial(&self, blob: BlobName) {
        if let Err(error) = self.blobs().delete_partial(blob).await {
            tracing::warn!(%error, "what came of an upload could not be removed");
        }
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    /// Refuses more of an upload than there is room for in its bucket, where it has so many
    /// bytes.
    ///
    /// # Errors
    /// [`Error::Quota`].
    async fn check_room(&self, upload: &Upload, bytes: u64) -> Result<()> {
        let bucket = upload.counts_in.and_then(|id| self.buckets().with_id(id));
        let Some(bucket) = bucket else {
            return Ok(());
        };
        let wanted = Wanted {
            path: upload.path.as_ref(),
            account: Some(upload.account),
            bytes,
            counted: upload.counted_in(&bucket),
        };
        self.check_quota(&bucket, wanted).await
    }

    /// The same of so many bytes as were noted in this transaction.
    async fn check_noted_room(&self, tx: &mut Tx, upload: &Upload, bytes: u64) -> Result<()> {
        let bucket = upload.counts_in.and_then(|id| self.buckets().with_id(id));
        let Some(bucket) = bucket else {
            return Ok(());
        };
        let noted = (upload.path.as_ref(), upload.account, bytes);
        self.check_noted(tx, &bucket, noted).await
    }

    fn allows_length(&self, length: u64) -> Result<()> {
        let most = self.settings().max_file_bytes;
        if length > most {
            return Err(Error::TooLarge { most });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
