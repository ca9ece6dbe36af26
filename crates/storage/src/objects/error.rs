//! What can go wrong with a store, each with what to do about it.

use fetch::FetchError;
use http::StatusCode;
use std::time::Duration;

/// Why a store did not do what was asked. The texts hold no key, query or signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// There is no such object.
    #[error("the store has no such object")]
    NoObject,
    /// The object is not the one that was asked for.
    #[error("the object in the store is another one by now")]
    Changed,
    /// The store refused it.
    #[error("the store refused it ({code}, {status}): {message}; {remedy}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The store's own word for it.
        code: String,
        /// What the store says.
        message: String,
        /// What to do about it.
        remedy: String,
        /// How long it asks to wait, where it says so.
        after: Option<Duration>,
    },
    /// No answer.
    #[error("the store cannot be asked: {0}")]
    Unreachable(#[from] FetchError),
    /// An answer that is none.
    #[error("the store answered what no S3-compatible store does: {0}")]
    Answer(&'static str),
    /// An address or a name that cannot be one.
    #[error("{0}")]
    Settings(String),
    /// What came of an upload is not what was sent.
    #[error("the store has another content than was sent; it is to be sent again")]
    Garbled,
    /// A task ended before it answered.
    #[error("the upload to the store was stopped")]
    Stopped,
}

/// The longest text of a store that is passed on.
const MOST_TEXT: usize = 300;

impl ObjectError {
    /// What a store said, with what to do about it.
    pub(super) fn refused(
        status: StatusCode,
        code: String,
        message: String,
        region: Option<&str>,
    ) -> Self {
        let remedy = match (code.as_str(), region) {
            ("NoSuchBucket", _) => {
                "make the bucket in the store first, or correct its name".to_owned()
            }
            ("InvalidAccessKeyId", _) => "correct the access key's id".to_owned(),
            ("SignatureDoesNotMatch", _) => {
                "correct the secret of the access key, or the endpoint".to_owned()
            }
            ("RequestTimeTooSkewed", _) => "set the clock of this server right".to_owned(),
            ("AccessDenied" | "AllAccessDisabled", _) => {
                "let this access key list the bucket and get, put and delete its objects".to_owned()
            }
            (_, Some(region)) => format!("the bucket is in the region {region}"),
            ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed", None) => {
                "correct the endpoint and the region".to_owned()
            }
            _ if status.is_server_error() => "try again later".to_owned(),
            _ => "correct the bucket's storage, or ask whoever runs the store".to_owned(),
        };
        Self::Refused {
            status: status.as_u16(),
            code: short(&code),
            message: short(&message),
            remedy,
            after: None,
        }
    }

    /// The same from a store that asks to wait so long.
    pub(super) fn asking_for(mut self, wait: Option<Duration>) -> Self {
        if let Self::Refused { after, .. } = &mut self {
            *after = wait;
        }
        self
    }

    /// Whether the same may go well another time.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(error) => !matches!(
                error,
                FetchError::Refused(_) | FetchError::RedirectRefused { .. }
            ),
            Self::Refused { status, code, .. } => {
                // Stores say 400 of a body that did not come.
                let broken = matches!(code.as_str(), "IncompleteBody" | "RequestTimeout");
                broken || *status == 429 || *status >= 500
            }
            Self::Garbled | Self::Stopped => true,
            _ => false,
        }
    }
}

fn short(text: &str) -> String {
    let printed = text.chars().filter(|letter| !letter.is_control());
    let text: String = printed.take(MOST_TEXT).collect();
    text.trim_end_matches('.').to_owned()
}
