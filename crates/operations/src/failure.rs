//! Why an operation did not succeed.

use std::time::Duration;

/// Why an operation did not succeed: a sentence a person can act on, a code that
/// programs can, and whether another attempt may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) again: Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    /// Nobody wants it any more: it ends as cancelled.
    Withdrawn,
    Later(Option<Duration>),
}

impl Failure {
    /// It would fail again in the same way.
    #[must_use]
    pub fn lasting(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            again: Again::Never,
        }
    }

    /// It may pass: another attempt is made where the kind allows one.
    #[must_use]
    pub fn passing(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            again: Again::Later(None),
        }
    }

    /// The work stopped because it was asked to.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::lasting("cancelled", "it was stopped before it was done")
    }

    /// Nobody wants what it makes any more, so it ends as cancelled, for this reason.
    #[must_use]
    pub fn withdrawn(reason: impl Into<String>) -> Self {
        Self {
            code: "withdrawn".to_owned(),
            message: reason.into(),
            again: Again::Withdrawn,
        }
    }

    /// Not before `wait` is over: what the other side asked for (Retry-After).
    #[must_use]
    pub const fn not_before(mut self, wait: Duration) -> Self {
        self.again = Again::Later(Some(wait));
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Storage(_) | crate::Error::Stopping => {
                Self::passing("storage", error.to_string())
            }
            _ => Self::lasting("operation", error.to_string()),
        }
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Self {
        Self::passing("storage", error.to_string())
    }
}
