//! How many connections each address has open, so that one peer cannot take every place.
//!
//! IPv6 addresses count by their /64, which is what one customer has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections that are open, by address. Bounded by how many there may be in all.
pub(super) struct Addresses {
    most: usize,
    open: Open,
    refused: AtomicBool,
}

/// One connection among those of its address, until it is dropped.
pub(super) struct Entered(Option<(IpAddr, Open)>);

type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

impl Addresses {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            open: Arc::default(),
            refused: AtomicBool::new(false),
        }
    }

    /// Counts one more; nothing when that address has as many as it may.
    pub(super) fn enter(&self, from: IpAddr) -> Option<Entered> {
        let place = place(from);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(place).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Entered(Some((place, Arc::clone(&self.open)))))
    }

    /// Whether nobody was refused before.
    pub(super) fn first_refusal(&self) -> bool {
        !self.refused.swap(true, Ordering::Relaxed)
    }
}

impl Entered {
    /// One that is not counted.
    pub(super) const fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some((place, open)) = self.0.take() else {
            return;
        };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&place);
            }
        }
    }
}

fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_so_many_and_gets_a_place_back() {
        let addresses = Addresses::new(2);
        let one = addresses.enter(from("192.0.2.1"));
        let _two = addresses.enter(from("::ffff:192.0.2.1")).expect("a place");
        assert!(addresses.enter(from("192.0.2.1")).is_none());
        assert!(addresses.enter(from("192.0.2.2")).is_some());
        drop(one);
        assert!(addresses.enter(from("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_nothing_is_kept_of_who_has_left() {
        let addresses = Addresses::new(1);
        let one = addresses.enter(from("2001:db8::1")).expect("a place");
        assert!(addresses.enter(from("2001:db8::2")).is_none());
        assert!(addresses.enter(from("2001:db8:0:1::1")).is_some());
        drop(one);
        assert!(addresses.open.lock().expect("no panic").is_empty());
    }
}
