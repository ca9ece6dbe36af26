//! When a failed operation is tried again.

use crate::failure::{Again, Failure};
use rand::RngExt;
use std::time::Duration;

/// How often and after what time an operation of a kind is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    /// One attempt.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            base: Duration::ZERO,
            cap: Duration::ZERO,
        }
    }

    /// At most `attempts` in all, waiting a random time below `base · 2ⁿ` and `cap`
    /// between them (full jitter), or what the other side asked for, if longer.
    #[must_use]
    pub const fn exponential(attempts: u32, base: Duration, cap: Duration) -> Self {
        Self {
            attempts,
            base,
            cap,
        }
    }

    /// How long to wait before the next attempt after `failures` of them failed;
    /// `None` when there is none.
    pub(crate) fn wait(&self, failure: &Failure, failures: u32) -> Option<Duration> {
        let Again::Later(asked) = failure.again else {
            return None;
        };
        if failures >= self.attempts {
            return None;
        }
        let most = self
            .base
            .saturating_mul(
                1_u32
                    .checked_shl(failures.saturating_sub(1))
                    .unwrap_or(u32::MAX),
            )
            .min(self.cap);
        let jittered = most.mul_f64(rand::rng().random_range(0.0..=1.0));
        Some(asked.map_or(jittered, |asked| asked.max(jittered)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> RetryPolicy {
        RetryPolicy::exponential(5, Duration::from_secs(1), Duration::from_secs(60))
    }

    #[test]
    fn a_lasting_failure_is_not_tried_again() {
        assert_eq!(policy().wait(&Failure::lasting("x", "x"), 1), None);
    }

    #[test]
    fn attempts_are_counted_in_all() {
        let failure = Failure::passing("x", "x");
        assert!(policy().wait(&failure, 4).is_some());
        assert_eq!(policy().wait(&failure, 5), None);
        assert_eq!(RetryPolicy::never().wait(&failure, 1), None);
    }

    #[test]
    fn what_the_other_side_asked_for_is_waited_for() {
        let failure = Failure::passing("x", "x").not_before(Duration::from_secs(300));
        assert_eq!(policy().wait(&failure, 1), Some(Duration::from_secs(300)));
    }

    /// Waits after so many failures, of a policy that allows more.
    fn waits(failures: u32) -> Vec<Duration> {
        let generous =
            RetryPolicy::exponential(1000, Duration::from_secs(1), Duration::from_secs(60));
        let failure = Failure::passing("x", "x");
        (0..SAMPLES)
            .map(|_| {
                generous
                    .wait(&failure, failures)
                    .expect("attempts are left")
            })
            .collect()
    }

    /// So many that they never all lie in one half of their range (once in 2^255 times).
    const SAMPLES: usize = 256;

    #[test]
    fn waits_double_until_the_cap_and_lie_anywhere_below_it() {
        for (failures, most) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (4, 8),
            (5, 16),
            (6, 32),
            (7, 60),
            (8, 60),
            (500, 60),
        ] {
            let waits = waits(failures);
            let most = Duration::from_secs(most);
            let (shortest, longest) = (waits.iter().min(), waits.iter().max());
            // More than half of this step is more than the whole of the one before.
            assert!(
                longest > Some(&(most / 2)) && longest <= Some(&most),
                "after {failures} failures the longest is {longest:?}"
            );
            assert!(
                shortest < Some(&(most / 2)),
                "after {failures} failures the shortest is {shortest:?}"
            );
            let different: std::collections::BTreeSet<_> = waits.iter().collect();
            assert!(
                different.len() > SAMPLES / 2,
                "they come at once: {waits:?}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_the_least_and_not_the_most() {
        let soon = Failure::passing("x", "x").not_before(Duration::from_millis(1));
        let generous =
            RetryPolicy::exponential(1000, Duration::from_secs(1), Duration::from_secs(60));
        let waits = (0..SAMPLES).filter_map(|_| generous.wait(&soon, 7));
        assert!(waits.max() > Some(Duration::from_secs(30)));
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_its_step_nor_the_cap(failures in 1_u32..100) {
            let generous = RetryPolicy::exponential(1000, Duration::from_secs(1), Duration::from_secs(60));
            let wait = generous.wait(&Failure::passing("x", "x"), failures).expect("attempts are left");
            prop_assert!(wait <= Duration::from_secs(60));
            prop_assert!(failures > 6 || wait <= Duration::from_secs(1 << (failures - 1)));
        }
    }
}
