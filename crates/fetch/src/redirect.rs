//! Where an answer sends us next, if anywhere.
//!
//! The loop is the client's own so that every hop is checked like a URL that somebody
//! typed. It must never hand one origin what was meant for another.

use crate::error::{FetchError, Refused};
use crate::policy::Policy;
use crate::url::CheckedUrl;
use http::{HeaderMap, StatusCode, header};

/// The target of a redirect (RFC 9110 §15.4), checked; `None` when this is none.
pub(crate) fn next_hop(
    from: &CheckedUrl,
    status: StatusCode,
    headers: &HeaderMap,
    policy: &Policy,
) -> Result<Option<CheckedUrl>, FetchError> {
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = headers.get(header::LOCATION).filter(|_| is_redirect) else {
        return Ok(None);
    };
    std::str::from_utf8(location.as_bytes())
        .map_err(|_| Refused::invalid("its Location is not text"))
        .and_then(|text| from.join(text, policy))
        .map(Some)
        .map_err(|refused| FetchError::RedirectRefused {
            from: from.host_key().to_string(),
            refused,
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hop(from: &str, status: u16, location: &[u8]) -> Result<Option<String>, &'static str> {
        let policy = Policy::default();
        let from = CheckedUrl::parse(from, &policy).unwrap();
        let mut headers = HeaderMap::new();
        let value = http::HeaderValue::from_bytes(location).unwrap();
        headers.insert(header::LOCATION, value);
        let status = StatusCode::from_u16(status).unwrap();
        match next_hop(&from, status, &headers, &policy) {
            Ok(next) => Ok(next.map(|url| url.expose().to_owned())),
            Err(error) => {
                assert!(matches!(error, FetchError::RedirectRefused { .. }));
                Err(error.code())
            }
        }
    }

    #[test]
    fn every_form_of_location_is_understood() {
        for (location, expected) in [
            ("/y?z=1", "https://example.com/y?z=1"),
            ("y", "https://example.com/a/y"),
            ("//cdn.example/y", "https://cdn.example/y"),
            ("https://cdn.example/y#f", "https://cdn.example/y"),
            ("?q", "https://example.com/a/b?q"),
            ("/bücher", "https://example.com/b%C3%BCcher"),
        ] {
            let found = hop("https://example.com/a/b?old", 302, location.as_bytes());
            assert_eq!(found, Ok(Some(expected.to_owned())), "{location}");
        }
    }

    #[test]
    fn what_is_not_a_redirect_is_not_followed() {
        for status in [200, 201, 300, 304, 305, 306, 404] {
            assert_eq!(hop("http://example.com/", status, b"/y"), Ok(None));
        }
    }

    #[test]
    fn a_bad_target_says_why() {
        for (location, code) in [
            (&b"\xff\xfe"[..], "invalid-url"),
            (b"http://", "invalid-url"),
            (b"http://example.com/", "refused-downgrade"),
            (b"//10.0.0.1/", "refused-address"),
            (b"https://u:p@example.com/", "refused-credentials"),
            (b"https://example.com:22/", "refused-port"),
            (b"file:///etc/passwd", "refused-scheme"),
        ] {
            assert_eq!(hop("https://example.com/", 301, location), Err(code));
        }
    }
}
