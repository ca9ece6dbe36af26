//! Where the archive goes: a file that appears when it is whole and not before, or
//! standard output.

use crate::exit::{Code, Failure, Result};
use crate::half::Half;
use crate::terminal;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter, Stdout};

/// What is gathered before it is written.
const BUFFER: usize = 256 << 10;
/// The length of the record that ends a ZIP without a comment, and how it begins
/// (APPNOTE 4.3.16).
const END: usize = 22;
const END_MARK: &[u8] = b"PK\x05\x06";

/// See the module. Dropped before [`Target::finish`], it leaves nothing behind.
pub(super) struct Target {
    out: Out,
    written: u64,
    /// The last bytes that were written, at most [`END`].
    tail: Vec<u8>,
}

enum Out {
    File {
        file: BufWriter<File>,
        fresh: TempPath,
        /// Nobody goes on with it later. Dropped after it.
        half: Half,
        path: PathBuf,
    },
    Stdout(BufWriter<Stdout>),
}

impl Target {
    /// Opens it; `-` is standard output.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let out = if path.as_os_str() == "-" {
            Out::Stdout(BufWriter::with_capacity(BUFFER, tokio::io::stdout()))
        } else {
            let (file, fresh) = beside(path).map_err(|error| unusable(path, &error))?;
            Out::File {
                file: BufWriter::with_capacity(BUFFER, File::from_std(file)),
                half: Half::note(&fresh),
                fresh,
                path: path.to_owned(),
            }
        };
        Ok(Self {
            out,
            written: 0,
            tail: Vec::with_capacity(2 * END),
        })
    }

    /// How many bytes were written.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Writes what follows.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result {
        match &mut self.out {
            Out::File { file, path, .. } => file
                .write_all(bytes)
                .await
                .map_err(|error| unusable(path, &error))?,
            Out::Stdout(out) => out
                .write_all(bytes)
                .await
                .map_err(|error| terminal::unwritten(&error))?,
        }
        self.written += bytes.len() as u64;
        let last = &bytes[bytes.len().saturating_sub(END)..];
        self.tail.extend_from_slice(last);
        let too_much = self.tail.len().saturating_sub(END);
        self.tail.drain(..too_much);
        Ok(())
    }

    /// It is whole: the file appears under its name, for good.
    ///
    /// # Errors
    /// When it does not end as a ZIP does, or cannot be written; then it does not appear.
    pub(super) async fn finish(self) -> Result {
        if self.tail.len() != END || !self.tail.starts_with(END_MARK) {
            return Err(Failure::new(
                Code::Server,
                "what came does not end as a ZIP does, so it is not kept; is there a proxy in between that shortens answers?",
            ));
        }
        match self.out {
            Out::Stdout(mut out) => out
                .flush()
                .await
                .map_err(|error| terminal::unwritten(&error)),
            Out::File {
                mut file,
                fresh,
                half,
                path,
            } => {
                let stored = async {
                    file.flush().await?;
                    file.get_ref().sync_all().await
                };
                stored.await.map_err(|error| unusable(&path, &error))?;
                let name = path.clone();
                let placed = tokio::task::spawn_blocking(move || fresh.persist(name)).await;
                drop(half);
                placed
                    .map_err(Failure::failed)?
                    .map_err(|error| unusable(&path, &error.error))
            }
        }
    }
}

/// A new file beside `path`, which goes when it is dropped.
fn beside(path: &Path) -> io::Result<(std::fs::File, TempPath)> {
    if path.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it names no file"))?;
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let file = Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        // As any new file: what the umask leaves.
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok(file.into_parts())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_ZIP: [u8; END] = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    #[tokio::test]
    async fn a_file_appears_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.zip");
        let mut target = Target::open(&path).expect("a target");
        // An end that comes in two parts is an end.
        target.write(&EMPTY_ZIP[..9]).await.expect("written");
        target.write(&EMPTY_ZIP[9..]).await.expect("written");
        assert!(!path.exists());
        target.finish().await.expect("whole");
        assert_eq!(std::fs::read(&path).expect("there"), EMPTY_ZIP);
        assert_eq!(names(folder.path()), ["a.zip"]);
    }

    #[tokio::test]
    async fn what_is_cut_off_or_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.zip");
        let mut target = Target::open(&path).expect("a target");
        target.write(&EMPTY_ZIP[..21]).await.expect("written");
        target.finish().await.expect_err("it is cut off");
        let mut target = Target::open(&path).expect("a target");
        target.write(&EMPTY_ZIP).await.expect("written");
        drop(target);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_directory_or_a_missing_folder_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Target::open(folder.path()).is_err());
        assert!(Target::open(&folder.path().join("none/a.zip")).is_err());
    }
}
