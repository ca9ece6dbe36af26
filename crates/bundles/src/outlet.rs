//! Where an archive goes: onto the disk, or straight to who takes it.

mod taker;

pub(crate) use taker::{Flow, Taker};

use crate::error::{Error, Result};
use base::BundleId;
use bytes::Bytes;
use operations::Failure;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use storage::{BlobTail, BlobWriter, StoredBlob};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc, watch};

/// Pieces on their way to a taker. A piece is at most about 64 KiB, or as large as
/// what arrived from a source.
const PIECES: usize = 4;
/// How long a stream stays promised whose operation neither begins nor ends here.
const PROMISED: Duration = Duration::from_secs(3600);

/// Where the bytes of an archive go.
pub(crate) enum Outlet {
    Kept(Box<BlobWriter>),
    Streamed(Taker),
}

impl Outlet {
    /// Sends a piece, waiting for room.
    pub(crate) async fn send(&mut self, piece: Bytes) -> Result<(), Failure> {
        match self {
            Self::Kept(blob) => Ok(blob.write(piece).await?),
            Self::Streamed(taker) => taker.give(Flow::Piece(piece)).await,
        }
    }

    /// Promises the archive's length.
    pub(crate) async fn promise(&mut self, length: u64) -> Result<(), Failure> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Streamed(taker) => taker.give(Flow::Length(length)).await,
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
            Self::Streamed(taker) => Some(taker.clone_sender()),
        };
        async move {
            match taker {
                Some(taker) => taker.closed().await,
                None => std::future::pending().await,
            }
            taker::gone_away()
        }
    }

    /// The archive is whole.
    pub(crate) async fn finish(self) -> Result<Option<StoredBlob>, Failure> {
        match self {
            Self::Kept(blob) => Ok(Some(blob.finish().await?)),
            Self::Streamed(taker) => taker.end().await.map(|()| None),
        }
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
    /// A streamed one, before its operation begins, since when.
    Promised(mpsc::Sender<Flow>, Option<mpsc::Receiver<Flow>>, Instant),
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
        self.promise_at(id, Instant::now());
    }

    fn promise_at(&self, id: BundleId, now: Instant) {
        let (sender, receiver) = mpsc::channel(PIECES);
        let mut map = self.map();
        // Those whose operation was ended before it began, while nobody waited for it.
        map.retain(|_, entry| match entry {
            Entry::Promised(_, _, since) => now.duration_since(*since) < PROMISED,
            Entry::Untaken(_) | Entry::Taken | Entry::Growing(..) => true,
        });
        map.insert(id, Entry::Promised(sender, Some(receiver), now));
    }

    /// Takes the stream of `id`. One may.
    pub(crate) fn take(&self, id: BundleId) -> Result<mpsc::Receiver<Flow>> {
        let mut map = self.map();
        match map.get_mut(&id) {
            Some(Entry::Promised(_, receiver, _)) => receiver.take().ok_or(Error::Taken),
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
            Some(Entry::Promised(_, Some(_), _) | Entry::Untaken(_)) => Ok(()),
            Some(Entry::Promised(_, None, _) | Entry::Taken) => Err(Error::Taken),
            Some(Entry::Growing(..)) | None => Err(Error::Gone),
        }
    }

    /// The operation begins: the end into which it writes.
    pub(crate) fn begin_stream(&self, id: BundleId) -> Option<mpsc::Sender<Flow>> {
        let mut map = self.map();
        match map.remove(&id)? {
            Entry::Promised(sender, receiver, _) => {
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

    /// Forgets `id` when it is dropped, however its operation ends.
    pub(crate) fn until_dropped(&self, id: BundleId) -> Forgetting<'_> {
        Forgetting { outlets: self, id }
    }
}

/// See [`Outlets::until_dropped`].
#[derive(Debug)]
#[must_use = "it forgets as soon as it is dropped"]
pub(crate) struct Forgetting<'a> {
    outlets: &'a Outlets,
    id: BundleId,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.outlets.forget(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> BundleId {
        BundleId::from(base::OperationId::new())
    }

    #[test]
    fn what_is_forgotten_is_gone_however_the_work_ends() {
        let outlets = Outlets::default();
        let id = id();
        outlets.promise(id);
        let forgetting = outlets.until_dropped(id);
        assert!(outlets.take(id).is_ok());
        drop(forgetting);
        assert!(matches!(outlets.take(id), Err(Error::Gone)));
        assert!(outlets.map().is_empty());
    }

    #[test]
    fn promises_that_nothing_became_of_are_forgotten_in_time() {
        let outlets = Outlets::default();
        let begun = Instant::now();
        outlets.promise_at(id(), begun);
        outlets.promise_at(id(), begun);
        assert_eq!(outlets.map().len(), 2);
        outlets.promise_at(id(), begun + PROMISED);
        assert_eq!(outlets.map().len(), 1);
    }
}
