//! A tus server that is not ours: npm's `@tus/server`, which keeps uploads as files.

use crate::peers;
use crate::server::{Captured, Running};
use std::path::PathBuf;
use tempfile::TempDir;

const SCRIPT: &str = include_str!("tus_server.mjs");

/// A running tus server; ended when dropped.
pub struct TusServer {
    /// Before the folder, so that it is ended first.
    _running: Running,
    port: u16,
    folder: TempDir,
}

impl TusServer {
    /// Starts one. Nothing, after saying so, when it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let packages = peers::cloudflare_peer()?;
        let node = peers::installed("node")?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let captured = Captured::default();
        let mut command = crate::server::command(&node);
        command
            .args(["--input-type=module", "--eval", SCRIPT])
            .arg(folder.path())
            // From where its packages are found.
            .current_dir(packages);
        let running = Running::spawn(command, &captured);
        Some(Self {
            _running: running,
            port: captured.port().await,
            folder,
        })
    }

    /// Where uploads are made.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/files", self.port)
    }

    /// The file of the upload at `place`, an address that it gave.
    ///
    /// # Panics
    /// When the address names none.
    #[must_use]
    pub fn file(&self, place: &str) -> PathBuf {
        let name = place.rsplit('/').next().expect("an address has an end");
        self.folder.path().join(name)
    }

    /// How many uploads it has.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn uploads(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).expect("it is there");
        let names = entries.map(|entry| entry.expect("it is read").file_name());
        names
            .filter(|name| !name.to_string_lossy().ends_with(".json"))
            .count()
    }
}
