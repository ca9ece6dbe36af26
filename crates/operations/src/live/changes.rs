//! The feed of changes.
//!
//! One task reads what changed from the database, in the order of the numbers of
//! change, and keeps the newest in a ring. It is woken by this process's own
//! changes, by other replicas over the bus, and by a slow tick for what a lost
//! message would have told.

use crate::list::Filter;
use crate::operation::Operation;
use crate::{Result, sql};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use storage::Db;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Changes kept in memory.
const RING: usize = 2048;
/// Changes read at once.
const BATCH: u64 = 256;
/// Changes that come within this time are read together.
const GATHER: Duration = Duration::from_millis(10);
/// What a lost wake-up costs at most.
const TICK: Duration = Duration::from_secs(2);

/// An operation as it was after a change.
#[derive(Debug)]
pub struct Change {
    /// The operation.
    pub operation: Operation,
    encoded: [OnceLock<Bytes>; 2],
}

impl Change {
    fn new(operation: Operation) -> Arc<Self> {
        Arc::new(Self {
            operation,
            encoded: [const { OnceLock::new() }; 2],
        })
    }

    /// The number of the change.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.operation.changed
    }

    /// What `encode` makes of it, made once for all who watch; `variant` is 0 or 1.
    pub fn encoded(&self, variant: bool, encode: impl FnOnce(&Operation) -> Bytes) -> Bytes {
        self.encoded[usize::from(variant)]
            .get_or_init(|| encode(&self.operation))
            .clone()
    }
}

/// The feed. One for each process.
#[derive(Debug)]
pub(crate) struct Changes {
    db: Db,
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    /// Everything with a number above this, up to the newest, is in `changes`.
    complete_after: u64,
    changes: VecDeque<Arc<Change>>,
}

impl Ring {
    /// Keeps the newest change. As in the database, there is one of each operation: what it
    /// was before tells nobody anything, and its progress takes some thousand bytes.
    fn keep(&mut self, change: Arc<Change>) {
        let id = change.operation.id;
        let before = |known: &Arc<Change>| known.operation.id == id;
        if let Some(index) = self.changes.iter().rposition(before) {
            self.changes.remove(index);
        }
        self.changes.push_back(change);
        while self.changes.len() > RING {
            if let Some(dropped) = self.changes.pop_front() {
                self.complete_after = dropped.number();
            }
        }
    }
}

impl Changes {
    pub(crate) async fn open(db: Db) -> Result<Arc<Self>> {
        let newest = sql::operation::newest_change(&db).await?;
        Ok(Arc::new(Self {
            db,
            ring: Mutex::new(Ring {
                complete_after: newest,
                changes: VecDeque::new(),
            }),
            newest: watch::Sender::new(newest),
            wake: Notify::new(),
        }))
    }

    /// Something changed.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The number of the newest change that followers can see.
    pub(crate) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// Reads changes until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.read_new().await {
                tracing::warn!(%error, "changes could not be read; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(TICK) => {}
            }
        }
        // What changed last, the ends of operations above all, is shown before the end.
        let _ = self.read_new().await;
    }

    async fn read_new(&self) -> Result<()> {
        loop {
            let since = self.newest();
            let operations = sql::operation::changes(&self.db, since, BATCH).await?;
            let Some(newest) = operations.last().map(|operation| operation.changed) else {
                return Ok(());
            };
            let full = operations.len() as u64 == BATCH;
            {
                let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
                for operation in operations {
                    ring.keep(Change::new(operation));
                }
            }
            self.newest.send_replace(newest);
            if !full {
                return Ok(());
            }
        }
    }

    /// What the ring holds after `position`; `None` when it does not reach back so far.
    fn since(&self, position: u64) -> Option<Vec<Arc<Change>>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if position < ring.complete_after {
            return None;
        }
        let from = ring
            .changes
            .partition_point(|change| change.number() <= position);
        Some(ring.changes.range(from..).take(64).cloned().collect())
    }
}

/// One who follows changes from a position on.
#[derive(Debug)]
pub struct ChangeFollower {
    feed: Arc<Changes>,
    filter: Filter,
    position: u64,
    newest: watch::Receiver<u64>,
}

impl ChangeFollower {
    pub(crate) fn new(feed: Arc<Changes>, filter: Filter, since: u64) -> Self {
        let newest = feed.newest.subscribe();
        Self {
            feed,
            filter,
            position: since,
            newest,
        }
    }

    /// Nothing up to this number is missing.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The next changes that pass the filter: waits until there is something new,
    /// and may then still give none. Cancel-safe.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<Change>>> {
        let position = self.position;
        // The feed outlives its followers, so its sender is not gone.
        let _ = self.newest.wait_for(|newest| *newest > position).await;
        let changes = match self.feed.since(position) {
            Some(changes) => changes,
            None => sql::operation::changes(&self.feed.db, position, BATCH)
                .await?
                .into_iter()
                .map(Change::new)
                .collect(),
        };
        if let Some(last) = changes.last() {
            self.position = last.number();
        }
        Ok(changes
            .into_iter()
            .filter(|change| self.filter.matches(&change.operation))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(operation: usize, changed: usize) -> Arc<Change> {
        let id = uuid::Uuid::from_u128(operation as u128);
        let value = json!({
            "id": id, "kind": "k", "title": "t", "state": "running", "actor": "system",
            "trigger": "api", "attempt": 1, "last_seq": 0, "changed": changed,
            "created_at": "2026-11-27T00:00:00Z", "run_at": "2026-11-27T00:00:00Z",
            "cancel_requested": false,
        });
        Change::new(serde_json::from_value(value).expect("an operation"))
    }

    fn numbers(ring: &Ring) -> Vec<u64> {
        ring.changes.iter().map(|change| change.number()).collect()
    }

    #[test]
    fn the_ring_has_the_newest_state_of_each_operation_in_order() {
        let mut ring = Ring::default();
        for (operation, changed) in [(1, 1), (2, 2), (1, 3), (1, 4), (3, 5), (2, 6)] {
            ring.keep(change(operation, changed));
        }
        assert_eq!(numbers(&ring), [4, 5, 6]);
        assert_eq!(ring.complete_after, 0, "nothing newer is missing");
    }

    #[test]
    fn of_more_operations_than_there_is_room_for_the_oldest_states_go() {
        let mut ring = Ring::default();
        for number in 1..=RING + 3 {
            ring.keep(change(number, number));
        }
        assert_eq!(ring.changes.len(), RING);
        assert_eq!(ring.complete_after, 3);
        assert_eq!(numbers(&ring)[0], 4);
    }
}
