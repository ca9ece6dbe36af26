//! A real S3-compatible store on a free port: s3s-fs, which keeps objects as files, so
//! that a test sees with its own eyes what lies where.
//!
//! What it does otherwise than stores that are used: it looks at no condition of a GET,
//! it lists no ETags, and keys as they are though it says that they are encoded (so `+` and `%` in them
//! are read wrongly), and it has no keys that are no paths (`//`, a leading `/`, one below
//! another, or more than about 150 bytes). It takes a folder for an object.

use crate::peers;
use crate::ports;
use crate::server::{Captured, Running};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The bucket that it has from the start.
const BUCKET: &str = "harbour";
const ACCESS_KEY: &str = "LONGSHORETESTKEY";
const SECRET: &str = "a-secret-of-a-store-in-a-test";

/// A running store; ended when dropped.
pub struct S3Store {
    /// Before the folder, so that it is ended first.
    _running: Running,
    port: u16,
    folder: TempDir,
}

impl S3Store {
    /// Starts one, with a bucket. Nothing, after saying so, when it is not compiled.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let program = peers::s3_store()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join(BUCKET)).expect("a temporary folder takes folders");
        let port = ports::free();
        let captured = Captured::default();
        let mut command = crate::server::command(&program);
        command
            .args([&port.to_string(), ACCESS_KEY])
            .arg(folder.path())
            .env("S3_STORE_SECRET", SECRET);
        let mut running = Running::spawn(command, &captured);
        running.listens("s3s-fs", port, &captured).await;
        Some(Self {
            _running: running,
            port,
            folder,
        })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `http://localhost:PORT`, below which its bucket has a host of its own.
    #[must_use]
    pub fn domain(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The port on which it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The bucket that it has.
    #[must_use]
    pub const fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// The id of its access key.
    #[must_use]
    pub const fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// The secret of its access key.
    #[must_use]
    pub const fn secret(&self) -> &'static str {
        SECRET
    }

    /// Where its bucket's objects are, as files by their keys.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The keys of all objects, those that are hidden included, in order.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("it is there") {
                let path = entry.expect("it is read").path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let key = path.strip_prefix(root).expect("it is below");
                    found.push(key.to_string_lossy().into_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder(), &self.folder(), &mut found);
        found.sort();
        found
    }

    /// What of uploads in parts has not become an object.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        let entries = fs::read_dir(self.folder.path()).expect("it is there");
        let names = entries.map(|entry| entry.expect("it is read").file_name());
        names
            .filter(|name| name.to_string_lossy().contains("upload"))
            .count()
    }
}
