//! Which targets of a pass take nothing, and whose trouble a file has met.
//!
//! What troubles one target concerns that one alone: it is shut, for a while or for the rest
//! of the pass, and what goes to the others goes on.

use crate::target::Trouble;
use base::{DeliveryId, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Ends of a pause that differ by less are the same one, reckoned at another moment.
const SAME: Duration = Duration::from_secs(1);

/// The gates of one pass.
#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By the names of targets.
    shut: BTreeMap<String, Shut>,
    /// What a target has said of a file that is under way.
    met: HashMap<DeliveryId, Met>,
}

#[derive(Clone, Debug)]
struct Shut {
    reason: String,
    until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// It takes something again then.
    Then(Timestamp),
    /// For the rest of the pass, which thereby fails.
    TheEnd,
    /// For the whole pass, which was made for the others.
    LeftOut,
}

#[derive(Debug)]
struct Met {
    target: String,
    trouble: Trouble,
}

/// What a pass leaves to later ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Targets that a pass for the others leaves out.
    pub(crate) out: Vec<String>,
    /// Targets that take nothing for a while.
    pub(crate) paused: Vec<String>,
    /// When the first of those takes something again.
    pub(crate) opens_at: Option<Timestamp>,
    /// When the first of those may be asked again that were not, as they took nothing a moment
    /// ago.
    pub(crate) spared_until: Option<Timestamp>,
}

impl Gates {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves these targets out.
    pub(crate) fn leave_out(&self, targets: &[String]) {
        let mut inner = self.inner();
        for target in targets {
            let shut = Shut {
                reason: "the target is left alone for a while, after trouble".to_owned(),
                until: Until::LeftOut,
            };
            inner.shut.insert(target.clone(), shut);
        }
    }

    /// A target takes nothing until then. True where that is news.
    pub(crate) fn pause(&self, target: &str, reason: &str, until: Timestamp) -> bool {
        let mut inner = self.inner();
        let is_news = match inner.shut.get(target).map(|shut| shut.until) {
            None => true,
            Some(Until::Then(known)) if known < until => until.since(known) > SAME,
            Some(_) => return false,
        };
        let shut = Shut {
            reason: reason.to_owned(),
            until: Until::Then(until),
        };
        inner.shut.insert(target.to_owned(), shut);
        is_news
    }

    /// A target takes nothing for the rest of the pass. True where that is news.
    pub(crate) fn close(&self, target: &str, reason: &str) -> bool {
        let mut inner = self.inner();
        let known = inner.shut.get(target).map(|shut| shut.until);
        if matches!(known, Some(Until::TheEnd | Until::LeftOut)) {
            return false;
        }
        let shut = Shut {
            reason: reason.to_owned(),
            until: Until::TheEnd,
        };
        inner.shut.insert(target.to_owned(), shut);
        true
    }

    /// What a target that is shut says, so that it need not be asked.
    pub(crate) fn refuses(&self, target: &str, now: Timestamp) -> Option<Trouble> {
        let shut = self.inner().shut.get(target).cloned()?;
        let reason = shut.reason;
        match shut.until {
            Until::TheEnd | Until::LeftOut => Some(Trouble::Everything { reason }),
            Until::Then(until) if until > now => Some(Trouble::Paused {
                reason,
                after: until.since(now),
            }),
            Until::Then(_) => None,
        }
    }

    /// The targets that are shut now.
    pub(crate) fn shut(&self, now: Timestamp) -> Vec<String> {
        let mut inner = self.inner();
        inner
            .shut
            .retain(|_, shut| !matches!(shut.until, Until::Then(until) if until <= now));
        inner.shut.keys().cloned().collect()
    }

    /// How long it is until the first of those that are shut for a while takes something
    /// again.
    pub(crate) fn opens_in(&self, now: Timestamp) -> Option<Duration> {
        let at = self.left(now).opens_at?;
        Some(at.since(now))
    }

    /// What the pass leaves to later ones, as it stands.
    pub(crate) fn left(&self, now: Timestamp) -> Left {
        let mut left = Left::default();
        for (target, shut) in &self.inner().shut {
            match shut.until {
                Until::TheEnd | Until::LeftOut => left.out.push(target.clone()),
                Until::Then(until) if until > now => {
                    left.paused.push(target.clone());
                    left.opens_at = Some(left.opens_at.map_or(until, |known| known.min(until)));
                }
                Until::Then(_) => {}
            }
        }
        left
    }

