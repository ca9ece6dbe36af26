//! Over real connections: protocols, limits, proxies, stopping.

use crate::fixture::{site, site_with};
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use web::{ServeError, ServerLimits, Settings, Site, serve};

/// Longer than anything here takes; a test that needs it has failed.
const FOREVER: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), ServeError>>,
}

async fn start(site: Site, limits: ServerLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(vec![listener], site, limits, stop.clone()));
    Running {
        address,
        stop,
        ended,
    }
}

fn quick() -> ServerLimits {
    ServerLimits {
        header_timeout: Duration::from_millis(200),
        grace: Some(Duration::from_millis(200)),
        ..ServerLimits::default()
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.expect("sent");
        until_closed(&mut stream).await
    }

    async fn ended(self) {
        let ended = tokio::time::timeout(FOREVER, self.ended).await;
        ended
            .expect("in time")
            .expect("no panic")
            .expect("stopped well");
    }
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(FOREVER, stream.read_to_end(&mut bytes)).await;
    // A reset is a way of closing, too.
    let _ = read.expect("closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn from(headers: &str) -> String {
    format!("GET /api/v1/from HTTP/1.1\r\nHost: here:8011\r\n{headers}Connection: close\r\n\r\n")
}

#[tokio::test]
async fn one_port_speaks_http_1_and_2() {
    let server = start(site(), ServerLimits::default()).await;
    let answer = server.exchange(&from("")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("127.0.0.1 http here:8011"), "{answer}");

    let stream = TokioIo::new(server.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = || {
        let uri = format!("http://{}/api/v1/from", server.address);
        Request::get(uri)
            .body(Empty::<Bytes>::new())
            .expect("a request")
    };
    // Two at once on one connection.
    let (one, other) = tokio::join!(
        sender.clone().send_request(request()),
        sender.send_request(request())
    );
    for response in [one, other] {
        let response = response.expect("an answer");
        assert_eq!(
            (response.version(), response.status().as_u16()),
            (Version::HTTP_2, 200)
        );
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        assert_eq!(body, format!("127.0.0.1 http {}", server.address));
    }
    server.stop.cancel();
    server.ended().await;
    let _ = connection.await.expect("no panic");
}

#[tokio::test]
async fn several_listeners_are_answered_alike() {
    let listeners = [
        TcpListener::bind("127.0.0.1:0").await,
        TcpListener::bind("127.0.0.1:0").await,
    ];
    let listeners = listeners.map(|listener| listener.expect("a port"));
    let addresses = [0, 1].map(|at: usize| listeners[at].local_addr().expect("an address"));
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(listeners.into(), site(), quick(), stop.clone()));
    for address in addresses {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(from("").as_bytes()).await.expect("sent");
        assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    stop.cancel();
    ended.await.expect("no panic").expect("stopped well");
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_left() {
    let server = start(site(), quick()).await;
    // Nothing at all, a little, the beginning of HTTP/2 that never goes on, and a
    // head that grows for ever without an end.
    for beginning in ["", "G", "PRI * HT", "GET / HTTP/1.1\r\nHost: x\r\nA: b"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.expect("sent");
        let answer = until_closed(&mut stream).await;
        assert!(!answer.contains("200"), "{beginning:?}: {answer}");
    }
    // One after another, in less time than the timeout, does not help.
    let mut stream = server.connect().await;
    let (mut reading, mut writing) = stream.split();
    let dripping = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while writing.write_all(b"G").await.is_ok() {
            tick.tick().await;
        }
    };
    let mut bytes = Vec::new();
    tokio::select! {
        () = dripping => {}
        read = tokio::time::timeout(FOREVER, reading.read_to_end(&mut bytes)) => {
            let _ = read.expect("closed in time");
        }
    }
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_refused() {
    let server = start(site(), ServerLimits::default()).await;
    let long = format!("X-Long: {}\r\n", "x".repeat(40 * 1024));
    let many = "X: y\r\n".repeat(150);
    for headers in [long, many] {
        let answer = server.exchange(&from(&headers)).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let server = start(site(), ServerLimits::default()).await;
    let head = "POST /api/v1/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n";
    let answer = server.exchange(head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(
        answer.contains("\"code\":\"payload-too-large\""),
        "{answer}"
    );
    assert!(answer.contains("larger than 256KiB"), "{answer}");
}

#[tokio::test]
async fn who_waits_to_send_nothing_is_answered_for_the_last_time() {
    let server = start(site(), ServerLimits::default()).await;
    let head =
        "GET /api/v1/from HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n";
    let answer = server.exchange(head).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = answer.to_ascii_lowercase();
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_stranger_cannot_say_who_it_is() {
    let forged = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n";
    let standard = "Forwarded: for=203.0.113.9;proto=https;host=evil.example\r\n";
    let server = start(site(), ServerLimits::default()).await;
    for headers in [forged, standard] {
        let answer = server.exchange(&from(headers)).await;
        assert!(answer.ends_with("127.0.0.1 http here:8011"), "{answer}");
    }
    let trusting = Settings {
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Settings::default()
    };
    let server = start(site_with(trusting), ServerLimits::default()).await;
    let answer = server.exchange(&from("X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ships.example\r\n")).await;
    assert!(
        answer.ends_with("203.0.113.9 https ships.example"),
        "{answer}"
    );
}

#[tokio::test]
async fn stopping_lets_running_requests_end_and_takes_no_new_ones() {
    let server = start(
        site(),
        ServerLimits {
            grace: Some(FOREVER),
            ..ServerLimits::default()
        },
    )
    .await;
    // It answers after 50 ms, when the server is stopping already.
    let mut running = server.connect().await;
    running
        .write_all(b"GET /api/v1/hangs HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut idle = server.connect().await;
    idle.write_all(b"GET /api/v1/from HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut first = [0; 12];
    idle.read_exact(&mut first)
        .await
        .expect("answered, and kept open");
    let address = server.address;
    server.stop.cancel();
    assert!(until_closed(&mut running).await.starts_with("HTTP/1.1 503"));
    until_closed(&mut idle).await;
    server.ended().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_is_broken_off() {
    let server = start(site(), quick()).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"POST /api/v1/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[").await.expect("sent");
    // The connection is the server's before it stops: it has sent a head.
    let mut seen = server.connect().await;
    seen.write_all(from("").as_bytes()).await.expect("sent");
    until_closed(&mut seen).await;
    server.stop.cancel();
    server.ended().await;
    assert_eq!(until_closed(&mut stuck).await, "");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let limits = ServerLimits {
        connections: 1,
        ..ServerLimits::default()
    };
    let server = start(site(), limits).await;
    let mut first = server.connect().await;
    ask_and_stay(&mut first).await;
    let mut second = server.connect().await;
    second.write_all(from("").as_bytes()).await.expect("sent");
    // However often the first is answered meanwhile, the second is not while it stays.
    for _ in 0..20 {
        ask_and_stay(&mut first).await;
        assert!(is_silent(&second), "answered beyond the limit");
    }
    drop(first);
    assert!(until_closed(&mut second).await.starts_with("HTTP/1.1 200"));
}

/// Asks once and takes the whole answer; the connection stays open.
async fn ask_and_stay(stream: &mut TcpStream) {
    stream
        .write_all(b"GET /api/v1/from HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"http x") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
}

/// Whether nothing has come yet.
fn is_silent(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0; 1]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

async fn open_socket(server: &Running) -> TcpStream {
    let mut stream = server.connect().await;
    let head = "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer viewer\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("a head"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    stream
}

#[tokio::test]
async fn a_socket_passes_messages_both_ways() {
    let server = start(site(), ServerLimits::default()).await;
    echo(&mut open_socket(&server).await).await;
}

/// A masked text frame "hi" (RFC 6455 §5.2) comes back without the mask.
async fn echo(socket: &mut TcpStream) {
    socket
        .write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .await
        .expect("sent");
    let mut echoed = [0; 4];
    socket.read_exact(&mut echoed).await.expect("echoed");
    assert_eq!(echoed, [0x81, 2, b'h', b'i']);
}

#[tokio::test]
async fn a_socket_keeps_its_place_and_is_broken_off_like_all_others() {
    let limits = ServerLimits {
        connections: 1,
        ..quick()
    };
    let server = start(site(), limits).await;
    let mut socket = open_socket(&server).await;
    let mut other = server.connect().await;
    other.write_all(from("").as_bytes()).await.expect("sent");
    for _ in 0..20 {
        echo(&mut socket).await;
        assert!(is_silent(&other), "answered beyond the limit");
    }
    server.stop.cancel();
    server.ended().await;
    until_closed(&mut socket).await;
}

#[tokio::test]
async fn who_sends_too_much_before_reading_still_gets_the_answer() {
    let server = start(site(), ServerLimits::default()).await;
    for (path, status) in [("/api/v1/open", "413"), ("/api/v1/things", "401")] {
        for length in [300 * 1024, 3 * 1024 * 1024] {
            let mut stream = server.connect().await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.expect("sent");
            let sent = stream.write_all(&vec![b' '; length]).await;
            let answer = until_closed(&mut stream).await;
            let start = format!("HTTP/1.1 {status}");
            assert!(
                answer.starts_with(&start),
                "{path} {length} {sent:?}: {answer}"
            );
        }
    }
}

/// A listener that fails for good: shut down behind the server's back, as nothing but
/// a mistake of the system's does.
#[tokio::test]
async fn a_listener_that_fails_ends_the_server_with_its_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let same: std::net::TcpStream =
        std::os::fd::OwnedFd::from(listener.try_clone().expect("a copy")).into();
    let listener = TcpListener::from_std(listener).expect("a listener");
    let serving = serve(vec![listener], site(), quick(), CancellationToken::new());
    let ended = tokio::spawn(serving);
    same.shutdown(std::net::Shutdown::Both).expect("shut down");
    let ended = tokio::time::timeout(FOREVER, ended).await.expect("in time");
    assert!(matches!(
        ended.expect("no panic"),
        Err(ServeError::Listener(_))
    ));
}
