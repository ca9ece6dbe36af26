//! Where a content goes: a file that appears when it is whole and not before, or
//! standard output, which cannot be taken back.

use crate::client::Way;
use crate::commands::transfer::{Kept, Trouble};
use crate::exit::Failure;
use crate::half::Half;
use crate::terminal;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter, Stdout};

/// What is gathered before it is written.
const BUFFER: usize = 256 << 10;

/// See the module. Dropped before [`Target::finish`], it leaves nothing behind.
pub(super) struct Target {
    out: Out,
    written: u64,
}

enum Out {
    File {
        file: BufWriter<File>,
        fresh: TempPath,
        /// While nothing is kept of it, by which somebody goes on with it later. Dropped
        /// after it.
        half: Option<Half>,
        path: PathBuf,
        way: Way,
        kept: Kept,
    },
    Stdout(BufWriter<Stdout>),
}

/// What is kept of a content that comes.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    /// Where its bytes gather.
    part: PathBuf,
    /// Of which version they are.
    etag: String,
}

impl Target {
    pub(super) fn stdout() -> Self {
        Self {
            out: Out::Stdout(BufWriter::with_capacity(BUFFER, tokio::io::stdout())),
            written: 0,
        }
    }

    /// A file at `path`, beside which its bytes gather; and of which version they are that a
    /// sudden end has left there, by the record `kept`.
    pub(super) fn file(
        path: &Path,
        way: Way,
        mut kept: Kept,
    ) -> Result<(Self, Option<String>), Trouble> {
        if path.is_dir() {
            let text = format!(
                "{} is a folder, and a file would replace it",
                path.display()
            );
            return Err(Failure::failed(text).into());
        }
        let found = kept.find::<Left>();
        let found = found.and_then(|left| Some((reopen(path, &left)?, left.etag)));
        let (file, fresh, written, etag) = match found {
            Some(((file, fresh, written), etag)) => (file, fresh, written, Some(etag)),
            None => {
                let (file, fresh) = beside(path).map_err(|error| unwritable(path, &error))?;
                (file, fresh, 0, None)
            }
        };
        let half = etag.is_none().then(|| Half::note(&fresh));
        let target = Self {
            out: Out::File {
                file: BufWriter::with_capacity(BUFFER, File::from_std(file)),
                fresh,
                half,
                path: path.to_owned(),
                way,
                kept,
            },
            written,
        };
        Ok((target, etag))
    }

    /// Notes of which version it is, so that the same command goes on with it after a
    /// sudden end.
    pub(super) fn keep(&mut self, etag: &str) {
        if let Out::File {
            fresh, half, kept, ..
        } = &mut self.out
        {
            kept.put(&Left {
                part: fresh.to_path_buf(),
                etag: etag.to_owned(),
            });
            if kept.is_there() {
                *half = None;
            } else {
                half.get_or_insert_with(|| Half::note(fresh));
            }
        }
    }

    /// The file in which the bytes gather that were there before, if there is one.
    pub(super) fn part(&self) -> Option<&Path> {
        match &self.out {
            Out::File { fresh, .. } => Some(fresh),
            Out::Stdout(_) => None,
        }
    }

    /// How many bytes it has.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Writes what follows.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        match &mut self.out {
            Out::File { file, path, .. } => file
                .write_all(bytes)
                .await
                .map_err(|error| unwritable(path, &error))?,
            Out::Stdout(out) => out
                .write_all(bytes)
                .await
                .map_err(|error| Trouble::fatal(terminal::unwritten(&error)))?,
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Begins anew; whether it can.
    pub(super) async fn begin_again(&mut self) -> Result<bool, Trouble> {
        match &mut self.out {
            Out::Stdout(_) => Ok(self.written == 0),
            Out::File { file, path, .. } => {
                let emptied = async {
                    file.flush().await?;
                    file.get_mut().set_len(0).await?;
                    file.get_mut().rewind().await
                };
                emptied.await.map_err(|error| unwritable(path, &error))?;
                self.written = 0;
                Ok(true)
            }
        }
    }

