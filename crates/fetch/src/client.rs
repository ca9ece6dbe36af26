//! The client itself: attempts, redirects and the exchange of one request.
//!
//! Every hop is checked, waits at the gate and is bounded in time; every wait ends with
//! the caller's token. It must never send what was meant for one origin to another.

use crate::body::{Body, BodyLimits};
use crate::connect::{Connector, Dial, Roots, TcpDialer};
use crate::error::{FetchError, Refused};
use crate::gate::{Gate, Place};
use crate::headers::ExtraHeaders;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::range::{ContentRange, Validator};
use crate::redirect::next_hop;
use crate::request::Request;
use crate::resolve::{Resolve, SystemResolver};
use crate::response::{Response, Resumption};
use crate::retry::{self, Failure};
use crate::url::CheckedUrl;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client as HyperClient, Error as HyperClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What every request says it comes from.
pub const USER_AGENT: &str = concat!("longshore/", env!("CARGO_PKG_VERSION"));

/// How long an idle connection is kept.
const KEEP_IDLE: Duration = Duration::from_secs(15);
/// Most bytes that one HTTP/1 connection reads ahead, its head included.
const READ_AHEAD: usize = 128 * 1024;
/// Most bytes in flight to us on one HTTP/2 stream, and on one connection.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The guarded client. Clones share connections, gate and limits.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Arc<Policy>,
    limits: Limits,
    gate: Gate,
    connector: Connector,
    keeping: HyperClient<Connector, Full<Bytes>>,
    /// For when enough connections are open: closes each after its answer.
    closing: HyperClient<Connector, Full<Bytes>>,
}

/// A client with something other than the machine's own resolver, sockets or roots.
pub struct ClientBuilder {
    policy: Policy,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    roots: Roots,
}

impl ClientBuilder {
    /// Looks names up with `resolver`; its answers are checked like any other's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Connects to admitted addresses with `dialer`.
    #[must_use]
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Arc::new(dialer);
        self
    }

    /// Trusts `roots`.
    #[must_use]
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Client {
        let policy = Arc::new(self.policy);
        let limits = self.limits;
        let connector = Connector::new(
            Arc::clone(&policy),
            self.resolver,
            self.dialer,
            self.roots,
            limits.connect,
        );
        let keeping = hyper_client(&connector, limits.per_host);
        let closing = hyper_client(&connector, 0);
        Client {
            inner: Arc::new(Inner {
                gate: Gate::new(limits.total, limits.per_host),
                policy,
                limits,
                connector,
                keeping,
                closing,
            }),
        }
    }
}

