//! One socket of 2020, from its opening to its close.
//!
//! Its task hears orders, has them made one after the other, tells of each file, and
//! sends what came of it. It closes when the other side is gone, when its caller may
//! not make bundles any more, and when the server stops and nothing runs for it.

use super::outgoing::Outgoing;
use super::queue::{Full, Queue};
use super::words::finished_files;
use super::work::{KEPT, abandon, open, read, submit};
use super::{Desk, may_stay};
use crate::bundle::{Bundle, Rights};
use crate::http::{links, sources_within};
use crate::request::Order;
use access::{AccessError, Caller};
use base::{BundleId, OperationId};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use operations::{LogEvent, LogFollower, State as OperationState};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use web::{Client, FrameSocket};

/// Archives below this size go as one message.
const ONE_MESSAGE: u64 = 64 << 20;
/// How often the other side is asked whether it lives: nginx closes after 60 s.
const PING: Duration = Duration::from_secs(20);
/// How long a message, or a piece of one, may take to be taken.
const SEND: Duration = Duration::from_secs(60);
/// The longest time for which nobody asks whether the caller may still make bundles.
const LONGEST_TRUST: Duration = Duration::from_secs(24 * 3600);
/// When that is asked again after it could not be answered.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// A bundle that is being made for this socket.
struct Running {
    id: BundleId,
    keep: bool,
    log: LogFollower,
}

pub(super) struct Session {
    desk: Desk,
    caller: Caller,
    client: Client,
    socket: FrameSocket,
    waiting: Queue,
    running: Option<Running>,
    /// A message of which pieces are still to be sent. No other can go between them.
    outgoing: Option<Outgoing>,
    /// What is said after it. While there is something, nothing more is heard.
    held: Option<Message>,
    /// When the other side was last seen to live.
    heard: Instant,
}

