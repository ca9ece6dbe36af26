//! What becomes of a delivery after an attempt: its end, or when it is tried again.

use super::attempt::Reached;
use super::{Pass, Turn};
use crate::delivery::{Claimed, DeliveryState};
use crate::source::Told;
use crate::sql::claim::{self, Ending};
use crate::target::Trouble;
use rand::RngExt;
use std::time::Duration;

/// The longest wait before the second attempt; it doubles with each.
const BASE: Duration = Duration::from_secs(1);
/// How often a target may ask to wait before a file is given up.
const MOST_WAITS: u64 = 100;
/// The shortest pause of a target, which uses up nothing of a file: without one it would be
/// asked again without end.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest wait that a target may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// What its target works on is looked at after as long as it has been there, and at least so
/// often.
const LEAST_OFTEN: Duration = Duration::from_secs(300);
/// How long a target may work on a file.
const LONGEST_AT_WORK: Duration = Duration::from_secs(24 * 3600);
/// How long a file waits whose target is shut, where nothing is recorded of that one.
const ELSEWHERE: Duration = Duration::from_secs(600);

/// The most that is waited after so many failures: exponential, up to `cap`. How much of
/// it, chance decides (full jitter).
pub(super) fn most_wait(failures: u64, cap: Duration) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    BASE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(cap)
}

/// When a file is looked at again that its target has worked on for `age`, and not before
/// `least`.
fn look_again(age: Duration, least: Duration) -> Duration {
    age.min(LEAST_OFTEN).max(least)
}

/// What follows from a trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is tried again after so long, with so many failures and waits noted.
    Again {
        wait: Duration,
        failures: u64,
        waits: u64,
    },
    /// It is given up.
    Failed { failures: u64 },
    /// Its target takes nothing for so long.
    Paused { wait: Duration },
    /// It is not its fault: it waits as it was.
    Untouched,
}

/// Decides what follows. `chance` is from 0 to 1.
pub(super) fn next(
    trouble: &Trouble,
    (failures, waits): (u64, u64),
    (attempts, cap): (u64, Duration),
    chance: f64,
) -> Next {
    let Trouble::Later { after, .. } = trouble else {
        return match trouble {
            Trouble::Everything { .. } => Next::Untouched,
            Trouble::Paused { after, .. } => Next::Paused {
                wait: (*after).clamp(SHORTEST_PAUSE, LONGEST_ASKED),
            },
            _ => Next::Failed {
                failures: failures + 1,
            },
        };
    };
    if let Some(after) = after {
        // It is there and says when: that is no failure.
        if waits + 1 >= MOST_WAITS {
            return Next::Failed { failures };
        }
        let jitter = most_wait(1, cap).mul_f64(chance);
        return Next::Again {
            wait: (*after).min(LONGEST_ASKED) + jitter,
            failures,
            waits: waits + 1,
        };
    }
    let failures = failures + 1;
    if failures >= attempts {
        return Next::Failed { failures };
    }
    Next::Again {
        wait: most_wait(failures, cap).mul_f64(chance),
        failures,
        waits,
    }
}

impl Pass {
    /// Delivers one file, and settles what becomes of it.
    pub(super) async fn deliver(&self, claimed: &Claimed, turn: Turn) {
        let outcome = self.attempt(claimed, turn).await;
        self.board.end(claimed.delivery.id);
        let settled = match outcome {
            Ok(reached) => {
                self.gates.forget(claimed.delivery.id);
                self.settle(claimed, reached).await
            }
            Err(trouble) => self.trouble(claimed, trouble).await,
        };
        // Whether or not that could be recorded: then its lease ends, and it is taken up from
        // where it was recorded before.
        self.held.let_go(&claimed.claim);
        if let Err(error) = settled {
            tracing::warn!(%error, "what became of a delivery could not be recorded");
        }
        self.board.flush().await;
    }

    /// Settles what becomes of a file whose attempt is gone by a mistake of ours: that one has
    /// failed, and its claim is given back, which would be renewed as long as this pass lives.
    pub(super) async fn mistaken(&self, claimed: &Claimed) {
        self.board.end(claimed.delivery.id);
        self.gates.forget(claimed.delivery.id);
        let trouble = Trouble::Later {
            reason:
                "Longshore made a mistake while it delivered this file; its own log has the details"
                    .to_owned(),
            after: None,
        };
        let settled = self.trouble(claimed, trouble).await;
        self.held.let_go(&claimed.claim);
        if let Err(error) = settled {
            tracing::warn!(%error, "what became of a delivery could not be recorded");
        }
    }

