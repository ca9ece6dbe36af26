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
    /// The number of the last line that is known of; nothing before the first look.
    last: Option<u64>,
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
    /// Another replica, or nobody: the feed's reader looks into storage.
    #[default]
    Elsewhere,
    /// This process: what is stored passes here first.
    Here,
    /// Nobody any more.
    Ended,
}

/// What the reader of a feed has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Lines after this one; without a number, it looks for the first time.
    After(Option<u64>),
    /// Nothing while this process writes.
    NotNow,
    /// Nothing, ever again.
    Done,
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
            self.pass(last);
        }
    }

    /// What the feed's reader has to do: nothing while lines come from this process.
    pub(crate) fn reads_from(&self) -> Reading {
        match (self.source, self.last) {
            (Source::Here, _) => Reading::NotNow,
            (Source::Ended, Some(_)) => Reading::Done,
            (Source::Elsewhere | Source::Ended, last) => Reading::After(last),
        }
    }

    /// So many lines are stored; whoever wants them asks storage.
    pub(crate) fn found(&mut self, last: u64) {
        if self.source != Source::Here {
            self.change_source(self.source, Some(last));
        }
    }

    /// What the reader found after line `after`; left out where this process has begun
    /// to write meanwhile.
    pub(crate) fn fill(&mut self, after: u64, frames: Vec<Frame>) -> bool {
        let fits = self.source != Source::Here && self.last == Some(after);
        if fits {
            self.publish(frames);
        }
        fits
    }

    /// Nothing follows line `last`.
    pub(crate) fn ended(&mut self, last: u64) {
        if self.source != Source::Here && self.last == Some(last) {
            self.source = Source::Ended;
        }
    }

    /// There is no such log any more: whoever follows finds out from storage.
    pub(crate) fn lose(&mut self) {
        if self.source != Source::Here {
            self.last = None;
            self.frames.clear();
            self.bytes = 0;
        }
    }

    /// Lines were stored.
    pub(crate) fn publish(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            self.last = Some(frame.last);
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

    /// Lines up to this one were stored while nobody followed: they take no memory.
    pub(crate) fn pass(&mut self, last: u64) {
        self.last = Some(last);
        self.frames.clear();
        self.bytes = 0;
    }

    /// What there is from line `next` on.
    pub(crate) fn look(&self, next: u64) -> Look {
        // Without a look at storage, memory does not know what there is to be known.
        let Some(last) = self.last else {
            return Look::AskStorage;
        };
        if next > last {
            return match self.source {
                Source::Elsewhere | Source::Here => Look::Nothing,
                Source::Ended => Look::End { last },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u64, last: u64) -> Frame {
        Frame {
            first,
            last,
            lines: Bytes::from_static(b"[]"),
        }
    }

    #[test]
    fn before_the_first_look_storage_is_asked_whoever_writes() {
        for source in [Source::Elsewhere, Source::Ended] {
            let mut ring = Ring::default();
            ring.change_source(source, None);
            assert!(matches!(ring.look(1), Look::AskStorage), "{source:?}");
            assert_eq!(ring.reads_from(), Reading::After(None));
        }
    }

    #[test]
    fn who_has_seen_all_waits_for_the_reader_and_asks_nobody() {
        let mut ring = Ring::default();
        ring.found(7);
        assert!(matches!(ring.look(8), Look::Nothing));
        assert!(ring.fill(7, vec![frame(8, 9)]));
        assert!(matches!(ring.look(8), Look::Lines(lines) if lines.last == 9));
        assert!(matches!(ring.look(7), Look::AskStorage));
        ring.ended(9);
        assert!(matches!(ring.look(10), Look::End { last: 9 }));
        assert_eq!(ring.reads_from(), Reading::Done);
    }

    #[test]
    fn what_was_read_elsewhere_never_mixes_with_what_is_written_here() {
        let mut ring = Ring::default();
        ring.found(7);
        ring.change_source(Source::Here, Some(8));
        assert!(!ring.fill(7, vec![frame(8, 8)]));
        ring.ended(8);
        ring.lose();
        ring.publish(vec![frame(9, 9)]);
        assert!(matches!(ring.look(9), Look::Lines(lines) if lines.last == 9));
        assert!(matches!(ring.look(10), Look::Nothing));
        assert_eq!(ring.reads_from(), Reading::NotNow);
    }

    #[test]
    fn what_nobody_followed_is_in_storage_and_what_comes_next_in_memory() {
        let mut ring = Ring::default();
        ring.change_source(Source::Here, Some(0));
        ring.publish(vec![frame(1, 3)]);
        ring.pass(7);
        assert!(ring.frames.is_empty());
        for stored in [1, 5, 7] {
            assert!(matches!(ring.look(stored), Look::AskStorage), "{stored}");
        }
        assert!(matches!(ring.look(8), Look::Nothing));
        ring.publish(vec![frame(8, 8)]);
        assert!(matches!(ring.look(8), Look::Lines(lines) if lines.last == 8));
    }
}
