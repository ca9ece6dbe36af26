//! Which addresses are on the public internet, and what the others are.
//!
//! This is a list of ranges of our own, because the standard library's answer lets
//! through multicast, NAT64 around loopback, `::/96`, SIIT, ISATAP and the metadata
//! service at 168.63.129.16. It must never ask the network, and whatever it does not
//! know in IPv6 it takes for not public.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for, as far as fetching is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Reachable from anywhere: the only class that is fetched from unasked.
    Public,
    /// `0.0.0.0/8` and `::`: this host or network (RFC 1122 §3.2.1.3).
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// RFC 1918 networks, unique local IPv6 (RFC 4193) and site-local (RFC 3879).
    Private,
    /// `100.64.0.0/10`, carrier-grade NAT and VPN meshes (RFC 6598).
    Shared,
    /// `169.254.0.0/16` and `fe80::/10`; most clouds' metadata is here.
    LinkLocal,
    /// A cloud's own service at an address that looks public.
    Metadata,
    /// `224.0.0.0/4` and `ff00::/8`.
    Multicast,
    /// An address that carries another one inside: mapped, compatible, translated,
    /// 6to4, Teredo, ISATAP, local-use NAT64.
    Embedded,
    /// Documentation, benchmarking, protocol assignments, future use, not assigned.
    Reserved,
}

impl AddressClass {
    /// Whether an address of this class is fetched from without being allowed.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }

    /// The class in words that follow "is".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::Shared => "a shared (carrier or VPN) address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata address",
            Self::Multicast => "a multicast address",
            Self::Embedded => "an address with another one inside",
            Self::Reserved => "a reserved address",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The class of `address`. For NAT64's well-known prefix (`64:ff9b::/96`, RFC 6052)
/// it is the class of the IPv4 address inside, since networks with nothing but IPv6
/// reach every IPv4 host that way.
#[must_use]
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

/// The IPv4 address that a NAT64 gateway would connect to for `address`, if it is
/// one of the well-known prefix.
#[must_use]
pub fn nat64_inner(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else {
        return None;
    };
    let s = v6.segments();
    let inner = Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    (s[..6] == [0x64, 0xff9b, 0, 0, 0, 0]).then_some(inner)
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    use AddressClass as C;
    match address.octets() {
        [0, ..] => C::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => C::Private,
        [100, 64..=127, ..] => C::Shared,
        [127, ..] => C::Loopback,
        // Azure's wire server: answers metadata from the middle of a public range.
        [168, 63, 129, 16] => C::Metadata,
        [169, 254, ..] => C::LinkLocal,
        // RFC 6890 protocol assignments; Oracle's metadata is 192.0.0.192.
        [192, 0, 0, _] => C::Reserved,
        // TEST-NET-1, -2, -3 (RFC 5737).
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => C::Reserved,
        // The retired 6to4 relay anycast (RFC 7526).
        [192, 88, 99, _] => C::Reserved,
        // Benchmarking (RFC 2544).
        [198, 18..=19, ..] => C::Reserved,
        [224..=239, ..] => C::Multicast,
        // Class E and broadcast.
        [240..=255, ..] => C::Reserved,
        _ => C::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    use AddressClass as C;
    if let Some(inner) = nat64_inner(IpAddr::V6(address)) {
        return classify_v4(inner);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => C::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => C::Loopback,
        // IPv4-compatible ::/96, mapped ::ffff:0:0/96, SIIT ::ffff:0:0:0/96.
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            C::Embedded
        }
        // Local-use NAT64 (RFC 8215).
        [0x64, 0xff9b, 1, ..] => C::Embedded,
        // ISATAP (RFC 5214): the interface identifier holds an IPv4 address, under
        // any prefix at all.
        [_, _, _, _, 0x0000 | 0x0200, 0x5efe, ..] => C::Embedded,
        // Teredo (RFC 4380), the rest of the protocol assignments (RFC 2928).
        [0x2001, 0, ..] => C::Embedded,
        [0x2001, 0x0001..=0x01ff, ..] => C::Reserved,
        // Documentation (RFC 3849, RFC 9637) and the 6bone that was.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] | [0x3ffe, ..] => C::Reserved,
        // 6to4 (RFC 3056).
        [0x2002, ..] => C::Embedded,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => C::Private,
        [0xfe80..=0xfebf, ..] => C::LinkLocal,
        [0xff00..=0xffff, ..] => C::Multicast,
        // 2000::/3 is all of the unicast space that was ever given out (RFC 4291 §2.4).
        [0x2000..=0x3fff, ..] => C::Public,
        _ => C::Reserved,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn class(text: &str) -> AddressClass {
        classify(text.parse().unwrap())
    }

    #[test]
    fn the_neighbours_of_each_ipv4_range_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.255",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
        ] {
            assert_eq!(class(text), AddressClass::Public, "{text}");
        }
    }

    #[test]
    fn the_ends_of_each_range_belong_to_it() {
        use AddressClass as C;
        for (text, expected) in [
            ("0.0.0.0", C::Unspecified),
            ("0.255.255.255", C::Unspecified),
            ("10.0.0.0", C::Private),
            ("10.255.255.255", C::Private),
            ("100.64.0.0", C::Shared),
            ("100.127.255.255", C::Shared),
            ("127.0.0.0", C::Loopback),
            ("127.255.255.255", C::Loopback),
            ("169.254.0.0", C::LinkLocal),
            ("169.254.255.255", C::LinkLocal),
            ("172.16.0.0", C::Private),
            ("172.31.255.255", C::Private),
            ("192.168.255.255", C::Private),
            ("224.0.0.0", C::Multicast),
            ("239.255.255.255", C::Multicast),
            ("240.0.0.0", C::Reserved),
            ("255.255.255.255", C::Reserved),
            ("::", C::Unspecified),
            ("::1", C::Loopback),
            ("::2", C::Embedded),
            ("64:ff9b:1::", C::Embedded),
            ("64:ff9b:2::", C::Reserved),
            ("64:ff9b::1:0:0", C::Reserved),
            ("1fff:ffff::", C::Reserved),
            ("2000::", C::Public),
            ("2001:1ff::", C::Reserved),
            ("2001:200::", C::Public),
            ("2001:db7::", C::Public),
            ("2001:db9::", C::Public),
            ("2003::", C::Public),
            ("3ffd::", C::Public),
            ("3fff:fff::", C::Reserved),
            ("3fff:1000::", C::Public),
            ("4000::", C::Reserved),
            ("fbff::", C::Reserved),
            ("fc00::", C::Private),
            ("fe7f::", C::Reserved),
            ("fe80::", C::LinkLocal),
            ("febf:ffff::", C::LinkLocal),
            ("fec0::", C::Private),
            ("ff00::", C::Multicast),
            ("2600::200:5efe:808:808", C::Embedded),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
    }

    #[test]
    fn nat64_is_what_is_inside() {
        assert_eq!(class("64:ff9b::8.8.8.8"), AddressClass::Public);
        assert_eq!(class("64:ff9b::10.0.0.1"), AddressClass::Private);
        assert_eq!(class("64:ff9b::168.63.129.16"), AddressClass::Metadata);
    }
}
