//! The end of an archive: its central directory and end records, a piece at a
//! time. What has been written is given back, so that the memory falls meanwhile.

use super::directory::{Directory, Preceding};
use super::layout::Extent;
use bytes::Bytes;

/// The last pieces of an archive. Take them all: without them it is no archive.
#[derive(Debug)]
pub struct Ending {
    directory: Directory,
    extent: Extent,
    written: Preceding,
    ended: bool,
}

impl Ending {
    pub(super) fn new(directory: Directory, offset: u64) -> Self {
        let extent = directory.extent(offset);
        Self {
            directory,
            extent,
            written: Preceding::default(),
            ended: false,
        }
    }

    /// Bytes that all pieces have together.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.extent.length + self.extent.end_length()
    }
}

impl Iterator for Ending {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut piece = Vec::new();
        if let Some(segment) = self.directory.take_segment() {
            // Segments are only ever made by packing, or were checked on restoring.
            let sound = Directory::unpack(&segment, &mut self.written, |record, spelling| {
                record.write_central(spelling, &mut piece);
            });
            debug_assert!(sound.is_some());
        } else {
            self.extent.write_end(&mut piece);
            self.ended = true;
        }
        Some(piece.into())
    }
}
