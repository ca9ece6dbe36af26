//! Clients that people use to talk to S3, for the stories that let them at ours: boto3,
//! the AWS command line and s3cmd, in a Python environment of their own.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::schemathesis::can_be_installed;
use std::path::PathBuf;

/// What is installed. The versions belong together.
const PACKAGES: [&str; 3] = ["boto3==1.44.8", "awscli==1.46.3", "s3cmd==2.4.0"];
/// Changes with the packages, so that another folder is filled.
const FOLDER: &str = "s3-clients-1";

/// The folder of their programs, where they are installed.
pub(crate) fn programs(place: &Place) -> Option<PathBuf> {
    let programs = place.tools().join(FOLDER).join("bin");
    let works = Run::new(programs.join("python"))
        .args(["-c", "import boto3, awscli, S3"])
        .capture()
        .is_ok();
    works.then_some(programs)
}

/// Installs them below the target directory on first use. Without them their stories are
/// skipped, so what cannot be installed is said and no failure, unless peers are required.
pub(crate) fn install(place: &Place) -> Result<(), Failure> {
    if programs(place).is_some() {
        return Ok(());
    }
    if !can_be_installed() {
        println!("The S3 clients are left out: python3 with venv is not installed.");
        return Ok(());
    }
    let folder = place.tools().join(FOLDER);
    let python = place::program("python3").unwrap_or_else(|| "python3".into());
    let installed = Run::new(python)
        .args(["-m", "venv", "--clear"])
        .args([&folder])
        .capture()
        .and_then(|_| {
            Run::new(folder.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .args(PACKAGES)
                .minutes(10)
                .stream()
        });
    match installed {
        Err(failure) if !place::peers_required() => {
            println!("The S3 clients are left out: {failure}");
            Ok(())
        }
        installed => installed.map(drop),
    }
}
