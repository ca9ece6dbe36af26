//! Who takes a kept archive, or waits for it, in this process: whoever closes the
//! socket that it is made for asks before it is cancelled.

use base::BundleId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Takers(Arc<Mutex<HashMap<BundleId, usize>>>);

/// One who takes, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Taker {
    id: BundleId,
    takers: Takers,
}

impl Takers {
    fn map(&self) -> MutexGuard<'_, HashMap<BundleId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more takes it.
    pub(crate) fn enter(&self, id: BundleId) -> Taker {
        *self.map().entry(id).or_default() += 1;
        Taker {
            id,
            takers: self.clone(),
        }
    }

    /// Whether anybody takes it.
    pub(crate) fn any(&self, id: BundleId) -> bool {
        self.map().contains_key(&id)
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let mut map = self.takers.map();
        if let Some(count) = map.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                map.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_is_known_until_the_last_has_left() {
        let (takers, id) = (Takers::default(), BundleId::from(uuid::Uuid::now_v7()));
        assert!(!takers.any(id));
        let (one, other) = (takers.enter(id), takers.enter(id));
        drop(one);
        assert!(takers.any(id));
        drop(other);
        assert!(!takers.any(id));
    }
}
