//! What has been written and not yet taken: small parts are gathered, bodies pass
//! through untouched. It holds no more than the caller lets it: take the pieces
//! out after each call that writes.

use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

/// Parts up to this many bytes are copied next to each other; larger ones are
/// passed on as they are.
const COPIED: usize = 2 * 1024;
/// A gathered piece is closed at this many bytes.
const GATHERED: usize = 32 * 1024;

/// Pieces of the archive, oldest first.
#[derive(Debug, Default)]
pub struct Pieces {
    ready: VecDeque<Bytes>,
    tail: BytesMut,
    len: usize,
}

impl Pieces {
    /// Nothing written yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that wait to be taken. Taking them only at some 64 KiB gives larger
    /// pieces where entries are small.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The oldest piece. The last one is given out even if it is small.
    pub fn pop(&mut self) -> Option<Bytes> {
        let piece = match self.ready.pop_front() {
            Some(piece) => piece,
            None if self.tail.is_empty() => return None,
            None => self.tail.split().freeze(),
        };
        self.len -= piece.len();
        Some(piece)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.tail.capacity() - self.tail.len() < bytes.len() {
            self.close_tail();
            self.tail.reserve(bytes.len().max(GATHERED));
        }
        self.tail.extend_from_slice(bytes);
        self.len += bytes.len();
    }

    pub(super) fn pass(&mut self, bytes: Bytes) {
        if bytes.len() <= COPIED {
            return self.write(&bytes);
        }
        self.close_tail();
        self.len += bytes.len();
        self.ready.push_back(bytes);
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.ready.push_back(self.tail.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_are_gathered_and_large_ones_pass_untouched() {
        let mut pieces = Pieces::new();
        let body = Bytes::from(vec![7; COPIED + 1]);
        pieces.write(b"head");
        pieces.pass(Bytes::from_static(b"er"));
        pieces.pass(body.clone());
        pieces.write(b"end");
        assert_eq!(pieces.len(), 9 + body.len());
        assert_eq!(pieces.pop().as_deref(), Some(&b"header"[..]));
        let passed = pieces.pop().unwrap_or_default();
        assert_eq!(passed.as_ptr(), body.as_ptr());
        assert_eq!(pieces.pop().as_deref(), Some(&b"end"[..]));
        assert_eq!(pieces.pop(), None);
        assert!(pieces.is_empty());
    }

    #[test]
    fn gathered_pieces_are_bounded() {
        let mut pieces = Pieces::new();
        for _ in 0..100_000 {
            pieces.write(&[0; 9]);
        }
        let mut taken = 0;
        while let Some(piece) = pieces.pop() {
            assert!(piece.len() <= GATHERED);
            taken += piece.len();
        }
        assert_eq!(taken, 900_000);
    }
}
