//! An answer: its head, and its body piece by piece.
//!
//! A response holds a place in the client's gate until it is dropped, also while it is
//! being resumed; whoever keeps many of them unread keeps others out.

use crate::body::Body;
use crate::client::Client;
use crate::decode::{Decoder, Step};
use crate::error::FetchError;
use crate::gate::Place;
use crate::range::Validator;
use crate::request::{Continuation, Request};
use crate::streamed::Sending;
use crate::url::CheckedUrl;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// An answer whose body is still to be read. `Debug` shows no header.
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) url: CheckedUrl,
    pub(crate) offset: u64,
    pub(crate) total: Option<u64>,
    pub(crate) body: Body,
    /// Where an encoding is taken off.
    pub(crate) decoder: Option<Decoder>,
    pub(crate) resumption: Resumption,
    /// What may still be on its way to the server; it ends with this answer.
    pub(crate) sending: Option<Sending>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("url", &self.url)
            .field("offset", &self.offset)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

/// What it takes to ask again for the rest.
pub(crate) struct Resumption {
    pub(crate) client: Client,
    pub(crate) request: Request,
    pub(crate) cancel: CancellationToken,
    pub(crate) place: Arc<Place>,
}

/// What [`Response::resume`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// The next piece follows the last one.
    Continues,
    /// The server sends the whole again, or the resource changed: the next piece is
    /// the first of a new body.
    StartsOver,
}

impl Response {
    /// The status; a success (2xx) unless the answer came from
    /// [`Client::send`](crate::Client::send).
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers of the answer.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The URL that answered, after redirects.
    #[must_use]
    pub const fn final_url(&self) -> &CheckedUrl {
        &self.url
    }

