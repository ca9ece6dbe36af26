//! Around 4 GiB. The archives are real files; bodies are zeros and leave holes in
//! them, so that they are quick to write. Most readers are asked only for the small
//! entries around the large ones, which is where wrong offsets, ZIP64 fields and
//! descriptors show; with `LONGSHORE_TEST_LARGE` set all of them read everything,
//! which takes a quarter of an hour.

use crate::built::{name, time};
use crate::reader::{Reader, run};
use bytes::Bytes;
use longshore_bundles::zip::{Archive, ArchiveLength, OpenEntry, Packing, Pieces, Written};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Command;

const PART: usize = 1 << 20;
static ZEROS: [u8; PART] = [0; PART];
const MARK: u64 = 0xFFFF_FFFF;
const GIB: u64 = 1 << 30;

/// An archive in a file with holes.
struct Sparse {
    archive: Archive,
    out: Pieces,
    file: File,
    path: PathBuf,
    _folder: tempfile::TempDir,
    length: ArchiveLength,
    entries: Vec<(String, Written)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Large {
    Known,
    Sized,
    Unsized,
}

impl Sparse {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.zip");
        Self {
            archive: Archive::new(),
            out: Pieces::new(),
            file: File::create(&path).unwrap(),
            path,
            _folder: folder,
            length: ArchiveLength::new(),
            entries: Vec::new(),
        }
    }

    fn small(&mut self, text: &str) {
        let name = name(text);
        let (archive, out) = (&mut self.archive, &mut self.out);
        let mut entry = archive
            .stream(&name, time(), Some(text.len() as u64), out)
            .unwrap();
        entry
            .push(Bytes::copy_from_slice(text.as_bytes()), out)
            .unwrap();
        let written = entry.finish(out).unwrap();
        self.length.add_streamed(&name, text.len() as u64);
        self.entries.push((text.to_owned(), written));
        take(&mut self.out, &mut self.file);
    }

    fn whole(&mut self, text: &str) {
        let name = name(text);
        let body = vec![Bytes::copy_from_slice(text.as_bytes())];
        let written = self
            .archive
            .whole(&name, time(), body, Packing::Store, &mut self.out)
            .unwrap();
        self.length.add(&name, text.len() as u64);
        self.entries.push((text.to_owned(), written));
        take(&mut self.out, &mut self.file);
    }

    fn large(&mut self, text: &str, size: u64, form: Large) -> Written {
        let name = name(text);
        let (archive, out) = (&mut self.archive, &mut self.out);
        let entry = match form {
            Large::Known => archive.known(&name, time(), size, crc_of_zeros(size), out),
            Large::Sized => archive.stream(&name, time(), Some(size), out),
            Large::Unsized => archive.stream(&name, time(), None, out),
        };
        match form {
            Large::Known => self.length.add(&name, size),
            Large::Sized | Large::Unsized => self.length.add_streamed(&name, size),
        }
        let entry = zeros(entry.unwrap(), size, out, &mut self.file);
        let written = entry.finish(out).unwrap();
        self.entries.push((text.to_owned(), written));
        take(&mut self.out, &mut self.file);
        written
    }

    fn end(&mut self) {
        let length = self.archive.length();
        for piece in std::mem::take(&mut self.archive).finish().unwrap() {
            self.file.write_all(&piece).unwrap();
        }
        assert_eq!(self.file.stream_position().unwrap(), length);
    }

    /// Every reader finds the small entries; or everything, where that is asked for.
    fn check(&self) {
        self.check_directory();
        let small: Vec<&str> = self.small_entries().collect();
        let everything = std::env::var_os("LONGSHORE_TEST_LARGE").is_some();
        for reader in Reader::installed() {
            for text in &small {
                if let Some(body) = reader.one(&self.path, text) {
                    assert_eq!(body, *text, "{reader:?}");
                }
            }
            if everything && !self.is_misread_by(reader) {
                assert_eq!(reader.test(&self.path), self.entries.len(), "{reader:?}");
            }
        }
        if !everything {
            println!("skipped: reading all of it, because LONGSHORE_TEST_LARGE is not set");
        }
    }

    /// bsdtar reading from a pipe takes a descriptor for short where the local header
    /// announced no ZIP64 (see `Archive::stream`).
    fn is_misread_by(&self, reader: Reader) -> bool {
        let unannounced = self.entries.iter().any(|(name, written)| {
            name == "unsized" && (written.compressed > MARK || written.size > MARK)
        });
        unannounced && reader == Reader::BsdtarPiped
    }

    fn small_entries(&self) -> impl Iterator<Item = &str> {
        let small = self
            .entries
            .iter()
            .filter(|(_, written)| written.size < 100);
        small.map(|(name, _)| name.as_str())
    }

