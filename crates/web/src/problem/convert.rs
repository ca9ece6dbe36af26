//! From the errors of the floors below to problems. What a client cannot decide
//! on becomes `internal` and is logged.

use super::Problem;
use std::time::Duration;

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        from_storage(&error)
    }
}

/// The problem of a failure that others may hold, too.
pub(crate) fn from_storage(error: &storage::Error) -> Problem {
    match error {
        storage::Error::Busy | storage::Error::Unreachable { .. } | storage::Error::Stopped => {
            tracing::warn!(%error, "storage is not available");
            Problem::unavailable(
                "storage-unavailable",
                "The storage does not answer at the moment; try again shortly.",
                Duration::from_secs(1),
            )
        }
        storage::Error::Conflict { .. } => Problem::conflict("There is one already."),
        // Its text is for whoever runs this server, and not for everybody who reads a file.
        storage::Error::Objects(error) => {
            tracing::warn!(%error, "a bucket's store did not do what was asked");
            let text = "The store that this bucket lies in did not do what was asked; try again shortly, or ask your administrator to look into the log.";
            if error.is_passing() {
                Problem::unavailable("store-unavailable", text, Duration::from_secs(1))
            } else {
                Problem::new(http::StatusCode::BAD_GATEWAY, "store-failed", text)
            }
        }
        storage::Error::NoBlob => Problem::not_found("content"),
        _ => Problem::internal(error),
    }
}