fn hyper_client(connector: &Connector, idle: usize) -> HyperClient<Connector, Full<Bytes>> {
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

impl Client {
    /// A client over the machine's own resolver, sockets and trusted certificates.
    #[must_use]
    pub fn new(policy: Policy, limits: Limits) -> Self {
        Self::builder(policy, limits).build()
    }

    /// A client to be given other means.
    #[must_use]
    pub fn builder(policy: Policy, limits: Limits) -> ClientBuilder {
        ClientBuilder {
            policy,
            limits,
            resolver: Arc::new(SystemResolver),
            dialer: Arc::new(TcpDialer),
            roots: Roots::default(),
        }
    }

    /// The limits that this client keeps to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Reads and judges a URL without asking the network.
    ///
    /// # Errors
    /// Why it is not fetched.
    pub fn check(&self, url: &str) -> Result<CheckedUrl, Refused> {
        CheckedUrl::parse(url, &self.inner.policy)
    }

    /// Fetches `url`: follows redirects, tries again what may pass, and answers with a
    /// success (2xx) whose body is still to be read. `headers` go to the URL's own
    /// origin alone.
    ///
    /// # Errors
    /// Any [`FetchError`] but those of a body.
    pub async fn get(
        &self,
        url: &CheckedUrl,
        headers: &ExtraHeaders,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let request = Request::get(url.clone()).headers(headers.clone());
        self.send(request, cancel).await?.success()
    }

    /// Like [`get`](Self::get), for the head alone.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn head(
        &self,
        url: &CheckedUrl,
        headers: &ExtraHeaders,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let request = Request::head(url.clone()).headers(headers.clone());
        self.send(request, cancel).await?.success()
    }

    /// Fetches `url` from byte `offset` on, if it is still what `validator` names. The
    /// answer's [`offset`](Response::offset) is `offset`, or 0 when the server sends
    /// the whole again.
    ///
    /// # Errors
    /// [`FetchError::RangeMismatch`] for another part than the one asked for; otherwise
    /// as [`get`](Self::get).
    pub async fn get_from(
        &self,
        url: &CheckedUrl,
        headers: &ExtraHeaders,
        offset: u64,
        validator: Validator,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let request = Request::get(url.clone())
            .headers(headers.clone())
            .from(offset, validator);
        self.send(request, cancel).await?.success()
    }

    /// Sends any request and gives its answer whatever the status; those that may pass
    /// (429, 5xx) are tried again first, as far as the method allows.
    ///
    /// # Errors
    /// Any [`FetchError`] but `HttpStatus` and those of a body.
    pub async fn send(
        &self,
        request: Request,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        self.attempt(&request, None, cancel).await
    }

    /// Attempts `request` until it is answered for good. A `place` already held at the
    /// gate is used for every hop.
    pub(crate) async fn attempt(
        &self,
        request: &Request,
        place: Option<Arc<Place>>,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let mut made = 0;
        loop {
            made += 1;
            let outcome = self.follow(request, place.clone(), cancel).await;
            let failed = match &outcome {
                Ok(response) => response.status_error(),
                Err(error) => error.clone(),
            };
            let wait = Failure::of(&failed).and_then(|failure| {
                let limits = &self.inner.limits.retry;
                retry::wait_before_next(limits, made, &request.method, failure, rand::random())
            });
            let Some(wait) = wait else {
                return outcome;
            };
            // Its connection and its place at the gate are for others while we wait.
            drop(outcome);
            tracing::debug!(url = %request.url, code = failed.code(), ?wait, "trying again");
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(FetchError::Cancelled),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn follow(
        &self,
        request: &Request,
        held: Option<Arc<Place>>,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let mut url = request.url.clone();
        // Once another origin is asked, the caller's headers are gone for good.
        let mut is_home = true;
        let limit = self.inner.limits.redirects;
        for _ in 0..=limit {
            let place = match &held {
                Some(place) => Arc::clone(place),
                None => Arc::new(self.enter(&url, cancel).await?),
            };
            let outgoing = outgoing(request, &url, is_home)?;
            let answer = self.exchange(outgoing, &url, cancel).await?;
            let next = if request.follows_redirects() {
                next_hop(&url, answer.status(), answer.headers(), &self.inner.policy)?
            } else {
                None
            };
            let Some(next) = next else {
                return self.respond(answer, url, request, place, cancel);
            };
            is_home &= next.origin() == request.url.origin();
            url = next;
        }
        Err(FetchError::TooManyRedirects {
            limit,
            from: url.host_key().to_string(),
        })
    }

    async fn enter(
        &self,
        url: &CheckedUrl,
        cancel: &CancellationToken,
    ) -> Result<Place, FetchError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(FetchError::Cancelled),
            place = self.inner.gate.enter(url.host_key()) => Ok(place),
        }
    }

    /// Sends one request and waits for the head of its answer: first for a connection,
    /// then for the first byte, each with its own limit.
    async fn exchange(
        &self,
        mut outgoing: http::Request<Full<Bytes>>,
        url: &CheckedUrl,
        cancel: &CancellationToken,
    ) -> Result<http::Response<Incoming>, FetchError> {
        let limits = &self.inner.limits;
        let host = || url.host_key().to_string();
        let client = if self.inner.connector.open_connections() < limits.kept_connections {
            &self.inner.keeping
        } else {
            &self.inner.closing
        };
        let mut connection = capture_connection(&mut outgoing);
        let mut answer = client.request(outgoing);
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(FetchError::Cancelled),
            answer = &mut answer => return answer.map_err(|error| failed(host(), error)),
            _ = connection.wait_for_connection_metadata() => {}
            () = tokio::time::sleep(limits.connect) => {
                let limit = limits.connect;
                return Err(FetchError::ConnectTimeout { host: host(), limit });
            }
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(FetchError::Cancelled),
            answer = &mut answer => answer.map_err(|error| failed(host(), error)),
            () = tokio::time::sleep(limits.first_byte) => {
                let limit = limits.first_byte;
                Err(FetchError::FirstByteTimeout { host: host(), limit })
            }
        }
    }

    fn respond(
        &self,
        answer: http::Response<Incoming>,
        url: CheckedUrl,
        request: &Request,
        place: Arc<Place>,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let limits = &self.inner.limits;
        let (head, incoming) = answer.into_parts();
        let part = Part::of(request, head.status, &head.headers, &incoming).map_err(|reason| {
            let host = url.host_key().to_string();
            FetchError::RangeMismatch { host, reason }
        })?;
        let max = [limits.max_bytes, request.max_bytes]
            .into_iter()
            .flatten()
            .min();
        if let (Some(limit), Some(total)) = (max, part.total)
            && total > limit
            && head.status.is_success()
        {
            return Err(FetchError::TooLarge { limit });
        }
        let is_head = request.method == Method::HEAD;
        let body_limits = BodyLimits {
            host: url.host_key().to_string(),
            expected: part.expected.filter(|_| !is_head),
            max,
            offset: part.offset,
            silence: limits.silence,
            least_bytes: limits.least_bytes,
        };
        Ok(Response {
            status: head.status,
            headers: head.headers,
            url,
            offset: part.offset,
            total: part.total,
            body: Body::new(incoming, body_limits, cancel.clone()),
            resumption: Resumption {
                client: self.clone(),
                request: request.clone(),
                cancel: cancel.clone(),
                place,
            },
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Which bytes of the whole a body is.
struct Part {
    offset: u64,
    expected: Option<u64>,
    total: Option<u64>,
}

impl Part {
    fn of(
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
        incoming: &Incoming,
    ) -> Result<Self, &'static str> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if status != StatusCode::PARTIAL_CONTENT {
            let length = incoming.size_hint().exact().filter(|_| announced.is_some());
            return Ok(Self {
                offset: 0,
                expected: length,
                total: announced,
            });
        }
        let from = request
            .from
            .as_ref()
            .ok_or("it sent a part that nobody asked for")?;
        let range = ContentRange::of(headers).ok_or("it does not say which part it sends")?;
        if range.first != from.offset {
            return Err("it sends another part than the one asked for");
        }
        if announced.is_some_and(|announced: u64| announced != range.len()) {
            return Err("the part's length is not what it says");
        }
        if !from.validator.agrees_with(headers) {
            return Err("what it holds has changed");
        }
        if let (Some(before), Some(now)) = (from.total, range.complete)
            && before != now
        {
            return Err("the size of the whole has changed");
        }
        let total = range.complete.or(from.total);
        Ok(Self {
            offset: range.first,
            // A shorter part than asked for counts as one that broke off.
            expected: Some(total.map_or(range.len(), |total| total - range.first)),
            total,
        })
    }
}

fn outgoing(
    request: &Request,
    url: &CheckedUrl,
    is_home: bool,
) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let mut outgoing = http::Request::new(Full::new(request.body.0.clone()));
    *outgoing.method_mut() = request.method.clone();
    *outgoing.uri_mut() = url.uri()?;
    let headers = outgoing.headers_mut();
    if is_home {
        headers.clone_from(request.headers.as_map());
    }
    // What a caller said stays, these fill in.
    for (name, value) in [
        (header::USER_AGENT, USER_AGENT),
        (header::ACCEPT, "*/*"),
        (header::ACCEPT_ENCODING, "identity"),
    ] {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    if let Some(from) = &request.from {
        let range = HeaderValue::try_from(format!("bytes={}-", from.offset));
        if let Ok(range) = range {
            headers.insert(header::RANGE, range);
            headers.insert(header::IF_RANGE, from.validator.as_value().clone());
        }
    }
    Ok(outgoing)
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
    let source: Arc<dyn std::error::Error + Send + Sync> = match error.source() {
        Some(inner) => Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
            inner.to_string(),
        )),
        None => Arc::new(error),
    };
    FetchError::Protocol { host, source, lost }
}
