//! `longshore sync`: files delivered to where they are served.
//!
//! With the variables of the copier of Spaces to Cloudflare in the environment, and no
//! server named, it works here and now, from cron or by hand, beside a server or without
//! one. Otherwise it asks a server.

mod here;
mod show;

use crate::arguments::{HostArguments, ServerArguments};
use crate::client::{Client, Interrupt, read};
use crate::commands::{block_on, converse, ops};
use crate::exit::{Code, Failure, Result};
use crate::{settings, terminal};
use base::{DeliveryId, Name};
use clap::{Args, Subcommand};
use here::Here;
use operations::Operation;
use serde_json::{Value, json};
use syncs::{ENVIRONMENT_SYNC, Tally, Variables};

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// List syncs, with how they stand.
    Ls(ListArguments),
    /// Make one pass: deliver everything that is due.
    Run(RunArguments),
    /// Show how a sync stands, and its failed files.
    Status(StatusArguments),
    /// Try failed files again: one, or all.
    Retry(RetryArguments),
    /// Look whether everything is there that a sync needs, and say what is missing.
    Check(OneArguments),
    /// Say what a pass would do. Nothing is sent, recorded or marked.
    DryRun(OneArguments),
}

/// Where a sync is run.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlaceArguments {
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    host: HostArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// Print one JSON object for each, a line each.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The sync; that of the environment, when absent.
    #[arg(default_value = ENVIRONMENT_SYNC)]
    name: Name,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// The same; another type, so that the help of each can say its own.
type StatusArguments = OneArguments;

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The sync; that of the environment, when absent.
    #[arg(default_value = ENVIRONMENT_SYNC)]
    name: Name,
    /// Print the operation's id instead of following it, where a server runs it.
    #[arg(long)]
    detach: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The sync; that of the environment, when absent.
    #[arg(default_value = ENVIRONMENT_SYNC)]
    name: Name,
    /// The id of one delivery; all that have failed, when absent.
    #[arg(long, value_name = "ID")]
    delivery: Option<DeliveryId>,
}

impl PlaceArguments {
    /// The variables of this environment, where the sync is run here.
    fn here(&self, name: Option<&Name>) -> Result<Option<Variables>> {
        let mine = name.is_none_or(|name| name.as_str() == ENVIRONMENT_SYNC);
        if self.server.url.is_some() || !mine {
            return Ok(None);
        }
        settings::sync_variables()
    }
}

pub(crate) fn run(command: SyncCommand) -> Result {
    match command {
        SyncCommand::Ls(arguments) => list(&arguments),
        SyncCommand::Run(arguments) => run_pass(&arguments),
        SyncCommand::Status(arguments) => status(&arguments),
        SyncCommand::Retry(arguments) => retry(&arguments),
        SyncCommand::Check(arguments) => check(&arguments),
        SyncCommand::DryRun(arguments) => dry_run(&arguments),
    }
}

fn list(arguments: &ListArguments) -> Result {
    if let Some(variables) = arguments.place.here(None)? {
        let found = on_the_host(&arguments.place, variables, async |here: &Here| {
            here.status().await
        })?;
        return show::all(&[found], arguments.json);
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let mut found = client.get("/api/v1/syncs").await?;
        let syncs = match found["items"].take() {
            Value::Array(syncs) => syncs,
            _ => Vec::new(),
        };
        show::all(&syncs, arguments.json)
    })
}

fn run_pass(arguments: &RunArguments) -> Result {
    if let Some(variables) = arguments.place.here(Some(&arguments.name))? {
        let operation = on_the_host(&arguments.place, variables, async |here: &Here| {
            here.run().await
        })?;
        return ended(&operation);
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let interrupt = Interrupt::listen()?;
        let path = format!("/api/v1/syncs/{}/run", arguments.name);
        let id = ops::start(&client, &path, &json!({}), &interrupt).await?;
        if arguments.detach {
            return terminal::line(&id.to_string());
        }
        ops::watch(client.clone(), id, &arguments.place.server, &interrupt).await?;
        let operation = client.get(&format!("/api/v1/operations/{id}")).await?;
        ended(&read(operation)?)
    })
}

