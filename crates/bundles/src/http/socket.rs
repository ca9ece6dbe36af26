//! The protocol of 2020: a WebSocket that takes a JSON array of URLs and answers
//! with one text message for each finished file, and then with the ZIP.
//!
//! A message that is not an array comes back as it was. A second array while one is
//! made waits for its turn. The ZIP is one binary message below 64 MiB, and a text
//! message with a signed link above. When the socket closes, what is made for it is
//! cancelled, unless the client asked to keep it (an object
//! `{"urls": […], "keep": true}` instead of the array).

use super::{Desk, may_make, signed_link};
use crate::bundle::{NewBundle, Options};
use crate::source::SourceRequest;
use access::Caller;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use base::{BundleId, OperationId};
use futures::StreamExt;
use http::{HeaderMap, Method, Uri};
use operations::{LogEvent, LogFollower, State as OperationState};
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use web::{Answer, By, Client, Upgrade};

/// Archives below this size go as one message.
const ONE_MESSAGE: u64 = 64 << 20;
/// The longest message taken: 100,000 addresses.
const LONGEST: usize = 32 << 20;
/// Arrays that wait, at most.
const MOST_WAITING: usize = 16;
/// How often the other side is asked whether it lives: nginx closes after 60 s.
const PING: Duration = Duration::from_secs(20);
/// How long a message may take to be taken.
const SEND: Duration = Duration::from_secs(300);
/// How long what was made for a socket is kept, in seconds.
const KEPT: u64 = 3600;

/// The WebSocket of the protocol of 2020.
#[utoipa::path(
    get, path = "/ws", tag = "bundles",
    responses(
        (status = 101, description = "The socket."),
        (status = 426, description = "It is not an upgrade."),
    )
)]
pub(super) async fn bundle_socket(
    State(desk): State<Desk>,
    By(caller): By,
    client: Client,
    upgrade: Upgrade,
) -> Answer<Response> {
    open(desk, caller, client, upgrade.required()?)
}

