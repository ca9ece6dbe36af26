//! TLS for connections out: rustls on ring, roots from the platform.
//!
//! The roots are read from disk with the first https request and not before, so that
//! a machine without any still starts, and says so when it matters.

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    /// Those that the operating system trusts.
    #[default]
    Platform,
    /// Those, and a team's own authorities (DER).
    PlatformAnd(Vec<CertificateDer<'static>>),
    /// These alone (DER).
    Only(Vec<CertificateDer<'static>>),
}

pub(crate) struct Tls {
    roots: Roots,
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(crate) fn new(roots: Roots) -> Self {
        Self {
            roots,
            connector: OnceCell::new(),
        }
    }

    /// Encrypts `tcp` and proves that the peer is `host`. The caller bounds the time.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector = self.connector().await?;
        // Certificates name hosts without the dot of a rooted name.
        let name = host.strip_suffix('.').unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        connector.connect(name, tcp).await
    }

    async fn connector(&self) -> io::Result<&TlsConnector> {
        let roots = || self.roots.clone();
        self.connector
            .get_or_try_init(|| async {
                tokio::task::spawn_blocking({
                    let roots = roots();
                    move || configuration(roots)
                })
                .await
                .map_err(io::Error::other)?
                .map_err(|error| {
                    io::Error::other(format!(
                        "no trusted certificates: {error}; install the ca-certificates package"
                    ))
                })
                .map(|config| TlsConnector::from(Arc::new(config)))
            })
            .await
    }
}

fn configuration(roots: Roots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let platform_and = |extra: Vec<CertificateDer<'static>>| {
        Verifier::new_with_extra_roots(extra, provider).map(Arc::new)
    };
    let mut config = match roots {
        Roots::Only(own) => {
            let mut store = RootCertStore::empty();
            for certificate in own {
                store.add(certificate)?;
            }
            versions.with_root_certificates(store).with_no_client_auth()
        }
        // rustls calls every verifier from outside itself dangerous; this one is its
        // own, fed with the platform's roots.
        Roots::Platform => versions
            .dangerous()
            .with_custom_certificate_verifier(platform_and(Vec::new())?)
            .with_no_client_auth(),
        Roots::PlatformAnd(extra) => versions
            .dangerous()
            .with_custom_certificate_verifier(platform_and(extra)?)
            .with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
