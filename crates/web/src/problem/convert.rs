//! From the errors of the floors below to problems. What a client cannot decide
//! on becomes `internal` and is logged.

use super::Problem;
use std::time::Duration;

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        match &error {
            storage::Error::Busy | storage::Error::Unreachable { .. } | storage::Error::Stopped => {
                tracing::warn!(%error, "storage is not available");
                Self::unavailable(
                    "storage-unavailable",
                    "The storage does not answer at the moment; try again shortly.",
                    Duration::from_secs(1),
                )
            }
            storage::Error::Conflict { .. } => Self::conflict("There is one already."),
            storage::Error::NoBlob => Self::not_found("content"),
            _ => Self::internal(&error),
        }
    }
}
