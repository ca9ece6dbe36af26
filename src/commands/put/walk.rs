//! The files of a folder of this machine, one folder after the other, by name.
//!
//! Links are passed over, so that a tree ends and nothing outside of it is sent.

use futures::{Stream, stream};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What lies in a folder.
pub(super) enum Found {
    /// A file; its path from the folder on, with `/`.
    File { path: PathBuf, name: String },
    /// What is no file.
    Passed { path: PathBuf, what: &'static str },
    /// What cannot be sent.
    Unusable { path: PathBuf, why: String },
}

/// What is left of a walk: the next at the end.
pub(super) struct Walk {
    root: PathBuf,
    left: Vec<Left>,
}

enum Left {
    Folder(PathBuf),
    Found(Found),
}

impl Walk {
    pub(super) fn below(root: PathBuf) -> Self {
        Self {
            left: vec![Left::Folder(root.clone())],
            root,
        }
    }

    /// All that it finds. What a folder holds is kept until it is told, and no more.
    pub(super) fn files(self) -> impl Stream<Item = Found> {
        stream::unfold(self, |mut walk| async move {
            loop {
                match walk.left.pop()? {
                    Left::Found(found) => return Some((found, walk)),
                    Left::Folder(folder) => walk.open(folder).await,
                }
            }
        })
    }

    async fn open(&mut self, folder: PathBuf) {
        let root = self.root.clone();
        let opened = folder.clone();
        let read = tokio::task::spawn_blocking(move || read(&root, &opened)).await;
        match read.map_err(io::Error::other).and_then(|read| read) {
            Ok(left) => self.left.extend(left),
            Err(error) => self.left.push(Left::Found(Found::Unusable {
                path: folder,
                why: format!("the folder cannot be read: {error}"),
            })),
        }
    }
}

/// What lies in a folder, the last by name first.
fn read(root: &Path, folder: &Path) -> io::Result<Vec<Left>> {
    let mut entries = std::fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), entry.file_type()?))
        })
        .collect::<io::Result<Vec<(OsString, std::fs::FileType)>>>()?;
    entries.sort_by(|one, other| other.0.cmp(&one.0));
    let left = entries.into_iter().map(|(name, kind)| {
        let path = folder.join(name);
        if kind.is_dir() {
            return Left::Folder(path);
        }
        Left::Found(if kind.is_symlink() {
            let what = "a link";
            Found::Passed { path, what }
        } else if !kind.is_file() {
            let what = "no file";
            Found::Passed { path, what }
        } else {
            file(root, path)
        })
    });
    Ok(left.collect())
}

fn file(root: &Path, path: PathBuf) -> Found {
    let below = path.strip_prefix(root).ok().and_then(Path::to_str);
    match below.map(str::to_owned) {
        Some(name) => Found::File { path, name },
        None => Found::Unusable {
            path,
            why: "its name is not UTF-8".to_owned(),
        },
    }
}
