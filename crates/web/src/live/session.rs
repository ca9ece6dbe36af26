//! One live socket, from its opening to its close.
//!
//! Each subscription is a task that follows and puts messages into a channel of a
//! few places; the socket's own task sends them. All of them end with the socket.

use super::Hub;
use super::messages::{self, FromClient, ToClient, Topic};
use crate::activity::shown::{ShownOperation, may_act};
use access::Caller;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use base::OperationId;
use bytes::Bytes;
use futures::StreamExt;
use operations::{Change, ChangeFollower, Filter, LogEvent, LogFollower, Query, State};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Messages between the followers and the socket.
const PLACES: usize = 4;
/// Operations that are sent as they stand at the beginning of a subscription.
const STANDING: usize = 200;
/// RFC 6455 §7.4.1 and the registry it names: service restart, policy violation.
const RESTART: u16 = 1012;
const POLICY: u16 = 1008;

/// See the module.
pub(super) struct Session {
    hub: Hub,
    caller: Caller,
    socket: WebSocket,
    followers: JoinSet<()>,
    subscriptions: HashMap<u64, Vec<AbortHandle>>,
    outgoing: mpsc::Sender<Bytes>,
    messages: mpsc::Receiver<Bytes>,
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
        let (outgoing, messages) = mpsc::channel(PLACES);
        Self {
            hub,
            caller,
            socket,
            followers: JoinSet::new(),
            subscriptions: HashMap::new(),
            outgoing,
            messages,
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
                self.hub.limits.ping,
                self.socket.send(Message::Close(Some(frame))),
            )
            .await;
        }
        metrics::gauge!("longshore_live_sockets").decrement(1.0);
    }

    async fn talk(&mut self) -> Result<(), End> {
        let hello = ToClient::Hello {
            changed: self.hub.operations.newest_change(),
        };
        self.send(hello.encoded()).await?;
        let shutdown = self.hub.shutdown.clone();
        let mut rights = self.hub.access.changed();
        let mut ping = tokio::time::interval(self.hub.limits.ping);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.heard(&text).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_))) => {
                            self.refuse(None, "not-text", "Messages are JSON texts.".to_owned()).await?;
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
                    }
                }
                // The session holds a sender, so this never ends.
                Some(message) = self.messages.recv() => self.send(message).await?,
                _ = ping.tick() => {
                    if heard.elapsed() > self.hub.limits.ping * 3 {
                        return Err(End::Gone);
                    }
                    self.pass(Message::Ping(Bytes::new())).await?;
                }
                Ok(()) = rights.changed() => self.recheck().await?,
                () = shutdown.cancelled() => return Err(End::Close(RESTART, "shutdown")),
            }
        }
    }

    /// Somebody's rights changed: perhaps this caller's.
    async fn recheck(&mut self) -> Result<(), End> {
        match self.hub.access.recheck(&self.caller).await {
            Ok(caller) if caller.may(access::Role::Viewer, access::Scope::OperationsRead) => {
                self.caller = caller;
                Ok(())
            }
            _ => Err(End::Close(POLICY, "signed-out")),
        }
    }

    async fn pass(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.hub.limits.send, self.socket.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(End::Gone),
        }
    }

    async fn send(&mut self, message: Bytes) -> Result<(), End> {
        // What we encode is UTF-8.
        let text = Utf8Bytes::try_from(message).map_err(|_| End::Gone)?;
        self.pass(Message::Text(text)).await
    }

    async fn refuse(
        &mut self,
        id: Option<u64>,
        code: &'static str,
        message: String,
    ) -> Result<(), End> {
        self.send(ToClient::Error { id, code, message }.encoded())
            .await
    }

    async fn heard(&mut self, text: &str) -> Result<(), End> {
        match serde_json::from_str(text) {
            Ok(FromClient::Subscribe { id, topic }) => self.subscribe(id, topic).await,
            Ok(FromClient::Unsubscribe { id }) => {
                for follower in self.subscriptions.remove(&id).unwrap_or_default() {
                    follower.abort();
                }
                self.send(ToClient::Unsubscribed { id }.encoded()).await
            }
            Ok(FromClient::Ping) => self.send(ToClient::Pong.encoded()).await,
            Err(error) => {
                self.refuse(
                    None,
                    "invalid-message",
                    format!("The message is not understood: {error}."),
                )
                .await
            }
        }
    }

    async fn subscribe(&mut self, id: u64, topic: Topic) -> Result<(), End> {
        while self.followers.try_join_next().is_some() {}
        if self.subscriptions.contains_key(&id) {
            return self
                .refuse(
                    Some(id),
                    "taken",
                    "A subscription has that number already.".to_owned(),
                )
                .await;
        }
        if self.subscriptions.len() >= self.hub.limits.subscriptions {
            let most = self.hub.limits.subscriptions;
            let message = format!("One socket follows at most {most} topics; end one first.");
            return self.refuse(Some(id), "too-many", message).await;
        }
        let started = match topic {
            Topic::Operations { filter, since } => Ok(vec![self.follow_operations(filter, since)]),
            Topic::Operation {
                operation,
                since,
                log_from,
            } => self.follow_operation(operation, since, log_from).await,
        };
        match started {
            Ok(followers) => {
                self.subscriptions.insert(id, followers);
                self.send(ToClient::Subscribed { id }.encoded()).await
            }
            Err(error) => {
                let code = match error {
                    operations::Error::NoOperation(_) => "not-found",
                    _ => "unavailable",
                };
                self.refuse(Some(id), code, error.to_string()).await
            }
        }
    }

    fn follow_operations(&mut self, filter: Filter, since: Option<u64>) -> AbortHandle {
        let changes = self.hub.operations.follow_changes(filter.clone(), since);
        let follower = Follower {
            outgoing: self.outgoing.clone(),
            acts: may_act(&self.caller),
            only: None,
        };
        let operations = self.hub.operations.clone();
        let stands = since.is_none();
        self.followers.spawn(async move {
            if stands {
                for state in [State::Running, State::Queued] {
                    let query = Query {
                        filter: Filter {
                            state: Some(state),
                            ..filter.clone()
                        },
                        limit: STANDING,
                        ..Query::default()
                    };
                    if filter.state.is_some_and(|wanted| wanted != state) {
                        continue;
                    }
                    match operations.list(&query).await {
                        Ok(page) => {
                            for operation in page.operations {
                                follower.tell(operation).await;
                            }
                        }
                        Err(error) => return follower.lost(&error).await,
                    }
                }
                follower.position(changes.position()).await;
            }
            follower.changes(changes).await;
        })
    }

    async fn follow_operation(
        &mut self,
        id: OperationId,
        since: Option<u64>,
        log_from: Option<u64>,
    ) -> operations::Result<Vec<AbortHandle>> {
        let operations = &self.hub.operations;
        // Follows before it looks, so that nothing falls in between.
        let changes = operations.follow_changes(Filter::default(), since);
        let standing = operations.get(id).await?;
        let follower = Follower {
            outgoing: self.outgoing.clone(),
            acts: may_act(&self.caller),
            only: Some(id),
        };
        let log = match log_from {
            Some(from) => Some(operations.follow_log(id, from).await?),
            None => None,
        };
        let mut started = Vec::with_capacity(2);
        if let Some(log) = log {
            let follower = follower.clone();
            started.push(self.followers.spawn(async move { follower.log(log).await }));
        }
        let stands = since.is_none();
        started.push(self.followers.spawn(async move {
            if stands {
                follower.tell(standing).await;
                follower.position(changes.position()).await;
            }
            follower.changes(changes).await;
        }));
        Ok(started)
    }
}

