//! One connection: which HTTP it speaks, and its requests until it ends.

use super::ServerLimits;
use super::answers::Answers;
use super::bell::Bell;
use super::guarded::Guarded;
use crate::client::Peer;
use crate::routes::Hosts;
use axum::body::Body;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Version};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How a client that knows it speaks HTTP/2 begins (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// An HTTP/2 peer that does not answer a ping for so long is gone.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn answer(
    mut stream: Guarded<TcpStream>,
    peer: Peer,
    site: Arc<Hosts>,
    limits: &ServerLimits,
    last_call: &Bell,
) {
    // Hyper's own detection waits without a limit for bytes that never come.
    let beginning = tokio::time::timeout(limits.header_timeout, stream.starts_with(PREFACE));
    let is_http2 = tokio::select! {
        () = last_call.rings() => return,
        beginning = beginning => match beginning {
            Ok(Ok(is_http2)) => is_http2,
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let answered = move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let waits = request.version() < Version::HTTP_2 && request.headers().contains_key(EXPECT);
        let nothing_comes = request.body().is_end_stream();
        let site = Arc::clone(&site);
        async move {
            let mut response = site.answer(request.map(Body::new)).await;
            // Who was refused before it sent its body keeps it, and would be misunderstood:
            // hyper takes the next request for the body. Where there is no body, hyper does
            // not say 100 first, and the command line of AWS takes the status of such an answer
            // for that of the next one, too, whose head it loses.
            if waits && (nothing_comes || !response.status().is_success()) {
                response.headers_mut().insert(CONNECTION, CLOSE);
            }
            Ok::<_, Infallible>(response)
        }
    };
    let stream = TokioIo::new(stream);
    if is_http2 {
        let answers = Arc::new(Answers::new(limits.stall));
        let begun = Arc::clone(&answers);
        let service = service_fn(move |request| {
            let (answer, answered) = (begun.begin(), answered(request));
            async move { Ok::<_, Infallible>(answered.await?.map(|body| answer.with(body))) }
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.header_bytes)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PONG_WITHIN);
        let mut connection = pin!(builder.serve_connection(stream, service));
        let stalled = async {
            answers.until_none_is_taken().await;
            tracing::debug!("a connection is closed: its peer takes nothing");
        };
        let ending = async {
            tokio::select! {
                result = connection.as_mut() => return ended(result),
                () = last_call.rings() => connection.as_mut().graceful_shutdown(),
            }
            ended(connection.await);
        };
        tokio::select! {
            () = ending => {}
            () = stalled => {}
        }
    } else {
        let service = service_fn(answered);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_header_size(limits.header_bytes as usize)
            .max_headers(limits.headers);
        let mut connection = pin!(builder.serve_connection(stream, service).with_upgrades());
        tokio::select! {
            result = connection.as_mut() => return ended(result),
            () = last_call.rings() => connection.as_mut().graceful_shutdown(),
        }
        ended(connection.await);
    }
}

fn ended(result: hyper::Result<()>) {
    if let Err(error) = result {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::debug!(%error, cause, "a connection ended");
    }
}
