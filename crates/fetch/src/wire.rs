//! One request on the wire and the head of its answer.
//!
//! Connections are kept and reused, but their number is bounded: past the bound each
//! is closed after its answer. A request waits first for a connection, then for the
//! first byte, each with its own limit, and for neither once the caller cancelled. A body
//! that comes while it is sent may take any time, as long as it moves.

use crate::connect::Connector;
use crate::error::FetchError;
use crate::limits::Limits;
use crate::streamed::{Sending, Sent};
use crate::url::CheckedUrl;
use async_trait::async_trait;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client as HyperClient, Error as HyperClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an idle connection is kept.
const KEEP_IDLE: Duration = Duration::from_secs(15);
/// Most bytes that one HTTP/1 connection reads ahead, its head included: parts of a body are
/// no larger, and a small one may keep so much in memory. Twice as much would come from the
/// system and go back to it each time (decision 0009), page by page.
pub const READ_AHEAD: usize = 64 * 1024;
/// Most bytes in flight to us on one HTTP/2 stream: what one body takes in memory while
/// nobody reads it. At 100 ms from the other side that is 2.5 MB/s for each.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same over all streams of a connection, which everybody shares: as much as there can be
/// (RFC 9113 §6.9.1), or bodies that nobody reads would stop those that somebody does. What
/// bounds it is the number of streams, and that is the gates'.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

pub(crate) type Outgoing = http::Request<Sent>;

/// What sends a request. A trait, so that the compiler need not go through connections, TLS
/// and HTTP again wherever a future holds a client and may pass between threads.
#[async_trait]
pub(crate) trait Exchange: Send + Sync {
    /// Sends `outgoing`, made for `url`, and waits for the head of its answer, for as long
    /// as usual or with `patience`; that long after its body last moved, where it is one
    /// that comes while it is sent.
    async fn exchange(
        &self,
        outgoing: Outgoing,
        url: &CheckedUrl,
        patience: Option<Duration>,
        sending: Option<&mut Sending>,
        cancel: &CancellationToken,
    ) -> Result<http::Response<Incoming>, FetchError>;
}

pub(crate) struct Wire {
    connector: Connector,
    keeping: HyperClient<Connector, Sent>,
    closing: HyperClient<Connector, Sent>,
    kept_connections: usize,
    connect: Duration,
    first_byte: Duration,
}

impl Wire {
    pub(crate) fn new(connector: Connector, limits: &Limits) -> Self {
        Self {
            keeping: hyper_client(&connector, limits.per_host),
            closing: hyper_client(&connector, 0),
            connector,
            kept_connections: limits.kept_connections,
            connect: limits.connect,
            first_byte: limits.first_byte,
        }
    }

    fn client(&self) -> &HyperClient<Connector, Sent> {
        if self.connector.open_connections() < self.kept_connections {
            &self.keeping
        } else {
            &self.closing
        }
    }
}

#[async_trait]
impl Exchange for Wire {
    async fn exchange(
        &self,
        mut outgoing: Outgoing,
        url: &CheckedUrl,
        patience: Option<Duration>,
        sending: Option<&mut Sending>,
        cancel: &CancellationToken,
    ) -> Result<http::Response<Incoming>, FetchError> {
        let host = || url.host_key().to_string();
        let mut connection = capture_connection(&mut outgoing);
        let mut answer = self.client().request(outgoing);
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(FetchError::Cancelled),
            answer = &mut answer => return answer.map_err(|error| failed(host(), error)),
            _ = connection.wait_for_connection_metadata() => {}
            () = tokio::time::sleep(self.connect) => {
                let limit = self.connect;
                return Err(FetchError::ConnectTimeout { host: host(), limit });
            }
        }
        let limit = patience.unwrap_or(self.first_byte);
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(FetchError::Cancelled),
            answer = &mut answer => answer.map_err(|error| failed(host(), error)),
            error = overdue(url, limit, sending) => Err(error),
        }
    }
}

fn hyper_client(connector: &Connector, idle: usize) -> HyperClient<Connector, Sent> {
    HyperClient::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP_IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_buf_size(READ_AHEAD)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .build(connector.clone())
}

/// Resolves when the head of an answer should have come.
async fn overdue(url: &CheckedUrl, limit: Duration, sending: Option<&mut Sending>) -> FetchError {
    let host = url.host_key().to_string();
    let Some(sending) = sending else {
        tokio::time::sleep(limit).await;
        return FetchError::FirstByteTimeout { host, limit };
    };
    let sent = sending.stalled(limit).await;
    if sending.is_whole() {
        return FetchError::FirstByteTimeout { host, limit };
    }
    FetchError::SendTimeout { host, limit, sent }
}

/// What the HTTP layer's error means. Connection failures come as our own, unchanged.
fn failed(host: String, error: HyperClientError) -> FetchError {
    let mut lost = true;
    let mut cause = error.source();
    while let Some(source) = cause {
        if let Some(own) = source.downcast_ref::<FetchError>() {
            return own.clone();
        }
        if let Some(hyper) = source.downcast_ref::<hyper::Error>() {
            lost = !hyper.is_parse() && !hyper.is_user();
        }
        cause = source.source();
    }
    // The outer error only says that sending failed; the words are the inner one's.
    let source: Arc<dyn Error + Send + Sync> = match error.source() {
        Some(inner) => Arc::from(Box::<dyn Error + Send + Sync>::from(inner.to_string())),
        None => Arc::new(error),
    };
    FetchError::Protocol { host, source, lost }
}
