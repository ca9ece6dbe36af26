//! When something happens: cron expressions, time zones, and the runs they mean.

use crate::{Error, Result};
use base::Timestamp;
use croner::Cron;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// Runs shown in advance.
const SHOWN: usize = 5;

/// When something happens: a cron expression in a time zone. Only made by parsing.
#[derive(Clone, Debug)]
pub struct Timing {
    cron: Cron,
    zone: TimeZone,
    expression: String,
    zone_name: String,
}

impl Timing {
    /// Parses a cron expression of five fields (or six, with seconds first) and the
    /// name of a time zone of the IANA database.
    ///
    /// # Errors
    /// When either cannot be read.
    pub fn parse(expression: &str, zone: &str) -> Result<Self> {
        let expression = expression.trim();
        let bad = |reason: String| Error::Cron {
            expression: expression.chars().take(100).collect(),
            reason,
        };
        if expression.len() > 200 {
            return Err(bad("it is longer than 200 characters".to_owned()));
        }
        // It would be read as no minute at all, say, and the search for one goes through the
        // hours of all years that can be written.
        if expression.split_whitespace().any(has_gap) {
            return Err(bad("a list in it has an empty place".to_owned()));
        }
        let cron = Cron::from_str(expression).map_err(|error| bad(error.to_string()))?;
        let zone_name = if zone.is_empty() { "UTC" } else { zone };
        let zone = TimeZone::get(zone_name)
            .map_err(|_| Error::Zone(zone_name.chars().take(100).collect()))?;
        Ok(Self {
            cron,
            zone,
            expression: expression.to_owned(),
            zone_name: zone_name.to_owned(),
        })
    }

    /// The first run after `after`; `None` when there is none any more.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from(after).to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().into())
    }

    /// The next five runs after `after`.
    #[must_use]
    pub fn upcoming(&self, after: Timestamp) -> Vec<Timestamp> {
        std::iter::successors(self.next(after), |last| self.next(*last))
            .take(SHOWN)
            .collect()
    }

    /// The expression and the zone, as they are stored.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (&self.expression, &self.zone_name)
    }

    /// The expression in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.cron.describe()
    }
}

/// Whether a field is a list with nothing before, behind or between its commas.
fn has_gap(field: &str) -> bool {
    field.split(',').any(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_daily_run_stays_at_its_hour_across_summer_time() {
        let timing = Timing::parse("30 3 * * *", "Europe/Berlin").expect("valid");
        let runs = timing.upcoming(at("2026-03-27T12:00:00Z"));
        assert_eq!(runs[0], at("2026-03-28T02:30:00Z"));
        assert_eq!(runs[1], at("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn what_is_not_a_time_is_refused_with_what_to_write() {
        for (cron, zone) in [
            ("", "UTC"),
            ("* * * *", "UTC"),
            ("61 * * * *", "UTC"),
            (", * * * *", "UTC"),
            ("* , * * * *", "UTC"),
            ("0 1,,2 * * *", "UTC"),
            ("0 1, * * *", "UTC"),
            ("* * * * *", "Mars/Base"),
        ] {
            let error = Timing::parse(cron, zone).expect_err("refused").to_string();
            assert!(error.contains("write"), "{error}");
        }
    }

    #[test]
    fn a_date_that_never_comes_has_no_next_run() {
        let timing = Timing::parse("0 0 30 2 *", "UTC");
        assert!(
            timing.is_err()
                || timing.is_ok_and(|timing| timing.next(at("2026-01-01T00:00:00Z")).is_none())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "[-0-9*/,LW#?A-Za-z ]{0,40}") {
            if let Ok(timing) = Timing::parse(&text, "America/New_York") {
                let runs = timing.upcoming(at("2026-11-01T05:00:00Z"));
                prop_assert!(runs.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
