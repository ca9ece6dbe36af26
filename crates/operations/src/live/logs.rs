//! The feeds of logs.

use crate::live::reader;
use crate::live::ring::{LiveLines, Look, Reading, Ring, Source};
use crate::log::sink::Frame;
use crate::{Error, Result, sql};
use base::OperationId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::Db;
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

/// How long one who has read all of storage waits for memory before it looks again.
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
    feeds: Mutex<HashMap<OperationId, Entry>>,
}

/// A feed, and the task that fills it while another process writes.
#[derive(Debug)]
struct Entry {
    feed: Arc<Feed>,
    reader: Option<AbortOnDropHandle<()>>,
}

/// The newest lines of one operation.
#[derive(Debug, Default)]
pub(super) struct Feed {
    ring: Mutex<Ring>,
    /// Counts what happened: new lines, an end.
    news: watch::Sender<u64>,
    /// Wakes the reader: storage may have more.
    stored: Notify,
}

impl Feed {
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing that it guards is left half-changed by a panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells who follows that there is something new in memory.
    pub(super) fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    pub(super) fn is_followed(&self) -> bool {
        self.news.receiver_count() > 0
    }

    /// Waits until storage may have more.
    pub(super) async fn stored(&self) {
        self.stored.notified().await;
    }

    fn change_source(&self, source: Source, last: Option<u64>) {
        self.ring().change_source(source, last);
        self.tell();
        self.stored.notify_one();
    }
}

impl Logs {
    pub(crate) fn new(db: Db) -> Arc<Self> {
        Arc::new(Self {
            db,
            feeds: Mutex::new(HashMap::new()),
        })
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<OperationId, Entry>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn existing(&self, operation: OperationId) -> Option<Arc<Feed>> {
        let feeds = self.feeds();
        feeds.get(&operation).map(|entry| Arc::clone(&entry.feed))
    }

    /// The operation runs here from now on; `last` lines are stored already.
    pub(crate) fn begin(&self, operation: OperationId, last: u64) {
        let mut feeds = self.feeds();
        let entry = feeds.entry(operation).or_insert_with(Entry::new);
        entry.feed.change_source(Source::Here, Some(last));
    }

    /// It does not run here any more; `ended` when it never will again.
    pub(crate) fn end(&self, operation: OperationId, ended: bool) {
        let source = if ended {
            Source::Ended
        } else {
            Source::Elsewhere
        };
        // One that was forgotten is followed by nobody.
        if let Some(feed) = self.existing(operation) {
            feed.change_source(source, None);
        }
    }

    /// How many follow a log here.
    pub(crate) fn followers(&self, operation: OperationId) -> usize {
        let feed = self.existing(operation);
        feed.map_or(0, |feed| feed.news.receiver_count())
    }

    /// Lines were stored here.
    pub(crate) fn publish(&self, operation: OperationId, frames: Vec<Frame>) {
        let Some(feed) = self.existing(operation) else {
            return;
        };
        if feed.is_followed() {
            feed.ring().publish(frames);
        } else if let Some(newest) = frames.last() {
            // Whoever comes later begins with what is stored.
            feed.ring().pass(newest.last);
        }
        // Also for who began to follow just now.
        feed.tell();
    }

    /// Something happened to the operation: it ended, or another replica stored lines.
    pub(crate) fn wake(&self, operation: OperationId) {
        if let Some(feed) = self.existing(operation) {
            feed.stored.notify_one();
        }
    }

    /// Anything may have happened to any of them.
    pub(crate) fn wake_all(&self) {
        for entry in self.feeds().values() {
            entry.feed.stored.notify_one();
        }
    }

    /// Forgets feeds that nobody watches and that do not run here.
    pub(crate) fn forget(&self, runs_here: impl Fn(OperationId) -> bool) {
        self.feeds()
            .retain(|operation, entry| entry.feed.is_followed() || runs_here(*operation));
    }

    /// Follows a log. Needs the runtime, for the task that reads what others write.
    pub(crate) fn follow(&self, operation: OperationId, from: u64) -> LogFollower {
        let mut feeds = self.feeds();
        let entry = feeds.entry(operation).or_insert_with(Entry::new);
        // Subscribed while nobody can forget the feed.
        let news = entry.feed.news.subscribe();
        entry.see_to_reader(&self.db, operation);
        LogFollower {
            db: self.db.clone(),
            operation,
            next: from.max(1),
            news,
            feed: Arc::clone(&entry.feed),
            ended: false,
        }
    }
}

impl Entry {
    fn new() -> Self {
        Self {
            feed: Arc::default(),
            reader: None,
        }
    }

    /// However many follow, one task reads for all of them what this process does not
    /// write itself. It ends with the feed.
    fn see_to_reader(&mut self, db: &Db, operation: OperationId) {
        let reads = self.reader.as_ref().is_some_and(|task| !task.is_finished());
        if !reads && self.feed.ring().reads_from() != Reading::Done {
            let task = reader::run(db.clone(), operation, Arc::clone(&self.feed));
            self.reader = Some(AbortOnDropHandle::new(tokio::spawn(task)));
        }
        // It may be waiting for somebody who follows.
        self.feed.stored.notify_one();
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
                    // The tick is for the moment before the reader's first look.
                    let _ = tokio::time::timeout(TICK, self.news.changed()).await;
                }
            }
        }
    }

    fn look_in_memory(&self) -> Look {
        self.feed.ring().look(self.next)
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
        let frames = reader::frames(&self.db, self.operation, self.next, 1).await?;
        let Some(frame) = frames.into_iter().next() else {
            return Ok(None);
        };
        self.next = frame.last + 1;
        Ok(Some(LogEvent::Lines(LiveLines::new(
            frame.last,
            frame.lines,
        ))))
    }
}
