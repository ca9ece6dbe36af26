//! Another protocol than our own, such as S3, on a port of its own.
//!
//! Such a protocol checks its callers itself and gives its answers a form of its own,
//! errors included. What stands around it is the same as around every route: the id of
//! the request, its client and its line in the log, how many are answered at once, and
//! the last word on panics.

use crate::client::{Client, Peer};
use crate::front::{Figures, Measure, Route, complete};
use crate::request_id::RequestId;
use crate::{Admitted, SettingsSource, Site};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tracing::Instrument;

/// Why a request is refused before the protocol sees it, or given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is more to do than can be done at once.
    Overloaded,
    /// Answering made a mistake.
    Broken,
}

/// A protocol. A request has its [`RequestId`], its [`Client`] and its [`Admitted`]
/// among its extensions.
pub trait Protocol: Send + Sync + 'static {
    /// What it is called where requests are counted.
    const NAME: &'static str;

    /// Answers a request.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// Says why there is no answer.
    fn refuse(&self, refusal: Refusal, id: &RequestId) -> Response;
}

struct Foreign<P> {
    protocol: P,
    settings: SettingsSource,
    free: Arc<Semaphore>,
    figures: Figures,
}

impl Site {
    /// A site that speaks `protocol` and nothing else, to at most `concurrency` requests
    /// at once.
    #[must_use]
    pub fn foreign<P: Protocol>(protocol: P, settings: SettingsSource, concurrency: usize) -> Self {
        let foreign = Foreign {
            protocol,
            settings: settings.clone(),
            free: Arc::new(Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            figures: Figures::default(),
        };
        let router = Router::new()
            .fallback(around::<P>)
            .with_state(Arc::new(foreign));
        Self::without_routes(router, settings)
    }
}

async fn around<P: Protocol>(
    State(site): State<Arc<Foreign<P>>>,
    mut request: Request,
) -> Response {
    let settings = Arc::clone(&site.settings.borrow());
    let id = RequestId::of(request.headers());
    let peer = request.extensions().get::<Peer>().copied();
    let client = Client::of(peer, request.uri(), request.headers(), &settings);
    let https = client.is_https();
    let measure = Measure::begin(&site.figures, request.method(), Route::Named(P::NAME));
    // The path alone: a query may hold a signature.
    let span = tracing::info_span!(
        "request",
        protocol = P::NAME,
        method = %request.method(),
        path = request.uri().path(),
        id = %id,
        client = %client.address(),
        user = tracing::field::Empty,
    );
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(client);
    let answering = async {
        let Ok(place) = Arc::clone(&site.free).try_acquire_owned() else {
            return site.protocol.refuse(Refusal::Overloaded, &id);
        };
        // Given back when the head of the answer is there, or earlier by the protocol.
        let admitted = Admitted::with(place);
        request.extensions_mut().insert(admitted.clone());
        let answer = AssertUnwindSafe(site.protocol.answer(request));
        let response = answer.catch_unwind().await;
        admitted.release();
        response.unwrap_or_else(|panic| {
            tracing::error!(panic = crate::front::words(&*panic), "a handler panicked");
            site.protocol.refuse(Refusal::Broken, &id)
        })
    };
    let mut response: Response<Body> = answering.instrument(span.clone()).await;
    span.in_scope(|| measure.end(&site.figures, response.status()));
    complete(response.headers_mut(), https);
    response
}
