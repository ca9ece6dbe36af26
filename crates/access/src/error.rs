//! What can go wrong in access, each with a stable code and what to do about it.
//!
//! No text here contains a password, a token, a cookie or a secret.

use base::InvalidName;
use std::sync::Arc;
use std::time::Duration;

/// The result of everything in this crate.
pub type Result<T, E = AccessError> = std::result::Result<T, E>;

/// What went wrong. Cheap to clone.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The name, the password, the token or the session is not right; which of them is never told.
    #[error("the credentials are missing or not right; log in again")]
    Unauthenticated,
    /// A session or a token that was right until it expired.
    #[error("the session or the token has expired; log in again, or make a new token")]
    Expired,
    /// Too many failed attempts.
    #[error("too many failed attempts; try again in {} seconds", whole_seconds(*.retry_after))]
    RateLimited {
        /// When the next attempt may be made.
        retry_after: Duration,
    },
    /// More passwords wait to be checked than can be checked in time.
    #[error("too many passwords are being checked at once; try again in a moment")]
    Busy,
    /// The caller may not hand out what it does not have itself.
    #[error("a token cannot make one that may do more than itself: it lacks the scope {}", .scope.as_str())]
    ScopeExceeded {
        /// The scope.
        scope: crate::Scope,
    },
    /// There is no such user, session, token or secret.
    #[error("there is no such {what}")]
    NotFound {
        /// `user`, `session`, `token` or `secret`.
        what: &'static str,
    },
    /// There is one with this name already.
    #[error("there is a {what} named `{name}` already; choose another name")]
    Exists {
        /// `user` or `token`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The last admin would be gone.
    #[error("this is the last admin; make another user an admin first")]
    LastAdmin,
    /// A password that is too short or too long.
    #[error("a password has {min} to {max} characters; choose one of that length")]
    WeakPassword {
        /// The fewest characters.
        min: usize,
        /// The most.
        max: usize,
    },
    /// The present password, asked for again, was not right.
    #[error("the present password is not right")]
    WrongPassword,
    /// What was given for a field cannot be taken.
    #[error("{reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// One sentence.
        reason: String,
    },
    /// The master key file cannot be read.
    #[error(
        "line {line} of the master key file is not `key` and 32 bytes in base64url; restore the file from a backup"
    )]
    MasterKeyFile {
        /// The line, from 1; 0 when no key is in it.
        line: usize,
    },
    /// The master key is not the one that this database was written with.
    #[error(
        "the master key file does not belong to this database; restore the one that was made with it (without it, stored secrets are lost)"
    )]
    MasterKeyMismatch,
    /// Sealed with a key that is not in the master key file, or changed since, or for another purpose.
    #[error(
        "a stored secret cannot be opened: it was sealed with another master key, or was changed"
    )]
    Unsealable,
    /// The database failed.
    #[error(transparent)]
    Storage(Arc<storage::Error>),
}

impl AccessError {
    /// A stable word for programs; what the HTTP interface answers as `code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Expired => "expired",
            Self::RateLimited { .. } => "too-many-requests",
            Self::Busy => "busy",
            Self::ScopeExceeded { .. } => "scope-exceeded",
            Self::NotFound { .. } => "not-found",
            Self::Exists { .. } => "conflict",
            Self::LastAdmin => "last-admin",
            Self::WeakPassword { .. } => "weak-password",
            Self::WrongPassword => "wrong-password",
            Self::Invalid { .. } => "invalid-request",
            Self::MasterKeyFile { .. } => "master-key-file",
            Self::MasterKeyMismatch => "master-key-mismatch",
            Self::Unsealable => "unsealable",
            Self::Storage(_) => "storage-unavailable",
        }
    }

    /// The field of a request that it is about, if it is about one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(*field),
            Self::Exists { .. } => Some("name"),
            Self::WeakPassword { .. } => Some("password"),
            Self::WrongPassword => Some("current"),
            Self::ScopeExceeded { .. } => Some("scopes"),
            _ => None,
        }
    }

    pub(crate) const fn missing(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }
}

/// Rounded up, so that who waits that long is not refused again.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

impl From<storage::Error> for AccessError {
    fn from(error: storage::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl From<InvalidName> for AccessError {
    fn from(error: InvalidName) -> Self {
        Self::invalid("name", error.to_string())
    }
}
