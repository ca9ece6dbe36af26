//! What is known of a large transfer, in the user's own state folder, so that the same
//! command goes on with it after a sudden end.
//!
//! A record is locked while a command uses it, and goes with the transfer, however that
//! ends as far as the command sees it. So one that is found unlocked was left behind.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, read_dir, remove_file};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest record, in bytes.
const LONGEST: u64 = 64 << 10;
/// The server forgets an upload long before.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 3600);

/// See the module. Dropped, it takes its record along.
#[derive(Debug)]
pub(in crate::commands) struct Kept {
    path: Option<PathBuf>,
    /// Locked.
    file: Option<File>,
}

impl Kept {
    /// The record of the transfer that these make the same one.
    pub(in crate::commands) fn of(what: &[&str]) -> Self {
        Self::within(folder().as_deref(), what)
    }

    /// Of one that nobody goes on with.
    pub(in crate::commands) const fn none() -> Self {
        Self {
            path: None,
            file: None,
        }
    }

    /// The same in a folder of a test.
    #[cfg(test)]
    pub(in crate::commands) fn in_folder(folder: &Path, what: &[&str]) -> Self {
        Self::within(Some(folder), what)
    }

    fn within(folder: Option<&Path>, what: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in what {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let name = data_encoding::HEXLOWER.encode(&hasher.finalize()[..16]);
        Self {
            path: folder.map(|folder| folder.join(name)),
            file: None,
        }
    }

    /// What a sudden end left, unless another command goes on with it.
    pub(in crate::commands) fn find<T: DeserializeOwned>(&mut self) -> Option<T> {
        let path = self.path.as_ref()?;
        let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        file.try_lock().ok()?;
        let mut text = String::new();
        let read = (&file).take(LONGEST).read_to_string(&mut text);
        self.file = Some(file);
        read.ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Notes what there is. Where it cannot, there is nothing to go on with after a sudden
    /// end, and no other harm.
    pub(in crate::commands) fn put(&mut self, what: &impl Serialize) {
        if self.try_put(what).is_err() {
            *self = Self::none();
        }
    }

    fn try_put(&mut self, what: &impl Serialize) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        if self.file.is_none() {
            let folder = path.parent().unwrap_or(Path::new("."));
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            sweep(folder);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)?;
            file.try_lock()?;
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let text = serde_json::to_vec(what)?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }

    /// Whether a record is there, for somebody to go on with it.
    pub(in crate::commands) const fn is_there(&self) -> bool {
        self.file.is_some()
    }

    /// Leaves the record for the next command.
    pub(in crate::commands) fn leave(mut self) {
        self.file = None;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Whose lock another one has is the other one's.
        if let (Some(path), Some(_)) = (&self.path, &self.file) {
            let _ = remove_file(path);
        }
    }
}

/// Removes what nobody came back for.
fn sweep(folder: &Path) {
    let Ok(entries) = read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|about| about.modified());
        let age = changed.ok().and_then(|changed| changed.elapsed().ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            let _ = remove_file(entry.path());
        }
    }
}

/// `$XDG_STATE_HOME/longshore/transfers`, by the XDG Base Directory Specification: a
/// relative value counts as none.
fn folder() -> Option<PathBuf> {
    let place = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = place("XDG_STATE_HOME").or_else(|| Some(place("HOME")?.join(".local/state")))?;
    Some(base.join("longshore").join("transfers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, what: &str) -> Kept {
        Kept::within(Some(&folder.join("deeper")), &["get", what])
    }

    #[test]
    fn what_a_sudden_end_leaves_is_found_by_the_same_transfer_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = kept(folder.path(), "a");
        assert_eq!(first.find::<u64>(), None);
        first.put(&7_u64);
        first.put(&8_u64);
        assert_eq!(kept(folder.path(), "a").find::<u64>(), None, "it is in use");
        first.leave();
        assert_eq!(kept(folder.path(), "b").find::<u64>(), None);
        assert_eq!(kept(folder.path(), "a").find::<u64>(), Some(8));
        // Who found it is done with it.
        assert_eq!(kept(folder.path(), "a").find::<u64>(), None);
    }

    #[test]
    fn a_transfer_that_ends_takes_its_record_along_and_not_that_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = kept(folder.path(), "a");
        first.put(&7_u64);
        let mut second = kept(folder.path(), "a");
        second.put(&9_u64);
        drop(second);
        first.leave();
        assert_eq!(kept(folder.path(), "a").find::<u64>(), Some(7));
        let names = read_dir(folder.path().join("deeper")).expect("a folder");
        assert_eq!(names.count(), 0);
    }

    #[test]
    fn what_is_no_record_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = kept(folder.path(), "a");
        first.put(&"text");
        first.leave();
        let mut again = kept(folder.path(), "a");
        assert_eq!(again.find::<u64>(), None);
        again.put(&7_u64);
        again.leave();
        assert_eq!(kept(folder.path(), "a").find::<u64>(), Some(7));
        let mut nowhere = Kept::within(None, &["get"]);
        nowhere.put(&7_u64);
        assert_eq!(nowhere.find::<u64>(), None);
    }
}
