//! The bytes of every header, and how long each one is. Nothing here decides
//! anything but where ZIP64 is needed: a number takes its 64-bit form exactly
//! where it does not fit, or would read as the mark for "see there".

use super::pieces::Pieces;
use super::time::EntryTime;

/// A 32-bit field that holds this says that its value is in the ZIP64 extra field.
pub(super) const MARK_32: u64 = 0xFFFF_FFFF;
/// The same for a 16-bit count.
const MARK_16: u64 = 0xFFFF;

/// 2.0: deflate. 4.5: ZIP64 (APPNOTE 4.4.3.2).
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// Made by Unix, so that readers take the mode from the attributes.
const MADE_BY_UNIX: u16 = 3 << 8;
/// A regular file that its owner may write and everybody may read.
const MODE: u32 = 0o100_644 << 16;

/// Bit 3: sizes and CRC-32 follow the data. Bit 11: the name is UTF-8.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;

const LOCAL: u64 = 30;
const CENTRAL: u64 = 46;
const TIME_EXTRA: u64 = 9;
const LOCAL_ZIP64_EXTRA: u64 = 20;
const END: u64 = 22;
const END_ZIP64: u64 = 56;
const LOCATOR: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

impl Method {
    const fn code(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
        }
    }
}

/// What the local header says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// Size and CRC-32.
    Known,
    /// Nothing; a descriptor follows, of 24 bytes only if it turns out to need them.
    Later,
    /// Nothing; a descriptor of 24 bytes follows.
    LaterZip64,
}

impl Announced {
    pub(super) const fn is_streamed(self) -> bool {
        !matches!(self, Self::Known)
    }
}

/// Which numbers the ZIP64 field of the directory holds, where there is one.
///
/// unzip 6.0 remembers a size that is exactly the mark, and then misreads the next
/// ZIP64 field that holds less than all numbers: that one must hold them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Those that do not fit without it.
    #[default]
    Needed,
    /// Both sizes and the offset.
    All,
}

/// Everything the archive says about one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) name: &'a str,
    pub(super) time: EntryTime,
    pub(super) method: Method,
    pub(super) announced: Announced,
    pub(super) crc: u32,
    /// Before and after compression, in bytes.
    pub(super) size: u64,
    pub(super) compressed: u64,
    /// Where the local header begins.
    pub(super) offset: u64,
}

