//! Requests that ask to become a WebSocket (RFC 6455 §4.2.1).

mod frames;

pub use frames::{FrameSocket, FrameUpgrade};

use crate::{Answer, Problem};
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use http::header::{HeaderName, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

/// Whether the request asks for a WebSocket. An extractor that never refuses.
#[derive(Debug)]
pub struct Upgrade(Option<(WebSocketUpgrade, FrameUpgrade)>);

impl Upgrade {
    /// The upgrade, where the request asks for one.
    ///
    /// # Errors
    /// 426 when the request does not ask for one, which is what happens when a proxy
    /// does not pass the headers on.
    pub fn required(self) -> Answer<WebSocketUpgrade> {
        Ok(self.0.ok_or_else(not_asked)?.0)
    }

    /// The upgrade to a socket of frames, where the request asks for one.
    #[must_use]
    pub fn to_frames(self) -> Option<FrameUpgrade> {
        Some(self.0?.1)
    }

    /// The upgrade to a socket of frames.
    ///
    /// # Errors
    /// As [`Upgrade::required`].
    pub fn required_to_frames(self) -> Answer<FrameUpgrade> {
        self.to_frames().ok_or_else(not_asked)
    }
}

fn not_asked() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "upgrade-required",
        "This is a WebSocket. If you did ask for one, a proxy in between does not pass on the headers Connection and Upgrade.",
    )
    .with_header(UPGRADE, HeaderValue::from_static("websocket"))
    .with_header(HeaderName::from_static("connection"), HeaderValue::from_static("upgrade"))
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // Taken first: axum keeps it to itself. Whether all else is right, axum knows.
        let frames = FrameUpgrade::of(parts);
        let checked = WebSocketUpgrade::from_request_parts(parts, state).await;
        Ok(Self(checked.ok().zip(frames)))
    }
}
