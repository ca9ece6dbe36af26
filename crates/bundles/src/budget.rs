//! The memory that bundles share for what was fetched and is not written yet.
//!
//! A bundle alone may use half of it, several at once their share. When all of it is used,
//! a bundle may still have a little, and one that holds nothing may always take one piece,
//! so that a slow taker of one archive never stops another. So the sum stays below the
//! whole and that little for each bundle, in whatever order they begin.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a bundle may have whatever others hold.
const LEAST: usize = 512 << 10;

/// A bundle is given no more than if there were so many.
const ALONE: usize = 2;

/// The memory of all bundles.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    bundles: AtomicUsize,
    /// By all bundles. Locked after what one bundle uses.
    used: Mutex<usize>,
    freed: Notify,
}

/// The part of it that one bundle uses.
#[derive(Clone, Debug)]
pub(crate) struct Share(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    budget: Arc<Budget>,
    used: Mutex<usize>,
}

/// Bytes that are held. Dropped, they are free again.
#[derive(Debug)]
pub(crate) struct Held {
    share: Arc<Inner>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes,
            bundles: AtomicUsize::new(0),
            used: Mutex::new(0),
            freed: Notify::new(),
        })
    }

    pub(crate) fn share(self: &Arc<Self>) -> Share {
        self.bundles.fetch_add(1, Ordering::Relaxed);
        Share(Arc::new(Inner {
            budget: Arc::clone(self),
            used: Mutex::new(0),
        }))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.budget.bundles.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    fn limit(&self) -> usize {
        let bundles = self.budget.bundles.load(Ordering::Relaxed).max(ALONE);
        (self.budget.bytes / bundles).max(LEAST)
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut used = locked(&self.used);
        let mut all = locked(&self.budget.used);
        let own = *used + bytes;
        let fits = own <= self.limit() && *all + bytes <= self.budget.bytes;
        if *used != 0 && own > LEAST && !fits {
            return None;
        }
        *used = own;
        *all += bytes;
        drop((used, all));
        Some(Held {
            share: Arc::clone(self),
            bytes,
        })
    }

    /// Takes more for what is read ahead, which leaves a quarter to what begins.
    fn grow(&self, bytes: usize) -> bool {
        let mut used = locked(&self.used);
        let mut all = locked(&self.budget.used);
        let limit = self.limit() / 4 * 3;
        let fits = *used + bytes <= limit && *all + bytes <= self.budget.bytes / 4 * 3;
        if fits {
            *used += bytes;
            *all += bytes;
        }
        fits
    }
}

impl Share {
    /// Takes `bytes`, waiting until there is room for them. Cancel-safe.
    pub(crate) async fn take(&self, bytes: usize) -> Held {
        loop {
            let freed = self.0.budget.freed.notified();
            tokio::pin!(freed);
            // Registered before the look, so that nothing freed meanwhile is missed.
            freed.as_mut().enable();
            if let Some(held) = self.0.take(bytes) {
                return held;
            }
            freed.await;
        }
    }
}

impl Held {
    /// Takes `bytes` more for reading ahead, waiting until there is room. Cancel-safe.
    pub(crate) async fn grow(&mut self, bytes: usize) {
        loop {
            let freed = self.share.budget.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.share.grow(bytes) {
                self.bytes += bytes;
                return;
            }
            freed.await;
        }
    }

    /// Of `taken` bytes, so many are `needed` after all; they may be more, which are
    /// there already.
    pub(crate) fn settle(&mut self, taken: usize, needed: usize) {
        if needed <= taken {
            self.shrink(self.bytes - (taken - needed));
        } else {
            let more = needed - taken;
            *locked(&self.share.used) += more;
            *locked(&self.share.budget.used) += more;
            self.bytes += more;
        }
    }

    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.free(surplus);
    }

    fn free(&self, bytes: usize) {
        *locked(&self.share.used) -= bytes;
        *locked(&self.share.budget.used) -= bytes;
        self.share.budget.freed.notify_waiters();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.free(self.bytes);
    }
}

fn locked(mutex: &Mutex<usize>) -> MutexGuard<'_, usize> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_bundle_may_use_half_and_gets_freed_bytes_back() {
        let budget = Budget::new(8 << 20);
        let share = budget.share();
        let first = share.take(3 << 20).await;
        let mut second = share.take(1 << 20).await;
        assert!(share.take(1).now_or_never().is_none());
        second.shrink(1000);
        let third = share
            .take(1000)
            .now_or_never()
            .expect("there is room again");
        drop((first, second, third));
        assert!(share.take(4 << 20).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_holds_nothing_always_gets_one_piece() {
        let budget = Budget::new(4 << 20);
        let shares: Vec<Share> = (0..50).map(|_| budget.share()).collect();
        for share in &shares {
            assert!(share.take(8 << 20).now_or_never().is_some());
        }
    }

    /// Takes as much as there is.
    fn fill(share: &Share) -> Vec<Held> {
        let piece = || share.take(64 << 10).now_or_never();
        std::iter::from_fn(piece).collect()
    }

    #[tokio::test]
    async fn bundles_that_begin_one_after_the_other_share_the_whole_and_a_little_more() {
        const WHOLE: usize = 16 << 20;
        let budget = Budget::new(WHOLE);
        let all: Vec<_> = (0..16)
            .map(|_| {
                let share = budget.share();
                let held = fill(&share);
                (share, held)
            })
            .collect();
        let of = |held: &[Held]| held.iter().map(|held| held.bytes).sum::<usize>();
        assert_eq!(of(&all[0].1), WHOLE / 2);
        assert!(all.iter().all(|(_, held)| of(held) >= LEAST));
        let sum: usize = all.iter().map(|(_, held)| of(held)).sum();
        assert!(sum <= WHOLE + 16 * LEAST, "{sum}");
        drop(all);
        assert_eq!(*locked(&budget.used), 0);
    }

    #[tokio::test]
    async fn what_one_bundle_frees_another_may_take() {
        let budget = Budget::new(16 << 20);
        let (first, second) = (budget.share(), budget.share());
        let (mut hogged, _hogged) = (fill(&first), fill(&second));
        let third = budget.share();
        let _little = fill(&third);
        let waiter = tokio::spawn(async move { third.take(64 << 10).await.bytes });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        hogged.truncate(20);
        assert_eq!(waiter.await.expect("it got its bytes"), 64 << 10);
    }

    #[tokio::test]
    async fn a_waiter_is_woken_when_bytes_are_freed() {
        let budget = Budget::new(2 << 20);
        let share = budget.share();
        let held = share.take(1 << 20).await;
        let waiter = tokio::spawn({
            let share = share.clone();
            async move { drop(share.take(1 << 20).await) }
        });
        tokio::task::yield_now().await;
        drop(held);
        waiter.await.expect("it got its bytes");
    }
}