    /// Python reads sizes and offsets as they were written.
    fn check_directory(&self) {
        if !Reader::installed().any(|reader| reader == Reader::Python) {
            return;
        }
        let list = "import sys, zipfile
for e in zipfile.ZipFile(sys.argv[1]).infolist():
    print(e.filename, e.file_size, e.compress_size, e.CRC, e.header_offset, e.extract_version)";
        let said = run(Command::new("python3").args(["-c", list]).arg(&self.path));
        let expected = self.entries.iter().map(|(name, w)| {
            let beyond = [w.size, w.compressed, w.offset]
                .iter()
                .any(|value| *value >= MARK);
            let version = if beyond { 45 } else { 20 };
            format!(
                "{name} {} {} {} {} {version}\n",
                w.size, w.compressed, w.crc, w.offset
            )
        });
        assert_eq!(said, expected.collect::<String>());
    }
}

/// Gives an entry a body of zeros.
fn zeros<'a>(
    mut entry: OpenEntry<'a>,
    size: u64,
    out: &mut Pieces,
    file: &mut File,
) -> OpenEntry<'a> {
    let mut left = size;
    while left > 0 {
        let length = left.min(PART as u64);
        let part = Bytes::from_static(&ZEROS[..usize::try_from(length).unwrap()]);
        entry.push(part, out).unwrap();
        take(out, file);
        left -= length;
    }
    entry
}

/// Writes what waits; our zeros become a hole.
fn take(out: &mut Pieces, file: &mut File) {
    while let Some(piece) = out.pop() {
        if ZEROS.as_ptr_range().contains(&piece.as_ptr()) {
            file.seek(SeekFrom::Current(i64::try_from(piece.len()).unwrap()))
                .unwrap();
        } else {
            file.write_all(&piece).unwrap();
        }
    }
}

fn crc_of_zeros(size: u64) -> u32 {
    let mut all = crc32fast::Hasher::new();
    // A body that doubles costs one combination, not its length.
    let mut doubled = crc32fast::Hasher::new();
    doubled.update(&[0]);
    for bit in 0..u64::BITS {
        if size >> bit & 1 == 1 {
            all.combine(&doubled);
        }
        let same = doubled.clone();
        doubled.combine(&same);
        if size >> bit <= 1 {
            break;
        }
    }
    all.finalize()
}

#[test]
fn sizes_around_4_gib_are_found_by_every_reader() {
    for size in [MARK - 1, MARK, MARK + 1, 5 * GIB] {
        let mut sparse = Sparse::new();
        sparse.small("first");
        let written = sparse.large("known", size, Large::Known);
        assert_eq!((written.size, written.compressed), (size, size));
        sparse.small("second");
        sparse.whole("third");
        sparse.end();
        assert_eq!(
            sparse.length.total(),
            Some(sparse.path.metadata().unwrap().len())
        );
        sparse.check();
    }
}

#[test]
fn streams_around_4_gib_are_found_by_every_reader() {
    // 4,294,639,629 bytes are the most whose blocks fit without ZIP64.
    for (size, form) in [
        (4 * GIB + 10, Large::Sized),
        (4_294_639_629, Large::Sized),
        (4_294_639_630, Large::Sized),
        (4 * GIB + 10, Large::Unsized),
        (MARK - 1, Large::Unsized),
    ] {
        let mut sparse = Sparse::new();
        sparse.small("first");
        let text = if form == Large::Unsized {
            "unsized"
        } else {
            "sized"
        };
        let written = sparse.large(text, size, form);
        assert_eq!(written.size, size);
        sparse.small("second");
        sparse.whole("third");
        sparse.end();
        if form == Large::Sized {
            assert_eq!(
                sparse.length.total(),
                Some(sparse.path.metadata().unwrap().len())
            );
        }
        sparse.check();
    }
}

#[test]
fn small_entries_far_into_an_archive_are_found_by_every_reader() {
    let mut sparse = Sparse::new();
    for n in 0..3 {
        sparse.large(&format!("large-{n}"), 3 * GIB / 2, Large::Sized);
        sparse.small(&format!("small-{n}"));
        sparse.whole(&format!("whole-{n}"));
    }
    sparse.end();
    assert_eq!(
        sparse.length.total(),
        Some(sparse.path.metadata().unwrap().len())
    );
    sparse.check();
}

#[test]
fn a_last_entry_that_begins_at_the_mark_is_found_by_every_reader() {
    for offset in [MARK - 1, MARK, MARK + 1] {
        let mut sparse = Sparse::new();
        let header = 30 + "large".len() as u64 + 9;
        sparse.large("large", offset - header, Large::Known);
        sparse.whole("last");
        let (_, last) = &sparse.entries[1];
        assert_eq!(last.offset, offset);
        sparse.end();
        sparse.check();
    }
}

#[test]
fn a_file_of_more_than_4_gib_is_read_to_its_end() {
    let mut sparse = Sparse::new();
    sparse.small("first");
    sparse.large("sized", 4 * GIB + 10, Large::Sized);
    sparse.whole("last");
    sparse.end();
    for reader in [Reader::SevenZip, Reader::JavaStream] {
        if Reader::installed().any(|installed| installed == reader) {
            assert_eq!(reader.test(&sparse.path), 3, "{reader:?}");
        }
    }
}
