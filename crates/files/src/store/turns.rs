//! Whose turn it is to change a path of a store: what is copied, put and noted in several
//! steps must not be mixed with the steps of another.

use crate::Result;
use crate::sql::claim::Place;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long one waits for others, in this process and among all replicas together.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// The turns of all paths that somebody changes or wants to. Each path has its own: what is
/// large may take its time, and nobody waits for it who changes something else.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathTurns(Arc<Mutex<HashMap<Place, Line>>>);

/// Those who want one path.
#[derive(Debug)]
struct Line {
    free: Arc<Semaphore>,
    /// How many have it or wait for it.
    standing: usize,
}

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[allow(dead_code, reason = "held for its end")] Vec<Taken>);

/// One path of a turn.
#[derive(Debug)]
struct Taken {
    /// Before the place, so that it is given back first.
    _permit: OwnedSemaphorePermit,
    _standing: Standing,
}

/// A place in the line for one path.
#[derive(Debug)]
struct Standing {
    turns: PathTurns,
    place: Place,
}

impl PathTurns {
    /// Waits for the turn to change all of these, `until` then.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when it does not come.
    pub(super) async fn take(&self, places: &[Place], until: Instant) -> Result<Turn> {
        let mut wanted = places.to_vec();
        // In one order for all, so that no two wait for each other.
        wanted.sort_unstable();
        wanted.dedup();
        let mut turn = Vec::with_capacity(wanted.len());
        for place in wanted {
            let (standing, free) = self.stand(place);
            match tokio::time::timeout_at(until, free.acquire_owned()).await {
                Ok(Ok(permit)) => turn.push(Taken {
                    _permit: permit,
                    _standing: standing,
                }),
                Ok(Err(_)) | Err(_) => return Err(storage::Error::Busy.into()),
            }
        }
        Ok(Turn(turn))
    }

    fn stand(&self, place: Place) -> (Standing, Arc<Semaphore>) {
        let mut lines = self.lines();
        let line = lines.entry(place.clone()).or_insert_with(|| Line {
            free: Arc::new(Semaphore::new(1)),
            standing: 0,
        });
        line.standing += 1;
        let free = Arc::clone(&line.free);
        drop(lines);
        let turns = self.clone();
        (Standing { turns, place }, free)
    }

    /// How many have a path or wait for one.
    #[cfg(test)]
    pub(super) fn standing(&self) -> usize {
        self.lines().values().map(|line| line.standing).sum()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Place, Line>> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        let Some(line) = lines.get_mut(&self.place) else {
            return;
        };
        line.standing -= 1;
        if line.standing == 0 {
            lines.remove(&self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::BucketId;

    #[tokio::test]
    async fn a_path_has_one_at_a_time_and_others_wait_for_nobody() {
        let turns = PathTurns::default();
        let bucket = BucketId::new();
        let until = Instant::now() + PATIENCE;
        let place = |path: &str| (bucket, path.to_owned());
        let first = turns
            .take(&[place("a"), place("b"), place("a")], until)
            .await;
        let first = first.expect("free");
        for number in 0..5_000 {
            let another = turns.take(&[place(&number.to_string())], until).await;
            another.expect("nobody has it");
        }
        let both = [place("b"), place("c")];
        let mut second = Box::pin(turns.take(&both, until));
        let waits = futures::poll!(second.as_mut());
        assert!(waits.is_pending());
        drop(first);
        let second = second.await.expect("its turn");
        let mut given_up = Box::pin(turns.take(&both, until));
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        drop(given_up);
        drop(second);
        assert!(turns.lines().is_empty(), "nothing is left of them");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let turns = PathTurns::default();
        let place = |path: &str| (BucketId::from(uuid::Uuid::nil()), path.to_owned());
        let begun = Instant::now();
        let until = begun + PATIENCE;
        let first = turns.take(&[place("a")], until).await.expect("free");
        let _stuck = turns.take(&[place("b")], until).await.expect("free");
        let freed = async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(first);
        };
        let both = [place("a"), place("b")];
        let (refused, ()) = tokio::join!(turns.take(&both, until), freed);
        assert!(refused.is_err());
        assert_eq!(begun.elapsed(), PATIENCE, "for both together");
    }
}
