//! The memory that bundles share for what was fetched and is not written yet.
//!
//! A bundle alone may use a quarter of it, several at once their share; and one
//! that holds nothing may always take one piece, so that a slow taker of one
//! archive never stops another. The sum stays below about three times the whole
//! with sixteen slow takers, and below a quarter of it with one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The least share of a bundle.
const LEAST: usize = 1 << 20;

/// The memory of all bundles.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    bundles: AtomicUsize,
}

/// The part of it that one bundle uses.
#[derive(Clone, Debug)]
pub(crate) struct Share(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    budget: Arc<Budget>,
    used: Mutex<usize>,
    freed: Notify,
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
        })
    }

    pub(crate) fn share(self: &Arc<Self>) -> Share {
        self.bundles.fetch_add(1, Ordering::Relaxed);
        Share(Arc::new(Inner {
            budget: Arc::clone(self),
            used: Mutex::new(0),
            freed: Notify::new(),
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
        let bundles = self.budget.bundles.load(Ordering::Relaxed).max(4);
        (self.budget.bytes / bundles).max(LEAST)
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if *used != 0 && *used + bytes > self.limit() {
            return None;
        }
        *used += bytes;
        drop(used);
        Some(Held {
            share: Arc::clone(self),
            bytes,
        })
    }
}

impl Share {
    /// Takes `bytes`, waiting until there is room for them. Cancel-safe.
    pub(crate) async fn take(&self, bytes: usize) -> Held {
        loop {
            let freed = self.0.freed.notified();
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
    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.free(surplus);
    }

    fn free(&self, bytes: usize) {
        *self
            .share
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.share.freed.notify_waiters();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.free(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_bundle_may_use_a_quarter_and_gets_freed_bytes_back() {
        let budget = Budget::new(16 << 20);
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

    #[tokio::test]
    async fn a_waiter_is_woken_when_bytes_are_freed() {
        let budget = Budget::new(4 << 20);
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
