//! The exact length of an archive before its first byte.

use super::blocks::length_in_blocks;
use super::layout::{Announced, Extent, MARK_32, Method, Record, Spelling};
use super::time::EntryTime;
use crate::name::EntryName;

/// Adds up an archive in the order in which it will be written. The result holds
/// only if every body has the size given here and none is deflated.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLength {
    entries: u64,
    central: u64,
    spelling: Spelling,
    /// Nothing once the sum no longer fits 64 bits.
    offset: Option<u64>,
}

impl Default for ArchiveLength {
    fn default() -> Self {
        Self {
            entries: 0,
            central: 0,
            spelling: Spelling::Needed,
            offset: Some(0),
        }
    }
}

impl ArchiveLength {
    /// An archive without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry as [`super::Archive::whole`] (stored) or
    /// [`super::Archive::known`] writes it.
    pub fn add(&mut self, name: &EntryName, size: u64) {
        self.add_entry(name, size, Some(size), Announced::Known);
    }

    /// Adds an entry as [`super::Archive::stream`] writes it when it is given its size.
    pub fn add_streamed(&mut self, name: &EntryName, size: u64) {
        let compressed = length_in_blocks(size);
        let announced = announced(compressed);
        self.add_entry(name, size, compressed, announced);
    }

    /// The length in bytes; nothing where it does not fit 64 bits.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        let offset = self.offset?;
        let extent = Extent {
            entries: self.entries,
            offset,
            length: self.central,
        };
        offset
            .checked_add(self.central)?
            .checked_add(extent.end_length())
    }

    fn add_entry(
        &mut self,
        name: &EntryName,
        size: u64,
        compressed: Option<u64>,
        announced: Announced,
    ) {
        self.offset = self
            .offset
            .zip(compressed)
            .and_then(|(offset, compressed)| {
                let record = Record {
                    name: name.as_str(),
                    time: EntryTime::of_unix(0),
                    method: Method::Stored,
                    announced,
                    crc: 0,
                    size,
                    compressed,
                    offset,
                };
                self.entries += 1;
                self.central += record.central_length(self.spelling);
                self.spelling = record.spelling_after(self.spelling);
                let around = record.local_length() + record.descriptor_length();
                offset.checked_add(compressed)?.checked_add(around)
            });
    }
}

/// How a streamed entry is announced whose compressed length is known.
pub(super) fn announced(compressed: Option<u64>) -> Announced {
    match compressed {
        Some(length) if length <= MARK_32 => Announced::Later,
        _ => Announced::LaterZip64,
    }
}

/// The exact length of an archive of stored entries whose sizes are known, in the
/// order in which they will be written. Nothing where it does not fit 64 bits.
pub fn archive_length<'a>(entries: impl IntoIterator<Item = (&'a EntryName, u64)>) -> Option<u64> {
    let mut length = ArchiveLength::new();
    for (name, size) in entries {
        length.add(name, size);
    }
    length.total()
}
