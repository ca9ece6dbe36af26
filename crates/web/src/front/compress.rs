//! Compressing answers that are worth it, for those who take them compressed.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_TYPE, ETAG};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version};
use std::convert::Infallible;
use std::future::ready;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

/// Answers shorter than this are not compressed, in bytes.
const WORTH_COMPRESSING: u64 = 1024;

/// What a request says of encodings.
pub(super) fn wanted(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(ACCEPT_ENCODING).iter().cloned().collect()
}

/// The answer in the encoding that is wanted, if it is one to be encoded. Most are not, and
/// pass by: a layer would put another body around every file.
pub(super) async fn answer(wanted: Vec<HeaderValue>, response: Response) -> Response {
    if wanted.is_empty() && !is_json(response.headers()) {
        return response;
    }
    let mut request = Request::new(Body::empty());
    for value in wanted {
        request.headers_mut().append(ACCEPT_ENCODING, value);
    }
    let mut response = Some(response);
    let answer = service_fn(move |_: Request| {
        let response = response.take().unwrap_or_default();
        ready(Ok::<_, Infallible>(response))
    });
    let chosen = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| is_json(headers);
    let layer = CompressionLayer::new()
        .gzip(true)
        .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(chosen));
    match layer.layer(answer).oneshot(request).await {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

/// Only JSON is compressed, and only what has no tag: archives are compressed already
/// and need their exact length, and a tag stands for one form alone.
fn is_json(headers: &HeaderMap) -> bool {
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
