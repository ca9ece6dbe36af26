//! The clients that resumable uploads are tested with, unchanged: tus-js-client from
//! npm and tuspy from PyPI, installed below the target directory on first use.

use crate::place::{self, Place};
use crate::process::{Run, lacking};
use crate::{python, schemathesis};

/// The stories know these folders by name.
const JS: (&str, &str) = ("tus-js-client", "4.3.1");
const PYTHON: (&str, &str) = ("tuspy", "1.1.0");

/// Installs what can be installed here; what cannot, and why. Its stories are skipped then,
/// or fail where peers are required.
pub(crate) fn install(place: &Place) -> Vec<String> {
    [from_npm(place), from_pypi(place)]
        .into_iter()
        .flatten()
        .collect()
}

fn from_npm(place: &Place) -> Option<String> {
    let Some(npm) = place::program("npm") else {
        return Some("tus-js-client: npm is not installed".to_owned());
    };
    let folder = place.tools().join(format!("{}-{}", JS.0, JS.1));
    if folder.join("node_modules").join(JS.0).is_dir() {
        return None;
    }
    let installed = Run::new(npm)
        .args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ])
        .args(["--prefix"])
        .args([&folder])
        .args([format!("{}@{}", JS.0, JS.1)])
        .stream();
    installed.err().map(|failure| lacking(JS.0, &failure))
}

fn from_pypi(place: &Place) -> Option<String> {
    if !schemathesis::can_be_installed() {
        return Some("tuspy: python3 with venv is not installed".to_owned());
    }
    let installed = python::install(place, PYTHON, "tusclient");
    installed.err().map(|failure| lacking(PYTHON.0, &failure))
}
