//! Follows one operation and its log, whatever happens to the connection.
//!
//! The live socket is followed while it lasts. When it breaks, or cannot be opened
//! (a proxy that passes no WebSockets on), what happened meanwhile is read over
//! HTTP, and the socket is tried again. A line's number says which lines were told
//! already, so none is told twice and none is left out.

use super::live::{Live, Said};
use super::{Client, Error, Result};
use base::{OperationId, Timestamp};
use operations::{Operation, Stream};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Events that wait for who follows.
const PLACES: usize = 16;
/// Pauses between attempts, the first and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long the server may be away.
const OUTAGE: Duration = Duration::from_secs(120);
/// Lines that are read over HTTP at once.
const PAGE: usize = 1000;

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The operation changed, and stands like this.
    Operation(Box<Operation>),
    /// Lines of its log, each one once and in order.
    Lines(Vec<Line>),
    /// Lines that are not kept any more.
    Gap { from: u64, to: u64 },
    /// It has ended, and everything was told.
    End,
}

/// A line of a log.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) stream: Stream,
    pub(crate) text: String,
    pub(crate) data: Option<Value>,
}

/// A page of a log, as the API gives it.
#[derive(Debug, Deserialize)]
pub(crate) struct LogPage {
    pub(crate) lines: Vec<Line>,
    pub(crate) next: Option<u64>,
    pub(crate) first_seq: u64,
    pub(crate) ended: bool,
}

/// Follows, in a task that ends with it.
#[derive(Debug)]
pub(crate) struct Follower {
    events: mpsc::Receiver<Result<Event>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Follows an operation, with its log from line `log_from` on.
    pub(crate) fn start(client: Client, operation: OperationId, log_from: Option<u64>) -> Self {
        let (sender, events) = mpsc::channel(PLACES);
        let following = Following {
            client,
            operation,
            next: log_from,
            told_changes: None,
            state_ended: false,
            log_ended: log_from.is_none(),
            events: sender,
        };
        Self {
            events,
            task: tokio::spawn(following.run()),
        }
    }

    /// What happens next; nothing after the end, or after an error that lasts. May be
    /// dropped and asked again.
    pub(crate) async fn next(&mut self) -> Option<Result<Event>> {
        self.events.recv().await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Following {
    client: Client,
    operation: OperationId,
    /// The line to be told next; no log is wanted without.
    next: Option<u64>,
    /// The number of the newest change that was told.
    told_changes: Option<u64>,
    state_ended: bool,
    log_ended: bool,
    events: mpsc::Sender<Result<Event>>,
}

/// Why following pauses or ends.
enum Stop {
    /// Everything was told.
    Done,
    /// Nobody listens any more.
    Unheard,
    /// The connection broke; whether it had been of use.
    Broken { useful: bool },
    /// It will not get better.
    Lasting(Error),
}

impl Following {
    async fn run(mut self) {
        let mut lost: Option<Instant> = None;
        let mut pause = PAUSE;
        loop {
            let stop = match self.over_socket().await {
                // Over HTTP it shows whether the server is away, or refuses.
                Stop::Broken { useful } => {
                    if useful {
                        (lost, pause) = (None, PAUSE);
                    }
                    self.over_http().await
                }
                stop => stop,
            };
            match stop {
                Stop::Unheard => return,
                Stop::Done => {
                    let _ = self.events.send(Ok(Event::End)).await;
                    return;
                }
                Stop::Broken { useful: true } => lost = None,
                Stop::Broken { useful: false } => {}
                Stop::Lasting(error) => {
                    let since = *lost.get_or_insert_with(Instant::now);
                    if !error.may_pass() || since.elapsed() > OUTAGE {
                        let _ = self.events.send(Err(error)).await;
                        return;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn tell(&self, event: Event) -> std::result::Result<(), Stop> {
        self.events.send(Ok(event)).await.map_err(|_| Stop::Unheard)
    }

    const fn is_done(&self) -> bool {
        self.state_ended && self.log_ended
    }

    async fn over_socket(&mut self) -> Stop {
        let opened = Live::open(&self.client, self.operation, self.next).await;
        let Ok(mut live) = opened else {
            return Stop::Broken { useful: false };
        };
        let mut useful = false;
        loop {
            let Ok(said) = live.next().await else {
                return Stop::Broken { useful };
            };
            useful = true;
            if let Err(stop) = self.heard(said).await {
                return stop;
            }
            if self.is_done() {
                return Stop::Done;
            }
        }
    }

    async fn heard(&mut self, said: Said) -> std::result::Result<(), Stop> {
        match said {
            Said::Operation(operation) => self.changed(operation).await,
            Said::Lines(lines) => self.lines(lines).await,
            Said::Gap { from, to } => self.gap(from, to).await,
            Said::LogEnd => {
                self.log_ended = true;
                Ok(())
            }
        }
    }

    async fn changed(&mut self, operation: Box<Operation>) -> std::result::Result<(), Stop> {
        // What the socket and HTTP both tell is told once.
        if self
            .told_changes
            .is_some_and(|told| told >= operation.changed)
        {
            return Ok(());
        }
        self.told_changes = Some(operation.changed);
        self.state_ended = operation.state.is_ended();
        self.tell(Event::Operation(operation)).await
    }

    async fn lines(&mut self, mut lines: Vec<Line>) -> std::result::Result<(), Stop> {
        let Some(next) = self.next else { return Ok(()) };
        lines.retain(|line| line.seq >= next);
        let Some(last) = lines.last() else {
            return Ok(());
        };
        self.next = Some(last.seq + 1);
        self.tell(Event::Lines(lines)).await
    }

    async fn gap(&mut self, from: u64, to: u64) -> std::result::Result<(), Stop> {
        let Some(next) = self.next.filter(|next| *next <= to) else {
            return Ok(());
        };
        self.next = Some(to + 1);
        let from = from.max(next);
        self.tell(Event::Gap { from, to }).await
    }

    /// Reads once what there is by now.
    async fn over_http(&mut self) -> Stop {
        match self.read().await {
            Ok(()) if self.is_done() => Stop::Done,
            Ok(()) => Stop::Broken { useful: true },
            Err(stop) => stop,
        }
    }

    async fn read(&mut self) -> std::result::Result<(), Stop> {
        let path = format!("/api/v1/operations/{}", self.operation);
        let operation = self.client.get(&path).await.map_err(Stop::Lasting)?;
        let operation = serde_json::from_value(operation).map_err(strange)?;
        self.changed(Box::new(operation)).await?;
        while let Some(from) = self.next {
            let page = log_page(&self.client, self.operation, from).await;
            let page = page.map_err(Stop::Lasting)?;
            if page.first_seq > from {
                self.gap(from, page.first_seq - 1).await?;
            }
            self.lines(page.lines).await?;
            if page.next.is_none() {
                self.log_ended = page.ended;
                break;
            }
        }
        Ok(())
    }
}

fn strange(error: serde_json::Error) -> Stop {
    Stop::Lasting(Error::Stranger(format!(
        "the server answers as this version does not understand ({error})"
    )))
}

/// A page of a log over HTTP.
pub(crate) async fn log_page(
    client: &Client,
    operation: OperationId,
    from: u64,
) -> Result<LogPage> {
    let path = format!("/api/v1/operations/{operation}/log");
    let query = [("from", from.to_string()), ("limit", PAGE.to_string())];
    let page = client.get_with(&path, &query).await?;
    serde_json::from_value(page).map_err(|error| {
        Error::Stranger(format!(
            "the server answers as this version does not understand ({error})"
        ))
    })
}
