//! A double of Cloudflare: Images, batches of images, and Stream with its resumable
//! uploads, as its documentation and its own clients describe them.
//!
//! It answers on three addresses, as Cloudflare does on three hosts, keeps what it is given
//! (pictures by their digest, films by theirs), looks at sizes, ids, pieces and tokens as
//! strictly as Cloudflare, and fails to order at every step. Films may go to a real tus
//! server instead: then it is a front, which makes uploads there and passes the rest on.
//! It is no witness by itself: Cloudflare's own clients are let at it, too.

mod exchange;
mod faults;
mod images;
mod pieces;
mod routes;
mod store;
mod uploads;
mod videos;
mod wire;

pub use faults::{Fault, Step};
pub use store::{StoredImage, StoredVideo};

use crate::deadline::within;
use faults::Faults;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
const TOKEN: &str = "a-token-of-an-account-in-a-test";

/// Which of its hosts a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Api,
    Batch,
    Uploads,
}

/// What its connections share.
struct Shared {
    store: Store,
    faults: Faults,
    /// Where its uploads are said to be.
    uploads: Mutex<SocketAddr>,
    /// Where films' contents go, if not here: `http://127.0.0.1:PORT/files`.
    behind: Option<String>,
}

impl Shared {
    fn uploads(&self) -> SocketAddr {
        *self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running double; ended with its connections when it is dropped.
pub struct Cloudflare {
    api: SocketAddr,
    batch: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    /// Keeps count of the tasks that `stop` ends.
    _tasks: TaskTracker,
}

impl Cloudflare {
    /// Starts one that keeps films itself.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn start() -> Self {
        Self::start_before(None).await
    }

    /// Starts one before a tus server whose uploads are made at `url`.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn before(url: &str) -> Self {
        Self::start_before(Some(url.to_owned())).await
    }

    async fn start_before(behind: Option<String>) -> Self {
        let mut listeners = Vec::new();
        for host in [Host::Api, Host::Batch, Host::Uploads] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.unwrap_or_else(|error| panic!("no port is free: {error}"));
            let address = listener.local_addr().expect("a listener has an address");
            listeners.push((host, listener, address));
        }
        let (api, batch, uploads) = (listeners[0].2, listeners[1].2, listeners[2].2);
        let shared = Arc::new(Shared {
            store: Store::default(),
            faults: Faults::default(),
            uploads: Mutex::new(uploads),
            behind,
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for (host, listener, _) in listeners {
            let accepting = accept(host, listener, Arc::clone(&shared), tasks.clone());
            tasks.spawn(stop.clone().run_until_cancelled_owned(accepting));
        }
        Self {
            api,
            batch,
            shared,
            stop,
            _tasks: tasks,
        }
    }

    /// The address of its API, as `https://api.cloudflare.com/client/v4` is one.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://{}/client/v4", self.api)
    }

    /// The address of its API for many images.
    #[must_use]
    pub fn batch(&self) -> String {
        format!("http://{}", self.batch)
    }

