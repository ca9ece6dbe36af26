//! A number of bytes as people write it: `512KiB`, `32MiB`, `4GB`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const BINARY: [(&str, u64); 4] = [("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)];
const DECIMAL: [(&str, u64); 4] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
];

/// A number of bytes. `KiB`, `MiB`, `GiB`, `TiB` are powers of 1024; `KB`, `MB`,
/// `GB`, `TB` powers of 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// The largest size: 2^63 - 1 bytes, which every database holds.
    pub const MAX: Self = Self(i64::MAX as u64);

    const fn clamped(count: u64, unit: u64) -> Self {
        let bytes = count.saturating_mul(unit);
        if bytes > Self::MAX.0 {
            Self::MAX
        } else {
            Self(bytes)
        }
    }

    /// So many bytes; clamped to [`Size::MAX`], as are all of these.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self::clamped(bytes, 1)
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self::clamped(count, KIB)
    }

    /// So many times 1024² bytes.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self::clamped(count, MIB)
    }

    /// So many times 1024³ bytes.
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self::clamped(count, GIB)
    }

    /// So many times 1024⁴ bytes.
    #[must_use]
    pub const fn tib(count: u64) -> Self {
        Self::clamped(count, TIB)
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// In bytes, for what lives in memory; the largest `usize` where it does not fit.
    #[must_use]
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = BINARY
            .into_iter()
            .chain(DECIMAL)
            .find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        match exact {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A text that is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no size; write a number and a unit, such as 512KiB, 32MiB or 4GiB")]
pub struct InvalidSize(String);

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).ok_or_else(|| InvalidSize(crate::shorten(text)))
    }
}

fn parse(text: &str) -> Option<Size> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        unit => {
            BINARY
                .into_iter()
                .chain(DECIMAL)
                .find(|(name, _)| *name == unit)?
                .1
        }
    };
    let bytes = number.parse::<u64>().ok()?.checked_mul(factor)?;
    (bytes <= Size::MAX.0).then_some(Size(bytes))
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_people_write_it() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("64KiB", 65_536),
            ("32MiB", 33_554_432),
            ("32 MiB", 33_554_432),
            ("4GB", 4_000_000_000),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(text.parse::<Size>(), Ok(Size::new(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5GiB",
            "32mib",
            "32M",
            "32 Mi B",
            "9223372036854775808",
            "16777216TiB",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_written_so_that_it_is_read_as_the_same() {
        for bytes in [
            0,
            1,
            1023,
            1024,
            1025,
            3_000_000,
            1 << 20,
            (1 << 30) + 1,
            Size::MAX.0,
        ] {
            let size = Size::new(bytes);
            assert_eq!(size.to_string().parse::<Size>(), Ok(size));
        }
        assert_eq!(Size::mib(32).to_string(), "32MiB");
        assert_eq!(Size::new(3_000_000).to_string(), "3MB");
    }
}
