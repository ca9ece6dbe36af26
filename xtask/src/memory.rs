//! Folders that lie in memory: what thousands of tests make and throw away again costs a
//! disk most of its time in finding place for it.

use crate::process::Run;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What is written here lies in memory.
const MEMORY: &str = "/dev/shm";

/// A folder of this process, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty folder that only we read, and others may walk through, as peers do that give
    /// their workers to another user; nothing where the machine has no `enough` bytes to spare
    /// for it. What processes that were killed left behind is removed.
    pub(crate) fn of(name: &str, enough: u64) -> Option<Self> {
        let prefix = format!("longshore-{name}-");
        sweep(&prefix);
        if room() < enough {
            return None;
        }
        let folder = Path::new(MEMORY).join(format!("{prefix}{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o711)
            .create(&folder)
            .ok()?;
        Some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How many bytes may lie in memory: what its file system has left, and no more than half
/// of what the machine has. Nothing where that cannot be told.
fn room() -> u64 {
    let said = Run::new("df")
        .args(["--output=avail", "--block-size=1", MEMORY])
        .capture();
    let left = said
        .ok()
        .and_then(|table| table.lines().last()?.trim().parse::<u64>().ok());
    let about = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = about
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    left.unwrap_or(0)
        .min(available.unwrap_or(0).saturating_mul(1024) / 2)
}

fn sweep(prefix: &str) {
    for entry in std::fs::read_dir(MEMORY).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(prefix));
        if owner.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
