//! Writing a blob. What fits into one batch is hashed, written and synced in one go; of
//! what is longer, one thread writes and another hashes while the next batch comes in, and
//! the disk begins with what is there.

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
/// After so many bytes the disk begins with them, so that the end waits for less.
const AHEAD: u64 = 16 << 20;

/// A blob being written. Dropped before [`BlobWriter::finish`], its bytes are removed.
#[derive(Debug)]
pub struct BlobWriter {
    name: BlobName,
    /// Where it lies while it grows.
    incoming: PathBuf,
    temporary: Unkept,
    target: PathBuf,
    state: At,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// All that was given so far, in bytes.
    given: u64,
    /// What of it is in the file.
    written: watch::Sender<u64>,
    /// What the disk has not begun with, in bytes.
    unsynced: u64,
    /// A blocking thread waits for the disk.
    syncing: Option<JoinHandle<io::Result<()>>>,
}

/// Where the file and its hashes are.
#[derive(Debug)]
enum At {
    /// There is no file yet: all that came may fit into one go.
    Unbegun(Option<Md5>),
    Hand(State),
    /// Blocking threads work at them, while the next batch comes in.
    Work(Work),
    /// A write failed, or somebody stopped waiting for one.
    Lost,
}

/// A batch that is being written, and hashed beside that.
#[derive(Debug)]
struct Work {
    batch: JoinHandle<io::Result<State>>,
    written: Option<State>,
    md5: Option<JoinHandle<Md5>>,
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
    /// Without a file, which is made when there is more than fits into one go.
    pub(super) fn unbegun(
        name: BlobName,
        incoming: PathBuf,
        target: PathBuf,
        md5: Option<Md5>,
    ) -> Self {
        Self {
            name,
            incoming,
            temporary: Unkept(None),
            target,
            state: At::Unbegun(md5),
            waiting: Vec::new(),
            waiting_bytes: 0,
            given: 0,
            written: watch::Sender::new(0),
            unsynced: 0,
            syncing: None,
        }
    }

