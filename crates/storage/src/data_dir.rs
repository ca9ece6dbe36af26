//! The data directory: who may use it, and the small files in it.

use crate::{Error, Result};
use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long locking the directory for an errand may take: only a look is in its way.
const LOCKING: Duration = Duration::from_secs(5);
/// And how often it is tried.
const LOOK: Duration = Duration::from_millis(10);
/// What stands behind the number of a process that has the directory for a moment only.
const BRIEFLY: &str = "briefly";

/// A data directory that this process alone uses, for as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// The mark of a process that works on the database of a data directory beside whoever has
/// it, for as long as this lives.
#[derive(Debug)]
pub struct Errand {
    _lock: File,
}

impl DataDir {
    /// Takes the directory, creating it (0700) when it is missing, and closing it to
    /// others where it was open to them: all that Longshore knows lies in it. Only the
    /// user that owns it may: what another one, root say, would put into it the owner
    /// could not read at the next start, and where the owner can put links, root had
    /// better not write.
    ///
    /// Does blocking input and output: call it at start, or on a blocking thread.
    ///
    /// # Errors
    /// When it belongs to another user, cannot be written to or made private, or another
    /// process uses it.
    pub fn open(path: &Path) -> Result<Self> {
        Self::take(path, "")
    }

    /// The same for whoever gives it back at once, to work beside others as an
    /// [`Errand`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_briefly(path: &Path) -> Result<Self> {
        Self::take(path, BRIEFLY)
    }

    fn take(path: &Path, word: &str) -> Result<Self> {
        let failed = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let directory = std::fs::metadata(path).map_err(failed)?;
        let user = rustix::process::geteuid().as_raw();
        if directory.uid() != user {
            return Err(Error::DirectoryOfAnother {
                path: path.to_owned(),
                owner: directory.uid(),
                user,
            });
        }
        make_private(path, &directory).map_err(failed)?;
        let mut lock = lock_file(&path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message: an unreadable number is left out of it.
                let _ = lock.read_to_string(&mut holder);
                let (pid, word) = holder.trim().split_once(' ').unwrap_or((&holder, ""));
                return Err(Error::DirectoryInUse {
                    path: path.to_owned(),
                    holder: pid
                        .trim()
                        .parse::<u32>()
                        .map_or_else(|_| String::new(), |pid| format!(" (process {pid})")),
                    // Who has not written down yet who it is has just come.
                    briefly: word == BRIEFLY || holder.trim().is_empty(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0).map_err(failed)?;
        lock.write_all(
            format!("{} {word}", std::process::id())
                .trim_end()
                .as_bytes(),
        )
        .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Whether errands run on its database, begun before this was opened. Blocking.
    #[must_use]
    pub fn has_errands(&self) -> bool {
        let file = lock_file(&self.path.join(ERRANDS));
        // What cannot be looked at may be anything.
        file.is_err() || file.is_ok_and(|file| file.try_lock().is_err())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SQLite file in it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        Self::database_in(&self.path)
    }

    /// The SQLite file of a data directory that another process may use.
    #[must_use]
    pub fn database_in(path: &Path) -> PathBuf {
        path.join("longshore.db")
    }

    /// Reads the small file `name`, or creates it (0600) with what `make` gives,
    /// on the disk for good before this returns. Blocking.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn read_or_create(&self, name: &str, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>> {
        let file = self.path.join(name);
        let failed = |source| Error::Directory {
            path: file.clone(),
            source,
        };
        match std::fs::read(&file) {
            Ok(content) => return Ok(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let content = make();
        self.replace(name, &content)?;
        Ok(content)
    }

    /// Writes the small file `name` (0600) in the place of what was there, on the disk
    /// for good before this returns: whoever reads it finds the old or the new. Blocking.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<()> {
        let file = self.path.join(name);
        let failed = |source| Error::Directory {
            path: file.clone(),
            source,
        };
        let fresh = self.path.join(format!("{name}.new"));
        let mut out = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(failed)?;
        out.write_all(content).map_err(failed)?;
        out.sync_all().map_err(failed)?;
        std::fs::rename(&fresh, &file).map_err(failed)?;
        sync_folder(&self.path).map_err(failed)
    }
}

/// The file that errands hold together.
const ERRANDS: &str = "errands.lock";

impl Errand {
    /// Begins one on the database of a data directory that is there. Blocking, for a
    /// moment.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn begin(path: &Path) -> Result<Self> {
        let failed = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        let lock = lock_file(&path.join(ERRANDS)).map_err(failed)?;
        let until = Instant::now() + LOCKING;
        loop {
            match lock.try_lock_shared() {
                Ok(()) => return Ok(Self { _lock: lock }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                // Somebody looks whether there are any.
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(failed(io::ErrorKind::TimedOut.into()));
                }
            }
        }
    }
}

/// A file to be locked, made where there is none.
fn lock_file(file: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file)
}

/// Takes from others what they may do with a directory.
fn make_private(path: &Path, directory: &Metadata) -> io::Result<()> {
    let mode = directory.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|error| {
        let text = format!(
            "others may look into it (mode {mode:04o}), and that cannot be changed ({error}); \
             `chmod 700` it"
        );
        io::Error::new(error.kind(), text)
    })
}

/// Makes a rename or a removal in `folder` survive a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_user_of_the_directory_is_refused_and_told_who_has_it() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let path = root.path().join("data");
        let first = DataDir::open(&path).expect("an empty directory is free");
        let refused = DataDir::open(&path).expect_err("it is in use").to_string();
        assert!(
            refused.contains(&format!("(process {})", std::process::id())),
            "{refused}"
        );
        drop(first);
        DataDir::open(&path).expect("it is free again");
    }

    #[test]
    fn who_opens_a_directory_sees_errands_that_run_on_it() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let path = root.path().join("data");
        let first = DataDir::open_briefly(&path).expect("an empty directory is free");
        assert!(!first.has_errands());
        let refused = DataDir::open(&path).expect_err("it is in use");
        assert!(
            matches!(refused, Error::DirectoryInUse { briefly: true, .. }),
            "{refused}"
        );
        let errands = [Errand::begin(&path), Errand::begin(&path)];
        assert!(errands.iter().all(std::result::Result::is_ok));
        drop(first);
        let second = DataDir::open(&path).expect("errands do not have it");
        assert!(second.has_errands());
        let refused = DataDir::open(&path).expect_err("it is in use");
        assert!(
            matches!(refused, Error::DirectoryInUse { briefly: false, .. }),
            "{refused}"
        );
        drop(errands);
        assert!(!second.has_errands());
    }

    #[test]
    fn a_directory_that_others_may_look_into_is_closed_to_them() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let path = root.path().join("data");
        std::fs::create_dir(&path).expect("made");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("open to all");
        let data = DataDir::open(&path).expect("free");
        let mode = std::fs::metadata(data.path()).expect("there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
    }

    #[test]
    fn a_small_file_is_made_once_and_is_private() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let data = DataDir::open(&root.path().join("data")).expect("free");
        let first = data
            .read_or_create("key", || b"one".to_vec())
            .expect("made");
        let second = data
            .read_or_create("key", || b"two".to_vec())
            .expect("read");
        assert_eq!(
            (first.as_slice(), second.as_slice()),
            (&b"one"[..], &b"one"[..])
        );
        let mode =
            |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(data.path().join("key")), 0o600);
        assert_eq!(mode(data.path().to_owned()), 0o700);
    }
}
