//! Routes of their own for hosts of their own: the domain of a bucket, say.

use super::{Added, Entry, Gate, Routes};
use crate::{Client, Problem, front};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::Method;
use http::header::CONTENT_LENGTH;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use tower::ServiceExt;

/// Whether a host, with its port where it has one, is one of these.
pub type KnowsHost = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The routes of some hosts. They stand in the table and behind the gate as all do, but
/// not in the API's description: who calls them knows another one.
pub struct Hosted {
    routes: Routes,
    knows: KnowsHost,
    example: &'static str,
}

impl Hosted {
    /// These routes answer on the hosts that `knows` knows. `example` is one of them.
    #[must_use]
    pub fn new(routes: Routes, knows: KnowsHost, example: &'static str) -> Self {
        Self {
            routes,
            knows,
            example,
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let on_host = |entry: &Entry| Entry {
            host: Some(self.example),
            ..entry.clone()
        };
        self.routes.table().entries().iter().map(on_host).collect()
    }

    pub(super) fn into_router(self, gate: &Gate) -> (KnowsHost, Router) {
        let router = super::site::router(self.routes.added, gate, true).fallback(nothing_here);
        (self.knows, front::around(router, gate))
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosted({:?})", self.routes)
    }
}

async fn nothing_here() -> Problem {
    Problem::not_found("address")
}

/// What decides which router answers.
#[derive(Clone)]
struct Switch {
    gate: Gate,
    hosted: Arc<[(KnowsHost, Router)]>,
    usual: Router,
}

/// A router that asks those of hosts first.
pub(super) fn switch(gate: &Gate, hosted: Vec<(KnowsHost, Router)>, usual: Router) -> Router {
    if hosted.is_empty() {
        return usual;
    }
    let switch = Switch {
        gate: gate.clone(),
        hosted: hosted.into(),
        usual,
    };
    Router::new().fallback(by_host).with_state(switch)
}

async fn by_host(State(switch): State<Switch>, request: Request<Body>) -> Response {
    let settings = switch.gate.settings();
    let peer = request.extensions().get().copied();
    let client = Client::of(peer, request.uri(), request.headers(), &settings);
    let host = client.authority().unwrap_or_default();
    let router = switch
        .hosted
        .iter()
        .find(|(knows, _)| knows(host))
        .map_or(&switch.usual, |(_, router)| router);
    let head = request.method() == Method::HEAD;
    let answered: Result<Response, Infallible> = router.clone().oneshot(request).await;
    match answered {
        Ok(response) if head => untold(response),
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The answer to HEAD has lost its body, of a length that nobody tells, in the router of
/// the host; the one around it would take what is left for a body of no bytes.
fn untold(mut response: Response) -> Response {
    if !response.headers().contains_key(CONTENT_LENGTH) {
        let nothing = stream::empty::<Result<Bytes, Infallible>>();
        *response.body_mut() = Body::from_stream(nothing);
    }
    response
}

impl<S> fmt::Debug for Added<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.called).finish()
    }
}
