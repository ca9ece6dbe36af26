//! From the errors of operations to problems.

use crate::Problem;
use operations::Error;
use std::time::Duration;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoOperation(_) => Self::not_found("operation"),
            Error::NoSchedule => Self::not_found("schedule"),
            Error::ScheduleExists(_) | Error::TooManySchedules(_) | Error::State { .. } => {
                Self::conflict(error.to_string())
            }
            Error::NotSchedulable(_) => Self::invalid("kind", "not-schedulable", error.to_string()),
            Error::UnknownKind(_) => Self::invalid("kind", "unknown", error.to_string()),
            Error::Input { .. } => Self::invalid("input", "invalid", error.to_string()),
            Error::Cron { .. } => Self::invalid("cron", "invalid", error.to_string()),
            Error::Zone(_) => Self::invalid("zone", "unknown", error.to_string()),
            Error::Pattern(_) => Self::invalid("q", "invalid", error.to_string()),
            Error::Stopping | Error::LeaseLost => Self::unavailable(
                "stopping",
                "Longshore is stopping; try again when it is back.",
                Duration::from_secs(5),
            ),
            Error::Storage(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}
