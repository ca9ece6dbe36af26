//! What a route requires of its caller, and how much of a request it takes.

use access::{Role, Scope};
use std::time::Duration;

/// What a route requires of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: anybody may. Nobody is identified, either.
    Public,
    /// A user of at least this role and, with a token, of this scope.
    Role(Role, Scope),
    /// A signed link to this address, or else a user of this role and scope.
    Signed(Role, Scope),
    /// The handler decides. Whoever can be identified is, and may be nobody.
    SelfChecked {
        /// Why it cannot be said here, for whoever reads the table.
        why: &'static str,
    },
}

impl Requirement {
    /// The role and scope that it asks for, where it does.
    #[must_use]
    pub const fn role(&self) -> Option<(Role, Scope)> {
        match self {
            Self::Role(role, scope) | Self::Signed(role, scope) => Some((*role, *scope)),
            Self::Public | Self::SelfChecked { .. } => None,
        }
    }
}

/// How much of a request a route takes, and how long it may take to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteLimits {
    /// The longest body.
    pub body: BodyLimit,
    /// The longest time until the answer begins; its body may take longer.
    pub time: AnswerTime,
    /// Whether it counts among the requests answered at once.
    pub admission: Admission,
}

impl RouteLimits {
    /// With this body limit.
    #[must_use]
    pub const fn body(mut self, body: BodyLimit) -> Self {
        self.body = body;
        self
    }

    /// With this time.
    #[must_use]
    pub const fn time(mut self, time: AnswerTime) -> Self {
        self.time = time;
        self
    }

    /// Answered also when there is too much to do.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.admission = Admission::Always;
        self
    }
}

/// The longest body that a route reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLimit {
    /// 256 KiB: forms and filters.
    #[default]
    Small,
    /// What `http.body_limit` says.
    Configured,
    /// So many bytes.
    Bytes(u64),
    /// The handler streams the body and limits it by itself.
    Streamed,
}

/// The longest time until an answer begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerTime {
    /// What `http.request_timeout` says.
    #[default]
    Configured,
    /// So long.
    Within(Duration),
    /// The handler has a limit of its own.
    OwnLimit,
}

/// Whether a route counts among the requests answered at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// It does, and is told to come back (503) when there are too many.
    #[default]
    Counted,
    /// It does not: health checks must answer under load.
    Always,
}

pub(super) const SMALL_BODY: u64 = 256 * 1024;
