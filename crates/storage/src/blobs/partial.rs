//! A content that comes in parts, over days and restarts.
//!
//! Its bytes lie in a file under a generated name that no start sweeps away. How much of
//! it counts, a [`Mark`] says, which is made after the bytes are on the disk: whoever
//! keeps it (in the database) goes on from there, after a crash too. What the file holds
//! beyond is written over, and cut off at the end: nobody promised it here, but another
//! process that shares the folder may have, since the mark was read. The hashes go along in
//! the mark, so that nothing is read again.

use super::read::{BlobFile, read_at};
use super::write::{State, prepare};
use super::{BlobName, Blobs, StoredBlob, blocking, touched_before, unless_gone};
use crate::data_dir::sync_folder;
use crate::{Error, Result};
use bytes::Bytes;
use md5::{Digest, Md5};
use sha2::Sha256;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The folder of contents that are not whole yet.
pub(super) const FOLDER: &str = "partial";
/// How much is gathered before it goes to a blocking thread.
const BATCH: usize = 1 << 20;

/// Up to where a partial content is on the disk for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Under which name: that of the blob to be.
    pub name: BlobName,
    /// How many bytes.
    pub length: u64,
    /// The hashes of these bytes, half-made. Nothing, where they shall be made again.
    pub hashes: Vec<u8>,
}

/// A partial content that is being written. Dropped, its file stays as it is.
#[derive(Debug)]
pub struct Partial {
    name: BlobName,
    place: PathBuf,
    target: PathBuf,
    /// Nothing after a write that failed.
    state: Option<State>,
    written: u64,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// Whether it is at its last place already.
    placed: bool,
}

impl Blobs {
    /// Begins a content that comes in parts. Its mark is on the disk for good.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub async fn begin_partial(&self) -> Result<Mark> {
        let name = BlobName::new();
        let place = self.partial(name);
        blocking(move || {
            let folder = place
                .parent()
                .ok_or_else(|| io::Error::other("a content without a folder"))?;
            File::create_new(&place)?.sync_all()?;
            sync_folder(folder)
        })
        .await?;
        Ok(Mark {
            name,
            length: 0,
            hashes: Vec::new(),
        })
    }

    /// Goes on with a content from its newest mark. Only one may write at a time.
    ///
    /// # Errors
    /// [`Error::NoBlob`] when the bytes up to the mark are gone.
    pub async fn resume_partial(&self, mark: &Mark) -> Result<Partial> {
        let (place, target) = (self.partial(mark.name), self.path(mark.name));
        let (name, written) = (mark.name, mark.length);
        let mark = mark.clone();
        let opening = (place.clone(), target.clone());
        let (state, placed) = blocking(move || reopen(&mark, &opening.0, &opening.1)).await?;
        Ok(Partial {
            name,
            place,
            target,
            state: Some(state),
            written,
            waiting: Vec::new(),
            waiting_bytes: 0,
            placed,
        })
    }

    /// Opens a partial content for reading.
    ///
    /// # Errors
    /// [`Error::NoBlob`] when there is none.
    pub async fn read_partial(&self, name: BlobName) -> Result<BlobFile> {
        BlobFile::open(self.partial(name)).await
    }

    /// Removes a partial content; whether there was one.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub async fn delete_partial(&self, name: BlobName) -> Result<bool> {
        match tokio::fs::remove_file(self.partial(name)).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::Blob(error)),
        }
    }

    /// The partial contents that were not touched for `age`, for a sweep that compares
    /// them with the database.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn list_partial(&self, age: Duration) -> Result<Vec<BlobName>> {
        let folder = self.root.join(FOLDER);
        blocking(move || {
            let mut names = Vec::new();
            let Some(entries) = unless_gone(std::fs::read_dir(folder))? else {
                return Ok(names);
            };
            for entry in entries {
                let entry = entry?;
                let name = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse().ok());
                if let Some(name) = name
                    && let Some(metadata) = unless_gone(entry.metadata())?
                    && touched_before(&metadata, age)?
                {
                    names.push(name);
                }
            }
            Ok(names)
        })
        .await
    }

    fn partial(&self, name: BlobName) -> PathBuf {
        self.root.join(FOLDER).join(name.to_string())
    }
}