    async fn settle(&self, claimed: &Claimed, mut reached: Reached) -> storage::Result<()> {
        let delivery = &claimed.delivery;
        if let Reached::Working(again) = &mut reached {
            let since = claim::working_since(self.syncs.db(), &claimed.claim).await?;
            let age = since.map_or(Duration::ZERO, |since| self.syncs.now().since(since));
            if age >= LONGEST_AT_WORK {
                return self.trouble(claimed, not_ready()).await;
            }
            *again = look_again(age, *again);
        }
        let (state, reason, again) = match &reached {
            Reached::Marked(Told::Done) => (DeliveryState::Marked, "", None),
            Reached::Marked(Told::But(but)) => (DeliveryState::Marked, but.as_str(), None),
            Reached::Skipped(why) => (DeliveryState::Skipped, why.as_str(), None),
            Reached::Working(wait) => {
                let again = self.syncs.now().plus((*wait).min(LONGEST_ASKED));
                (DeliveryState::Working, "", Some(again))
            }
        };
        let ending = Ending {
            state: Some(state),
            reason,
            again,
            failures: 0,
            waits: 0,
            anew: false,
        };
        if !self.end(claimed, ending).await? {
            return Ok(());
        }
        let name = shown(claimed);
        match reached {
            Reached::Marked(told) => {
                self.board.count(|tally| tally.delivered += 1);
                let but = match told {
                    Told::Done => String::new(),
                    Told::But(but) => format!(" ({but})"),
                };
                self.board.say(format!("{name} is delivered{but}."));
            }
            Reached::Working(_) => {
                // It is counted when it comes there, and not at every look.
                if delivery.state != DeliveryState::Working {
                    self.board.works_on(delivery.id);
                    self.board.say(format!(
                        "{name} is at its target, which makes it ready; it is looked at again."
                    ));
                }
            }
            Reached::Skipped(why) => {
                self.board.count(|tally| tally.skipped += 1);
                self.board.say(format!("{name} is skipped: {why}."));
            }
        }
        Ok(())
    }

    async fn trouble(&self, claimed: &Claimed, trouble: Trouble) -> storage::Result<()> {
        let delivery = &claimed.delivery;
        let of_target = self.gates.whose(delivery.id, &trouble);
        let reason = self.context.redacted(&trouble.to_string());
        let counts = (delivery.failures, delivery.waits);
        let limits = (self.attempts, self.longest_wait);
        let chance = rand::rng().random_range(0.0..=1.0);
        match next(&trouble, counts, limits, chance) {
            Next::Untouched => {
                let Some(target) = of_target else {
                    let ending = self.waiting(&reason, counts, Duration::ZERO);
                    self.end(claimed, ending).await?;
                    self.board.stop(reason);
                    return Ok(());
                };
                // Before it may be claimed again.
                if self.gates.close(&target, &reason) {
                    self.say_closed(&target, &reason);
                    let (sync, now) = (&self.opened.sync, self.syncs.now());
                    self.syncs.refusing().keep(sync, &target, &reason, now);
                }
                let is_elsewhere =
                    delivery.known.is_some() && delivery.target.as_ref() != Some(&target);
                let wait = if is_elsewhere {
                    ELSEWHERE
                } else {
                    Duration::ZERO
                };
                let ending = self.waiting(&reason, counts, wait);
                self.end(claimed, ending).await?;
            }
            Next::Paused { wait } => {
                if let Some(target) = of_target
                    && self
                        .gates
                        .pause(&target, &reason, self.syncs.now().plus(wait))
                {
                    self.board.say(format!(
                        "The target {target} takes nothing for {} s: {reason}.",
                        wait.as_secs()
                    ));
                }
                let ending = self.waiting(&reason, counts, wait);
                self.end(claimed, ending).await?;
            }
            Next::Again {
                wait,
                failures,
                waits,
            } => {
                let ending = self.waiting(&reason, (failures, waits), wait);
                if self.end(claimed, ending).await? {
                    self.board.count(|tally| tally.retried += 1);
                    self.board.say(format!(
                        "{}: {reason}; it is tried again in {:.1} s, after {failures} of {} attempts.",
                        shown(claimed),
                        wait.as_secs_f64(),
                        self.attempts,
                    ));
                }
            }
            Next::Failed { failures } => {
                let ending = Ending {
                    state: Some(DeliveryState::Failed),
                    reason: &reason,
                    again: None,
                    failures,
                    waits: delivery.waits,
                    anew: false,
                };
                if self.end(claimed, ending).await? {
                    self.board.say(format!(
                        "{} has failed: {reason}. It rests among the failed ones until it is retried.",
                        shown(claimed),
                    ));
                    self.board.count(|tally| tally.failed += 1);
                }
            }
        }
        Ok(())
    }

