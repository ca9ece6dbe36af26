//! One request, as a caller describes it.

use crate::error::FetchError;
use crate::headers::ExtraHeaders;
use crate::range::Validator;
use crate::streamed::Sent;
use crate::url::CheckedUrl;
use crate::wire::Outgoing;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body_util::Full;
use std::ops::Range;
use std::time::Duration;

/// What every request says it comes from.
pub const USER_AGENT: &str = concat!("longshore/", env!("CARGO_PKG_VERSION"));

/// What to ask for. `Debug` shows neither queries nor header values nor bodies.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: CheckedUrl,
    pub(crate) headers: ExtraHeaders,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) from: Option<Continuation>,
    pub(crate) decodes: bool,
    pub(crate) body: Payload,
    /// Whether an answer that leads elsewhere is the answer.
    pub(crate) stays: bool,
    /// How long the head of the answer may take, where that is not as usual.
    pub(crate) patience: Option<Duration>,
}

/// Where to go on with a body that broke off, or which part of one is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Continuation {
    pub(crate) offset: u64,
    /// Where the wanted part ends; at the end of the whole, when absent.
    pub(crate) end: Option<u64>,
    /// What the bytes before it are of.
    pub(crate) validator: Option<Validator>,
    /// The size of the whole, when it is known from before.
    pub(crate) total: Option<u64>,
}

impl Continuation {
    fn range(&self) -> HeaderValue {
        let last = self.end.map(|end| end.saturating_sub(1).to_string());
        let last = last.unwrap_or_default();
        HeaderValue::try_from(format!("bytes={}-{last}", self.offset))
            .unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
    }
}

#[derive(Clone, Default)]
pub(crate) struct Payload(pub(crate) Bytes);

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Request {
    /// A request with any method. Redirects are followed for GET and HEAD alone, and
    /// only idempotent methods are repeated once they were sent (RFC 9110 §9.2.2).
    #[must_use]
    pub fn new(method: Method, url: CheckedUrl) -> Self {
        Self {
            method,
            url,
            headers: ExtraHeaders::none(),
            max_bytes: None,
            from: None,
            decodes: false,
            body: Payload::default(),
            stays: false,
            patience: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: CheckedUrl) -> Self {
        Self::new(Method::GET, url)
    }

    /// A HEAD.
    #[must_use]
    pub fn head(url: CheckedUrl) -> Self {
        Self::new(Method::HEAD, url)
    }

    /// With these headers, sent to the URL's own origin alone.
    #[must_use]
    pub fn headers(mut self, headers: ExtraHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// With at most `bytes` of the whole, or the client's limit if that is less.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// With what the server put around the body for the way (`Content-Encoding: gzip` or
    /// `deflate`) taken off. The size of such a body is not known ahead; what comes out
    /// keeps to [`max_bytes`](Self::max_bytes) as what goes in does.
    #[must_use]
    pub fn decoded(mut self) -> Self {
        self.decodes = true;
        self
    }

    /// With a body, which is kept in memory so that it can be sent again.
    #[must_use]
    pub fn body(mut self, body: Bytes) -> Self {
        self.body = Payload(body);
        self
    }

    /// From byte `offset` on, as long as the resource is still the one that `validator`
    /// names; the answer's [`offset`](crate::Response::offset) says which it is.
    #[must_use]
    pub fn starting_at(mut self, offset: u64, validator: Validator) -> Self {
        self.from = Some(Continuation {
            offset,
            end: None,
            validator: Some(validator),
            total: None,
        });
        self
    }

    /// The bytes of `range` alone, which is not empty. A server need not cut it out: the
    /// answer's [`offset`](crate::Response::offset) is 0 when it sends the whole.
    #[must_use]
    pub fn only(mut self, range: Range<u64>) -> Self {
        self.from = Some(Continuation {
            offset: range.start,
            end: Some(range.end),
            validator: None,
            total: None,
        });
        self
    }

    /// Asked here and nowhere else: a redirect is answered as it came. For what is signed
    /// for one address.
    #[must_use]
    pub const fn without_redirects(mut self) -> Self {
        self.stays = true;
        self
    }

    /// With so much time for the body to be sent and the head of the answer to come.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// What is sent to `url`, the request's own or one it was redirected to. Away from
    /// home the caller's headers stay behind.
    pub(crate) fn outgoing(&self, url: &CheckedUrl, is_home: bool) -> Result<Outgoing, FetchError> {
        let body = Sent::Whole(Full::new(self.body.0.clone()));
        self.outgoing_with(url, is_home, body, self.body.0.len() as u64)
    }

    /// The same with another body, of `length` bytes.
    pub(crate) fn outgoing_with(
        &self,
        url: &CheckedUrl,
        is_home: bool,
        body: Sent,
        length: u64,
    ) -> Result<Outgoing, FetchError> {
        let mut outgoing = Outgoing::new(body);
        *outgoing.method_mut() = self.method.clone();
        *outgoing.uri_mut() = url.uri()?;
        let headers = outgoing.headers_mut();
        if is_home {
            headers.clone_from(self.headers.as_map());
        }
        for (name, value) in [
            (header::USER_AGENT, USER_AGENT),
            (header::ACCEPT, "*/*"),
            (header::ACCEPT_ENCODING, "identity"),
        ] {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        if let Some(from) = &self.from {
            headers.insert(header::RANGE, from.range());
            if let Some(validator) = &from.validator {
                headers.insert(header::IF_RANGE, validator.as_value().clone());
            }
        }
        // An empty body is announced, too: servers that take bodies ask for its length.
        if matches!(self.method, Method::PUT | Method::POST | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        Ok(outgoing)
    }

    pub(crate) fn follows_redirects(&self) -> bool {
        !self.stays && matches!(self.method, Method::GET | Method::HEAD)
    }
}
