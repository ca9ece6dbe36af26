//! Servers of files that others make, in release mode, for `xtask bench files` and `xtask
//! bench syncs`. Compiled once and kept below the target directory.

use crate::place::Place;
use crate::process::Run;
use std::fs;

/// Name, version, features. Of s3s-fs it is the newest that builds with this Rust.
const SERVERS: [(&str, &str, &[&str]); 2] = [
    ("dufs", "0.45.0", &["--no-default-features"]),
    ("s3s-fs", "0.14.1", &["--features", "binary"]),
];

/// Installs what is not there. What cannot be is said: its rows are left out.
pub(crate) fn install(place: &Place) {
    let root = place.tools().join("bench");
    let build = place.tools().join("build-bench");
    for (name, version, features) in SERVERS {
        let stamp = root.join(format!("{name}-{version}"));
        if stamp.exists() {
            continue;
        }
        let installed = Run::cargo()
            .args(["install", "--locked", "--force", "--root"])
            .args([&root])
            .args(features)
            .args([format!("{name}@{version}")])
            .env("CARGO_TARGET_DIR", &build)
            .dir(&place.root)
            .minutes(20)
            .stream();
        match installed {
            Ok(_) => drop(fs::write(&stamp, "")),
            Err(failure) => println!("{name} is left out: {failure}"),
        }
    }
    let _ = fs::remove_dir_all(&build);
}
