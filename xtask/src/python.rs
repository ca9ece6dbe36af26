//! Packages from PyPI that tests use, each in an environment of its own below the target
//! directory.

use crate::place::{self, Place};
use crate::process::{Failure, Run};

/// Installs a package by name and version, unless its module can be imported already.
pub(crate) fn install(
    place: &Place,
    (name, version): (&str, &str),
    module: &str,
) -> Result<(), Failure> {
    let folder = place.tools().join(format!("{name}-{version}"));
    let installed = Run::new(folder.join("bin/python"))
        .args(["-c", &format!("import {module}")])
        .capture();
    if installed.is_ok() {
        return Ok(());
    }
    let python = place::program("python3").unwrap_or_else(|| "python3".into());
    let filled = Run::new(python)
        .args(["-m", "venv", "--clear"])
        .args([&folder])
        .capture()
        .and_then(|_| {
            Run::new(folder.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .args([format!("{name}=={version}")])
                .stream()
        });
    if filled.is_err() {
        // Stories know an environment by its Python, and would take an empty one for whole.
        let _ = std::fs::remove_dir_all(&folder);
    }
    filled.map(drop)
}
