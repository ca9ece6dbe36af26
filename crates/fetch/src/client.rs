//! The client itself: attempts, redirects and the exchange of one request.
//!
//! Every hop is checked, waits at the gate and is bounded in time; every wait ends with
//! the caller's token. It must never send what was meant for one origin to another.

use crate::body::{Body, BodyLimits};
use crate::builder::ClientBuilder;
use crate::decode::Decoder;
use crate::error::{FetchError, Refused};
use crate::gate::{Gate, Place};
use crate::headers::ExtraHeaders;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::range::{Part, Validator};
use crate::redirect::next_hop;
use crate::request::Request;
use crate::response::{Response, Resumption};
use crate::retry::{self, Failure};
use crate::streamed::Streamed;
use crate::url::CheckedUrl;
use crate::wire::{Exchange, Wire};
use http::Method;
use hyper::body::Incoming;
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The guarded client. Clones share connections, gate and limits.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Arc<Policy>,
    limits: Limits,
    gate: Gate,
    wire: Arc<dyn Exchange>,
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
        ClientBuilder::new(policy, limits)
    }

    pub(crate) fn assemble(
        policy: Arc<Policy>,
        limits: Limits,
        wire: Wire,
        gate: Option<Gate>,
    ) -> Self {
        let gate = gate.unwrap_or_else(|| Gate::new(limits.total, limits.per_host));
        Self {
            inner: Arc::new(Inner {
                policy,
                limits,
                gate,
                wire: Arc::new(wire),
            }),
        }
    }

    /// The same client with other limits and a gate of its own: for transfers that must
    /// not wait for those of others. Name, policy and connections are shared, and with
    /// them the limits of connecting.
    #[must_use]
    pub fn apart(&self, limits: Limits) -> Self {
        Self {
            inner: Arc::new(Inner {
                policy: Arc::clone(&self.inner.policy),
                gate: Gate::new(limits.total, limits.per_host),
                limits,
                wire: Arc::clone(&self.inner.wire),
            }),
        }
    }

    pub(crate) fn gate(&self) -> Gate {
        self.inner.gate.clone()
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
            .starting_at(offset, validator);
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

    /// Sends a request whose `body` comes while it is sent, once, and gives its answer
    /// whatever the status. Redirects are answered as they came: there is no second body.
    /// The request's [`patience`](Request::patience) is how long the body may stand still,
    /// and how long the answer may take after it. The answer may come before all of the
    /// body was sent; the rest is not sent any more once it is dropped.
    ///
    /// # Errors
    /// [`FetchError::Source`], [`FetchError::SendTimeout`], and as [`send`](Self::send).
    pub async fn upload(
        &self,
        request: Request,
        body: Streamed,
        cancel: &CancellationToken,
    ) -> Result<Response, FetchError> {
        let url = request.url.clone();
        let place = Arc::new(self.enter(&url, cancel).await?);
        let length = body.length();
        let (sent, mut sending) = body.begin();
        let outgoing = request.outgoing_with(&url, true, sent, length)?;
        let (patience, wire) = (request.patience, &self.inner.wire);
        let answer = wire.exchange(outgoing, &url, patience, Some(&mut sending), cancel);
        let answer = answer.await.map_err(|error| match sending.failure() {
            Some(source) => FetchError::Source {
                host: url.host_key().to_string(),
                source,
            },
            None => error,
        })?;
        let mut response = self.respond(answer, url, &request, place, cancel)?;
        response.sending = Some(sending);
        Ok(response)
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
                Ok(response) if response.status.is_success() => return outcome,
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
            let outgoing = request.outgoing(&url, is_home)?;
            let patience = request.patience;
            let wire = &self.inner.wire;
            let answer = wire
                .exchange(outgoing, &url, patience, None, cancel)
                .await?;
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
        let decoder = if request.decodes && head.status.is_success() {
            Decoder::of(&head.headers).map_err(|encoding| {
                let host = url.host_key().to_string();
                FetchError::UnknownEncoding { host, encoding }
            })?
        } else {
            None
        };
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
            decoder,
            resumption: Resumption {
                client: self.clone(),
                request: request.clone(),
                cancel: cancel.clone(),
                place,
            },
            sending: None,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
