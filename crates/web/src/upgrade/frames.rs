//! A WebSocket whose messages may go out in frames, one after the other.
//!
//! axum's socket sends a message as one frame, of which it keeps a copy until the
//! other side has taken it. What sends large messages sends them in pieces instead
//! (RFC 6455 §5.4), and is free to do other things between two of them.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::request::Parts;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// See the module.
pub type FrameSocket = WebSocketStream<TokioIo<Upgraded>>;

/// A request that asks for a WebSocket, before it is granted.
#[derive(Debug)]
pub struct FrameUpgrade {
    upgraded: OnUpgrade,
    /// HTTP/1 has a key, and HTTP/2 does not (RFC 8441).
    key: Option<HeaderValue>,
}

impl FrameUpgrade {
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        Some(Self {
            upgraded: parts.extensions.get::<OnUpgrade>()?.clone(),
            key: parts.headers.get(SEC_WEBSOCKET_KEY).cloned(),
        })
    }

    /// Grants it: the answer, after which `talk` has the socket. The task ends with the
    /// connection, which is one of the server's.
    pub fn grant<F>(
        self,
        config: WebSocketConfig,
        talk: impl FnOnce(FrameSocket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let upgraded = self.upgraded;
        tokio::spawn(async move {
            match upgraded.await {
                Ok(upgraded) => {
                    let io = TokioIo::new(upgraded);
                    talk(FrameSocket::from_raw_socket(io, Role::Server, Some(config)).await).await;
                }
                Err(error) => tracing::debug!(%error, "a connection left before its upgrade"),
            }
        });
        let mut response = Response::new(Body::empty());
        if let Some(key) = self.key {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
                headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
            }
        }
        response
    }
}
