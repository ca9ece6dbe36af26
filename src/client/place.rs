//! Which server, and as whom.

use super::store::Servers;
use crate::exit::{Code, Failure, Result};
use data_encoding::BASE64;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// The address of a server: http or https, a host, perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl(Url);

impl ServerUrl {
    /// Whether it is on this machine, whatever a proxy is set to.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    /// Whether what is said to it can be read on the way.
    pub(crate) fn is_open(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    /// Whether no TLS is met on the way to it, neither at its end nor at a proxy.
    pub(crate) fn is_without_tls(&self) -> bool {
        self.0.scheme() == "http" && self.is_loopback()
    }

    /// Where its WebSockets are.
    pub(crate) fn websocket(&self, path: &str) -> String {
        let text = self.to_string();
        // `http` to `ws`, `https` to `wss` (RFC 6455 §3).
        format!("ws{}{path}", text.strip_prefix("http").unwrap_or(&text))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for ServerUrl {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            // Not repeated: it may hold a password.
            let text = format!(
                "the server's address {why}; write it as http://127.0.0.1:8011 or https://longshore.example.org"
            );
            Failure::new(Code::Usage, text)
        };
        let url = Url::parse(text.trim()).map_err(|_| wrong("cannot be understood"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not hold a name or a password"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("ends with the host or the port"));
        }
        Ok(Self(url))
    }
}

/// What proves who asks. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// Nothing does.
    None,
    /// The token of `longshore login`.
    Stored(SecretString),
    /// The token in LONGSHORE_TOKEN.
    Environment(SecretString),
    /// A token that was just read.
    Given(SecretString),
    /// A name and a password, for logging in.
    Password {
        name: String,
        password: SecretString,
    },
}

impl Credential {
    /// What goes into `Authorization`.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::None => return None,
            Self::Stored(token) | Self::Environment(token) | Self::Given(token) => {
                format!("Bearer {}", token.expose_secret())
            }
            Self::Password { name, password } => {
                let pair = format!("{name}:{}", password.expose_secret());
                format!("Basic {}", BASE64.encode(pair.as_bytes()))
            }
        };
        // What is no header is no token either, and is refused without one.
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// A server, and what proves who asks.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) url: ServerUrl,
    pub(crate) credential: Credential,
}

impl Place {
    /// The server of `--url` or LONGSHORE_URL, or else the one logged in to last; the
    /// token of LONGSHORE_TOKEN, or else the stored one.
    pub(crate) fn find(url: Option<&str>) -> Result<Self> {
        let servers = Servers::load()?;
        let url: ServerUrl = match url.filter(|url| !url.is_empty()) {
            Some(url) => url.parse()?,
            None => servers.last().ok_or_else(|| {
                Failure::new(
                    Code::Server,
                    "no server is known; log in with `longshore login URL`, or set LONGSHORE_URL and LONGSHORE_TOKEN",
                )
            })??,
        };
        let credential = match std::env::var("LONGSHORE_TOKEN") {
            Ok(token) if !token.trim().is_empty() => {
                Credential::Environment(token.trim().to_owned().into())
            }
            _ => servers
                .token(&url)
                .map_or(Credential::None, Credential::Stored),
        };
        Ok(Self { url, credential })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> std::result::Result<String, String> {
        text.parse::<ServerUrl>()
            .map(|url| url.to_string())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_address_is_an_origin_and_nothing_more() {
        assert_eq!(
            parsed("HTTPS://Example.org:443/").as_deref(),
            Ok("https://example.org")
        );
        assert_eq!(
            parsed(" http://[::1]:8011").as_deref(),
            Ok("http://[::1]:8011")
        );
        for wrong in [
            "localhost:8011",
            "example.org",
            "ftp://example.org",
            "https://example.org/console",
            "https://example.org?x",
            "",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let refused = parsed("https://anna:geheim@example.org").expect_err("refused");
        assert!(!refused.contains("geheim"), "{refused}");
    }

    #[test]
    fn sockets_are_where_the_server_is() {
        let socket = |text: &str| {
            let url: ServerUrl = text.parse().expect("an address");
            url.websocket("/api/v1/live")
        };
        assert_eq!(socket("http://a:1"), "ws://a:1/api/v1/live");
        assert_eq!(socket("https://a"), "wss://a/api/v1/live");
    }

    #[test]
    fn tls_may_be_met_wherever_it_is_spoken_or_a_proxy_may_be() {
        let without = |text: &str| {
            let url: ServerUrl = text.parse().expect("an address");
            url.is_without_tls()
        };
        for here in ["http://127.0.0.1:8011", "http://[::1]", "http://localhost"] {
            assert!(without(here), "{here}");
        }
        for elsewhere in ["https://127.0.0.1:8011", "http://example.org"] {
            assert!(!without(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_credential_is_never_shown() {
        let credential = Credential::Password {
            name: "anna".to_owned(),
            password: "geheim".to_owned().into(),
        };
        let header = credential.header().expect("a header");
        assert!(!format!("{credential:?}{header:?}").contains("geheim"));
        assert_eq!(header.to_str().ok(), Some("Basic YW5uYTpnZWhlaW0="));
    }
}
