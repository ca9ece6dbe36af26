//! Bodies that come while they are sent: once, whole, no faster than they are taken, and
//! never for ever.

use super::origin::{Origin, ok};
use super::secure::trusting;
use super::{local, soon};
use crate::fetch::{Client, FetchError, Request, Response, Streamed};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Method, Version};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PIECE: usize = 64 * 1024;
const THANKS: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";

/// A listener, and where it is.
async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The next connection, its request's head read.
async fn accepted(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

/// `count` pieces, and how many of them were asked for.
fn pieces(count: usize) -> (Streamed, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let all = stream::iter(0..count).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::from_static(&[7; PIECE]))
    });
    (Streamed::new((count * PIECE) as u64, all.boxed()), asked)
}

async fn upload(
    address: SocketAddr,
    body: Streamed,
    patience: Duration,
) -> Result<Response, FetchError> {
    upload_to(&local(), &format!("http://{address}/in"), body, patience).await
}

async fn upload_to(
    client: &Client,
    url: &str,
    body: Streamed,
    patience: Duration,
) -> Result<Response, FetchError> {
    let url = client.check(url).unwrap();
    let request = Request::new(Method::POST, url).patience(patience);
    client
        .upload(request, body, &CancellationToken::new())
        .await
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_streamed_body_arrives_whole_under_its_length() {
    let (listener, address) = listener().await;
    let (body, _) = pieces(20);
    let serving = async {
        let (mut stream, head) = accepted(&listener).await;
        let mut came = vec![0; 20 * PIECE];
        stream.read_exact(&mut came).await.unwrap();
        stream.write_all(THANKS).await.unwrap();
        (head, came)
    };
    let (answer, (head, came)) =
        soon(async { tokio::join!(upload(address, body, LONG), serving) }).await;
    let mut answer = answer.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.read_all(10).await.unwrap(), "ok");
    assert!(
        head.to_ascii_lowercase()
            .contains("content-length: 1310720"),
        "{head}"
    );
    assert!(came.iter().all(|byte| *byte == 7));
}

#[tokio::test]
async fn a_server_that_takes_nothing_holds_the_source_back_and_the_wait_ends() {
    let (listener, address) = listener().await;
    let (body, asked) = pieces(4096);
    let serving = async {
        let (stream, _) = accepted(&listener).await;
        stream
    };
    let (answer, _stream) =
        soon(async { tokio::join!(upload(address, body, SHORT), serving) }).await;
    let error = answer.unwrap_err();
    assert_eq!(error.code(), "timeout-sending", "{error}");
    // What sockets hold, and never all of it.
    assert!(asked.load(Ordering::SeqCst) < 1024);
}

#[tokio::test]
async fn a_server_that_took_all_and_says_nothing_is_told_apart() {
    let (listener, address) = listener().await;
    let (body, _) = pieces(1);
    let serving = async {
        let (mut stream, _) = accepted(&listener).await;
        stream.read_exact(&mut vec![0; PIECE]).await.unwrap();
        stream
    };
    let (answer, _stream) =
        soon(async { tokio::join!(upload(address, body, SHORT), serving) }).await;
    assert_eq!(answer.unwrap_err().code(), "timeout-first-byte");
}

#[tokio::test]
async fn an_answer_before_the_end_is_the_answer_and_ends_the_sending() {
    let (listener, address) = listener().await;
    // More than any socket holds.
    let (body, asked) = pieces(4096);
    let serving = async {
        let (mut stream, _) = accepted(&listener).await;
        let full = b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nfull";
        stream.write_all(full).await.unwrap();
        stream
    };
    let (answer, mut stream) =
        soon(async { tokio::join!(upload(address, body, LONG), serving) }).await;
    let mut answer = answer.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(soon(answer.read_all(10)).await.unwrap(), "full");
    drop(answer);
    // The connection ends, though the body has not.
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    assert!(asked.load(Ordering::SeqCst) < 4096);
}

#[tokio::test]
async fn a_source_that_breaks_off_ends_the_request_in_its_own_words() {
    let (listener, address) = listener().await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"begun")),
        Err(io::Error::other("the shelf fell down")),
    ]);
    let body = Streamed::new(100, broken.boxed());
    // The head may not have been written by then.
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut came = Vec::new();
        let _ = stream.read_to_end(&mut came).await;
        let came = String::from_utf8(came).unwrap();
        let body = came.split_once("\r\n\r\n").map(|(_, body)| body.len());
        body.unwrap_or(0)
    };
    let (answer, came) = soon(async { tokio::join!(upload(address, body, LONG), serving) }).await;
    let error = answer.unwrap_err();
    assert_eq!(error.code(), "source");
    assert!(error.to_string().contains("the shelf fell down"), "{error}");
    assert!(came < 100, "it looks whole");
}

#[tokio::test]
async fn what_failed_is_not_sent_again() {
    let (listener, address) = listener().await;
    let (body, asked) = pieces(1);
    let serving = async {
        let (mut stream, _) = accepted(&listener).await;
        stream.read_exact(&mut vec![0; PIECE]).await.unwrap();
        let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(busy).await.unwrap();
        stream
    };
    let (answer, _stream) =
        soon(async { tokio::join!(upload(address, body, LONG), serving) }).await;
    assert_eq!(answer.unwrap().status(), 503);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_streamed_body_arrives_whole_over_http_2() {
    let origin = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let url = format!("https://localhost:{}/in", origin.address.port());
    // More than any window holds.
    let (body, _) = pieces(64);
    let mut answer = soon(upload_to(&trusting(&origin), &url, body, LONG))
        .await
        .unwrap();
    assert_eq!(answer.read_all(10).await.unwrap(), "it");
    let seen = &origin.requests()[0];
    assert_eq!(seen.version, Version::HTTP_2);
    assert_eq!(seen.header("content-length"), Some("4194304"));
    assert_eq!(seen.body.len(), 64 * PIECE);
}

#[tokio::test]
async fn a_source_that_breaks_off_says_so_itself_over_http_2_too() {
    let origin = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let url = format!("https://localhost:{}/in", origin.address.port());
    let broken = stream::iter([
        Ok(Bytes::from_static(b"begun")),
        Err(io::Error::other("the shelf fell down")),
    ]);
    let body = Streamed::new(100, broken.boxed());
    let error = soon(upload_to(&trusting(&origin), &url, body, LONG))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "source");
    assert!(error.to_string().contains("the shelf fell down"), "{error}");
}
