//! Where the bytes of an upload are gathered until it is whole: in a file on the disk, or in
//! pieces in the bucket's store.

use super::Upload;
use super::pieces::Pieces;
use crate::{Error, Files, Result, sql};
use base::Timestamp;
use bytes::Bytes;
use storage::Partial;

/// After so many bytes it is noted how far the upload has come: no more is lost by a
/// sudden end.
const NOTED_EVERY: u64 = 8 << 20;

/// Bytes that are gathered.
pub(super) enum Gathered {
    Disk(Box<Partial>),
    Store(Box<Pieces>),
}

impl Gathered {
    /// Goes on with an upload.
    pub(super) async fn open(files: &Files, upload: &Upload) -> Result<Self> {
        Ok(match upload.stored_in {
            None => Self::Disk(Box::new(files.resume(upload).await?)),
            Some(bucket) => Self::Store(Box::new(files.pieces_of(upload, bucket).await?)),
        })
    }

    /// How many bytes there are of the upload.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Disk(partial) => partial.position(),
            Self::Store(pieces) => pieces.position(),
        }
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Disk(partial) => Ok(partial.write(bytes).await?),
            Self::Store(pieces) => pieces.write(bytes).await,
        }
    }

    /// Whether there is so much after `noted` that it is time to say so.
    pub(super) fn is_much(&self, noted: u64) -> bool {
        match self {
            Self::Disk(partial) => partial.position() - noted >= NOTED_EVERY,
            Self::Store(pieces) => pieces.are_unnoted(),
        }
    }

    /// Brings all that came to where it lasts, before it is noted.
    pub(super) async fn settle(&mut self) -> Result<()> {
        match self {
            // Its note does.
            Self::Disk(_) => Ok(()),
            Self::Store(pieces) => pieces.settle().await,
        }
    }

    /// Says in the database how much lasts, where there is room for so much.
    ///
    /// # Errors
    /// [`Error::UploadBusy`] when somebody else went on with the upload, [`Error::Quota`].
    pub(super) async fn note(
        &mut self,
        files: &Files,
        upload: &mut Upload,
        expires_at: Timestamp,
    ) -> Result<()> {
        files.check_room(upload, self.position()).await?;
        match self {
            Self::Disk(partial) => {
                let mark = partial.sync().await?;
                let (id, before) = (upload.id, upload.received);
                let mut tx = files.db().begin().await?;
                if !sql::upload::note(&mut tx, id, before, &mark, expires_at).await? {
                    return Err(Error::UploadBusy);
                }
                files.check_noted_room(&mut tx, upload, mark.length).await?;
                tx.commit().await?;
                upload.received = mark.length;
                upload.hashes = mark.hashes;
            }
            Self::Store(pieces) => {
                upload.received = pieces.note(files, upload, expires_at).await?;
            }
        }
        upload.expires_at = expires_at;
        Ok(())
    }

    /// Leaves what was not noted.
    pub(super) async fn give_up(&mut self) {
        match self {
            // The next one begins at the newest note, and writes over the rest.
            Self::Disk(_) => {}
            Self::Store(pieces) => pieces.give_up().await,
        }
    }
}
