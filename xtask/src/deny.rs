//! cargo-deny: had once, kept below the target directory, run on every check.
//!
//! Why it is compiled, and why advisories may be left out:
//! docs/decisions/0001-cargo-deny-is-compiled-once.md.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use std::path::PathBuf;

/// The release whose settings deny.toml is written for.
const VERSION: &str = "0.20.2";

/// The program: this machine's own of that release, else one compiled once.
pub(crate) fn program(place: &Place) -> Result<PathBuf, Failure> {
    let ours = place.tools().join("bin/cargo-deny");
    let candidates = [Some(ours.clone()), place::program("cargo-deny")];
    for candidate in candidates
        .into_iter()
        .flatten()
        .filter(|file| file.is_file())
    {
        let says = Run::new(&candidate).args(["--version"]).capture();
        if says.is_ok_and(|says| says.trim() == format!("cargo-deny {VERSION}")) {
            return Ok(candidate);
        }
    }
    let build = place.tools().join("build");
    // Unoptimised it compiles in under a minute, and still checks in a few seconds. A tool
    // that ends with its first panic needs no code to unwind, nor to check itself.
    let leave_out = [
        "profile.dev.debug=false",
        "profile.dev.panic='abort'",
        "profile.dev.debug-assertions=false",
        "profile.dev.overflow-checks=false",
    ];
    Run::cargo()
        .args(["install", "--locked", "--debug", "--force", "--root"])
        .args([place.tools()])
        .args(leave_out.iter().flat_map(|setting| ["--config", *setting]))
        .args([format!("cargo-deny@{VERSION}")])
        .env("CARGO_TARGET_DIR", &build)
        .dir(&place.root)
        .minutes(10)
        .stream()?;
    // What it was compiled from is ten times its size and never needed again.
    std::fs::remove_dir_all(&build)
        .map_err(|error| Failure::about(&build, "cannot be removed", &error))?;
    Ok(ours)
}

/// Licences, bans and sources: need nothing but the lock file.
pub(crate) fn licences(place: &Place) -> Result<String, Failure> {
    deny(place, &["check", "licenses", "bans", "sources"])?.stream()
}

/// Whether the database of advisories can be had now; if not, why not.
pub(crate) fn advisories_reachable(place: &Place) -> Result<Option<String>, Failure> {
    let fetched = deny(place, &["fetch", "db"])?.minutes(2).capture();
    Ok(fetched.err().map(|failure| {
        let text = failure.to_string();
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        format!(
            "the database of advisories cannot be fetched ({})",
            last.unwrap_or("no reason given").trim()
        )
    }))
}

/// Advisories against the database as [`advisories_reachable`] fetched it.
pub(crate) fn advisories(place: &Place) -> Result<String, Failure> {
    deny(place, &["--offline", "check", "advisories"])?.stream()
}

fn deny(place: &Place, words: &[&str]) -> Result<Run, Failure> {
    Ok(Run::new(program(place)?)
        .args(["--workspace"])
        .args(words)
        .dir(&place.root)
        .minutes(5))
}
