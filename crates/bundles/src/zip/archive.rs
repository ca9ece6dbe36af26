//! The archive as a whole: entries one after another, then its end.

use super::directory::Directory;
use super::ending::Ending;
use super::entry::{Body, Head, OpenEntry};
use super::layout::{Announced, MARK_32, Method, Record};
use super::length::announced;
use super::packing::Packing;
use super::pieces::Pieces;
use super::time::EntryTime;
use super::{ZipError, blocks};
use crate::name::EntryName;
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

/// Deflate's effort: on source text 0.209 of the size at 170 MB/s, where the usual
/// level 6 takes it to 0.193 at 87 MB/s.
const LEVEL: u32 = 3;

/// A ZIP archive being written.
///
/// ```
/// # use longshore_bundles::{name::EntryName, zip::{Archive, EntryTime, Packing, Pieces}};
/// # let now = EntryTime::at(base::Timestamp::EPOCH);
/// let mut archive = Archive::new();
/// let mut out = Pieces::new();
/// let name = EntryName::from_path("notes/a.txt").unwrap();
/// archive.whole(&name, now, vec!["hello".into()], Packing::Store, &mut out)?;
/// let mut bytes = Vec::new();
/// while let Some(piece) = out.pop() {
///     bytes.extend_from_slice(&piece);
/// }
/// for piece in archive.finish()? {
///     bytes.extend_from_slice(&piece);
/// }
/// assert!(bytes.starts_with(b"PK\x03\x04"));
/// # Ok::<(), longshore_bundles::zip::ZipError>(())
/// ```
///
/// The caller keeps names apart with a [`crate::name::NameRegister`].
#[derive(Debug)]
pub struct Archive {
    offset: u64,
    directory: Directory,
    /// False while an entry is open: if it is dropped, the archive stays broken.
    sound: bool,
    deflate: Option<Box<Compress>>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the body.
    pub size: u64,
    /// Bytes that it takes in the archive, without headers.
    pub compressed: u64,
    /// Its CRC-32.
    pub crc: u32,
    /// Where its local header begins.
    pub offset: u64,
}

impl Default for Archive {
    fn default() -> Self {
        Self::new()
    }
}

impl Archive {
    /// An archive without entries.
    #[must_use]
    pub fn new() -> Self {
        Self {
            offset: 0,
            directory: Directory::default(),
            sound: true,
            deflate: None,
        }
    }

