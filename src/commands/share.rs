//! `longshore share`: links to files and folders for those who have no login.

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::converse;
use crate::commands::login::from_stdin;
use crate::commands::ops::when;
use crate::commands::transfer::{RemoteSpot, Spot};
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::Span;
use clap::{Args, Subcommand};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::str::FromStr;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ShareArguments {
    #[command(subcommand)]
    command: Option<ShareCommand>,
    #[command(flatten)]
    add: AddArguments,
}

#[derive(Debug, Subcommand)]
enum ShareCommand {
    /// List links.
    Ls(ListArguments),
    /// Take links back: nobody gets anything by them any more.
    Rm(RemoveArguments),
}

#[derive(Args, Debug)]
struct AddArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The file, or with a `/` at its end the folder, as BUCKET:PATH.
    #[arg(required = true)]
    place: Option<OsString>,
    /// How long the link is good for, such as 12h or 30d; `never` is for ever.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    expires: Expiry,
    /// Ask for the password that is on the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// It may be downloaded so many times.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    downloads: Option<u32>,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// When a link ends.
#[derive(Clone, Copy, Debug)]
enum Expiry {
    Never,
    After(Span),
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let span: Span = text
            .parse()
            .map_err(|_| "give a time such as 12h or 30d, or `never`".to_owned())?;
        Ok(Self::After(span))
    }
}

#[derive(Args, Debug)]
struct ListArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Of this bucket [default: files].
    bucket: Option<OsString>,
    /// Print one JSON object for each, a line each.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct RemoveArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The ids of the links.
    #[arg(required = true)]
    ids: Vec<String>,
}

pub(crate) fn run(arguments: &ShareArguments) -> Result {
    match &arguments.command {
        None => add(&arguments.add),
        Some(ShareCommand::Ls(arguments)) => list(arguments),
        Some(ShareCommand::Rm(arguments)) => remove(arguments),
    }
}

fn add(arguments: &AddArguments) -> Result {
    let place = arguments.place.as_deref().unwrap_or_default();
    let spot = Spot::remote(place)?;
    let path = if spot.is_folder() {
        spot.prefix()
    } else {
        spot.file()?.path.as_str().to_owned()
    };
    let mut wanted = json!({ "path": path });
    if let Expiry::After(span) = arguments.expires {
        wanted["expires_in"] = span.as_seconds().into();
    }
    if arguments.password_stdin {
        wanted["password"] = from_stdin("a password")?.expose_secret().into();
    }
    if let Some(downloads) = arguments.downloads {
        wanted["max_downloads"] = downloads.into();
    }
    let client = Client::of(&arguments.server)?;
    converse(async {
        let made = client.post(&shares(&spot), &wanted).await?;
        if arguments.json {
            return terminal::json(&made);
        }
        let url = made["url"].as_str().ok_or_else(|| {
            Failure::new(
                Code::Server,
                "the server made a link that this version does not understand; do both have the same version?",
            )
        })?;
        let until = when(&made["expires_at"]);
        if until != "-" {
            terminal::say(&format!("Good until {until} UTC:"));
        }
        terminal::line(url)
    })
}

fn shares(spot: &RemoteSpot) -> String {
    format!("/api/v1/buckets/{}/shares", spot.bucket)
}

fn list(arguments: &ListArguments) -> Result {
    let mut name = arguments.bucket.clone().unwrap_or_default();
    if !name.as_encoded_bytes().contains(&b':') {
        name.push(":");
    }
    let spot = Spot::remote(&name)?;
    let client = Client::of(&arguments.server)?;
    converse(async {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", "200".to_owned())];
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page = client.get_with(&shares(&spot), &query).await?;
            for share in page["items"].as_array().into_iter().flatten() {
                if arguments.json {
                    terminal::line(&share.to_string())?;
                } else {
                    rows.push(row(share));
                }
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        if arguments.json {
            return Ok(());
        }
        terminal::table(&["ID", "PATH", "EXPIRES", "DOWNLOADS"], rows)
    })
}

fn row(share: &Value) -> Vec<String> {
    let text = |field: &str| share[field].as_str().unwrap_or("-").to_owned();
    let count = |field: &str| share[field].as_u64().map(|count| count.to_string());
    let downloads = match (count("downloads"), count("max_downloads")) {
        (Some(done), Some(most)) => format!("{done}/{most}"),
        (None, Some(most)) => format!("of {most}"),
        (Some(done), None) => done,
        (None, None) => "-".to_owned(),
    };
    vec![
        text("id"),
        text("path"),
        when(&share["expires_at"]),
        downloads,
    ]
}

fn remove(arguments: &RemoveArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        for id in &arguments.ids {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if id.is_empty() || !id.chars().all(plain) {
                let text = format!("`{id}` is no id of a link; `longshore share ls` shows them");
                return Err(Failure::new(Code::Usage, text));
            }
            let path = format!("/api/v1/shares/{id}");
            client.send(Method::DELETE, &path, None).await?;
            terminal::say(&format!("{id} is taken back."));
        }
        Ok(())
    })
}
