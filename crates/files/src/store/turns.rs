//! Whose turn it is to change a path of a store: what is copied, put and noted in several
//! steps must not be mixed with the steps of another.

use crate::Result;
use base::BucketId;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Paths share these places; whoever shares one with another path waits for it, too.
const PLACES: usize = 1024;
/// How long one waits for others.
const PATIENCE: Duration = Duration::from_secs(300);

/// The turns of all paths.
#[derive(Debug)]
pub(crate) struct PathTurns {
    places: Box<[Arc<Semaphore>]>,
    hasher: RandomState,
}

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[allow(dead_code, reason = "held for its end")] Vec<OwnedSemaphorePermit>);

impl PathTurns {
    pub(super) fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| Arc::new(Semaphore::new(1))).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Waits for the turn to change all of these.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when it does not come.
    pub(super) async fn take(&self, paths: &[(BucketId, &str)]) -> Result<Turn> {
        let mut wanted: Vec<usize> = paths.iter().map(|path| self.place(path)).collect();
        // In one order for all, so that no two wait for each other.
        wanted.sort_unstable();
        wanted.dedup();
        let mut turn = Vec::with_capacity(wanted.len());
        for place in wanted {
            let place = Arc::clone(&self.places[place]).acquire_owned();
            match tokio::time::timeout(PATIENCE, place).await {
                Ok(Ok(permit)) => turn.push(permit),
                Ok(Err(_)) | Err(_) => return Err(storage::Error::Busy.into()),
            }
        }
        Ok(Turn(turn))
    }

    fn place(&self, path: &(BucketId, &str)) -> usize {
        // The remainder is below the number of places.
        #[allow(clippy::cast_possible_truncation)]
        let place = (self.hasher.hash_one(path) % PLACES as u64) as usize;
        place
    }
}
