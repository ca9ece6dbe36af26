//! The words that every part of Longshore shares: identifiers, time, who acts,
//! redaction and configuration.
//!
//! Nothing in this crate does input or output: a value goes in, a value comes out.

mod actor;
mod id;
mod time;

pub use actor::{Actor, Trigger};
pub use id::{BundleId, OperationId, ScheduleId, SessionId, TokenId, UserId};
pub use time::{Clock, ManualClock, SharedClock, SystemClock, Timestamp};
