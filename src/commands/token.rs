//! `longshore token`: one's API tokens.

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
pub(crate) enum TokenCommand {
    /// Make a token. It is printed this once.
    Add(AddArguments),
    /// List tokens.
    Ls(ListArguments),
    /// Delete a token, which is refused from then on.
    Rm(RemoveArguments),
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// What it is for: letters, digits, `.`, `-`, `_`.
    name: Name,
    /// What it may do: operations:read, operations:write, bundles:read, bundles:write,
    /// admin. May be repeated, or given with commas between.
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        required = true,
        value_delimiter = ','
    )]
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
    /// Its name, or its id.
    token: String,
}

pub(crate) fn run(command: TokenCommand) -> Result {
    match command {
        TokenCommand::Add(arguments) => add(arguments),
        TokenCommand::Ls(arguments) => list(&arguments),
        TokenCommand::Rm(arguments) => remove(&arguments),
    }
}

fn add(arguments: AddArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    let mut wanted = json!({
        "name": arguments.name.as_str(),
        "scopes": arguments.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
    });
    if let Some(expires) = arguments.expires {
        wanted["expires_in"] = expires.as_seconds().into();
    }
    converse(async {
        let made = client.post("/api/v1/tokens", &wanted).await?;
        if arguments.json {
            return terminal::json(&made);
        }
        terminal::say("It is shown this once:");
        terminal::line(made["token"].as_str().unwrap_or_default())
    })
}

fn list(arguments: &ListArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let query = [("all", arguments.all.to_string())];
        let found = client.get_with("/api/v1/tokens", &query).await?;
        if arguments.json {
            return terminal::json(&found);
        }
        let text = |token: &Value, field: &str| token[field].as_str().unwrap_or("-").to_owned();
        let rows = found["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|token| {
                let scopes = token["scopes"].as_array().into_iter().flatten();
                let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
                vec![
                    text(token, "id"),
                    text(token, "name"),
                    text(token, "owner"),
                    format!("…{}", text(token, "ending")),
                    scopes.join(","),
                    when(&token["expires_at"]),
                    when(&token["last_used"]),
                ]
            });
        let headings = [
            "ID",
            "NAME",
            "OWNER",
            "TOKEN",
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
        let wanted = &arguments.token;
        let id = if wanted.parse::<base::TokenId>().is_ok() {
            wanted.clone()
        } else {
            let mine = client.get("/api/v1/tokens").await?;
            let mut items = mine["items"].as_array().into_iter().flatten();
            let found = items.find(|token| token["name"] == wanted.as_str());
            found
                .and_then(|token| Some(token["id"].as_str()?.to_owned()))
                .ok_or_else(|| {
                    Failure::failed(format!(
                        "you have no token `{wanted}`; `longshore token ls` lists yours"
                    ))
                })?
        };
        let path = format!("/api/v1/tokens/{id}");
        client.send(Method::DELETE, &path, None).await?;
        terminal::say(&format!("Token {wanted} is deleted."));
        Ok(())
    })
}
