//! How fast an operation comes on and how long it still takes, from what it did lately: so
//! a start is not averaged away, and every client is told the same.

use crate::operation::Progress;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// So far back it is looked.
const WINDOW: Duration = Duration::from_secs(10);
/// What went by in less time is taken for what went by in so much: it would be a guess.
const SHORTEST: Duration = Duration::from_millis(250);
/// Parts of one thing that is done, as far as what moves now is a part of one.
const PARTS: u64 = 1000;

/// What was done lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    bytes: u64,
    parts: u64,
}

impl Sample {
    fn of(progress: &Progress, at: Instant) -> Self {
        Self {
            at,
            bytes: bytes(progress).unwrap_or_default(),
            parts: parts(progress),
        }
    }
}

/// How many bytes have moved, where they are counted.
fn bytes(progress: &Progress) -> Option<u64> {
    let counted = (progress.unit == "bytes").then_some(progress.done);
    progress.bytes.or(counted)
}

/// How much is done, in parts of the unit: of what moves now, as much as there is of it.
fn parts(progress: &Progress) -> u64 {
    let done = progress.done.saturating_mul(PARTS);
    if progress.unit == "bytes" {
        return done;
    }
    let moving = progress.transfers.iter().filter_map(|moves| {
        let total = u128::from(moves.total?);
        let parts = u128::from(moves.done) * u128::from(PARTS);
        u64::try_from(parts.checked_div(total)?).ok()
    });
    moving.fold(done, |sum, parts| sum.saturating_add(parts.min(PARTS)))
}

impl Pace {
    /// Notes where it begins, unless that is known.
    pub(crate) fn begin(&mut self, progress: &Progress, now: Instant) {
        if self.samples.is_empty() {
            self.samples.push_back(Sample::of(progress, now));
        }
    }

    /// Notes where it stands, and says in it how fast it came there and what is left.
    pub(crate) fn reckon(&mut self, progress: &mut Progress, now: Instant) {
        let last = Sample::of(progress, now);
        // Less than before: it was begun anew.
        if self
            .samples
            .back()
            .is_some_and(|before| last.bytes < before.bytes)
        {
            self.samples.clear();
        }
        self.samples.push_back(last);
        while self
            .samples
            .get(1)
            .is_some_and(|next| now.duration_since(next.at) > WINDOW)
        {
            self.samples.pop_front();
        }
        let first = self.samples.front().copied().unwrap_or(last);
        let took = now.duration_since(first.at).max(SHORTEST).as_millis();
        let moved = u128::from(last.bytes.saturating_sub(first.bytes));
        let known = bytes(progress).filter(|bytes| *bytes > 0);
        progress.bytes_per_second = known.map(|_| whole((moved * 1000).div_ceil(took)));
        progress.seconds_left = left(progress, first.parts, last.parts, took);
    }
}

/// The seconds until everything is done, at this pace.
fn left(progress: &Progress, from: u64, to: u64, took: u128) -> Option<u64> {
    let total = progress.total.filter(|_| !progress.total_grows)?;
    let missing = u128::from(total.saturating_mul(PARTS).saturating_sub(to));
    let did = u128::from(to.checked_sub(from)?);
    let millis = (missing * took).checked_div(did)?;
    Some(whole(millis.div_ceil(1000)))
}

fn whole(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Transfer;

    fn files(done: u64, total: Option<u64>, bytes: u64) -> Progress {
        Progress {
            done,
            total,
            unit: "files".to_owned(),
            bytes: Some(bytes),
            ..Progress::default()
        }
    }

    /// What is said of these, each so many seconds after the beginning.
    fn said(steps: &[(u64, Progress)]) -> (Option<u64>, Option<u64>) {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let mut said = (None, None);
        for (after, step) in steps {
            let now = begun + Duration::from_secs(*after);
            let mut progress = step.clone();
            pace.begin(&progress, now);
            pace.reckon(&mut progress, now);
            said = (progress.bytes_per_second, progress.seconds_left);
        }
        said
    }

    #[test]
    fn nothing_is_said_before_anything_moved() {
        assert_eq!(said(&[(0, files(0, Some(9), 0))]), (None, None));
        let found = [(0, files(0, Some(9), 0)), (5, files(0, Some(9), 0))];
        assert_eq!(said(&found), (None, None));
    }

    #[test]
    fn a_pace_is_bytes_a_second_and_what_is_left_is_of_what_is_counted() {
        let begun = (0, files(0, Some(5), 0));
        assert_eq!(
            said(&[begun.clone(), (4, files(2, Some(5), 800))]),
            (Some(200), Some(6))
        );
        // What is done at once is no infinite pace.
        let at_once = [begun.clone(), (0, files(1, Some(5), 10))];
        assert_eq!(said(&at_once), (Some(40), Some(1)));
        // Nobody knows what is left of what is not counted, or not found yet.
        let without = [(0, files(0, None, 0)), (4, files(2, None, 800))];
        assert_eq!(said(&without), (Some(200), None));
        let grows = Progress {
            total_grows: true,
            ..files(2, Some(5), 800)
        };
        assert_eq!(said(&[begun.clone(), (4, grows)]), (Some(200), None));
        assert_eq!(
            said(&[begun, (5, files(5, Some(5), 800))]),
            (Some(160), Some(0))
        );
    }

    #[test]
    fn what_is_half_there_counts_half() {
        let half = Progress {
            transfers: vec![Transfer {
                name: "film".to_owned(),
                index: None,
                done: 500,
                total: Some(1000),
            }],
            ..files(0, Some(2), 500)
        };
        let steps = [(0, files(0, Some(2), 0)), (5, half)];
        assert_eq!(said(&steps), (Some(100), Some(15)));
    }

    #[test]
    fn bytes_that_are_counted_are_the_pace() {
        let bytes = |done| Progress {
            done,
            total: Some(1000),
            unit: "bytes".to_owned(),
            ..Progress::default()
        };
        assert_eq!(
            said(&[(0, bytes(0)), (2, bytes(500))]),
            (Some(250), Some(2))
        );
    }

    #[test]
    fn only_what_was_lately_counts() {
        let total = Some(1_000_000);
        let steps = [
            (0, files(0, total, 0)),
            (10, files(900, total, 1_000_000)),
            (30, files(901, total, 1_000_000)),
            (31, files(902, total, 1_000_010)),
        ];
        let (rate, left) = said(&steps);
        assert_eq!(rate, Some(1), "in the 21 seconds since the sample before");
        assert!(left > Some(1_000_000), "{left:?}");
        // What has begun anew has no pace of before.
        let anew = [(0, files(0, total, 900)), (5, files(0, total, 50))];
        assert_eq!(said(&anew), (Some(0), None));
    }
}
