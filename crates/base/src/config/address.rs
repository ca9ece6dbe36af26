//! Addresses: the console's, as its users see it, and those of the database and of the
//! shared cache, which hold a password and therefore never show it.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// Where users reach the console: scheme, host and port, without a path.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

/// A text that is no [`PublicUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https address without a path")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// `https://longshore.example.org`, without a slash at its end.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether users come by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host, and the port where it is not the scheme's own: what a browser
    /// sends as `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        let origin = self.origin();
        origin.split_once("://").map_or(origin, |(_, rest)| rest)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if plain {
            Ok(Self(url))
        } else {
            Err(InvalidPublicUrl)
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.origin())
    }
}

/// The address of a PostgreSQL database. `Debug` and `Display` leave the
/// password out; [`DatabaseUrl::expose`] alone gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    whole: String,
    shown: String,
}

/// A text that is no [`DatabaseUrl`]. It does not say which text, as that may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a PostgreSQL database; it begins with postgres://")]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// The whole address with its password, for the driver only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.whole
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            shown: shown(text, &["postgres", "postgresql"]).ok_or(InvalidDatabaseUrl)?,
            whole: text.to_owned(),
        })
    }
}

/// An address of one of these schemes as it may be shown.
fn shown(text: &str, schemes: &[&str]) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    if !schemes.contains(&url.scheme()) || url.cannot_be_a_base() {
        return None;
    }
    if url.password().is_some() {
        // It fails only where an address can have no password, and this one has.
        url.set_password(Some(crate::redact::MARK)).ok()?;
    }
    // Drivers take a password as a parameter, too, and paths of key files; nothing there
    // is needed to tell one server from another.
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().replace(&escaped_mark(), crate::redact::MARK))
}

fn escaped_mark() -> String {
    crate::redact::MARK.replace('[', "%5B").replace(']', "%5D")
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}

/// The address of a Redis or Valkey server. `Debug` and `Display` leave the password
/// out; [`CacheUrl::expose`] alone gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheUrl {
    whole: String,
    shown: String,
}

/// A text that is no [`CacheUrl`]. It does not say which text, as that may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a Redis or Valkey server; it begins with redis:// or rediss://")]
pub struct InvalidCacheUrl;

impl CacheUrl {
    const SCHEMES: [&str; 6] = ["redis", "rediss", "valkey", "valkeys", "redis+unix", "unix"];

    /// The whole address with its password, for the driver only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.whole
    }
}

impl FromStr for CacheUrl {
    type Err = InvalidCacheUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            shown: shown(text, &Self::SCHEMES).ok_or(InvalidCacheUrl)?,
            whole: text.to_owned(),
        })
    }
}

impl fmt::Display for CacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for CacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_public_address_has_no_path_and_no_credentials() {
        for text in [
            "https://a.example",
            "http://127.0.0.1:8011/",
            "https://[::1]:8443",
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.origin(), text.trim_end_matches('/'));
            assert_eq!(url.is_https(), text.starts_with("https"));
        }
        for text in [
            "",
            "a.example",
            "ftp://a.example",
            "https://a.example/x",
            "https://u:p@a.example",
            "https://a.example/?q",
            "https://a.example/#f",
            "https://",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
        let url: PublicUrl = "https://a.example:8443".parse().unwrap();
        assert_eq!(url.authority(), "a.example:8443");
    }

    #[test]
    fn a_database_address_shows_everything_but_what_is_secret() {
        for (text, shown) in [
            (
                "postgres://anna:hunter2@db:5432/ship",
                "postgres://anna:[redacted]@db:5432/ship",
            ),
            (
                "postgresql://db/ship?password=hunter2&sslmode=require",
                "postgresql://db/ship",
            ),
            ("postgres://anna@db/ship", "postgres://anna@db/ship"),
            ("postgres:///ship?host=/run/postgresql", "postgres:///ship"),
            (
                "postgres://anna:hunter2%40%2F@%2Frun/ship",
                "postgres://anna:[redacted]@%2Frun/ship",
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.expose(), text);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }

    #[test]
    fn other_databases_are_refused_without_repeating_the_secret() {
        for text in [
            "mysql://anna:hunter2@db/x",
            "hunter2",
            "postgres:hunter2",
            "",
        ] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!refused.contains("hunter2"));
        }
    }

    #[test]
    fn the_address_of_a_cache_shows_everything_but_what_is_secret() {
        for (text, shown) in [
            (
                "redis://:hunter2@cache:6379/1",
                "redis://:[redacted]@cache:6379/1",
            ),
            (
                "rediss://ship:hunter2@cache",
                "rediss://ship:[redacted]@cache",
            ),
            (
                "unix:///run/redis.sock?pass=hunter2",
                "unix:///run/redis.sock",
            ),
        ] {
            let url: CacheUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.expose(), text);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        for text in ["http://:hunter2@cache", "hunter2", "redis:hunter2", ""] {
            let refused = text.parse::<CacheUrl>().unwrap_err().to_string();
            assert!(!refused.contains("hunter2"));
        }
    }
}
