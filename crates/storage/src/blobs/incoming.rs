//! Where contents lie while they are written: a folder of its own for each process, and
//! beside it a lock that the process holds as long as it lives. So whoever comes later
//! tells what is being written from what was left behind, also where several processes
//! share the folder.

use super::{touched_before, unless_gone};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// What a lock's name ends with. A file of such a name was locked before it got it.
const LOCK: &str = "lock";

/// The folder of this process.
#[derive(Debug)]
pub(super) struct Incoming {
    all: PathBuf,
    own: PathBuf,
    _lock: File,
}

impl Incoming {
    /// Makes it within `all`, and removes those of processes that are gone. Blocking.
    pub(super) fn open(all: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(all)?;
        remove_abandoned(all)?;
        let own = all.join(Uuid::now_v7().simple().to_string());
        let unnamed = own.with_extension("new");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        std::fs::rename(&unnamed, own.with_extension(LOCK))?;
        std::fs::create_dir(&own)?;
        Ok(Self {
            all: all.to_owned(),
            own,
            _lock: lock,
        })
    }

    /// Where this process writes.
    pub(super) fn folder(&self) -> &Path {
        &self.own
    }

    /// Removes the folders of processes that are gone, and the files of this one that were
    /// not touched for `age`; how many files. Blocking.
    pub(super) fn sweep(&self, age: Duration) -> io::Result<usize> {
        Ok(remove_abandoned(&self.all)? + remove_old(&self.own, age)?)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What is being written still keeps the folder, and is swept by who comes next.
        if std::fs::remove_dir(&self.own).is_ok() {
            let _ = std::fs::remove_file(self.own.with_extension(LOCK));
        }
    }
}

/// Removes what belongs to no process that lives; how many files.
fn remove_abandoned(all: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(all)? {
        let path = entry?.path();
        let lock = path.with_extension(LOCK);
        if path.is_dir() {
            let Some(_held) = take(&lock)? else { continue };
            removed += remove_old(&path, Duration::ZERO)?;
            // Neither may be there any more: another one sweeps, too.
            let _ = std::fs::remove_dir(&path);
            let _ = std::fs::remove_file(&lock);
        } else if path.extension().is_none() && std::fs::remove_file(&path).is_ok() {
            // From before each process had a folder of its own.
            removed += 1;
        }
    }
    Ok(removed)
}

/// The lock of a process that is gone; nothing while it lives. One that is not there
/// is as good as taken.
fn take(lock: &Path) -> io::Result<Option<Option<File>>> {
    let file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Some(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes the files in `folder` that were not touched for `age`; how many.
fn remove_old(folder: &Path, age: Duration) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(metadata) = unless_gone(entry.metadata())? else {
            continue;
        };
        if touched_before(&metadata, age)? && std::fs::remove_file(entry.path()).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}
