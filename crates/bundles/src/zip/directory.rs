//! What the central directory will say, kept small until the archive ends: some
//! 14 bytes and the name for each entry, in segments that are given back one by
//! one while the directory is written. 100,000 names of 40 bytes take 5.5 MB.
//!
//! An entry's offset is not kept: it begins where the one before ended, and only
//! a gap (an abandoned entry) is noted.

use super::layout::{Announced, Extent, Method, Record, Spelling};
use super::time::EntryTime;
use std::collections::VecDeque;

/// A segment is closed before it grows past this many bytes.
const SEGMENT: usize = 64 * 1024;

const DEFLATED: u8 = 1;
const STREAMED: u8 = 2;
const BEGUN_ZIP64: u8 = 4;
const OWN_DOS_TIME: u8 = 8;
const AFTER_GAP: u8 = 16;
const COMPRESSED_DIFFERS: u8 = 32;

/// The entries so far, packed.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    segments: VecDeque<Vec<u8>>,
    entries: u64,
    /// Bytes of the central directory as it will be written.
    length: u64,
    last: Preceding,
}

/// What the headers of an entry depend on of the entries before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Preceding {
    /// Where the last one ended.
    pub(super) end: u64,
    pub(super) spelling: Spelling,
}

impl Preceding {
    /// Goes past an entry.
    pub(super) fn pass(&mut self, record: &Record<'_>) {
        let lengths = [
            record.local_length(),
            record.compressed,
            record.descriptor_length(),
        ];
        self.end = lengths.into_iter().fold(record.offset, u64::saturating_add);
        self.spelling = record.spelling_after(self.spelling);
    }
}

