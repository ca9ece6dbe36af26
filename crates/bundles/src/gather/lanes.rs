//! Which source is asked for next: the first of those whose host has room.
//!
//! Sources that wait for a busy host would otherwise take all the places of a bundle, and
//! other hosts would not be asked meanwhile.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// The sources that were not begun yet, a lane for each host. Cheap to clone.
#[derive(Clone)]
pub(super) struct Lanes(Arc<Shared>);

struct Shared {
    inner: Mutex<Inner>,
    freed: Notify,
}

struct Inner {
    lanes: Vec<Lane>,
    /// The first source of each lane that has room, by its place in the order.
    ready: BTreeSet<(usize, usize)>,
    left: usize,
}

struct Lane {
    /// Place in the order, and source.
    waiting: VecDeque<(usize, usize)>,
    room: usize,
}

/// A place in a lane, and one of those that the bundle has in all. Dropped, the next
/// source may begin.
pub(super) struct Place {
    _slot: OwnedSemaphorePermit,
    lanes: Lanes,
    lane: usize,
}

impl Lanes {
    /// The sources `order`, of which at most so many are begun at once that `lane` gives
    /// the same name, if it does.
    pub(super) fn new<K: std::hash::Hash + Eq>(
        order: &[usize],
        per_lane: usize,
        lane: impl Fn(usize) -> Option<K>,
    ) -> Self {
        let mut numbers = HashMap::new();
        // What has no name of its own waits for nobody.
        let mut lanes = vec![Lane::with_room(usize::MAX)];
        for (place, &source) in order.iter().enumerate() {
            let number = match lane(source) {
                None => 0,
                Some(name) => *numbers.entry(name).or_insert_with(|| {
                    lanes.push(Lane::with_room(per_lane.max(1)));
                    lanes.len() - 1
                }),
            };
            lanes[number].waiting.push_back((place, source));
        }
        let mut inner = Inner {
            ready: BTreeSet::new(),
            left: order.len(),
            lanes,
        };
        for number in 0..inner.lanes.len() {
            inner.offer(number);
        }
        Self(Arc::new(Shared {
            inner: Mutex::new(inner),
            freed: Notify::new(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next source, waiting for a lane to have room; `None` when all were begun.
    /// Cancel-safe.
    pub(super) async fn next(&self, slot: OwnedSemaphorePermit) -> Option<(usize, Place)> {
        let mut slot = Some(slot);
        loop {
            let freed = self.0.freed.notified();
            tokio::pin!(freed);
            // Registered before the look, so that no room is missed.
            freed.as_mut().enable();
            {
                let mut inner = self.inner();
                if inner.left == 0 {
                    return None;
                }
                if let Some((source, lane)) = inner.begin()
                    && let Some(slot) = slot.take()
                {
                    let place = Place {
                        _slot: slot,
                        lanes: self.clone(),
                        lane,
                    };
                    return Some((source, place));
                }
            }
            freed.await;
        }
    }
}

impl Lane {
    const fn with_room(room: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            room,
        }
    }
}

impl Inner {
    /// Offers the first source of a lane, if it has one and room for it.
    fn offer(&mut self, number: usize) {
        let lane = &self.lanes[number];
        if lane.room > 0
            && let Some((place, _)) = lane.waiting.front()
        {
            self.ready.insert((*place, number));
        }
    }

    fn begin(&mut self) -> Option<(usize, usize)> {
        let (_, number) = self.ready.pop_first()?;
        let lane = &mut self.lanes[number];
        let (_, source) = lane.waiting.pop_front()?;
        lane.room -= 1;
        self.left -= 1;
        self.offer(number);
        Some((source, number))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut inner = self.lanes.inner();
            inner.lanes[self.lane].room += 1;
            inner.offer(self.lane);
        }
        self.lanes.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::sync::Semaphore;

    async fn slot() -> OwnedSemaphorePermit {
        let slots = Arc::new(Semaphore::new(1));
        slots.acquire_owned().await.expect("it is open")
    }

    async fn begun(lanes: &Lanes) -> Option<(usize, Place)> {
        lanes.next(slot().await).now_or_never().flatten()
    }

    #[tokio::test]
    async fn a_busy_host_lets_others_go_first_and_keeps_its_order() {
        let hosts = ["a", "a", "a", "b", "a", "b"];
        let lanes = Lanes::new(&[0, 1, 2, 3, 4, 5], 2, |source| Some(hosts[source]));
        let mut places = Vec::new();
        for expected in [0, 1, 3, 5] {
            let (source, place) = begun(&lanes).await.expect("its host has room");
            assert_eq!(source, expected);
            places.push(place);
        }
        assert!(begun(&lanes).await.is_none(), "both hosts are busy");
        drop(places.remove(0));
        let (source, _place) = begun(&lanes).await.expect("there is room again");
        assert_eq!(source, 2);
    }

    #[tokio::test]
    async fn what_has_no_host_waits_for_nobody_and_comes_in_order() {
        let lanes = Lanes::new(&[2, 0, 1], 1, |_| None::<&str>);
        let mut order = Vec::new();
        let mut places = Vec::new();
        while let Some((source, place)) = begun(&lanes).await {
            order.push(source);
            places.push(place);
        }
        assert_eq!(order, [2, 0, 1]);
    }

    #[tokio::test]
    async fn who_waits_for_room_is_woken_and_the_end_is_told() {
        let lanes = Lanes::new(&[7, 8], 1, |_| Some(()));
        let (_, first) = begun(&lanes).await.expect("there is room");
        let waiter = tokio::spawn({
            let lanes = lanes.clone();
            let slot = slot().await;
            async move { lanes.next(slot).await.map(|(source, _)| source) }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        drop(first);
        assert_eq!(waiter.await.expect("it was woken"), Some(8));
        assert!(lanes.next(slot().await).await.is_none(), "all were begun");
    }
}
