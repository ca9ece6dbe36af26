//! The targets that took nothing a moment ago, whatever the file: a credential is refused, an
//! account is gone. In a bucket a file may come at any moment, and each would ask such a target
//! again, with its whole content; so for a while new files do not.
//!
//! Each process remembers what itself was told. A restart forgets it, as does another rule of
//! the sync, and a target that has taken something since.

use crate::sync::Sync;
use base::{SyncId, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For so long new files do not ask it again.
const SPARED: Duration = Duration::from_secs(60);

/// What targets have said.
#[derive(Debug, Default)]
pub(crate) struct Refusing(Mutex<HashMap<SyncId, BTreeMap<String, Refused>>>);

#[derive(Debug)]
struct Refused {
    reason: String,
    at: Timestamp,
    /// Of the sync by whose rule it was asked.
    changed_at: Timestamp,
}

/// A target that is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spared {
    pub(crate) target: String,
    pub(crate) reason: String,
    pub(crate) until: Timestamp,
}

impl Refused {
    /// Until when it counts; not at all for a clock that was set back since.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.at.plus(SPARED);
        (self.at <= now && now < until).then_some(until)
    }
}

impl Refusing {
    fn inner(&self) -> MutexGuard<'_, HashMap<SyncId, BTreeMap<String, Refused>>> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This target of a sync was asked, and takes nothing.
    pub(crate) fn keep(&self, sync: &Sync, target: &str, reason: &str, now: Timestamp) {
        let mut inner = self.inner();
        inner.retain(|_, refused| {
            refused.retain(|_, refused| refused.until(now).is_some());
            !refused.is_empty()
        });
        let refused = Refused {
            reason: reason.to_owned(),
            at: now,
            changed_at: sync.changed_at,
        };
        let of_sync = inner.entry(sync.id).or_default();
        of_sync.insert(target.to_owned(), refused);
    }

    /// This target has taken something.
    pub(crate) fn forget(&self, sync: SyncId, target: &str) {
        if let Some(refused) = self.inner().get_mut(&sync) {
            refused.remove(target);
        }
    }

    /// The targets of a sync that new files do not ask now.
    pub(crate) fn spared(&self, sync: &Sync, now: Timestamp) -> Vec<Spared> {
        let inner = self.inner();
        let refused = inner.get(&sync.id).into_iter().flatten();
        refused
            .filter(|(_, refused)| refused.changed_at == sync.changed_at)
            .filter_map(|(target, refused)| {
                Some(Spared {
                    target: target.clone(),
                    reason: refused.reason.clone(),
                    until: refused.until(now)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Origin;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn a_sync() -> Sync {
        let rule = serde_json::json!({
            "source": { "kind": "bucket", "bucket": "any" },
            "targets": [{ "name": "films", "to": { "kind": "bucket", "bucket": "any" } }],
        });
        Sync {
            id: SyncId::new(),
            name: "any".to_owned(),
            rule: serde_json::from_value(rule).expect("a rule"),
            origin: Origin::People,
            paused: false,
            created_at: at(0),
            created_by: "system".to_owned(),
            changed_at: at(0),
        }
    }

    #[test]
    fn a_target_is_spared_for_a_minute_unless_anything_has_changed() {
        let (refusing, mut sync) = (Refusing::default(), a_sync());
        refusing.keep(&sync, "films", "revoked", at(100));
        let spared = Spared {
            target: "films".to_owned(),
            reason: "revoked".to_owned(),
            until: at(160),
        };
        for seconds in [100, 159] {
            assert_eq!(
                refusing.spared(&sync, at(seconds)),
                std::slice::from_ref(&spared)
            );
        }
        let is_asked = |sync: &Sync, now| refusing.spared(sync, now).is_empty();
        assert!(is_asked(&sync, at(160)));
        assert!(is_asked(&sync, at(99)), "a clock was set back");
        assert!(is_asked(&a_sync(), at(100)), "of another sync");
        sync.changed_at = at(101);
        assert!(is_asked(&sync, at(102)), "by another rule");
        refusing.keep(&sync, "films", "revoked", at(103));
        assert!(!is_asked(&sync, at(104)));
        refusing.forget(sync.id, "films");
        assert!(is_asked(&sync, at(104)), "it takes files again");
    }

    #[test]
    fn what_counts_no_more_is_not_kept() {
        let refusing = Refusing::default();
        for seconds in [0, 30, 70] {
            refusing.keep(&a_sync(), "films", "revoked", at(seconds));
        }
        assert_eq!(refusing.inner().len(), 2);
    }
}
