//! How many fetches are under way at once: in all, and from one host.
//!
//! A place is taken before a request is sent and given back when its body is dropped.
//! The host's place is taken first, so that those who wait for a slow host do not hold
//! places that others could use. Hosts are remembered only while somebody waits for
//! them or holds a place.

use crate::url::HostKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The gate that all requests of one client pass through.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    total: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<HostKey, Host>>,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    /// Those who wait or hold a place; the entry goes with the last of them.
    users: usize,
}

/// A place; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Place {
    // In this order: the places are free again before the host may be forgotten.
    _total: OwnedSemaphorePermit,
    _host: OwnedSemaphorePermit,
    _interest: Interest,
}

#[derive(Debug)]
struct Interest {
    shared: Arc<Shared>,
    host: HostKey,
}

impl Gate {
    pub(crate) fn new(total: usize, per_host: usize) -> Self {
        let bounded = |places: usize| places.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            shared: Arc::new(Shared {
                total: Arc::new(Semaphore::new(bounded(total))),
                per_host: bounded(per_host),
                hosts: Mutex::default(),
            }),
        }
    }

    /// Waits for a place, first come first served. Dropping the future gives up.
    pub(crate) async fn enter(&self, host: HostKey) -> Place {
        let (interest, places) = self.interest(host);
        let host = forever(places).await;
        let total = forever(Arc::clone(&self.shared.total)).await;
        Place {
            _total: total,
            _host: host,
            _interest: interest,
        }
    }

    fn interest(&self, host: HostKey) -> (Interest, Arc<Semaphore>) {
        let mut hosts = self.shared.lock();
        let entry = hosts.entry(host.clone()).or_insert_with(|| Host {
            places: Arc::new(Semaphore::new(self.shared.per_host)),
            users: 0,
        });
        entry.users += 1;
        let places = Arc::clone(&entry.places);
        let shared = Arc::clone(&self.shared);
        (Interest { shared, host }, places)
    }

    #[cfg(test)]
    fn known_hosts(&self) -> usize {
        self.shared.lock().len()
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostKey, Host>> {
        // Nothing can panic while it is held, and a map of counters stays true anyway.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut hosts = self.shared.lock();
        if let Some(host) = hosts.get_mut(&self.host) {
            host.users -= 1;
            if host.users == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

async fn forever(places: Arc<Semaphore>) -> OwnedSemaphorePermit {
    match places.acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore refuses, and nothing here closes one.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{CheckedUrl, Policy};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use proptest::prelude::*;

    fn key(text: &str) -> HostKey {
        CheckedUrl::parse(text, &Policy::default())
            .unwrap()
            .host_key()
    }

    /// Who waits at a gate; it is asked only when the test says so.
    fn waiting(gate: &Gate, url: &str) -> BoxFuture<'static, Place> {
        let (gate, key) = (gate.clone(), key(url));
        Box::pin(async move { gate.enter(key).await })
    }

    #[tokio::test]
    async fn a_host_that_is_full_does_not_hold_up_another() {
        let gate = Gate::new(3, 1);
        let first = gate.enter(key("http://a.example/")).await;
        let mut second = Box::pin(gate.enter(key("http://A.example.:80/")));
        assert!(second.as_mut().now_or_never().is_none());
        let _other = gate.enter(key("http://b.example/")).await;
        let _third = gate.enter(key("http://c.example/")).await;
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn the_total_holds_over_all_hosts() {
        let gate = Gate::new(1, 8);
        let first = gate.enter(key("http://a.example/")).await;
        let mut second = Box::pin(gate.enter(key("http://b.example/")));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn hosts_are_forgotten_when_nobody_needs_them() {
        let gate = Gate::new(1, 1);
        let place = gate.enter(key("http://a.example/")).await;
        let mut gives_up = Box::pin(gate.enter(key("http://b.example/")));
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert_eq!(gate.known_hosts(), 2);
        drop(gives_up);
        drop(place);
        assert_eq!(gate.known_hosts(), 0);
    }

    #[tokio::test]
    async fn places_are_given_in_the_order_in_which_they_were_asked_for() {
        let gate = Gate::new(8, 1);
        let first = gate.enter(key("http://a.example/")).await;
        let mut second = waiting(&gate, "http://a.example/");
        let mut third = waiting(&gate, "http://a.example/");
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(
            third.as_mut().now_or_never().is_none(),
            "it jumps the queue"
        );
        let second = second.as_mut().now_or_never();
        assert!(second.is_some());
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        assert!(third.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_gives_up_gives_back_what_it_had_of_a_place() {
        let gate = Gate::new(1, 1);
        let first = gate.enter(key("http://a.example/")).await;
        // It has the host's place, and waits for one in all.
        let mut gives_up = waiting(&gate, "http://b.example/");
        let mut third = waiting(&gate, "http://b.example/");
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(gives_up);
        drop(first);
        assert!(third.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_gives_up_when_its_turn_has_come_passes_it_on() {
        let gate = Gate::new(1, 8);
        let first = gate.enter(key("http://a.example/")).await;
        let mut gives_up = waiting(&gate, "http://b.example/");
        let mut third = waiting(&gate, "http://c.example/");
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        // The place is given to it, and it does not hear of that any more.
        drop(first);
        drop(gives_up);
        assert!(third.as_mut().now_or_never().is_some());
    }

    #[test]
    fn no_places_at_all_are_one() {
        let gate = Gate::new(0, 0);
        let first = waiting(&gate, "http://a.example/").now_or_never();
        assert!(first.is_some());
        let second = waiting(&gate, "http://b.example/").now_or_never();
        assert!(second.is_none());
    }

    /// Some who wait or are inside, and what they may be.
    struct Crowd {
        gate: Gate,
        total: usize,
        per_host: usize,
        inside: Vec<(usize, Place)>,
        waiting: Vec<(usize, BoxFuture<'static, Place>)>,
    }

    impl Crowd {
        fn at(total: usize, per_host: usize) -> Self {
            Self {
                gate: Gate::new(total, per_host),
                total,
                per_host,
                inside: Vec::new(),
                waiting: Vec::new(),
            }
        }

        fn comes(&mut self, host: usize) {
            let url = format!("http://h{host}.example/");
            self.waiting.push((host, waiting(&self.gate, &url)));
        }

        /// Asks all who wait, until nobody gets on any more.
        fn settle(&mut self) {
            let mut before = usize::MAX;
            while self.waiting.len() < before {
                before = self.waiting.len();
                for (host, mut waits) in std::mem::take(&mut self.waiting) {
                    match waits.as_mut().now_or_never() {
                        Some(place) => self.inside.push((host, place)),
                        None => self.waiting.push((host, waits)),
                    }
                }
            }
        }

        fn inside_of(&self, host: usize) -> usize {
            self.inside.iter().filter(|(of, _)| *of == host).count()
        }

        /// The limits hold, and nobody waits but for one of them.
        fn check(&self) {
            assert!(self.inside.len() <= self.total);
            for (host, _) in &self.inside {
                assert!(self.inside_of(*host) <= self.per_host);
            }
            for (host, _) in &self.waiting {
                let all = self.inside.len() == self.total;
                assert!(all || self.inside_of(*host) == self.per_host, "for nothing");
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_waits_for_a_place_that_is_free_whoever_comes_and_goes(
            total in 1_usize..5,
            per_host in 1_usize..4,
            moves in prop::collection::vec((0_u8..4, any::<prop::sample::Index>()), 0..60),
        ) {
            let mut crowd = Crowd::at(total, per_host);
            for (step, which) in moves {
                match step {
                    0 | 1 => crowd.comes(which.index(4)),
                    2 if !crowd.inside.is_empty() => {
                        let which = which.index(crowd.inside.len());
                        drop(crowd.inside.remove(which));
                    }
                    // As when all bodies of a host break off together.
                    3 if !crowd.inside.is_empty() => {
                        let host = crowd.inside[which.index(crowd.inside.len())].0;
                        crowd.inside.retain(|(of, _)| *of != host);
                    }
                    _ if !crowd.waiting.is_empty() => {
                        let which = which.index(crowd.waiting.len());
                        drop(crowd.waiting.remove(which));
                    }
                    _ => {}
                }
                crowd.settle();
                crowd.check();
            }
            while !crowd.waiting.is_empty() {
                prop_assert!(!crowd.inside.is_empty(), "they wait for one another");
                crowd.inside.clear();
                crowd.settle();
            }
            crowd.inside.clear();
            prop_assert_eq!(crowd.gate.known_hosts(), 0);
        }
    }
}