    /// It waits where it was recorded last.
    fn waiting<'a>(
        &self,
        reason: &'a str,
        (failures, waits): (u64, u64),
        wait: Duration,
    ) -> Ending<'a> {
        Ending {
            state: None,
            reason,
            again: Some(self.syncs.now().plus(wait)),
            failures,
            waits,
            anew: false,
        }
    }

    async fn end(&self, claimed: &Claimed, ending: Ending<'_>) -> storage::Result<bool> {
        let now = self.syncs.now();
        let held = claim::end(&self.ledger, &claimed.claim, ending, now).await?;
        if held && ending.again.is_none() {
            self.board.over(&claimed.delivery);
        }
        Ok(held)
    }
}

/// What becomes of a file that never gets ready.
fn not_ready() -> Trouble {
    Trouble::Refused {
        reason: format!(
            "it has not become ready at its target within {} hours; look at it there, then retry it",
            LONGEST_AT_WORK.as_secs() / 3600
        ),
    }
}

/// How a file is called in the log.
fn shown(claimed: &Claimed) -> String {
    let delivery = &claimed.delivery;
    if delivery.name.is_empty() || delivery.item.ends_with(&delivery.name) {
        delivery.item.clone()
    } else {
        format!("{} ({})", delivery.name, delivery.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAP: Duration = Duration::from_secs(600);

    fn later(after: Option<u64>) -> Trouble {
        Trouble::Later {
            reason: "busy".to_owned(),
            after: after.map(Duration::from_secs),
        }
    }

    #[test]
    fn what_asks_to_wait_is_waited_for_and_is_no_failure() {
        let asked = next(&later(Some(300)), (2, 5), (6, CAP), 0.0);
        let wait = Duration::from_secs(300);
        assert_eq!(
            asked,
            Next::Again {
                wait,
                failures: 2,
                waits: 6
            }
        );
        let endless = next(&later(Some(1)), (0, MOST_WAITS - 1), (6, CAP), 0.0);
        assert_eq!(endless, Next::Failed { failures: 0 });
    }

    #[test]
    fn what_is_worked_on_is_looked_at_less_and_less_often() {
        let least = Duration::from_secs(10);
        let (mut age, mut waits) = (Duration::ZERO, Vec::new());
        for _ in 0..8 {
            let wait = look_again(age, least);
            age += wait;
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [10, 10, 20, 40, 80, 160, 300, 300]);
        // A target that asks for more gets it.
        let long = Duration::from_secs(900);
        assert_eq!(look_again(Duration::ZERO, long), long);
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        let again = next(&later(None), (4, 0), (6, CAP), 1.0);
        assert!(
            matches!(again, Next::Again { failures: 5, .. }),
            "{again:?}"
        );
        let last = next(&later(None), (5, 0), (6, CAP), 1.0);
        assert_eq!(last, Next::Failed { failures: 6 });
    }

    #[test]
    fn what_is_refused_fails_at_once_and_what_holds_for_all_waits() {
        let reason = String::new();
        let refused = Trouble::Refused {
            reason: reason.clone(),
        };
        assert_eq!(
            next(&refused, (0, 0), (6, CAP), 0.5),
            Next::Failed { failures: 1 }
        );
        // Who asks for no pause at all gets one, too.
        for (asked, wait) in [(9, 9), (0, 1)] {
            let paused = Trouble::Paused {
                reason: reason.clone(),
                after: Duration::from_secs(asked),
            };
            let wait = Duration::from_secs(wait);
            assert_eq!(next(&paused, (5, 99), (6, CAP), 0.5), Next::Paused { wait });
        }
        let all = Trouble::Everything { reason };
        assert_eq!(next(&all, (3, 0), (6, CAP), 0.5), Next::Untouched);
    }

    proptest! {
        #[test]
        fn a_wait_stays_below_its_step_and_the_cap(failures in 0_u64..100, chance in 0.0..=1.0_f64) {
            let Next::Again { wait, .. } = next(&later(None), (failures, 0), (1000, CAP), chance) else {
                panic!("attempts are left");
            };
            prop_assert!(wait <= most_wait(failures + 1, CAP));
            prop_assert!(wait <= CAP);
        }
    }
}
