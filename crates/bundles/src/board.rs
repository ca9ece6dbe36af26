//! The board: what every source of a bundle does right now, told to the operation.

use operations::{Context, Transfer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often what moves is told.
const OFTEN: Duration = Duration::from_millis(150);
/// How many transfers are told, those that move first.
const SHOWN: usize = 32;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Board {
    context: Context,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    moving: BTreeMap<usize, Transfer>,
    /// Those that came and wait to be written.
    resting: BTreeMap<usize, Transfer>,
    done: u64,
    bytes: u64,
    total: u64,
    told: Option<Instant>,
    /// Something changed that was not told.
    stale: bool,
}

impl Inner {
    fn give_back(&mut self, index: usize) {
        if let Some(transfer) = self.moving.remove(&index) {
            self.bytes = self.bytes.saturating_sub(transfer.done);
        }
    }
}

impl Board {
    pub(crate) fn new(context: Context, total: usize) -> Self {
        let board = Self {
            context,
            inner: Arc::new(Mutex::new(Inner {
                moving: BTreeMap::new(),
                resting: BTreeMap::new(),
                done: 0,
                bytes: 0,
                total: total as u64,
                told: None,
                stale: false,
            })),
        };
        board.tell("Fetching");
        board
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A source answered and its bytes begin to come; those that came before do not
    /// count any more.
    pub(crate) fn begin(&self, index: usize, name: &str, total: Option<u64>) {
        let transfer = Transfer {
            // An address may hold what is a secret elsewhere in the request.
            name: self.context.redacted(name),
            index: Some(index as u64),
            done: 0,
            total,
        };
        {
            let mut inner = self.inner();
            inner.give_back(index);
            inner.moving.insert(index, transfer);
        }
        self.tell_now_and_then();
    }

    /// Bytes of it came.
    pub(crate) fn moved(&self, index: usize, bytes: usize) {
        {
            let mut inner = self.inner();
            inner.bytes += bytes as u64;
            if let Some(transfer) = inner.moving.get_mut(&index) {
                transfer.done += bytes as u64;
            }
        }
        self.tell_now_and_then();
    }

    /// It is in the archive, or never will be.
    pub(crate) fn end(&self, index: usize) {
        {
            let mut inner = self.inner();
            inner.moving.remove(&index);
            inner.resting.remove(&index);
            inner.done += 1;
        }
        self.tell_now_and_then();
    }

    /// It came, and waits to be written.
    pub(crate) fn rest(&self, index: usize) {
        let mut inner = self.inner();
        if let Some(transfer) = inner.moving.remove(&index) {
            inner.resting.insert(index, transfer);
        }
    }

    /// What came of it was given up: it will be fetched anew.
    pub(crate) fn give_back(&self, index: usize) {
        self.inner().give_back(index);
    }

    fn tell_now_and_then(&self) {
        let due = {
            let mut inner = self.inner();
            inner.stale = true;
            inner.told.is_none_or(|told| told.elapsed() >= OFTEN)
        };
        if due {
            self.tell("Fetching");
        }
    }

    /// Waits for `what`, and tells meanwhile what was held back: a source that answers
    /// and then falls silent would otherwise never be seen.
    pub(crate) async fn meanwhile<T>(&self, what: impl Future<Output = T>) -> T {
        let mut what = std::pin::pin!(what);
        loop {
            if self.inner().stale {
                self.tell("Fetching");
            }
            if let Ok(done) = tokio::time::timeout(OFTEN, &mut what).await {
                return done;
            }
        }
    }

    /// Tells how far the bundle is; `doing` in a word.
    pub(crate) fn tell(&self, doing: &str) {
        let (done, bytes, total, transfers) = {
            let mut inner = self.inner();
            inner.told = Some(Instant::now());
            inner.stale = false;
            let all = inner.moving.values().chain(inner.resting.values());
            let transfers = all.take(SHOWN).cloned().collect();
            (inner.done, inner.bytes, inner.total, transfers)
        };
        self.context.progress(|progress| {
            progress.done = done;
            progress.total = Some(total);
            "files".clone_into(&mut progress.unit);
            progress.bytes = Some(bytes);
            progress.message = Some(doing.to_owned());
            progress.transfers = transfers;
        });
    }
}