impl Directory {
    pub(super) fn push(&mut self, record: &Record<'_>) {
        let gap = record.offset.saturating_sub(self.last.end);
        let mut packed = Vec::with_capacity(40 + record.name.len());
        pack(record, gap, &mut packed);
        match self.segments.back_mut() {
            Some(open) if open.len() + packed.len() <= SEGMENT => open.extend_from_slice(&packed),
            _ => self.segments.push_back(packed),
        }
        self.entries += 1;
        self.length += record.central_length(self.last.spelling);
        self.last.pass(record);
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// The extent of a central directory that begins at `offset`.
    pub(super) fn extent(&self, offset: u64) -> Extent {
        Extent {
            entries: self.entries,
            offset,
            length: self.length,
        }
    }

    /// What a segment holds, through `each`. Nothing where it is not sound.
    pub(super) fn unpack<'a>(
        segment: &'a [u8],
        preceding: &mut Preceding,
        mut each: impl FnMut(&Record<'a>, Spelling),
    ) -> Option<()> {
        let mut rest = segment;
        while !rest.is_empty() {
            let record = unpack(&mut rest, preceding.end)?;
            each(&record, preceding.spelling);
            preceding.pass(&record);
        }
        Some(())
    }

    pub(super) fn take_segment(&mut self) -> Option<Vec<u8>> {
        self.segments.pop_front()
    }
}

fn pack(record: &Record<'_>, gap: u64, out: &mut Vec<u8>) {
    let compressed_differs = record.compressed != record.size;
    let own_dos = !record.time.dos_follows();
    let marks = [
        (DEFLATED, record.method == Method::Deflated),
        (STREAMED, record.announced.is_streamed()),
        (BEGUN_ZIP64, record.announced == Announced::LaterZip64),
        (OWN_DOS_TIME, own_dos),
        (AFTER_GAP, gap > 0),
        (COMPRESSED_DIFFERS, compressed_differs),
    ];
    let marks = marks.into_iter().filter(|(_, set)| *set);
    out.push(marks.fold(0, |all, (mark, _)| all | mark));
    out.extend_from_slice(&record.crc.to_le_bytes());
    out.extend_from_slice(&record.time.unix().to_le_bytes());
    if own_dos {
        out.extend_from_slice(&record.time.dos().to_le_bytes());
    }
    put_number(record.size, out);
    if compressed_differs {
        put_number(record.compressed, out);
    }
    if gap > 0 {
        put_number(gap, out);
    }
    put_number(record.name.len() as u64, out);
    out.extend_from_slice(record.name.as_bytes());
}

fn unpack<'a>(input: &mut &'a [u8], end: u64) -> Option<Record<'a>> {
    let [marks] = take(input)?;
    let has = |mark| marks & mark != 0;
    let crc = u32::from_le_bytes(take(input)?);
    let unix = i32::from_le_bytes(take(input)?);
    let time = if has(OWN_DOS_TIME) {
        EntryTime::from_parts(unix, u32::from_le_bytes(take(input)?))
    } else {
        EntryTime::of_unix(unix)
    };
    let size = take_number(input)?;
    let compressed = if has(COMPRESSED_DIFFERS) {
        take_number(input)?
    } else {
        size
    };
    let gap = if has(AFTER_GAP) {
        take_number(input)?
    } else {
        0
    };
    let length = usize::try_from(take_number(input)?).ok()?;
    let (name, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(Record {
        name: std::str::from_utf8(name).ok()?,
        time,
        method: if has(DEFLATED) {
            Method::Deflated
        } else {
            Method::Stored
        },
        announced: match (has(STREAMED), has(BEGUN_ZIP64)) {
            (false, _) => Announced::Known,
            (true, false) => Announced::Later,
            (true, true) => Announced::LaterZip64,
        },
        crc,
        size,
        compressed,
        offset: end.checked_add(gap)?,
    })
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*taken)
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn put_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn take_number(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take(input)?;
        let bits = u64::from(byte & 0x7F);
        if (bits << shift) >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_of_any_size_survive_packing() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut packed = Vec::new();
            put_number(value, &mut packed);
            assert_eq!(take_number(&mut packed.as_slice()), Some(value));
        }
        assert_eq!(take_number(&mut &[0xFF; 10][..]), None);
        assert_eq!(take_number(&mut &[0x80][..]), None);
    }

    #[test]
    fn records_survive_packing_with_their_offsets() {
        let mut directory = Directory::default();
        let mut expected = Vec::new();
        let names: Vec<String> = (0..5_000).map(|n| format!("folder/é{n}.jpg")).collect();
        let mut offset = 0;
        for (n, name) in (0_u64..).zip(&names) {
            let announced = [Announced::Known, Announced::Later, Announced::LaterZip64];
            offset += if n % 7 == 0 { n } else { 0 };
            let record = Record {
                name,
                time: EntryTime::from_parts(
                    1_000_000_000,
                    if n % 3 == 0 { 7 } else { 0x2B29_0DD4 },
                ),
                method: if n % 2 == 0 {
                    Method::Stored
                } else {
                    Method::Deflated
                },
                announced: announced[usize::try_from(n % 3).unwrap()],
                crc: 77,
                size: n << (n % 40),
                compressed: n,
                offset,
            };
            directory.push(&record);
            offset = directory.last.end;
            expected.push(record);
        }
        assert_eq!((directory.entries(), directory.last.end), (5_000, offset));
        let mut back = Vec::new();
        let mut start = Preceding::default();
        for segment in &directory.segments {
            assert!(segment.len() <= SEGMENT);
            Directory::unpack(segment, &mut start, |record, _| back.push(*record)).unwrap();
        }
        assert_eq!(back, expected);
    }

    #[test]
    fn an_entry_costs_its_name_and_little_more() {
        let mut directory = Directory::default();
        let name = "x".repeat(40);
        let mut offset = 0;
        for _ in 0..100_000 {
            let record = Record {
                name: &name,
                time: EntryTime::of_unix(1_600_000_000),
                method: Method::Stored,
                announced: Announced::Known,
                crc: u32::MAX,
                size: 200 * 1024,
                compressed: 200 * 1024,
                offset,
            };
            directory.push(&record);
            offset = directory.last.end;
        }
        let held: usize = directory.segments.iter().map(Vec::capacity).sum();
        assert!(held < 2 * 100_000 * (40 + 14), "{held} bytes");
        let used: usize = directory.segments.iter().map(Vec::len).sum();
        assert_eq!(used / 100_000, 40 + 13);
    }
}
