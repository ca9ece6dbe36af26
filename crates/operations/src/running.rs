//! What this process runs now.

use crate::log::sink::Sink;
use crate::operation::Progress;
use base::OperationId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why a running operation is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is not.
    No,
    /// Somebody cancelled it.
    Cancel,
    /// Longshore stops.
    Shutdown,
    /// Its lease is lost: nothing that it writes counts any more.
    LeaseLost,
}

/// One running attempt.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: OperationId,
    pub(crate) attempt: u64,
    pub(crate) sink: Arc<Sink>,
    pub(crate) token: CancellationToken,
    /// Bound to this process, so that nobody else can take it up.
    pub(crate) pinned: bool,
    pub(crate) begun: Instant,
    stop: AtomicU8,
    progress: Mutex<(Progress, bool)>,
    wake: Arc<Notify>,
}

impl Running {
    pub(crate) fn new(
        id: OperationId,
        attempt: u64,
        pinned: bool,
        sink: Arc<Sink>,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            id,
            attempt,
            sink,
            token: CancellationToken::new(),
            pinned,
            begun: Instant::now(),
            stop: AtomicU8::new(0),
            progress: Mutex::default(),
            wake,
        }
    }

    /// Asks for its end. The first cause counts, but a lost lease counts always.
    pub(crate) fn stop(&self, cause: Stop) {
        let number = match cause {
            Stop::No => return,
            Stop::Cancel => 1,
            Stop::Shutdown => 2,
            Stop::LeaseLost => {
                self.stop.store(3, Ordering::SeqCst);
                self.sink.close();
                self.token.cancel();
                return;
            }
        };
        let _ = self
            .stop
            .compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        self.token.cancel();
    }

    /// Why it was asked to end.
    pub(crate) fn stopped(&self) -> Stop {
        match self.stop.load(Ordering::SeqCst) {
            0 => Stop::No,
            1 => Stop::Cancel,
            2 => Stop::Shutdown,
            _ => Stop::LeaseLost,
        }
    }

    /// Changes the progress; it is stored and shown some times a second.
    pub(crate) fn change_progress(&self, change: impl FnOnce(&mut Progress)) {
        let fresh = {
            let mut guard = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut guard.0);
            guard.0.transfers.truncate(crate::context::MOST_TRANSFERS);
            !std::mem::replace(&mut guard.1, true)
        };
        if fresh {
            self.wake.notify_one();
        }
    }

    /// The progress, if it changed since it was taken last.
    pub(crate) fn take_progress(&self) -> Option<Progress> {
        let mut guard = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut guard.1).then(|| guard.0.clone())
    }

    pub(crate) fn has_progress(&self) -> bool {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
    }

    /// The progress at the end: nothing moves any more.
    pub(crate) fn last_progress(&self) -> Option<Progress> {
        let mut guard = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.transfers.clear();
        (guard.0 != Progress::default()).then(|| guard.0.clone())
    }
}

/// All that runs here.
#[derive(Debug, Default)]
pub(crate) struct RunningSet {
    map: Mutex<HashMap<OperationId, Arc<Running>>>,
    left: Notify,
}

impl RunningSet {
    pub(crate) fn insert(&self, running: Arc<Running>) {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.insert(running.id, running);
    }

    pub(crate) fn remove(&self, id: OperationId) {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.remove(&id);
        drop(map);
        self.left.notify_waiters();
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<Arc<Running>> {
        let map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Running>> {
        let map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.values().cloned().collect()
    }

    /// How many run.
    pub(crate) fn count(&self) -> usize {
        self.map
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Waits until nothing runs.
    pub(crate) async fn empty(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if self.all().is_empty() {
                return;
            }
            left.await;
        }
    }
}
