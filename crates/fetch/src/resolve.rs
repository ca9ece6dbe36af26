//! From a name to addresses that may be connected to.
//!
//! A name is looked up once for each connection, and what comes out of here is what
//! the socket is opened to: nothing between the check and the connection asks again,
//! so a name that changes its answer (DNS rebinding) gains nothing.

use crate::error::Refused;
use crate::policy::{LOOPBACK, Policy, is_localhost};
use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 32;

/// Why a name gave no address.
#[derive(Clone, Debug)]
pub enum ResolveError {
    /// There is no such name, or it has no address. Trying again changes nothing.
    NotFound,
    /// The resolver could not tell this time.
    Temporary(Arc<io::Error>),
}

/// How names become addresses. The answer is not trusted: every address is checked.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, a name in ASCII that may end with a dot.
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError>;
}

/// Look-ups of the machine's resolver under way at once. One that was given up still
/// holds its thread until the system answers, so that they cannot pile up.
const MAX_LOOKUPS: usize = 32;

/// The machine's own resolver (`getaddrinfo`), on the runtime's blocking threads.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    places: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let temporary = |error| ResolveError::Temporary(Arc::new(error));
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(io::Error::other).map_err(temporary)?;
        let host = host.to_owned();
        let looking = tokio::task::spawn_blocking(move || {
            let found = (host.as_str(), 0).to_socket_addrs();
            drop(place);
            found
        });
        match looking.await.unwrap_or_else(|lost| Err(lost.into())) {
            Ok(found) => Ok(found.map(|address| address.ip()).collect()),
            Err(error) if is_temporary(&error) => Err(temporary(error)),
            Err(_) => Err(ResolveError::NotFound),
        }
    }
}

/// The standard library keeps `getaddrinfo`'s code only in its words (`EAI_AGAIN` of
/// glibc and of musl); anything that is not about the name is temporary as well.
fn is_temporary(error: &io::Error) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    let about_the_name = text.contains("failed to lookup address information");
    !about_the_name || text.contains("temporary failure") || text.contains("try again")
}

/// Why a name has no address to connect to.
#[derive(Debug)]
pub(crate) enum NoAddress {
    Refused(Refused),
    Resolve(ResolveError),
}

/// Looks `host` up once and gives the addresses that may be connected to.
///
/// A name with a public and a forbidden address is refused whole: no honest name has
/// both. Only where the operator opened one of its networks are the others left out.
pub(crate) async fn resolve_checked(
    policy: &Policy,
    resolver: &dyn Resolve,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, NoAddress> {
    let found = if is_localhost(host) {
        LOOPBACK.to_vec()
    } else {
        resolver.resolve(host).await.map_err(NoAddress::Resolve)?
    };
    let mut admitted = Vec::new();
    let mut refused = None;
    for ip in found.into_iter().take(MAX_ADDRESSES) {
        let address = SocketAddr::new(ip, port);
        match policy.admit(host, address) {
            Ok(()) if admitted.contains(&address) => {}
            Ok(()) => admitted.push(address),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    let opened = |address: &SocketAddr| policy.is_allowed(address.ip());
    match refused {
        Some(refused) if !admitted.iter().any(opened) => Err(NoAddress::Refused(refused)),
        _ if admitted.is_empty() => Err(NoAddress::Resolve(ResolveError::NotFound)),
        _ => Ok(admitted),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::policy::parse_networks;

    struct Answers(Vec<IpAddr>);

    #[async_trait]
    impl Resolve for Answers {
        async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, ResolveError> {
            Ok(self.0.clone())
        }
    }

    async fn checked(allow: &str, answers: &str, host: &str) -> Result<Vec<String>, String> {
        let policy = Policy::allowing(parse_networks(allow).unwrap());
        let answers = answers.split(',').map(|ip| ip.parse().unwrap()).collect();
        match resolve_checked(&policy, &Answers(answers), host, 80).await {
            Ok(found) => Ok(found
                .iter()
                .map(|address| address.ip().to_string())
                .collect()),
            Err(NoAddress::Refused(refused)) => Err(refused.to_string()),
            Err(NoAddress::Resolve(error)) => Err(format!("{error:?}")),
        }
    }

    #[tokio::test]
    async fn one_forbidden_answer_refuses_the_name() {
        let refused = checked("", "93.184.215.14,127.0.0.1", "h")
            .await
            .unwrap_err();
        assert!(refused.contains("loopback"), "{refused}");
        let still = checked("10.0.0.0/8", "8.8.8.8,127.0.0.1", "h").await;
        assert!(still.is_err());
    }

    #[tokio::test]
    async fn an_opened_network_leaves_the_other_answers_out() {
        let found = checked("192.168.0.0/16", "fd00::7,192.168.1.20", "nas.lan").await;
        assert_eq!(found.unwrap(), ["192.168.1.20"]);
    }

    #[tokio::test]
    async fn localhost_is_loopback_whatever_the_resolver_says() {
        let found = checked("127.0.0.0/8", "93.184.215.14", "foo.localhost").await;
        assert_eq!(found.unwrap(), ["127.0.0.1"]);
    }

    #[tokio::test]
    async fn the_machine_knows_its_own_address() {
        let found = SystemResolver::default().resolve("127.0.0.1").await;
        assert_eq!(found.unwrap(), [IpAddr::from([127, 0, 0, 1])]);
    }

    #[test]
    fn a_name_without_an_address_is_told_from_a_lost_resolver() {
        let words = |text: &str| is_temporary(&io::Error::other(text.to_owned()));
        let said = "failed to lookup address information: ";
        assert!(!words(&format!("{said}Name or service not known")));
        assert!(!words(&format!("{said}Name does not resolve")));
        assert!(words(&format!(
            "{said}Temporary failure in name resolution"
        )));
        assert!(words(&format!("{said}Try again")));
        assert!(words("too many open files"));
    }
}
