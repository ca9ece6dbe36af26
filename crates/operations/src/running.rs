//! What this process runs now.

use crate::log::sink::Sink;
use crate::operation::Progress;
use crate::pace::Pace;
use crate::secrets::Secrets;
use base::OperationId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// What must not be shown of what it says.
    pub(crate) secrets: Arc<Secrets>,
    /// Until when nobody else takes it up, by this process's own clock, counted from
    /// before the database was asked.
    good_until: Mutex<Instant>,
    /// In how many places it waits for other operations.
    waits: AtomicUsize,
    stop: AtomicU8,
    progress: Mutex<Moving>,
    wake: Arc<Notify>,
}

/// How far an attempt is.
#[derive(Debug, Default)]
struct Moving {
    progress: Progress,
    /// Whether it changed since it was taken last.
    fresh: bool,
    pace: Pace,
}

/// What an attempt is, to begin with.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) id: OperationId,
    pub(crate) attempt: u64,
    pub(crate) pinned: bool,
    pub(crate) good_until: Instant,
    pub(crate) sink: Arc<Sink>,
    pub(crate) secrets: Arc<Secrets>,
}

impl Running {
    /// `wake` is told when there is something to store.
    pub(crate) fn new(begun: Begun, wake: Arc<Notify>) -> Self {
        Self {
            id: begun.id,
            attempt: begun.attempt,
            sink: begun.sink,
            token: CancellationToken::new(),
            pinned: begun.pinned,
            secrets: begun.secrets,
            good_until: Mutex::new(begun.good_until),
            waits: AtomicUsize::new(0),
            stop: AtomicU8::new(0),
            progress: Mutex::default(),
            wake,
        }
    }

    /// Until when its lease holds for sure.
    pub(crate) fn good_until(&self) -> Instant {
        *self
            .good_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Its lease was renewed.
    pub(crate) fn renewed(&self, good_until: Instant) {
        *self
            .good_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = good_until;
    }

    /// It waits for another operation while the guard lives, and leaves its place to
    /// others.
    pub(crate) fn rest(&self) -> Resting<'_> {
        self.waits.fetch_add(1, Ordering::SeqCst);
        Resting(self)
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

    fn moving(&self) -> MutexGuard<'_, Moving> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the progress; it is stored and shown some times a second.
    pub(crate) fn change_progress(&self, change: impl FnOnce(&mut Progress)) {
        let fresh = {
            let mut moving = self.moving();
            let Moving { progress, pace, .. } = &mut *moving;
            change(progress);
            progress.transfers.truncate(crate::context::MOST_TRANSFERS);
            pace.begin(progress, Instant::now());
            !std::mem::replace(&mut moving.fresh, true)
        };
        if fresh {
            self.wake.notify_one();
        }
    }

    /// The progress, if it changed since it was taken last, without secrets.
    pub(crate) fn take_progress(&self) -> Option<Progress> {
        let progress = {
            let mut moving = self.moving();
            std::mem::take(&mut moving.fresh).then(|| {
                let mut progress = moving.progress.clone();
                moving.pace.reckon(&mut progress, Instant::now());
                progress
            })
        };
        progress.map(|progress| self.shown(progress))
    }

    /// What was taken could not be stored: it is taken again, as it is then.
    pub(crate) fn keep_progress(&self) {
        self.moving().fresh = true;
    }

    pub(crate) fn has_progress(&self) -> bool {
        self.moving().fresh
    }

    /// The progress at the end, without secrets: nothing moves any more.
    pub(crate) fn last_progress(&self) -> Option<Progress> {
        let progress = {
            let mut moving = self.moving();
            let progress = &mut moving.progress;
            progress.transfers.clear();
            (*progress != Progress::default()).then(|| progress.clone())
        };
        progress.map(|progress| self.shown(progress))
    }

    /// What may be shown of a progress.
    fn shown(&self, mut progress: Progress) -> Progress {
        let redactor = self.secrets.redactor();
        let names = progress.transfers.iter_mut().map(|moves| &mut moves.name);
        for text in names.chain(&mut progress.message) {
            if let Cow::Owned(redacted) = redactor.redact(text) {
                *text = redacted;
            }
        }
        progress
    }
}

/// See [`Running::rest`].
#[derive(Debug)]
pub(crate) struct Resting<'a>(&'a Running);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.waits.fetch_sub(1, Ordering::SeqCst);
    }
}

