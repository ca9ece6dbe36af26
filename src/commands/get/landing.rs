//! Where a path of the server comes to lie on this machine: below the folder that was
//! named, whatever it is called.
//!
//! A path is a value there and a location here. `/a` and `a//b` are paths there, and a
//! disk has no folders without a name: they lose those, unless another file has that
//! place. Every other name is kept as it is. `..` leads nowhere, nor does a link below
//! the folder.

use super::{Goal, Wanted, ended};
use crate::client::{Client, Remote, RemoteFile};
use crate::commands::transfer::{Ended, RemoteSpot, Trouble, patiently};
use crate::exit::{Failure, Result};
use reqwest::StatusCode;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A place below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    root: PathBuf,
    /// The names on the way to it, its own the last.
    names: Vec<String>,
    path: PathBuf,
    folder: bool,
    /// Whether it lost a folder without a name.
    changed: bool,
}

impl Landing {
    /// The place that `path` has below `root`.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn below(root: &Path, path: &str) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let folder = path.ends_with('/');
        let whole = path.strip_suffix('/').unwrap_or(path);
        let mut changed = false;
        for name in whole.split('/') {
            match name {
                // The server keeps none of these, but it is not asked.
                "." | ".." => return Err(homeless(path)),
                name if name.contains('\0') => return Err(homeless(path)),
                "" => changed = true,
                name => names.push(name.to_owned()),
            }
        }
        if names.is_empty() {
            return Err(homeless(path));
        }
        let mut place = root.to_owned();
        place.extend(&names);
        Ok(Self {
            root: root.to_owned(),
            names,
            path: place,
            folder,
            changed,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the marker of a folder.
    pub(super) const fn is_folder(&self) -> bool {
        self.folder
    }

    /// Makes the folders on the way to it, through no link that lies below the root.
    pub(super) fn make_folders(&self) -> Result<(), Trouble> {
        let unusable = |path: &Path, error: &io::Error| {
            Trouble::from(Failure::failed(format!(
                "the folder {} cannot be made: {error}",
                path.display()
            )))
        };
        fs::create_dir_all(&self.root).map_err(|error| unusable(&self.root, &error))?;
        let count = self.names.len() - usize::from(!self.folder);
        let mut path = self.root.clone();
        for name in &self.names[..count] {
            path.push(name);
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let there = fs::symlink_metadata(&path);
                    if !there.is_ok_and(|there| there.is_dir()) {
                        return Err(Failure::failed(format!(
                            "{} is no folder, and a link is not followed",
                            path.display()
                        ))
                        .into());
                    }
                }
                Err(error) => return Err(unusable(&path, &error)),
            }
        }
        Ok(())
    }
}

fn homeless(path: &str) -> Failure {
    Failure::failed(format!("`{path}` has no place in a folder"))
}

/// The places of all that lies below a prefix, no two the same.
pub(super) struct Landings<'c> {
    client: &'c Client,
    root: PathBuf,
    prefix: String,
    /// Of those that lost a folder without a name; the others differ by themselves.
    changed: HashSet<PathBuf>,
}

impl<'c> Landings<'c> {
    pub(super) fn below(client: &'c Client, root: &Path, prefix: &str) -> Self {
        Self {
            client,
            root: root.to_owned(),
            prefix: prefix.to_owned(),
            changed: HashSet::new(),
        }
    }

    /// Where this file goes.
    pub(super) async fn of(
        &mut self,
        spot: &RemoteSpot,
        file: RemoteFile,
    ) -> Result<Wanted, Ended> {
        let named = format!("{}:{}", spot.bucket, file.path);
        self.wanted(spot, file)
            .await
            .map_err(|trouble| ended(&named, trouble))
    }

    async fn wanted(&mut self, spot: &RemoteSpot, file: RemoteFile) -> Result<Wanted, Trouble> {
        let from = spot.at(&file.path)?;
        let below = file
            .path
            .strip_prefix(&self.prefix)
            .ok_or_else(|| homeless(&file.path))?;
        // What marks the folder itself is the folder.
        let landing = match below {
            "" => Landing {
                root: self.root.clone(),
                names: Vec::new(),
                path: self.root.clone(),
                folder: true,
                changed: false,
            },
            below => Landing::below(&self.root, below)?,
        };
        if landing.folder && file.size > 0 {
            return Err(Failure::failed(
                "it has a content, and a name that ends with `/`; get it alone, into a file",
            )
            .into());
        }
        if landing.changed {
            self.check(spot, &landing).await?;
        }
        Ok(Wanted {
            from,
            known: Some(file),
            goal: Goal::Below(landing),
        })
    }

    /// Whether a place that a path gets instead of its own is free.
    async fn check(&mut self, spot: &RemoteSpot, landing: &Landing) -> Result<(), Trouble> {
        let plain = format!("{}{}", self.prefix, landing.names.join("/"));
        let taken =
            !self.changed.insert(landing.path.clone()) || self.is_there(&spot.at(&plain)?).await?;
        if taken && !landing.folder {
            return Err(Failure::failed(format!(
                "another file goes to {}; get it alone, under a name of its own",
                landing.path.display()
            ))
            .into());
        }
        Ok(())
    }

    async fn is_there(&self, remote: &Remote) -> Result<bool, Trouble> {
        match patiently(self.client, || self.client.details(remote)).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lands_below_its_folder_or_nowhere() {
        for (path, expected) in [
            ("a/b.txt", Some("/t/a/b.txt")),
            ("/etc/passwd", Some("/t/etc/passwd")),
            ("a//b", Some("/t/a/b")),
            ("///a", Some("/t/a")),
            ("a/", Some("/t/a")),
            ("C:\\x", Some("/t/C:\\x")),
            ("..\\x", Some("/t/..\\x")),
            ("...", Some("/t/...")),
            ("~", Some("/t/~")),
            ("-rf", Some("/t/-rf")),
            ("a\nb", Some("/t/a\nb")),
            ("..", None),
            ("../x", None),
            ("a/../../x", None),
            ("a/.", None),
            ("a/./b", None),
            ("/..", None),
            ("/", None),
            ("//", None),
            ("", None),
            ("a\0b", None),
        ] {
            let landing = Landing::below(Path::new("/t"), path).ok();
            let place = landing.as_ref().map(Landing::path);
            assert_eq!(place, expected.map(Path::new), "{path:?}");
        }
    }

    #[test]
    fn no_folder_is_made_through_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("a")).expect("a link");
        let landing = Landing::below(folder.path(), "a/b/c").expect("a place");
        landing.make_folders().expect_err("it leads outside");
        assert!(!outside.path().join("b").exists());
        let landing = Landing::below(folder.path(), "d/e/f").expect("a place");
        landing.make_folders().expect("folders");
        assert!(folder.path().join("d/e").is_dir());
        assert!(!folder.path().join("d/e/f").exists());
    }
}
