//! What must hold for any input. The bodies of fuzz targets, which the ordinary tests
//! run as properties, too. Each panics when a promise is broken.

use crate::live::ring::{Look, Reading, Ring, Source};
use crate::log::Stream;
use crate::log::segment::{self, OpenSegment};
use crate::log::sink::Frame;
use crate::schedule::Timing;
use base::Timestamp;
use std::time::Duration;

/// In seconds since 1970, some hours before the clocks of Europe go back and forth.
const NIGHTS: [i64; 2] = [1_792_881_000, 1_806_186_600];

/// A cron expression is refused with what to write, or its runs are in order, later than
/// asked, none is left out, and what is stored of it means the same runs.
///
/// # Panics
/// When they are not.
pub fn check_cron(text: &str) {
    let (expression, zone) = text.split_once('|').unwrap_or((text, "Europe/Berlin"));
    let timing = match Timing::parse(expression, zone) {
        Ok(timing) => timing,
        Err(refused) => {
            assert!(refused.to_string().contains("write"), "{refused}");
            return;
        }
    };
    let (expression, zone) = timing.parts();
    let stored = Timing::parse(expression, zone).expect("it was read before");
    for after in NIGHTS {
        let after = Timestamp::from_micros(after * 1_000_000);
        let runs = timing.upcoming(after);
        assert!(runs.iter().all(|run| *run > after));
        assert!(runs.windows(2).all(|pair| pair[0] < pair[1]));
        let moment = Duration::from_micros(1);
        for run in &runs {
            assert_eq!(timing.next(run.minus(moment)), Some(*run), "left out");
        }
        assert_eq!(stored.upcoming(after), runs, "stored, it means other runs");
    }
    assert!(!timing.words().is_empty());
}

/// A stored segment is refused, or its lines are numbered without a gap, and written
/// again they are the same.
///
/// # Panics
/// When they are not.
pub fn check_segment(bytes: &[u8]) {
    // Any bytes at all are hardly ever deflated ones, so they are tried as lines, too.
    for stored in [bytes.to_vec(), segment::compress(bytes)] {
        let Some(lines) = read_all(&stored) else {
            continue;
        };
        let mut again = OpenSegment::new(FIRST);
        for (at, stream, text, data) in &lines {
            again.push(*at, *stream, text, data.as_deref());
        }
        let again = segment::compress(&again.row().raw);
        assert_eq!(
            read_all(&again),
            Some(lines),
            "written again, it is another"
        );
    }
}

/// The number of the first line of a segment.
const FIRST: u64 = 7;

/// A line as it is stored: its time, its stream, its text and its data.
type StoredLine = (Timestamp, Stream, String, Option<String>);

/// The lines of a stored segment, unless it is none.
fn read_all(stored: &[u8]) -> Option<Vec<StoredLine>> {
    let mut lines = Vec::new();
    let read = segment::read(FIRST, stored, |number, at, stream, text, data| {
        assert_eq!(number, FIRST + lines.len() as u64, "a gap");
        lines.push((at, stream, text.to_owned(), data.map(str::to_owned)));
    });
    read.ok().map(|()| lines)
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
                if here {
                    // Large enough that old frames leave memory.
                    let frame = frame(stored + 1, stored + count, usize::from(*step) << 10);
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

/// Lines, as many bytes of them as `size`. They begin with the number of the first.
fn frame(first: u64, last: u64, size: usize) -> Frame {
    let mut lines = first.to_be_bytes().to_vec();
    lines.resize(size.max(lines.len()), b'x');
    Frame {
        first,
        last,
        lines: lines.into(),
    }
}

/// One look of the reader into storage.
fn read(ring: &mut Ring, stored: u64) {
    let Reading::After(known) = ring.reads_from() else {
        return;
    };
    match known {
        None => ring.found(stored),
        Some(known) if known < stored => {
            let frame = frame(known + 1, stored, 1 << 10);
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
            assert!(
                lines.encoded.starts_with(&next.to_be_bytes()),
                "a gap, or a repeat"
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

        #[test]
        fn any_lines_are_a_segment_or_refused(lines in prop::collection::vec(line(), 0..8)) {
            let mut bytes = vec![1];
            bytes.extend(lines.concat());
            check_segment(&bytes);
        }

        #[test]
        fn any_expression_is_refused_or_keeps_its_order(text in expression()) {
            check_cron(&text);
        }
    }

    /// What a line may look like inside a segment, or nearly.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let number = prop::collection::vec(any::<u8>(), 1..11);
        let mark = prop_oneof![0_u8..3, 0x80_u8..0x83, any::<u8>()];
        let text = || prop_oneof![8 => "[a-zé]{0,9}".prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..9)];
        (number, mark, text(), text()).prop_map(|(mut line, mark, text, data)| {
            // The last byte of a number says that it is.
            let last = line.len() - 1;
            line[..last].iter_mut().for_each(|byte| *byte |= 0x80);
            line[last] &= 0x7f;
            line.push(mark);
            for text in std::iter::once(text).chain((mark & 0x80 != 0).then_some(data)) {
                line.push(text.len() as u8);
                line.extend(text);
            }
            line
        })
    }

    /// Fields of expressions, odd ones among them, and perhaps a zone.
    fn expression() -> impl Strategy<Value = String> {
        let field = prop_oneof![
            3 => Just("*".to_owned()),
            3 => (0_u32..70).prop_map(|number| number.to_string()),
            2 => (0_u32..70, 0_u32..70).prop_map(|(from, to)| format!("{from}-{to}")),
            2 => (0_u32..70).prop_map(|step| format!("*/{step}")),
            1 => "[-0-9*/,LW#?A-Z]{1,5}",
        ];
        let zone = prop::sample::select(vec![
            "",
            "|UTC",
            "|America/New_York",
            "|Australia/Lord_Howe",
            "|Pacific/Apia",
            "|Mars/Base",
        ]);
        (prop::collection::vec(field, 4..8), zone)
            .prop_map(|(fields, zone)| fields.join(" ") + zone)
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