/// All that runs here: of each operation, one attempt.
#[derive(Debug, Default)]
pub(crate) struct RunningSet {
    map: Mutex<BTreeMap<OperationId, Arc<Running>>>,
    /// Attempts that were begun and whose end could not be recorded.
    unrecorded: Mutex<BTreeMap<OperationId, u64>>,
    left: Notify,
}

impl RunningSet {
    /// Takes an attempt in, unless one of the same operation runs here still.
    pub(crate) fn insert(&self, running: &Arc<Running>) -> bool {
        match self.map().entry(running.id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(Arc::clone(running));
                true
            }
        }
    }

    /// This attempt, and no other of the same operation, does not run any more.
    pub(crate) fn remove(&self, running: &Running) {
        if let Entry::Occupied(place) = self.map().entry(running.id)
            && place.get().attempt == running.attempt
        {
            place.remove();
        }
        self.left.notify_waiters();
    }

    /// Remembers that this attempt was begun, and left without an end that is recorded.
    pub(crate) fn not_recorded(&self, running: &Running) {
        self.unrecorded().insert(running.id, running.attempt);
    }

    /// Forgets those that are not `held` any more.
    pub(crate) fn keep_unrecorded(&self, held: impl Fn(OperationId, u64) -> bool) {
        self.unrecorded().retain(|id, attempt| held(*id, *attempt));
    }

    /// Whether this attempt was begun here, and its end could not be recorded.
    pub(crate) fn is_unrecorded(&self, id: OperationId, attempt: u64) -> bool {
        self.unrecorded().get(&id) == Some(&attempt)
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<Arc<Running>> {
        self.map().get(&id).cloned()
    }

    /// Whether this attempt runs here.
    pub(crate) fn runs(&self, id: OperationId, attempt: u64) -> bool {
        self.get(id)
            .is_some_and(|running| running.attempt == attempt)
    }

    /// All of them in the order of their ids, in which everybody locks their rows.
    pub(crate) fn all(&self) -> Vec<Arc<Running>> {
        self.map().values().cloned().collect()
    }

    /// How many hold a place: those that wait for others leave it to them.
    pub(crate) fn busy(&self) -> usize {
        self.map()
            .values()
            .filter(|running| running.waits.load(Ordering::SeqCst) == 0)
            .count()
    }

    /// Waits until nothing runs.
    pub(crate) async fn empty(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if self.map().is_empty() {
                return;
            }
            left.await;
        }
    }

    fn unrecorded(&self) -> MutexGuard<'_, BTreeMap<OperationId, u64>> {
        self.unrecorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<OperationId, Arc<Running>>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base::SystemClock;
    use base::redact::Redactor;
    use std::time::Duration;
    use tokio::sync::watch;

    pub(crate) fn attempt(id: OperationId, attempt: u64) -> Arc<Running> {
        let wake = Arc::new(Notify::new());
        let clock = Arc::new(SystemClock);
        let begun = Begun {
            id,
            attempt,
            pinned: false,
            good_until: Instant::now() + Duration::from_secs(30),
            sink: Arc::new(Sink::new(clock, 1, 0, 1 << 20, Arc::clone(&wake))),
            secrets: Arc::new(Secrets::new(watch::channel(Redactor::default()).1)),
        };
        Arc::new(Running::new(begun, wake))
    }

    #[test]
    fn an_operation_runs_here_once_and_only_its_own_attempt_leaves() {
        let set = RunningSet::default();
        let id = OperationId::new();
        let (first, second) = (attempt(id, 1), attempt(id, 2));
        assert!(set.insert(&first));
        assert!(!set.insert(&second), "the first has not ended");
        set.remove(&second);
        assert!(set.runs(id, 1));
        set.remove(&first);
        assert!(set.insert(&second) && set.runs(id, 2) && !set.runs(id, 1));
    }

    #[test]
    fn what_runs_is_given_in_the_order_of_ids() {
        let set = RunningSet::default();
        let mut ids: Vec<OperationId> = (0..50).map(|_| OperationId::new()).collect();
        ids.iter().rev().for_each(|id| {
            set.insert(&attempt(*id, 1));
        });
        ids.sort();
        let given: Vec<OperationId> = set.all().iter().map(|running| running.id).collect();
        assert_eq!(given, ids);
    }

    #[test]
    fn who_waits_leaves_its_place_until_it_goes_on() {
        let set = RunningSet::default();
        let running = attempt(OperationId::new(), 1);
        set.insert(&running);
        let (one, two) = (running.rest(), running.rest());
        assert_eq!(set.busy(), 0);
        drop(one);
        assert_eq!(set.busy(), 0);
        drop(two);
        assert_eq!(set.busy(), 1);
    }
}
