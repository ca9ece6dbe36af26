//! The bytes of an upload whose bucket lies in a store: there at once, in pieces as they
//! come, so that any replica goes on with it, whatever its disk has.
//!
//! A piece is an object of its own under a name that is never used again; the database says
//! which pieces count. What is in the store and counts not is removed, at the latest by the
//! sweep.

use super::Upload;
use crate::store::{AT_ONCE, coming_key};
use crate::{Error, Files, Result, sql};
use base::{BucketId, Timestamp};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream, TryStreamExt};
use storage::{BlobName, ObjectError, ObjectHeaders, ObjectStore, ObjectWriter};
use uuid::Uuid;

/// The largest piece: it goes to the store at once, and so much is held in memory.
const LARGEST: u64 = 8 << 20;
/// Pieces that are read from the database at once.
const BATCH: usize = 100;

/// Bytes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where they begin in the upload.
    pub(crate) starts: u64,
    /// How many they are.
    pub(crate) size: u64,
    /// Under which name the store has them.
    pub(crate) name: BlobName,
}

/// Bytes on their way into pieces.
pub(super) struct Pieces {
    store: ObjectStore,
    bucket: BucketId,
    /// Up to where they are in pieces.
    position: u64,
    coming: Option<(BlobName, ObjectWriter)>,
    /// In the store, and not in the database yet.
    unnoted: Vec<Piece>,
}

impl Pieces {
    /// Where the next byte goes.
    pub(super) fn position(&self) -> u64 {
        let coming = self.coming.as_ref().map(|(_, writer)| writer.position());
        self.position + coming.unwrap_or(0)
    }

    /// Whether there are some that the database does not know.
    pub(super) fn are_unnoted(&self) -> bool {
        !self.unnoted.is_empty()
    }

    pub(super) async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            if self.coming.is_none() {
                let name = BlobName::from(Uuid::now_v7());
                let key = coming_key(self.bucket, name);
                let writer = self.store.writer(&key, ObjectHeaders::default());
                self.coming = Some((name, writer));
            }
            let Some((_, writer)) = &mut self.coming else {
                return Err(storage::Error::Stopped.into());
            };
            let left = LARGEST.saturating_sub(writer.position());
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            writer.write(bytes.split_to(wanted)).await?;
            if writer.position() >= LARGEST {
                self.settle().await?;
            }
        }
        Ok(())
    }

    /// Brings all that came to the store.
    pub(super) async fn settle(&mut self) -> Result<()> {
        let Some((name, writer)) = self.coming.take() else {
            return Ok(());
        };
        let sealed = writer.seal().await?;
        let piece = Piece {
            starts: self.position,
            size: sealed.size,
            name,
        };
        sealed.place().await?;
        self.position += piece.size;
        self.unnoted.push(piece);
        Ok(())
    }

    /// Has the database say that these pieces count; up to where they go. Where somebody
    /// else went on meanwhile, they are removed.
    pub(super) async fn note(
        &mut self,
        files: &Files,
        upload: &Upload,
        expires_at: Timestamp,
    ) -> Result<u64> {
        let mut tx = files.db().begin().await?;
        let moved = (upload.received, self.position);
        if !sql::upload::note_pieces(&mut tx, upload.id, moved, &self.unnoted, expires_at).await? {
            drop(tx);
            self.give_up().await;
            return Err(Error::UploadBusy);
        }
        files
            .check_noted_room(&mut tx, upload, self.position)
            .await?;
        // Whether this succeeded, nobody may know: what counts not the sweep finds.
        let noted = std::mem::take(&mut self.unnoted);
        tx.commit().await?;
        tracing::trace!(pieces = noted.len(), "pieces of an upload count");
        Ok(self.position)
    }

    /// Removes what does not count.
    pub(super) async fn give_up(&mut self) {
        self.coming = None;
        for piece in std::mem::take(&mut self.unnoted) {
            discard(&self.store, self.bucket, piece.name).await;
        }
    }
}

async fn discard(store: &ObjectStore, bucket: BucketId, name: BlobName) {
    if let Err(error) = store.delete(&coming_key(bucket, name)).await {
        tracing::warn!(%error, "a piece of an upload could not be removed from the bucket's store");
    }
}

impl Files {
    /// What takes more pieces of an upload.
    pub(super) async fn pieces_of(&self, upload: &Upload, bucket: BucketId) -> Result<Pieces> {
        Ok(Pieces {
            store: self.store_with_id(bucket).await?,
            bucket,
            position: upload.received,
            coming: None,
            unnoted: Vec::new(),
        })
    }

    /// The bytes of an upload, wherever they are.
    pub(super) async fn bytes_of(
        &self,
        upload: &Upload,
    ) -> Result<BoxStream<'static, storage::Result<Bytes>>> {
        let Some(bucket) = upload.stored_in else {
            let name = upload.blob.ok_or(Error::NoUpload)?;
            let content = self.blobs().read_partial(name).await?;
            return Ok(content.stream(0..upload.received).boxed());
        };
        let store = self.store_with_id(bucket).await?;
        let (db, id) = (self.db().clone(), upload.id);
        let batches = stream::try_unfold(None, move |after| {
            let db = db.clone();
            async move {
                let pieces = sql::upload::pieces(&db, id, after, BATCH).await?;
                let last = pieces.last().map(|piece| Some(piece.starts));
                Ok::<_, storage::Error>(last.map(|last| (stream_of(pieces), last)))
            }
        });
        let bytes = batches.try_flatten().and_then(move |piece| {
            let store = store.clone();
            async move {
                let key = coming_key(bucket, piece.name);
                let read = store.read(&key, None, None).await?;
                Ok::<_, storage::Error>(read.into_stream())
            }
        });
        Ok(bytes.try_flatten().boxed())
    }

    /// Removes the pieces of an upload that has ended. What cannot be removed, the sweep
    /// will.
    pub(super) async fn discard_pieces(&self, upload: &Upload) {
        let Some(bucket) = upload.stored_in else {
            return;
        };
        if let Err(error) = self.discard_all_pieces(upload, bucket).await {
            tracing::warn!(%error, "what came of an upload could not be removed from the bucket's store");
        }
    }

    async fn discard_all_pieces(&self, upload: &Upload, bucket: BucketId) -> Result<()> {
        let store = self.store_with_id(bucket).await?;
        loop {
            let pieces = sql::upload::pieces(self.db(), upload.id, None, BATCH).await?;
            if pieces.is_empty() {
                return Ok(());
            }
            let pieces = stream_of(pieces);
            let gone = pieces.try_for_each_concurrent(AT_ONCE, async |piece| {
                store.delete(&coming_key(bucket, piece.name)).await?;
                sql::upload::forget_piece(self.db(), piece.name).await
            });
            gone.await?;
        }
    }

    async fn store_with_id(&self, bucket: BucketId) -> Result<ObjectStore> {
        let bucket = self.bucket_with_id(bucket)?;
        let store = self.store(&bucket).await?;
        store.ok_or_else(|| Error::NoBucket(bucket.name.to_string()))
    }
}

fn stream_of(pieces: Vec<Piece>) -> BoxStream<'static, storage::Result<Piece>> {
    stream::iter(pieces.into_iter().map(Ok)).boxed()
}

/// Whether a piece is gone from the store: then the upload can never be whole.
pub(super) const fn is_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::Storage(storage::Error::Objects(ObjectError::NoObject))
    )
}
