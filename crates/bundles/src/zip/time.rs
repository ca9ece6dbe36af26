//! The time of an entry, in the two forms that readers know.

use base::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// When an entry's content was last changed: in seconds since 1970 (the extended
/// timestamp 0x5455, exact) and in the DOS form of 1980 to 2107 (two seconds
/// exact, and without a time zone: UTC is written, so that the same sources give
/// the same archive everywhere).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryTime {
    unix: i32,
    dos: u32,
}

impl EntryTime {
    /// The time of a `Last-Modified` header (RFC 9110 section 8.8.2); `otherwise`,
    /// the time of the operation, where there is none or it makes no sense.
    #[must_use]
    pub fn of_header(last_modified: Option<&str>, otherwise: Timestamp) -> Self {
        let parsed = last_modified.and_then(|text| httpdate::parse_http_date(text.trim()).ok());
        match parsed.and_then(seconds) {
            Some(seconds) => Self::new(seconds, otherwise),
            None => Self::at(otherwise),
        }
    }

    /// A moment of our own.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self::new(moment.seconds(), moment)
    }

    /// The DOS form is clamped to its range. The other one reads as signed to some
    /// and as unsigned to others, so that only 1970 to 2038 is the same to all:
    /// outside of that it holds the operation's time.
    fn new(seconds: i64, otherwise: Timestamp) -> Self {
        let fits = |seconds: i64| i32::try_from(seconds).ok().filter(|s| *s >= 0);
        let unix = fits(seconds).or_else(|| fits(otherwise.seconds()));
        Self {
            unix: unix.unwrap_or(i32::MAX),
            dos: dos(seconds),
        }
    }

    /// Only for what was written by [`EntryTime::unix`] and [`EntryTime::dos`].
    pub(super) const fn from_parts(unix: i32, dos: u32) -> Self {
        Self { unix, dos }
    }

    pub(super) const fn unix(self) -> i32 {
        self.unix
    }

    /// Date in the high half, time in the low one (APPNOTE 4.4.6).
    pub(super) const fn dos(self) -> u32 {
        self.dos
    }

    /// Whether the DOS form says nothing that the exact one does not.
    pub(super) fn dos_follows(self) -> bool {
        self.dos == dos(i64::from(self.unix))
    }

    /// The time that the exact form alone stands for.
    pub(super) fn of_unix(unix: i32) -> Self {
        let dos = dos(i64::from(unix));
        Self { unix, dos }
    }
}

const DOS_MIN: u32 = 0x0021 << 16;
const DOS_MAX: u32 = 0xFF9F_BF7D;
const SECONDS_1980: i64 = 315_532_800;
const SECONDS_2108: i64 = 4_354_819_200;

fn seconds(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn dos(seconds: i64) -> u32 {
    if seconds < SECONDS_1980 {
        return DOS_MIN;
    }
    if seconds >= SECONDS_2108 {
        return DOS_MAX;
    }
    let Ok(moment) = jiff::Timestamp::from_second(seconds) else {
        return DOS_MIN;
    };
    let civil = jiff::tz::Offset::UTC.to_datetime(moment);
    let part = |value: i8| u32::from(value.unsigned_abs());
    let year = u32::from(civil.year().unsigned_abs()).saturating_sub(1980);
    let date = (year << 9) | (part(civil.month()) << 5) | part(civil.day());
    let time =
        (part(civil.hour()) << 11) | (part(civil.minute()) << 5) | (part(civil.second()) / 2);
    date << 16 | time
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T03:00:00Z
    const NOW: Timestamp = Timestamp::from_micros(1_795_230_000_000_000);

    #[track_caller]
    fn check(header: &str, unix: i64, dos: u32) {
        let time = EntryTime::of_header(Some(header), NOW);
        assert_eq!(
            (i64::from(time.unix()), time.dos()),
            (unix, dos),
            "{header}"
        );
    }

    const fn packed(y: u32, mo: u32, d: u32, h: u32, mi: u32, s: u32) -> u32 {
        ((y - 1980) << 25) | (mo << 21) | (d << 16) | (h << 11) | (mi << 5) | (s / 2)
    }

    #[test]
    fn a_last_modified_header_is_kept_exactly() {
        check(
            "Sat, 14 Mar 2020 15:09:26 GMT",
            1_584_198_566,
            packed(2020, 3, 14, 15, 9, 26),
        );
        check(
            "Saturday, 14-Mar-20 15:09:26 GMT",
            1_584_198_566,
            packed(2020, 3, 14, 15, 9, 26),
        );
        check(
            "Tue, 29 Feb 2000 23:59:59 GMT",
            951_868_799,
            packed(2000, 2, 29, 23, 59, 59),
        );
    }

    #[test]
    fn times_that_do_not_fit_are_clamped_or_taken_from_the_operation() {
        let now = NOW.seconds();
        check("Thu, 01 Jan 1970 00:00:00 GMT", 0, DOS_MIN);
        check(
            "Mon, 31 Dec 1979 23:59:59 GMT",
            315_532_799,
            packed(1980, 1, 1, 0, 0, 0),
        );
        check(
            "Tue, 19 Jan 2038 03:14:07 GMT",
            i64::from(i32::MAX),
            packed(2038, 1, 19, 3, 14, 7),
        );
        check(
            "Tue, 19 Jan 2038 03:14:08 GMT",
            now,
            packed(2038, 1, 19, 3, 14, 8),
        );
        check(
            "Wed, 01 Jan 2200 00:00:00 GMT",
            now,
            packed(2107, 12, 31, 23, 59, 58),
        );
    }

    #[test]
    fn rubbish_gives_the_operation_s_time() {
        for header in ["", "yesterday", "Sat, 14 Mar 2020", "0", "-1"] {
            assert_eq!(EntryTime::of_header(Some(header), NOW), EntryTime::at(NOW));
        }
        assert_eq!(EntryTime::of_header(None, NOW), EntryTime::at(NOW));
        assert_eq!(EntryTime::at(NOW).dos(), packed(2026, 11, 21, 3, 0, 0));
    }

    #[test]
    fn the_ends_of_the_dos_range_are_exact() {
        assert_eq!(dos(SECONDS_1980), DOS_MIN);
        assert_eq!(dos(SECONDS_2108 - 1), DOS_MAX);
        assert_eq!(dos(SECONDS_2108), DOS_MAX);
        assert_eq!(dos(i64::MIN), DOS_MIN);
    }
}
