//! Segments: how lines are stored, and how they are sent live.
//!
//! Stored: one byte of version, then for each line the microseconds since the one
//! before (zigzag), the stream with a mark for data, the length of the text and the
//! text, and likewise the data; lengths are LEB128; all of it deflated. Numbers are
//! not stored: a segment's row has that of its first line.
//!
//! Sent: `[seq, micros, stream, "text", data?]`, JSON arrays one after the other.

use super::line::{Line, Stream};
use super::sink::SegmentRow;
use crate::sql::log::StoredSegment;
use crate::{Error, Result};
use base::Timestamp;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::io::{Read, Write};

const VERSION: u8 = 1;
const HAS_DATA: u8 = 0x80;
/// No segment that we write holds more; a larger one was not written by us.
const LARGEST: u64 = 16 << 20;
/// So many bytes are inflated in less time than a blocking thread takes to begin.
const SMALL: u64 = 16 << 10;

/// Lines being gathered for one row.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) first: u64,
    pub(crate) last: u64,
    raw: Vec<u8>,
    clock: i64,
}

impl OpenSegment {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            last: first - 1,
            raw: vec![VERSION],
            clock: 0,
        }
    }

    pub(crate) fn push(&mut self, at: Timestamp, stream: Stream, text: &str, data: Option<&str>) {
        self.last += 1;
        write_number(&mut self.raw, zigzag(at.micros().wrapping_sub(self.clock)));
        self.clock = at.micros();
        self.raw
            .push(stream.number() | if data.is_some() { HAS_DATA } else { 0 });
        write_text(&mut self.raw, text);
        if let Some(data) = data {
            write_text(&mut self.raw, data);
        }
    }

    /// Bytes before compression.
    pub(crate) const fn len(&self) -> usize {
        self.raw.len()
    }

    /// A copy to be stored.
    pub(crate) fn row(&self) -> SegmentRow {
        SegmentRow {
            first: self.first,
            last: self.last,
            raw: self.raw.clone(),
        }
    }
}

/// A segment as it is stored.
pub(crate) fn compress(raw: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(raw.len() / 3), Compression::fast());
    // A Vec takes whatever is written to it.
    let _ = encoder.write_all(raw);
    encoder.finish().unwrap_or_default()
}

/// Appends a line as it is sent live.
pub(crate) fn write_live(
    out: &mut Vec<u8>,
    seq: u64,
    at: Timestamp,
    stream: Stream,
    text: &str,
    data: Option<&str>,
) {
    if !out.is_empty() {
        out.push(b',');
    }
    // Writing to a Vec does not fail.
    let _ = write!(out, "[{seq},{},{},", at.micros(), stream.number());
    let _ = serde_json::to_writer(&mut *out, text);
    if let Some(data) = data {
        out.push(b',');
        out.extend_from_slice(data.as_bytes());
    }
    out.push(b']');
}

/// Reads a stored segment, calling `each` with number, time, stream, text and data.
pub(crate) fn read(
    first: u64,
    chunk: &[u8],
    mut each: impl FnMut(u64, Timestamp, Stream, &str, Option<&str>),
) -> Result<()> {
    let mut raw = Vec::with_capacity(chunk.len() * 4);
    DeflateDecoder::new(chunk)
        .take(LARGEST)
        .read_to_end(&mut raw)
        .map_err(|_| Error::Stored("log segment"))?;
    parse(first, &raw, &mut each).ok_or(Error::Stored("log segment"))
}

/// Runs `work`, which inflates `rows`: on a blocking thread, unless they are small.
pub(crate) async fn inflating<T: Send + 'static>(
    rows: Vec<StoredSegment>,
    work: impl FnOnce(Vec<StoredSegment>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let bytes: u64 = rows.iter().map(|row| row.bytes).sum();
    if bytes <= SMALL {
        return work(rows);
    }
    tokio::task::spawn_blocking(move || work(rows))
        .await
        .map_err(|_| Error::Stopping)?
}

/// Calls `each` with the lines of a stored segment from number `from` on.
pub(crate) fn lines(first: u64, chunk: &[u8], from: u64, mut each: impl FnMut(Line)) -> Result<()> {
    read(first, chunk, |seq, time, stream, text, data| {
        if seq >= from {
            each(Line {
                seq,
                time,
                stream,
                text: text.to_owned(),
                data: data.and_then(|data| {
                    serde_json::value::RawValue::from_string(data.to_owned()).ok()
                }),
            });
        }
    })
}

fn parse(
    first: u64,
    raw: &[u8],
    each: &mut impl FnMut(u64, Timestamp, Stream, &str, Option<&str>),
) -> Option<()> {
    let (version, mut rest) = raw.split_first()?;
    if *version != VERSION {
        return None;
    }
    let (mut clock, mut seq) = (0_i64, first);
    while !rest.is_empty() {
        clock = clock.wrapping_add(unzigzag(read_number(&mut rest)?));
        let (mark, after) = rest.split_first()?;
        rest = after;
        let stream = Stream::from_number(mark & !HAS_DATA)?;
        let text = read_text(&mut rest)?;
        let data = if mark & HAS_DATA == 0 {
            None
        } else {
            Some(read_text(&mut rest)?)
        };
        each(seq, Timestamp::from_micros(clock), stream, text, data);
        seq += 1;
    }
    Some(())
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn write_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn read_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream() -> impl Strategy<Value = Stream> {
        prop_oneof![
            Just(Stream::Stdout),
            Just(Stream::Stderr),
            Just(Stream::System)
        ]
    }

    proptest! {
        #[test]
        fn lines_survive_their_segment(
            first in 1_u64..1 << 50,
            from in 0_u64..20,
            given in prop::collection::vec((any::<i32>(), stream(), ".{0,60}", prop::option::of(0_u32..9)), 0..40),
        ) {
            let mut segment = OpenSegment::new(first);
            for (at, stream, text, data) in &given {
                let data = data.map(|number| format!("{{\"n\":{number}}}"));
                segment.push(Timestamp::from_micros(i64::from(*at)), *stream, text, data.as_deref());
            }
            let mut read = Vec::new();
            lines(first, &compress(&segment.row().raw), first + from, |line| read.push(line)).expect("it was written by us");
            let expected = given.iter().skip(usize::try_from(from).expect("small"));
            prop_assert_eq!(read.len(), given.len().saturating_sub(usize::try_from(from).expect("small")));
            for (line, (index, (at, stream, text, data))) in read.iter().zip((first + from..).zip(expected)) {
                prop_assert_eq!(line.seq, index);
                prop_assert_eq!(line.time, Timestamp::from_micros(i64::from(*at)));
                prop_assert_eq!(line.stream, *stream);
                prop_assert_eq!(&line.text, text);
                let data = data.map(|number| format!("{{\"n\":{number}}}"));
                prop_assert_eq!(line.data.as_ref().map(|data| data.get()), data.as_deref());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(1, &bytes, |_, _, _, _, _| {});
            let _ = parse(1, &bytes, &mut |_, _, _, _, _| {});
        }

        #[test]
        fn what_is_sent_live_is_json(text in ".{0,80}") {
            let mut out = Vec::new();
            write_live(&mut out, 7, Timestamp::EPOCH, Stream::Stderr, &text, Some("{\"a\":1}"));
            let sent: (u64, i64, u8, String, serde_json::Value) = serde_json::from_slice(&out).expect("JSON");
            prop_assert_eq!(sent, (7, 0, 1, text, serde_json::json!({"a": 1})));
        }
    }
}
