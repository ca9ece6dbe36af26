//! Where things are: the checkout, its target directory, programs on this machine.

use crate::process::Failure;
use std::path::{Path, PathBuf};

/// Folders that hold programs and that a person's PATH may lack.
const ALSO: [&str; 4] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin"];

/// The checkout that is worked on.
pub(crate) struct Place {
    /// The folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
}

impl Place {
    /// The checkout that this program was built from.
    pub(crate) fn find() -> Result<Self, Failure> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = built_from
            .parent()
            .filter(|root| root.join("Cargo.toml").is_file())
            .ok_or_else(|| {
                Failure::new("the checkout that xtask was built from is gone; build it again")
            })?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(chosen) => root.join(chosen),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The console's folder, when there is a console.
    pub(crate) fn console(&self) -> Option<PathBuf> {
        let folder = self.root.join("console");
        folder.join("package.json").is_file().then_some(folder)
    }

    /// What xtask installs for itself; removed with the target directory.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// What one run of a command needs and the next one may throw away.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .map_err(|error| Failure::about(&folder, "cannot be emptied", &error))?;
        }
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::about(&folder, "cannot be made", &error))?;
        Ok(folder)
    }
}

/// The full path of a program, in PATH or where system programs are.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(ALSO.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether an environment variable is set to something that means yes.
pub(crate) fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no"))
}

/// Whether a missing peer is a failure, as in CI.
pub(crate) fn peers_required() -> bool {
    flag("LONGSHORE_REQUIRE_PEERS")
}

/// Whether this machine is Debian or one of its children.
pub(crate) fn is_debian() -> bool {
    Path::new("/etc/debian_version").is_file() && program("apt-get").is_some()
}

/// Whether this process may install packages. (Who owns /proc/self is who we are.)
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}
