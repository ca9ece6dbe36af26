//! Accepting connections and answering on them, HTTP/1.1 and HTTP/2 on one port.
//!
//! A connection costs a peer something or ends: it must send a whole head in time,
//! and must take what it asked for. Every connection is a task of [`serve`], which
//! returns only when the last of them has ended, WebSockets included.

mod addresses;
mod answers;
mod bell;
mod connection;
mod guarded;

use crate::client::Peer;
use crate::routes::Hosts;
use crate::{SettingsSource, Site};
use addresses::{Addresses, Entered};
use base::config::Config;
use bell::Bell;
use guarded::Guarded;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What a connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections open at once. Further ones wait to be accepted.
    pub connections: usize,
    /// Connections open at once from one address; further ones are closed. A trusted
    /// proxy and this machine itself have no such limit.
    pub connections_per_address: usize,
    /// Longest wait for the head of a request, and longest idling between requests
    /// of HTTP/1.
    pub header_timeout: Duration,
    /// Largest head, in bytes.
    pub header_bytes: u32,
    /// Most headers in a head.
    pub headers: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// Longest time that a peer may take nothing of what is sent to it.
    pub stall: Duration,
    /// How long running requests may go on when the server stops; nothing for what
    /// `shutdown_grace` says then, and a little more for the last answers.
    pub grace: Option<Duration>,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_address: 256,
            header_timeout: Duration::from_secs(10),
            header_bytes: 32 * 1024,
            headers: 100,
            streams: 200,
            stall: Duration::from_secs(300),
            grace: None,
        }
    }
}

impl From<&Config> for ServerLimits {
    fn from(config: &Config) -> Self {
        let http = &config.http;
        Self {
            connections: http.connections,
            connections_per_address: http.connections_per_address,
            header_timeout: http.header_timeout.duration(),
            header_bytes: u32::try_from(http.header_limit.bytes()).unwrap_or(u32::MAX),
            headers: http.headers,
            streams: http.streams,
            stall: http.stall_timeout.duration(),
            grace: None,
        }
    }
}

/// After the work has ended, how long connections may take to be closed.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long a task may take to notice that its connection was broken off.
const BREAKING_OFF: Duration = Duration::from_secs(1);

/// Why the server stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket is of no use any more.
    #[error("the listening socket failed: {0}")]
    Listener(#[source] io::Error),
}

/// Answers on every listener until `shutdown`; then stops accepting, lets running
/// requests end for their grace, and breaks off what is left.
///
/// # Errors
/// When a listening socket fails for good; the others are stopped, too.
pub async fn serve(
    listeners: Vec<TcpListener>,
    site: Site,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let sites = listeners
        .into_iter()
        .map(|listener| (listener, site.clone()))
        .collect();
    serve_sites(sites, limits, shutdown).await
}

/// The same with a site for each listener. Their connections count together, and they end
/// together.
///
/// # Errors
/// As [`serve`].
pub async fn serve_sites(
    sites: Vec<(TcpListener, Site)>,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let Some((_, first)) = sites.first() else {
        return Ok(());
    };
    let settings = first.hosts().settings().clone();
    let server = Arc::new(Server {
        settings,
        limits,
        addresses: Addresses::new(limits.connections_per_address),
        free: Arc::new(Semaphore::new(
            limits.connections.clamp(1, Semaphore::MAX_PERMITS),
        )),
        // Children, so that a failing listener stops this server and not the program.
        stopping: shutdown.child_token(),
        last_call: Bell::default(),
        broken_off: Bell::default(),
        connections: TaskTracker::new(),
    });
    let accepting = sites.into_iter().map(|(listener, site)| {
        let server = Arc::clone(&server);
        async move {
            let result = server.accept(&listener, &site.hosts()).await;
            server.stopping.cancel();
            result
        }
    });
    // Accepting ends by this, too, or brings it about.
    let calling = async {
        server.stopping.cancelled().await;
        server.last_call.ring();
    };
    let (results, ()) = tokio::join!(futures::future::join_all(accepting), calling);
    server.connections.close();
    let grace = limits.grace.unwrap_or_else(|| server.configured_grace());
    let ended = tokio::time::timeout(grace, server.connections.wait()).await;
    if ended.is_err() {
        tracing::info!(
            open = server.connections.len(),
            "connections are broken off"
        );
        server.broken_off.ring();
        let ended = tokio::time::timeout(BREAKING_OFF, server.connections.wait()).await;
        if ended.is_err() {
            tracing::warn!("a WebSocket's task does not notice that its connection is gone");
        }
    }
    results.into_iter().collect()
}

