//! The clients that resumable uploads are tested with, unchanged: tus-js-client from
//! npm and tuspy from PyPI, installed below the target directory on first use.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::{python, schemathesis};

/// The stories know these folders by name.
const JS: (&str, &str) = ("tus-js-client", "4.3.1");
const PYTHON: (&str, &str) = ("tuspy", "1.1.0");

/// Installs what can be installed here; what cannot.
pub(crate) fn install(place: &Place) -> Result<Vec<&'static str>, Failure> {
    let mut lacking = Vec::new();
    match place::program("npm") {
        Some(npm) => {
            let folder = place.tools().join(format!("{}-{}", JS.0, JS.1));
            if !folder.join("node_modules").join(JS.0).is_dir() {
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
                    .args([format!("{}@{}", JS.0, JS.1)])
                    .stream()?;
            }
        }
        None => lacking.push("tus-js-client: npm is not installed"),
    }
    if schemathesis::can_be_installed() {
        python::install(place, PYTHON, "tusclient")?;
    } else {
        lacking.push("tuspy: python3 with venv is not installed");
    }
    Ok(lacking)
}
