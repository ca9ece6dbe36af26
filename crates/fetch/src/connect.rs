//! From a URI to an open connection: the last door, and the only one that opens sockets.
//!
//! Whatever was checked before, every address is judged here once more, immediately
//! before it is dialled, literals included. It must never dial an address that the
//! policy did not admit in the same call, never resolve twice for one connection, and
//! never look at the environment for a proxy.

mod race;
mod tls;

pub use race::{Dial, TcpDialer};
pub use tls::Roots;

use crate::error::FetchError;
use crate::policy::Policy;
use crate::resolve::{NoAddress, Resolve, ResolveError, resolve_checked};
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Opens guarded connections for the HTTP client above it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    tls: Tls,
    limit: Duration,
    open: Arc<AtomicUsize>,
}

impl Connector {
    pub(crate) fn new(
        policy: Arc<Policy>,
        resolver: Arc<dyn Resolve>,
        dialer: Arc<dyn Dial>,
        roots: Roots,
        limit: Duration,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                policy,
                resolver,
                dialer,
                tls: Tls::new(roots),
                limit,
                open: Arc::default(),
            }),
        }
    }

    /// Connections open now, used and idle ones.
    pub(crate) fn open_connections(&self) -> usize {
        self.inner.open.load(Ordering::Relaxed)
    }
}

impl Inner {
    async fn connect(&self, target: Target) -> Result<Stream, FetchError> {
        let limit = self.limit;
        let timed_out = FetchError::ConnectTimeout {
            host: target.to_string(),
            limit,
        };
        tokio::time::timeout(limit, self.connect_unhurried(target))
            .await
            .unwrap_or(Err(timed_out))
    }

    async fn connect_unhurried(&self, target: Target) -> Result<Stream, FetchError> {
        let addresses = self.addresses(&target).await?;
        let tcp = race::first_to_connect(&*self.dialer, &addresses)
            .await
            .map_err(|source| FetchError::Connect {
                host: target.to_string(),
                source: Arc::new(source),
            })?;
        self.admit_back(&target, &addresses, &tcp)?;
        // Without it small requests wait for the peer's delayed acknowledgement; a
        // socket that refuses the option still works.
        let _ = tcp.set_nodelay(true);
        let open = Open::count(&self.open);
        if !target.is_https {
            return Ok(Stream::new(Box::new(tcp), false, open));
        }
        let failed = |source| FetchError::Tls {
            host: target.to_string(),
            source: Arc::new(source),
        };
        let encrypted = self
            .tls
            .handshake(&target.host, tcp)
            .await
            .map_err(failed)?;
        let is_h2 = encrypted.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Stream::new(Box::new(encrypted), is_h2, open))
    }

    /// Refuses a connection that came back to this machine by one of `addresses`, though
    /// nobody knew that it is one of its own.
    fn admit_back(
        &self,
        target: &Target,
        addresses: &[SocketAddr],
        tcp: &TcpStream,
    ) -> Result<(), FetchError> {
        // A socket that cannot say is one that is gone already.
        let (Ok(local), Ok(peer)) = (tcp.local_addr(), tcp.peer_addr()) else {
            return Ok(());
        };
        if addresses.contains(&peer) {
            self.policy.admit_connection(&target.host, local, peer)?;
        }
        Ok(())
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, FetchError> {
        if let Ok(ip) = target.host.parse::<IpAddr>() {
            let address = SocketAddr::new(ip, target.port);
            self.policy.admit(&target.host, address)?;
            return Ok(vec![address]);
        }
        resolve_checked(&self.policy, &*self.resolver, &target.host, target.port)
            .await
            .map_err(|no_address| match no_address {
                NoAddress::Refused(refused) => refused.into(),
                NoAddress::Resolve(ResolveError::NotFound) => FetchError::NoSuchName {
                    host: target.host.clone(),
                },
                NoAddress::Resolve(ResolveError::Temporary(source)) => FetchError::Dns {
                    host: target.host.clone(),
                    source,
                },
            })
    }
}

/// Whom to connect to: a name or an address without brackets, and the port.
struct Target {
    host: String,
    port: u16,
    is_https: bool,
}

impl Target {
    fn of(uri: &Uri) -> Self {
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        Self {
            host: bare.unwrap_or(host).to_owned(),
            port: uri.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            is_https,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        let target = Target::of(&uri);
        Box::pin(async move { inner.connect(target).await.map(TokioIo::new) })
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, plain or encrypted, that is counted while it is open.
pub(crate) struct Stream {
    io: Box<dyn Io>,
    is_h2: bool,
    _open: Open,
}

impl Stream {
    fn new(io: Box<dyn Io>, is_h2: bool, open: Open) -> Self {
        Self {
            io,
            is_h2,
            _open: open,
        }
    }
}

struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.is_h2 {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
