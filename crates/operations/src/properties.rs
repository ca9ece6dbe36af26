//! What must hold for any input. The bodies of fuzz targets, which the ordinary tests
//! run as properties, too. Each panics when a promise is broken.

use crate::live::ring::{Look, Reading, Ring, Source};
use crate::log::segment;
use crate::log::sink::Frame;
use crate::schedule::Timing;
use base::Timestamp;

/// A cron expression is refused, or its runs are in order and later than asked.
///
/// # Panics
/// When they are not.
pub fn check_cron(text: &str) {
    let (expression, zone) = text.split_once('|').unwrap_or((text, "Europe/Berlin"));
    let Ok(timing) = Timing::parse(expression, zone) else {
        return;
    };
    let after = Timestamp::from_micros(1_793_000_000_000_000);
    let runs = timing.upcoming(after);
    assert!(runs.iter().all(|run| *run > after));
    assert!(runs.windows(2).all(|pair| pair[0] < pair[1]));
}

/// A stored segment is read, or refused.
pub fn check_segment(bytes: &[u8]) {
    let _ = segment::read(1, bytes, |_, _, _, _, _| {});
}

/// However lines come, break off and are dropped from memory: a follower that resumes
/// with the last number it saw gets every line once, in order, and then the end.
///
/// Each byte of `moves` is a step: lines are stored (in frames small or large), the
/// writer changes, memory is forgotten, the reader looks into storage, or the follower
/// looks and perhaps breaks off in the middle.
///
/// # Panics
/// When a line is missing, or comes twice.
pub fn check_resuming(moves: &[u8]) {
    let mut ring = Ring::default();
    let (mut stored, mut next) = (0_u64, 1_u64);
    let mut here = false;
    for step in moves {
        match step % 8 {
            0 => {
                ring.change_source(Source::Here, Some(stored));
                here = true;
            }
            1 => {
                if step / 8 % 2 == 0 {
                    ring.change_source(Source::Elsewhere, None);
                } else {
                    ring = Ring::default();
                }
                here = false;
            }
            2..=4 => {
                let count = 1 + u64::from(step / 8);
                // Large enough that old frames leave memory.
                let lines = vec![b'x'; usize::from(*step) * 1024].into();
                if here {
                    let frame = Frame {
                        first: stored + 1,
                        last: stored + count,
                        lines,
                    };
                    ring.publish(vec![frame]);
                }
                stored += count;
            }
            5 => read(&mut ring, stored),
            _ => next = follow(&ring, stored, next, here, u64::from(step / 8)),
        }
    }
    if here {
        // Who wrote the last line here ends it here; others are known by storage alone.
        ring.change_source(Source::Ended, None);
    } else {
        read(&mut ring, stored);
        ring.ended(stored);
    }
    while next <= stored {
        let before = next;
        next = follow(&ring, stored, next, here, 0);
        assert!(next > before, "a follower that is behind gets on");
    }
    let end = ring.look(next);
    assert!(
        matches!(end, Look::End { last } if last == stored),
        "{end:?}"
    );
}

/// One look of the reader into storage.
fn read(ring: &mut Ring, stored: u64) {
    let Reading::After(known) = ring.reads_from() else {
        return;
    };
    match known {
        None => ring.found(stored),
        Some(known) if known < stored => {
            let frame = Frame {
                first: known + 1,
                last: stored,
                lines: vec![b'x'; 1024].into(),
            };
            assert!(ring.fill(known, vec![frame]), "nobody else was quicker");
        }
        Some(_) => {}
    }
}

/// One look of a follower; it breaks off `lost` lines before the end of what it got.
fn follow(ring: &Ring, stored: u64, next: u64, here: bool, lost: u64) -> u64 {
    let last = match ring.look(next) {
        Look::Lines(lines) => {
            assert!(
                (next..=stored).contains(&lines.last),
                "only what is stored is shown"
            );
            lines.last
        }
        // Storage gives some lines from the wanted number on, or none.
        Look::AskStorage => stored.min(next + 2).max(next - 1),
        Look::Nothing => {
            // What others store is waited for until the reader has looked.
            assert!(
                next > stored || !here,
                "a line that is stored is not waited for"
            );
            next - 1
        }
        Look::End { last } => {
            assert!(next > last, "the end comes after the last line");
            next - 1
        }
    };
    (last + 1).saturating_sub(lost).max(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_follower_resumes_without_gap_or_repeat(moves in prop::collection::vec(any::<u8>(), 0..120)) {
            check_resuming(&moves);
        }

        #[test]
        fn any_bytes_are_a_segment_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            check_segment(&bytes);
        }
    }

    #[test]
    fn odd_cron_expressions_are_refused_or_keep_their_order() {
        for text in [
            "* * * * *",
            "0 0 29 2 *",
            "@hourly",
            "*/0 * * * *",
            "0 2 * * *|America/New_York",
            "60 * * * *",
            "L",
            "0 0 L * *",
        ] {
            check_cron(text);
        }
    }
}
