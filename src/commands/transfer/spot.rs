//! How places are written: `bucket:path` is on the server, anything else here, and `-`
//! is a pipe.
//!
//! As with scp, it is the colon before any slash that tells them apart; but only what
//! can be a bucket's name is one, and `./a:b` is always a file of this machine. A path
//! is a folder where it ends with `/` or is empty, and otherwise a file: places mean
//! the same whatever lies there.

use crate::client::Remote;
use crate::exit::{Code, Failure, Result};
use files::{BucketName, DEFAULT_BUCKET, FilePath};
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Spot {
    /// On this machine.
    Local(PathBuf),
    /// On the server.
    Remote(RemoteSpot),
    /// Standard input or output.
    Pipe,
}

/// A place on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct RemoteSpot {
    pub(in crate::commands) bucket: BucketName,
    /// A path, one with a `/` at its end, or nothing.
    path: String,
}

impl Spot {
    /// Reads an argument.
    pub(in crate::commands) fn read(text: &OsStr) -> Result<Self> {
        if text == "-" {
            return Ok(Self::Pipe);
        }
        let Some((bucket, path)) = text.to_str().and_then(|text| text.split_once(':')) else {
            return Ok(Self::Local(text.into()));
        };
        let name = if bucket.is_empty() {
            DEFAULT_BUCKET
        } else {
            bucket
        };
        let Ok(bucket) = name.parse::<BucketName>() else {
            return Ok(Self::Local(text.into()));
        };
        let path = path.to_owned();
        // As it is checked for the file at or below it; what is no path says why.
        let looked_at = path.trim_end_matches('/');
        if !looked_at.is_empty() {
            file_path(looked_at)?;
        }
        Ok(Self::Remote(RemoteSpot { bucket, path }))
    }

    /// Reads an argument that is a place on the server.
    pub(in crate::commands) fn remote(text: &OsStr) -> Result<RemoteSpot> {
        match Self::read(text)? {
            Self::Remote(spot) => Ok(spot),
            _ => Err(usage(format!(
                "{} is no place on the server; write it as BUCKET:PATH, or :PATH for the bucket `{DEFAULT_BUCKET}`",
                text.display()
            ))),
        }
    }
}

impl RemoteSpot {
    /// Whether it is a folder, by how it is written.
    pub(in crate::commands) fn is_folder(&self) -> bool {
        self.path.is_empty() || self.path.ends_with('/')
    }

    /// As a file.
    pub(in crate::commands) fn file(&self) -> Result<Remote> {
        if self.is_folder() {
            return Err(usage(format!("{self} is a folder, and a file is wanted")));
        }
        self.at(&self.path)
    }

    /// What every path below it begins with.
    pub(in crate::commands) fn prefix(&self) -> String {
        if self.is_folder() {
            self.path.clone()
        } else {
            format!("{}/", self.path)
        }
    }

    /// The file of that name below it.
    pub(in crate::commands) fn below(&self, name: &str) -> Result<Remote> {
        self.at(&format!("{}{name}", self.prefix()))
    }

    /// The folder of that name below it.
    pub(in crate::commands) fn folder(&self, name: &str) -> Self {
        Self {
            bucket: self.bucket.clone(),
            path: format!("{}{name}/", self.prefix()),
        }
    }

    /// A file of its bucket.
    pub(in crate::commands) fn at(&self, path: &str) -> Result<Remote> {
        Ok(Remote {
            bucket: self.bucket.clone(),
            path: file_path(path)?,
        })
    }

    /// What it is called in the folder that it lies in: nothing for a bucket, and for
    /// what ends with `/`, which stands for what is in it.
    pub(in crate::commands) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for RemoteSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bucket, self.path)
    }
}

fn file_path(text: &str) -> Result<FilePath> {
    text.parse()
        .map_err(|error| usage(format!("`{text}`: {error}")))
}

/// That every one of several things keeps a name of its own where all of them go.
pub(in crate::commands) fn own_names<'n>(names: impl Iterator<Item = &'n str>) -> Result {
    let mut seen = std::collections::HashSet::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !seen.insert(name) {
            return Err(usage(format!(
                "two of these are called `{name}`, and one would replace the other; give them places of their own"
            )));
        }
    }
    Ok(())
}

pub(in crate::commands) fn usage(text: impl fmt::Display) -> Failure {
    Failure::new(Code::Usage, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match Spot::read(OsStr::new(text)) {
            Ok(Spot::Local(path)) => format!("local {}", path.display()),
            Ok(Spot::Remote(spot)) => format!("remote {spot}"),
            Ok(Spot::Pipe) => "pipe".to_owned(),
            Err(failure) => format!("refused {:?}", failure.code()),
        };
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn a_colon_behind_a_bucket_s_name_makes_a_place_remote() {
        check("files:covers/a.jpg", "remote files:covers/a.jpg");
        check("files:", "remote files:");
        check(":", "remote files:");
        check(":a/", "remote files:a/");
        check("files:a:b", "remote files:a:b");
        check("files:/a", "remote files:/a");
        check("files:a//b", "remote files:a//b");
        check("files:C:\\x", "remote files:C:\\x");
        check("-", "pipe");
        for local in [
            "a.jpg",
            "./files:a",
            "/x/files:a",
            "C:\\x",
            "ab:c",
            "Files:a",
            "~/a",
            "a/b:c",
        ] {
            check(local, &format!("local {local}"));
        }
        check("files:a/../b", "refused Usage");
        check("files:..", "refused Usage");
        check("files:../", "refused Usage");
        check("files:./a", "refused Usage");
    }

    #[test]
    fn what_ends_with_a_slash_is_a_folder_and_stands_for_what_is_in_it() {
        let spot = |text: &str| Spot::remote(OsStr::new(text)).expect("a place");
        for (text, folder, prefix, name) in [
            ("files:", true, "", ""),
            ("files:a", false, "a/", "a"),
            ("files:a/b", false, "a/b/", "b"),
            ("files:a/b/", true, "a/b/", ""),
            ("files:/", true, "/", ""),
        ] {
            let spot = spot(text);
            assert_eq!(
                (spot.is_folder(), spot.prefix().as_str(), spot.name()),
                (folder, prefix, name),
                "{text}"
            );
        }
        assert_eq!(
            spot("files:a").below("x/y").expect("a path").to_string(),
            "files:a/x/y"
        );
        assert!(spot("files:a").below("../y").is_err());
    }
}
