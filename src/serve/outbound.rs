//! The one client for everything that is fetched: what it may reach, and what it must
//! not, above all this very server.

use base::Config;
use fetch::{Client, Limits, Policy, PortPolicy, RetryLimits};
use std::net::IpAddr;

/// The client of a configuration. One that takes the place of another shares its gate:
/// what the other has under way counts on.
pub(crate) fn client(config: &Config, before: Option<&Client>) -> Client {
    let client = Client::builder(policy(config, own_addresses()), limits(config));
    match before {
        Some(before) => client.gate_of(before).build(),
        None => client.build(),
    }
}

pub(super) fn limits(config: &Config) -> Limits {
    let fetch = &config.fetch;
    Limits {
        total: fetch.concurrent,
        per_host: fetch.per_host,
        redirects: fetch.redirects,
        connect: fetch.connect_timeout.duration(),
        first_byte: fetch.first_byte_timeout.duration(),
        silence: fetch.silence_timeout.duration(),
        max_bytes: Some(fetch.max_bytes_per_source.bytes()),
        retry: RetryLimits {
            attempts: fetch.attempts,
            ..RetryLimits::default()
        },
        ..Limits::default()
    }
}

pub(super) fn policy(config: &Config, mut own_addresses: Vec<IpAddr>) -> Policy {
    let mut own_names = Vec::new();
    if let Some((host, port)) = config
        .public_url
        .as_ref()
        .and_then(|url| place(url.origin()))
    {
        match host {
            Host::Address(address) => own_addresses.push(address),
            Host::Name(name) => own_names.push((name, port)),
        }
    }
    Policy {
        allow: config.fetch.allow.clone(),
        deny: config.fetch.deny.clone(),
        ports: PortPolicy::standard_and(&config.fetch.ports),
        // Longshore must not be made to ask itself, whatever is allowed.
        own_listeners: std::iter::once(config.listen)
            .chain(config.s3_listen.address())
            .collect(),
        own_addresses,
        own_names,
        ..Policy::default()
    }
}

/// The addresses of this machine that others may reach it by. Loopback is no public
/// address and needs no closing. Where the system does not tell them, the client still
/// notices a connection that comes back.
fn own_addresses() -> Vec<IpAddr> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "the addresses of this machine are not known");
            Vec::new()
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// Host and port of an address.
fn place(url: &str) -> Option<(Host, u16)> {
    let url = url::Url::parse(url).ok()?;
    let port = url.port_or_known_default()?;
    let host = match url.host()? {
        url::Host::Domain(name) => Host::Name(name.trim_end_matches('.').to_owned()),
        url::Host::Ipv4(ip) => Host::Address(ip.into()),
        url::Host::Ipv6(ip) => Host::Address(ip.into()),
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_our_own() {
        let name = |name: &str| Host::Name(name.to_owned());
        assert_eq!(
            place("https://Longshore.example.org."),
            Some((name("longshore.example.org"), 443))
        );
        assert_eq!(place("http://a.example:81/"), Some((name("a.example"), 81)));
        let address = "93.184.215.14".parse().map(Host::Address);
        assert_eq!(
            place("http://93.184.215.14").map(|found| found.0),
            address.ok()
        );
    }

    #[test]
    fn loopback_is_none_of_the_addresses_that_are_closed() {
        assert!(own_addresses().iter().all(|ip| !ip.is_loopback()));
    }
}
