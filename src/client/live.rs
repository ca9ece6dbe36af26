//! The live socket, as far as following one operation needs it. It knows nothing of
//! reconnecting; see `follow.rs`.

use super::Client;
use super::follow::Line;
use base::{OperationId, Timestamp};
use futures::{SinkExt, StreamExt};
use operations::{Operation, Stream};
use reqwest::header::AUTHORIZATION;
use rustls_platform_verifier::ConfigVerifierExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

/// How long the handshake may take.
const OPEN: Duration = Duration::from_secs(10);
/// The server asks every 20 seconds whether we live; silent for longer, it does not.
const SILENCE: Duration = Duration::from_secs(60);

/// It broke, was refused, or says what is not understood. Why shows over HTTP.
#[derive(Debug)]
pub(super) struct Broken;

/// What is said about the operation.
#[derive(Debug)]
pub(super) enum Said {
    Operation(Box<Operation>),
    Lines(Vec<Line>),
    Gap { from: u64, to: u64 },
    LogEnd,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromServer {
    Operation {
        operation: Box<Operation>,
    },
    Log {
        lines: Vec<RawLine>,
    },
    LogGap {
        from: u64,
        to: u64,
    },
    LogEnd,
    Error,
    Closing,
    #[serde(other)]
    Other,
}

/// `[number, microseconds, stream, "text", data?]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawLine {
    Plain(u64, i64, u8, String),
    WithData(u64, i64, u8, String, Value),
}

impl From<RawLine> for Line {
    fn from(raw: RawLine) -> Self {
        let (seq, micros, stream, text, data) = match raw {
            RawLine::Plain(seq, micros, stream, text) => (seq, micros, stream, text, None),
            RawLine::WithData(seq, micros, stream, text, data) => {
                (seq, micros, stream, text, Some(data))
            }
        };
        let stream = match stream {
            0 => Stream::Stdout,
            1 => Stream::Stderr,
            _ => Stream::System,
        };
        Self {
            seq,
            time: Timestamp::from_micros(micros),
            stream,
            text,
            data,
        }
    }
}

/// A live socket that is subscribed to one operation.
pub(super) struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    operation: OperationId,
}

impl Live {
    /// Connects and subscribes.
    pub(super) async fn open(
        client: &Client,
        operation: OperationId,
        log_from: Option<u64>,
    ) -> Result<Self, Broken> {
        let mut request = client
            .place()
            .url
            .websocket("/api/v1/live")
            .into_client_request()
            .map_err(|_| Broken)?;
        if let Some(header) = client.place().credential.header() {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let tls = rustls::ClientConfig::with_platform_verifier().map_err(|_| Broken)?;
        let connector = Connector::Rustls(Arc::new(tls));
        let connecting = connect_async_tls_with_config(request, None, true, Some(connector));
        let (mut socket, _) = timeout(OPEN, connecting)
            .await
            .map_err(|_| Broken)?
            .map_err(|_| Broken)?;
        let subscribe = json!({
            "type": "subscribe", "id": 1,
            "topic": {"kind": "operation", "operation": operation, "since": null, "log_from": log_from},
        });
        timeout(OPEN, socket.send(Message::text(subscribe.to_string())))
            .await
            .map_err(|_| Broken)?
            .map_err(|_| Broken)?;
        Ok(Self { socket, operation })
    }

    /// What is said next.
    pub(super) async fn next(&mut self) -> Result<Said, Broken> {
        loop {
            let message = timeout(SILENCE, self.socket.next())
                .await
                .map_err(|_| Broken)?;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                // The library answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                _ => return Err(Broken),
            };
            match serde_json::from_str(&text).map_err(|_| Broken)? {
                FromServer::Operation { operation } if operation.id == self.operation => {
                    return Ok(Said::Operation(operation));
                }
                FromServer::Log { lines } => {
                    return Ok(Said::Lines(lines.into_iter().map(Line::from).collect()));
                }
                FromServer::LogGap { from, to } => return Ok(Said::Gap { from, to }),
                FromServer::LogEnd => return Ok(Said::LogEnd),
                FromServer::Error | FromServer::Closing => return Err(Broken),
                FromServer::Operation { .. } | FromServer::Other => {}
            }
        }
    }
}
