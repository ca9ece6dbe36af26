//! Answering with bytes that have a length: ranges, conditions, HEAD, and a name to
//! save them under (RFC 9110 §8, §13, §14; RFC 6266).
//!
//! `Content-Length` is always exact, that of several ranges at once included.

mod conditions;
mod disposition;
mod parts;
mod range;

use crate::Problem;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use bytes::Bytes;
use conditions::{Conditions, Verdict};
pub use disposition::attachment;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    RANGE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use range::Wanted;
use std::convert::Infallible;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};
use storage::BlobFile;

/// For how many headers there is room from the start.
const HEADERS: usize = 24;

/// What of a request decides how much of a download it gets. An extractor.
#[derive(Clone, Debug)]
pub struct Wants {
    method: Method,
    headers: HeaderMap,
}

/// The headers that decide it. Most requests have none of them.
const DECIDE: [HeaderName; 6] = [
    RANGE,
    IF_RANGE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

impl Wants {
    /// From a request's method and headers.
    #[must_use]
    pub fn new(method: Method, headers: &HeaderMap) -> Self {
        let mut decisive = HeaderMap::new();
        for name in DECIDE {
            for value in headers.get_all(&name) {
                decisive.append(&name, value.clone());
            }
        }
        Self {
            method,
            headers: decisive,
        }
    }

    /// Whether another server may answer it as this one would: a GET without a condition.
    /// An address is signed for one method, and tags are its own at each server.
    #[must_use]
    pub fn may_go_elsewhere(&self) -> bool {
        self.method == Method::GET && self.headers.keys().all(|name| *name == RANGE)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::new(parts.method.clone(), &parts.headers))
    }
}

/// Bytes of a known length, about to be answered. Of what is answered often, it may be kept
/// and cloned: it holds its headers as they go out.
#[derive(Clone, Debug)]
pub struct Download {
    size: u64,
    media_type: HeaderValue,
    /// With its quotes.
    etag: Option<HeaderValue>,
    modified: Option<(Timestamp, HeaderValue)>,
    disposition: Option<HeaderValue>,
    cache: HeaderValue,
    more: Vec<(HeaderName, HeaderValue)>,
}

impl Download {
    /// So many bytes. To be kept by nobody unless [`cache_control`](Self::cache_control) says so.
    #[must_use]
    pub const fn new(size: u64) -> Self {
        Self {
            size,
            media_type: HeaderValue::from_static("application/octet-stream"),
            etag: None,
            modified: None,
            disposition: None,
            cache: HeaderValue::from_static("private, no-cache"),
            more: Vec::new(),
        }
    }

    /// What kind of bytes they are.
    #[must_use]
    pub fn media_type(mut self, media_type: &str) -> Self {
        // What cannot stand in a header says nothing, as bytes of no known kind.
        if let Ok(value) = HeaderValue::from_str(media_type) {
            self.media_type = value;
        }
        self
    }

