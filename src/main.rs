//! Longshore: one program for a small team's files and containers.
//!
//! This file reads the arguments and hands them on; what the program is made of
//! is put together in `serve.rs`.

mod arenas;
mod arguments;
mod client;
mod commands;
mod exit;
mod half;
mod serve;
mod settings;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
