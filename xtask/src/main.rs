//! The commands of the README: run, build, check, test, bench and what they need.
//!
//! Arguments and dispatch, nothing else. This crate uses the standard library only,
//! so that the first `cargo xtask` of a clean clone answers in seconds, and it never
//! starts, stops or configures a service that it did not start itself.

mod api;
mod bench;
mod check;
mod cloudflare;
mod console;
mod database;
mod deny;
mod deploy;
mod dist;
mod draw;
mod file_servers;
mod mail;
mod memory;
mod peers;
mod place;
mod postgres;
mod process;
mod program;
mod python;
mod report;
mod s3_clients;
mod s3_store;
mod schemathesis;
mod served;
mod setup;
mod test;
mod tidy;
mod tus;
mod valkey;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  run [ARGS…]       build everything in release mode, console included, and start
                    `longshore serve ARGS…` in this directory
  build [--debug]   build the console and the binary, start nothing
  check             formatting, clippy, licences, types, generated files, tidiness
  test              check, build, and every test there is; sets up what they need
  peers -- COMMAND  run COMMAND with the peers that tests want (a throw-away
                    PostgreSQL in LONGSHORE_TEST_POSTGRES)
  schemathesis      the debug build against its own description
  bench [WHAT…]     start, operations, live, bundles, files, syncs; all of them without
                    WHAT
  setup             install what tests need (Debian, as root), or say what is missing
  gen-api           write openapi.json and the console's types from the code
  draw              write docs/architecture.svg from docs/architecture.txt
  release           an archive of the release binary and its checksum, in target/dist

Environment: LONGSHORE_REQUIRE_PEERS=1 makes a missing peer a failure, as CI does.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let place = match place::Place::find() {
        Ok(place) => place,
        Err(failure) => return fail(&failure),
    };
    let outcome = match command.as_str() {
        "run" => program::run(&place, &rest),
        "build" => program::build(&place, &rest),
        "check" => check::command(&place),
        "test" => test::command(&place),
        "peers" => peers::command(&place, &rest),
        "schemathesis" => schemathesis::command(&place),
        "bench" => bench::command(&place, &rest),
        "setup" => setup::command(&place),
        "gen-api" => api::generate(&place),
        "draw" => draw::command(&place),
        "release" => dist::command(&place),
        "" | "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(process::Failure::new(format!(
            "`{other}` is no command of xtask; `cargo xtask help` lists them"
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &process::Failure) -> ExitCode {
    eprintln!("xtask: {failure}");
    ExitCode::FAILURE
}
