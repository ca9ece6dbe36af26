//! Requests that ask to become a WebSocket (RFC 6455 §4.2.1).

mod frames;

pub use frames::{FrameSocket, FrameUpgrade};

use crate::{Answer, Problem};
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use http::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

/// Whether the request asks for a WebSocket. An extractor that never refuses.
#[derive(Debug)]
pub struct Upgrade {
    asked: Option<(WebSocketUpgrade, FrameUpgrade)>,
    lacking: Vec<&'static str>,
}

impl Upgrade {
    /// The upgrade, where the request asks for one.
    ///
    /// # Errors
    /// 426 when the request does not ask for one, which is what happens when a proxy
    /// does not pass the headers on.
    pub fn required(self) -> Answer<WebSocketUpgrade> {
        Ok(self.asked.ok_or_else(not_asked)?.0)
    }

    /// The upgrade to a socket of frames, where the request asks for one.
    #[must_use]
    pub fn to_frames(self) -> Option<FrameUpgrade> {
        Some(self.asked?.1)
    }

    /// The upgrade to a socket of frames.
    ///
    /// # Errors
    /// As [`Upgrade::required`].
    pub fn required_to_frames(self) -> Answer<FrameUpgrade> {
        self.to_frames().ok_or_else(not_asked)
    }

    /// The headers of the request for a WebSocket that did not arrive with it: none where
    /// all did, or where nothing of such a request did.
    pub(crate) fn lacking(&self) -> &[&'static str] {
        &self.lacking
    }
}

/// See [`Upgrade::lacking`]. The client sent all four (RFC 6455 §4.1), so what is absent
/// was dropped on the way.
fn lacking(headers: &HeaderMap) -> Vec<&'static str> {
    let says = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let parts = [
        ("Upgrade", says(UPGRADE, "websocket")),
        ("Connection", says(CONNECTION, "upgrade")),
        ("Sec-WebSocket-Key", headers.contains_key(SEC_WEBSOCKET_KEY)),
        ("Sec-WebSocket-Version", says(SEC_WEBSOCKET_VERSION, "13")),
    ];
    if parts.iter().all(|(_, arrived)| !arrived) {
        return Vec::new();
    }
    let absent = parts.into_iter().filter(|(_, arrived)| !arrived);
    absent.map(|(name, _)| name).collect()
}

fn not_asked() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "upgrade-required",
        "This is a WebSocket. If you did ask for one, a proxy in between does not pass on the headers Connection and Upgrade.",
    )
    .with_header(UPGRADE, HeaderValue::from_static("websocket"))
    .with_header(CONNECTION, HeaderValue::from_static("upgrade"))
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // Taken first: axum keeps it to itself. Whether all else is right, axum knows.
        let frames = FrameUpgrade::of(parts);
        let checked = WebSocketUpgrade::from_request_parts(parts, state).await;
        Ok(Self {
            asked: checked.ok().zip(frames),
            lacking: lacking(&parts.headers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_dropped_of_a_request_for_a_websocket_is_named() {
        let whole = [
            ("upgrade", "WebSocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
        ];
        let of = |dropped: &[&str]| {
            let arrived = whole.iter().filter(|(name, _)| !dropped.contains(name));
            let headers: HeaderMap = arrived
                .map(|&(name, value)| {
                    let value = HeaderValue::from_static(value);
                    (HeaderName::from_static(name), value)
                })
                .collect();
            lacking(&headers)
        };
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&["upgrade", "connection"]), ["Upgrade", "Connection"]);
        assert_eq!(of(&["connection"]), ["Connection"]);
        assert_eq!(of(&["sec-websocket-key"]), ["Sec-WebSocket-Key"]);
        // Nothing shows that it was one.
        assert_eq!(of(&whole.map(|(name, _)| name)), [""; 0]);
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let expected = ["Upgrade", "Connection", "Sec-WebSocket-Key"];
        assert_eq!(lacking(&headers), expected, "one of its own in its place");
    }
}
