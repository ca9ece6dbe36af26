//! What can go wrong with a fetch, in words for a person and a code for a machine.
//!
//! No text here ever holds a user name, a password, a query or the value of a header:
//! these sentences end up in logs and in reports.

use crate::address::AddressClass;
use http::StatusCode;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Why a URL, an address or a header is not used at all. Trying again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Not a URL that names a host.
    #[error("not a usable URL: {reason}; give a complete one such as https://example.com/a.jpg")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// Another scheme than http or https.
    #[error("the scheme `{scheme}` is not fetched; use http or https")]
    Scheme {
        /// The scheme, at most 32 characters.
        scheme: String,
    },
    /// A user name or password in the URL.
    #[error(
        "the URL for {host} holds a user name or password; give an Authorization header instead"
    )]
    Credentials {
        /// The host, without what stood before it.
        host: String,
    },
    /// An address that is not public and not in the allow list.
    #[error("{host} is {class}; only public addresses and those in the allow list are fetched")]
    Address {
        /// The host as it was asked for.
        host: String,
        /// The address, when it was found by name or written as one.
        address: Option<IpAddr>,
        /// What kind of address it is.
        class: AddressClass,
    },
    /// An address that the operator has closed, or one of Longshore's own.
    #[error("{host} is closed for fetching: it is this server's own or on the deny list")]
    Closed {
        /// The host as it was asked for.
        host: String,
    },
    /// A port outside the list.
    #[error("port {port} of {host} is not fetched from; ask the operator to add it")]
    Port {
        /// The host as it was asked for.
        host: String,
        /// The port.
        port: u16,
    },
    /// A redirect from https to http.
    #[error("redirected from https to http at {host}; use a source that stays with https")]
    Downgrade {
        /// The host redirected to.
        host: String,
    },
    /// A header that belongs to the client, or that cannot be sent.
    #[error("the header `{name}` cannot be set here: {reason}")]
    Header {
        /// Its name, never its value.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

impl Refused {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid-url",
            Self::Scheme { .. } => "refused-scheme",
            Self::Credentials { .. } => "refused-credentials",
            Self::Address { .. } | Self::Closed { .. } => "refused-address",
            Self::Port { .. } => "refused-port",
            Self::Downgrade { .. } => "refused-downgrade",
            Self::Header { .. } => "refused-header",
        }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid {
            reason: reason.into(),
        }
    }
}

