//! `longshore access-key`: what one's S3 clients sign with.

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::converse;
use crate::commands::ops::when;
use crate::exit::{Failure, Result};
use crate::terminal;
use access::Scope;
use base::{Name, Span};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum AccessKeyCommand {
    /// Make an access key. Its secret is printed this once.
    Add(AddArguments),
    /// List access keys.
    Ls(ListArguments),
    /// Delete an access key, which is refused from then on.
    Rm(RemoveArguments),
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// What it is for: letters, digits, `.`, `-`, `_`.
    name: Name,
    /// What it may do: files:read, files:write; both, when absent. May be repeated, or
    /// given with commas between.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// How long it lives, such as 12h or 90d; until it is deleted without.
    #[arg(long, value_name = "TIME")]
    expires: Option<Span>,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Everybody's, for admins.
    #[arg(long)]
    all: bool,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Its name, its key or its id.
    key: String,
}

pub(crate) fn run(command: AccessKeyCommand) -> Result {
    match command {
        AccessKeyCommand::Add(arguments) => add(arguments),
        AccessKeyCommand::Ls(arguments) => list(&arguments),
        AccessKeyCommand::Rm(arguments) => remove(&arguments),
    }
}

fn text<'a>(key: &'a Value, field: &str) -> &'a str {
    key[field].as_str().unwrap_or("-")
}

fn add(arguments: AddArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    let mut wanted = json!({ "name": arguments.name.as_str() });
    if !arguments.scopes.is_empty() {
        let scopes = arguments.scopes.iter().map(|scope| scope.as_str());
        wanted["scopes"] = scopes.collect::<Vec<_>>().into();
    }
    if let Some(expires) = arguments.expires {
        wanted["expires_in"] = expires.as_seconds().into();
    }
    converse(async {
        let made = client.post("/api/v1/access-keys", &wanted).await?;
        if arguments.json {
            return terminal::json(&made);
        }
        terminal::say("The secret is shown this once:");
        // As S3 clients read it from their environment.
        terminal::line(&format!("AWS_ACCESS_KEY_ID={}", text(&made, "key")))?;
        terminal::line(&format!("AWS_SECRET_ACCESS_KEY={}", text(&made, "secret")))
    })
}

fn list(arguments: &ListArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let query = [("all", arguments.all.to_string())];
        let found = client.get_with("/api/v1/access-keys", &query).await?;
        if arguments.json {
            return terminal::json(&found);
        }
        let keys = found["items"].as_array().into_iter().flatten();
        let rows = keys.map(|key| {
            let scopes = key["scopes"].as_array().into_iter().flatten();
            let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
            vec![
                text(key, "id").to_owned(),
                text(key, "name").to_owned(),
                text(key, "owner").to_owned(),
                text(key, "key").to_owned(),
                scopes.join(","),
                when(&key["expires_at"]),
                when(&key["last_used"]),
            ]
        });
        let headings = [
            "ID",
            "NAME",
            "OWNER",
            "KEY",
            "SCOPES",
            "EXPIRES",
            "LAST USED",
        ];
        terminal::table(&headings, rows)
    })
}

fn remove(arguments: &RemoveArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let wanted = &arguments.key;
        let id = if wanted.parse::<base::AccessKeyId>().is_ok() {
            wanted.clone()
        } else {
            let mine = client.get("/api/v1/access-keys").await?;
            let mut items = mine["items"].as_array().into_iter().flatten();
            let found =
                items.find(|key| key["name"] == wanted.as_str() || key["key"] == wanted.as_str());
            found
                .and_then(|key| Some(key["id"].as_str()?.to_owned()))
                .ok_or_else(|| {
                    Failure::failed(format!(
                        "you have no access key `{wanted}`; `longshore access-key ls` lists yours"
                    ))
                })?
        };
        let path = format!("/api/v1/access-keys/{id}");
        client.send(Method::DELETE, &path, None).await?;
        terminal::say(&format!("Access key {wanted} is deleted."));
        Ok(())
    })
}
