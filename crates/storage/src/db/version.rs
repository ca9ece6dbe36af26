//! Which Postgres it is: one that is older than what is tested is refused when it is
//! connected to, rather than that a statement fails some day.

use crate::{Error, Result};

/// The oldest that every test has met.
const OLDEST: u32 = 15;

/// What Postgres says of itself: 150004 for 15.4.
pub(super) const NUMBER: &str = "SELECT current_setting('server_version_num') AS version";

/// Whether a Postgres of this number will do. Of one that gives no number nothing is known,
/// and its statements tell.
pub(super) fn suffices(number: &str) -> Result<()> {
    let Ok(number) = number.trim().parse::<u32>() else {
        return Ok(());
    };
    let found = number / 10_000;
    if found < OLDEST {
        return Err(Error::OldPostgres {
            found,
            oldest: OLDEST,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_one_is_refused_and_told_so() {
        for (number, major) in [("140018", "14"), ("149999", "14"), ("90624", "9")] {
            let refused = suffices(number).expect_err(number).to_string();
            let told = format!("Postgres {major}, and Longshore needs 15 or newer");
            assert!(refused.contains(&told), "{number}: {refused}");
        }
    }

    #[test]
    fn the_oldest_that_is_promised_every_newer_one_and_one_without_a_number_will_do() {
        for number in ["150000", "150004", "180001", "unknown", ""] {
            suffices(number).unwrap_or_else(|error| panic!("{number}: {error}"));
        }
    }
}
