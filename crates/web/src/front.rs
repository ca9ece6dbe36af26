//! The layers around everything: the request's id and span, its client, the last
//! word on panics and problems, and headers that no answer goes without.

mod compress;
mod headers;
mod measure;

pub(crate) use headers::{CONSOLE_POLICY, complete};
pub(crate) use measure::{Figures, Measure, Route};

use crate::client::{self, Client, Peer};
use crate::request_id::{self, RequestId};
use crate::{Gate, Problem};
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use tracing::Instrument;

/// Answers with what `inner` answers, and puts all of that around it. It is called by what
/// stands around each route and is no layer of its own: for a small file, the boxes of layers
/// took longer than what is in them.
pub(crate) async fn answer<F: Future<Output = Response>>(
    gate: &Gate,
    mut request: Request,
    inner: impl FnOnce(Request) -> F,
) -> Response {
    let settings = gate.settings();
    let id = RequestId::of(request.headers());
    let peer = request.extensions().get::<Peer>().copied();
    // Where hosts decide, it has been looked at already.
    let client = request.extensions_mut().remove::<Client>();
    let client =
        client.unwrap_or_else(|| Client::of(peer, request.uri(), request.headers(), &settings));
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
    let route = Route::of(&request);
    let head = request.method() == Method::HEAD;
    let encodings = compress::wanted(request.headers());
    let measure = Measure::begin(gate.figures(), request.method(), route);
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
        let response = match AssertUnwindSafe(inner(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => panicked(&*panic),
        };
        let response = with_id(response, &id, head);
        measure.end(gate.figures(), response.status());
        response
    };
    let mut response = answering.instrument(span).await;
    if let Some(value) = id.header() {
        response.headers_mut().insert(request_id::HEADER, value);
    }
    complete(response.headers_mut(), https);
    compress::answer(encodings, response).await
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
