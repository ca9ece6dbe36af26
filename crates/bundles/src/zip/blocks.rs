//! A body as stored blocks of deflate (RFC 1951 section 3.2.4): as cheap as
//! storing it, but its end can be found, and its length can be computed ahead.
//! Nothing is copied: five bytes go before each block, the body passes through.

use super::layout::MARK_32;
use super::pieces::Pieces;
use bytes::Bytes;

/// Most bytes in one block.
const BLOCK: u64 = 65_535;
const HEADER: u64 = 5;
static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];

/// Cuts one body into blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Bytes still to come, if that is known: then all blocks but the last are full.
    remaining: Option<u64>,
    /// Bytes that the last header still announces.
    open: u64,
    /// Whether that header was the last one of the body.
    ended: bool,
    /// Whether the block that holds the body's end may be the last one.
    end_with_data: bool,
    written: u64,
}

impl Blocks {
    pub(super) fn new(size: Option<u64>) -> Self {
        let end_with_data = size.is_some_and(|size| size > 0 && full_length(size) != Some(MARK_32));
        Self {
            remaining: size,
            open: 0,
            ended: false,
            end_with_data,
            written: 0,
        }
    }

    /// Bytes written so far, headers included.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes a part of the body: never more than is still to come.
    pub(super) fn push(&mut self, mut part: Bytes, out: &mut Pieces) {
        while !part.is_empty() {
            if self.open == 0 {
                let coming = self.remaining.unwrap_or(part.len() as u64);
                let last = self.end_with_data && coming <= BLOCK;
                self.begin(last, coming.min(BLOCK), out);
            }
            let open = usize::try_from(self.open).unwrap_or(usize::MAX);
            let now = part.split_to(part.len().min(open));
            let length = now.len() as u64;
            self.open -= length;
            self.written += length;
            self.remaining = self.remaining.map(|left| left.saturating_sub(length));
            out.pass(now);
        }
    }

    /// Ends the data. Where a block lacks bytes they are made up as zeros: they are
    /// returned, because they count as a part of the body.
    pub(super) fn end(&mut self, out: &mut Pieces) -> Bytes {
        let padding = usize::try_from(self.open).unwrap_or_default();
        let padding = Bytes::from_static(&ZEROS[..padding]);
        self.written += self.open;
        self.open = 0;
        out.pass(padding.clone());
        if !self.ended {
            // A compressed size that reads as the ZIP64 mark would make readers
            // disagree about the descriptor's length: one more block avoids it.
            if self.written + HEADER == MARK_32 {
                self.begin(false, 0, out);
            }
            self.begin(true, 0, out);
        }
        padding
    }

    fn begin(&mut self, last: bool, length: u64, out: &mut Pieces) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let [low, high] = length.to_le_bytes();
        out.write(&[u8::from(last), low, high, !low, !high]);
        self.open = u64::from(length);
        self.ended = last;
        self.written += HEADER;
    }
}

/// How many bytes a body of `size` bytes takes in blocks, when its size is known
/// as it begins. Nothing where that does not fit 64 bits.
pub(super) fn length_in_blocks(size: u64) -> Option<u64> {
    let full = full_length(size)?;
    if full == MARK_32 {
        full.checked_add(HEADER)
    } else {
        Some(full)
    }
}

fn full_length(size: u64) -> Option<u64> {
    let blocks = size.div_ceil(BLOCK).max(1);
    size.checked_add(blocks.checked_mul(HEADER)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::{Decompress, FlushDecompress, Status};

    fn inflated(pieces: &mut Pieces, size: usize) -> Vec<u8> {
        let mut packed = Vec::new();
        while let Some(piece) = pieces.pop() {
            packed.extend_from_slice(&piece);
        }
        let mut body = Vec::with_capacity(size + 1);
        let mut inflate = Decompress::new(false);
        let status = inflate
            .decompress_vec(&packed, &mut body, FlushDecompress::Finish)
            .unwrap();
        assert_eq!(status, Status::StreamEnd);
        assert_eq!(
            inflate.total_in(),
            packed.len() as u64,
            "nothing after the end"
        );
        body
    }

    fn cut(body: &[u8], chunk: usize, size: Option<u64>) -> (Vec<u8>, u64) {
        let mut blocks = Blocks::new(size);
        let mut out = Pieces::new();
        for part in body.chunks(chunk) {
            blocks.push(Bytes::copy_from_slice(part), &mut out);
        }
        assert!(blocks.end(&mut out).is_empty());
        assert_eq!(out.len() as u64, blocks.written());
        (inflated(&mut out, body.len()), blocks.written())
    }

    #[test]
    fn blocks_hold_the_body_and_have_the_length_told_ahead() {
        let body: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        for size in [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 200_000] {
            for chunk in [1_000, 65_535, 65_536, 200_000] {
                let (back, length) = cut(&body[..size], chunk, Some(size as u64));
                assert_eq!(back, body[..size]);
                assert_eq!(Some(length), length_in_blocks(size as u64));
                let (back, _) = cut(&body[..size], chunk, None);
                assert_eq!(back, body[..size]);
            }
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_filled_up_to_its_block() {
        for (size, came) in [(100, 0), (100, 1), (65_536, 65_535), (200_000, 65_536)] {
            let mut blocks = Blocks::new(Some(size));
            let mut out = Pieces::new();
            blocks.push(Bytes::from(vec![9; came]), &mut out);
            let padding = blocks.end(&mut out);
            assert_eq!(out.len() as u64, blocks.written());
            let body = inflated(&mut out, came + padding.len());
            assert_eq!(body[..came], vec![9; came]);
            assert_eq!(body[came..], padding);
        }
    }

    #[test]
    fn no_body_has_the_zip64_mark_as_its_length() {
        // 65,530 full blocks of 65,540 bytes, and one that makes up the rest.
        let rest = MARK_32 - 65_532 * 65_540 - 5;
        let size = 65_532 * 65_535 + rest;
        assert_eq!(full_length(size), Some(MARK_32));
        assert_eq!(length_in_blocks(size), Some(MARK_32 + 5));
        assert_eq!(length_in_blocks(size - 1), Some(MARK_32 - 1));
        for (size, tail) in [(Some(size), rest), (None, rest)] {
            let mut blocks = Blocks::new(size);
            let mut out = Pieces::new();
            let block = Bytes::from_static(&ZEROS);
            for _ in 0..65_532 {
                blocks.push(block.clone(), &mut out);
                while out.pop().is_some() {}
            }
            let tail = usize::try_from(tail).unwrap() - if size.is_none() { 5 } else { 0 };
            blocks.push(block.slice(..tail), &mut out);
            assert!(blocks.end(&mut out).is_empty());
            assert_eq!(blocks.written(), MARK_32 + 5);
        }
    }

    #[test]
    fn a_length_that_cannot_be_is_refused() {
        assert_eq!(length_in_blocks(u64::MAX), None);
        assert_eq!(length_in_blocks(0), Some(5));
    }
}
