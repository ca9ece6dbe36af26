//! A URL that the policy has looked at, and the only kind that is ever fetched.
//!
//! Parsing is the URL standard's, so that what is checked is what is connected to:
//! `2130706433`, `0x7f.1`, fullwidth digits and encoded dots have all become an
//! address by the time they are judged. It must never be shown whole: queries carry
//! signatures and keys.

use crate::error::Refused;
use crate::policy::Policy;
use http::Uri;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// Longest URL taken, in bytes.
pub const MAX_URL_BYTES: usize = 16 * 1024;

/// An http or https URL without credentials whose port is allowed and whose host is a
/// name, or an address that the policy admits.
///
/// Names are looked up, and all their addresses checked, when a connection is made.
/// `Display` and `Debug` leave the query out, so that a log may hold them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CheckedUrl {
    url: Url,
}

/// Scheme, host and port: what two URLs must share to be told each other's headers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    https: bool,
    host: HostKey,
}

/// A host and port, written one way: lower case, no trailing dot, the port spelled out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostKey(String);

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CheckedUrl {
    /// Reads and checks `text`. Spaces around it are dropped, as browsers do.
    pub(crate) fn parse(text: &str, policy: &Policy) -> Result<Self, Refused> {
        if text.len() > MAX_URL_BYTES {
            return Err(too_long());
        }
        let url = Url::parse(text).map_err(|error| Refused::invalid(error.to_string()))?;
        Self::check(url, policy)
    }

    /// Reads and checks a reference as it stands in a `Location`, against this URL.
    pub(crate) fn join(&self, reference: &str, policy: &Policy) -> Result<Self, Refused> {
        if reference.len() > MAX_URL_BYTES {
            return Err(too_long());
        }
        let url = self
            .url
            .join(reference)
            .map_err(|error| Refused::invalid(error.to_string()))?;
        let next = Self::check(url, policy)?;
        if self.is_https() && !next.is_https() && !policy.allow_downgrade {
            return Err(Refused::Downgrade {
                host: next.host_text(),
            });
        }
        Ok(next)
    }

    fn check(mut url: Url, policy: &Policy) -> Result<Self, Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme {
                scheme: url.scheme().chars().take(32).collect(),
            });
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials { host });
        }
        let port = url.port_or_known_default().unwrap_or_default();
        match url.host() {
            Some(Host::Ipv4(ip)) => policy.admit(&host, SocketAddr::new(ip.into(), port))?,
            Some(Host::Ipv6(ip)) => policy.admit(&host, SocketAddr::new(ip.into(), port))?,
            Some(Host::Domain(name)) => {
                check_name(name)?;
                policy.admit_name(name, port)?;
            }
            None => return Err(Refused::invalid("it names no host")),
        }
        url.set_fragment(None);
        let checked = Self { url };
        // Judged here so that sending cannot meet a URL that the wire cannot carry.
        checked.uri()?;
        Ok(checked)
    }

    /// The whole URL, query and all, for sending and for storing; never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.as_str()
    }

    /// The host as it goes into the connection: a name in ASCII or an address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, the scheme's own when none was given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// The path, still percent-encoded; a file name is made from it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn uri(&self) -> Result<Uri, Refused> {
        Uri::try_from(self.url.as_str())
            .map_err(|_| Refused::invalid("it holds characters that HTTP cannot carry"))
    }

    /// The host and port, as one key: what the limit for one host counts by.
    #[must_use]
    pub fn host_key(&self) -> HostKey {
        let host = self.host();
        let host = host.strip_suffix('.').unwrap_or(host);
        HostKey(format!("{}:{}", host.to_ascii_lowercase(), self.port()))
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            https: self.is_https(),
            host: self.host_key(),
        }
    }

    fn host_text(&self) -> String {
        self.host().to_owned()
    }

    /// The address, when the host is written as one.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        match self.url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        }
    }
}