    /// Where in the whole this body begins, in bytes: 0, or what was asked for when the
    /// server goes on from there.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Size of the whole in bytes, when the server says; of a body whose encoding is
    /// taken off, nobody knows it ahead.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        match self.decoder {
            Some(_) => None,
            None => self.total,
        }
    }

    /// Bytes that this body has, when the server says.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.total().map(|total| total.saturating_sub(self.offset))
    }

    /// `Last-Modified`, when it is a date.
    #[must_use]
    pub fn last_modified(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.text(header::LAST_MODIFIED)?).ok()
    }

    /// `Content-Type` as it was sent.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.text(header::CONTENT_TYPE)
    }

    /// `Content-Encoding` as it was sent. The client asks for `identity`; with anything
    /// else here the bytes are as encoded, unless the request was
    /// [`decoded`](crate::Request::decoded).
    #[must_use]
    pub fn content_encoding(&self) -> Option<&str> {
        self.text(header::CONTENT_ENCODING)
    }

    /// `Content-Disposition` as it was sent, which need not be ASCII.
    #[must_use]
    pub fn content_disposition(&self) -> Option<&[u8]> {
        let value = self.headers.get(header::CONTENT_DISPOSITION)?;
        Some(value.as_bytes())
    }

    /// `ETag` as it was sent, weak or strong.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.text(header::ETAG)
    }

    /// Whether the server says that it serves ranges of bytes.
    #[must_use]
    pub fn accept_ranges(&self) -> bool {
        let units = self.text(header::ACCEPT_RANGES).unwrap_or_default();
        units
            .split(',')
            .any(|unit| unit.trim().eq_ignore_ascii_case("bytes"))
    }

    /// How long the server asks to wait (`Retry-After`, in seconds or as a date), not
    /// capped.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        crate::retry::retry_after(&self.headers, SystemTime::now())
    }

    /// What to give [`Client::get_from`] later, if the server named this state of the
    /// resource strongly enough.
    #[must_use]
    pub fn validator(&self) -> Option<Validator> {
        Validator::of(&self.headers)
    }

    /// What to give [`Request::starting_at`] later to go on from here, if the server named
    /// this state of the resource strongly enough and nothing is taken off the body.
    #[must_use]
    pub fn continuation(&self) -> Option<(u64, Validator)> {
        if self.decoder.is_some() {
            return None;
        }
        let validator = self.validator()?;
        Some((self.offset + self.body.got(), validator))
    }

    /// Bytes of this body that have come, as they were sent.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.body.got()
    }

    /// The next piece of the body, never empty; `None` at the end of a whole one.
    /// Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`FetchError::Truncated`] or [`Broken`](FetchError::Broken) when it broke off,
    /// [`SilenceTimeout`](FetchError::SilenceTimeout),
    /// [`TooLarge`](FetchError::TooLarge), [`Cancelled`](FetchError::Cancelled). The
    /// connection is given up; [`resume`](Self::resume) may help with the first three.
    /// [`Undecodable`](FetchError::Undecodable) for an encoding that is none.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let Some(decoder) = &mut self.decoder else {
            return self.body.next_chunk().await;
        };
        loop {
            match decoder.step() {
                Ok(Step::Decoded(bytes)) => {
                    self.body.admit(decoder.given())?;
                    return Ok(Some(bytes));
                }
                Ok(Step::Hungry) => match self.body.next_chunk().await? {
                    Some(part) => decoder.feed(part),
                    None => decoder.end(),
                },
                Ok(Step::End) => return Ok(None),
                Err(_) => {
                    self.body.close();
                    let encoding = self.content_encoding().unwrap_or_default().to_owned();
                    let host = self.url.host_key().to_string();
                    return Err(FetchError::Undecodable { host, encoding });
                }
            }
        }
    }

    /// The rest of the body at once, for answers that are known to be small.
    ///
    /// # Errors
    /// As [`next_chunk`](Self::next_chunk); [`FetchError::TooLarge`] above `max` bytes.
    pub async fn read_all(&mut self, max: usize) -> Result<Bytes, FetchError> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.next_chunk().await? {
            if all.len() + chunk.len() > max {
                self.body.close();
                return Err(FetchError::TooLarge { limit: max as u64 });
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Asks for the rest of a body that broke off, with a `Range` and an `If-Range`
    /// (RFC 9110 §13.1.5); where the two halves could not be joined, for the whole again.
    /// It never gives up its place in the gate, and never asks for a second one: were
    /// all who hold a place to wait for another, none would ever come free.
    ///
    /// It asks the original URL, so that redirects to short-lived addresses are made
    /// anew. A call is one resumption; how many are worth it is the caller's to say.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn resume(&mut self) -> Result<Resumed, FetchError> {
        if self.body.is_whole() {
            return Ok(Resumed::Continues);
        }
        if self.sending.is_some() {
            return Err(FetchError::RangeMismatch {
                host: self.url.host_key().to_string(),
                reason: "what was sent for it cannot be sent again",
            });
        }
        self.body.close();
        if let Some(rest) = self.rest().await? {
            return Ok(self.take_over(rest));
        }
        let request = self.resumption.request.clone();
        *self = self.ask(&request).await?.file()?;
        Ok(Resumed::StartsOver)
    }

    /// An answer to a request for the rest; nothing where the server gave nothing to
    /// recognise the body by, or has no such rest.
    async fn rest(&self) -> Result<Option<Self>, FetchError> {
        let Some(validator) = self.validator() else {
            return Ok(None);
        };
        let mut request = self.resumption.request.clone();
        request.from = Some(Continuation {
            offset: self.offset + self.body.got(),
            end: request.from.as_ref().and_then(|from| from.end),
            validator: Some(validator),
            total: self.total,
        });
        let again = match self.ask(&request).await {
            Err(FetchError::RangeMismatch { .. }) => return Ok(None),
            again => again?,
        };
        match again.status {
            StatusCode::PARTIAL_CONTENT => Ok(Some(again)),
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED => Ok(None),
            _ => again.file().map(Some),
        }
    }

    /// Asks on the place that it holds.
    async fn ask(&self, request: &Request) -> Result<Self, FetchError> {
        let place = Arc::clone(&self.resumption.place);
        let client = &self.resumption.client;
        client
            .attempt(request, Some(place), &self.resumption.cancel)
            .await
    }

    fn take_over(&mut self, mut again: Self) -> Resumed {
        let offset = self.offset + self.body.got();
        if again.offset != offset || again.status != StatusCode::PARTIAL_CONTENT {
            *self = again;
            return Resumed::StartsOver;
        }
        // A part may leave out what the whole said of itself (RFC 9110 §15.3.7), and its
        // bytes go on within the encoding of those before.
        for (name, value) in &self.headers {
            if !again.headers.contains_key(name) {
                again.headers.append(name.clone(), value.clone());
            }
        }
        again.decoder = self.decoder.take();
        *self = again;
        Resumed::Continues
    }

    /// This response if its status is a success.
    ///
    /// # Errors
    /// [`FetchError::HttpStatus`].
    pub fn success(self) -> Result<Self, FetchError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.status_error())
    }

    /// This response if it brings a file: 200, or 203 from something in between. Other
    /// successes (202, 204, 205 …) say that there is none, or none yet.
    ///
    /// # Errors
    /// [`FetchError::HttpStatus`].
    pub fn file(self) -> Result<Self, FetchError> {
        match self.status {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => Ok(self),
            _ => Err(self.status_error()),
        }
    }

    pub(crate) fn status_error(&self) -> FetchError {
        FetchError::HttpStatus {
            host: self.url.host_key().to_string(),
            status: self.status,
            retry_after: self.retry_after(),
        }
    }

    fn text(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
