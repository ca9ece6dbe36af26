//! The newest lines of one log, in memory: what decides whether a follower is
//! served from here, from storage, or waits.

use crate::log::sink::Frame;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// Bytes of lines that a ring keeps.
const RING: usize = 512 << 10;

/// Lines as they are sent live, encoded once for all who watch.
#[derive(Clone, Debug)]
pub struct LiveLines {
    /// The last of their numbers.
    pub last: u64,
    /// `[seq, micros, stream, "text", data?]` for each, with commas between them.
    pub encoded: Bytes,
    message: Arc<OnceLock<Bytes>>,
}

impl LiveLines {
    pub(crate) fn new(last: u64, encoded: Bytes) -> Self {
        Self {
            last,
            encoded,
            message: Arc::default(),
        }
    }

    /// The message around them, made by whoever needs it first.
    pub fn message(&self, make: impl FnOnce(&[u8]) -> Bytes) -> Bytes {
        self.message.get_or_init(|| make(&self.encoded)).clone()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    frames: VecDeque<Shown>,
    bytes: usize,
    /// The number of the last line published here.
    last: u64,
    source: Source,
}

/// Lines in memory, from number `first` on.
#[derive(Debug)]
struct Shown {
    first: u64,
    lines: LiveLines,
}

/// Who writes the log, as far as this process knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// Another replica, or nobody: only storage knows.
    #[default]
    Elsewhere,
    /// This process: what is stored passes here first.
    Here,
    /// Nobody any more.
    Ended,
}

/// What memory has to say to a follower.
#[derive(Debug)]
pub(crate) enum Look {
    /// The next lines.
    Lines(LiveLines),
    /// The log has ended, and the follower has seen all of it.
    End {
        /// The number of the last line.
        last: u64,
    },
    /// There is nothing new; what comes will come here.
    Nothing,
    /// Memory does not know.
    AskStorage,
}

impl Ring {
    /// Another writes now. `last`: so many lines are stored, and what was in memory
    /// may be of an earlier writer.
    pub(crate) fn change_source(&mut self, source: Source, last: Option<u64>) {
        self.source = source;
        if let Some(last) = last {
            self.last = last;
            self.frames.clear();
            self.bytes = 0;
        }
    }

    /// Lines were stored.
    pub(crate) fn publish(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            self.last = frame.last;
            self.bytes += frame.lines.len();
            self.frames.push_back(Shown {
                first: frame.first,
                lines: LiveLines::new(frame.last, frame.lines),
            });
        }
        while self.bytes > RING
            && let Some(dropped) = self.frames.pop_front()
        {
            self.bytes -= dropped.lines.encoded.len();
        }
    }

    /// What there is from line `next` on.
    pub(crate) fn look(&self, next: u64) -> Look {
        if next > self.last {
            return match self.source {
                Source::Elsewhere => Look::AskStorage,
                Source::Here => Look::Nothing,
                Source::Ended => Look::End { last: self.last },
            };
        }
        let index = self.frames.partition_point(|shown| shown.lines.last < next);
        match self.frames.get(index) {
            Some(shown) if shown.first == next => Look::Lines(shown.lines.clone()),
            // In the middle of a frame, or before all of them: storage has the lines.
            _ => Look::AskStorage,
        }
    }
}
