//! One live socket, from its opening to its close.
//!
//! Its task hears what the client asks for, sends what the subscriptions have to say,
//! and closes the socket when the other side is gone or may not watch any more.

use super::messages::{FromClient, ToClient};
use super::subscriptions::Subscriptions;
use super::{Hub, LiveLimits};
use access::{AccessError, Caller};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// RFC 6455 §7.4.1 and the registry it names: service restart, policy violation.
const RESTART: u16 = 1012;
const POLICY: u16 = 1008;

/// The longest time for which nobody asks whether the caller may still watch.
const LONGEST_TRUST: Duration = Duration::from_secs(24 * 3600);
/// When that is asked again after it could not be answered.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Session {
    hub: Hub,
    limits: LiveLimits,
    caller: Caller,
    socket: WebSocket,
    subscriptions: Subscriptions,
}

/// Why a socket ends.
enum End {
    /// The other side went away, or takes nothing any more.
    Gone,
    Close(u16, &'static str),
}

impl From<axum::Error> for End {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

impl Session {
    pub(super) fn new(hub: Hub, caller: Caller, socket: WebSocket) -> Self {
        Self {
            subscriptions: Subscriptions::new(hub.clone(), &caller),
            limits: hub.limits(),
            hub,
            caller,
            socket,
        }
    }

    pub(super) async fn run(mut self) {
        metrics::gauge!("longshore_live_sockets").increment(1.0);
        if let Err(End::Close(code, reason)) = self.talk().await {
            let _ = self.send(ToClient::Closing { reason }.encoded()).await;
            let frame = CloseFrame {
                code,
                reason: Utf8Bytes::from_static(reason),
            };
            // The other side may be gone already.
            let _ = tokio::time::timeout(
                self.limits.ping,
                self.socket.send(Message::Close(Some(frame))),
            )
            .await;
        }
        metrics::gauge!("longshore_live_sockets").decrement(1.0);
    }

    async fn talk(&mut self) -> Result<(), End> {
        self.send(self.hub.hello(Vec::new())).await?;
        let shutdown = self.hub.shutdown.clone();
        let mut rights = self.hub.access.changed();
        let mut ping = tokio::time::interval(self.limits.ping);
        let mut heard = Instant::now();
        let mut trusted_until = self.trusted_until();
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.heard(&text).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_))) => {
                            let message = "Messages are JSON texts.".to_owned();
                            self.send(not_understood("not-text", message).encoded()).await?;
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
                    }
                }
                Some(said) = self.subscriptions.next() => self.send(said.message).await?,
                _ = ping.tick() => {
                    if heard.elapsed() > self.limits.ping * 3 {
                        return Err(End::Gone);
                    }
                    self.pass(Message::Ping(Bytes::new())).await?;
                }
                // Somebody's rights changed: perhaps this caller's.
                Ok(()) = rights.changed() => trusted_until = self.recheck().await?,
                () = sleep_until(trusted_until) => trusted_until = self.recheck().await?,
                () = shutdown.cancelled() => return Err(End::Close(RESTART, "shutdown")),
            }
        }
    }

    /// When the session or token ends that the caller has proved itself with.
    fn trusted_until(&self) -> Instant {
        let now = self.hub.operations.now();
        let ends = self.caller.ends_at().map(|end| end.since(now));
        Instant::now() + ends.unwrap_or(LONGEST_TRUST).min(LONGEST_TRUST)
    }

    /// Whether the caller may still watch; until when that needs no further question.
    async fn recheck(&mut self) -> Result<Instant, End> {
        let checked = self.hub.access.recheck(&self.caller).await;
        let now = self.hub.operations.now();
        let left = self.caller.fixed_end().map(|end| end.since(now));
        match checked {
            Ok(caller) if caller.may(access::Role::Viewer, access::Scope::OperationsRead) => {
                self.subscriptions.has_rights_of(&caller);
                self.caller = caller;
                Ok(self.trusted_until())
            }
            // A database that does not answer takes no rights away, and a token that has
            // ended gives none.
            Err(error @ (AccessError::Storage(_) | AccessError::Busy))
                if left != Some(Duration::ZERO) =>
            {
                tracing::warn!(%error, "whether a watcher may still watch could not be asked; asking again");
                Ok(Instant::now() + left.unwrap_or(ASK_AGAIN).min(ASK_AGAIN))
            }
            _ => Err(End::Close(POLICY, "signed-out")),
        }
    }

    async fn pass(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.limits.send, self.socket.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(End::Gone),
        }
    }

    async fn send(&mut self, message: Bytes) -> Result<(), End> {
        // What we encode is UTF-8.
        let text = Utf8Bytes::try_from(message).map_err(|_| End::Gone)?;
        self.pass(Message::Text(text)).await
    }

    async fn heard(&mut self, text: &str) -> Result<(), End> {
        let answer = match serde_json::from_str(text) {
            Ok(FromClient::Subscribe { id, topic }) => {
                self.subscriptions.subscribe(&self.caller, id, topic).await
            }
            Ok(FromClient::Unsubscribe { id }) => self.subscriptions.unsubscribe(id),
            Ok(FromClient::Ping) => ToClient::Pong,
            Err(error) => not_understood(
                "invalid-message",
                format!("The message is not understood: {error}."),
            ),
        };
        self.send(answer.encoded()).await
    }
}

fn not_understood(code: &'static str, message: String) -> ToClient {
    ToClient::Error {
        id: None,
        code,
        message,
    }
}
