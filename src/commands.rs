//! The commands, a file a noun.

use crate::arguments::{Arguments, Command};
use crate::exit::{Failure, Result};
use std::future::Future;

/// Does what the arguments ask for.
pub(crate) fn run(arguments: Arguments) -> Result {
    match arguments.command {
        Command::Serve(arguments) => crate::serve::run(arguments),
        Command::Openapi => crate::serve::print_openapi(),
    }
}

/// Runs a command that waits for things.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no threads could be started: {error}")))?
        .block_on(work)
}
