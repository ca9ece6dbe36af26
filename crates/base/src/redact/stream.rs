//! Redaction of what comes in chunks, as the output of a process does.

use super::{MARK, Redactor, Search};
use aho_corasick::automaton::StateID;
use std::fmt;
use std::ops::Range;

/// Redacts a stream: what comes out, put together, is what [`Redactor::redact_bytes`]
/// makes of the whole, however it is cut into chunks.
///
/// It holds back only bytes that may be the beginning of a secret, at most one
/// less than the longest form looked for; everything else comes out at once, so
/// a prompt is not delayed.
pub struct RedactedStream {
    redactor: Redactor,
    state: Option<StateID>,
    /// Bytes read and not yet out.
    held: Vec<u8>,
    /// What of them is covered, in order.
    covered: Vec<Range<usize>>,
    /// Whether the last byte that went out was covered, so that its mark stands already.
    in_mark: bool,
}

impl RedactedStream {
    /// The beginning of a stream.
    #[must_use]
    pub fn new(redactor: &Redactor) -> Self {
        Self {
            redactor: redactor.clone(),
            state: None,
            held: Vec::new(),
            covered: Vec::new(),
            in_mark: false,
        }
    }

    /// Reads a chunk, and appends to `out` what may be shown.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let undecided = match &self.redactor.0.search {
            Search::Nothing => return out.extend_from_slice(chunk),
            Search::Everything => {
                let end = self.held.len() + chunk.len();
                if end > 0 {
                    self.covered.clear();
                    self.covered.push(0..end);
                }
                0
            }
            Search::Patterns(automaton) => {
                let state = self.state.unwrap_or(automaton.start());
                let state = automaton.cover(state, chunk, self.held.len(), &mut self.covered);
                self.state = Some(state);
                automaton.undecided(state)
            }
        };
        self.held.extend_from_slice(chunk);
        self.release(self.held.len().saturating_sub(undecided), out);
    }

    /// The end of the stream: what was held back turned out to be no secret, and goes
    /// out. The stream may be used again, from its beginning.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(self.held.len(), out);
        self.state = None;
        self.in_mark = false;
    }

    /// How many bytes are held back now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Puts out the first `decided` bytes, and covered ones that follow directly.
    fn release(&mut self, decided: usize, out: &mut Vec<u8>) {
        let mut done = 0;
        let mut kept = Vec::new();
        for range in self.covered.drain(..) {
            if range.start > decided {
                kept.push(range);
                continue;
            }
            self.in_mark &= range.start == done;
            if !self.in_mark {
                out.extend_from_slice(self.held.get(done..range.start).unwrap_or_default());
                out.extend_from_slice(MARK.as_bytes());
                self.in_mark = true;
            }
            done = range.end;
        }
        if done < decided {
            out.extend_from_slice(self.held.get(done..decided).unwrap_or_default());
            self.in_mark = false;
            done = decided;
        }
        self.covered = kept
            .into_iter()
            .map(|range| range.start - done..range.end - done)
            .collect();
        self.held.drain(..done);
    }
}

impl fmt::Debug for RedactedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RedactedStream({:?}, {} bytes held)",
            self.redactor,
            self.held.len()
        )
    }
}
