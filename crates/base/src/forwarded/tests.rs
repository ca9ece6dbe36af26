//! Only trusted proxies are believed, whatever anybody sends.

#![allow(clippy::unwrap_used)]
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn trusted() -> Vec<IpNet> {
    ["10.0.0.0/8", "fd00::/8"]
        .map(|net| net.parse().unwrap())
        .to_vec()
}

/// From a proxy at 10.0.0.1.
fn proxied(headers: &[(&str, &str)]) -> Client {
    from("10.0.0.1", headers)
}

fn from(peer: &str, headers: &[(&str, &str)]) -> Client {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    client(ip(peer), headers, &trusted())
}

#[test]
fn headers_of_an_untrusted_peer_are_ignored() {
    let client = from(
        "198.51.100.7",
        &[
            ("Forwarded", "for=203.0.113.9;proto=https;host=evil.example"),
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "evil.example"),
        ],
    );
    assert_eq!(
        client,
        Client {
            address: ip("198.51.100.7"),
            https: false,
            host: None
        }
    );
}

#[test]
fn a_proxy_that_tells_nothing_is_the_client() {
    assert_eq!(proxied(&[("Accept", "*/*")]).address, ip("10.0.0.1"));
}

#[test]
fn the_customary_headers_of_one_proxy_are_believed() {
    let client = proxied(&[
        ("X-Forwarded-For", "198.51.100.7"),
        ("x-forwarded-proto", "HTTPS"),
        ("X-FORWARDED-HOST", "Ship.Example:8443"),
    ]);
    let host = Some("ship.example:8443".to_owned());
    assert_eq!(
        client,
        Client {
            address: ip("198.51.100.7"),
            https: true,
            host
        }
    );
}

