//! Ranges of bytes (RFC 9110 §14.1.2).

use http::HeaderValue;
use std::ops::Range;

/// What a `Range` header asks of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: no range, or none that is understood.
    Whole,
    /// These, of which there is at least one.
    Part(Range<u64>),
    /// Several such, in the order in which they were asked for.
    Parts(Vec<Range<u64>>),
    /// Bytes that there are none of.
    Unsatisfiable,
}

impl Wanted {
    pub(super) fn parse(header: &HeaderValue, size: u64) -> Self {
        header
            .to_str()
            .ok()
            .and_then(|text| parse(text, size))
            .unwrap_or(Self::Whole)
    }
}

/// Ranges answered at once. Who asks for more, or in all for more than there is, gets
/// the whole: nobody can have bytes sent manifold by a short request (§17.15).
const MOST: usize = 16;

fn parse(text: &str, size: u64) -> Option<Wanted> {
    let (unit, ranges) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    if !ranges.contains(',') {
        return parse_one(ranges, size);
    }
    let mut parts = Vec::new();
    for range in ranges.split(',') {
        match parse_one(range, size)? {
            Wanted::Part(part) => parts.push(part),
            // As long as one can be satisfied, the others are left out.
            _ => continue,
        }
    }
    let lengths = parts.iter().map(|part| part.end - part.start);
    let bytes = lengths.fold(0_u64, u64::saturating_add);
    match parts.len() {
        0 => Some(Wanted::Unsatisfiable),
        1 => parts.pop().map(Wanted::Part),
        several if several > MOST || bytes > size => None,
        _ => Some(Wanted::Parts(parts)),
    }
}

fn parse_one(range: &str, size: u64) -> Option<Wanted> {
    let (first, last) = range.trim().split_once('-')?;
    let last = last.trim_end();
    if first.is_empty() {
        let length = number(last)?;
        if length == 0 || size == 0 {
            return Some(Wanted::Unsatisfiable);
        }
        return Some(Wanted::Part(size.saturating_sub(length)..size));
    }
    let first = number(first)?;
    let end = if last.is_empty() {
        size
    } else {
        let last = number(last)?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(size)
    };
    if first >= size {
        return Some(Wanted::Unsatisfiable);
    }
    Some(Wanted::Part(first..end))
}

/// Digits alone; a number beyond all sizes is as good as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str, size: u64) -> Wanted {
        Wanted::parse(&HeaderValue::from_static(text), size)
    }

    #[test]
    fn a_range_is_cut_at_the_end_and_never_beyond() {
        for (text, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("bytes=3-5", 3..6),
            ("BYTES=9-9", 9..10),
            ("bytes=3-99", 3..10),
            ("bytes=3-18446744073709551615", 3..10),
            ("bytes=3-99999999999999999999999", 3..10),
            ("bytes=-1", 9..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
            ("bytes= 3-5 ", 3..6),
        ] {
            assert_eq!(of(text, 10), Wanted::Part(range), "{text}");
        }
    }

    #[test]
    fn what_lies_outside_cannot_be_satisfied() {
        for text in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(of(text, 10), Wanted::Unsatisfiable, "{text}");
        }
        for text in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(of(text, 0), Wanted::Unsatisfiable, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_the_whole() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=0-1,",
            "bytes=0-1,x",
            "bytes=0-,0-",
            "bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0",
            "items=0-1",
            "bytes=0--1",
            "bytes=--1",
        ] {
            assert_eq!(of(text, 10), Wanted::Whole, "{text}");
        }
    }

    #[test]
    fn several_ranges_are_kept_in_their_order() {
        for (text, wanted) in [
            ("bytes=0-1,3-4", Wanted::Parts(vec![0..2, 3..5])),
            (
                "bytes= 8- , -1, 0-0 ",
                Wanted::Parts(vec![8..10, 9..10, 0..1]),
            ),
            ("bytes=2-3,50-60", Wanted::Part(2..4)),
            ("bytes=10-,20-", Wanted::Unsatisfiable),
        ] {
            assert_eq!(of(text, 10), wanted, "{text}");
        }
        let many = format!("bytes={}", vec!["1-1"; MOST + 1].join(","));
        let many = HeaderValue::from_str(&many).expect("a header");
        assert_eq!(Wanted::parse(&many, 1000), Wanted::Whole);
    }
}
