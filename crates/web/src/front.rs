//! The layers around everything: the request's id and span, its client, the last
//! word on panics and problems, and headers that no answer goes without.

mod headers;
mod measure;

pub(crate) use headers::{CONSOLE_POLICY, complete};
pub(crate) use measure::Measure;

use crate::client::{self, Client, Peer};
use crate::request_id::{self, RequestId};
use crate::{Gate, Problem};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures::FutureExt;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tracing::Instrument;

/// Answers shorter than this are not compressed, in bytes.
const WORTH_COMPRESSING: u64 = 1024;

pub(crate) fn around(router: Router, gate: &Gate) -> Router {
    let compression = CompressionLayer::new()
        .gzip(true)
        .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(is_json));
    router
        .layer(from_fn_with_state(gate.clone(), answer))
        .layer(compression)
}

/// Only JSON is compressed, and only what has no tag: archives are compressed already
/// and need their exact length, and a tag stands for one form alone.
fn is_json(_: StatusCode, _: http::Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    if headers.contains_key(ETAG) || headers.contains_key(ACCEPT_RANGES) {
        return false;
    }
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media.is_some_and(|media| {
        let media = media.split(';').next().unwrap_or_default().trim();
        media == "application/json" || media.ends_with("+json")
    })
}

async fn answer(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let settings = gate.settings();
    let id = RequestId::of(request.headers());
    let peer = request.extensions().get::<Peer>().copied();
    let client = Client::of(peer, request.uri(), request.headers(), &settings);
    if let Some(peer) = peer
        && client::is_untrusted_proxy(peer, request.headers(), &settings)
        && gate.first_untrusted_proxy()
    {
        tracing::warn!(
            peer = %peer.0.ip(),
            "a request names another client, and is not believed: if this is a proxy of yours, \
             name it in trusted_proxies, or all who come through it count as one address"
        );
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let head = request.method() == Method::HEAD;
    let measure = Measure::begin(request.method(), route);
    // The path alone: a query may hold the signature of a link.
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        id = %id,
        client = %client.address(),
        user = tracing::field::Empty,
    );
    let https = client.is_https() || settings.public_https();
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(client);
    extensions.insert(settings);
    let refused = refuse_nul(&request);
    let answering = async {
        if let Some(problem) = refused {
            return problem.render(Some(id.as_str()));
        }
        let response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => panicked(&*panic),
        };
        let response = with_id(response, &id, head);
        measure.end(response.status());
        response
    };
    let mut response = answering.instrument(span).await;
    if let Some(value) = id.header() {
        response.headers_mut().insert(request_id::HEADER, value);
    }
    complete(response.headers_mut(), https);
    response
}

/// No path and no parameter of ours holds the NUL character; Postgres cannot store it.
fn refuse_nul(request: &Request) -> Option<Problem> {
    let path_and_query = request.uri().path_and_query()?;
    path_and_query
        .as_str()
        .contains("%00")
        .then(|| Problem::invalid_request("The address holds the NUL character; leave it out."))
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    use axum::response::IntoResponse;
    tracing::error!(panic = words(panic), "a handler panicked");
    Problem::internal_unlogged().into_response()
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message")
}

/// Writes a problem again, now with the request's id. Headers that layers have
/// added meanwhile stay.
fn with_id(mut response: Response, id: &RequestId, head: bool) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let body = serde_json::to_vec(&problem.document(Some(id.as_str()))).unwrap_or_default();
    let length = HeaderValue::from(body.len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    *response.body_mut() = if head {
        Body::empty()
    } else {
        Body::from(body)
    };
    response
}