    /// Where its API listens, and where its uploads are: what a proxy is put before.
    #[must_use]
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        (self.api, self.shared.uploads())
    }

    /// Says of uploads from now on that they are at this address.
    pub fn say_uploads_at(&self, address: SocketAddr) {
        let uploads = &self.shared.uploads;
        *uploads.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The account that it has.
    #[must_use]
    pub const fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// The token that it takes.
    #[must_use]
    pub const fn token(&self) -> &'static str {
        TOKEN
    }

    /// Every picture that it has, by id.
    #[must_use]
    pub fn images(&self) -> Vec<StoredImage> {
        self.shared.store.images()
    }

    /// Every film that it has, the oldest first.
    #[must_use]
    pub fn videos(&self) -> Vec<StoredVideo> {
        self.shared.store.videos()
    }

    /// Puts a picture there as somebody else would have.
    pub fn put_image(&self, id: &str, content: &[u8], meta: serde_json::Value) {
        self.shared.store.put_image(id, content, meta);
    }

    /// Puts a film there as somebody else would have; its id.
    pub fn put_video(&self, name: &str, content: &[u8]) -> String {
        self.shared.store.put_video(name, content)
    }

    /// Takes a picture away as somebody else would.
    pub fn take_image(&self, id: &str) {
        self.shared.store.remove_image(id);
    }

    /// Takes a film away as somebody else would.
    pub fn take_video(&self, uid: &str) {
        self.shared.store.remove_video(uid);
    }

    /// Fails the next request of a step that is not failed yet.
    pub fn fail(&self, step: Step, fault: Fault) {
        self.shared.faults.order(step, fault);
    }

    /// Answers nothing before so long.
    pub fn latency(&self, latency: Duration) {
        self.shared.faults.latency(latency);
    }

    /// Reads nothing of a new connection before so long, as over a network whose handshakes
    /// take that.
    pub fn handshake(&self, handshake: Duration) {
        self.shared.faults.handshake(handshake);
    }

    /// Takes so many requests of the API within so many seconds, then answers 429.
    pub fn limit(&self, requests: u64, seconds: u64) {
        self.shared.faults.limit(requests, seconds);
    }

    /// How often a film that has come is looked at before it is ready.
    pub fn looks_until_ready(&self, looks: u32) {
        self.shared.store.looks_until_ready(looks);
    }

    /// How long a film that is made from now on takes until it is ready, once it has come.
    pub fn ready_after(&self, time: Duration) {
        self.shared.store.ready_after(time);
    }

    /// Every film from now on cannot be made into one, for this reason.
    pub fn refuse_films(&self, reason: &str) {
        self.shared.store.refuse_films(reason);
    }

    /// This film cannot be made into one, for this reason.
    pub fn spoil_film(&self, uid: &str, reason: &str) {
        self.shared.store.spoil_film(uid, reason);
    }

    /// Whether the account has batches of images.
    pub fn has_batches(&self, has: bool) {
        self.shared.store.has_batches(has);
    }

    /// Ends every token for batches that was given.
    pub fn end_batch_tokens(&self) {
        self.shared.store.end_batch_tokens();
    }

    /// How many requests of a step have come.
    #[must_use]
    pub fn count(&self, step: Step) -> usize {
        self.shared.faults.count(step)
    }

    /// The steps that were asked for, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.shared.faults.steps()
    }

    /// Stops at moment `nth` from now, counted from 1: requests have a moment when they
    /// come, one in the middle of their body if they have one, and one when what they ask
    /// for is done and not answered. Who waits then waits until [`Self::let_go`].
    pub fn hold_at(&self, nth: usize) {
        self.shared.faults.hold_at(nth);
    }

    /// Waits until a request stands still.
    ///
    /// # Panics
    /// After a minute.
    pub async fn holds(&self) {
        within("Cloudflare to stand still", self.shared.faults.holds()).await;
    }

    /// Whether a request has stood still since [`Self::hold_at`].
    #[must_use]
    pub fn has_held(&self) -> bool {
        self.shared.faults.has_held()
    }

    /// Ends the connections of requests that stand still, without an answer, and stops
    /// nowhere any more.
    pub fn let_go(&self) {
        self.shared.faults.let_go();
    }
}

impl Drop for Cloudflare {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl std::fmt::Debug for Cloudflare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cloudflare({})", self.api)
    }
}

async fn accept(host: Host, listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker) {
    let connections = CancellationToken::new();
    // Ends them when this is dropped.
    let _ends = connections.clone().drop_guard();
    loop {
        // A connection that is gone before it is accepted concerns nobody.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let serving = serve(host, stream, Arc::clone(&shared));
        tasks.spawn(connections.clone().run_until_cancelled_owned(serving));
    }
}

async fn serve(host: Host, stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    shared.faults.shake_hands().await;
    let (reader, writer) = stream.into_split();
    let mut connection = wire::Connection::new(reader, writer);
    // An error is a client that left, or a fault to order.
    while let Ok(true) = exchange::exchange(host, &mut connection, &shared).await {}
}
