//! A real S3-compatible store for the tests of buckets that lie in one: s3s-fs, compiled
//! once and kept below the target directory.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use std::path::PathBuf;

/// The newest release that builds with the Rust of this project.
const VERSION: &str = "0.14.1";

/// The program, where it is installed.
pub(crate) fn program(place: &Place) -> Option<PathBuf> {
    let program = place.tools().join("bin/s3s-fs");
    let says = Run::new(&program).args(["--version"]).capture();
    says.is_ok_and(|says| says.trim().ends_with(VERSION))
        .then_some(program)
}

/// Installs it on first use. Without it its tests are skipped, so what cannot be installed
/// is said and no failure, unless peers are required.
pub(crate) fn install(place: &Place) -> Result<(), Failure> {
    if program(place).is_some() {
        return Ok(());
    }
    let build = place.tools().join("build-s3s-fs");
    let installed = Run::cargo()
        .args(["install", "--locked", "--debug", "--force", "--root"])
        .args([place.tools()])
        .args(["--config", "profile.dev.debug=false"])
        .args(["--features", "binary"])
        .args([format!("s3s-fs@{VERSION}")])
        .env("CARGO_TARGET_DIR", &build)
        .dir(&place.root)
        .minutes(15)
        .stream();
    // What it was compiled from is never needed again, whether it was compiled or not.
    let _ = std::fs::remove_dir_all(&build);
    match installed {
        Err(failure) if !place::peers_required() => {
            println!("The S3 store is left out: {failure}");
            Ok(())
        }
        installed => installed.map(drop),
    }
}
