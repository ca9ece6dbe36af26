//! A wire between a command and its server, which a test can cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// For [`Wire::cut_after`] and [`Wire::hold_after`]: never.
const NEVER: u64 = u64::MAX;

struct Shared {
    server: SocketAddr,
    /// Counts the cuts; a connection made before the newest one ends.
    cuts: watch::Sender<u64>,
    /// Bytes that still come back to clients before a cut.
    left: AtomicU64,
    /// Bytes that came back to clients.
    brought: AtomicU64,
    /// Bytes that clients sent.
    taken: watch::Sender<u64>,
    /// So many bytes of a client are passed on for each connection, and no more.
    held: watch::Sender<u64>,
    /// Whether something was held back since it was told so.
    holds: watch::Sender<bool>,
    /// Whether WebSockets are passed on.
    sockets: AtomicBool,
    /// How many were made.
    sockets_made: watch::Sender<u64>,
}

/// See the module. Ends with its connections when it is dropped.
pub(crate) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Wire {
    /// A wire to a port of 127.0.0.1.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared {
            server: SocketAddr::from(([127, 0, 0, 1], port)),
            cuts: watch::Sender::new(0),
            left: AtomicU64::new(NEVER),
            brought: AtomicU64::new(0),
            taken: watch::Sender::new(0),
            held: watch::Sender::new(NEVER),
            holds: watch::Sender::new(false),
            sockets: AtomicBool::new(true),
            sockets_made: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    /// Where it begins.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection there is.
    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts, once, the connection over which the last of so many bytes more comes back.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.shared.left.store(bytes, Ordering::SeqCst);
    }

    /// Whether that cut is still to come.
    pub(crate) fn is_whole(&self) -> bool {
        self.shared.left.load(Ordering::SeqCst) != NEVER
    }

    /// How many bytes came back to clients so far.
    pub(crate) fn brought(&self) -> u64 {
        self.shared.brought.load(Ordering::SeqCst)
    }

    /// How many bytes clients sent so far.
    pub(crate) fn taken(&self) -> u64 {
        *self.shared.taken.borrow()
    }

    /// Waits until clients have sent so many bytes.
    pub(crate) async fn takes(&self, bytes: u64) {
        let mut taken = self.shared.taken.subscribe();
        let reached = taken.wait_for(|taken| *taken >= bytes).await;
        reached.expect("the wire is there");
    }

    /// Passes no more than so many bytes on for each connection, until it is let go.
    pub(crate) fn hold_after(&self, bytes: u64) {
        self.shared.holds.send_replace(false);
        self.shared.held.send_replace(bytes);
    }

    /// Waits until it holds something back.
    pub(crate) async fn holds(&self) {
        let mut holds = self.shared.holds.subscribe();
        let reached = holds.wait_for(|holds| *holds);
        testing::within("something to be held back", reached)
            .await
            .expect("the wire is there");
    }

    /// Lets go what it holds.
    pub(crate) fn let_go(&self) {
        self.hold_after(NEVER);
    }

    /// Passes no WebSocket on from now on, as a badly set up proxy does.
    pub(crate) fn refuse_sockets(&self) {
        self.shared.sockets.store(false, Ordering::SeqCst);
    }

    /// Waits until so many WebSockets were made over it.
    pub(crate) async fn sockets(&self, count: u64) {
        let mut made = self.shared.sockets_made.subscribe();
        let reached = made.wait_for(|made| *made >= count);
        testing::within("a WebSocket", reached)
            .await
            .expect("the wire is there");
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        // It ends with a cut, which the end of the wire is, too.
        tokio::spawn(carry(client, Arc::clone(&shared)));
    }
}

async fn carry(client: TcpStream, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    cuts.mark_unchanged();
    let Ok(server) = TcpStream::connect(shared.server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = cuts.changed() => {}
        () = there(from_client, to_server, &shared) => {}
        () = back(from_server, to_client, &shared) => {}
    }
}

async fn there(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut held = shared.held.subscribe();
    let mut sent = 0;
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..count];
        sent += count as u64;
        if sent > *held.borrow() {
            shared.holds.send_replace(true);
        }
        if held.wait_for(|held| sent <= *held).await.is_err() {
            return;
        }
        if bytes.starts_with(b"GET /api/v1/live") {
            if !shared.sockets.load(Ordering::SeqCst) {
                return;
            }
            shared.sockets_made.send_modify(|made| *made += 1);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
        shared.taken.send_modify(|taken| *taken += count as u64);
    }
    // The server may still be answering.
    std::future::pending::<()>().await;
}

async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let left = shared.left.load(Ordering::SeqCst);
        if left != NEVER {
            let count = count as u64;
            if count >= left {
                shared.left.store(NEVER, Ordering::SeqCst);
                return;
            }
            shared.left.store(left - count, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        shared.brought.fetch_add(count as u64, Ordering::SeqCst);
    }
}
