//! What happens to files, for those who watch: in the order of its numbers, without a gap,
//! for a day or the newest hundred thousand.
//!
//! While somebody follows, one task numbers what was committed, reads it and keeps the
//! newest in a ring. It is woken by this process's own changes, by other replicas over the
//! bus, and by a slow tick for what a lost message would have told. Who is behind the ring
//! reads from the database; who is behind that is told that it has missed something.

mod arrivals;
mod follower;

pub use arrivals::{Arrival, Arrivals};

use crate::sql::feed::Numbered;
use crate::{Files, Result, sql};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::{Bus, BusEvent, Db, Dialect};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// The bus topic.
const TOPIC: &str = "files";
/// Changes kept in memory.
const RING: usize = 1024;
/// Changes read at once.
const BATCH: usize = 256;
/// Changes numbered at once.
const NUMBERED: usize = 4096;
/// Changes that come within this time are read together.
const GATHER: Duration = Duration::from_millis(10);
/// What a lost wake-up costs at most.
const TICK: Duration = Duration::from_secs(2);
/// How long a change is kept …
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// … and how many of them.
const MOST: usize = 100_000;
/// After so many changes here, old ones are forgotten without waiting for the sweep.
const OFTEN: u64 = 20_000;

/// The feed. One for each process.
#[derive(Debug)]
pub(crate) struct Feed {
    db: Db,
    bus: Bus,
    /// Whether other replicas may work on the same database.
    shared: bool,
    ring: Mutex<Ring>,
    /// The number up to which followers can see.
    newest: watch::Sender<u64>,
    wake: Notify,
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Ring {
    /// Everything with a number above this, up to the newest, is in `changes`.
    complete_after: u64,
    changes: VecDeque<Arc<Numbered>>,
}

impl Ring {
    /// Keeps what comes next, and as much of what came before as there is room for.
    fn keep(&mut self, changes: Vec<Numbered>) {
        self.changes.extend(changes.into_iter().map(Arc::new));
        while self.changes.len() > RING {
            if let Some(dropped) = self.changes.pop_front() {
                self.complete_after = dropped.number;
            }
        }
    }
}

impl Feed {
    pub(crate) fn new(db: Db, bus: Bus) -> Arc<Self> {
        Arc::new(Self {
            shared: db.dialect() != Dialect::Sqlite,
            db,
            bus,
            ring: Mutex::default(),
            newest: watch::Sender::new(0),
            wake: Notify::new(),
            changes: AtomicU64::new(0),
        })
    }

    /// Something was committed here. Whether it is time to forget what is old.
    pub(crate) fn changed(&self) -> bool {
        if self.is_followed() {
            self.wake.notify_one();
        }
        // Where others may follow.
        if self.shared {
            self.bus.hint(TOPIC, "");
        }
        self.changes.fetch_add(1, Ordering::Relaxed) % OFTEN == OFTEN - 1
    }

    fn is_followed(&self) -> bool {
        self.newest.receiver_count() > 0
    }

    /// Reads changes while somebody follows, until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut heard = self.bus.listen();
        // Whether the ring goes on from where it was.
        let mut fresh = false;
        loop {
            if !self.is_followed() {
                fresh = false;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.wake.notified() => {}
                }
                continue;
            }
            let read = if fresh {
                self.read_new().await
            } else {
                self.begin().await
            };
            match read {
                Ok(()) => fresh = true,
                Err(error) => {
                    tracing::warn!(%error, "changes of files could not be read; trying again");
                }
            }
            let woken = async {
                loop {
                    match heard.next().await {
                        Some(BusEvent::Message { topic, .. }) if &*topic != TOPIC => {}
                        Some(_) => return,
                        None => std::future::pending().await,
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = woken => {}
                () = tokio::time::sleep(TICK) => continue,
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Goes on from what is newest now: what is older is read by whoever wants it.
    async fn begin(&self) -> Result<()> {
        let newest = self.numbered().await?;
        *self.ring() = Ring {
            complete_after: newest,
            changes: VecDeque::new(),
        };
        self.newest.send_replace(newest);
        Ok(())
    }

    /// Numbers all that is committed; the highest number.
    async fn numbered(&self) -> Result<u64> {
        while sql::feed::number(&self.db, NUMBERED).await? > 0 {}
        Ok(sql::feed::newest(&self.db).await?)
    }

    async fn read_new(&self) -> Result<()> {
        while sql::feed::number(&self.db, NUMBERED).await? == NUMBERED as u64 {}
        loop {
            let since = *self.newest.borrow();
            let changes = sql::feed::after(&self.db, since, BATCH).await?;
            let Some(newest) = changes.last().map(|change| change.number) else {
                return Ok(());
            };
            let full = changes.len() == BATCH;
            // Looked at after reading: what was forgotten unread is not in the ring.
            let forgotten = sql::feed::forgotten(&self.db).await?;
            {
                let mut ring = self.ring();
                if since < forgotten {
                    ring.changes.clear();
                    ring.complete_after = forgotten;
                }
                ring.keep(changes);
            }
            self.newest.send_replace(newest);
            if !full {
                return Ok(());
            }
        }
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        // Nothing that it guards is left half-changed by a panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the ring holds after `position`; `None` when it does not reach back so far.
    fn since(&self, position: u64) -> Option<Vec<Arc<Numbered>>> {
        let ring = self.ring();
        if position < ring.complete_after {
            return None;
        }
        let from = ring
            .changes
            .partition_point(|change| change.number <= position);
        Some(ring.changes.range(from..).take(BATCH).cloned().collect())
    }
}

impl Files {
    /// Forgets what happened too long ago, or too many changes ago, for those who watch. The
    /// sweep sees to it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn forget_changes(&self) -> storage::Result<()> {
        sql::feed::forget(self.db(), self.now().minus(KEPT), MOST).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Noted;
    use base::{BucketId, Timestamp};
    use uuid::Uuid;

    fn change(number: u64) -> Numbered {
        Numbered {
            number,
            bucket: BucketId::new(),
            change: Noted {
                id: Uuid::nil(),
                at: Timestamp::from_micros(0),
                happened: "file.put".to_owned(),
                path: number.to_string(),
                from: None,
                actor: String::new(),
                file: String::new(),
            },
        }
    }

    #[test]
    fn the_ring_keeps_the_newest_and_knows_from_where_on() {
        let mut ring = Ring::default();
        let batch = BATCH as u64;
        for first in (0..2 * RING as u64 + 3).step_by(BATCH) {
            ring.keep((first + 1..=first + batch).map(change).collect());
            assert!(ring.changes.len() <= RING, "{}", ring.changes.len());
            let oldest = ring.changes.front().expect("there are some").number;
            assert_eq!(oldest, ring.complete_after + 1, "without a gap");
            let newest = ring.changes.back().expect("there are some").number;
            assert_eq!(newest, first + batch);
        }
        assert_eq!(ring.changes.len(), RING);
    }
}
