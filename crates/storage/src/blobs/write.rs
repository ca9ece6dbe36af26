//! Writing a blob.

use super::read::BlobTail;
use super::{BlobName, StoredBlob, blocking};
use crate::Result;
use crate::data_dir::sync_folder;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// How much is gathered before it goes to a blocking thread.
const BATCH: usize = 1 << 20;

/// A blob being written. Dropped before [`BlobWriter::finish`], its bytes are removed.
#[derive(Debug)]
pub struct BlobWriter {
    name: BlobName,
    temporary: Temporary,
    target: PathBuf,
    state: Option<State>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    written: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    file: File,
    hash: Sha256,
}

/// Removes the file when dropped, unless it was renamed away.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    armed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.armed {
            // One unlink of an open file; what it cannot remove, the sweep will.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl BlobWriter {
    pub(super) async fn begin(name: BlobName, temporary: PathBuf, target: PathBuf) -> Result<Self> {
        let path = temporary.clone();
        let file = blocking(move || {
            File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)
        })
        .await?;
        Ok(Self {
            name,
            temporary: Temporary {
                path: temporary,
                armed: true,
            },
            target,
            state: Some(State {
                file,
                hash: Sha256::new(),
            }),
            waiting: Vec::new(),
            waiting_bytes: 0,
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
    pub fn position(&self) -> u64 {
        *self.written.borrow() + self.waiting_bytes as u64
    }

    /// Appends `bytes`; they reach the file in batches of 1 MiB.
    ///
    /// # Errors
    /// When the disk does not take them. The blob cannot be finished then.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes >= BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Hands everything given so far to the file, so that a [`BlobTail`] sees it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut state = self.state.take().ok_or(crate::Error::Stopped)?;
        let batch = std::mem::take(&mut self.waiting);
        let length = std::mem::take(&mut self.waiting_bytes);
        let state = blocking(move || {
            for bytes in batch {
                state.hash.update(&bytes);
                state.file.write_all(&bytes)?;
            }
            Ok(state)
        })
        .await?;
        self.state = Some(state);
        self.written
            .send_modify(|written| *written += length as u64);
        Ok(())
    }

    /// A reader that follows this blob while it grows.
    ///
    /// # Errors
    /// When the file cannot be opened once more.
    pub fn tail(&self) -> Result<BlobTail> {
        let state = self.state.as_ref().ok_or(crate::Error::Stopped)?;
        let file = state.file.try_clone().map_err(crate::Error::Blob)?;
        Ok(BlobTail::new(Arc::new(file), self.written.subscribe()))
    }

    /// Stores the blob: on return it is on the disk for good.
    ///
    /// # Errors
    /// When the disk does not take it. Nothing is left of it then.
    pub async fn finish(mut self) -> Result<StoredBlob> {
        self.flush().await?;
        let State { file, hash } = self.state.take().ok_or(crate::Error::Stopped)?;
        let (temporary, target) = (self.temporary.path.clone(), self.target.clone());
        blocking(move || {
            file.sync_all()?;
            let folder = target
                .parent()
                .ok_or_else(|| io::Error::other("a blob without a folder"))?;
            if !folder.exists() {
                std::fs::create_dir_all(folder)?;
                if let Some(root) = folder.parent() {
                    sync_folder(root)?;
                }
            }
            std::fs::rename(&temporary, &target)?;
            sync_folder(folder)
        })
        .await?;
        self.temporary.armed = false;
        let size = *self.written.borrow();
        Ok(StoredBlob {
            name: self.name,
            size,
            sha256: hash.finalize().into(),
        })
    }
}