    /// It is whole: the file appears under its name, for good.
    pub(super) async fn finish(self) -> Result<(), Trouble> {
        let (mut file, fresh, half, path, way, kept) = match self.out {
            Out::Stdout(mut out) => {
                let flushed = out.flush().await;
                return flushed.map_err(|error| Trouble::fatal(terminal::unwritten(&error)));
            }
            Out::File {
                file,
                fresh,
                half,
                path,
                way,
                kept,
            } => (file, fresh, half, path, way, kept),
        };
        let stored = async {
            file.flush().await?;
            file.get_ref().sync_all().await
        };
        stored.await.map_err(|error| unwritable(&path, &error))?;
        let name = path.clone();
        let placed = tokio::task::spawn_blocking(move || match way {
            Way::Replace => fresh.persist(name),
            Way::Keep => fresh.persist_noclobber(name),
        });
        let placed = placed.await.map_err(Failure::failed)?;
        drop((half, kept));
        placed.map_err(|error| unwritable(&path, &error.error))
    }
}

/// What a sudden end left beside `path`, and its length; nothing where it is not as it was
/// left.
fn reopen(path: &Path, left: &Left) -> Option<(std::fs::File, TempPath, u64)> {
    let folder = |path: &Path| Some(std::path::absolute(path).ok()?.parent()?.to_owned());
    if folder(&left.part) != folder(path) {
        return None;
    }
    // As it is, and not as what a link leads to.
    let about = std::fs::symlink_metadata(&left.part).ok()?;
    if !about.is_file() || about.len() == 0 {
        return None;
    }
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(&left.part)
        .ok()?;
    let fresh = TempPath::try_from_path(&left.part).ok()?;
    Some((file, fresh, about.len()))
}

/// A new file in the folder of `path`, which goes when it is dropped. Its name is short,
/// since that of `path` may be as long as names can be.
fn beside(path: &Path) -> io::Result<(std::fs::File, TempPath)> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if path.file_name().is_none() {
        return Err(io::Error::other("it names no file"));
    }
    let file = Builder::new()
        .prefix(".longshore-")
        .suffix(".part")
        // As any new file: what the umask leaves.
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok(file.into_parts())
}

fn unwritable(path: &Path, error: &io::Error) -> Trouble {
    let failure = Failure::failed(format!("{} cannot be written: {error}", path.display()));
    match error.kind() {
        // No other file finds room, either.
        io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::ReadOnlyFilesystem => Trouble::fatal(failure),
        _ => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::half;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry.expect("an entry");
            entry.file_name().to_string_lossy().into_owned()
        };
        entries.map(name).collect()
    }

    #[tokio::test]
    async fn a_file_appears_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n".repeat(255));
        let mut target = Target::file(&path, Way::Replace, Kept::none())
            .expect("a target")
            .0;
        target.write(b"another content").await.expect("written");
        assert!(target.begin_again().await.expect("emptied"));
        target.write(b"a content").await.expect("written");
        assert_eq!(target.written(), 9);
        assert!(!path.exists());
        target.finish().await.expect("placed");
        assert_eq!(std::fs::read(&path).expect("there"), b"a content");
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[tokio::test]
    async fn what_is_dropped_or_finds_its_place_taken_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let mut target = Target::file(&path, Way::Replace, Kept::none())
            .expect("a target")
            .0;
        target.write(b"a content").await.expect("written");
        drop(target);
        assert!(names(folder.path()).is_empty());
        let mut target = Target::file(&path, Way::Keep, Kept::none())
            .expect("a target")
            .0;
        target.write(b"a content").await.expect("written");
        std::fs::write(&path, "came first").expect("written");
        target.finish().await.expect_err("its place is taken");
        assert_eq!(std::fs::read(&path).expect("there"), b"came first");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[tokio::test]
    async fn an_end_at_once_takes_along_what_nobody_goes_on_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let open = |kept| Target::file(&path, Way::Replace, kept).expect("a target").0;
        let part = |target: &Target| target.part().expect("a file").to_owned();
        let mut target = open(Kept::none());
        target.keep("\"x\"");
        let unkept = part(&target);
        assert!(half::is_noted(&unkept), "nothing could be kept of it");
        drop(target);
        assert!(!half::is_noted(&unkept));
        let mut target = open(Kept::in_folder(folder.path(), &["get", "a"]));
        let kept = part(&target);
        assert!(half::is_noted(&kept), "nothing is kept of it yet");
        target.keep("\"x\"");
        assert!(!half::is_noted(&kept));
    }

    #[test]
    fn a_full_disk_ends_all_and_a_folder_in_the_way_does_not() {
        let full = unwritable(Path::new("a"), &io::ErrorKind::StorageFull.into());
        assert!(full.fatal);
        let taken = unwritable(Path::new("a"), &io::ErrorKind::IsADirectory.into());
        assert!(!taken.fatal);
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Target::file(folder.path(), Way::Replace, Kept::none()).is_err());
    }
}