    /// The targets that made the pass fail, each with the reason.
    pub(crate) fn failures(&self) -> Vec<(String, String)> {
        let inner = self.inner();
        let closed = inner
            .shut
            .iter()
            .filter(|(_, shut)| shut.until == Until::TheEnd);
        closed
            .map(|(target, shut)| (target.clone(), shut.reason.clone()))
            .collect()
    }

    /// Hands on what a target says of a file, and keeps whose trouble it is.
    pub(super) fn said<T>(
        &self,
        id: DeliveryId,
        target: &str,
        said: Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if let Err(trouble) = &said {
            let met = Met {
                target: target.to_owned(),
                trouble: trouble.clone(),
            };
            self.inner().met.insert(id, met);
        }
        said
    }

    /// At the end of an attempt: the target whose trouble that is; nothing where it is the
    /// source's, or our own.
    pub(super) fn whose(&self, id: DeliveryId, trouble: &Trouble) -> Option<String> {
        let met = self.inner().met.remove(&id)?;
        (met.trouble == *trouble).then_some(met.target)
    }

    /// An attempt has ended without trouble, or was broken off.
    pub(super) fn forget(&self, id: DeliveryId) {
        self.inner().met.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_target_is_shut_for_a_while_or_to_the_end_and_the_others_are_open() {
        let gates = Gates::default();
        assert!(gates.pause("films", "busy", at(60)));
        // The same wait, reckoned a moment later, and a shorter one.
        let later = at(60).plus(Duration::from_millis(20));
        assert!(!gates.pause("films", "busy", later));
        assert!(!gates.pause("films", "busy", at(30)));
        assert!(gates.pause("films", "busier", at(90)));
        assert!(gates.close("store", "it is full"));
        assert!(
            !gates.close("store", "it is still full"),
            "the first counts"
        );
        assert!(!gates.pause("store", "busy", at(900)));
        assert_eq!(gates.shut(at(0)), ["films", "store"]);
        assert_eq!(gates.opens_in(at(0)), Some(Duration::from_secs(90)));
        let reason = "busier".to_owned();
        let after = Duration::from_secs(80);
        let paused = Some(Trouble::Paused { reason, after });
        assert_eq!(gates.refuses("films", at(10)), paused);
        assert_eq!(gates.refuses("images", at(10)), None);
        assert_eq!(gates.refuses("films", at(90)), None);
        let left = gates.left(at(10));
        assert_eq!(
            (left.out, left.paused),
            (vec!["store".to_owned()], vec!["films".to_owned()])
        );
        assert_eq!(left.opens_at, Some(at(90)));
        assert_eq!(gates.shut(at(90)), ["store"]);
        let failures = [("store".to_owned(), "it is full".to_owned())];
        assert_eq!(gates.failures(), failures);
    }

    #[test]
    fn what_is_left_out_fails_nothing_and_is_left_out_further() {
        let gates = Gates::default();
        gates.leave_out(&["store".to_owned()]);
        assert!(!gates.close("store", "it is full"));
        assert!(gates.failures().is_empty());
        assert_eq!(gates.left(at(0)).out, ["store"]);
        let refused = gates.refuses("store", at(0));
        assert!(matches!(refused, Some(Trouble::Everything { .. })));
    }

    #[test]
    fn trouble_is_laid_at_the_door_of_who_gave_it() {
        let gates = Gates::default();
        let trouble = |reason: &str| Trouble::Everything {
            reason: reason.to_owned(),
        };
        let id = DeliveryId::new();
        let said: Result<(), Trouble> = gates.said(id, "films", Err(trouble("full")));
        assert_eq!(said, Err(trouble("full")));
        assert_eq!(gates.whose(id, &trouble("full")).as_deref(), Some("films"));
        assert_eq!(gates.whose(id, &trouble("full")), None, "it is told once");
        let _ = gates.said::<()>(id, "films", Err(trouble("full")));
        assert_eq!(gates.whose(id, &trouble("of the source")), None);
    }
}
