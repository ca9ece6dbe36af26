//! An archive between two entries as bytes, so that one that was cut off can be
//! carried on: what is restored writes the same bytes as what was saved would have.

use super::archive::Archive;
use super::directory::{Directory, Preceding};

const MAGIC: [u8; 4] = *b"LZS1";
/// Magic, offset, number of entries.
const HEADER: usize = 4 + 8 + 8;
const CHECKSUM: usize = 4;

/// Why saved bytes give no archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not made by [`Archive::to_bytes`], or by another version of it.
    #[error("this is not the saved state of an archive; make the archive anew")]
    Unknown,
    /// Damaged or cut off.
    #[error("the saved state of the archive is damaged; make the archive anew")]
    Damaged,
}

impl Archive {
    /// The state between two entries: about 14 bytes and the name for each. Keep
    /// it together with the archive's first [`Archive::offset`] bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let packed: usize = self.directory().segments().map(<[u8]>::len).sum();
        let mut bytes = Vec::with_capacity(HEADER + packed + CHECKSUM);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.offset().to_le_bytes());
        bytes.extend_from_slice(&self.entries().to_le_bytes());
        for segment in self.directory().segments() {
            bytes.extend_from_slice(segment);
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The archive that was saved. It goes on at [`Archive::offset`]: cut what was
    /// stored of it to that length first.
    ///
    /// # Errors
    /// If the bytes are not a state, or not a whole one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(SnapshotError::Unknown);
        }
        let (body, checksum) = bytes.split_last_chunk().ok_or(SnapshotError::Damaged)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(SnapshotError::Damaged);
        }
        let (offset, entries, packed) = parts(body).ok_or(SnapshotError::Damaged)?;
        let mut directory = Directory::default();
        let mut start = Preceding::default();
        Directory::unpack(packed, &mut start, |record, _| directory.push(record))
            .filter(|()| directory.entries() == entries && directory.end() <= offset)
            .ok_or(SnapshotError::Damaged)?;
        Ok(Self::restored(directory, offset))
    }
}

fn parts(body: &[u8]) -> Option<(u64, u64, &[u8])> {
    let body = body.get(MAGIC.len()..)?;
    let (offset, body) = body.split_first_chunk()?;
    let (entries, packed) = body.split_first_chunk()?;
    Some((
        u64::from_le_bytes(*offset),
        u64::from_le_bytes(*entries),
        packed,
    ))
}
