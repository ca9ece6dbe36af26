//! The commands, a file a noun.

pub(crate) mod access_key;
pub(crate) mod bucket;
pub(crate) mod bundle;
pub(crate) mod completions;
pub(crate) mod config;
mod confirm;
pub(crate) mod errand;
pub(crate) mod get;
pub(crate) mod login;
pub(crate) mod ls;
pub(crate) mod master_key;
pub(crate) mod mv;
pub(crate) mod ops;
pub(crate) mod probe;
pub(crate) mod put;
pub(crate) mod rm;
pub(crate) mod share;
pub(crate) mod sync;
pub(crate) mod token;
mod transfer;
pub(crate) mod user;

use crate::arguments::{Arguments, Command};
use crate::exit::{Failure, Result};
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long what was left undone may hold up the end of a command.
const LAST: Duration = Duration::from_millis(200);

/// Does what the arguments ask for.
pub(crate) fn run(arguments: Arguments) -> Result {
    match arguments.command {
        Command::Serve(arguments) => {
            crate::arenas::keep_little();
            crate::serve::run(arguments)
        }
        Command::Openapi => crate::serve::print_openapi(),
        Command::Login(arguments) => login::log_in(arguments),
        Command::Logout(arguments) => login::log_out(arguments),
        Command::Bundle(arguments) => bundle::run(arguments),
        Command::Put(arguments) => put::put(&arguments),
        Command::Get(arguments) => get::get(&arguments),
        Command::Ls(arguments) => ls::list(&arguments),
        Command::Rm(arguments) => rm::remove(&arguments),
        Command::Mv(arguments) => mv::rename(&arguments),
        Command::Cp(arguments) => mv::copy(&arguments),
        Command::Share(arguments) => share::run(&arguments),
        Command::Bucket(command) => bucket::run(command),
        Command::Probe(arguments) => probe::run(&arguments),
        Command::Sync(command) => sync::run(command),
        Command::Ops(command) => ops::run(command),
        Command::User(command) => user::run(command),
        Command::Token(command) => token::run(command),
        Command::AccessKey(command) => access_key::run(command),
        Command::Config(command) => config::run(command),
        Command::MasterKey(command) => master_key::run(command),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Runs what waits for things, to its end and that of all it began.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime()?.block_on(work)
}

/// Runs a command that talks to a server. What it left undone, such as a write into a
/// pipe that nobody reads, does not hold up its end.
pub(crate) fn converse<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LAST);
    done
}

fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no threads could be started: {error}")))
}
