//! Trying again what may pass, and not what will not.

use super::origin::{Answer, Origin, ok, status, with};
use super::raw::{Raw, Then};
use super::{get, get_text, local, local_policy, quick};
use crate::fetch::{Client, Dial, FetchError, Limits, Request, RetryLimits};
use async_trait::async_trait;
use http::Method;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Fails with `first` until the third request.
async fn recovering(first: fn() -> Answer) -> Origin {
    Origin::start(move |seen| async move { if seen.number < 2 { first() } else { ok("it") } }).await
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times() {
    for first in [
        || status(503),
        || status(500),
        || status(429),
        || status(524),
    ] {
        let origin = recovering(first).await;
        assert_eq!(get_text(&local(), &origin.url("/")).await.unwrap(), "it");
        assert_eq!(origin.requests().len(), 3);
    }
}

#[tokio::test]
async fn what_will_not_pass_is_tried_once() {
    for code in [400, 401, 403, 404, 410, 501] {
        let origin = Origin::start(move |_| async move { status(code) }).await;
        let error = get(&local(), &origin.url("/?key=secret"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.status().unwrap().as_u16()),
            ("http-status", code)
        );
        assert!(!error.to_string().contains("secret"));
        assert_eq!(origin.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn the_last_failure_is_told_with_what_the_server_asked_for() {
    let busy = || with(status(429), "retry-after", "0");
    let origin = Origin::start(move |_| async move { busy() }).await;
    let error = get(&local(), &origin.url("/")).await.unwrap_err();
    let FetchError::HttpStatus {
        status,
        retry_after,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((status.as_u16(), retry_after), (429, Some(Duration::ZERO)));
    assert_eq!(origin.requests().len(), 3);
}

#[tokio::test]
async fn retry_after_is_waited_for_up_to_its_cap() {
    let origin = recovering(|| with(status(429), "retry-after", "3600")).await;
    let cap = Duration::from_millis(40);
    let limits = Limits {
        retry: RetryLimits {
            retry_after_cap: cap,
            ..quick().retry
        },
        ..quick()
    };
    let started = Instant::now();
    let client = Client::new(local_policy(), limits);
    assert_eq!(get_text(&client, &origin.url("/")).await.unwrap(), "it");
    assert!(started.elapsed() >= cap * 2);
}

#[tokio::test]
async fn a_connection_that_fails_is_tried_again() {
    #[derive(Clone)]
    struct Weak(Arc<AtomicUsize>);
    #[async_trait]
    impl Dial for Weak {
        async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
            if self.0.fetch_add(1, Ordering::SeqCst) % 3 < 2 {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            TcpStream::connect(address).await
        }
    }
    let origin = Origin::start(|_| async { ok("it") }).await;
    let weak = Weak(Arc::default());
    let client = |attempts| {
        let mut limits = quick();
        limits.retry.attempts = attempts;
        Client::builder(local_policy(), limits)
            .dialer(weak.clone())
            .build()
    };
    assert_eq!(get_text(&client(3), &origin.url("/")).await.unwrap(), "it");
    let error = get_text(&client(2), &origin.url("/")).await.unwrap_err();
    assert_eq!(error.code(), "connect");
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert_eq!(weak.0.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_is_tried_again() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nit";
    let raw = Raw::start(vec![("", Then::Close), (answer, Then::Close)]).await;
    assert_eq!(get_text(&local(), &raw.url()).await.unwrap(), "it");
    assert_eq!(raw.heads().len(), 2);
}

#[tokio::test]
async fn nonsense_is_not_asked_for_twice() {
    let raw = Raw::start(vec![("SSH-2.0-OpenSSH_9.6\r\n\r\n", Then::Close)]).await;
    let error = get(&local(), &raw.url()).await.unwrap_err();
    assert_eq!(error.code(), "protocol");
    assert!(!format!("{error} {error:?}").contains("secret"));
    assert_eq!(raw.heads().len(), 1);
}

#[tokio::test]
async fn a_post_is_sent_once() {
    let origin = recovering(|| status(503)).await;
    let client = local();
    let url = client.check(&origin.url("/")).unwrap();
    let post = Request::new(Method::POST, url).body("x".into());
    let answer = client.send(post, &CancellationToken::new()).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(origin.requests().len(), 1);
}