/// One who follows for a socket. Ends when nobody takes its messages.
#[derive(Clone)]
struct Follower {
    outgoing: mpsc::Sender<Bytes>,
    acts: bool,
    only: Option<OperationId>,
}

impl Follower {
    async fn say(&self, message: Bytes) {
        // The receiver lives as long as the session, which ends this task.
        let _ = self.outgoing.send(message).await;
    }

    async fn position(&self, changed: u64) {
        self.say(ToClient::Position { changed }.encoded()).await;
    }

    async fn lost(&self, error: &operations::Error) {
        let message = ToClient::Error {
            id: None,
            code: "unavailable",
            message: format!("{error}; subscribe again to go on"),
        };
        self.say(message.encoded()).await;
    }

    async fn tell(&self, operation: operations::Operation) {
        self.say(encode(&operation, self.acts)).await;
    }

    async fn changes(&self, mut changes: ChangeFollower) {
        loop {
            let new = match changes.next().await {
                Ok(new) => new,
                Err(error) => return self.lost(&error).await,
            };
            let wanted = new
                .into_iter()
                .filter(|change| self.only.is_none_or(|only| change.operation.id == only));
            let mut any = false;
            for change in wanted {
                any = true;
                self.say(self.encoded(&change)).await;
            }
            if any {
                self.position(changes.position()).await;
            }
        }
    }

    fn encoded(&self, change: &Arc<Change>) -> Bytes {
        change.encoded(self.acts, |operation| encode(operation, self.acts))
    }

    async fn log(&self, mut log: LogFollower) {
        let operation = log.operation();
        loop {
            let message = match log.next().await {
                Ok(LogEvent::Lines(lines)) => {
                    lines.message(|lines| messages::log(operation, lines))
                }
                Ok(LogEvent::Gap { from, to }) => ToClient::LogGap {
                    operation,
                    from,
                    to,
                    reason: "expired",
                }
                .encoded(),
                Ok(LogEvent::End { last }) => {
                    let end = ToClient::LogEnd {
                        operation,
                        last_seq: last,
                    };
                    return self.say(end.encoded()).await;
                }
                Err(error) => return self.lost(&error).await,
            };
            self.say(message).await;
        }
    }
}

fn encode(operation: &operations::Operation, acts: bool) -> Bytes {
    ToClient::Operation {
        changed: operation.changed,
        operation: Box::new(ShownOperation::of(operation.clone(), acts)),
    }
    .encoded()
}
