//! The end of an upload: it becomes a file, or it is forgotten.

use super::{Upload, UploadKind, pieces};
use crate::bucket::Bucket;
use crate::put::{Along, Came, NewFile, Uncommitted, described};
use crate::{Error, Files, Result, sniff, sql};
use base::{Timestamp, UploadId};
use futures::TryStreamExt;
use std::sync::Arc;
use std::time::Duration;
use storage::{BlobName, Partial};

impl Files {
    /// Makes a file of an upload of which all has come, once. Its turn is held by the
    /// caller.
    pub(super) async fn when_whole(&self, mut upload: Upload) -> Result<Upload> {
        if upload.kind != UploadKind::Whole || upload.done || !upload.is_whole() {
            return Ok(upload);
        }
        let Some((bucket, path)) = self.place_of_upload(&upload) else {
            self.remove_upload(&upload).await?;
            return Err(Error::NoUpload);
        };
        let new = NewFile {
            media_type: Some(upload.media_type.clone()),
            metadata: upload.metadata.clone(),
            expect: upload.expect.clone(),
            ..NewFile::at(path)
        };
        if upload.stored_in.is_some() {
            self.place_pieces(&bucket, new, &upload).await?;
        } else {
            self.place_partial(&bucket, new, &upload).await?;
        }
        upload.done = true;
        upload.blob = None;
        Ok(upload)
    }

    /// Makes a file of what was gathered on the disk, where its bucket is, too.
    async fn place_partial(&self, bucket: &Bucket, new: NewFile, upload: &Upload) -> Result<()> {
        let partial = self.resume(upload).await?;
        let beginning = partial.beginning(sniff::LOOK).await?;
        let stored = partial.finish().await?;
        let (came, blob) = (Came::of(&stored), Some(stored.name));
        let along = Along::Upload(upload.id);
        let file = described(self, bucket, &upload.by(), &new, &came, blob, beginning).await;
        let placed = self
            .commit_along(bucket, file, &new.expect, None, along.into())
            .await;
        match placed {
            Ok(_) => Ok(()),
            Err(Uncommitted::Certainly(error)) if is_for_good(&error) => {
                sql::upload::delete(self.db(), upload.id).await?;
                self.discard(stored.name).await;
                Err(error)
            }
            // It is all there still, and whoever asks next tries it again.
            Err(Uncommitted::Certainly(error) | Uncommitted::Perhaps(error)) => Err(error),
        }
    }

    /// Makes a file of what was gathered in the bucket's store.
    async fn place_pieces(
        &self,
        bucket: &Arc<Bucket>,
        mut new: NewFile,
        upload: &Upload,
    ) -> Result<()> {
        new.promised.length = Some(upload.received);
        match self.put_pieces(bucket, new, upload).await {
            Ok(()) => {
                self.discard_pieces(upload).await;
                Ok(())
            }
            Err(error) if pieces::is_lost(&error) => {
                tracing::error!(upload = %upload.id, "the bytes of an upload are gone from the bucket's store");
                self.remove_upload(upload).await?;
                Err(Error::NoUpload)
            }
            Err(error) if is_for_good(&error) => {
                self.remove_upload(upload).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn put_pieces(&self, bucket: &Arc<Bucket>, new: NewFile, upload: &Upload) -> Result<()> {
        let along = Along::Upload(upload.id);
        let mut incoming = self.put_along(bucket, upload.by(), new, along).await?;
        let mut bytes = self.bytes_of(upload).await?;
        while let Some(bytes) = bytes.try_next().await? {
            incoming.write(bytes).await?;
        }
        incoming.finish().await.map(drop)
    }

    /// The bytes of an upload, to go on with. One whose bytes are lost is forgotten.
    pub(super) async fn resume(&self, upload: &Upload) -> Result<Partial> {
        match self.blobs().resume_partial(&upload.mark()?).await {
            Ok(partial) => Ok(partial),
            Err(storage::Error::NoBlob) => {
                tracing::error!(upload = %upload.id, "the bytes of an upload are gone");
                self.remove_upload(upload).await?;
                Err(Error::NoUpload)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets the next uploads that have expired; the last of those that were looked
    /// at, and how many were forgotten.
    pub(crate) async fn expire_uploads(
        &self,
        after: Option<(Timestamp, UploadId)>,
        limit: usize,
    ) -> Result<(Option<(Timestamp, UploadId)>, u64)> {
        let expired = sql::upload::expired(self.db(), self.now(), after, limit).await?;
        let mut forgotten = 0;
        let mut last = None;
        for upload in expired {
            let id = upload.id;
            last = Some((upload.expires_at, id));
            // Somebody goes on with it at this very moment.
            if self.turns().are_wanted(id)
                || !sql::upload::expires(self.db(), id, self.now()).await?
            {
                continue;
            }
            forgotten += 1;
            self.remove_upload(&upload).await?;
        }
        Ok((last, forgotten))
    }

    /// Removes bytes of uploads that no upload names, untouched for `age`: what a crash
    /// left. How many there were.
    pub(crate) async fn sweep_partial(&self, age: Duration) -> Result<u64> {
        let mut removed = 0;
        for name in self.blobs().list_partial(age).await? {
            removed += u64::from(self.sweep_one(name).await?);
        }
        Ok(removed)
    }

    async fn sweep_one(&self, name: BlobName) -> Result<bool> {
        if sql::upload::names(self.db(), name).await? {
            return Ok(false);
        }
        Ok(self.blobs().delete_partial(name).await?)
    }
}

/// Whether it would be refused again; or else it is the database that failed. Where the
/// upload is not open any more, its bytes are a file's perhaps.
const fn is_for_good(error: &Error) -> bool {
    !matches!(
        error,
        Error::Storage(_) | Error::Access(_) | Error::Operations(_) | Error::NoUpload
    )
}
