//! A length of time as people write it: `10s`, `5m`, `1h30m`, `7d`.
//!
//! It never means anything of the calendar: a day is 24 hours, always.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const UNITS: [(&str, u64); 5] = [
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", 1),
];

/// A length of time in whole milliseconds, at most 100 years of 365 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span: 36,500 days.
    pub const MAX: Self = Self(36_500 * DAY);

    const fn clamped(count: u64, unit: u64) -> Self {
        let millis = count.saturating_mul(unit);
        if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// So many milliseconds; clamped to [`Span::MAX`], as are all of these.
    #[must_use]
    pub const fn millis(count: u64) -> Self {
        Self::clamped(count, 1)
    }

    /// So many seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self::clamped(count, SECOND)
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self::clamped(count, MINUTE)
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(count: u64) -> Self {
        Self::clamped(count, HOUR)
    }

    /// So many days of 24 hours.
    #[must_use]
    pub const fn days(count: u64) -> Self {
        Self::clamped(count, DAY)
    }

    /// As the standard library has it, for timers.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// In whole seconds, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / SECOND
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<Span> for Duration {
    fn from(value: Span) -> Self {
        value.duration()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut left = self.0;
        for (unit, millis) in UNITS {
            if left >= millis {
                write!(f, "{}{unit}", left / millis)?;
                left %= millis;
            }
        }
        Ok(())
    }
}

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length of time; write a number and a unit, such as 500ms, 10s, 5m, 1h30m or 7d"
)]
pub struct InvalidSpan(String);

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).ok_or_else(|| InvalidSpan(crate::shorten(text)))
    }
}

fn parse(text: &str) -> Option<Span> {
    if text == "0" {
        return Some(Span::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    let mut largest_allowed = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        // Units go from large to small, each at most once: `30m1h` is a slip.
        if millis >= largest_allowed {
            return None;
        }
        largest_allowed = millis;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(millis)?)?;
        rest = next;
    }
    (total <= Span::MAX.0).then_some(Span(total))
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_people_write_it() {
        for (text, span) in [
            ("0", Span::ZERO),
            ("500ms", Span::millis(500)),
            ("10s", Span::seconds(10)),
            ("5m", Span::minutes(5)),
            ("1h30m", Span::minutes(90)),
            ("7d", Span::days(7)),
            (" 2h ", Span::hours(2)),
            ("90m", Span::minutes(90)),
        ] {
            assert_eq!(text.parse::<Span>(), Ok(span), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            " ",
            "10",
            "s",
            "-5s",
            "1.5h",
            "10 s",
            "30m1h",
            "5s5s",
            "10sec",
            "1w",
            "1S",
            "36501d",
            "99999999999999999999s",
            "18446744073709551615d",
            "５s",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_is_written_so_that_it_is_read_as_the_same() {
        for millis in [
            0,
            1,
            999,
            1_000,
            61_001,
            5_400_000,
            604_800_000,
            Span::MAX.0,
        ] {
            let span = Span::millis(millis);
            assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
        assert_eq!(Span::days(90).to_string(), "90d");
    }
}
