//! The sink of a running operation: numbers its lines and holds them until the
//! scribe has stored them. Bounded: who writes faster than the disk waits.

use super::line::Stream;
use super::segment::{OpenSegment, write_live};
use base::{SharedClock, Timestamp};
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A row of the log holds about this much before compression.
const SEGMENT: usize = 64 << 10;
/// Lines that wait to be stored, in bytes, before their writer must wait.
const WAITING: usize = 1 << 20;
/// From here on the scribe is woken and does not wait for its tick.
pub(crate) const URGENT: usize = 256 << 10;
/// A live message holds about this much.
const FRAME: usize = 48 << 10;
/// A longer line is cut into several.
pub(crate) const LONGEST_LINE: usize = 64 << 10;
/// Data that is longer is left out: a line carries a remark, not a result.
const LONGEST_DATA: usize = 64 << 10;

/// What the scribe stores at once: rows to write, then messages to show.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<SegmentRow>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) last: u64,
    pub(crate) bytes: u64,
}

/// A row of `operation_log`; the newest of an operation is written again as it grows.
#[derive(Debug)]
pub(crate) struct SegmentRow {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) raw: Vec<u8>,
}

/// Lines as they are sent to all who watch: encoded once.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// `[…],[…]`, without the message around it.
    pub(crate) lines: Bytes,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Sink {
    clock: SharedClock,
    limit: u64,
    inner: Mutex<Inner>,
    stored: Notify,
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct Inner {
    /// Full segments that wait to be stored for the last time.
    full: Vec<OpenSegment>,
    /// The one that grows; stored again and again until it is full.
    open: OpenSegment,
    frames: Vec<Frame>,
    frame: Vec<u8>,
    frame_first: u64,
    next: u64,
    waiting: usize,
    /// How much of `waiting` the scribe has taken and not stored yet.
    taken: usize,
    total: u64,
    closed: bool,
}

impl Sink {
    /// A sink whose first line has the number `next`. `total` bytes were written
    /// by earlier attempts; at `limit` it says so and takes no more.
    pub(crate) fn new(
        clock: SharedClock,
        next: u64,
        total: u64,
        limit: u64,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            clock,
            limit,
            inner: Mutex::new(Inner {
                full: Vec::new(),
                open: OpenSegment::new(next),
                frames: Vec::new(),
                frame: Vec::new(),
                frame_first: next,
                next,
                waiting: 0,
                taken: 0,
                total,
                closed: false,
            }),
            stored: Notify::new(),
            wake,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The lock is never held over an await, and nothing that it guards is left
        // half-changed by a panic that could be survived.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line, already redacted. Waits while too much waits to be stored.
    pub(crate) async fn write(&self, stream: Stream, text: &str, data: Option<&str>) {
        let data = data.filter(|data| data.len() <= LONGEST_DATA);
        let mut rest = text;
        loop {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_LINE));
            let last = after.is_empty();
            self.room().await;
            let waiting = {
                let mut inner = self.inner();
                let before = inner.waiting;
                inner.push(
                    self.clock.now(),
                    self.limit,
                    stream,
                    piece,
                    if last { data } else { None },
                );
                (before, inner.waiting)
            };
            if waiting.0 == 0 || (waiting.0 < URGENT && waiting.1 >= URGENT) {
                self.wake.notify_one();
            }
            if last {
                break;
            }
            rest = after;
        }
    }

    /// Waits until everything written so far is stored, or nobody stores any more.
    pub(crate) async fn drained(&self) {
        self.until(|inner| inner.waiting == 0).await;
    }

    async fn room(&self) {
        self.until(|inner| inner.waiting < WAITING).await;
    }

    async fn until(&self, holds: impl Fn(&Inner) -> bool) {
        loop {
            let stored = self.stored.notified();
            tokio::pin!(stored);
            // Registered before the look, so that no wake-up is missed.
            stored.as_mut().enable();
            {
                let inner = self.inner();
                if inner.closed || holds(&inner) {
                    return;
                }
            }
            self.wake.notify_one();
            stored.await;
        }
    }

    /// Takes what waits. The caller stores it and then says [`Sink::stored`].
    pub(crate) fn take(&self) -> Option<Batch> {
        self.inner().take()
    }

    /// What was taken last is stored, or never will be.
    pub(crate) fn stored(&self) {
        let mut inner = self.inner();
        inner.waiting -= inner.taken;
        inner.taken = 0;
        drop(inner);
        self.stored.notify_waiters();
    }

    /// How many bytes wait to be stored.
    pub(crate) fn waiting(&self) -> usize {
        self.inner().waiting
    }

    /// Nobody will store any more: writers go on without waiting, into nothing.
    pub(crate) fn close(&self) {
        self.inner().closed = true;
        self.stored.notify_waiters();
    }
}

impl Inner {
    fn push(&mut self, at: Timestamp, limit: u64, stream: Stream, text: &str, data: Option<&str>) {
        if self.closed || self.total > limit {
            return;
        }
        let data_bytes = data.map_or(0, |data| data.len() + 1);
        self.total += (text.len() + 1 + data_bytes) as u64;
        if self.total > limit {
            let notice = format!(
                "The log has reached its limit of {limit} bytes; what follows is not kept."
            );
            self.append(at, Stream::System, &notice, None);
            return;
        }
        self.append(at, stream, text, data);
    }

    fn append(&mut self, at: Timestamp, stream: Stream, text: &str, data: Option<&str>) {
        if self.open.len() >= SEGMENT {
            let next = OpenSegment::new(self.next);
            self.full.push(std::mem::replace(&mut self.open, next));
        }
        self.open.push(at, stream, text, data);
        write_live(&mut self.frame, self.next, at, stream, text, data);
        self.next += 1;
        self.waiting += text.len() + data.map_or(0, str::len) + 24;
        if self.frame.len() >= FRAME {
            self.end_frame();
        }
    }

    fn end_frame(&mut self) {
        if !self.frame.is_empty() {
            self.frames.push(Frame {
                first: self.frame_first,
                last: self.next - 1,
                lines: std::mem::take(&mut self.frame).into(),
            });
        }
        self.frame_first = self.next;
    }

    fn take(&mut self) -> Option<Batch> {
        if self.waiting == 0 {
            return None;
        }
        self.end_frame();
        self.taken = self.waiting;
        let full = std::mem::take(&mut self.full);
        let rows = full
            .iter()
            .chain(std::iter::once(&self.open))
            .filter(|segment| segment.last >= segment.first);
        Some(Batch {
            rows: rows.map(OpenSegment::row).collect(),
            frames: std::mem::take(&mut self.frames),
            last: self.next - 1,
            bytes: self.total,
        })
    }
}
