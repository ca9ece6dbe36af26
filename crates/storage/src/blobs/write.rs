//! Writing a blob.

use super::read::BlobTail;
use super::{BlobName, StoredBlob, blocking};
use crate::data_dir::sync_folder;
use crate::{Error, Result};
use bytes::Bytes;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How much is gathered before it goes to a blocking thread.
const BATCH: usize = 512 << 10;

/// A blob being written. Dropped before [`BlobWriter::finish`], its bytes are removed.
#[derive(Debug)]
pub struct BlobWriter {
    name: BlobName,
    temporary: Unkept,
    target: PathBuf,
    state: At,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// All that was given so far, in bytes.
    given: u64,
    /// What of it is in the file.
    written: watch::Sender<u64>,
}

/// Where the file and its hashes are.
#[derive(Debug)]
enum At {
    Hand(State),
    /// A blocking thread works at them, while the next batch comes in.
    Work(JoinHandle<io::Result<State>>),
    /// A write failed, or somebody stopped waiting for one.
    Lost,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) file: File,
    pub(super) hash: Sha256,
    pub(super) md5: Option<Md5>,
}

impl State {
    pub(super) fn take(&mut self, bytes: &Bytes) -> io::Result<()> {
        self.hash.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.file.write_all(bytes)
    }
}

/// A file that is removed when this is dropped, unless it is kept.
#[derive(Debug)]
struct Unkept(Option<PathBuf>);

impl Unkept {
    const fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        use tokio::runtime::{Handle, RuntimeFlavor};
        let Some(path) = self.0.take() else { return };
        // What cannot be removed, the sweep of the next start will.
        let remove = || drop(std::fs::remove_file(path));
        let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
        match flavor {
            // A large file takes its time, which the other tasks of this thread shall
            // not wait for; and who drops this may rely on the file being gone.
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(remove),
            _ => remove(),
        }
    }
}

impl BlobWriter {
    pub(super) async fn begin(
        name: BlobName,
        temporary: PathBuf,
        target: PathBuf,
        md5: Option<Md5>,
    ) -> Result<Self> {
        let (file, temporary) = blocking(move || {
            let file = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&temporary)?;
            // Where nobody waits for it any more, the file goes at once.
            Ok((file, Unkept::new(temporary)))
        })
        .await?;
        Ok(Self {
            name,
            temporary,
            target,
            state: At::Hand(State {
                file,
                hash: Sha256::new(),
                md5,
            }),
            waiting: Vec::new(),
            waiting_bytes: 0,
            given: 0,
            written: watch::Sender::new(0),
        })
    }

    /// The name under which it will be stored.
    #[must_use]
    pub const fn name(&self) -> BlobName {
        self.name
    }

    /// How many bytes were given so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.given
    }

    /// Appends `bytes`; they reach the file in batches of 512 KiB, each while the next one
    /// comes in.
    ///
    /// # Errors
    /// When the disk does not take them, or did not take the batch before. The blob
    /// cannot be finished then.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.given += bytes.len() as u64;
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes >= BATCH {
            self.settle().await?;
            self.begin_batch()?;
        }
        Ok(())
    }

    /// Hands everything given so far to the file, so that a [`BlobTail`] sees it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn flush(&mut self) -> Result<()> {
        self.settle().await?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.begin_batch()?;
        self.settle().await
    }

    /// Waits for the batch that is being written.
    async fn settle(&mut self) -> Result<()> {
        let At::Work(batch) = &mut self.state else {
            return Ok(());
        };
        let written = batch.await;
        self.state = At::Lost;
        let state = written.map_err(|_| Error::Stopped)?.map_err(Error::Blob)?;
        self.state = At::Hand(state);
        Ok(())
    }

    /// Gives what waits to a blocking thread.
    fn begin_batch(&mut self) -> Result<()> {
        let mut state = self.take_state()?;
        let batch = std::mem::take(&mut self.waiting);
        let length = std::mem::take(&mut self.waiting_bytes) as u64;
        let written = self.written.clone();
        // It ends by itself once its bytes are written, whether anybody waits or not.
        self.state = At::Work(tokio::task::spawn_blocking(move || {
            for bytes in batch {
                state.take(&bytes)?;
            }
            written.send_modify(|written| *written += length);
            Ok(state)
        }));
        Ok(())
    }

    fn take_state(&mut self) -> Result<State> {
        match std::mem::replace(&mut self.state, At::Lost) {
            At::Hand(state) => Ok(state),
            At::Work(_) | At::Lost => Err(Error::Stopped),
        }
    }

    /// A reader that follows this blob while it grows.
    ///
    /// # Errors
    /// When the file cannot be opened once more.
    pub fn tail(&self) -> Result<BlobTail> {
        let At::Hand(state) = &self.state else {
            return Err(Error::Stopped);
        };
        let file = state.file.try_clone().map_err(Error::Blob)?;
        Ok(BlobTail::new(Arc::new(file), self.written.subscribe()))
    }

    /// Stores the blob: on return it is on the disk for good.
    ///
    /// # Errors
    /// When the disk does not take it. Nothing is left of it then.
    pub async fn finish(mut self) -> Result<StoredBlob> {
        self.flush().await?;
        let State { file, hash, md5 } = self.take_state()?;
        let size = self.given;
        let (temporary, target) = (self.temporary, self.target);
        // Both guards go along: whoever stops waiting half-way leaves neither file behind.
        let mut stored = blocking(move || place(&file, temporary, target)).await?;
        stored.keep();
        Ok(StoredBlob {
            name: self.name,
            size,
            sha256: hash.finalize().into(),
            md5: md5.map(|md5| md5.finalize().into()),
        })
    }
}

/// Brings what was written to its place for good. It is kept when the caller says so.
fn place(file: &File, mut temporary: Unkept, target: PathBuf) -> io::Result<Unkept> {
    let folder = prepare(file, &target)?;
    let from = temporary.0.as_deref();
    let from = from.ok_or_else(|| io::Error::other("a blob without a file"))?;
    std::fs::rename(from, &target)?;
    temporary.keep();
    let stored = Unkept::new(target);
    sync_folder(&folder)?;
    Ok(stored)
}

/// Brings the content to the disk for good; the folder that it shall be in.
pub(super) fn prepare(file: &File, target: &Path) -> io::Result<PathBuf> {
    file.sync_all()?;
    let folder = target.parent();
    let folder = folder.ok_or_else(|| io::Error::other("a blob without a folder"))?;
    Ok(folder.to_owned())
}
