//! From what a request carries to who sends it: a session cookie, a name and a
//! password, or a token. Who is who is decided behind [`Identify`]; this module
//! only reads headers, and never lets two proofs through at once.

mod by_access;
mod credentials;

pub(crate) use credentials::{Credentials, SESSION_COOKIE};

use crate::Problem;
use access::Caller;
use async_trait::async_trait;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use std::error::Error as StdError;
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

/// Who decides who somebody is.
#[async_trait]
pub trait Identify: Send + Sync + 'static {
    /// The user of a session's cookie.
    async fn by_cookie(&self, cookie: &str, from: IpAddr) -> Result<Caller, Refused>;
    /// Whether `token` is what that caller's session sends as `X-CSRF-Token`. In
    /// constant time; never for a caller who did not come by a session.
    fn csrf_matches(&self, caller: &Caller, token: &str) -> bool;
    /// The user of a name and a password. It takes the same time for unknown names.
    async fn by_basic(&self, name: &str, password: &str, from: IpAddr) -> Result<Caller, Refused>;
    /// The owner of a token.
    async fn by_bearer(&self, token: &str, from: IpAddr) -> Result<Caller, Refused>;
}

/// Why somebody was not identified.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No such user, session or token, or a wrong password; which of them is never told.
    #[error("the credentials are not right")]
    Unknown,
    /// The session or the token was right once.
    #[error("the session or the token has expired")]
    Expired,
    /// Too many attempts from there or for that name.
    #[error("too many attempts")]
    TooMany {
        /// When the next may be made.
        retry_after: Duration,
    },
    /// More passwords wait to be checked than can be checked in time.
    #[error("too many passwords are being checked")]
    Busy,
    /// It cannot be decided at the moment.
    #[error("nobody can be identified at the moment")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// The one place where what is refused gets its words, wherever it was found out.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::unauthenticated_because(
                "unauthenticated",
                "The name, password, token or session is not right.",
            ),
            Refused::Expired => Self::unauthenticated_because(
                "expired",
                "The session or the token has expired; log in again or make a new token.",
            ),
            Refused::TooMany { retry_after } => Self::too_many(retry_after),
            Refused::Busy => Self::unavailable(
                "busy",
                "Too many passwords are being checked at once; try again in a moment.",
                Duration::from_secs(1),
            ),
            Refused::Unavailable(error) => {
                tracing::error!(%error, "nobody can be identified");
                Self::unavailable(
                    "storage-unavailable",
                    "Nobody can be identified at the moment; try again shortly.",
                    Duration::from_secs(1),
                )
            }
        }
    }
}

/// Who sends the request, in a handler's arguments: `By(caller): By`. As
/// `Option<By>` where the route lets others in, too. It stands there only after
/// the route's requirement was met.
#[derive(Clone, Debug)]
pub struct By(pub Caller);

impl Deref for By {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::unauthenticated)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
