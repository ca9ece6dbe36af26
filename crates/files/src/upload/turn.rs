//! Whose turn it is to write to an upload.
//!
//! A sender whose line broke comes back long before this side notices: the newest
//! request is the one that counts. It asks whoever holds the upload to end, and waits
//! for as long as that takes, for what came by then is to be kept. (Over several
//! replicas the database decides: a note of how far it came is refused to all but one.)

use crate::{Error, Result};
use base::UploadId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How long the newest waits for the one before it to write down what it has.
const PATIENCE: Duration = Duration::from_secs(20);

/// The uploads to which somebody writes, or wants to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<UploadId, Arc<Line>>>>);

#[derive(Debug)]
struct Line {
    free: Arc<Semaphore>,
    /// Ends the newest when a newer one comes.
    newest: Mutex<CancellationToken>,
}

/// The right to write to an upload, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Before the place, so that it is given back first.
    _permit: OwnedSemaphorePermit,
    _place: Place,
    ended: CancellationToken,
}

/// A place in the line of one upload.
#[derive(Debug)]
struct Place {
    turns: Turns,
    id: UploadId,
    line: Arc<Line>,
}

impl Turns {
    /// Ends whoever writes to the upload, and takes its place.
    ///
    /// # Errors
    /// [`Error::UploadBusy`] when it does not end in time, or a newer one came meanwhile.
    pub(crate) async fn take(&self, id: UploadId) -> Result<Turn> {
        let (place, ended) = self.stand_in_line(id);
        let free = Arc::clone(&place.line.free);
        let permit = tokio::select! {
            biased;
            () = ended.cancelled() => return Err(Error::UploadBusy),
            permit = tokio::time::timeout(PATIENCE, free.acquire_owned()) => permit,
        };
        match permit {
            Ok(Ok(permit)) => Ok(Turn {
                _permit: permit,
                _place: place,
                ended,
            }),
            _ => Err(Error::UploadBusy),
        }
    }

    /// Whether somebody writes to it.
    pub(crate) fn are_wanted(&self, id: UploadId) -> bool {
        self.lines().contains_key(&id)
    }

    fn stand_in_line(&self, id: UploadId) -> (Place, CancellationToken) {
        let line = Arc::clone(self.lines().entry(id).or_insert_with(|| {
            Arc::new(Line {
                free: Arc::new(Semaphore::new(1)),
                newest: Mutex::default(),
            })
        }));
        let ended = CancellationToken::new();
        let before = {
            let mut newest = line.newest.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *newest, ended.clone())
        };
        before.cancel();
        let turns = self.clone();
        (Place { turns, id, line }, ended)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, HashMap<UploadId, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// When a newer one wants the upload.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether a newer one wants it.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        // The table's own, and this one: nobody else is in line, and nobody can come
        // while the table is held.
        if Arc::strong_count(&self.line) <= 2 {
            lines.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_one_ends_the_older_and_waits_until_it_is_done() {
        let (turns, id) = (Turns::default(), UploadId::new());
        let first = turns.take(id).await.expect("free");
        assert!(!first.has_ended());
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(id).await }
        });
        first.ended().await;
        assert!(!second.is_finished(), "the first has not given it back");
        drop(first);
        let second = second.await.expect("no panic").expect("its turn");
        assert!(!second.has_ended());
        drop(second);
        assert!(!turns.are_wanted(id), "nothing is left of it");
    }

    #[tokio::test]
    async fn of_two_who_wait_the_newest_has_the_turn() {
        let (turns, id) = (Turns::default(), UploadId::new());
        let first = turns.take(id).await.expect("free");
        let wait = |turns: Turns| tokio::spawn(async move { turns.take(id).await });
        let second = wait(turns.clone());
        first.ended().await;
        let third = wait(turns.clone());
        let second = second.await.expect("no panic");
        assert!(matches!(second, Err(Error::UploadBusy)));
        drop(first);
        assert!(third.await.expect("no panic").is_ok());
        assert!(!turns.are_wanted(id));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let (turns, id) = (Turns::default(), UploadId::new());
        let _stuck = turns.take(id).await.expect("free");
        let refused = turns.take(id).await;
        assert!(matches!(refused, Err(Error::UploadBusy)));
        turns.take(UploadId::new()).await.expect("another is free");
    }
}
