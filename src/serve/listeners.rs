//! The ports: taken before anything else is done, answered on once everything is open,
//! and ended by the same token.

use super::descriptors;
use super::parts::Parts;
use super::site::Built;
use crate::exit::{Code, Failure, Result};
use base::Config;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use web::{ServeError, ServerLimits, Site};

/// Connections that the system keeps while nobody has accepted them yet.
const BACKLOG: u32 = 1024;

/// Where the program listens.
pub(super) struct Listeners {
    site: TcpListener,
    s3: Option<TcpListener>,
}

impl Listeners {
    /// Takes the addresses, without answering yet.
    pub(super) fn open(config: &Config) -> Result<Self> {
        let site = listen(config.listen, "--listen")?;
        let s3 = config.s3_listen.address();
        let s3 = s3
            .map(|address| listen(address, "--s3-listen"))
            .transpose()?;
        Ok(Self { site, s3 })
    }

    /// Answers on all of them until `stop`. One that fails for good ends the others.
    pub(super) fn serve(
        self,
        config: &Config,
        parts: &Parts,
        built: &Built,
        stop: CancellationToken,
    ) -> impl Future<Output = std::result::Result<(), ServeError>> + Send + use<> {
        let limits = descriptors::within(ServerLimits::from(config));
        let mut sites = vec![(self.site, built.site.clone())];
        tracing::info!(address = %config.listen, "listening");
        if let Some(listener) = self.s3 {
            let domain = config.files.s3_domain.as_ref();
            let domain = domain.map(|domain| domain.as_str().to_owned());
            let protocol = files::s3_service(parts.files.clone(), domain);
            let current = built.settings.subscribe();
            let site = Site::foreign(protocol, current, config.http.concurrency);
            sites.push((listener, site));
            tracing::info!(address = %config.s3_listen, "listening for S3 clients");
        }
        web::serve_sites(sites, limits, stop)
    }
}

/// Takes an address; `flag` is what names another.
fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    let refused = |error: io::Error| {
        let text = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "the address {address} is taken by another program; stop that one, or choose another with {flag}"
            ),
            io::ErrorKind::AddrNotAvailable => {
                format!("the address {address} is none of this machine; choose another with {flag}")
            }
            io::ErrorKind::PermissionDenied => format!(
                "the address {address} needs more rights (ports below 1024 do); choose another with {flag}"
            ),
            _ => format!("the address {address} cannot be used: {error}"),
        };
        Failure::new(Code::Port, text)
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(refused)?;
    socket.set_reuseaddr(true).map_err(refused)?;
    socket.bind(address).map_err(refused)?;
    socket.listen(BACKLOG).map_err(refused)
}