/// Why a socket ends.
enum End {
    /// The other side went away, or takes nothing any more.
    Gone,
    Close(CloseCode, &'static str),
}

impl From<tungstenite::Error> for End {
    fn from(_: tungstenite::Error) -> Self {
        Self::Gone
    }
}

enum Event {
    Message(Option<Result<Message, tungstenite::Error>>),
    Log(operations::Result<LogEvent>),
    Piece(Option<Message>),
    Rights,
    Stop,
    Ping,
}

impl Session {
    pub(super) fn new(desk: Desk, caller: Caller, client: Client, socket: FrameSocket) -> Self {
        Self {
            desk,
            caller,
            client,
            socket,
            waiting: Queue::default(),
            running: None,
            outgoing: None,
            held: None,
            heard: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        let Err(end) = self.talk().await else { return };
        // Before the other side sees it closed, so that it sees what became of it.
        let allowed = !matches!(end, End::Close(CloseCode::Policy, _));
        self.leave(allowed).await;
        let closing = async {
            match end {
                // Where the other side closed it, the answer to that is to be sent.
                End::Gone => self.socket.flush().await,
                End::Close(code, reason) => {
                    let reason = Utf8Bytes::from_static(reason);
                    self.socket.close(Some(CloseFrame { code, reason })).await
                }
            }
        };
        // It may be gone already.
        let _ = tokio::time::timeout(PING, closing).await;
    }

    async fn talk(&mut self) -> Result<(), End> {
        let shutdown = self.desk.shutdown.clone();
        let mut rights = self.desk.bundles.access().changed();
        let mut ping = tokio::time::interval(PING);
        // After a long wait for the other side, it has all the time again.
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        let mut trusted_until = self.trusted_until();
        loop {
            // Between the pieces of a message no other may go, and what is held goes first:
            // what the log has to tell waits in it.
            let quiet = self.outgoing.is_none() && self.held.is_none();
            if self.is_idle() {
                if shutdown.is_cancelled() {
                    return Err(End::Close(CloseCode::Restart, "shutdown"));
                }
                if let Some(order) = self.waiting.pop() {
                    self.begin(order).await?;
                    continue;
                }
            }
            let log = async {
                match &mut self.running {
                    Some(running) => running.log.next().await,
                    None => std::future::pending().await,
                }
            };
            let piece = async {
                match &mut self.outgoing {
                    Some(outgoing) => outgoing.next().await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                message = self.socket.next(), if self.held.is_none() => Event::Message(message),
                event = log, if quiet => Event::Log(event),
                piece = piece => Event::Piece(piece),
                _ = ping.tick() => Event::Ping,
                Ok(()) = rights.changed() => Event::Rights,
                () = sleep_until(trusted_until) => Event::Rights,
                () = shutdown.cancelled(), if !told => Event::Stop,
            };
            match event {
                Event::Message(None | Some(Err(_) | Ok(Message::Close(_)))) => {
                    return Err(End::Gone);
                }
                Event::Message(Some(Ok(message))) => self.heard(message).await?,
                Event::Log(event) => self.follow(event).await?,
                Event::Piece(piece) => self.send_piece(piece).await?,
                Event::Rights => trusted_until = self.recheck().await?,
                Event::Stop => {
                    told = true;
                    self.stop().await?;
                }
                Event::Ping if self.heard.elapsed() > PING * 3 => return Err(End::Gone),
                Event::Ping => self.pass(Message::Ping(Bytes::new())).await?,
            }
        }
    }

    /// Whether the next order may begin.
    fn is_idle(&self) -> bool {
        self.running.is_none() && self.outgoing.is_none() && self.held.is_none()
    }

    async fn pass(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SEND, self.socket.send(message)).await {
            Ok(sent) => sent?,
            Err(_) => return Err(End::Gone),
        }
        // Who takes what is sent lives, though nothing was read meanwhile.
        self.heard = Instant::now();
        Ok(())
    }

    /// Sends a message, or begins to; or keeps it until another is sent.
    async fn say(&mut self, message: Message) -> Result<(), End> {
        if self.outgoing.is_some() {
            self.held = Some(message);
            return Ok(());
        }
        match Outgoing::cut(message) {
            Ok(outgoing) => {
                self.outgoing = Some(outgoing);
                Ok(())
            }
            Err(short) => self.pass(short).await,
        }
    }

    async fn tell(&mut self, text: String) -> Result<(), End> {
        self.say(Message::text(text)).await
    }

    async fn send_piece(&mut self, piece: Option<Message>) -> Result<(), End> {
        let Some(piece) = piece else {
            return Err(End::Close(CloseCode::Error, "the archive cannot be read"));
        };
        self.pass(piece).await?;
        if self.outgoing.as_ref().is_some_and(Outgoing::is_done) {
            self.outgoing = None;
            if let Some(held) = self.held.take() {
                return self.say(held).await;
            }
        }
        Ok(())
    }

    /// When the session or token ends that the caller has proved itself with.
    fn trusted_until(&self) -> Instant {
        let now = self.desk.bundles.operations().now();
        let ends = self.caller.ends_at().map(|end| end.since(now));
        Instant::now() + ends.unwrap_or(LONGEST_TRUST).min(LONGEST_TRUST)
    }

    /// Whether the caller may still make bundles; until when that needs no further question.
    async fn recheck(&mut self) -> Result<Instant, End> {
        let checked = self.desk.bundles.access().recheck(&self.caller).await;
        let now = self.desk.bundles.operations().now();
        let left = self.caller.fixed_end().map(|end| end.since(now));
        match checked {
            Ok(caller) if may_stay(&caller) => {
                self.caller = caller;
                Ok(self.trusted_until())
            }
            // A database that does not answer takes no rights away, and a token that has
            // ended gives none.
            Err(error @ (AccessError::Storage(_) | AccessError::Busy))
                if left != Some(Duration::ZERO) =>
            {
                tracing::warn!(%error, "whether a socket of 2020 may stay could not be asked; asking again");
                Ok(Instant::now() + left.unwrap_or(ASK_AGAIN).min(ASK_AGAIN))
            }
            _ => Err(End::Close(CloseCode::Policy, "signed-out")),
        }
    }

    /// The server stops. What runs may end; what still waits to be run does not begin.
    async fn stop(&mut self) -> Result<(), End> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        match self.desk.bundles.operation(running.id).await {
            Ok(Some(operation)) if operation.state == OperationState::Queued => {
                Err(End::Close(CloseCode::Restart, "shutdown"))
            }
            _ => Ok(()),
        }
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        let within = sources_within(&self.desk);
        let order = match &message {
            Message::Text(text) => read(text.clone(), within).await,
            Message::Binary(bytes) => match Utf8Bytes::try_from(bytes.clone()) {
                Ok(text) => read(text, within).await,
                Err(_) => None,
            },
            _ => return Ok(()),
        };
        let Some(order) = order else {
            return self.say(message).await;
        };
        match self.waiting.push(order, within.most) {
            Ok(()) => Ok(()),
            Err(Full) => {
                let full = "Too many requests are waiting; send this one again later.";
                self.tell(full.to_owned()).await
            }
        }
    }

