//! What can go wrong with a server, each in a sentence that says what to do.

use super::place::{Credential, Place, ServerUrl};
use crate::exit::{Code, Failure};
use reqwest::StatusCode;
use serde::Deserialize;
use std::error::Error as StdError;
use std::fmt;

/// Why the server did not do what was asked.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody answers, or the connection broke.
    Unreachable(String),
    /// Somebody answers who is no Longshore.
    Stranger(String),
    /// It refused.
    Refused {
        status: StatusCode,
        code: String,
        text: String,
    },
}

/// Problem details (RFC 9457), as far as a command needs them.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Debug, Deserialize)]
struct FieldProblem {
    field: String,
    message: String,
}

impl Error {
    /// An answer that is not what was asked for.
    pub(super) fn refused(place: &Place, status: StatusCode, body: &[u8]) -> Self {
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            return Self::Stranger(format!(
                "{} answered {status}, and not as Longshore does; is that its address, and is it up?",
                place.url
            ));
        };
        let mut text = problem.detail;
        for error in &problem.errors {
            // A single mistake may be all that the sentence is about.
            if text.contains(&error.message) {
                continue;
            }
            text = format!(
                "{} ({}: {})",
                text.trim_end_matches('.'),
                error.field,
                error.message
            );
        }
        let hint = match status {
            StatusCode::UNAUTHORIZED => match place.credential {
                Credential::Password { .. } => String::new(),
                Credential::Environment(_) => {
                    " LONGSHORE_TOKEN holds what it does not know.".to_owned()
                }
                _ => format!(" Log in with `longshore login {}`.", place.url),
            },
            StatusCode::FORBIDDEN if problem.code != "csrf" => match place.credential {
                Credential::Stored(_) => format!(
                    " Where your role allows it, `longshore login {} --admin` gives this command the right to.",
                    place.url
                ),
                _ => String::new(),
            },
            _ => String::new(),
        };
        Self::Refused {
            status,
            code: problem.code,
            text: format!("{}{hint}", sentence(text, &hint)),
        }
    }

    /// An exchange that failed.
    pub(super) fn unreachable(url: &ServerUrl, error: &reqwest::Error) -> Self {
        let text = if error.is_timeout() {
            format!("{url} did not answer in time; is it overloaded, or is a firewall in between?")
        } else if error.is_connect() {
            let cause = root(error);
            if cause.contains("refused") {
                format!("no Longshore answers at {url}; is it running?")
            } else {
                format!("{url} cannot be reached ({cause}); is the address right?")
            }
        } else {
            format!("the connection to {url} broke off ({})", root(error))
        };
        Self::Unreachable(text)
    }

    /// The status of a refusal.
    pub(crate) const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// Whether it may be done though it failed: a refusal says that it is not, and a lost
    /// answer or a fault of the server says nothing.
    pub(crate) fn may_be_done(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Stranger(_) => true,
            Self::Refused { status, .. } => {
                status.is_server_error() && *status != StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Whether the same may succeed a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Stranger(_) => true,
            // A quota stays what it is.
            Self::Refused { status, .. } => match *status {
                StatusCode::INSUFFICIENT_STORAGE | StatusCode::NOT_IMPLEMENTED => false,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => true,
                status => status.is_server_error(),
            },
        }
    }
}

/// With a full stop, where another sentence follows.
fn sentence(text: String, next: &str) -> String {
    if next.is_empty() || text.ends_with('.') {
        text
    } else {
        text + "."
    }
}

/// What was first to fail: the others only say that it did.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(text) | Self::Stranger(text) | Self::Refused { text, .. } => {
                f.write_str(text.trim_end_matches('.'))
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Unreachable(_) | Error::Stranger(_) => Code::Server,
            Error::Refused { status, .. } => match *status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Code::Server,
                _ if error.may_pass() => Code::Server,
                _ => Code::Failed,
            },
        };
        Self::new(code, error)
    }
}
