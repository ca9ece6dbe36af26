//! `longshore ops`: operations, which is everything that takes time.

mod begun;
mod list;
mod logs;
mod show;
mod which;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::converse;
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use clap::{Args, Subcommand};
use operations::{Operation, State};
use serde_json::{Value, json};

pub(super) use begun::{Fate, cancel, post, start};
pub(super) use logs::watch;
pub(super) use show::when;

#[derive(Debug, Subcommand)]
pub(crate) enum OpsCommand {
    /// List operations, the newest first.
    Ls(Box<list::ListArguments>),
    /// Show one operation, with every step of its life.
    Show(ShowArguments),
    /// Print an operation's log.
    Logs(logs::LogsArguments),
    /// Ask for the end of an operation.
    Cancel(OneArguments),
    /// Repeat an operation that has ended: a new one with the same input.
    Retry(OneArguments),
}

#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Its id, or a beginning or an end of it that no other recent one has.
    id: String,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// The same; another type, so that the help of each can say its own.
type ShowArguments = OneArguments;

pub(crate) fn run(command: OpsCommand) -> Result {
    match command {
        OpsCommand::Ls(arguments) => list::run(&arguments),
        OpsCommand::Show(arguments) => show(&arguments),
        OpsCommand::Logs(arguments) => logs::run(&arguments),
        OpsCommand::Cancel(arguments) => act(&arguments, "cancel"),
        OpsCommand::Retry(arguments) => act(&arguments, "retry"),
    }
}

fn show(arguments: &OneArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let id = which::resolve(&client, &arguments.id).await?;
        let operation = client.get(&format!("/api/v1/operations/{id}")).await?;
        if arguments.json {
            return terminal::json(&operation);
        }
        show::print(&operation)
    })
}

fn act(arguments: &OneArguments, what: &str) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let id = which::resolve(&client, &arguments.id).await?;
        let path = format!("/api/v1/operations/{id}/{what}");
        let operation = client.post(&path, &json!({})).await?;
        if arguments.json {
            return terminal::json(&operation);
        }
        let new = operation["id"].as_str().unwrap_or_default();
        if what == "cancel" {
            terminal::say(&match operation["state"].as_str() {
                Some("cancelled") => format!("{id} is cancelled."),
                _ => format!("{id} is told to end."),
            });
            return Ok(());
        }
        terminal::say(&format!("{id} is repeated as:"));
        terminal::line(new)
    })
}

/// How a command ends that has watched an operation to its end.
pub(super) fn verdict(operation: &Operation) -> Result {
    let id = operation.id;
    let why = operation.error.as_ref().map_or_else(String::new, |error| {
        format!(": {}", terminal::plain(&error.message))
    });
    let (code, what) = match operation.state {
        State::Succeeded | State::Queued | State::Running => return Ok(()),
        State::Failed => (Code::OperationFailed, "failed"),
        State::Interrupted => (Code::OperationInterrupted, "was interrupted"),
        State::Cancelled => (Code::Cancelled, "was cancelled"),
    };
    Err(Failure::new(code, format!("operation {id} {what}{why}")))
}

/// The text of a field, or a dash.
fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .filter(|text| !text.is_empty())
        .unwrap_or("-")
}