impl Record<'_> {
    fn local_zip64(&self) -> bool {
        match self.announced {
            Announced::Known => self.size >= MARK_32 || self.compressed >= MARK_32,
            Announced::Later => false,
            Announced::LaterZip64 => true,
        }
    }

    /// Readers of a stream decide by the extra field or, like Java and Go, by the
    /// sizes; both come to this.
    fn long_descriptor(&self) -> bool {
        match self.announced {
            Announced::LaterZip64 => true,
            _ => self.size > MARK_32 || self.compressed > MARK_32,
        }
    }

    fn flags(&self) -> u16 {
        let descriptor = if self.announced.is_streamed() {
            FLAG_DESCRIPTOR
        } else {
            0
        };
        FLAG_UTF8 | descriptor
    }

    fn name_length(&self) -> u64 {
        self.name.len() as u64
    }

    /// Size, compressed size and offset, as far as they stand in the directory's
    /// ZIP64 field.
    fn central_zip64(&self, spelling: Spelling) -> [Option<u64>; 3] {
        let values = [self.size, self.compressed, self.offset];
        let any = values.into_iter().any(|value| value >= MARK_32);
        values.map(|value| match spelling {
            Spelling::Needed => (value >= MARK_32).then_some(value),
            Spelling::All => any.then_some(value),
        })
    }

    /// How the entries after this one are spelled, if this one was spelled so.
    pub(super) fn spelling_after(&self, own: Spelling) -> Spelling {
        if self.size == MARK_32 || self.compressed == MARK_32 {
            return Spelling::All;
        }
        let clears = self.central_zip64(own) != [None; 3];
        if clears { Spelling::Needed } else { own }
    }

    /// Bytes of the local header.
    pub(super) fn local_length(&self) -> u64 {
        let zip64 = if self.local_zip64() {
            LOCAL_ZIP64_EXTRA
        } else {
            0
        };
        LOCAL + self.name_length() + TIME_EXTRA + zip64
    }

    /// Bytes of the descriptor after the data.
    pub(super) fn descriptor_length(&self) -> u64 {
        match (self.announced.is_streamed(), self.long_descriptor()) {
            (false, _) => 0,
            (true, false) => 16,
            (true, true) => 24,
        }
    }

    /// Bytes in the central directory.
    pub(super) fn central_length(&self, spelling: Spelling) -> u64 {
        let values = self.central_zip64(spelling).into_iter().flatten().count() as u64;
        let zip64 = if values > 0 { 4 + 8 * values } else { 0 };
        CENTRAL + self.name_length() + zip64 + TIME_EXTRA
    }

    pub(super) fn send_local(&self, out: &mut Pieces) {
        let mut header = Vec::with_capacity(80 + self.name.len());
        self.write_local(&mut header);
        out.write(&header);
    }

    /// The descriptor, if the entry has one.
    pub(super) fn send_descriptor(&self, out: &mut Pieces) {
        if self.announced.is_streamed() {
            let mut descriptor = Vec::with_capacity(24);
            self.write_descriptor(&mut descriptor);
            out.write(&descriptor);
        }
    }

    /// The local file header (APPNOTE 4.3.7). Of an entry whose sizes come later it
    /// says nothing about them: zero, or the mark and zero in the ZIP64 field.
    fn write_local(&self, out: &mut Vec<u8>) {
        let zip64 = self.local_zip64();
        let streamed = self.announced.is_streamed();
        let (crc, size, compressed) = if streamed {
            (0, 0, 0)
        } else {
            (self.crc, self.size, self.compressed)
        };
        put32(out, 0x0403_4b50);
        put16(out, if zip64 { VERSION_ZIP64 } else { VERSION });
        put16(out, self.flags());
        put16(out, self.method.code());
        put32(out, self.time.dos());
        put32(out, crc);
        put32(out, if zip64 { u32::MAX } else { low32(compressed) });
        put32(out, if zip64 { u32::MAX } else { low32(size) });
        put16(out, low16(self.name_length()));
        let extra = TIME_EXTRA + if zip64 { LOCAL_ZIP64_EXTRA } else { 0 };
        put16(out, low16(extra));
        out.extend_from_slice(self.name.as_bytes());
        if zip64 {
            // Both sizes, always (APPNOTE 4.5.3).
            put16(out, 0x0001);
            put16(out, 16);
            put64(out, size);
            put64(out, compressed);
        }
        self.write_time(out);
    }

    /// The data descriptor, with its signature (APPNOTE 4.3.9).
    fn write_descriptor(&self, out: &mut Vec<u8>) {
        put32(out, 0x0807_4b50);
        put32(out, self.crc);
        if self.long_descriptor() {
            put64(out, self.compressed);
            put64(out, self.size);
        } else {
            put32(out, low32(self.compressed));
            put32(out, low32(self.size));
        }
    }

    /// The header in the central directory (APPNOTE 4.3.12).
    pub(super) fn write_central(&self, spelling: Spelling, out: &mut Vec<u8>) {
        let [size, compressed, offset] = self.central_zip64(spelling);
        let values = [size, compressed, offset].into_iter().flatten();
        let length = 8 * values.clone().count() as u64;
        let zip64 = length > 0 || self.local_zip64();
        let version = if zip64 { VERSION_ZIP64 } else { VERSION };
        put32(out, 0x0201_4b50);
        put16(out, MADE_BY_UNIX | version);
        put16(out, version);
        put16(out, self.flags());
        put16(out, self.method.code());
        put32(out, self.time.dos());
        put32(out, self.crc);
        put32(out, compressed.map_or(low32(self.compressed), |_| u32::MAX));
        put32(out, size.map_or(low32(self.size), |_| u32::MAX));
        put16(out, low16(self.name_length()));
        let extra = TIME_EXTRA + if length > 0 { 4 + length } else { 0 };
        put16(out, low16(extra));
        put16(out, 0); // comment
        put16(out, 0); // disk
        put16(out, 0); // internal attributes
        put32(out, MODE);
        put32(out, offset.map_or(low32(self.offset), |_| u32::MAX));
        out.extend_from_slice(self.name.as_bytes());
        if length > 0 {
            put16(out, 0x0001);
            put16(out, low16(length));
            values.for_each(|value| put64(out, value));
        }
        self.write_time(out);
    }

    /// The extended timestamp: only the time of the last change.
    fn write_time(&self, out: &mut Vec<u8>) {
        put16(out, 0x5455);
        put16(out, 5);
        out.push(1);
        put32(out, self.time.unix().cast_unsigned());
    }
}

/// Where the central directory is, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) entries: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Extent {
    fn zip64(&self) -> bool {
        self.entries >= MARK_16 || self.offset >= MARK_32 || self.length >= MARK_32
    }

    /// Bytes of the records after the central directory.
    pub(super) fn end_length(&self) -> u64 {
        END + if self.zip64() { END_ZIP64 + LOCATOR } else { 0 }
    }

    /// The end of the archive (APPNOTE 4.3.14 to 4.3.16).
    pub(super) fn write_end(&self, out: &mut Vec<u8>) {
        if self.zip64() {
            put32(out, 0x0606_4b50);
            put64(out, END_ZIP64 - 12);
            put16(out, MADE_BY_UNIX | VERSION_ZIP64);
            put16(out, VERSION_ZIP64);
            put32(out, 0);
            put32(out, 0);
            put64(out, self.entries);
            put64(out, self.entries);
            put64(out, self.length);
            put64(out, self.offset);
            put32(out, 0x0706_4b50);
            put32(out, 0);
            put64(out, self.offset + self.length);
            put32(out, 1);
        }
        let entries = low16(self.entries.min(MARK_16));
        put32(out, 0x0605_4b50);
        put16(out, 0);
        put16(out, 0);
        put16(out, entries);
        put16(out, entries);
        put32(out, low32(self.length));
        put32(out, low32(self.offset));
        put16(out, 0);
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// The value, or the mark where it does not fit.
fn low32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn low16(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
