//! Blobs on disk: content under generated names.
//!
//! A blob is written to a temporary file, then synced, renamed into its sharded
//! folder, and the folder synced, before it counts as stored; a small one is written
//! and synced right there. Nobody knows its name before, so a reader finds the whole of
//! it or nothing, also after a loss of power; what a crash left is what no row names.
//! A name is only ever one that this module made: no text from outside becomes a path.
//!
//! The folders that contents go to are all made and synced when the blobs are opened. One
//! made by the writer who needs it first could be lost with the content of another, who
//! found it there and did not know that it was not synced yet.

mod incoming;
mod partial;
mod read;
mod write;

pub use partial::{Mark, Partial};
pub use read::{BlobFile, BlobReader, BlobStream, BlobTail};
pub use write::BlobWriter;

use crate::data_dir::sync_folder;
use crate::{Error, Result};
use bytes::Bytes;
use incoming::Incoming;
use md5::{Digest, Md5};
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// The name of a blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlobName(Uuid);

impl BlobName {
    fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// For the database.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// When the blob was begun, to the millisecond: it is part of the name.
    #[must_use]
    pub fn created_at(self) -> base::Timestamp {
        let (seconds, nanos) = self.0.get_timestamp().map_or((0, 0), |time| time.to_unix());
        let micros = i64::try_from(seconds)
            .unwrap_or(0)
            .saturating_mul(1_000_000);
        base::Timestamp::from_micros(micros.saturating_add(i64::from(nanos / 1000)))
    }
}

impl From<Uuid> for BlobName {
    fn from(value: Uuid) -> Self {
        Self(value)
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl FromStr for BlobName {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Under which name.
    pub name: BlobName,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
    /// The MD5 of its content, where it was asked for.
    pub md5: Option<[u8; 16]>,
}

/// The blobs of a data directory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: PathBuf,
    incoming: Arc<Incoming>,
}

impl Blobs {
    /// Opens the blobs below `root`, creating the folders, and removes what processes that
    /// are gone left half-written. Replicas may share the folder. Blocking.
    ///
    /// # Errors
    /// When the folders cannot be made or read.
    pub fn open(root: &Path) -> Result<Self> {
        let opened = Incoming::open(&root.join("incoming"));
        let opened = opened.and_then(|incoming| {
            make_folders(root)?;
            Ok(incoming)
        });
        let incoming = opened.map_err(|source| Error::Directory {
            path: root.to_owned(),
            source,
        })?;
        Ok(Self {
            root: root.to_owned(),
            incoming: Arc::new(incoming),
        })
    }

    /// Begins a blob that can be followed while it grows.
    ///
    /// # Errors
    /// When its temporary file cannot be made.
    pub async fn create(&self) -> Result<BlobWriter> {
        let mut writer = self.writer(None);
        writer.begin().await?;
        Ok(writer)
    }

    /// Begins a blob of which the MD5 is wanted, too, for clients that compare it. A
    /// temporary file is made only when it grows.
    #[must_use]
    pub fn create_with_md5(&self) -> BlobWriter {
        self.writer(Some(Md5::new()))
    }

    fn writer(&self, md5: Option<Md5>) -> BlobWriter {
        let name = BlobName::new();
        BlobWriter::unbegun(name, self.incoming(name), self.path(name), md5)
    }

    /// Opens a stored blob for reading.
    ///
    /// # Errors
    /// [`Error::NoBlob`] when there is none.
    pub async fn read(&self, name: BlobName) -> Result<BlobFile> {
        BlobFile::open(self.path(name)).await
    }

    /// Opens a stored blob, and reads the whole of it where it has at most `most` bytes.
    ///
    /// # Errors
    /// [`Error::NoBlob`] when there is none.
    pub async fn read_small(&self, name: BlobName, most: u64) -> Result<(BlobFile, Option<Bytes>)> {
        BlobFile::open_small(self.path(name), most).await
    }

    /// Removes a blob; whether there was one. A reader that has it open reads on.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub async fn delete(&self, name: BlobName) -> Result<bool> {
        match tokio::fs::remove_file(self.path(name)).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::Blob(error)),
        }
    }

    /// Whether a blob is there and nobody has written to it for `age`. Its name tells when it
    /// was begun, and it may have come for long.
    ///
    /// # Errors
    /// When the disk does not say.
    pub async fn is_untouched(&self, name: BlobName, age: Duration) -> Result<bool> {
        let path = self.path(name);
        blocking(move || match unless_gone(std::fs::metadata(path))? {
            Some(metadata) => touched_before(&metadata, age),
            None => Ok(false),
        })
        .await
    }

    /// Removes what was left half-written: by processes that are gone, and temporary files
    /// of this one untouched for `age`. How many files there were.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn sweep_incoming(&self, age: Duration) -> Result<usize> {
        let incoming = Arc::clone(&self.incoming);
        blocking(move || incoming.sweep(age)).await
    }

    /// Every stored blob with its size, for a sweep that compares it with the
    /// database. What is removed meanwhile may be left out. Calls `each` on a blocking
    /// thread, until it breaks off.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub async fn list(
        &self,
        mut each: impl FnMut(BlobName, u64) -> ControlFlow<()> + Send + 'static,
    ) -> Result<()> {
        let root = self.root.clone();
        blocking(move || {
            for shard in std::fs::read_dir(root)? {
                let shard = shard?;
                let name = shard.file_name();
                let others = name == "incoming" || name == partial::FOLDER;
                if others || !shard.file_type()?.is_dir() {
                    continue;
                }
                for file in std::fs::read_dir(shard.path())? {
                    let file = file?;
                    let name = file.file_name().to_str().and_then(|name| name.parse().ok());
                    if let Some(name) = name
                        && let Some(metadata) = unless_gone(file.metadata())?
                        && each(name, metadata.len()).is_break()
                    {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
        .await
    }

    fn incoming(&self, name: BlobName) -> PathBuf {
        self.incoming.folder().join(name.to_string())
    }

    /// The shard is the end of the name: the beginning of a UUIDv7 is its time.
    fn path(&self, name: BlobName) -> PathBuf {
        let text = name.to_string();
        self.root.join(&text[text.len() - 2..]).join(text)
    }
}

/// Makes every folder that contents go to, for good. One that is there may have been made
/// a moment ago by somebody who shares the root, so that it is synced here, too.
fn make_folders(root: &Path) -> io::Result<()> {
    let shards = (0..=u8::MAX).map(|shard| format!("{shard:02x}"));
    for name in shards.chain([partial::FOLDER.to_owned()]) {
        match std::fs::create_dir(root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    sync_folder(root)?;
    root.parent().map_or(Ok(()), sync_folder)
}

/// Whether nobody has written to a file for `age`.
fn touched_before(metadata: &std::fs::Metadata, age: Duration) -> io::Result<bool> {
    let since = SystemTime::now().duration_since(metadata.modified()?);
    Ok(since.unwrap_or_default() >= age)
}

/// What is said of a file, unless it was renamed or removed meanwhile.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs file work on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                Error::NoBlob
            } else {
                Error::Blob(error)
            }
        }),
        Err(_) => Err(Error::Stopped),
    }
}

#[cfg(test)]
mod tests;
