//! Half-written files, which must not stay when this program ends at once.
//!
//! Whoever writes one removes it when it is dropped. An end at once drops nothing, so it
//! looks here for what there is. What somebody goes on with later is not noted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One for the process, as its end is.
static NOTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn noted() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That a file is half-written. Dropped, it is not any more: it is whole or gone.
#[derive(Debug)]
pub(crate) struct Half(PathBuf);

impl Half {
    pub(crate) fn note(path: &Path) -> Self {
        noted().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        noted().remove(&self.0);
    }
}

/// Removes all of them, for an end at once.
pub(crate) fn remove_all() {
    for path in noted().iter() {
        // It may be whole or gone by now.
        let _ = std::fs::remove_file(path);
    }
}

/// Whether a file would be removed.
#[cfg(test)]
pub(crate) fn is_noted(path: &Path) -> bool {
    noted().contains(path)
}