    /// Makes the file, if there is none.
    pub(super) async fn begin(&mut self) -> Result<()> {
        let At::Unbegun(md5) = &mut self.state else {
            return Ok(());
        };
        let incoming = self.incoming.clone();
        let (file, temporary) = blocking(move || {
            let file = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&incoming)?;
            // Where nobody waits for it any more, the file goes at once.
            Ok((file, Unkept::new(incoming)))
        })
        .await?;
        self.temporary = temporary;
        self.state = At::Hand(State {
            file,
            hash: Sha256::new(),
            md5: md5.take(),
        });
        Ok(())
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
            self.begin().await?;
            self.settle().await?;
            self.sync_ahead().await?;
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
        self.begin().await?;
        self.begin_batch()?;
        self.settle().await
    }

    /// Waits for the batch that is being written.
    async fn settle(&mut self) -> Result<()> {
        let At::Work(work) = &mut self.state else {
            return Ok(());
        };
        // What has ended is noted before the next is waited for: somebody may stop
        // waiting, and come back.
        if work.written.is_none() {
            let written = (&mut work.batch).await.map_err(|_| Error::Stopped);
            match written.and_then(|written| written.map_err(Error::Blob)) {
                Ok(state) => work.written = Some(state),
                Err(error) => {
                    self.state = At::Lost;
                    return Err(error);
                }
            }
        }
        let md5 = match &mut work.md5 {
            Some(md5) => Some(md5.await),
            None => None,
        };
        let state = work.written.take();
        self.state = At::Lost;
        let mut state = state.ok_or(Error::Stopped)?;
        state.md5 = md5.transpose().map_err(|_| Error::Stopped)?;
        self.state = At::Hand(state);
        Ok(())
    }

    /// Gives what waits to blocking threads.
    fn begin_batch(&mut self) -> Result<()> {
        let mut state = self.take_state()?;
        let batch = std::mem::take(&mut self.waiting);
        let length = std::mem::take(&mut self.waiting_bytes) as u64;
        let written = self.written.clone();
        self.unsynced += length;
        // Both end by themselves once they are through, whether anybody waits or not.
        let md5 = state.md5.take().map(|mut md5| {
            let batch = batch.clone();
            tokio::task::spawn_blocking(move || {
                for bytes in &batch {
                    md5.update(bytes);
                }
                md5
            })
        });
        let batch = tokio::task::spawn_blocking(move || {
            for bytes in batch {
                state.take(&bytes)?;
            }
            written.send_modify(|written| *written += length);
            Ok(state)
        });
        self.state = At::Work(Work {
            batch,
            written: None,
            md5,
        });
        Ok(())
    }

    /// Has the disk begin with what was written, where there is enough of it and the disk
    /// is through with the last.
    async fn sync_ahead(&mut self) -> Result<()> {
        let busy = |syncing: &JoinHandle<_>| !syncing.is_finished();
        if self.unsynced < AHEAD || self.syncing.as_ref().is_some_and(busy) {
            return Ok(());
        }
        self.synced().await?;
        let At::Hand(state) = &self.state else {
            return Ok(());
        };
        let file = state.file.try_clone().map_err(Error::Blob)?;
        self.unsynced = 0;
        // It ends with the disk.
        self.syncing = Some(tokio::task::spawn_blocking(move || file.sync_data()));
        Ok(())
    }

    /// Waits for the disk. What it could not keep, it says but once.
    async fn synced(&mut self) -> Result<()> {
        let Some(syncing) = &mut self.syncing else {
            return Ok(());
        };
        let synced = syncing.await;
        self.syncing = None;
        let synced = synced.map_err(|_| Error::Stopped)?;
        if synced.is_err() {
            self.state = At::Lost;
        }
        synced.map_err(Error::Blob)
    }

    fn take_state(&mut self) -> Result<State> {
        match std::mem::replace(&mut self.state, At::Lost) {
            At::Hand(state) => Ok(state),
            At::Unbegun(_) | At::Work(_) | At::Lost => Err(Error::Stopped),
        }
    }

    /// A reader that follows this blob while it grows.
    ///
    /// # Errors
    /// When the file cannot be opened once more, or there is none yet.
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
        if let At::Unbegun(md5) = &mut self.state {
            let md5 = md5.take();
            return self.finish_small(md5).await;
        }
        self.flush().await?;
        self.synced().await?;
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

impl BlobWriter {
    /// Stores what came in one go, at its place at once: no row names it yet, so nobody
    /// looks there.
    async fn finish_small(self, md5: Option<Md5>) -> Result<StoredBlob> {
        let (target, parts) = (self.target, self.waiting);
        let (mut stored, sha256, md5) = blocking(move || {
            let (mut sha256, mut md5) = (Sha256::new(), md5);
            for bytes in &parts {
                sha256.update(bytes);
                if let Some(md5) = &mut md5 {
                    md5.update(bytes);
                }
            }
            let stored = store(target, &parts)?;
            Ok((stored, sha256.finalize(), md5.map(Md5::finalize)))
        })
        .await?;
        stored.keep();
        Ok(StoredBlob {
            name: self.name,
            size: self.given,
            sha256: sha256.into(),
            md5: md5.map(Into::into),
        })
    }
}

/// Writes a file for good. It is kept when the caller says so.
fn store(target: PathBuf, parts: &[Bytes]) -> io::Result<Unkept> {
    let mut options = File::options();
    options.write(true).create_new(true);
    let folder = folder_of(&target)?.to_owned();
    let mut file = options.open(&target)?;
    let stored = Unkept::new(target);
    for bytes in parts {
        file.write_all(bytes)?;
    }
    file.sync_all()?;
    sync_folder(&folder)?;
    Ok(stored)
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
    Ok(folder_of(target)?.to_owned())
}

fn folder_of(target: &Path) -> io::Result<&Path> {
    target
        .parent()
        .ok_or_else(|| io::Error::other("a blob without a folder"))
}
