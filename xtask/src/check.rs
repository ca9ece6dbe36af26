//! Everything that can be said of the tree without running it.

use crate::place::Place;
use crate::process::{Failure, Run};
use crate::report::Report;
use crate::{console, deny, deploy, draw, tidy};

/// `cargo xtask check`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    let mut report = Report::new();
    steps(place, &mut report);
    report.step("clippy", || clippy(place));
    report.step("fuzz targets compile", || fuzz_targets(place));
    report.close()
}

/// What makes cargo's build a check by clippy as well: clippy's compiler instead of
/// rustc for the crates of this workspace, as `cargo clippy` sets it for `cargo check`.
/// All that is compiled after such a build needs the same, or is compiled once more.
pub(crate) fn linting() -> Vec<(String, String)> {
    let separator = "__CLIPPY_HACKERY__";
    let arguments = ["-D", "warnings"].map(|word| format!("{word}{separator}"));
    vec![
        (
            "RUSTC_WORKSPACE_WRAPPER".to_owned(),
            "clippy-driver".to_owned(),
        ),
        ("CLIPPY_ARGS".to_owned(), arguments.concat()),
    ]
}

/// The steps of a check but for clippy, quickest first.
pub(crate) fn steps(place: &Place, report: &mut Report) {
    report.step("tidy", || tidy::check(&place.root));
    report.step("docs/architecture.svg is fresh", || draw::is_fresh(place));
    deploy::steps(place, report);
    report.step("formatting", || {
        Run::cargo()
            .args(["fmt", "--all", "--check"])
            .dir(&place.root)
            .stream()
    });
    report.step("fuzz/Cargo.lock is fresh", || fuzz_lock(place));
    if report.step("cargo-deny is there", || {
        deny::program(place).map(|_| String::new())
    }) {
        licences_and_advisories(place, report);
    }
    match console::obstacle(place) {
        Some(obstacle) => report.skip_unless_required("console: types and style", &obstacle),
        None => {
            report.step("console: types and style", || console::check(place));
            report.step("console: types of the API are fresh", || {
                console::types_are_fresh(place)
            });
        }
    }
}

/// The fuzz targets are a workspace of their own, which nothing else here looks at. They
/// need not be compiled for this: it fails where a crate of ours has another dependency
/// than their lock file knows.
fn fuzz_lock(place: &Place) -> Result<String, Failure> {
    let metadata = Run::cargo()
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--manifest-path", "fuzz/Cargo.toml"])
        .dir(&place.root)
        .capture();
    metadata.map(|_| String::new()).map_err(|failure| {
        Failure::new(format!(
            "fuzz/Cargo.lock is not what its crates ask for: `cp Cargo.lock fuzz/Cargo.lock`, \
             then `cargo metadata --format-version 1 --manifest-path fuzz/Cargo.toml` \
             ({failure})"
        ))
    })
}

/// Compiles the fuzz targets, but for the fuzzer itself. `cargo xtask test` does not: nothing
/// of its own build fits them, so that all crates are checked once more, for some minutes.
fn fuzz_targets(place: &Place) -> Result<String, Failure> {
    Run::cargo()
        .args(["check", "--locked", "--manifest-path", "fuzz/Cargo.toml"])
        .args(["--no-default-features", "--target-dir"])
        .args([&place.target])
        .dir(&place.root)
        .minutes(10)
        .stream()
}

fn licences_and_advisories(place: &Place, report: &mut Report) {
    report.step("licences, bans, sources", || deny::licences(place));
    match deny::advisories_reachable(place) {
        Ok(None) => {
            report.step("advisories", || deny::advisories(place));
        }
        // A shut network is no fault of the tree, not even in CI.
        Ok(Some(why)) => report.skip("advisories", &why),
        Err(failure) => {
            report.step("advisories", || Err(failure));
        }
    }
}

fn clippy(place: &Place) -> Result<String, Failure> {
    Run::cargo()
        .args([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            // The benchmarks are held to the same.
            "--features",
            "longshore-testing/bench",
            "--",
            "-D",
            "warnings",
        ])
        .dir(&place.root)
        .minutes(15)
        .stream()
}