    /// With a header of the bytes' own, which comes instead of one of these.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.push((name, value));
        self
    }

    /// A text that is the same exactly as long as the bytes are (a strong validator),
    /// such as their hash. What cannot stand in an `ETag` is left out of it.
    #[must_use]
    pub fn etag(mut self, text: &str) -> Self {
        let plain = text.chars().filter(|c| c.is_ascii_graphic() && *c != '"');
        let tag = format!("\"{}\"", plain.collect::<String>());
        self.etag = HeaderValue::from_str(&tag).ok();
        self
    }

    /// When the bytes were last changed.
    #[must_use]
    pub fn modified(mut self, at: Timestamp) -> Self {
        self.modified = http_date(at).map(|text| (at, text));
        self
    }

    /// To be saved under this name, in any language, instead of shown.
    #[must_use]
    pub fn attachment(mut self, name: &str) -> Self {
        self.disposition = Some(disposition::attachment(name));
        self
    }

    /// For how long and by whom it may be kept.
    #[must_use]
    pub fn cache_control(mut self, text: &'static str) -> Self {
        self.cache = HeaderValue::from_static(text);
        self
    }

    /// The answer, with the wanted part of a stored blob.
    #[must_use]
    pub fn of_blob(self, wants: &Wants, blob: &BlobFile) -> Response {
        debug_assert_eq!(self.size, blob.size(), "the size is the blob's");
        let blob = blob.clone();
        self.answer(wants, move |range| Body::from_stream(blob.stream(range)))
    }

    /// The answer, with the wanted part of bytes in memory.
    #[must_use]
    pub fn of_bytes(self, wants: &Wants, bytes: Bytes) -> Response {
        debug_assert_eq!(
            self.size,
            bytes.len() as u64,
            "the size is that of the bytes"
        );
        self.answer(wants, move |range| {
            // A range lies within the size, which is that of the bytes.
            let end = usize::try_from(range.end).unwrap_or(usize::MAX);
            let end = end.min(bytes.len());
            let start = usize::try_from(range.start).unwrap_or(usize::MAX);
            Body::from(bytes.slice(start.min(end)..end))
        })
    }

    /// The answer; `body` makes the bytes of a range, and is asked only when they go out,
    /// for each of several ranges.
    #[must_use]
    pub fn answer(
        self,
        wants: &Wants,
        body: impl Fn(Range<u64>) -> Body + Send + 'static,
    ) -> Response {
        let conditions = Conditions {
            headers: &wants.headers,
            etag: self.etag.as_ref().and_then(|etag| etag.to_str().ok()),
            modified: self.modified.as_ref().map(|(at, _)| *at),
        };
        match conditions.verdict() {
            Verdict::Proceed => {}
            Verdict::NotModified => {
                return self.finish(StatusCode::NOT_MODIFIED, Body::empty(), None);
            }
            Verdict::Failed => return precondition_failed().into_response(),
        }
        // Ranges are defined for GET alone (RFC 9110 §14.2).
        let ranged = wants.method == Method::GET && conditions.range_applies();
        let asked = wants.headers.get(RANGE).filter(|_| ranged);
        match asked.map_or(Wanted::Whole, |value| Wanted::parse(value, self.size)) {
            Wanted::Unsatisfiable => unsatisfiable(self.size).into_response(),
            Wanted::Part(range) => {
                let body = body(range.clone());
                self.finish(StatusCode::PARTIAL_CONTENT, body, Some(range))
            }
            Wanted::Parts(ranges) => parts::answer(self, ranges, body),
            Wanted::Whole => {
                let whole = 0..self.size;
                let body = if wants.method == Method::HEAD {
                    Body::empty()
                } else {
                    body(whole)
                };
                self.finish(StatusCode::OK, body, None)
            }
        }
    }

    fn finish(self, status: StatusCode, body: Body, part: Option<Range<u64>>) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        // With those that every answer gets; a map that grows is made anew each time.
        *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
        let headers = response.headers_mut();
        let cache = self.more.iter().find(|(name, _)| *name == CACHE_CONTROL);
        let cache = cache.map_or(self.cache, |(_, value)| value.clone());
        headers.insert(CACHE_CONTROL, cache);
        if let Some(etag) = self.etag {
            headers.insert(ETAG, etag);
        }
        if let Some((_, at)) = self.modified {
            headers.insert(LAST_MODIFIED, at);
        }
        if status == StatusCode::NOT_MODIFIED {
            return response;
        }
        for (name, value) in self.more {
            headers.insert(name, value);
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_TYPE, self.media_type);
        if let Some(disposition) = self.disposition {
            headers.insert(CONTENT_DISPOSITION, disposition);
        }
        let length = part
            .as_ref()
            .map_or(self.size, |range| range.end - range.start);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(range) = part {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, self.size);
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(CONTENT_RANGE, value);
            }
        }
        response
    }
}

/// An HTTP date (RFC 9110 §5.6.7), in whole seconds.
fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(at.seconds()).ok()?;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()
}

fn unsatisfiable(size: u64) -> Problem {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-not-satisfiable",
        format!("The range lies outside of the {size} bytes that there are."),
    );
    match HeaderValue::from_str(&format!("bytes */{size}")) {
        Ok(value) => problem.with_header(CONTENT_RANGE, value),
        Err(_) => problem,
    }
}

fn precondition_failed() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition-failed",
        "It has changed since; look at it again before going on.",
    )
}

#[cfg(test)]
mod tests;
