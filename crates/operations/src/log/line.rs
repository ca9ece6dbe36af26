//! A line of a log.

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// The standard output of what is run.
    Stdout,
    /// Its standard error.
    Stderr,
    /// Longshore's own words.
    System,
}

impl Stream {
    /// As it is stored, and sent live.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
            Self::System => 2,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Stdout),
            1 => Some(Self::Stderr),
            2 => Some(Self::System),
            _ => None,
        }
    }
}

/// A line of a log, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Line {
    /// Its number in the operation: 1, 2, 3 … without a gap.
    pub seq: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// Its text, without the line's end. May hold ANSI escapes and `\r`.
    pub text: String,
    /// The same for programs: JSON, in a form that its kind documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Box<serde_json::value::RawValue>>,
}
