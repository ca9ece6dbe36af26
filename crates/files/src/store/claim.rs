//! Which of several replicas changes a path of a store: a row in the database, good for a short
//! time and renewed while it is needed. While bytes go to the store it is held, and no
//! transaction and no lock of the database is.
//!
//! Two things keep whoever was held up for longer than that from doing harm. By its own
//! clock a holder knows when others may have come, and breaks off what it sends to the store
//! ([`Claim::ends`]); and in the transaction that makes a change true the database is asked
//! whether nobody has ([`Claim::keep`]).

use super::turns::Turn;
use crate::{Result, sql};
use sql::claim::Place;
use std::sync::Arc;
use std::time::Duration;
use storage::{Db, Tx};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How long a path is held for somebody of whom nothing is heard. Others wait for so long
/// where a replica crashed while it wrote there.
const LEASE: Duration = Duration::from_secs(30);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(7);
/// So long before its end nobody relies on it any more: clocks run at different paces, and
/// what was sent before may still be on its way.
const MARGIN: Duration = Duration::from_secs(8);
/// How often one looks whether others are done: at first, and after some time.
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(250);
/// How long giving it back may take.
const RELEASED: Duration = Duration::from_secs(10);

/// Some paths, claimed among all replicas. They are given back when this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    places: Arc<[Place]>,
    holder: Uuid,
    /// Until when nobody else comes, whatever happens.
    sure: watch::Receiver<Instant>,
    _end: DropGuard,
}

impl Claim {
    /// Waits for these paths, `until` then. Others of this process wait for the `turn`, which
    /// ends with the claim; so one of each process at most asks the database.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when they do not come free, or what the database says.
    pub(super) async fn take(
        db: &Db,
        tasks: &TaskTracker,
        mut places: Vec<Place>,
        turn: Turn,
        until: Instant,
    ) -> Result<Self> {
        // In one order for all, so that no two wait for each other.
        places.sort_unstable();
        places.dedup();
        let keeper = Keeper {
            db: db.clone(),
            places: places.into(),
            holder: Uuid::now_v7(),
        };
        let (sender, taken) = oneshot::channel();
        tasks.spawn(keeper.run(sender, turn, until));
        taken.await.map_err(|_| storage::Error::Stopped)?
    }

    /// Sees to it that nobody else has these paths before the transaction has ended.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when somebody else has come.
    pub(super) async fn keep(&self, tx: &mut Tx) -> storage::Result<()> {
        for place in &*self.places {
            if !sql::claim::keep(tx, place, self.holder, LEASE).await? {
                return Err(storage::Error::Busy);
            }
        }
        Ok(())
    }

    /// Waits until others may have come.
    pub(super) async fn ends(&self) {
        let mut sure = self.sure.clone();
        loop {
            let until = *sure.borrow_and_update();
            if until <= Instant::now() {
                return;
            }
            // Without a keeper nobody renews it: the time runs out.
            if let Ok(Err(_)) = tokio::time::timeout_at(until, sure.changed()).await {
                tokio::time::sleep_until(until).await;
            }
        }
    }
}

/// Who keeps a claim while somebody has it.
struct Keeper {
    db: Db,
    places: Arc<[Place]>,
    holder: Uuid,
}

impl Keeper {
    async fn run(self, taken: oneshot::Sender<Result<Claim>>, turn: Turn, until: Instant) {
        match self.take(&taken, until).await {
            Ok(until) => {
                let (sure, receiver) = watch::channel(until);
                let end = CancellationToken::new();
                let claim = Claim {
                    places: Arc::clone(&self.places),
                    holder: self.holder,
                    sure: receiver,
                    _end: end.clone().drop_guard(),
                };
                // Where nobody waits for it any more, it ends here.
                drop(taken.send(Ok(claim)));
                self.renew(&sure, &end).await;
            }
            Err(error) => drop(taken.send(Err(error))),
        }
        self.release().await;
        drop(turn);
    }

    /// Takes all of them; until when they are sure to be ours.
    async fn take(
        &self,
        waiting: &oneshot::Sender<Result<Claim>>,
        until: Instant,
    ) -> Result<Instant> {
        let mut pause = SOONEST;
        loop {
            let since = Instant::now();
            if self.take_all().await? {
                return Ok(since + (LEASE - MARGIN));
            }
            if waiting.is_closed() || Instant::now() > until {
                return Err(storage::Error::Busy.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LATEST);
        }
    }

    /// One after the other. Those that are ours already are kept.
    async fn take_all(&self) -> storage::Result<bool> {
        for place in &*self.places {
            if !sql::claim::take(&self.db, place, self.holder, LEASE).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Renews them until nobody needs them any more, or others have come.
    async fn renew(&self, sure: &watch::Sender<Instant>, end: &CancellationToken) {
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(RENEWED) => {}
            }
            let since = Instant::now();
            match self.renew_all().await {
                Ok(true) => {
                    sure.send_replace(since + (LEASE - MARGIN));
                }
                Ok(false) => {
                    tracing::warn!(
                        "another replica has taken over a path of a store that was being changed"
                    );
                    sure.send_replace(since);
                    return end.cancelled().await;
                }
                // It holds for a while yet, and may be renewed the next time.
                Err(error) => tracing::warn!(%error, "a path of a store is not held for longer"),
            }
        }
    }

    async fn renew_all(&self) -> storage::Result<bool> {
        for place in &*self.places {
            if !sql::claim::renew(&self.db, place, self.holder, LEASE).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives them back. What is not given back comes free by itself.
    async fn release(&self) {
        for place in &*self.places {
            let released = sql::claim::release(&self.db, place, self.holder);
            match tokio::time::timeout(RELEASED, released).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a path of a store is given back late"),
                Err(_) => tracing::debug!("a path of a store is given back late"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(until: Instant) -> (watch::Sender<Instant>, Claim) {
        let (sender, sure) = watch::channel(until);
        let claim = Claim {
            places: [].into(),
            holder: Uuid::nil(),
            sure,
            _end: CancellationToken::new().drop_guard(),
        };
        (sender, claim)
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_ends_when_it_was_not_renewed_or_others_came() {
        let begun = Instant::now();
        let seconds = |seconds| begun + Duration::from_secs(seconds);
        let (sender, claim) = claimed(seconds(10));
        let renewing = async {
            tokio::time::sleep_until(seconds(5)).await;
            sender.send_replace(seconds(20));
        };
        tokio::join!(claim.ends(), renewing);
        assert_eq!(Instant::now(), seconds(20));
        sender.send_replace(seconds(100));
        let taken_over = async {
            tokio::time::sleep_until(seconds(30)).await;
            sender.send_replace(begun);
        };
        tokio::join!(claim.ends(), taken_over);
        assert_eq!(Instant::now(), seconds(30));
        let (sender, claim) = claimed(seconds(40));
        drop(sender);
        claim.ends().await;
        assert_eq!(Instant::now(), seconds(40));
    }
}
