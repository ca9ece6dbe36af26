//! What is said on the live socket, in both directions.

use super::files::FileEvent;
use crate::activity::shown::ShownOperation;
use base::OperationId;
use bytes::Bytes;
use operations::Filter;
use serde::{Deserialize, Serialize};

/// What a client says.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum FromClient {
    /// Tell me about this from now on.
    Subscribe {
        /// A number of the client's own, by which it ends the subscription.
        id: u64,
        /// What about.
        topic: Topic,
    },
    /// No more of this.
    Unsubscribe {
        /// The number it was given.
        id: u64,
    },
    /// Are you there? Answered with `pong`.
    Ping,
}

/// What can be followed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Topic {
    /// All operations that pass a filter.
    Operations {
        /// Which.
        #[serde(default)]
        filter: Filter,
        /// Changes after this number; without it, first those that wait or run now.
        since: Option<u64>,
    },
    /// One operation, and its log.
    Operation {
        /// Which.
        #[schema(value_type = String, format = Uuid)]
        operation: OperationId,
        /// Changes after this number; without it, first the operation as it stands.
        since: Option<u64>,
        /// The log from this line on; without it, no log.
        log_from: Option<u64>,
    },
    /// What happens to the files of a bucket. It takes the scope `files:read`, too.
    Files {
        /// The bucket's name.
        bucket: String,
        /// What their paths begin with; all, when absent.
        #[serde(default)]
        prefix: String,
        /// After this number; without it, from now on.
        since: Option<u64>,
    },
}

impl Topic {
    /// Whether it begins with what stands, or with where it stands: with a position.
    pub(crate) const fn is_new(&self) -> bool {
        match self {
            Self::Operations { since, .. }
            | Self::Operation { since, .. }
            | Self::Files { since, .. } => since.is_none(),
        }
    }
}

/// What the server says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(
    dead_code,
    reason = "the log message is written by hand, encoded once for all who watch"
)]
pub(crate) enum ToClient {
    /// The first message.
    Hello {
        /// The number of the newest change.
        changed: u64,
        /// To one who polls: the headers that did not arrive with their last request for a
        /// WebSocket. Absent where none is known to be missing.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missing: Vec<&'static str>,
    },
    /// A subscription holds.
    Subscribed {
        /// Which.
        id: u64,
    },
    /// A subscription has ended, as was asked for.
    Unsubscribed {
        /// Which.
        id: u64,
    },
    /// Something that the client asked for cannot be done.
    Error {
        /// The subscription, where it was about one.
        id: Option<u64>,
        /// A word for programs.
        code: &'static str,
        /// A sentence for people.
        message: String,
    },
    /// An operation changed.
    Operation {
        /// The number of the change.
        changed: u64,
        /// The operation after it.
        operation: Box<ShownOperation>,
    },
    /// Of what a subscription is about, nothing up to this number is missing.
    Position {
        /// Which subscription.
        id: u64,
        /// The number to resume it with.
        changed: u64,
    },
    /// Something happened to a file.
    File {
        /// The subscription.
        id: u64,
        /// The number of the change. Files are counted by themselves.
        changed: u64,
        /// What.
        event: Box<FileEvent>,
    },
    /// Something happened to files that is not kept any more: list them again.
    FilesMissed {
        /// The subscription.
        id: u64,
    },
    /// Lines of a log: `[number, microseconds, stream (0, 1, 2), "text", data?]`.
    Log {
        /// Of this operation.
        #[schema(value_type = String, format = Uuid)]
        operation: OperationId,
        /// The lines, in order.
        lines: Vec<Vec<serde_json::Value>>,
    },
    /// Lines that are no longer kept.
    LogGap {
        /// Of this operation.
        #[schema(value_type = String, format = Uuid)]
        operation: OperationId,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
        /// Why.
        reason: &'static str,
    },
    /// The operation has ended, and every line was sent.
    LogEnd {
        /// Which operation.
        #[schema(value_type = String, format = Uuid)]
        operation: OperationId,
        /// The number of its last line.
        last_seq: u64,
    },
    /// The socket is about to be closed.
    Closing {
        /// Why: `shutdown`, `signed-out`.
        reason: &'static str,
    },
    /// Yes.
    Pong,
}

impl ToClient {
    /// As it is sent.
    pub(crate) fn encoded(&self) -> Bytes {
        // These types hold nothing that JSON cannot.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// A [`ToClient::Log`] around lines that are encoded already.
pub(crate) fn log(operation: OperationId, lines: &[u8]) -> Bytes {
    let head = format!("{{\"type\":\"log\",\"operation\":\"{operation}\",\"lines\":[");
    [head.as_bytes(), lines, b"]}"].concat().into()
}