    /// Entries in the directory so far; abandoned ones do not count.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.directory.entries()
    }

    /// The length that the archive would have if it ended now.
    #[must_use]
    pub fn length(&self) -> u64 {
        let extent = self.directory.extent(self.offset);
        self.offset + extent.length + extent.end_length()
    }

    /// Writes an entry whose body is in memory, in parts that are passed on and not
    /// copied.
    ///
    /// # Errors
    /// [`ZipError::Broken`] only.
    pub fn whole(
        &mut self,
        name: &EntryName,
        time: EntryTime,
        body: Vec<Bytes>,
        packing: Packing,
        out: &mut Pieces,
    ) -> Result<Written, ZipError> {
        self.begin()?;
        let mut crc = crc32fast::Hasher::new();
        for part in &body {
            crc.update(part);
        }
        let size: u64 = body.iter().map(|part| part.len() as u64).sum();
        let deflated = match packing {
            Packing::Store => None,
            Packing::Deflate => self.deflated(&body, size),
        };
        let (method, parts) = match deflated {
            Some(shorter) => (Method::Deflated, vec![shorter]),
            None => (Method::Stored, body),
        };
        let record = Record {
            name: name.as_str(),
            time,
            method,
            announced: Announced::Known,
            crc: crc.finalize(),
            size,
            compressed: parts.iter().map(|part| part.len() as u64).sum(),
            offset: self.offset,
        };
        record.send_local(out);
        for part in parts {
            out.pass(part);
        }
        Ok(self.complete(&record))
    }

    /// Begins an entry whose size and CRC-32 are known and whose body follows. It
    /// cannot be abandoned: its header has promised all of it.
    ///
    /// # Errors
    /// [`ZipError::Broken`] only.
    pub fn known<'a>(
        &'a mut self,
        name: &EntryName,
        time: EntryTime,
        size: u64,
        crc: u32,
        out: &mut Pieces,
    ) -> Result<OpenEntry<'a>, ZipError> {
        self.begin()?;
        let head = self.head(name, time, Announced::Known);
        Ok(OpenEntry::begin(
            self,
            head,
            Some(size),
            Body::Known { crc },
            out,
        ))
    }

    /// Begins an entry whose body passes through uncompressed. With a `size` the
    /// body must have exactly that many bytes, and the entry's length in the
    /// archive is exactly the one that [`super::ArchiveLength`] told ahead.
    ///
    /// Without a size the entry begins without ZIP64 fields. If it passes 4 GiB,
    /// its descriptor has 24 bytes all the same, as Go and Java write it: readers
    /// that use the directory take it so, and of those that read a stream Java's;
    /// bsdtar reading a pipe reports a wrong size for that entry and goes on. ZIP64
    /// fields in every such header would instead stop Java's stream reader (before
    /// version 23) at the first small one.
    ///
    /// # Errors
    /// [`ZipError::Broken`] only.
    pub fn stream<'a>(
        &'a mut self,
        name: &EntryName,
        time: EntryTime,
        size: Option<u64>,
        out: &mut Pieces,
    ) -> Result<OpenEntry<'a>, ZipError> {
        self.begin()?;
        let announced = match size {
            Some(size) => announced(blocks::length_in_blocks(size)),
            None => Announced::Later,
        };
        let body = Body::Blocks(blocks::Blocks::new(size));
        let head = self.head(name, time, announced);
        Ok(OpenEntry::begin(self, head, size, body, out))
    }

    /// Begins an entry whose body is deflated while it passes through. With a
    /// `size` the body must have exactly that many bytes; its length in the archive
    /// is not known ahead.
    ///
    /// # Errors
    /// [`ZipError::Broken`] only.
    pub fn deflate<'a>(
        &'a mut self,
        name: &EntryName,
        time: EntryTime,
        size: Option<u64>,
        out: &mut Pieces,
    ) -> Result<OpenEntry<'a>, ZipError> {
        self.begin()?;
        let announced = match size {
            Some(size) if size > MARK_32 => Announced::LaterZip64,
            _ => Announced::Later,
        };
        let body = Body::Deflate(self.compressor());
        let head = self.head(name, time, announced);
        Ok(OpenEntry::begin(self, head, size, body, out))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// [`ZipError::Broken`] if an entry was left open: there is no valid end then.
    pub fn finish(self) -> Result<Ending, ZipError> {
        if !self.sound {
            return Err(ZipError::Broken);
        }
        Ok(Ending::new(self.directory, self.offset))
    }

    fn head(&self, name: &EntryName, time: EntryTime, announced: Announced) -> Head {
        let name = name.clone();
        Head {
            name,
            time,
            announced,
            offset: self.offset,
        }
    }

    /// From here on the archive is broken, until the entry is completed.
    fn begin(&mut self) -> Result<(), ZipError> {
        if !self.sound {
            return Err(ZipError::Broken);
        }
        self.sound = false;
        Ok(())
    }

    /// Notes an entry that has been written wholly.
    pub(super) fn complete(&mut self, record: &Record<'_>) -> Written {
        self.directory.push(record);
        self.leave_out(record);
        Written {
            size: record.size,
            compressed: record.compressed,
            crc: record.crc,
            offset: record.offset,
        }
    }

    /// Passes over an entry that has been closed but shall not be found.
    pub(super) fn leave_out(&mut self, record: &Record<'_>) {
        let length = record.local_length() + record.compressed + record.descriptor_length();
        self.offset = record.offset + length;
        self.sound = true;
    }

    /// One compressor serves all entries: making one costs more than a small file.
    fn compressor(&mut self) -> Box<Compress> {
        match self.deflate.take() {
            Some(mut used) => {
                used.reset();
                used
            }
            None => Box::new(Compress::new(Compression::new(LEVEL), false)),
        }
    }

    pub(super) fn give_back(&mut self, compressor: Box<Compress>) {
        self.deflate = Some(compressor);
    }

    /// The body deflated, if that is shorter.
    fn deflated(&mut self, body: &[Bytes], size: u64) -> Option<Bytes> {
        let room = usize::try_from(size.checked_sub(1)?).ok()?;
        let mut compressor = self.compressor();
        let mut packed = vec![0; room];
        let shorter = compress_into(&mut compressor, body, &mut packed);
        if shorter.is_some() || drained(&mut compressor) {
            self.give_back(compressor);
        }
        packed.truncate(shorter?);
        packed.shrink_to_fit();
        Some(packed.into())
    }
}

/// Ends what was given up, so that nothing of it waits in the compressor: zlib-rs 0.6.8
/// forgets when it is reset where in its buffer that begins, and panics once all of the
/// buffer is behind it.
fn drained(compressor: &mut Compress) -> bool {
    let mut spill = [0; 4096];
    loop {
        let before = compressor.total_out();
        match compressor.compress(&[], &mut spill, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return true,
            Ok(_) if compressor.total_out() > before => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

/// Deflates all of `body` into `room`; nothing where it does not fit.
fn compress_into(compressor: &mut Compress, body: &[Bytes], room: &mut [u8]) -> Option<usize> {
    let parts = body.iter().map(|part| (part.as_ref(), FlushCompress::None));
    let mut produced = 0;
    for (mut input, flush) in parts.chain([(&[][..], FlushCompress::Finish)]) {
        loop {
            let (before_in, before_out) = (compressor.total_in(), compressor.total_out());
            let status = compressor
                .compress(input, &mut room[produced..], flush)
                .ok()?;
            let consumed = usize::try_from(compressor.total_in() - before_in).ok()?;
            produced += usize::try_from(compressor.total_out() - before_out).ok()?;
            input = &input[consumed..];
            if status == Status::StreamEnd {
                return Some(produced);
            }
            if produced == room.len() {
                return None;
            }
            if input.is_empty() && matches!(flush, FlushCompress::None) {
                break;
            }
        }
    }
    None
}