#[test]
fn the_client_is_the_nearest_address_that_is_no_trusted_proxy() {
    for (chain, address) in [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 10.0.0.3, 10.0.0.2", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.9.9.9, 198.51.100.7, fd00::2", "198.51.100.7"),
        ("10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("junk, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, junk", "10.0.0.1"),
        ("198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("198.51.100.7,, ,", "198.51.100.7"),
        ("", "10.0.0.1"),
    ] {
        assert_eq!(
            proxied(&[("X-Forwarded-For", chain)]).address,
            ip(address),
            "{chain}"
        );
        let lines: Vec<_> = chain
            .split(',')
            .map(|line| ("X-Forwarded-For", line))
            .collect();
        assert_eq!(proxied(&lines).address, ip(address), "{chain} in lines");
        let elements: Vec<_> = chain
            .split(',')
            .map(str::trim)
            .filter(|hop| !hop.is_empty())
            .map(|hop| format!("for=\"{hop}\""))
            .collect();
        let standard = elements.join(", ");
        assert_eq!(
            proxied(&[("Forwarded", &standard)]).address,
            ip(address),
            "{standard}"
        );
    }
}

#[test]
fn nodes_are_read_in_every_form_and_nothing_else_is() {
    for (text, address) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("192.0.2.1:47011", Some("192.0.2.1")),
        ("192.0.2.1:_port", Some("192.0.2.1")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("[2001:db8::1]:47011", Some("2001:db8::1")),
        ("2001:db8::1", Some("2001:db8::1")),
        ("::ffff:192.0.2.1", Some("192.0.2.1")),
        ("[::ffff:192.0.2.1]:80", Some("192.0.2.1")),
        ("unknown", None),
        ("_hidden", None),
        ("_SEVKISEK", None),
        ("[192.0.2.1]", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]", None),
        ("[2001:db8::1]x", None),
        ("[2001:db8::1]:", None),
        ("[2001:db8::1]:99999", None),
        ("[fe80::1%eth0]", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:+80", None),
        ("192.0.2.1:80:80", None),
        ("192.0.2.01", None),
        ("192.0.2", None),
        ("3232235777", None),
        ("localhost", None),
        ("", None),
    ] {
        assert_eq!(node(text), address.map(ip), "{text}");
    }
}

#[test]
fn the_examples_of_the_rfc_are_understood() {
    for (value, address, https) in [
        ("for=\"_gazonk\"", "10.0.0.1", false),
        (
            "For=\"[2001:db8:cafe::17]:4711\"",
            "2001:db8:cafe::17",
            false,
        ),
        (
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            "192.0.2.60",
            false,
        ),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17", false),
        (
            "for=192.0.2.60; proto=https ;by=_me;secret=\"a;b\"",
            "10.0.0.1",
            false,
        ),
        (
            "for=192.0.2.60; proto=https ;by=_me;secret=\"a b\\\"c\"",
            "192.0.2.60",
            true,
        ),
        ("for=192.0.2.60;for=192.0.2.61", "10.0.0.1", false),
        ("for=192.0.2.60;proto", "10.0.0.1", false),
        ("for=192.0.2.60;=x", "10.0.0.1", false),
        ("for=192.0.2.60;host=\"a b\"", "192.0.2.60", false),
        ("proto=https", "10.0.0.1", true),
    ] {
        let client = proxied(&[("Forwarded", value)]);
        assert_eq!(
            (client.address, client.https),
            (ip(address), https),
            "{value}"
        );
    }
}

#[test]
fn a_strangers_quote_cannot_swallow_what_the_proxy_wrote() {
    for stranger in [
        "for=\"",
        "for=\"x\\",
        "for=\"1.1.1.1",
        "\"\"\"",
        ";;;=",
        "for=1.1.1.1;proto=\"https",
    ] {
        let value = format!("{stranger}, for=\"[2001:db8::1]\";proto=http;host=ship.example");
        let client = proxied(&[("Forwarded", &value)]);
        let host = Some("ship.example".to_owned());
        assert_eq!(
            client,
            Client {
                address: ip("2001:db8::1"),
                https: false,
                host
            },
            "{value}"
        );
    }
}

#[test]
fn two_families_that_disagree_are_both_ignored() {
    let client = proxied(&[
        ("Forwarded", "for=203.0.113.9;proto=https;host=evil.example"),
        ("X-Forwarded-For", "198.51.100.7"),
    ]);
    assert_eq!(
        client,
        Client {
            address: ip("10.0.0.1"),
            https: false,
            host: None
        }
    );
    let client = proxied(&[
        ("Forwarded", "for=198.51.100.7"),
        ("X-Forwarded-For", "198.51.100.7"),
        ("X-Forwarded-Proto", "https"),
    ]);
    assert_eq!((client.address, client.https), (ip("198.51.100.7"), true));
}

#[test]
fn scheme_and_host_are_those_that_the_outermost_trusted_proxy_saw() {
    let client = proxied(&[
        ("X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.0.0.2"),
        ("X-Forwarded-Proto", "http, https, http"),
        (
            "X-Forwarded-Host",
            "evil.example, ship.example, inner.example",
        ),
    ]);
    let host = Some("ship.example".to_owned());
    assert_eq!(
        client,
        Client {
            address: ip("198.51.100.7"),
            https: true,
            host
        }
    );
    let client = proxied(&[(
        "Forwarded",
        "for=1.1.1.1;proto=http;host=evil.example, for=198.51.100.7;proto=https;host=ship.example, for=10.0.0.2;proto=http",
    )]);
    let host = Some("ship.example".to_owned());
    assert_eq!(
        client,
        Client {
            address: ip("198.51.100.7"),
            https: true,
            host
        }
    );
    let client = proxied(&[("X-Forwarded-Proto", "https")]);
    assert_eq!((client.address, client.https), (ip("10.0.0.1"), true));
}

#[test]
fn a_host_that_is_none_is_left_out() {
    for (text, fits) in [
        ("ship.example", true),
        ("ship_1.example:80", true),
        ("[2001:db8::1]:8443", true),
        ("[2001:db8::1]", true),
        ("", false),
        ("ship.example:", false),
        ("ship.example:99999", false),
        ("ship.example:80:80", false),
        ("ship.example/path", false),
        ("user@ship.example", false),
        ("ship.example\r\nX: y", false),
        ("[2001:db8::1]x", false),
        ("[ship.example]", false),
        (".example", false),
    ] {
        assert_eq!(host(text).is_some(), fits, "{text}");
    }
    assert_eq!(host(&"a".repeat(260)), None);
}

#[test]
fn an_ipv4_proxy_on_an_ipv6_socket_is_recognised() {
    let client = from("::ffff:10.0.0.1", &[("X-Forwarded-For", "198.51.100.7")]);
    assert_eq!(client.address, ip("198.51.100.7"));
}

#[test]
fn ten_thousand_entries_change_nothing() {
    for (filler, address) in [("203.0.113.9,", "198.51.100.7"), ("\",;=", "198.51.100.7")] {
        let chain = format!("{}, 198.51.100.7", filler.repeat(10_000));
        assert_eq!(proxied(&[("X-Forwarded-For", &chain)]).address, ip(address));
        let chain = format!("{}, for=198.51.100.7", filler.repeat(10_000));
        assert_eq!(proxied(&[("Forwarded", &chain)]).address, ip(address));
    }
    // A chain of trusted addresses is followed for a bounded number of hops.
    let chain = format!("198.51.100.7{}", ", 10.0.0.2".repeat(10_000));
    assert_eq!(
        proxied(&[("X-Forwarded-For", &chain)]).address,
        ip("10.0.0.2")
    );
}

proptest! {
    #[test]
    fn no_stranger_changes_what_the_proxy_wrote(left in vec(any::<u8>(), 0..200), lines in any::<bool>()) {
        let expected = Client {
            address: ip("198.51.100.7"),
            https: true,
            host: Some("ship.example".to_owned()),
        };
        let own = b"for=198.51.100.7;proto=https;host=ship.example".to_vec();
        let joined = [left.clone(), b", ".to_vec(), own.clone()].concat();
        let headers: Vec<(&str, &[u8])> = if lines {
            vec![("Forwarded", &left), ("Forwarded", &own)]
        } else {
            vec![("Forwarded", &joined)]
        };
        prop_assert_eq!(client(ip("10.0.0.1"), headers, &trusted()), expected);
    }

    #[test]
    fn an_untrusted_peer_is_always_the_client(
        peer in any::<[u8; 4]>(),
        name in prop::sample::select(vec!["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"]),
        value in vec(any::<u8>(), 0..200),
    ) {
        let peer = IpAddr::from(peer);
        prop_assume!(!is_trusted(peer, &trusted()));
        let told = client(peer, [(name, value.as_slice())], &trusted());
        prop_assert_eq!(told, Client { address: peer, https: false, host: None });
    }

    #[test]
    fn a_host_that_is_told_is_safe_in_a_link(value in "[a-z0-9.:_@/\\[\\]-]{1,16}") {
        let value = format!("\"{value}\"");
        for headers in [[("X-Forwarded-Host", value.trim_matches('"').as_bytes())], [("Forwarded", value.as_bytes())]] {
            if let Some(host) = client(ip("10.0.0.1"), headers, &trusted()).host {
                let url = url::Url::parse(&format!("https://{host}/")).ok();
                prop_assert!(url.is_none_or(|url| url.path() == "/" && url.username().is_empty()));
            }
        }
    }
}
