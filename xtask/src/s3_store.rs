//! A real S3-compatible store for the tests of buckets that lie in one: s3s-fs, as a
//! program of the crate of tests, so that it is compiled with everything else.

use crate::place::Place;
use crate::process::{Failure, Run};
use std::path::PathBuf;

/// The program, where it is compiled.
pub(crate) fn program(place: &Place) -> Option<PathBuf> {
    let program = place.target.join("debug/s3-store");
    program.is_file().then_some(program)
}

/// Compiles it, for whoever runs tests without building everything before.
pub(crate) fn build(place: &Place) -> Result<(), Failure> {
    Run::cargo()
        .args(["build", "--locked", "--package", "longshore-testing"])
        .args(["--bin", "s3-store"])
        .dir(&place.root)
        .minutes(15)
        .stream()
        .map(drop)
}
