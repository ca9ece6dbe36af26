//! The mail server that stories of mail are tried with: aiosmtpd from PyPI, installed below
//! the target directory on first use.

use crate::place::Place;
use crate::process::lacking;
use crate::{python, schemathesis};

/// The stories know this folder by name.
const SERVER: (&str, &str) = ("aiosmtpd", "1.4.6");

/// Installs it where that is possible; if it is not, why not. Its stories are skipped then,
/// or fail where peers are required.
pub(crate) fn install(place: &Place) -> Option<String> {
    if !schemathesis::can_be_installed() {
        return Some("aiosmtpd: python3 with venv is not installed".to_owned());
    }
    let installed = python::install(place, SERVER, "aiosmtpd.smtp");
    installed.err().map(|failure| lacking(SERVER.0, &failure))
}
