//! The feeds of logs.

use crate::live::ring::{LiveLines, Look, Ring, Source};
use crate::log::segment::{self, write_live};
use crate::log::sink::Frame;
use crate::{Error, Result, sql};
use base::OperationId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::Db;
use tokio::sync::watch;

/// Rows that one who is behind reads at once.
const ROWS: u64 = 2;
/// What a lost wake-up costs at most.
const TICK: Duration = Duration::from_secs(2);

/// What a follower of a log is told.
#[derive(Clone, Debug)]
pub enum LogEvent {
    /// Lines.
    Lines(LiveLines),
    /// These lines are no longer kept.
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The operation has ended, and every line was given.
    End {
        /// The number of the last line.
        last: u64,
    },
}

/// The feeds of one process: of operations that run here or are watched here.
#[derive(Debug)]
pub(crate) struct Logs {
    db: Db,
    feeds: Mutex<HashMap<OperationId, Arc<Feed>>>,
}

/// The newest lines of one operation.
#[derive(Debug)]
struct Feed {
    ring: Mutex<Ring>,
    /// Counts what happened: new lines, an end, a message of another replica.
    news: watch::Sender<u64>,
}

impl Logs {
    pub(crate) fn new(db: Db) -> Arc<Self> {
        Arc::new(Self {
            db,
            feeds: Mutex::new(HashMap::new()),
        })
    }

    fn feed(&self, operation: OperationId) -> Arc<Feed> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let feed = feeds.entry(operation).or_insert_with(|| {
            Arc::new(Feed {
                ring: Mutex::default(),
                news: watch::Sender::new(0),
            })
        });
        Arc::clone(feed)
    }

    fn existing(&self, operation: OperationId) -> Option<Arc<Feed>> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.get(&operation).cloned()
    }

    /// The operation runs here from now on; `last` lines are stored already.
    pub(crate) fn begin(&self, operation: OperationId, last: u64) {
        self.change_source(operation, Source::Here, Some(last));
    }

    /// It does not run here any more; `ended` when it never will again.
    pub(crate) fn end(&self, operation: OperationId, ended: bool) {
        let source = if ended {
            Source::Ended
        } else {
            Source::Elsewhere
        };
        self.change_source(operation, source, None);
    }

    fn change_source(&self, operation: OperationId, source: Source, last: Option<u64>) {
        let feed = self.feed(operation);
        {
            let mut ring = feed.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.change_source(source, last);
        }
        feed.news.send_modify(|news| *news += 1);
    }

    /// How many follow a log here.
    pub(crate) fn followers(&self, operation: OperationId) -> usize {
        let feed = self.existing(operation);
        feed.map_or(0, |feed| feed.news.receiver_count())
    }

    /// Lines were stored here.
    pub(crate) fn publish(&self, operation: OperationId, frames: Vec<Frame>) {
        let feed = self.feed(operation);
        {
            let mut ring = feed.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.publish(frames);
        }
        feed.news.send_modify(|news| *news += 1);
    }

    /// Something happened to the operation: it ended, or another replica stored lines.
    pub(crate) fn wake(&self, operation: OperationId) {
        if let Some(feed) = self.existing(operation) {
            feed.news.send_modify(|news| *news += 1);
        }
    }

    /// Anything may have happened to any of them.
    pub(crate) fn wake_all(&self) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        for feed in feeds.values() {
            feed.news.send_modify(|news| *news += 1);
        }
    }

    /// Forgets feeds that nobody watches and that do not run here.
    pub(crate) fn forget(&self, runs_here: impl Fn(OperationId) -> bool) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|operation, feed| feed.news.receiver_count() > 0 || runs_here(*operation));
    }

    pub(crate) fn follow(self: &Arc<Self>, operation: OperationId, from: u64) -> LogFollower {
        let feed = self.feed(operation);
        LogFollower {
            db: self.db.clone(),
            operation,
            next: from.max(1),
            news: feed.news.subscribe(),
            feed,
            ended: false,
        }
    }
}

/// One who follows a log from a line on.
#[derive(Debug)]
pub struct LogFollower {
    db: Db,
    operation: OperationId,
    next: u64,
    feed: Arc<Feed>,
    news: watch::Receiver<u64>,
    ended: bool,
}

impl LogFollower {
    /// Which operation.
    #[must_use]
    pub const fn operation(&self) -> OperationId {
        self.operation
    }

    /// What comes next, waiting for it. After [`LogEvent::End`] it waits for ever.
    /// Cancel-safe.
    ///
    /// # Errors
    /// When the database does not answer, or the operation was removed.
    pub async fn next(&mut self) -> Result<LogEvent> {
        if self.ended {
            std::future::pending::<()>().await;
        }
        loop {
            // Seen before the look, so that what comes meanwhile wakes us again.
            self.news.borrow_and_update();
            match self.look_in_memory() {
                Look::Lines(lines) => {
                    self.next = lines.last + 1;
                    return Ok(LogEvent::Lines(lines));
                }
                Look::End { last } => {
                    self.ended = true;
                    return Ok(LogEvent::End { last });
                }
                Look::Nothing => {
                    // The feed is ours, so its sender lives.
                    let _ = self.news.changed().await;
                }
                Look::AskStorage => {
                    if let Some(event) = self.look_in_storage().await? {
                        return Ok(event);
                    }
                    // The tick is for a message that was lost between replicas.
                    let _ = tokio::time::timeout(TICK, self.news.changed()).await;
                }
            }
        }
    }

    fn look_in_memory(&self) -> Look {
        let ring = self
            .feed
            .ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ring.look(self.next)
    }

    async fn look_in_storage(&mut self) -> Result<Option<LogEvent>> {
        // The state is read first: an operation that has ended writes no more lines.
        let (first, last, state) = sql::operation::log_bounds(&self.db, self.operation)
            .await?
            .ok_or(Error::NoOperation(self.operation))?;
        if self.next < first {
            let gap = LogEvent::Gap {
                from: self.next,
                to: first - 1,
            };
            self.next = first;
            return Ok(Some(gap));
        }
        if self.next <= last
            && let Some(event) = self.read_segments().await?
        {
            return Ok(Some(event));
        }
        if state.is_ended() {
            self.ended = true;
            return Ok(Some(LogEvent::End {
                last: self.next - 1,
            }));
        }
        Ok(None)
    }

    async fn read_segments(&mut self) -> Result<Option<LogEvent>> {
        let rows = sql::log::segments(&self.db, self.operation, self.next, ROWS).await?;
        let mut encoded = Vec::new();
        let (from, mut last) = (self.next, self.next - 1);
        for row in &rows {
            segment::read(row.first, &row.chunk, |seq, time, stream, text, data| {
                if seq >= from {
                    write_live(&mut encoded, seq, time, stream, text, data);
                    last = seq;
                }
            })?;
        }
        if encoded.is_empty() {
            return Ok(None);
        }
        self.next = last + 1;
        Ok(Some(LogEvent::Lines(LiveLines::new(last, encoded.into()))))
    }
}
