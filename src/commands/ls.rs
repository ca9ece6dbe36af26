//! `longshore ls`: buckets, a folder, or all that is below one, a page at a time.

use crate::arguments::ServerArguments;
use crate::client::{Ask, Client, RemoteFile, read};
use crate::commands::bucket;
use crate::commands::converse;
use crate::commands::ops::when;
use crate::commands::transfer::{RemoteSpot, Spot, files};
use crate::exit::{Failure, Result};
use crate::terminal;
use clap::{Args, ValueEnum};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::ffi::OsString;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortWord {
    Name,
    Size,
    Date,
}

impl SortWord {
    const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Date => "date",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// What is listed, as BUCKET:PATH; the buckets themselves, when left out.
    #[arg(value_name = "PLACE")]
    places: Vec<OsString>,
    /// All files below it, instead of its folders.
    #[arg(short, long)]
    recursive: bool,
    /// Sizes and times, too.
    #[arg(short, long)]
    long: bool,
    /// How many files are below it, and their bytes, instead of what they are.
    #[arg(long, conflicts_with_all = ["recursive", "long"])]
    sum: bool,
    /// Sorted by this; folders come first.
    #[arg(long, default_value = "name")]
    sort: SortWord,
    /// The other way round.
    #[arg(long)]
    reverse: bool,
    /// Print one JSON object for each, a line each.
    #[arg(long)]
    json: bool,
}

pub(crate) fn list(arguments: &ListArguments) -> Result {
    let spots = arguments
        .places
        .iter()
        .map(|place| Spot::remote(place))
        .collect::<Result<Vec<_>>>()?;
    let client = Client::of(&arguments.server)?;
    converse(async {
        if spots.is_empty() {
            return bucket::print_all(&client, arguments.json).await;
        }
        for (number, spot) in spots.iter().enumerate() {
            if spots.len() > 1 && !arguments.json {
                let gap = if number > 0 { "\n" } else { "" };
                terminal::line(&format!("{gap}{}", terminal::plain(&format!("{spot}:"))))?;
            }
            if arguments.sum {
                print_sum(&client, arguments, spot).await?;
            } else {
                print(&client, arguments, spot).await?;
            }
        }
        Ok(())
    })
}

/// Prints how much is below that place.
async fn print_sum(client: &Client, arguments: &ListArguments, spot: &RemoteSpot) -> Result {
    let prefix = spot.prefix();
    let sum = client.sum(&spot.bucket, &prefix).await?;
    if arguments.json {
        let sum = json!({
            "bucket": spot.bucket.as_str(),
            "prefix": prefix,
            "files": sum.files,
            "bytes": sum.bytes,
            "more": sum.more,
        });
        return terminal::line(&sum.to_string());
    }
    let begins = if sum.more { "more than " } else { "" };
    let (files, bytes) = (files(sum.files), terminal::bytes(sum.bytes));
    terminal::line(&format!("{begins}{files}, {bytes}"))
}

/// Prints the file of that place, and what the folder of that place holds.
async fn print(client: &Client, arguments: &ListArguments, spot: &RemoteSpot) -> Result {
    let mut found = false;
    if !spot.is_folder() {
        match client.details(&spot.file()?).await {
            Ok(file) => {
                found = true;
                print_file(arguments, spot.name(), &file, &json!(file))?;
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let ask = Ask {
        bucket: spot.bucket.clone(),
        prefix: spot.prefix(),
        one_folder: !arguments.recursive,
        sort: arguments.sort.word(),
        order: if arguments.reverse { "desc" } else { "asc" },
    };
    let mut cursor = None;
    loop {
        let page = client.list(&ask, cursor).await?;
        found |= !page.folders.is_empty() || !page.items.is_empty();
        for folder in &page.folders {
            print_folder(arguments, &ask, folder)?;
        }
        for item in page.items {
            let file: RemoteFile = read(item.clone())?;
            let name = file.path.strip_prefix(&ask.prefix).unwrap_or(&file.path);
            print_file(arguments, name, &file, &item)?;
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    // A bucket may be empty; a folder that is empty is none.
    if !found && !spot.prefix().is_empty() {
        return Err(Failure::failed(format!("there is nothing at {spot}")));
    }
    Ok(())
}

fn print_folder(arguments: &ListArguments, ask: &Ask, folder: &str) -> Result {
    if arguments.json {
        let folder = json!({ "bucket": ask.bucket.as_str(), "folder": folder });
        return terminal::line(&folder.to_string());
    }
    let name = shown(folder.strip_prefix(&ask.prefix).unwrap_or(folder));
    if arguments.long {
        return terminal::line(&format!("{:>12}  {:19}  {name}", "-", "-"));
    }
    terminal::line(&name)
}

fn print_file(arguments: &ListArguments, name: &str, file: &RemoteFile, item: &Value) -> Result {
    if arguments.json {
        return terminal::line(&item.to_string());
    }
    let name = shown(name);
    if !arguments.long {
        return terminal::line(&name);
    }
    let size = if terminal::is_terminal() {
        terminal::bytes(file.size)
    } else {
        file.size.to_string()
    };
    let time = when(&json!(file.modified_at));
    terminal::line(&format!("{size:>12}  {time:19}  {name}"))
}

/// A name as it is, but for what would steer a terminal.
fn shown(name: &str) -> Cow<'_, str> {
    if terminal::is_terminal() {
        terminal::plain(name)
    } else {
        name.into()
    }
}
