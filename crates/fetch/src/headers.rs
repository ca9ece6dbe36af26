//! Headers that a caller adds to a request, and those that are the client's own.
//!
//! A caller's headers may be secrets: they are sent to the origin they were given for
//! and nowhere else, and never shown.

use crate::error::Refused;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;

/// Most headers of one request.
const MAX_HEADERS: usize = 64;
/// Most bytes of their names and values together.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Headers that frame the message or its body, belong to the connection or say who is
/// asked: set by a caller they could turn one request into another.
const OWN: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "if-range",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers of a caller, checked. `Debug` shows their names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraHeaders {
    map: HeaderMap,
}

impl ExtraHeaders {
    /// No headers.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads pairs of name and value, 64 and 16 KiB at most.
    ///
    /// # Errors
    /// [`Refused::Header`] for one that is malformed, or that the client sets itself
    /// (`Host`, `Range`, `Content-Length`, `Accept-Encoding` and their like).
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refused> {
        let mut map = HeaderMap::new();
        let mut bytes = 0;
        for (name, value) in pairs {
            let refused = |reason| Refused::Header {
                name: name.chars().filter(|c| !c.is_control()).take(64).collect(),
                reason,
            };
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused("it is not a header name"))?;
            if OWN.contains(&header.as_str()) {
                return Err(refused("the client sets it itself"));
            }
            bytes += name.len() + value.len();
            if map.len() >= MAX_HEADERS || bytes > MAX_HEADER_BYTES {
                return Err(refused("there are too many headers, or they are too long"));
            }
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| refused("its value holds line breaks or control characters"))?;
            value.set_sensitive(true);
            map.append(header, value);
        }
        Ok(Self { map })
    }

    pub(crate) const fn as_map(&self) -> &HeaderMap {
        &self.map
    }
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.map.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_that_would_reframe_the_request_are_refused() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "RANGE",
            "te",
            "Accept-Encoding",
        ] {
            let refused = ExtraHeaders::parse([(name, "x")]).unwrap_err();
            assert_eq!(refused.code(), "refused-header", "{name}");
        }
        for (name, value) in [("a b", "x"), ("", "x"), ("a\r\nb", "x"), ("a", "x\r\nb: c")] {
            assert!(ExtraHeaders::parse([(name, value)]).is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_text_of_them_shows_a_value() {
        let headers = ExtraHeaders::parse([("Authorization", "Bearer secret")]).unwrap();
        assert_eq!(format!("{headers:?}"), r#"{"authorization"}"#);
        let refused = ExtraHeaders::parse([("X", "secret\n")]).unwrap_err();
        assert!(!refused.to_string().contains("secret"));
    }

    #[test]
    fn their_number_and_size_are_bounded() {
        let many = (0..65).map(|_| ("x", "y"));
        assert!(ExtraHeaders::parse(many).is_err());
        let long = "y".repeat(MAX_HEADER_BYTES);
        assert!(ExtraHeaders::parse([("x", long.as_str())]).is_err());
    }
}