/// The limits of DNS (RFC 1035 §2.3.4), which the URL standard leaves to the resolver.
fn check_name(name: &str) -> Result<(), Refused> {
    let rooted = name.strip_suffix('.').unwrap_or(name);
    let labels_fit = rooted
        .split('.')
        .all(|label| (1..=63).contains(&label.len()));
    if !labels_fit || rooted.len() > 253 {
        return Err(Refused::invalid("its host is not a name that DNS can hold"));
    }
    Ok(())
}

fn too_long() -> Refused {
    Refused::invalid(format!("it is longer than {MAX_URL_BYTES} bytes"))
}

impl fmt::Display for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url[..url::Position::AfterPath])?;
        if self.url.query().is_some() {
            f.write_str("?…")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedUrl({self})")
    }
}

/// Any text that may be a URL, without its credentials, query and fragment, and at most
/// 512 characters of it: what a log may hold of a URL that was refused.
#[must_use]
pub fn for_log(text: &str) -> String {
    const MAX_CHARS: usize = 512;
    let shown = match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            // Both fail only for URLs that hold no credentials to begin with.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            let query = if url.query().is_some() { "?…" } else { "" };
            format!("{}{query}", &url[..url::Position::AfterPath])
        }
        _ => {
            // Not a URL with a host: what precedes an @ may be a password, what
            // follows a ? or # a key.
            let end = text.find(['?', '#']).unwrap_or(text.len());
            let (shown, rest) = text.split_at(end);
            let mark = if rest.is_empty() { "" } else { "?…" };
            if rest.contains('@') {
                // The password may itself hold the mark, and then this is a part of it.
                return scheme_only(text);
            }
            match shown.rfind('@') {
                Some(at) => format!("…{}{mark}", &shown[at..]),
                None => format!("{shown}{mark}"),
            }
        }
    };
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    shown.chars().take(MAX_CHARS).map(printable).collect()
}

fn scheme_only(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            format!("{}://…", scheme.chars().take(16).collect::<String>())
        }
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn checked(text: &str) -> CheckedUrl {
        CheckedUrl::parse(text, &Policy::default()).unwrap()
    }

    #[test]
    fn neither_display_nor_debug_shows_the_query() {
        let url = checked("https://example.com/a%20b.jpg?X-Amz-Signature=abc#frag");
        assert_eq!(url.to_string(), "https://example.com/a%20b.jpg?…");
        assert!(!format!("{url:?}").contains("abc"));
        assert_eq!(
            url.expose(),
            "https://example.com/a%20b.jpg?X-Amz-Signature=abc"
        );
    }

    #[test]
    fn one_host_has_one_key_however_it_is_written() {
        let key = checked("https://example.com/").host_key();
        for same in ["https://EXAMPLE.com:443/x", "https://example.com./y"] {
            assert_eq!(checked(same).host_key(), key, "{same}");
        }
        assert_ne!(checked("http://example.com/").host_key(), key);
    }

    #[test]
    fn a_refused_url_is_logged_without_its_secrets() {
        for (text, shown) in [
            (
                "http://user:pw@example.com/a?k=v#f",
                "http://example.com/a?…",
            ),
            ("ftp://user:pw@example.com/a", "ftp://example.com/a"),
            ("user:pw@example.com/a?k=v", "…@example.com/a?…"),
            ("http://us er:pw@exa mple/a?k", "…@exa mple/a?…"),
            ("http://me:geh#eim@host/", "http://…"),
            ("http://me:geh?eim@host/a", "http://…"),
            ("http://me:g@h x#eim@host/", "http://…"),
            ("me:geh#eim@host", "…"),
            ("plain", "plain"),
            ("a\r\nb", "a\u{fffd}\u{fffd}b"),
        ] {
            assert_eq!(for_log(text), shown);
        }
        assert_eq!(for_log(&"x".repeat(9999)).len(), 512);
    }

    #[test]
    fn an_endless_url_is_refused() {
        let text = format!("http://example.com/{}", "a".repeat(MAX_URL_BYTES));
        let refused = CheckedUrl::parse(&text, &Policy::default()).unwrap_err();
        assert_eq!(refused.code(), "invalid-url");
    }
}
