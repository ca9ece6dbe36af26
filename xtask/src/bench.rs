//! Benchmarks: builds what is measured in release mode, then hands over to the
//! programs that measure. It measures nothing itself.

use crate::peers::Peers;
use crate::place::Place;
use crate::process::{Failure, Run};
use crate::program::{self, Console, Profile};
use crate::{file_servers, setup};

/// What can be measured.
const KNOWN: [&str; 6] = ["start", "operations", "live", "bundles", "files", "syncs"];

/// `cargo xtask bench [WHAT…]`
pub(crate) fn command(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = arguments
        .iter()
        .find(|what| !KNOWN.contains(&what.as_str()))
    {
        return Err(Failure::new(format!(
            "`{unknown}` is no benchmark; there are {}",
            KNOWN.join(", ")
        )));
    }
    setup::ensure()?;
    setup::tell_what_is_missing();
    program::build_console(place, Console::StandIn)?;
    program::compile(place, Profile::Release, Console::StandIn)?;
    let peers = Peers::start(place)?;
    let wanted: Vec<&str> = if arguments.is_empty() {
        KNOWN.to_vec()
    } else {
        arguments.iter().map(String::as_str).collect()
    };
    if wanted.contains(&"files") || wanted.contains(&"syncs") {
        file_servers::install(place);
    }
    for what in wanted {
        Run::cargo()
            .args(["run", "--locked", "--release", "--quiet"])
            .args([
                "--package",
                "longshore-testing",
                "--bin",
                "bench",
                "--features",
                "bench",
                "--",
                what,
            ])
            .env("LONGSHORE_BIN", program::binary(place, Profile::Release))
            .envs(&peers.environment)
            .dir(&place.root)
            .minutes(60)
            .stream()?;
    }
    Ok(())
}
