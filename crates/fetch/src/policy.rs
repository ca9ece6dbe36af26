//! Which hosts, addresses and ports may be fetched from.
//!
//! The policy only decides. It is asked twice: when a URL is checked, and again with
//! the very address that a socket is about to be opened to. It must never resolve a
//! name, and its answer for an address must not depend on how it was found.

use crate::address::{AddressClass, classify, nat64_inner};
use crate::error::Refused;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Ports of public hosts that are fetched from. Hosts in [`Policy::allow`] may use any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortPolicy {
    ports: Vec<u16>,
}

impl PortPolicy {
    /// 80, 443 and `more`.
    #[must_use]
    pub fn standard_and(more: &[u16]) -> Self {
        let mut ports = vec![80, 443];
        ports.extend(more.iter().copied().filter(|port| *port != 0));
        Self { ports }
    }

    fn has(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }
}

impl Default for PortPolicy {
    fn default() -> Self {
        Self::standard_and(&[])
    }
}

/// What the operator lets Longshore fetch from. The default is every public address on
/// ports 80 and 443.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Networks that are fetched from though they are not public, on any port.
    pub allow: Vec<IpNet>,
    /// Networks that are never fetched from, whatever else is said.
    pub deny: Vec<IpNet>,
    /// Ports of public hosts.
    pub ports: PortPolicy,
    /// Whether a redirect may lead from https to http.
    pub allow_downgrade: bool,
    /// Addresses of this very server, closed on every port unless
    /// [`allow`](Self::allow) opens them.
    pub own_addresses: Vec<IpAddr>,
    /// Names and ports under which others reach this server, closed whatever is allowed.
    pub own_names: Vec<(String, u16)>,
    /// Where this server listens; closed even inside [`allow`](Self::allow). The
    /// unspecified address stands for every loopback and own address.
    pub own_listeners: Vec<SocketAddr>,
}

impl Policy {
    /// The default policy with `networks` opened.
    #[must_use]
    pub fn allowing(networks: Vec<IpNet>) -> Self {
        Self {
            allow: networks,
            ..Self::default()
        }
    }

    /// Whether a connection to `address`, found for `host`, may be opened.
    ///
    /// # Errors
    /// [`Refused::Closed`], [`Refused::Address`] or [`Refused::Port`].
    pub fn admit(&self, host: &str, address: SocketAddr) -> Result<(), Refused> {
        let ip = address.ip();
        let refused_port = || Refused::Port {
            host: host.to_owned(),
            port: address.port(),
        };
        if self.is_closed(address) {
            return Err(closed(host));
        }
        if address.port() == 0 {
            return Err(refused_port());
        }
        if self.is_allowed(ip) {
            return Ok(());
        }
        let class = classify(ip);
        if !class.is_public() {
            return Err(Refused::Address {
                host: host.to_owned(),
                address: Some(ip),
                class,
            });
        }
        if !self.ports.has(address.port()) {
            return Err(refused_port());
        }
        Ok(())
    }

