//! A gate before a store: it notes what passes, and holds what it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// How the head of a request ends.
const END: &[u8] = b"\r\n\r\n";

#[derive(Debug, Default)]
struct Kept {
    /// The heads of all requests, in small letters.
    heads: Mutex<Vec<String>>,
    /// What a request begins with that waits, if any does.
    held: watch::Sender<Option<String>>,
    /// How many wait or have waited.
    waiting: watch::Sender<usize>,
}

/// A gate; its connections end with it.
pub(crate) struct Gate {
    address: SocketAddr,
    kept: Arc<Kept>,
    _accepting: AbortOnDropHandle<()>,
}

impl Gate {
    pub(super) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        let kept = Arc::new(Kept::default());
        let all = Arc::clone(&kept);
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, port, Arc::clone(&all)));
            }
        });
        Self {
            address,
            kept,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests that have come, in small letters.
    pub(super) fn heads(&self) -> Vec<String> {
        let heads = self.kept.heads.lock();
        heads.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds requests that begin so, until [`open`](Self::open).
    pub(crate) fn hold(&self, beginning: &str) {
        self.kept.held.send_replace(Some(beginning.to_lowercase()));
    }

    /// Waits until one is held.
    pub(super) async fn holds(&self) {
        self.has_held(1).await;
    }

    /// Waits until so many were held since the beginning.
    pub(crate) async fn has_held(&self, many: usize) {
        let mut waiting = self.kept.waiting.subscribe();
        let held = waiting.wait_for(|count| *count >= many);
        testing::within("a request to be held", held)
            .await
            .expect("the gate is there");
    }

    pub(crate) fn open(&self) {
        self.kept.held.send_replace(None);
    }
}

async fn pass(client: TcpStream, port: u16, kept: Arc<Kept>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let upwards = requests(from_client, to_server, &kept);
    let downwards = tokio::io::copy(&mut from_server, &mut to_client);
    let _ = tokio::join!(upwards, downwards);
}

/// Passes requests on, one after the other.
async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    kept: &Kept,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let ends = buffer.windows(END.len()).position(|bytes| bytes == END);
        let Some(ends) = ends else {
            if from.read_buf(&mut buffer).await? == 0 {
                return to.shutdown().await;
            }
            continue;
        };
        let whole = ends + END.len();
        let head = String::from_utf8_lossy(&buffer[..whole]).to_lowercase();
        let mut held = kept.held.subscribe();
        let is_held =
            |held: &Option<String>| held.as_deref().is_some_and(|it| head.starts_with(it));
        if is_held(&held.borrow()) {
            kept.waiting.send_modify(|count| *count += 1);
        }
        let _ = held.wait_for(|held| !is_held(held)).await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut left = length.map_or(0, |length| length.parse().expect("a length"));
        let heads = kept.heads.lock();
        heads.unwrap_or_else(PoisonError::into_inner).push(head);
        to.write_all(&buffer[..whole]).await?;
        buffer.drain(..whole);
        while left > 0 {
            if buffer.is_empty() && from.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            let some = buffer.len().min(left);
            to.write_all(&buffer[..some]).await?;
            buffer.drain(..some);
            left -= some;
        }
    }
}
