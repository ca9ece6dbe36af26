//! Stores: s3s-fs, which keeps objects as files.

use crate::client::Connection;
use crate::files::servers::{KEY, SECRET, s3s_fs, tool};
use crate::process::Process;
use crate::program::free_address;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const READY: Duration = Duration::from_secs(30);
/// The bucket that each has.
pub(super) const BUCKET: &str = "media";

/// A running store.
pub(super) struct Store {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Store {
    /// Starts one that keeps its objects below `folder`.
    pub(super) async fn start(folder: &Path) -> Result<Self> {
        let program = tool("s3s-fs").ok_or_else(|| {
            Error::from("s3s-fs is missing; `cargo xtask bench syncs` installs it")
        })?;
        fs::create_dir_all(folder.join(BUCKET))?;
        let address = free_address()?;
        let process = Process::start(&mut s3s_fs(&program, folder, address))?;
        let begun = Instant::now();
        while Connection::open(address).await.is_err() {
            if begun.elapsed() > READY {
                return Err("s3s-fs does not listen".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            process,
            address,
            folder: folder.to_owned(),
        })
    }

    /// `http://127.0.0.1:PORT`
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where an object lies.
    pub(super) fn file(&self, key: &str) -> PathBuf {
        self.folder.join(BUCKET).join(key)
    }

    /// As a rule names it. Both stores have one access key.
    pub(super) fn rule(&self, prefix: &str) -> Value {
        json!({
            "endpoint": self.endpoint(),
            "bucket": BUCKET,
            "prefix": prefix,
            "access_key": KEY,
            "secret": "SPACES_SECRET",
        })
    }

    /// As rclone is told of a remote of this name.
    pub(super) fn remote(&self, name: &str) -> Vec<(String, String)> {
        let settings = [
            ("TYPE", "s3"),
            ("PROVIDER", "Other"),
            ("ENDPOINT", &self.endpoint()),
            ("REGION", "us-east-1"),
            ("ACCESS_KEY_ID", KEY),
            ("SECRET_ACCESS_KEY", SECRET),
            ("FORCE_PATH_STYLE", "true"),
            // One request less for it.
            ("NO_CHECK_BUCKET", "true"),
        ];
        let named = |(setting, value): (&str, &str)| {
            let name = format!("RCLONE_CONFIG_{name}_{setting}");
            (name, value.to_owned())
        };
        settings.into_iter().map(named).collect()
    }

    pub(super) async fn end(self) -> Result {
        self.process.end().await
    }
}