    /// Whether a connection may stay that was opened from `local` to `peer` for `host`.
    /// One from an address to itself has come back to this machine, whichever of its
    /// addresses that is.
    ///
    /// # Errors
    /// [`Refused::Closed`].
    pub(crate) fn admit_connection(
        &self,
        host: &str,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Result<(), Refused> {
        if local.ip() != peer.ip() {
            return Ok(());
        }
        let is_own_port = self.own_listeners.iter().any(|own| {
            own.port() == peer.port() && (own.ip() == peer.ip() || own.ip().is_unspecified())
        });
        if is_own_port || !self.is_allowed(peer.ip()) {
            return Err(closed(host));
        }
        Ok(())
    }

    /// Whether the operator opened the network of `ip`.
    #[must_use]
    pub fn is_allowed(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&ip))
    }

    /// What can be said of a name before it is looked up.
    ///
    /// # Errors
    /// [`Refused::Closed`] for a name of this server; [`Refused::Address`] for one of
    /// loopback (RFC 6761 §6.3) that is not allowed; [`Refused::Port`] for a port that no address could make right.
    pub(crate) fn admit_name(&self, host: &str, port: u16) -> Result<(), Refused> {
        let refused_port = Refused::Port {
            host: host.to_owned(),
            port,
        };
        if port == 0 || (self.allow.is_empty() && !self.ports.has(port)) {
            return Err(refused_port);
        }
        let rooted = host.strip_suffix('.').unwrap_or(host);
        let is_own = |(name, at): &(String, u16)| *at == port && name.eq_ignore_ascii_case(rooted);
        if self.own_names.iter().any(is_own) {
            return Err(closed(host));
        }
        if !is_localhost(host) {
            return Ok(());
        }
        let mut answers = LOOPBACK
            .iter()
            .map(|ip| self.admit(host, SocketAddr::new(*ip, port)));
        if answers.any(|answer| answer.is_ok()) {
            return Ok(());
        }
        Err(Refused::Address {
            host: host.to_owned(),
            address: None,
            class: AddressClass::Loopback,
        })
    }

    fn is_closed(&self, address: SocketAddr) -> bool {
        let inner = nat64_inner(address.ip()).map(IpAddr::V4);
        std::iter::once(address.ip()).chain(inner).any(|ip| {
            let is_own = self.own_addresses.contains(&ip);
            (is_own && !self.is_allowed(ip))
                || self.deny.iter().any(|net| net.contains(&ip))
                || self.own_listeners.iter().any(|own| {
                    let stands_for = own.ip().is_unspecified() && (is_own || ip.is_loopback());
                    own.port() == address.port() && (own.ip() == ip || stands_for)
                })
        })
    }
}

fn closed(host: &str) -> Refused {
    Refused::Closed {
        host: host.to_owned(),
    }
}

