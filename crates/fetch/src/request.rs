//! One request, as a caller describes it.

use crate::headers::ExtraHeaders;
use crate::range::Validator;
use crate::url::CheckedUrl;
use bytes::Bytes;
use http::Method;

/// What to ask for. `Debug` shows neither queries nor header values nor bodies.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: CheckedUrl,
    pub(crate) headers: ExtraHeaders,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) from: Option<From>,
    pub(crate) body: Payload,
}

/// Where to go on with a body that broke off.
#[derive(Clone, Debug)]
pub(crate) struct From {
    pub(crate) offset: u64,
    pub(crate) validator: Validator,
    /// The size of the whole, when it is known from before.
    pub(crate) total: Option<u64>,
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
            body: Payload::default(),
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

    /// With a body, which is kept in memory so that it can be sent again.
    #[must_use]
    pub fn body(mut self, body: Bytes) -> Self {
        self.body = Payload(body);
        self
    }

    /// From byte `offset` on, as long as the resource is still the one that `validator`
    /// names; the answer's [`offset`](crate::Response::offset) says which it is.
    #[must_use]
    pub fn from(mut self, offset: u64, validator: Validator) -> Self {
        self.from = Some(From {
            offset,
            validator,
            total: None,
        });
        self
    }

    pub(crate) fn follows_redirects(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}
