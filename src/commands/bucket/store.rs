//! What belongs to a bucket on S3: the hook at which its store tells of its objects, and
//! the comparison with it.

use super::named;
use crate::arguments::ServerArguments;
use crate::client::{Client, Interrupt};
use crate::commands::{converse, ops};
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use clap::Args;
use reqwest::Method;
use serde_json::json;

#[derive(Args, Debug)]
pub(crate) struct HookArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The bucket.
    name: String,
    /// End the hook instead.
    #[arg(long, conflicts_with = "json")]
    rm: bool,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// Gives a bucket a hook, or its hook another secret.
pub(super) fn hook(arguments: &HookArguments) -> Result {
    let name = named(&arguments.name)?;
    let client = Client::of(&arguments.server)?;
    let path = format!("/api/v1/buckets/{name}/hook");
    converse(async {
        if arguments.rm {
            client.send(Method::DELETE, &path, None).await?;
            terminal::say(&format!("{name} is told of nothing any more."));
            return Ok(());
        }
        let made = client.send(Method::POST, &path, None).await?;
        if arguments.json {
            return terminal::json(&made);
        }
        let (Some(at), Some(secret)) = (made["path"].as_str(), made["secret"].as_str()) else {
            let text = "the server made a hook that this version does not understand; do both have the same version?";
            return Err(Failure::new(Code::Server, text));
        };
        let url = client.url(at);
        terminal::say("The secret is shown this once; the one of before opens nothing any more.");
        terminal::say(&format!("MinIO and others: {url} with the bearer token"));
        terminal::line(secret)?;
        terminal::say(&format!("SNS: {url}?secret={secret}"));
        Ok(())
    })
}

#[derive(Args, Debug)]
pub(crate) struct ReconcileArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The bucket.
    name: String,
    /// Only keys that begin like this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the operation's id instead of following it.
    #[arg(long)]
    detach: bool,
}

/// Has a bucket compared with its store, and follows that.
pub(super) fn reconcile(arguments: &ReconcileArguments) -> Result {
    let name = named(&arguments.name)?;
    let client = Client::of(&arguments.server)?;
    converse(async {
        let interrupt = Interrupt::listen()?;
        let path = format!("/api/v1/buckets/{name}/reconcile");
        let wanted = json!({ "prefix": arguments.prefix, "dry_run": arguments.dry_run });
        let operation = ops::start(&client, &path, &wanted, &interrupt).await?;
        if arguments.detach {
            return terminal::line(&operation.to_string());
        }
        ops::watch(client, operation, &arguments.server, &interrupt).await
    })
}
