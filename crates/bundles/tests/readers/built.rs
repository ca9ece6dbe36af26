//! Archives for the tests: written entry by entry into memory or a file, with what
//! a reader should find in them.

use crate::reader::Files;
use base::Timestamp;
use bytes::Bytes;
use longshore_bundles::name::EntryName;
use longshore_bundles::zip::{Archive, EntryTime, Packing, Pieces, Written};
use std::path::PathBuf;

/// How an entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole(Packing),
    Known,
    Sized,
    Unsized,
    Deflated,
    DeflatedSized,
}

pub(crate) const FORMS: [Form; 7] = [
    Form::Whole(Packing::Store),
    Form::Whole(Packing::Deflate),
    Form::Known,
    Form::Sized,
    Form::Unsized,
    Form::Deflated,
    Form::DeflatedSized,
];

/// 2020-03-14T15:09:26Z
pub(crate) const MOMENT: Timestamp = Timestamp::from_micros(1_584_198_566_000_000);

pub(crate) fn time() -> EntryTime {
    EntryTime::at(MOMENT)
}

pub(crate) fn name(text: &str) -> EntryName {
    let name = EntryName::from_path(text).unwrap();
    assert_eq!(name.as_str(), text, "a test means what it says");
    name
}

/// An archive in memory.
#[derive(Default)]
pub(crate) struct Built {
    pub(crate) archive: Archive,
    pub(crate) out: Pieces,
    pub(crate) bytes: Vec<u8>,
    pub(crate) files: Files,
}

impl Built {
    /// Adds an entry whose body comes in parts of `part` bytes.
    pub(crate) fn add(
        &mut self,
        name: &EntryName,
        body: &[u8],
        form: Form,
        part: usize,
    ) -> Written {
        self.files.insert(name.to_string(), body.to_vec());
        let parts: Vec<Bytes> = body.chunks(part).map(Bytes::copy_from_slice).collect();
        let size = body.len() as u64;
        let (archive, out) = (&mut self.archive, &mut self.out);
        let opened = match form {
            Form::Whole(packing) => {
                let written = archive.whole(name, time(), parts, packing, out).unwrap();
                self.take();
                return written;
            }
            Form::Known => archive.known(name, time(), size, crc32fast::hash(body), out),
            Form::Sized => archive.stream(name, time(), Some(size), out),
            Form::Unsized => archive.stream(name, time(), None, out),
            Form::Deflated => archive.deflate(name, time(), None, out),
            Form::DeflatedSized => archive.deflate(name, time(), Some(size), out),
        };
        let mut entry = opened.unwrap();
        for part in parts {
            entry.push(part, out).unwrap();
        }
        let written = entry.finish(out).unwrap();
        self.take();
        written
    }

    /// Begins an entry, gives it a part of its body, and abandons it.
    pub(crate) fn abandon(&mut self, name: &EntryName, part: &[u8], form: Form) {
        let (archive, out) = (&mut self.archive, &mut self.out);
        let size = part.len() as u64 + 100_000;
        let mut entry = match form {
            Form::Sized => archive.stream(name, time(), Some(size), out),
            Form::Unsized => archive.stream(name, time(), None, out),
            Form::Deflated => archive.deflate(name, time(), None, out),
            Form::DeflatedSized => archive.deflate(name, time(), Some(size), out),
            Form::Whole(_) | Form::Known => panic!("{form:?} cannot be abandoned"),
        }
        .unwrap();
        entry.push(Bytes::copy_from_slice(part), out).unwrap();
        entry.abandon(out).unwrap();
        self.take();
    }

    pub(crate) fn take(&mut self) {
        while let Some(piece) = self.out.pop() {
            self.bytes.extend_from_slice(&piece);
        }
    }

    /// Ends the archive.
    pub(crate) fn end(&mut self) {
        let length = self.archive.length();
        for piece in std::mem::take(&mut self.archive).finish().unwrap() {
            self.bytes.extend_from_slice(&piece);
        }
        assert_eq!(
            self.bytes.len() as u64,
            length,
            "the length told before the end"
        );
    }

    /// Ends the archive and stores it as a file, for as long as the folder lives.
    pub(crate) fn stored(&mut self) -> (tempfile::TempDir, PathBuf) {
        self.end();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        std::fs::write(&path, &self.bytes).unwrap();
        (folder, path)
    }
}

/// Bytes that don't compress, the same each time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[2]
    };
    (0..length).map(|_| next()).collect()
}

/// Bytes that do.
pub(crate) fn text(length: usize) -> Vec<u8> {
    b"a line of text that comes again and again\n"
        .iter()
        .copied()
        .cycle()
        .take(length)
        .collect()
}
