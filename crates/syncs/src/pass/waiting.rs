//! How long a pass waits where nothing is to be begun: for what is due soon, for a target that
//! takes nothing for a while, for the claim of somebody who has died. A pass that does nothing
//! else ends, and leaves it to a later one.

use super::Pass;
use crate::sql::claim;
use ::operations::Failure;
use std::time::Duration;

/// How long a pass waits for what is to be tried again soon, in one go.
const SOON: Duration = Duration::from_secs(120);
/// How long it waits in all while nothing moves.
pub(super) const ONLY_WAITING: Duration = Duration::from_secs(15 * 60);
/// How long it sleeps at most without looking whether others have finished.
const LOOK: Duration = Duration::from_secs(5);
/// And at least.
const LEAST: Duration = Duration::from_millis(20);

/// How long a pass has waited.
#[derive(Debug)]
pub(super) struct Waiting {
    /// How long it still waits for leases of others: once for as long as one holds. Who is
    /// alive renews it, and goes on by itself.
    leases: Duration,
    /// How long it has waited since something moved.
    idle: Duration,
    /// Files that were done by then. Bytes are no measure: those of a file that a target has
    /// read and not taken are sent again and again.
    done: u64,
}

impl Waiting {
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            leases: lease + Duration::from_secs(1),
            idle: Duration::ZERO,
            done: 0,
        }
    }

    /// How long to sleep of a wait; nothing where it is too long by what has moved.
    fn sleeps(&mut self, wait: Duration, done: u64) -> Option<Duration> {
        if done != self.done {
            self.done = done;
            self.idle = Duration::ZERO;
        }
        if self.idle.saturating_add(wait) > ONLY_WAITING {
            return None;
        }
        let sleep = wait.clamp(LEAST, LOOK);
        self.idle += sleep;
        Some(sleep)
    }

    /// The same of somebody's lease.
    fn sleeps_for_lease(&mut self, left: Duration) -> Option<Duration> {
        if self.leases.is_zero() {
            return None;
        }
        let sleep = left.min(self.leases).clamp(LEAST, LOOK);
        self.leases = self.leases.saturating_sub(sleep);
        Some(sleep)
    }
}

impl Pass {
    /// How long to wait for what is due soon; nothing where nothing is.
    pub(super) async fn wait_for_more(
        &self,
        waiting: &mut Waiting,
    ) -> Result<Option<Duration>, Failure> {
        let now = self.syncs.now();
        let shut = self.gates.shut(now);
        let due = claim::next_due(self.syncs.db(), self.opened.sync.id, &shut).await?;
        let soon = due.run_at.map(|at| at.since(now));
        let soon = soon.filter(|wait| *wait <= SOON);
        let opens = self.gates.opens_in(now);
        if let Some(wait) = soon.into_iter().chain(opens).min() {
            let sleep = waiting.sleeps(wait, self.board.tally().done());
            if sleep.is_none() {
                self.board.say(format!(
                    "Nothing can be sent for another {} s, so this pass ends; a later one goes on with what is left.",
                    wait.as_secs()
                ));
            }
            return Ok(sleep);
        }
        Ok(due
            .lease_left
            .and_then(|left| waiting.sleeps_for_lease(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_wait_is_slept_in_short_turns() {
        let mut waiting = Waiting::new(MINUTE);
        assert_eq!(waiting.sleeps(Duration::ZERO, 0), Some(LEAST));
        assert_eq!(waiting.sleeps(MINUTE, 0), Some(LOOK));
        assert_eq!(waiting.sleeps(16 * MINUTE, 0), None);
    }

    #[test]
    fn who_only_waits_gives_up_and_who_gets_on_does_not() {
        let mut waiting = Waiting::new(MINUTE);
        let mut slept = Duration::ZERO;
        // A target that asks for five minutes whenever it is asked.
        while let Some(sleep) = waiting.sleeps(5 * MINUTE, 3) {
            slept += sleep;
            assert!(slept <= ONLY_WAITING, "it never gives up");
        }
        assert_eq!(slept, ONLY_WAITING - 5 * MINUTE + LOOK);
        // One more file.
        assert_eq!(waiting.sleeps(5 * MINUTE, 4), Some(LOOK));
    }

    #[test]
    fn a_lease_is_waited_for_once() {
        let mut waiting = Waiting::new(Duration::from_secs(8));
        let mut sleep = || {
            waiting
                .sleeps_for_lease(MINUTE)
                .map(|sleep| sleep.as_secs())
        };
        assert_eq!([sleep(), sleep(), sleep()], [Some(5), Some(4), None]);
    }
}
