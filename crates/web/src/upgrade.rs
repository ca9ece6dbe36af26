//! Requests that ask to become a WebSocket (RFC 6455 §4.2.1).

use crate::{Answer, Problem};
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use http::header::{HeaderName, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

/// Whether the request asks for a WebSocket. An extractor that never refuses.
#[derive(Debug)]
pub struct Upgrade(Option<WebSocketUpgrade>);

impl Upgrade {
    /// The upgrade, where the request asks for one.
    #[must_use]
    pub fn asked(self) -> Option<WebSocketUpgrade> {
        self.0
    }

    /// The upgrade.
    ///
    /// # Errors
    /// 426 when the request does not ask for one, which is what happens when a proxy
    /// does not pass the headers on.
    pub fn required(self) -> Answer<WebSocketUpgrade> {
        self.0.ok_or_else(|| {
            Problem::new(
                StatusCode::UPGRADE_REQUIRED,
                "upgrade-required",
                "This is a WebSocket. If you did ask for one, a proxy in between does not pass on the headers Connection and Upgrade.",
            )
            .with_header(UPGRADE, HeaderValue::from_static("websocket"))
            .with_header(HeaderName::from_static("connection"), HeaderValue::from_static("upgrade"))
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(
            WebSocketUpgrade::from_request_parts(parts, state)
                .await
                .ok(),
        ))
    }
}
