//! The bytes of an answer, one piece at a time, under the limits.
//!
//! Nothing is read ahead of the caller but what the connection holds anyway, so a slow
//! caller slows the server down. A body is whole only if as many bytes came as were
//! announced; one that broke off must never look like one that ended.

use crate::error::FetchError;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a body has to keep to.
#[derive(Clone, Debug)]
pub(crate) struct BodyLimits {
    /// For messages: host and port.
    pub(crate) host: String,
    /// Bytes that were announced.
    pub(crate) expected: Option<u64>,
    /// Most bytes that may come, counted from `offset` zero of the whole.
    pub(crate) max: Option<u64>,
    /// Bytes of the whole that came before this body.
    pub(crate) offset: u64,
    pub(crate) silence: Duration,
    pub(crate) least_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Body {
    /// Gone once the body ended or failed, and with it the stream or the connection.
    incoming: Option<Incoming>,
    limits: BodyLimits,
    cancel: CancellationToken,
    got: u64,
    is_whole: bool,
    /// Time spent waiting since the last look at the pace, and what came in it.
    waited: Duration,
    came: u64,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, limits: BodyLimits, cancel: CancellationToken) -> Self {
        Self {
            incoming: Some(incoming),
            limits,
            cancel,
            got: 0,
            is_whole: false,
            waited: Duration::ZERO,
            came: 0,
        }
    }

    /// Bytes that have come.
    pub(crate) const fn got(&self) -> u64 {
        self.got
    }

    /// Whether the end was reached, and everything announced was there.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether `bytes` that came out of the body keep to its limit, too.
    pub(crate) fn admit(&mut self, bytes: u64) -> Result<(), FetchError> {
        match self.limits.max {
            Some(limit) if bytes > limit => {
                self.close();
                Err(FetchError::TooLarge { limit })
            }
            _ => Ok(()),
        }
    }

    /// Gives the connection up.
    pub(crate) fn close(&mut self) {
        self.incoming = None;
    }

    /// The next piece, never empty; `None` at the end of a whole body. Cancel-safe.
    /// After an error every further call is an error too.
    pub(crate) async fn next_chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        if self.is_whole {
            return Ok(None);
        }
        let outcome = self.advance().await;
        if outcome.is_err() {
            self.close();
        }
        outcome
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let Some(incoming) = self.incoming.as_mut() else {
                return Err(self.given_up());
            };
            let asked = Instant::now();
            let frame = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(FetchError::Cancelled),
                frame = tokio::time::timeout(self.limits.silence, incoming.frame()) => frame,
            };
            let data = match frame {
                Err(_) => return Err(self.silent()),
                // All that was announced is whole, however the connection ends then.
                Ok(Some(Err(_))) if self.is_complete() => return Ok(self.end()),
                Ok(Some(Err(_))) => return Err(self.ended_early()),
                Ok(None) if self.is_short() => return Err(self.ended_early()),
                Ok(None) => return Ok(self.end()),
                // Trailers carry nothing that is wanted here.
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            self.count(asked.elapsed(), data.len() as u64)?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    fn count(&mut self, waited: Duration, bytes: u64) -> Result<(), FetchError> {
        self.got += bytes;
        self.came += bytes;
        self.waited += waited;
        if let Some(limit) = self.limits.max
            && self.limits.offset.saturating_add(self.got) > limit
        {
            return Err(FetchError::TooLarge { limit });
        }
        if self
            .limits
            .expected
            .is_some_and(|expected| self.got > expected)
        {
            return Err(FetchError::RangeMismatch {
                host: self.limits.host.clone(),
                reason: "it sent more than it announced",
            });
        }
        if self.waited >= self.limits.silence {
            if self.came < self.limits.least_bytes {
                return Err(self.silent());
            }
            self.waited = Duration::ZERO;
            self.came = 0;
        }
        Ok(())
    }

    fn end(&mut self) -> Option<Bytes> {
        self.is_whole = true;
        self.close();
        None
    }

    fn is_complete(&self) -> bool {
        self.limits.expected == Some(self.got)
    }

    fn is_short(&self) -> bool {
        self.limits
            .expected
            .is_some_and(|expected| self.got < expected)
    }

    fn given_up(&self) -> FetchError {
        if self.cancel.is_cancelled() {
            return FetchError::Cancelled;
        }
        self.ended_early()
    }

    fn ended_early(&self) -> FetchError {
        let host = self.limits.host.clone();
        let got = self.got;
        match self.limits.expected {
            Some(expected) => FetchError::Truncated {
                host,
                got,
                expected,
            },
            None => FetchError::Broken { host, got },
        }
    }

    fn silent(&self) -> FetchError {
        FetchError::SilenceTimeout {
            host: self.limits.host.clone(),
            limit: self.limits.silence,
            got: self.got,
        }
    }
}
