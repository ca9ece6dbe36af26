//! Who really asked, when proxies stand in front: reads `Forwarded` (RFC 7239) and
//! `X-Forwarded-For`, `-Proto`, `-Host`.
//!
//! Anybody can send these headers, so they are read from the right, where the
//! nearest proxy wrote, and only as long as the writer is a trusted proxy. What a
//! stranger wrote is never believed, and nothing that stands further left can
//! change how what stands on the right is read.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More proxies than this in a row are a mistake or an attack.
const MOST_HOPS: usize = 32;
/// A host name has at most 253 characters (RFC 1035); a port, a colon and five.
const LONGEST_HOST: usize = 259;

/// The client, as far as it can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its address: the nearest one that is no trusted proxy. IPv4 as such, never
    /// mapped into IPv6.
    pub address: IpAddr,
    /// Whether it came by https, as the proxies tell. `false` where none does.
    pub https: bool,
    /// The host (and port) it asked for, as the proxies tell; in lower case and of
    /// valid characters. Where none does, the request's own `Host` counts.
    pub host: Option<String>,
}

/// The client of a request that came from `peer` with `headers` (all of them, in
/// order; others are passed over).
///
/// When both families of headers are there and name different clients, one of them
/// was written by a stranger and passed on: then neither counts. A proxy should
/// therefore set the one and remove the other.
pub fn client<'h>(
    peer: IpAddr,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    trusted: &[IpNet],
) -> Client {
    let peer = peer.to_canonical();
    let unknown = Client {
        address: peer,
        https: false,
        host: None,
    };
    if !is_trusted(peer, trusted) {
        return unknown;
    }
    let told = Told::new(headers);
    let standard = told.standard(peer, trusted);
    let customary = told.customary(peer, trusted);
    match (standard, customary) {
        (Some(one), Some(other)) if one.address == other.address => Client {
            address: one.address,
            https: one.https.or(other.https).unwrap_or(false),
            host: one.host.or(other.host),
        },
        (Some(_), Some(_)) | (None, None) => unknown,
        (Some(way), None) | (None, Some(way)) => Client {
            address: way.address,
            https: way.https.unwrap_or(false),
            host: way.host,
        },
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// The headers of a request that tell of its way, line by line.
#[derive(Default)]
struct Told<'h> {
    forwarded: Vec<&'h [u8]>,
    x_for: Vec<&'h [u8]>,
    x_proto: Vec<&'h [u8]>,
    x_host: Vec<&'h [u8]>,
}

/// What one family of headers says.
struct Way {
    address: IpAddr,
    https: Option<bool>,
    host: Option<String>,
}

impl<'h> Told<'h> {
    fn new(headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Self {
        let mut told = Self::default();
        for (name, value) in headers {
            let lines = match name {
                name if name.eq_ignore_ascii_case("forwarded") => &mut told.forwarded,
                name if name.eq_ignore_ascii_case("x-forwarded-for") => &mut told.x_for,
                name if name.eq_ignore_ascii_case("x-forwarded-proto") => &mut told.x_proto,
                name if name.eq_ignore_ascii_case("x-forwarded-host") => &mut told.x_host,
                _ => continue,
            };
            lines.push(value);
        }
        told
    }

    fn standard(&self, peer: IpAddr, trusted: &[IpNet]) -> Option<Way> {
        if self.forwarded.is_empty() {
            return None;
        }
        let mut way = Way {
            address: peer,
            https: None,
            host: None,
        };
        for element in from_the_right(&self.forwarded).take(MOST_HOPS) {
            if !is_trusted(way.address, trusted) {
                break;
            }
            let Some(element) = element.and_then(Element::parse) else {
                break;
            };
            way.https = element.https.or(way.https);
            way.host = element.host.or(way.host);
            match element.address {
                Some(address) => way.address = address,
                None => break,
            }
        }
        Some(way)
    }

    fn customary(&self, peer: IpAddr, trusted: &[IpNet]) -> Option<Way> {
        if self.x_for.is_empty() && self.x_proto.is_empty() && self.x_host.is_empty() {
            return None;
        }
        let mut address = peer;
        let mut hops = 0;
        for text in from_the_right(&self.x_for).take(MOST_HOPS) {
            if !is_trusted(address, trusted) {
                break;
            }
            hops += 1;
            match text.and_then(node) {
                Some(next) => address = next,
                None => break,
            }
        }
        Some(Way {
            address,
            https: outermost(&self.x_proto, hops).and_then(is_https),
            host: outermost(&self.x_host, hops).and_then(host),
        })
    }
}

/// The members of a list in one or more header lines, the last one first. A comma
/// within a quoted string separates, too: no proxy writes one there, and a
/// stranger's unclosed quote cannot swallow what stands on its right. `None` for
/// what is not ASCII.
fn from_the_right<'h>(lines: &[&'h [u8]]) -> impl Iterator<Item = Option<&'h str>> {
    lines
        .iter()
        .rev()
        .flat_map(|line| line.rsplit(|byte| *byte == b','))
        .map(|member| {
            std::str::from_utf8(member)
                .ok()
                .filter(|text| text.is_ascii())
        })
        .map(|member| member.map(|text| text.trim_matches([' ', '\t'])))
        .filter(|member| *member != Some(""))
}

