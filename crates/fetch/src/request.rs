//! One request, as a caller describes it.

use crate::error::FetchError;
use crate::headers::ExtraHeaders;
use crate::range::Validator;
use crate::url::CheckedUrl;
use crate::wire::Outgoing;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body_util::Full;

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
}

/// Where to go on with a body that broke off.
#[derive(Clone, Debug)]
pub(crate) struct Continuation {
    pub(crate) offset: u64,
    pub(crate) validator: Validator,
    /// The size of the whole, when it is known from before.
    pub(crate) total: Option<u64>,
}

impl Continuation {
    fn range(&self) -> HeaderValue {
        HeaderValue::try_from(format!("bytes={}-", self.offset))
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
            validator,
            total: None,
        });
        self
    }

    /// What is sent to `url`, the request's own or one it was redirected to. Away from
    /// home the caller's headers stay behind.
    pub(crate) fn outgoing(&self, url: &CheckedUrl, is_home: bool) -> Result<Outgoing, FetchError> {
        let mut outgoing = Outgoing::new(Full::new(self.body.0.clone()));
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
            headers.insert(header::IF_RANGE, from.validator.as_value().clone());
        }
        Ok(outgoing)
    }

    pub(crate) fn follows_redirects(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}
