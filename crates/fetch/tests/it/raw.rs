//! A server that says exactly the bytes it is told to, for bodies that no honest
//! server would send.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What follows the bytes.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    /// The connection is closed.
    Close,
    /// Nothing, until the other side closes.
    Hold,
    /// A byte every now and then, until the other side closes.
    Drip(Duration),
}

/// A line of bytes for each connection, the last one for all that follow.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    left: watch::Sender<usize>,
    _stop: DropGuard,
}

impl Raw {
    pub(crate) async fn start(lines: Vec<(&'static str, Then)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let left = watch::Sender::new(0);
        let serving = {
            let heads = Arc::clone(&heads);
            let left = left.clone();
            async move {
                for turn in 0.. {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (bytes, then) = lines[turn.min(lines.len() - 1)];
                    tokio::spawn(say(stream, bytes, then, Arc::clone(&heads), left.clone()));
                }
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        Self {
            address,
            heads,
            left,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/f?key=secret", self.address)
    }

    /// The heads of the requests that came, as text.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Waits until the other side has left `count` connections.
    pub(crate) async fn left(&self, count: usize) {
        let mut left = self.left.subscribe();
        left.wait_for(|left| *left >= count).await.unwrap();
    }
}

async fn say(
    mut stream: TcpStream,
    bytes: &'static str,
    then: Then,
    heads: Arc<Mutex<Vec<String>>>,
    left: watch::Sender<usize>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    stream.write_all(bytes.as_bytes()).await.unwrap();
    match then {
        Then::Close => stream.shutdown().await.unwrap_or_default(),
        Then::Hold => while stream.read_u8().await.is_ok() {},
        Then::Drip(every) => {
            let mut clock = tokio::time::interval(every);
            while stream.write_all(b".").await.is_ok() {
                clock.tick().await;
            }
        }
    }
    left.send_modify(|left| *left += 1);
}
