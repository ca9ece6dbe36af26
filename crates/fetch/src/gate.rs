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

    fn key(text: &str) -> HostKey {
        CheckedUrl::parse(text, &Policy::default())
            .unwrap()
            .host_key()
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
}
