//! A client of the live socket, as small as a test wants it.
//!
//! It keeps nothing and hides nothing: every message that the server sends is seen,
//! in order.

use crate::TestServer;
use crate::deadline::within;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open live socket.
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
}

impl Live {
    /// Connects as `admin`, and takes the server's `hello`.
    ///
    /// # Panics
    /// When the server refuses, or says something else first.
    pub async fn connect(server: &TestServer) -> Self {
        let url = format!("ws://127.0.0.1:{}/api/v1/live", server.port());
        let mut live = Self::connect_to(&url, "admin", server.admin_password()).await;
        let hello = live.next().await;
        assert_eq!(hello["type"], "hello", "the first message is {hello}");
        live
    }

    /// Connects to any address, such as that of a proxy, with Basic.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn connect_to(url: &str, name: &str, password: &str) -> Self {
        let mut request = url
            .into_client_request()
            .unwrap_or_else(|error| panic!("{url} is no address of a WebSocket: {error}"));
        let pair = data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes());
        let header = HeaderValue::from_str(&format!("Basic {pair}")).expect("base64 is a header");
        request.headers_mut().insert("Authorization", header);
        let (socket, _) = within("a WebSocket", connect_async(request))
            .await
            .unwrap_or_else(|error| panic!("{url} refuses a WebSocket: {error}"));
        Self { socket, next_id: 1 }
    }

    /// Subscribes to a topic of the live protocol and gives the subscription's id; the
    /// answer comes as a message among others.
    pub async fn subscribe(&mut self, topic: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "type": "subscribe", "id": id, "topic": topic }))
            .await;
        id
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&mut self, id: u64) {
        self.send(&json!({ "type": "unsubscribe", "id": id })).await;
    }

    /// Sends any JSON.
    ///
    /// # Panics
    /// When the socket is closed.
    pub async fn send(&mut self, message: &Value) {
        within(
            "a message to go out",
            self.socket.send(Message::text(message.to_string())),
        )
        .await
        .unwrap_or_else(|error| panic!("the live socket takes no message: {error}"));
    }

    /// The next message.
    ///
    /// # Panics
    /// When the socket closes instead, none comes in a minute, or it is no JSON.
    pub async fn next(&mut self) -> Value {
        let next = self.next_or_close().await;
        next.unwrap_or_else(|close| panic!("the live socket closed ({close:?})"))
    }

    /// The next message, or the code with which the socket was closed (none when the
    /// connection broke).
    ///
    /// # Errors
    /// The close code.
    ///
    /// # Panics
    /// When neither comes in a minute, or the message is no JSON.
    pub async fn next_or_close(&mut self) -> Result<Value, Option<u16>> {
        // One limit for all of it: pings are no messages.
        within("a live message", self.message_or_close()).await
    }

    async fn message_or_close(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(text.as_str())
                        .unwrap_or_else(|error| panic!("no JSON ({error}): {text}")));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| u16::from(frame.code)));
                }
                // The library answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("the live socket speaks JSON texts only, not {other:?}"),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Every message up to the first that is `wanted`, that one included.
    ///
    /// # Panics
    /// As [`Self::next`]; the time is counted for each message anew.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().await;
            let found = wanted(&message);
            messages.push(message);
            if found {
                return messages;
            }
        }
    }

    /// Breaks the connection off without a close, as a lost network does.
    pub fn cut(self) {
        drop(self);
    }
}