/// Why a fetch failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The guard refused the URL, or an address that its name stands for.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The guard refused what a redirect pointed to.
    #[error("redirected by {from}: {refused}")]
    RedirectRefused {
        /// The host that redirected.
        from: String,
        /// What was wrong with the target.
        #[source]
        refused: Refused,
    },
    /// More redirects than [`Limits::redirects`](crate::Limits).
    #[error("redirected more than {limit} times, last by {from}")]
    TooManyRedirects {
        /// The limit.
        limit: usize,
        /// The host that redirected last.
        from: String,
    },
    /// The name has no address.
    #[error("the name {host} has no address; check its spelling")]
    NoSuchName {
        /// The name.
        host: String,
    },
    /// The name could not be looked up this time.
    #[error("the name {host} could not be looked up ({source}); try again later")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        source: Arc<io::Error>,
    },
    /// No connection to any address of the host.
    #[error("could not connect to {host} ({source})")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system said of the first address tried.
        source: Arc<io::Error>,
    },
    /// No connection in time; looking the name up and TLS count.
    #[error("could not connect to {host} within {limit:?}")]
    ConnectTimeout {
        /// Host and port.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// No trusted, encrypted connection.
    #[error("no secure connection to {host} ({source})")]
    Tls {
        /// Host and port.
        host: String,
        /// What TLS said.
        source: Arc<io::Error>,
    },
    /// Connected, but no answer in time.
    #[error("{host} sent no answer within {limit:?}")]
    FirstByteTimeout {
        /// Host and port.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The body stopped flowing, or only dripped.
    #[error("{host} sent nothing more for {limit:?} after {got} bytes")]
    SilenceTimeout {
        /// Host and port.
        host: String,
        /// The limit.
        limit: Duration,
        /// Bytes of this body that had arrived.
        got: u64,
    },
    /// A body that comes while it is sent stopped, at its source or at the server.
    #[error("nothing more could be sent to {host} for {limit:?} after {sent} bytes")]
    SendTimeout {
        /// Host and port.
        host: String,
        /// The limit.
        limit: Duration,
        /// Bytes that were on their way by then.
        sent: u64,
    },
    /// The source of a body that comes while it is sent failed.
    #[error("what was to be sent to {host} broke off at its source ({source})")]
    Source {
        /// Host and port.
        host: String,
        /// What the source said.
        source: Arc<io::Error>,
    },
    /// An answer that is not a success.
    #[error("{host} answered {status}")]
    HttpStatus {
        /// Host and port.
        host: String,
        /// The status.
        status: StatusCode,
        /// How long the server asked to wait, not capped.
        retry_after: Option<Duration>,
    },
    /// More bytes than the limit, announced or sent.
    #[error("the body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The body ended before its announced length.
    #[error("{host} ended the body after {got} of {expected} bytes")]
    Truncated {
        /// Host and port.
        host: String,
        /// Bytes of this body that arrived.
        got: u64,
        /// Bytes of this body that were announced.
        expected: u64,
    },
    /// The connection broke inside a body of unknown length.
    #[error("{host} broke the connection after {got} bytes of a body of unknown length")]
    Broken {
        /// Host and port.
        host: String,
        /// Bytes of this body that arrived.
        got: u64,
    },
    /// The server's answer to a resumed request does not fit what went before.
    #[error("{host} cannot continue the body: {reason}; fetch it anew")]
    RangeMismatch {
        /// Host and port.
        host: String,
        /// What did not fit.
        reason: &'static str,
    },
    /// A body in an encoding that nothing here can take off.
    #[error(
        "{host} sends the body encoded ({encoding}), which is not understood; ask its owner for the file itself"
    )]
    UnknownEncoding {
        /// Host and port.
        host: String,
        /// What it says, at most 32 characters.
        encoding: String,
    },
    /// A body that is not encoded in the way that it says.
    #[error("{host} sent a body that is not the {encoding} that it says to be")]
    Undecodable {
        /// Host and port.
        host: String,
        /// What it says.
        encoding: String,
    },
    /// The connection was lost before an answer, or the answer was not HTTP.
    #[error("{host} gave no usable answer ({source})")]
    Protocol {
        /// Host and port.
        host: String,
        /// What the HTTP layer said.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether the connection was lost, as opposed to nonsense received.
        lost: bool,
    },
    /// The caller's token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl FetchError {
    /// A stable word for programs; the list only ever grows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) | Self::RedirectRefused { refused, .. } => refused.code(),
            Self::TooManyRedirects { .. } => "too-many-redirects",
            Self::NoSuchName { .. } | Self::Dns { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::ConnectTimeout { .. } => "timeout-connect",
            Self::Tls { .. } => "tls",
            Self::FirstByteTimeout { .. } => "timeout-first-byte",
            Self::SilenceTimeout { .. } => "timeout-silence",
            Self::SendTimeout { .. } => "timeout-sending",
            Self::Source { .. } => "source",
            Self::HttpStatus { .. } => "http-status",
            Self::TooLarge { .. } => "too-large",
            Self::Truncated { .. } | Self::Broken { .. } => "truncated",
            Self::RangeMismatch { .. } => "range-mismatch",
            Self::UnknownEncoding { .. } => "unknown-encoding",
            Self::Undecodable { .. } => "undecodable",
            Self::Protocol { .. } => "protocol",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status, for an answer that was not a success.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::HttpStatus { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether a body broke in a way that [`Response::resume`](crate::Response::resume)
    /// may mend.
    #[must_use]
    pub const fn is_resumable(&self) -> bool {
        matches!(
            self,
            Self::Truncated { .. } | Self::Broken { .. } | Self::SilenceTimeout { .. }
        )
    }
}
