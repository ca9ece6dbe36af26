//! What a pass did, in numbers.

use base::{OperationId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Tally {
    /// Files that are served from now on.
    pub delivered: u64,
    /// Files that are at their target, which still works on them.
    pub working: u64,
    /// Files that no target takes.
    pub skipped: u64,
    /// Files that rest among the failed ones from now on.
    pub failed: u64,
    /// Attempts that went wrong and are made again.
    pub retried: u64,
    /// Files that were removed at their target.
    pub removed: u64,
    /// Bytes that went to the targets.
    pub bytes: u64,
}

/// How a pass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PassState {
    /// It runs, or goes on as soon as it can.
    Running,
    /// It came to its end. Files may have failed.
    Done,
    /// It failed as a whole.
    Failed,
    /// It was ended before it was done: cancelled, or left behind by a process that is gone.
    Cut,
}

/// A pass, as it is shown among others.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PassRecord {
    /// The operation that it was.
    #[schema(value_type = String, format = Uuid)]
    pub id: OperationId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended; nothing while it runs, or where it was cut off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: PassState,
    /// Why it failed as a whole, if it did.
    pub failure: Option<String>,
    /// What it did.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Tally {
    /// Files that this pass is done with.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.delivered + self.working + self.skipped + self.failed + self.removed
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delivered", self.delivered)?;
        for (number, words) in [
            (self.working, "at their target and not ready yet"),
            (self.skipped, "skipped"),
            (self.failed, "failed"),
            (self.removed, "removed at their target"),
            (self.retried, "attempts made again"),
        ] {
            if number > 0 {
                write!(f, ", {number} {words}")?;
            }
        }
        write!(f, "; {} bytes sent", self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told() {
        let tally = Tally {
            delivered: 3,
            failed: 1,
            bytes: 12,
            ..Tally::default()
        };
        assert_eq!(tally.to_string(), "3 delivered, 1 failed; 12 bytes sent");
        assert_eq!(tally.done(), 4);
        assert!(Tally::default().is_nothing() && !tally.is_nothing());
    }
}