/// Opens the file at its first place, or else at its last, to go on after the mark. Whether
/// it is at its last.
fn reopen(mark: &Mark, place: &PathBuf, target: &PathBuf) -> io::Result<(State, bool)> {
    let opened = File::options().read(true).write(true).open(place);
    let (mut file, placed) = match unless_gone(opened)? {
        Some(file) => (file, false),
        None => (File::open(target)?, true),
    };
    if file.metadata()?.len() < mark.length {
        // The disk lost what it had promised: as good as nothing.
        return Err(io::ErrorKind::NotFound.into());
    }
    let (hash, md5) = match hashes_of(&mark.hashes) {
        Some(hashes) => hashes,
        None => hash_again(&mut file, mark.length)?,
    };
    file.seek(SeekFrom::Start(mark.length))?;
    let state = State {
        file,
        hash,
        md5: Some(md5),
    };
    Ok((state, placed))
}

/// The hashes in a mark; nothing where there are none, or they are another version's.
fn hashes_of(bytes: &[u8]) -> Option<(Sha256, Md5)> {
    let sha256_length = SerializedState::<Sha256>::default().len();
    let (sha256, md5) = bytes.split_at_checked(sha256_length)?;
    let sha256 = SerializedState::<Sha256>::try_from(sha256).ok()?;
    let md5 = SerializedState::<Md5>::try_from(md5).ok()?;
    Some((
        Sha256::deserialize(&sha256).ok()?,
        Md5::deserialize(&md5).ok()?,
    ))
}

fn hash_again(file: &mut File, length: u64) -> io::Result<(Sha256, Md5)> {
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; BATCH];
    let mut left = length;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
        file.read_exact(&mut buffer[..wanted])?;
        sha256.update(&buffer[..wanted]);
        md5.update(&buffer[..wanted]);
        left -= wanted as u64;
    }
    Ok((sha256, md5))
}

impl Partial {
    /// How many bytes there are, those that are not on the disk yet included.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.written + self.waiting_bytes as u64
    }

    /// Appends `bytes`; they reach the file in batches of 1 MiB.
    ///
    /// # Errors
    /// When the disk does not take them. Go on from the newest mark then.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes >= BATCH {
            self.flush(false).await?;
        }
        Ok(())
    }

    /// Brings everything so far to the disk for good: the mark that says so.
    ///
    /// # Errors
    /// When the disk does not take it. Go on from the newest mark then.
    pub async fn sync(&mut self) -> Result<Mark> {
        self.flush(true).await?;
        let state = self.state.as_ref().ok_or(Error::Stopped)?;
        let mut hashes = state.hash.serialize().to_vec();
        if let Some(md5) = &state.md5 {
            hashes.extend_from_slice(&md5.serialize());
        }
        Ok(Mark {
            name: self.name,
            length: self.written,
            hashes,
        })
    }

    async fn flush(&mut self, sync: bool) -> Result<()> {
        let mut state = self.state.take().ok_or(Error::Stopped)?;
        let batch = std::mem::take(&mut self.waiting);
        let length = std::mem::take(&mut self.waiting_bytes);
        let state = blocking(move || {
            for bytes in batch {
                state.take(&bytes)?;
            }
            if sync {
                state.file.sync_data()?;
            }
            Ok(state)
        })
        .await?;
        self.state = Some(state);
        self.written += length as u64;
        Ok(())
    }

    /// The first `most` bytes, or as many as there are on the disk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn beginning(&self, most: usize) -> Result<Bytes> {
        let state = self.state.as_ref().ok_or(Error::Stopped)?;
        let file = state.file.try_clone().map_err(Error::Blob)?;
        read_at(Arc::new(file), 0, self.written.min(most as u64)).await
    }

    /// Makes a blob of it, without copying: on return it is stored for good. When it
    /// fails, or somebody asks again after a crash, it can be done again from the mark.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn finish(mut self) -> Result<StoredBlob> {
        self.flush(false).await?;
        let State { file, hash, md5 } = self.state.take().ok_or(Error::Stopped)?;
        if !self.placed {
            let (place, target) = (self.place, self.target);
            let length = self.written;
            blocking(move || {
                file.set_len(length)?;
                let folder = prepare(&file, &target)?;
                std::fs::rename(place, &target)?;
                sync_folder(&folder)
            })
            .await?;
        }
        Ok(StoredBlob {
            name: self.name,
            size: self.written,
            sha256: hash.finalize().into(),
            md5: md5.map(|md5| md5.finalize().into()),
        })
    }
}

#[cfg(test)]
mod tests;
