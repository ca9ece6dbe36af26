//! Reading a blob: what the kernel has in memory is copied at once, what it has to fetch
//! from the disk is read on a blocking thread, a part at a time. So a slow taker holds one
//! part and no thread.

use super::blocking;
use crate::Result;
use bytes::Bytes;
use futures::Stream;
use futures::future::BoxFuture;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

/// One read from the disk.
const CHUNK: u64 = 256 * 1024;
/// What is copied at once where the kernel has it: it stays in the processor's cache until
/// it is sent, and the tasks beside it do not wait for long.
const AT_HAND: u64 = 64 * 1024;

/// A stored blob, open for reading. It stays readable when it is deleted meanwhile.
#[derive(Clone, Debug)]
pub struct BlobFile {
    file: Arc<File>,
    size: u64,
}

impl BlobFile {
    pub(super) async fn open(path: PathBuf) -> Result<Self> {
        blocking(move || Self::open_now(&path)).await
    }

    /// Blocking.
    fn open_now(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            size,
        })
    }

    /// In one go: a small blob is not worth a second blocking thread.
    pub(super) async fn open_small(path: PathBuf, most: u64) -> Result<(Self, Option<Bytes>)> {
        blocking(move || {
            let blob = Self::open_now(&path)?;
            if blob.size > most {
                return Ok((blob, None));
            }
            let length = usize::try_from(blob.size).map_err(io::Error::other)?;
            let mut buffer = vec![0; length];
            blob.file.read_exact_at(&mut buffer, 0)?;
            Ok((blob, Some(buffer.into())))
        })
        .await
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// What reads and seeks in it. Blocking.
    #[must_use]
    pub fn reader(&self) -> BlobReader {
        BlobReader {
            file: Arc::clone(&self.file),
            size: self.size,
            at: 0,
            left: u64::MAX,
        }
    }

    /// The bytes of `range`, which is cut at the end of the blob.
    #[must_use]
    pub fn stream(&self, range: Range<u64>) -> BlobStream {
        let end = range.end.min(self.size);
        BlobStream {
            file: Arc::clone(&self.file),
            next: range.start.min(end),
            end,
            reading: None,
        }
    }
}

/// A blob as what reads and seeks, for parsers on a blocking thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BlobReader {
    file: Arc<File>,
    size: u64,
    at: u64,
    left: u64,
}

impl BlobReader {
    /// From its beginning, and it ends when so many bytes were read in all: a parser that
    /// is led astray does not read for long.
    #[must_use]
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.at = 0;
        self.left = bytes;
        self
    }
}

impl io::Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        let read = self.file.read_at(&mut buffer[..length], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl io::Seek for BlobReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let at = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.size.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// The bytes of a range, in chunks of at most 256 KiB. A blob that turns out
/// shorter than it was ends with an error, never early and cleanly.
pub struct BlobStream {
    file: Arc<File>,
    next: u64,
    end: u64,
    reading: Option<BoxFuture<'static, Result<Bytes>>>,
}

impl std::fmt::Debug for BlobStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobStream({}..{})", self.next, self.end)
    }
}

impl BlobStream {
    /// The next part, if the kernel has it in memory.
    fn at_hand(&mut self) -> Option<Bytes> {
        let length = AT_HAND.min(self.end - self.next);
        let read = read_cached(&self.file, self.next, length)?;
        self.next += read.len() as u64;
        Some(read)
    }

    fn begin_read(&mut self) {
        let length = CHUNK.min(self.end - self.next);
        let read = read_at(Arc::clone(&self.file), self.next, length);
        self.next += length;
        self.reading = Some(Box::pin(read));
    }
}

impl Stream for BlobStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.reading.is_none() {
            if this.next >= this.end {
                return Poll::Ready(None);
            }
            if let Some(part) = this.at_hand() {
                return Poll::Ready(Some(Ok(part)));
            }
            this.begin_read();
        }
        let Some(reading) = this.reading.as_mut() else {
            return Poll::Ready(None);
        };
        let result = ready!(reading.as_mut().poll(context));
        this.reading = None;
        if result.is_err() {
            this.next = this.end;
        }
        Poll::Ready(Some(result))
    }
}

/// What can be read without waiting for the disk (preadv2(2), `RWF_NOWAIT`): some bytes,
/// or nothing, also where the file ends early or the file system cannot say.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, at: u64, length: u64) -> Option<Bytes> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let mut buffer = vec![0; usize::try_from(length).ok()?];
    let mut room = [io::IoSliceMut::new(&mut buffer)];
    let read = preadv2(file, &mut room, at, ReadWriteFlags::NOWAIT).ok()?;
    buffer.truncate(read);
    (read > 0).then(|| buffer.into())
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_: &File, _: u64, _: u64) -> Option<Bytes> {
    None
}

/// A reader of a blob that still grows.
#[derive(Clone, Debug)]
pub struct BlobTail {
    file: Arc<File>,
    written: watch::Receiver<u64>,
    next: u64,
}

impl BlobTail {
    pub(super) const fn new(file: Arc<File>, written: watch::Receiver<u64>) -> Self {
        Self {
            file,
            written,
            next: 0,
        }
    }

    /// The next bytes, waiting for them to be written. `None` when the writer is
    /// gone: whoever reads must know from elsewhere whether it finished.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let from = self.next;
        // An error says that the writer is gone; what it wrote last still counts.
        let _ = self.written.wait_for(|written| *written > from).await;
        let available = *self.written.borrow();
        if available <= self.next {
            return Ok(None);
        }
        let length = CHUNK.min(available - self.next);
        let bytes = read_at(Arc::clone(&self.file), self.next, length).await?;
        self.next += length;
        Ok(Some(bytes))
    }
}

pub(super) async fn read_at(file: Arc<File>, at: u64, length: u64) -> Result<Bytes> {
    blocking(move || {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut buffer = vec![0; length];
        file.read_exact_at(&mut buffer, at)?;
        Ok(Bytes::from(buffer))
    })
    .await
}