/// The console, or the WebSocket of 2020 when the request asks for an upgrade.
#[utoipa::path(
    get, path = "/", tag = "console",
    responses(
        (status = 200, description = "The console.", body = String, content_type = "text/html"),
        (status = 101, description = "The socket, for an upgrade."),
        (status = 401, description = "An upgrade by nobody.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "An upgrade by somebody who may not make bundles.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn front_page(
    State(desk): State<Desk>,
    caller: Option<By>,
    client: Client,
    upgrade: Upgrade,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Answer<Response> {
    let Some(upgrade) = upgrade.asked() else {
        return Ok(web::console_page(&method, &uri, &headers));
    };
    let caller = may_make(caller.as_deref())?.clone();
    open(desk, caller, client, upgrade)
}

fn open(desk: Desk, caller: Caller, client: Client, upgrade: WebSocketUpgrade) -> Answer<Response> {
    Ok(upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .on_upgrade(async move |socket| {
            let mut session = Session {
                desk,
                caller,
                client,
                socket,
                waiting: VecDeque::new(),
                running: None,
                heard: Instant::now(),
            };
            // However it ends, the client sees a closed socket.
            let _ = session.run().await;
            session.leave().await;
        }))
}

/// What an array asks for.
struct Order {
    sources: Vec<SourceRequest>,
    keep: bool,
}

/// A bundle that is being made for this socket.
struct Running {
    id: BundleId,
    keep: bool,
    log: LogFollower,
}

struct Session {
    desk: Desk,
    caller: Caller,
    client: Client,
    socket: WebSocket,
    waiting: VecDeque<Order>,
    running: Option<Running>,
    heard: Instant,
}

/// The socket is of no use any more.
struct Closed;

impl From<axum::Error> for Closed {
    fn from(_: axum::Error) -> Self {
        Self
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Array(Vec<SourceRequest>),
    Object {
        urls: Vec<SourceRequest>,
        #[serde(default)]
        keep: bool,
    },
}

enum Event {
    Message(Option<Result<Message, axum::Error>>),
    Log(operations::Result<LogEvent>),
    Ping,
}

impl Session {
    async fn run(&mut self) -> Result<(), Closed> {
        let mut ping = tokio::time::interval(PING);
        loop {
            if self.running.is_none()
                && let Some(order) = self.waiting.pop_front()
            {
                self.begin(order).await?;
            }
            let log = async {
                match &mut self.running {
                    Some(running) => running.log.next().await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                message = self.socket.next() => Event::Message(message),
                event = log => Event::Log(event),
                _ = ping.tick() => Event::Ping,
            };
            match event {
                Event::Message(None | Some(Err(_) | Ok(Message::Close(_)))) => return Err(Closed),
                Event::Message(Some(Ok(message))) => self.heard(message).await?,
                Event::Log(event) => self.follow(event).await?,
                Event::Ping if self.heard.elapsed() > PING * 3 => return Err(Closed),
                Event::Ping => self.send(Message::Ping(bytes::Bytes::new())).await?,
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Closed> {
        match tokio::time::timeout(SEND, self.socket.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Closed),
        }
    }

    async fn say(&mut self, text: String) -> Result<(), Closed> {
        self.send(Message::Text(Utf8Bytes::from(text))).await
    }

    async fn heard(&mut self, message: Message) -> Result<(), Closed> {
        self.heard = Instant::now();
        let order = match &message {
            Message::Text(text) => asked(text),
            Message::Binary(bytes) => std::str::from_utf8(bytes).ok().and_then(asked),
            _ => return Ok(()),
        };
        match order {
            None => self.send(message).await,
            Some(_) if self.waiting.len() >= MOST_WAITING => {
                self.say("Too many requests are waiting; send this one again later.".to_owned())
                    .await
            }
            Some(order) => {
                self.waiting.push_back(order);
                Ok(())
            }
        }
    }

    async fn begin(&mut self, order: Order) -> Result<(), Closed> {
        let new = NewBundle {
            name: None,
            sources: order.sources,
            options: Options {
                expires_in: Some(KEPT),
                ..Options::default()
            },
        };
        let accepted = match self.desk.bundles.create(new, &self.caller, false).await {
            Ok(accepted) => accepted,
            Err(error) => {
                return self
                    .say(format!("The request cannot be done: {error}."))
                    .await;
            }
        };
        let id = accepted.id;
        match self
            .desk
            .bundles
            .operations()
            .follow_log(OperationId::from(id), 1)
            .await
        {
            Ok(log) => {
                self.running = Some(Running {
                    id,
                    keep: order.keep,
                    log,
                });
                Ok(())
            }
            Err(error) => {
                self.say(format!("The request cannot be followed: {error}."))
                    .await
            }
        }
    }

    async fn follow(&mut self, event: operations::Result<LogEvent>) -> Result<(), Closed> {
        match event {
            Ok(LogEvent::Lines(lines)) => {
                for text in finished_files(&lines.encoded) {
                    self.say(text).await?;
                }
                Ok(())
            }
            Ok(LogEvent::Gap { .. }) => Ok(()),
            Ok(LogEvent::End { .. }) => match self.running.take() {
                Some(running) => self.deliver(running.id).await,
                None => Ok(()),
            },
            Err(error) => {
                self.running = None;
                self.say(format!("The request cannot be followed: {error}."))
                    .await
            }
        }
    }

    /// Sends what was made: the archive, a link to it, or why there is none.
    async fn deliver(&mut self, id: BundleId) -> Result<(), Closed> {
        let bundle = match self.desk.bundles.get(id).await {
            Ok(bundle) => bundle,
            Err(error) => {
                return self
                    .say(format!("The bundle cannot be had: {error}."))
                    .await;
            }
        };
        if bundle.state != OperationState::Succeeded {
            let error = bundle.operation.and_then(|operation| operation.error);
            let why = error.map_or_else(|| bundle.state.to_string(), |error| error.message);
            return self
                .say(format!("The bundle could not be made: {why}"))
                .await;
        }
        if bundle.size.is_some_and(|size| size < ONE_MESSAGE) {
            return match read(&self.desk, id).await {
                Ok(bytes) => self.send(Message::Binary(bytes.into())).await,
                Err(error) => {
                    self.say(format!("The archive cannot be read: {error}."))
                        .await
                }
            };
        }
        match signed_link(&self.desk, &self.client, id, Duration::from_secs(KEPT)).await {
            Ok(link) => self.say(link.url).await,
            Err(problem) => self.say(problem.detail().to_owned()).await,
        }
    }

    /// The socket is closed: what is made for it alone is not wanted any more.
    async fn leave(self) {
        let Some(running) = self.running.filter(|running| !running.keep) else {
            return;
        };
        let cancelled = self
            .desk
            .bundles
            .operations()
            .cancel(OperationId::from(running.id), &self.caller.actor())
            .await;
        if let Err(error) = cancelled {
            tracing::debug!(%error, bundle = %running.id, "not cancelled after its socket closed");
        }
    }
}

/// The whole of a small archive.
async fn read(desk: &Desk, id: BundleId) -> crate::Result<Vec<u8>> {
    let blob = desk
        .bundles
        .stored(id)
        .await?
        .blob
        .ok_or(crate::Error::Gone)?;
    let file = desk.bundles.blobs().read(blob).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.size()).unwrap_or(0));
    let mut stream = file.stream(0..file.size());
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes)
}

fn asked(text: &str) -> Option<Order> {
    match serde_json::from_str(text).ok()? {
        Asked::Array(sources) => Some(Order {
            sources,
            keep: false,
        }),
        Asked::Object { urls, keep } => Some(Order {
            sources: urls,
            keep,
        }),
    }
}

/// What is said of the sources that ended, in lines of a log as they are sent live.
fn finished_files(encoded: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Ended {
        #[serde(rename = "source")]
        _source: u64,
    }
    type Sent = (u64, i64, u8, String, Option<Ended>);
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        WithData(Sent),
        Plain(serde::de::IgnoredAny),
    }
    let json = [b"[", encoded, b"]"].concat();
    let lines: Vec<Line> = serde_json::from_slice(&json).unwrap_or_default();
    lines
        .into_iter()
        .filter_map(|line| match line {
            Line::WithData((_, _, _, text, Some(_))) => Some(text),
            Line::WithData(_) | Line::Plain(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_of_addresses_and_their_object_are_orders() {
        assert!(asked(r#"["http://a/x", {"url": "http://a/y", "path": "y"}]"#).is_some());
        assert!(asked("[]").is_some());
        assert!(asked(r#"{"urls": ["http://a/x"], "keep": true}"#).is_some_and(|order| order.keep));
        for echoed in ["hello", "{}", "[1]", "\"http://a/x\"", "[\"a\""] {
            assert!(asked(echoed).is_none(), "{echoed}");
        }
    }

    #[test]
    fn one_text_for_each_source_that_ended() {
        let lines = br#"[1,0,2,"Fetching 2 sources."],[2,0,2,"a.jpg (3 bytes)",{"source":0,"state":"done"}]"#;
        assert_eq!(finished_files(lines), ["a.jpg (3 bytes)"]);
    }
}
