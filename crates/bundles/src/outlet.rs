//! Where an archive goes: onto the disk, or straight to who takes it.

use crate::error::{Error, Result};
use base::BundleId;
use bytes::Bytes;
use operations::Failure;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use storage::{BlobTail, BlobWriter, StoredBlob};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc, watch};

/// Pieces on their way to a taker. A piece is at most about 64 KiB, or as large as
/// what arrived from a source.
const PIECES: usize = 8;
/// How long a taker may take nothing, before the bundle is given up.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// What flows to a taker.
#[derive(Debug)]
pub(crate) enum Flow {
    /// The length that the archive will have exactly, told before its first byte.
    Length(u64),
    /// The next bytes of the archive.
    Piece(Bytes),
    /// All of it was given.
    End,
}

/// Where the bytes of an archive go.
pub(crate) enum Outlet {
    Kept(Box<BlobWriter>),
    Streamed(mpsc::Sender<Flow>),
}

impl Outlet {
    /// Sends a piece, waiting for room.
    pub(crate) async fn send(&mut self, piece: Bytes) -> Result<(), Failure> {
        match self {
            Self::Kept(blob) => Ok(blob.write(piece).await?),
            Self::Streamed(taker) => flow(taker, Flow::Piece(piece)).await,
        }
    }

    /// Promises the archive's length.
    pub(crate) async fn promise(&mut self, length: u64) -> Result<(), Failure> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Streamed(taker) => flow(taker, Flow::Length(length)).await,
        }
    }

    /// Nothing will come for a while: what is gathered becomes visible.
    pub(crate) async fn pause(&mut self) -> Result<(), Failure> {
        match self {
            Self::Kept(blob) => Ok(blob.flush().await?),
            Self::Streamed(_) => Ok(()),
        }
    }

    /// Resolves when nobody takes the archive any more, which is noticed otherwise only
    /// when there is something to send. Never for a kept one.
    pub(crate) fn abandoned(&self) -> impl Future<Output = Failure> + Send + use<> {
        let taker = match self {
            Self::Kept(_) => None,
            Self::Streamed(taker) => Some(taker.clone()),
        };
        async move {
            match taker {
                Some(taker) => taker.closed().await,
                None => std::future::pending().await,
            }
            gone_away()
        }
    }

    /// The archive is whole.
    pub(crate) async fn finish(self) -> Result<Option<StoredBlob>, Failure> {
        match self {
            Self::Kept(blob) => Ok(Some(blob.finish().await?)),
            Self::Streamed(taker) => {
                flow(&taker, Flow::End).await?;
                taken(&taker).await.map(|()| None)
            }
        }
    }
}

/// Waits until whoever takes the archive is done with it: a small one is whole before
/// anybody has come for it, and is forgotten when its operation ends.
async fn taken(taker: &mpsc::Sender<Flow>) -> Result<(), Failure> {
    let gone = tokio::time::timeout(PATIENCE, taker.closed()).await;
    gone.map_err(|_| Failure::withdrawn("Nobody took the archive for five minutes."))
}

fn gone_away() -> Failure {
    Failure::withdrawn("Who took the archive has gone away.")
}

async fn flow(taker: &mpsc::Sender<Flow>, flow: Flow) -> Result<(), Failure> {
    match tokio::time::timeout(PATIENCE, taker.send(flow)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(gone_away()),
        Err(_) => Err(Failure::withdrawn(
            "Who takes the archive took nothing for five minutes.",
        )),
    }
}

/// The archives that are being made in this process.
#[derive(Debug, Default)]
pub(crate) struct Outlets {
    entries: Mutex<HashMap<BundleId, Entry>>,
    /// Told whenever a kept one begins to grow.
    begun: Notify,
}

#[derive(Debug)]
enum Entry {
    /// A streamed one, before its operation begins.
    Promised(mpsc::Sender<Flow>, Option<mpsc::Receiver<Flow>>),
    /// A streamed one that runs and was not taken yet.
    Untaken(mpsc::Receiver<Flow>),
    /// A streamed one that was taken.
    Taken,
    /// A kept one that grows.
    Growing(BlobTail, watch::Receiver<Option<bool>>),
}

/// A growing archive, and whether it became whole.
#[derive(Debug)]
pub(crate) struct Growing {
    pub(crate) tail: BlobTail,
    pub(crate) outcome: watch::Receiver<Option<bool>>,
}

impl Outlets {
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<BundleId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises a stream, before its operation is stored.
    pub(crate) fn promise(&self, id: BundleId) {
        let (sender, receiver) = mpsc::channel(PIECES);
        self.map()
            .insert(id, Entry::Promised(sender, Some(receiver)));
    }

    /// Takes the stream of `id`. One may.
    pub(crate) fn take(&self, id: BundleId) -> Result<mpsc::Receiver<Flow>> {
        let mut map = self.map();
        match map.get_mut(&id) {
            Some(Entry::Promised(_, receiver)) => receiver.take().ok_or(Error::Taken),
            Some(Entry::Taken) => Err(Error::Taken),
            Some(entry @ Entry::Untaken(_)) => match std::mem::replace(entry, Entry::Taken) {
                Entry::Untaken(receiver) => Ok(receiver),
                _ => Err(Error::Taken),
            },
            Some(Entry::Growing(..)) | None => Err(Error::Gone),
        }
    }

    /// Whether [`Outlets::take`] would give the stream of `id`.
    pub(crate) fn can_be_taken(&self, id: BundleId) -> Result<()> {
        match self.map().get(&id) {
            Some(Entry::Promised(_, Some(_)) | Entry::Untaken(_)) => Ok(()),
            Some(Entry::Promised(_, None) | Entry::Taken) => Err(Error::Taken),
            Some(Entry::Growing(..)) | None => Err(Error::Gone),
        }
    }

    /// The operation begins: the end into which it writes.
    pub(crate) fn begin_stream(&self, id: BundleId) -> Option<mpsc::Sender<Flow>> {
        let mut map = self.map();
        match map.remove(&id)? {
            Entry::Promised(sender, receiver) => {
                map.insert(id, receiver.map_or(Entry::Taken, Entry::Untaken));
                Some(sender)
            }
            other => {
                map.insert(id, other);
                None
            }
        }
    }

    /// A kept archive begins to grow. Say the outcome through what is returned.
    pub(crate) fn begin_growing(
        &self,
        id: BundleId,
        tail: BlobTail,
    ) -> watch::Sender<Option<bool>> {
        let (sender, receiver) = watch::channel(None);
        self.map().insert(id, Entry::Growing(tail, receiver));
        self.begun.notify_waiters();
        sender
    }

    /// Resolves when the next kept archive begins to grow, whichever it is.
    pub(crate) fn begins(&self) -> Notified<'_> {
        self.begun.notified()
    }

    /// The archive that grows under `id`, from its beginning.
    pub(crate) fn growing(&self, id: BundleId) -> Option<Growing> {
        match self.map().get(&id) {
            Some(Entry::Growing(tail, outcome)) => Some(Growing {
                tail: tail.clone(),
                outcome: outcome.clone(),
            }),
            _ => None,
        }
    }

    /// Its operation has ended.
    pub(crate) fn forget(&self, id: BundleId) {
        self.map().remove(&id);
    }
}