/// What the end of a pass means for who started it: files that failed are no success.
fn ended(operation: &Operation) -> Result {
    ops::verdict(operation)?;
    let tally = operation.outcome.clone().unwrap_or_default();
    let tally: Tally = serde_json::from_value(tally).unwrap_or_default();
    if tally.failed > 0 {
        let text = format!(
            "{} files have failed; `longshore sync status` says why, `longshore sync retry` tries them again",
            tally.failed
        );
        return Err(Failure::new(Code::Incomplete, text));
    }
    Ok(())
}

fn status(arguments: &StatusArguments) -> Result {
    if let Some(variables) = arguments.place.here(Some(&arguments.name))? {
        let (status, failed) = on_the_host(&arguments.place, variables, async |here: &Here| {
            Ok((here.status().await?, here.failed().await?))
        })?;
        return show::one(&status, &failed, arguments.json);
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let path = format!("/api/v1/syncs/{}", arguments.name);
        let status = client.get(&path).await?;
        let query = [
            ("state", "failed".to_owned()),
            ("limit", show::MOST_FAILED.to_string()),
        ];
        let mut failed = client
            .get_with(&format!("{path}/deliveries"), &query)
            .await?;
        let failed = match failed["items"].take() {
            Value::Array(failed) => failed,
            _ => Vec::new(),
        };
        show::one(&status, &failed, arguments.json)
    })
}

fn retry(arguments: &RetryArguments) -> Result {
    if let Some(variables) = arguments.place.here(Some(&arguments.name))? {
        let one = arguments.delivery;
        let retried = on_the_host(&arguments.place, variables, async |here: &Here| {
            here.retry(one).await
        })?;
        terminal::say(&format!(
            "{retried} files are tried again by the next pass; `longshore sync run` makes one now."
        ));
        return Ok(());
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let path = format!("/api/v1/syncs/{}", arguments.name);
        if let Some(one) = arguments.delivery {
            let path = format!("{path}/deliveries/{one}/retry");
            client.post(&path, &json!({})).await?;
            terminal::say("It is tried again.");
            return Ok(());
        }
        let answer = client.post(&format!("{path}/retry"), &json!({})).await?;
        terminal::say(&format!("{} files are tried again.", answer["retried"]));
        match answer["operation"].as_str() {
            Some(operation) => terminal::line(operation),
            None => Ok(()),
        }
    })
}

fn check(arguments: &OneArguments) -> Result {
    if let Some(variables) = arguments.place.here(Some(&arguments.name))? {
        let checked = on_the_host(&arguments.place, variables, async |here: &Here| {
            here.check().await
        })?;
        return show::checked(&checked, arguments.json);
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let path = format!("/api/v1/syncs/{}/check", arguments.name);
        let mut checked = client.post(&path, &json!({})).await?;
        let checked = match checked["items"].take() {
            Value::Array(checked) => checked,
            _ => Vec::new(),
        };
        show::checked(&checked, arguments.json)
    })
}

fn dry_run(arguments: &OneArguments) -> Result {
    if let Some(variables) = arguments.place.here(Some(&arguments.name))? {
        let plan = on_the_host(&arguments.place, variables, async |here: &Here| {
            here.dry_run().await
        })?;
        return show::planned(&plan, arguments.json);
    }
    let client = Client::of(&arguments.place.server)?;
    converse(async {
        let path = format!("/api/v1/syncs/{}/dry-run", arguments.name);
        let plan = client.post(&path, &json!({})).await?;
        show::planned(&plan, arguments.json)
    })
}

/// Does something on the host itself, and closes what it opened.
fn on_the_host<T>(
    place: &PlaceArguments,
    variables: Variables,
    work: impl AsyncFnOnce(&Here) -> Result<T>,
) -> Result<T> {
    let host = place.host.clone();
    block_on(async {
        let here = Here::open(host, variables).await?;
        let done = work(&here).await;
        here.close().await;
        done
    })
}