    async fn begin(&mut self, order: Order) -> Result<(), End> {
        let keep = order.keep;
        let id = match submit(&self.desk, &self.caller, order).await {
            Ok(id) => id,
            Err(error) => {
                return self
                    .tell(format!("The request cannot be done: {error}."))
                    .await;
            }
        };
        let operations = self.desk.bundles.operations();
        match operations.follow_log(OperationId::from(id), 1).await {
            Ok(log) => {
                self.running = Some(Running { id, keep, log });
                Ok(())
            }
            Err(error) => self.lose(id, keep, &error).await,
        }
    }

    /// A bundle cannot be followed, so nobody here would ever take it.
    async fn lose(
        &mut self,
        id: BundleId,
        keep: bool,
        error: &operations::Error,
    ) -> Result<(), End> {
        if !keep {
            abandon(&self.desk, id, &self.caller).await;
        }
        self.tell(format!("The request cannot be followed: {error}."))
            .await
    }

    async fn follow(&mut self, event: operations::Result<LogEvent>) -> Result<(), End> {
        match event {
            Ok(LogEvent::Lines(lines)) => {
                for text in finished_files(&lines.encoded) {
                    self.pass(Message::text(text)).await?;
                }
                Ok(())
            }
            Ok(LogEvent::Gap { .. }) => Ok(()),
            Ok(LogEvent::End { .. }) => match self.running.take() {
                Some(running) => self.deliver(running.id).await,
                None => Ok(()),
            },
            Err(error) => match self.running.take() {
                Some(running) => self.lose(running.id, running.keep, &error).await,
                None => Ok(()),
            },
        }
    }

    /// Sends what was made: the archive, a link to it, or why there is none.
    async fn deliver(&mut self, id: BundleId) -> Result<(), End> {
        let rights = Rights::from(&self.caller);
        match self.desk.bundles.get(id, rights).await {
            Ok(bundle) if bundle.state == OperationState::Succeeded => self.give(bundle).await,
            Ok(bundle) => {
                let error = bundle.operation.and_then(|operation| operation.error);
                let why = error.map_or_else(|| bundle.state.to_string(), |error| error.message);
                self.tell(format!("The bundle could not be made: {why}"))
                    .await
            }
            Err(error) => {
                self.tell(format!("The bundle cannot be had: {error}."))
                    .await
            }
        }
    }

    async fn give(&mut self, bundle: Bundle) -> Result<(), End> {
        if bundle.size.is_some_and(|size| size < ONE_MESSAGE) {
            return match open(&self.desk, bundle.id).await {
                Ok(file) => {
                    self.outgoing = Some(Outgoing::file(&file));
                    Ok(())
                }
                Err(error) => {
                    self.tell(format!("The archive cannot be read: {error}."))
                        .await
                }
            };
        }
        let good = Duration::from_secs(KEPT);
        match links::signed(&self.desk, &self.caller, &self.client, bundle.id, good).await {
            Ok(link) => self.tell(link.url).await,
            Err(problem) => self.tell(problem.detail().to_owned()).await,
        }
    }

    /// The socket is closed: what is made for it alone is not wanted any more, and what
    /// shall be kept is made, if its caller is still `allowed` to have it made.
    async fn leave(&mut self, allowed: bool) {
        if let Some(Running { id, keep, log }) = self.running.take() {
            drop(log);
            if !keep {
                abandon(&self.desk, id, &self.caller).await;
            }
        }
        for order in std::mem::take(&mut self.waiting).kept().filter(|_| allowed) {
            if let Err(error) = submit(&self.desk, &self.caller, order).await {
                tracing::warn!(%error, "an order to be kept was not accepted after its socket closed");
            }
        }
    }
}