/// What the outermost of so many trusted proxies wrote, where each adds a member;
/// where only some do, the furthest there is.
fn outermost<'h>(lines: &[&'h [u8]], proxies: usize) -> Option<&'h str> {
    from_the_right(lines).take(proxies.max(1)).last().flatten()
}

/// One element of `Forwarded`: what one proxy tells of the request it got.
struct Element {
    address: Option<IpAddr>,
    https: Option<bool>,
    host: Option<String>,
}

impl Element {
    /// `for=192.0.2.60;proto=http;by=203.0.113.43` (RFC 7239, section 4). `None` where
    /// it is not of that form, or says a thing twice.
    fn parse(text: &str) -> Option<Self> {
        let mut address = None;
        let mut https = None;
        let mut named = None;
        for pair in text
            .split(';')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=')?;
            let value = unquoted(value)?;
            let again = match name.to_ascii_lowercase().as_str() {
                "for" => address.replace(node(&value)).is_some(),
                "proto" => https.replace(is_https(&value)).is_some(),
                "host" => named.replace(host(&value)).is_some(),
                name if name.bytes().all(is_token) && !name.is_empty() => false,
                _ => return None,
            };
            if again {
                return None;
            }
        }
        Some(Self {
            address: address.flatten(),
            https: https.flatten(),
            host: named.flatten(),
        })
    }
}

/// A token, or the text within a quoted string (RFC 9110, section 5.6).
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        // Colons and brackets ought to be quoted, but many leave that out.
        let fits = |byte| is_token(byte) || matches!(byte, b':' | b'[' | b']');
        return (!value.is_empty() && value.bytes().all(fits)).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut chars = rest.strip_suffix('"')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => text.push(chars.next()?),
            c if c.is_ascii_control() => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// A byte of a token (RFC 9110, section 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The address of a node (RFC 7239, section 6): with or without port, IPv6 in
/// brackets or, as in `X-Forwarded-For`, bare. `None` for `unknown`, for obfuscated
/// identifiers and for anything else.
fn node(text: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !after.is_empty() && !is_port(after.strip_prefix(':')?) {
            return None;
        }
        IpAddr::V6(inside.parse::<Ipv6Addr>().ok()?)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else {
        let (address, port) = text.split_once(':')?;
        if !is_port(port) {
            return None;
        }
        IpAddr::V4(address.parse::<Ipv4Addr>().ok()?)
    };
    Some(address.to_canonical())
}

/// A port, or an obfuscated one (RFC 7239, section 6).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            let fits =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            !name.is_empty() && name.bytes().all(fits)
        }
        None => is_number(text) && text.parse::<u16>().is_ok(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_https(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// A host and perhaps a port, safe to put into a link.
fn host(text: &str) -> Option<String> {
    if text.len() > LONGEST_HOST {
        return None;
    }
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            inside.parse::<Ipv6Addr>().ok()?;
            (
                None,
                after.strip_prefix(':').or(after.is_empty().then_some("0")),
            )
        }
        None => match text.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(text), Some("0")),
        },
    };
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(fits)
    };
    let fits = name.is_none_or(is_name)
        && port.is_some_and(|port| is_number(port) && port.parse::<u16>().is_ok());
    fits.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
