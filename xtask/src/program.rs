//! Building the binary with its console, and starting it.

use crate::console;
use crate::place::Place;
use crate::process::{Failure, Run};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

/// How the binary is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Unoptimised: what tests use.
    Debug,
    /// Optimised: what people use and benchmarks measure.
    Release,
}

/// What the binary holds when the console cannot be built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Console {
    /// A page that says how to build it.
    StandIn,
    /// Nothing: the build fails.
    Required,
}

/// The binary of a profile, whether it exists or not.
pub(crate) fn binary(place: &Place, profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => "release",
    };
    place.target.join(folder).join("longshore")
}

/// `cargo xtask run`: builds everything, then becomes the server.
pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    build_both(place)?;
    let error = Run::new(binary(place, Profile::Release))
        .args(["serve"])
        .args(arguments)
        .into_command()
        .stdin(std::process::Stdio::inherit())
        .exec();
    Err(Failure::new(format!("longshore cannot start: {error}")))
}

/// `cargo xtask build [--debug]`
pub(crate) fn build(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => build_both(place),
        [word] if word == "--debug" => {
            build_console(place, Console::StandIn)?;
            compile(place, Profile::Debug, Console::StandIn)
        }
        other => Err(Failure::new(format!(
            "`build` knows `--debug` only, not `{}`",
            other.join(" ")
        ))),
    }
}

fn build_both(place: &Place) -> Result<(), Failure> {
    build_console(place, Console::StandIn)?;
    compile(place, Profile::Release, Console::StandIn)
}

/// Builds the console, or says why it is left out.
pub(crate) fn build_console(place: &Place, wanted: Console) -> Result<(), Failure> {
    match console::obstacle(place) {
        None => console::build(place),
        Some(obstacle) if wanted == Console::Required => Err(Failure::new(format!(
            "the console cannot be built: {obstacle}"
        ))),
        Some(obstacle) => {
            println!("Going on without the console, its address will say so: {obstacle}.");
            Ok(())
        }
    }
}

/// Compiles the binary.
pub(crate) fn compile(place: &Place, profile: Profile, console: Console) -> Result<(), Failure> {
    let run = Run::cargo()
        .args(["build", "--locked", "--bin", "longshore"])
        .dir(&place.root)
        .minutes(30);
    let run = match profile {
        Profile::Debug => run,
        Profile::Release => run.args(["--release"]),
    };
    let run = match console {
        Console::StandIn => run,
        Console::Required => run.env("LONGSHORE_REQUIRE_CONSOLE", "1"),
    };
    run.stream().map(drop)
}
