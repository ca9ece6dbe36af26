//! What this replica believes of the shared cache, and until when.

use super::moment::Moment;
use super::{LEASE, QUIET};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How the shared cache is, by the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Counts openings and closings.
    pub(super) number: i64,
    /// Nothing while it is closed.
    pub(super) open: Option<Opening>,
}

/// An opening of the shared cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// What the keys of this opening begin with.
    pub(super) word: Arc<str>,
    /// The server on which it is.
    pub(super) server: Arc<str>,
}

#[derive(Debug)]
struct Believed {
    state: State,
    /// When the database was asked last whether it is so.
    asked: Moment,
    /// When it was heard first.
    heard: Moment,
}

/// What is believed.
#[derive(Debug, Default)]
pub(super) struct Trust(Mutex<Option<Believed>>);

impl Trust {
    fn believed(&self) -> MutexGuard<'_, Option<Believed>> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the database said, unless something newer is known.
    pub(super) fn learn(&self, state: &State, asked: Moment, heard: Moment) {
        let mut believed = self.believed();
        match &mut *believed {
            Some(known) if known.state == *state => known.asked = known.asked.max(asked),
            // The answer is older than what is known. A question that was asked later and
            // has a smaller number, is one to a database that was restored.
            Some(known) if known.state.number >= state.number && asked < known.heard => {}
            _ => {
                *believed = Some(Believed {
                    state: state.clone(),
                    asked,
                    heard,
                });
            }
        }
    }

    /// The opening and its number, while that may be believed.
    pub(super) fn open(&self, now: Moment) -> Option<(i64, Opening)> {
        let believed = self.believed();
        let known = believed.as_ref()?;
        if now.since(known.asked) >= LEASE {
            return None;
        }
        Some((known.state.number, known.state.open.clone()?))
    }

    /// How long still somebody may believe the opening before the closing with this
    /// number. Nothing once it is open anew: nobody opens it before that time is over.
    pub(super) fn quiet_in(&self, number: i64, now: Moment) -> Duration {
        let believed = self.believed();
        match &*believed {
            Some(known) if known.state.number == number => {
                QUIET.saturating_sub(now.since(known.heard))
            }
            Some(known) if known.state.number > number => Duration::ZERO,
            _ => QUIET,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: i64, server: &str) -> State {
        State {
            number,
            open: (!server.is_empty()).then(|| Opening {
                word: "w".into(),
                server: server.into(),
            }),
        }
    }

    #[test]
    fn what_was_confirmed_is_believed_from_the_question_on_and_no_longer() {
        let trust = Trust::default();
        let start = Moment::now();
        let later = |millis| start.plus(Duration::from_millis(millis));
        assert!(trust.open(start).is_none());
        trust.learn(&state(2, "a"), start, later(300));
        assert!(trust.open(later(499)).is_some());
        assert!(trust.open(later(500)).is_none());
        trust.learn(&state(2, "a"), later(400), later(401));
        // An older question that is answered late takes nothing back.
        trust.learn(&state(2, "a"), later(100), later(450));
        assert!(trust.open(later(899)).is_some());
        trust.learn(&state(1, ""), later(200), later(501));
        assert!(trust.open(later(899)).is_some(), "older than what is known");
        trust.learn(&state(3, ""), later(500), later(501));
        assert!(trust.open(later(501)).is_none());
        trust.learn(&state(2, "a"), later(600), later(601));
        assert!(
            trust.open(later(601)).is_some(),
            "the database was restored"
        );
    }

    #[test]
    fn it_is_quiet_a_lease_after_the_closing_was_heard_of() {
        let trust = Trust::default();
        let start = Moment::now();
        let later = |millis| start.plus(Duration::from_millis(millis));
        trust.learn(&state(3, ""), start, later(10));
        trust.learn(&state(3, ""), later(100), later(110));
        assert_eq!(trust.quiet_in(3, later(10)), QUIET);
        assert_eq!(
            trust.quiet_in(3, later(410)),
            QUIET - Duration::from_millis(400)
        );
        assert_eq!(trust.quiet_in(3, later(700)), Duration::ZERO);
        trust.learn(&state(4, "a"), later(800), later(810));
        assert_eq!(trust.quiet_in(3, later(811)), Duration::ZERO);
    }
}
