//! Finds every occurrence of every pattern, overlapping ones too, one byte at a
//! time (Aho and Corasick, 1975), and knows how much of what it has read may be
//! the beginning of another.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) struct Automaton {
    nfa: NFA,
    start: StateID,
    /// For each state but the start, in order, how many bytes of a pattern it stands
    /// for: the longest end of the input that is the beginning of a pattern. Asked
    /// once a chunk, so small is better than fast.
    depths: Box<[(StateID, u32)]>,
}

impl Automaton {
    /// `None` where there are more patterns than an automaton holds.
    pub(super) fn new(patterns: &BTreeSet<Vec<u8>>) -> Option<Self> {
        let nfa = NFA::builder().prefilter(false).build(patterns).ok()?;
        let start = nfa.start_state(Anchored::No).ok()?;
        let mut depths = Vec::with_capacity(patterns.iter().map(Vec::len).sum());
        for pattern in patterns {
            let mut state = start;
            for (depth, byte) in (1..).zip(pattern) {
                state = nfa.next_state(Anchored::No, state, *byte);
                depths.push((state, depth));
            }
        }
        depths.sort_unstable();
        depths.dedup();
        let depths = depths.into_boxed_slice();
        Some(Self { nfa, start, depths })
    }

    pub(super) const fn start(&self) -> StateID {
        self.start
    }

    /// How many of the bytes just read may be the beginning of a pattern.
    pub(super) fn undecided(&self, state: StateID) -> usize {
        self.depths
            .binary_search_by_key(&state, |(known, _)| *known)
            .ok()
            .and_then(|index| self.depths.get(index))
            .map_or(0, |(_, depth)| *depth as usize)
    }

    /// Reads on from `state`, and adds what patterns cover to `covered`, which stays
    /// in order, without overlaps. The first byte read is at `position`; what an
    /// occurrence covers before position 0 is cut off.
    pub(super) fn cover(
        &self,
        mut state: StateID,
        bytes: &[u8],
        position: usize,
        covered: &mut Vec<Range<usize>>,
    ) -> StateID {
        for (index, byte) in bytes.iter().enumerate() {
            state = self.nfa.next_state(Anchored::No, state, *byte);
            if self.nfa.is_special(state) && self.nfa.is_match(state) {
                let end = position + index + 1;
                push(covered, end.saturating_sub(self.longest_at(state))..end);
            }
        }
        state
    }

    fn longest_at(&self, state: StateID) -> usize {
        (0..self.nfa.match_len(state))
            .map(|index| self.nfa.pattern_len(self.nfa.match_pattern(state, index)))
            .max()
            .unwrap_or(0)
    }
}

/// Adds a range that ends after all others; ranges that touch become one.
fn push(covered: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = covered.pop_if(|last| last.end >= range.start) {
        range.start = range.start.min(last.start);
    }
    covered.push(range);
}
