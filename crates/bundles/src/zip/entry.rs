//! One entry whose body passes through in parts.

use super::ZipError;
use super::archive::{Archive, Written};
use super::blocks::Blocks;
use super::layout::{Announced, Method, Record};
use super::pieces::Pieces;
use super::time::EntryTime;
use crate::name::EntryName;
use bytes::Bytes;
use flate2::{Compress, FlushCompress, Status};

/// Deflate gives its output in parts of this many bytes.
const OUTPUT: usize = 16 * 1024;

/// An entry that has been begun. Give it its body with [`OpenEntry::push`], then
/// [`OpenEntry::finish`] or [`OpenEntry::abandon`] it: dropping it instead leaves
/// the archive [`ZipError::Broken`].
#[derive(Debug)]
#[must_use = "an entry that is neither finished nor abandoned breaks the archive"]
pub struct OpenEntry<'a> {
    archive: &'a mut Archive,
    head: Head,
    body: Body,
    declared: Option<u64>,
    size: u64,
    crc: crc32fast::Hasher,
}

/// What is known of an entry before its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) name: EntryName,
    pub(super) time: EntryTime,
    pub(super) announced: Announced,
    pub(super) offset: u64,
}

/// How the body is written.
#[derive(Debug)]
pub(super) enum Body {
    Known { crc: u32 },
    Blocks(Blocks),
    Deflate(Box<Compress>),
}

impl<'a> OpenEntry<'a> {
    /// Writes the local header.
    pub(super) fn begin(
        archive: &'a mut Archive,
        head: Head,
        declared: Option<u64>,
        body: Body,
        out: &mut Pieces,
    ) -> Self {
        let entry = Self {
            archive,
            head,
            body,
            declared,
            size: 0,
            crc: crc32fast::Hasher::new(),
        };
        let (size, crc) = match entry.body {
            Body::Known { crc } => (declared.unwrap_or_default(), crc),
            Body::Blocks(_) | Body::Deflate(_) => (0, 0),
        };
        entry.record(size, size, crc).send_local(out);
        entry
    }

    /// Bytes of the body so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.size
    }

    /// Bytes of the body still to come, where its size was declared.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.declared
            .map(|declared| declared.saturating_sub(self.size))
    }

    /// Writes the next part of the body.
    ///
    /// # Errors
    /// [`ZipError::TooLong`] if the part goes beyond the declared size; nothing of
    /// it is written then.
    pub fn push(&mut self, part: Bytes, out: &mut Pieces) -> Result<(), ZipError> {
        if let Some(declared) = self.declared
            && part.len() as u64 > declared.saturating_sub(self.size)
        {
            return Err(ZipError::TooLong { declared });
        }
        self.count(&part);
        match &mut self.body {
            Body::Known { .. } => out.pass(part),
            Body::Blocks(blocks) => blocks.push(part, out),
            Body::Deflate(compressor) => deflate(compressor, &part, FlushCompress::None, out)?,
        }
        Ok(())
    }

    /// Ends the entry, and notes it for the directory.
    ///
    /// # Errors
    /// [`ZipError::TooShort`] if less came than was declared. A streamed entry is
    /// then abandoned and the archive can go on; one of known size breaks it.
    /// [`ZipError::WrongChecksum`] if the body was not the one of the CRC-32 known.
    pub fn finish(mut self, out: &mut Pieces) -> Result<Written, ZipError> {
        if let Some(declared) = self.declared
            && self.size < declared
        {
            let got = self.size;
            if !matches!(self.body, Body::Known { .. }) {
                self.abandon(out)?;
            }
            return Err(ZipError::TooShort { declared, got });
        }
        if let Body::Known { crc: declared } = self.body {
            let got = self.crc.clone().finalize();
            if got != declared {
                return Err(ZipError::WrongChecksum { declared, got });
            }
        }
        let (compressed, crc) = self.end_data(out)?;
        let record = record(&self.head, &self.body, self.size, compressed, crc);
        record.send_descriptor(out);
        let written = self.archive.complete(&record);
        self.return_compressor();
        Ok(written)
    }

    /// Ends the entry's data validly and leaves it out of the directory: readers
    /// that use the directory never see it. One that reads from a stream finds a
    /// file with what came so far (and up to 64 KiB of zeros), so name it in the
    /// report. The archive can go on, also with another entry of the same name.
    /// (After one that was declared to exceed 4 GiB and broke off below that, Java's
    /// stream reader before version 23 stops: it takes no 24-byte descriptor there.)
    ///
    /// # Errors
    /// [`ZipError::Broken`] for an entry of known size: its header promised what
    /// has not come.
    pub fn abandon(mut self, out: &mut Pieces) -> Result<(), ZipError> {
        if matches!(self.body, Body::Known { .. }) {
            return Err(ZipError::Broken);
        }
        let (compressed, crc) = self.end_data(out)?;
        let record = record(&self.head, &self.body, self.size, compressed, crc);
        record.send_descriptor(out);
        self.archive.leave_out(&record);
        self.return_compressor();
        Ok(())
    }

    fn count(&mut self, part: &[u8]) {
        self.crc.update(part);
        self.size += part.len() as u64;
    }

    /// Ends the data; its length in the archive and the body's CRC-32.
    fn end_data(&mut self, out: &mut Pieces) -> Result<(u64, u32), ZipError> {
        let (compressed, padding) = match &mut self.body {
            Body::Known { .. } => (self.size, Bytes::new()),
            Body::Blocks(blocks) => {
                let padding = blocks.end(out);
                (blocks.written(), padding)
            }
            Body::Deflate(compressor) => {
                deflate(compressor, &[], FlushCompress::Finish, out)?;
                (compressor.total_out(), Bytes::new())
            }
        };
        self.count(&padding);
        Ok((compressed, self.crc.clone().finalize()))
    }

    fn record(&self, size: u64, compressed: u64, crc: u32) -> Record<'_> {
        record(&self.head, &self.body, size, compressed, crc)
    }

    fn return_compressor(self) {
        if let Body::Deflate(compressor) = self.body {
            self.archive.give_back(compressor);
        }
    }
}

fn record<'h>(head: &'h Head, body: &Body, size: u64, compressed: u64, crc: u32) -> Record<'h> {
    Record {
        name: head.name.as_str(),
        time: head.time,
        method: match body {
            Body::Known { .. } => Method::Stored,
            Body::Blocks(_) | Body::Deflate(_) => Method::Deflated,
        },
        announced: head.announced,
        crc,
        size,
        compressed,
        offset: head.offset,
    }
}

/// Deflates a part; with [`FlushCompress::Finish`] all that is left, too.
fn deflate(
    compressor: &mut Compress,
    mut part: &[u8],
    flush: FlushCompress,
    out: &mut Pieces,
) -> Result<(), ZipError> {
    let mut output = [0; OUTPUT];
    loop {
        let (before_in, before_out) = (compressor.total_in(), compressor.total_out());
        let status = compressor.compress(part, &mut output, flush);
        // An error would mean that the compressor is used wrongly: never by its input.
        let status = status.map_err(|_| ZipError::Broken)?;
        let consumed = compressor.total_in() - before_in;
        let produced = compressor.total_out() - before_out;
        part = &part[usize::try_from(consumed).unwrap_or(part.len())..];
        let produced = usize::try_from(produced).unwrap_or(OUTPUT);
        out.write(&output[..produced]);
        let ended = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => part.is_empty() && produced < OUTPUT,
        };
        if ended {
            return Ok(());
        }
    }
}
