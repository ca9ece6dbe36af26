//! What must hold for any input at all: bodies of properties, shared by the tests and
//! by the fuzz targets. Each panics when its property does not hold.

use crate::address::classify;
use crate::policy::Policy;
use crate::redirect::next_hop;
use crate::url::{CheckedUrl, for_log};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Any text is either refused or a URL that keeps every promise of [`CheckedUrl`].
///
/// # Panics
/// When a promise does not hold.
pub fn check_any(text: &str) {
    let shown = for_log(text);
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    match CheckedUrl::parse(text, &Policy::default()) {
        Ok(url) => keeps_promises(&url),
        Err(refused) => {
            assert!(!refused.code().is_empty());
            assert!(!refused.to_string().is_empty());
        }
    }
}

/// Any `Location` leads to a URL that keeps every promise, or nowhere.
///
/// # Panics
/// When a promise does not hold.
pub fn check_any_location(location: &[u8]) {
    let policy = Policy::default();
    let Ok(from) = CheckedUrl::parse("https://example.com/a/b?c", &policy) else {
        panic!("an ordinary URL was refused");
    };
    let Ok(value) = HeaderValue::from_bytes(location) else {
        return;
    };
    let headers = HeaderMap::from_iter([(header::LOCATION, value)]);
    if let Ok(Some(next)) = next_hop(&from, StatusCode::FOUND, &headers, &policy) {
        keeps_promises(&next);
        assert!(next.is_https(), "{next} is a downgrade");
    }
}

fn keeps_promises(url: &CheckedUrl) {
    let text = url.expose();
    assert!(
        text.starts_with("http://") || text.starts_with("https://"),
        "{url}"
    );
    assert!([80, 443].contains(&url.port()), "{url}");
    assert!(!url.host().is_empty());
    let authority = text.split('/').nth(2).unwrap_or_default();
    assert!(!authority.contains('@'), "{url} holds credentials");
    if let Some(ip) = url.literal() {
        assert!(classify(ip).is_public(), "{ip} is {}", classify(ip));
    } else {
        // What no URL parser takes for an address must be none for a socket either.
        let bare = url.host().trim_end_matches('.');
        assert!(
            bare.parse::<IpAddr>().is_err(),
            "{bare} is an address after all"
        );
        assert!(!bare.ends_with("localhost") || bare.len() > "localhost".len());
    }
    let again = CheckedUrl::parse(text, &Policy::default());
    assert_eq!(again.as_ref(), Ok(url), "reads differently the second time");
    // The URI that is sent names the host that was checked.
    let uri = url.uri();
    let sent = uri.as_ref().ok().and_then(|uri| uri.host());
    assert_eq!(sent, Some(url.host()));
    let shown = url.to_string();
    assert!(
        !shown.trim_end_matches("?…").contains('?'),
        "{shown} shows a query"
    );
}

/// However an IPv4 address is wrapped, what is inside decides or it is refused.
///
/// # Panics
/// When it does not.
pub fn check_embeddings(inner: Ipv4Addr, prefix: [u16; 4]) {
    let [a, b, c, d] = inner.octets();
    let high = u16::from_be_bytes([a, b]);
    let low = u16::from_be_bytes([c, d]);
    let [p0, p1, p2, p3] = prefix;
    let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
    assert_eq!(classify(nat64.into()), classify(inner.into()), "{nat64}");
    for wrapped in [
        inner.to_ipv6_mapped(),
        inner.to_ipv6_compatible(),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, p1, p2, p3, high, low),
        Ipv6Addr::new(0x2002, high, low, p0, p1, p2, p3, 1),
        Ipv6Addr::new(0x2001, 0, p0, p1, p2, p3, !high, !low),
        Ipv6Addr::new(p0, p1, p2, p3, 0, 0x5efe, high, low),
        Ipv6Addr::new(p0, p1, p2, p3, 0x0200, 0x5efe, high, low),
    ] {
        assert!(!classify(wrapped.into()).is_public(), "{wrapped}");
    }
}
