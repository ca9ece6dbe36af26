//! The address of somebody who is asked by HTTP, and a secret that stands in this
//! configuration. Neither shows what may be secret of it.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// The longest secret, in bytes: it is sent in a header.
const LONGEST_SECRET: usize = 4096;

/// An http or https address with its path. `Debug` and `Display` leave its query out;
/// [`EndpointUrl::expose`] alone gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    whole: String,
    shown: String,
}

/// A text that is no [`EndpointUrl`]. It does not say which text: a part of it may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https address, without a user name, a password and a fragment")]
pub struct InvalidEndpointUrl;

impl EndpointUrl {
    /// The whole address, for whoever sends something there.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.whole
    }
}

impl FromStr for EndpointUrl {
    type Err = InvalidEndpointUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|_| InvalidEndpointUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err(InvalidEndpointUrl);
        }
        let whole = url.as_str().to_owned();
        url.set_query(None);
        Ok(Self {
            whole,
            shown: url.into(),
        })
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}

/// A secret that stands in the configuration; [`ConfiguredSecret::expose`] alone gives it
/// away.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfiguredSecret(String);

/// A text that is no [`ConfiguredSecret`]. It does not say which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 4096 printable characters of ASCII without spaces")]
pub struct InvalidSecret;

impl ConfiguredSecret {
    /// The secret itself, for whoever sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConfiguredSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if printable && (1..=LONGEST_SECRET).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSecret)
        }
    }
}

impl fmt::Display for ConfiguredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::redact::MARK)
    }
}

impl fmt::Debug for ConfiguredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_endpoint_shows_everything_but_its_query() {
        let url: EndpointUrl = "https://auth.example.org/may?code=hunter2".parse().unwrap();
        assert_eq!(url.expose(), "https://auth.example.org/may?code=hunter2");
        assert_eq!(url.to_string(), "https://auth.example.org/may");
        assert!(!format!("{url:?}").contains("hunter2"));
        for text in [
            "",
            "auth.example.org",
            "ftp://auth.example.org/",
            "https://u:p@auth.example.org/",
            "https://auth.example.org/#f",
            "https://",
        ] {
            assert!(text.parse::<EndpointUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret: ConfiguredSecret = "hunter2".parse().unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret} {secret:?}").contains("hunter2"));
        let long = "x".repeat(LONGEST_SECRET + 1);
        for text in ["", "two words", "line\nbreak", "ä", &long] {
            assert!(text.parse::<ConfiguredSecret>().is_err(), "{text}");
        }
    }
}
