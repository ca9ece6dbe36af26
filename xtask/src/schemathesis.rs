//! schemathesis: the running server against its own OpenAPI document. No answer may
//! be a 5xx, none may be one that the document does not name.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::served::Served;
use std::path::PathBuf;

const VERSION: &str = "4.32.5";
/// Requests made up for each operation of the document.
const EXAMPLES: &str = "25";
/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance";

/// Whether this machine's Python can make an environment for it.
pub(crate) fn can_be_installed() -> bool {
    place::program("python3").is_some_and(|python| {
        Run::new(python)
            .args(["-c", "import venv, ensurepip, zipfile"])
            .capture()
            .is_ok()
    })
}

/// The program, installed below the target directory on first use.
pub(crate) fn program(place: &Place) -> Result<Option<PathBuf>, Failure> {
    if !can_be_installed() {
        return Ok(None);
    }
    let folder = place.tools().join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    if Run::new(&program).args(["--version"]).capture().is_ok() {
        return Ok(Some(program));
    }
    let python = place::program("python3").unwrap_or_else(|| "python3".into());
    Run::new(python)
        .args(["-m", "venv", "--clear"])
        .args([&folder])
        .capture()?;
    Run::new(folder.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args([format!("schemathesis=={VERSION}")])
        .stream()?;
    Ok(Some(program))
}

/// Starts the server and lets schemathesis at it.
pub(crate) fn run(place: &Place) -> Result<String, Failure> {
    let program = program(place)?
        .ok_or_else(|| Failure::new("python3 with venv is not installed (`cargo xtask setup`)"))?;
    let mut served = Served::start(place)?;
    let document = format!("{}/api/v1/openapi.json", served.url());
    let output = Run::new(program)
        .args(["run", &document, "--checks", CHECKS])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--workers", "2"])
        .args(["--auth", &format!("admin:{}", served.password())])
        .args(["--request-timeout", "10", "--max-time", "240", "--no-color"])
        .dir(&place.scratch("schemathesis")?)
        .minutes(10)
        .stream()?;
    served.still_runs()?;
    admin_still_gets_in(&served)?;
    Ok(output)
}

/// Requests that are made up may change the password they are made with; whatever
/// came after would have been refused, and passed for that.
fn admin_still_gets_in(served: &Served) -> Result<(), Failure> {
    let Some(curl) = place::program("curl") else {
        return Ok(());
    };
    let about = format!("{}/api/v1/about", served.url());
    Run::new(curl)
        .args(["--silent", "--show-error", "--fail", "--max-time", "10"])
        .args(["--user", &format!("admin:{}", served.password()), &about])
        .capture()
        .map(drop)
        .map_err(|failure| {
            Failure::new(format!(
                "schemathesis locked itself out, so its later requests showed nothing: {failure}"
            ))
        })
}
