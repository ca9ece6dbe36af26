//! The mail server that stories of mail are tried with: aiosmtpd from PyPI, installed below
//! the target directory on first use.

use crate::place::Place;
use crate::process::Failure;
use crate::{python, schemathesis};

/// The stories know this folder by name.
const SERVER: (&str, &str) = ("aiosmtpd", "1.4.6");

/// Installs it where that is possible; what is lacking.
pub(crate) fn install(place: &Place) -> Result<Option<&'static str>, Failure> {
    if !schemathesis::can_be_installed() {
        return Ok(Some("aiosmtpd: python3 with venv is not installed"));
    }
    python::install(place, SERVER, "aiosmtpd.smtp")?;
    Ok(None)
}
