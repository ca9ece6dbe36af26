//! The words that every part of Longshore shares: identifiers, time, who acts,
//! redaction and configuration.
//!
//! Nothing in this crate does input or output: a value goes in, a value comes out.

mod actor;
pub mod config;
pub mod forwarded;
mod id;
mod name;
pub mod redact;
mod shorten;
mod size;
mod span;
mod time;

pub use actor::{Actor, Trigger};
pub use config::{Config, ConfigError};
pub use id::{
    AccessKeyId, BucketId, BundleId, DeliveryId, FileId, GrantId, OperationId, PartedId,
    ScheduleId, SessionId, ShareId, SyncId, TokenId, UploadId, UserId, WebhookId,
};
pub use name::{InvalidName, Name};
pub use redact::{RedactedStream, Redactor};
pub use size::{InvalidSize, Size};
pub use span::{InvalidSpan, Span};
pub use time::{Clock, ManualClock, SharedClock, SystemClock, Timestamp};

use shorten::shorten;
