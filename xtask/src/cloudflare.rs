//! What Cloudflare's double is judged by: Cloudflare's own clients from npm and PyPI, and
//! a tus server that is not ours, behind which films lie.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::schemathesis::can_be_installed;
use std::path::PathBuf;

/// What is installed. The versions belong together.
const FROM_NPM: [&str; 3] = [
    "cloudflare@7.3.0",
    "@tus/server@2.4.5",
    "@tus/file-store@2.1.1",
];
const FROM_PYPI: &str = "cloudflare==5.9.0";
/// Changes with the packages, so that another folder is filled.
const FOLDER: &str = "cloudflare-1";

/// The folder that holds `node_modules` and a Python environment, where both are there.
pub(crate) fn folder(place: &Place) -> Option<PathBuf> {
    let folder = place.tools().join(FOLDER);
    let has_python = Run::new(folder.join("bin/python"))
        .args(["-c", "import cloudflare"])
        .capture()
        .is_ok();
    let all = has_npm_packages(&folder) && has_python && place::program("node").is_some();
    all.then_some(folder)
}

fn has_npm_packages(folder: &std::path::Path) -> bool {
    ["cloudflare", "@tus/server", "@tus/file-store"]
        .iter()
        .all(|package| folder.join("node_modules").join(package).is_dir())
}

/// Installs them below the target directory on first use. Without them their tests are
/// skipped, so what cannot be installed is said and no failure, unless peers are required.
pub(crate) fn install(place: &Place) -> Result<(), Failure> {
    if folder(place).is_some() {
        return Ok(());
    }
    let Some(npm) = place::program("npm").filter(|_| can_be_installed()) else {
        println!("Cloudflare's clients are left out: npm or python3 with venv is not installed.");
        return Ok(());
    };
    let folder = place.tools().join(FOLDER);
    let python = place::program("python3").unwrap_or_else(|| "python3".into());
    let installed = Run::new(python)
        .args(["-m", "venv", "--clear"])
        .args([&folder])
        .capture()
        .and_then(|_| {
            Run::new(folder.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .args([FROM_PYPI])
                .minutes(10)
                .stream()
        })
        .and_then(|_| {
            Run::new(npm)
                .args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--ignore-scripts",
                ])
                .args(["--prefix"])
                .args([&folder])
                .args(FROM_NPM)
                .minutes(10)
                .stream()
        });
    match installed {
        Err(failure) if !place::peers_required() => {
            println!("Cloudflare's clients are left out: {failure}");
            Ok(())
        }
        installed => installed.map(drop),
    }
}