struct Server {
    settings: SettingsSource,
    limits: ServerLimits,
    addresses: Addresses,
    free: Arc<Semaphore>,
    stopping: CancellationToken,
    /// The request that is being answered is a connection's last.
    last_call: Bell,
    broken_off: Bell,
    connections: TaskTracker,
}

impl Server {
    /// Read when it is needed, for it may have changed since the start.
    fn configured_grace(&self) -> Duration {
        self.settings.borrow().shutdown_grace + LAST_ANSWERS
    }

    async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
        site: &Arc<Hosts>,
    ) -> Result<(), ServeError> {
        loop {
            // Neither waiting for a free place nor accept loses anything when dropped.
            let place = tokio::select! {
                () = self.stopping.cancelled() => return Ok(()),
                place = Arc::clone(&self.free).acquire_owned() => place,
            };
            let accepted = tokio::select! {
                () = self.stopping.cancelled() => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, from)) => {
                    let Ok(place) = place else { return Ok(()) };
                    let Some(entered) = self.admit(from.ip()) else {
                        continue;
                    };
                    let server = Arc::clone(self);
                    let site = Arc::clone(site);
                    let place = Place::new(place, entered, self.connections.token());
                    self.connections.spawn(async move {
                        server.connected(stream, Peer(from), site, place).await;
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_passing(&error) => {
                    tracing::error!(%error, "no connection can be accepted; trying again");
                    // There is no event for "a file descriptor became free".
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(ServeError::Listener(error)),
            }
        }
    }

    /// Lets a connection from this address in, or closes it by giving nothing.
    fn admit(&self, from: IpAddr) -> Option<Entered> {
        if from.to_canonical().is_loopback() || self.settings.borrow().trusts(from) {
            return Some(Entered::uncounted());
        }
        let entered = self.addresses.enter(from);
        if entered.is_none() {
            metrics::counter!("longshore_http_connections_refused_total").increment(1);
            if self.addresses.first_refusal() {
                tracing::warn!(
                    %from,
                    most = self.limits.connections_per_address,
                    "an address has as many connections as it may; further ones are closed \
                     (http.connections_per_address; a proxy belongs in trusted_proxies)"
                );
            }
        }
        entered
    }

    async fn connected(&self, stream: TcpStream, peer: Peer, site: Arc<Hosts>, place: Place) {
        let broken_off = self.broken_off.clone();
        match Guarded::new(stream, self.limits.stall, broken_off, place) {
            Ok(stream) => {
                let answering =
                    connection::answer(stream, peer, site, &self.limits, &self.last_call);
                // Dropping the connection closes it; its requests see that as a client
                // that left.
                tokio::select! {
                    biased;
                    () = self.broken_off.rings() => {}
                    () = answering => {}
                }
            }
            Err(error) => tracing::debug!(%error, "a connection was gone at once"),
        }
    }
}

/// A place among the connections that there may be, and in the count of them.
struct Place {
    _free: OwnedSemaphorePermit,
    _entered: Entered,
    _tracked: TaskTrackerToken,
}

impl Place {
    fn new(free: OwnedSemaphorePermit, entered: Entered, tracked: TaskTrackerToken) -> Self {
        metrics::gauge!("longshore_http_connections").increment(1.0);
        Self {
            _free: free,
            _entered: entered,
            _tracked: tracked,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("longshore_http_connections").decrement(1.0);
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// ENFILE, EMFILE, ENOBUFS, ENOMEM: it passes when others close.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24 | 105 | 12))
}