/// What `localhost` and the names under it stand for; they are never looked up.
pub(crate) const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Whether `host` is a name of loopback: `localhost`, or anything under it (RFC 6761 §6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

/// Text in which a network was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network; write an address such as 10.0.0.5 or a range such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

/// Reads a list such as `127.0.0.0/8, 10.0.0.5, fd00::/8`, as `fetch.allow` holds it.
///
/// # Errors
/// The first entry that is neither an address nor a network.
pub fn parse_networks(text: &str) -> Result<Vec<IpNet>, InvalidNetwork> {
    text.split([',', ' ', '\n', '\t'])
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let address = || entry.parse::<IpAddr>().map(IpNet::from);
            entry
                .parse::<IpNet>()
                .map(|net| net.trunc())
                .or_else(|_| address())
                .map_err(|_| InvalidNetwork(entry.chars().take(64).collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn admits(policy: &Policy, address: &str) -> Result<(), &'static str> {
        policy
            .admit("h", address.parse().unwrap())
            .map_err(|refused| refused.code())
    }

    #[test]
    fn an_allowed_network_is_open_on_every_port() {
        let policy = Policy::allowing(parse_networks("127.0.0.0/8").unwrap());
        assert_eq!(admits(&policy, "127.0.0.1:6379"), Ok(()));
        assert_eq!(admits(&policy, "127.0.0.1:0"), Err("refused-port"));
        assert_eq!(admits(&policy, "10.0.0.1:80"), Err("refused-address"));
        assert_eq!(admits(&policy, "8.8.8.8:6379"), Err("refused-port"));
        assert_eq!(admits(&policy, "[::1]:80"), Err("refused-address"));
        assert_eq!(
            admits(&policy, "[::ffff:127.0.0.1]:80"),
            Err("refused-address")
        );
        assert_eq!(
            admits(&policy, "[64:ff9b::127.0.0.1]:80"),
            Err("refused-address")
        );
    }

    #[test]
    fn what_is_closed_stays_closed_inside_an_allowed_network() {
        let policy = Policy {
            allow: parse_networks("127.0.0.0/8 10.0.0.0/8").unwrap(),
            deny: parse_networks("10.1.0.0/16,8.8.8.8").unwrap(),
            own_addresses: vec!["93.184.215.20".parse().unwrap()],
            own_listeners: vec!["0.0.0.0:8011".parse().unwrap()],
            ..Policy::default()
        };
        for closed in [
            "10.1.2.3:80",
            "8.8.8.8:443",
            "[64:ff9b::8.8.8.8]:443",
            "93.184.215.20:443",
            "[64:ff9b::93.184.215.20]:443",
            "127.0.0.1:8011",
        ] {
            assert_eq!(admits(&policy, closed), Err("refused-address"), "{closed}");
        }
        for open in ["10.2.0.1:80", "127.0.0.1:8012", "8.8.4.4:443"] {
            assert_eq!(admits(&policy, open), Ok(()), "{open}");
        }
    }

    #[test]
    fn our_own_addresses_are_open_where_they_are_allowed_but_never_our_own_port() {
        let policy = Policy {
            allow: parse_networks("10.0.0.0/8").unwrap(),
            own_addresses: vec![
                "10.0.0.5".parse().unwrap(),
                "93.184.215.20".parse().unwrap(),
            ],
            own_listeners: vec!["0.0.0.0:8011".parse().unwrap()],
            own_names: vec![("longshore.example".to_owned(), 443)],
            ..Policy::default()
        };
        assert_eq!(admits(&policy, "10.0.0.5:9000"), Ok(()));
        for closed in ["10.0.0.5:8011", "93.184.215.20:8011", "93.184.215.20:443"] {
            assert_eq!(admits(&policy, closed), Err("refused-address"), "{closed}");
        }
        assert!(policy.admit_name("Longshore.Example.", 443).is_err());
        assert!(policy.admit_name("longshore.example", 80).is_ok());
        assert!(policy.admit_name("other.longshore.example", 443).is_ok());
    }

    #[test]
    fn a_connection_that_comes_back_to_its_own_address_is_closed_unless_allowed() {
        let policy = Policy {
            allow: parse_networks("10.0.0.0/8").unwrap(),
            own_listeners: vec!["[::]:8011".parse().unwrap()],
            ..Policy::default()
        };
        let stays = |local: &str, peer: &str| {
            let (local, peer) = (local.parse().unwrap(), peer.parse().unwrap());
            policy.admit_connection("h", local, peer).is_ok()
        };
        assert!(stays("10.0.0.5:50000", "10.0.0.5:80"));
        assert!(!stays("10.0.0.5:50000", "10.0.0.5:8011"));
        assert!(!stays("8.8.8.8:50000", "8.8.8.8:443"));
        assert!(stays("10.0.0.5:50000", "8.8.8.8:443"));
    }

    #[test]
    fn localhost_follows_the_networks_of_loopback() {
        let closed = Policy::default();
        let open = Policy::allowing(parse_networks("127.0.0.0/8").unwrap());
        for name in ["localhost", "LOCALHOST.", "foo.localhost", "a.b.localhost."] {
            assert!(closed.admit_name(name, 80).is_err(), "{name}");
            assert!(open.admit_name(name, 9000).is_ok(), "{name}");
        }
        assert!(closed.admit_name("localhost.example.com", 80).is_ok());
        assert!(closed.admit_name("notlocalhost", 80).is_ok());
    }

    #[test]
    fn networks_are_read_from_a_list() {
        let nets = parse_networks(" 127.0.0.0/8,10.0.0.5,\nfd00::1/8 ").unwrap();
        let texts: Vec<_> = nets.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["127.0.0.0/8", "10.0.0.5/32", "fd00::/8"]);
        assert!(parse_networks("").unwrap().is_empty());
        let wrong = parse_networks("10.0.0.0/33").unwrap_err();
        assert!(wrong.to_string().contains("`10.0.0.0/33`"));
    }
}
