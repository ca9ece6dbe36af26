//! Writing a ZIP archive, without doing any input or output: bodies go in, pieces
//! of the archive come out, in order and ready to be sent or stored.
//!
//! The form of every entry is chosen so that the strictest readers accept it
//! (unzip, 7-Zip, libarchive, Python, and Java both by file and by stream):
//!
//! | body | local header | data | descriptor |
//! |---|---|---|---|
//! | in memory ([`Archive::whole`]) | size and CRC-32 | stored, or deflated if that is shorter | none |
//! | size and CRC-32 known ([`Archive::known`]) | size and CRC-32 | stored | none |
//! | passing through ([`Archive::stream`]) | neither, bit 3 | method 8, blocks of level 0 | 16 bytes, or 24 |
//! | passing through and compressible ([`Archive::deflate`]) | neither, bit 3 | deflated | 16 bytes, or 24 |
//!
//! Method 0 with a descriptor is never written: a reader of a stream cannot find
//! its end, and Java refuses it. ZIP64 appears only where a number does not fit
//! without it. Directories and links are never written.
//!
//! Protocol: PKWARE APPNOTE 6.3.10; sections are named where they matter.

mod archive;
mod blocks;
mod directory;
mod ending;
mod entry;
mod layout;
mod length;
mod packing;
mod pieces;
mod time;

pub use archive::{Archive, Written};
pub use ending::Ending;
pub use entry::OpenEntry;
pub use length::{ArchiveLength, archive_length};
pub use packing::{Packing, is_compressible};
pub use pieces::Pieces;
pub use time::EntryTime;

/// Why an entry, or the whole archive, cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// More bytes came than were declared. Nothing of the surplus was written;
    /// abandon the entry, or finish it if the surplus is to be ignored.
    #[error("the body is longer than the {declared} bytes declared for it")]
    TooLong {
        /// The declared size in bytes.
        declared: u64,
    },
    /// The body ended early. A streamed entry has been closed and left out of the
    /// directory, as [`OpenEntry::abandon`] does; with an entry of known size the
    /// archive is [`ZipError::Broken`].
    #[error("the body ended after {got} of {declared} bytes")]
    TooShort {
        /// The declared size in bytes.
        declared: u64,
        /// How many bytes came.
        got: u64,
    },
    /// The body is not the one that the header, already written, describes. The
    /// archive is [`ZipError::Broken`].
    #[error("the body's CRC-32 is {got:08x} and not {declared:08x} as its header says")]
    WrongChecksum {
        /// The CRC-32 in the header.
        declared: u32,
        /// The CRC-32 of the bytes that came.
        got: u32,
    },
    /// What was written cannot become a valid archive any more: a header promised
    /// what did not come, or an entry was dropped while it was open. Break the
    /// connection off, or throw the file away; never end it cleanly.
    #[error("the archive is broken by an entry that was begun and not completed; discard it")]
    Broken,
}

#[cfg(test)]
mod tests;
