//! `longshore mv` and `longshore cp`: from place to place on the server, where no byte
//! has to move.

use crate::arguments::ServerArguments;
use crate::client::{Ask, Client, Interrupt, Moved, Remote, Way};
use crate::commands::converse;
use crate::commands::transfer::{
    Ended, FlowArguments, Outcome, RemoteSpot, Show, Spot, Trouble, Words, holds, insist,
    own_names, pages, patiently, run,
};
use crate::exit::{Code, Failure, Result};
use clap::Args;
use futures::stream::LocalBoxStream;
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use std::ffi::{OsStr, OsString};

#[derive(Args, Debug)]
pub(crate) struct TransferArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Files and folders on the server, as BUCKET:PATH. A folder that ends with `/` stands
    /// for what is in it.
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<OsString>,
    /// Where they go, as BUCKET:PATH; into it where it ends with `/` or is a bucket.
    #[arg(value_name = "PLACE")]
    place: OsString,
    /// Folders, too, with all that is in them.
    #[arg(short, long)]
    recursive: bool,
    /// Replace nothing that is there.
    #[arg(short, long)]
    no_clobber: bool,
    #[command(flatten)]
    flow: FlowArguments,
}

/// From where to where.
#[derive(Clone, Debug)]
enum Leg {
    File(Remote, Remote),
    /// All below the one goes below the other.
    Folder(RemoteSpot, RemoteSpot),
}

pub(crate) fn copy(arguments: &TransferArguments) -> Result {
    transfer(arguments, Moved::Copied)
}

pub(crate) fn rename(arguments: &TransferArguments) -> Result {
    transfer(arguments, Moved::Moved)
}

fn transfer(arguments: &TransferArguments, moved: Moved) -> Result {
    let sources = arguments
        .sources
        .iter()
        .map(|source| place(source))
        .collect::<Result<Vec<_>>>()?;
    let place = place(&arguments.place)?;
    if sources.len() > 1 && !place.is_folder() {
        let text = format!("several sources go into a folder; write it as {place}/");
        return Err(Failure::new(Code::Usage, text));
    }
    own_names(sources.iter().map(RemoteSpot::name))?;
    let client = Client::of(&arguments.server)?;
    let way = if arguments.no_clobber {
        Way::Keep
    } else {
        Way::Replace
    };
    converse(async {
        let interrupt = Interrupt::listen()?;
        let show = Show::new(&arguments.flow, false);
        let mut legs = Vec::new();
        for source in &sources {
            legs.push(leg(&client, source, &place, arguments.recursive).await?);
        }
        let files = stream::iter(legs).flat_map(|leg| files_of(&client, leg));
        let words = Words {
            done: match moved {
                Moved::Copied => "copied",
                Moved::Moved => "moved",
            },
        };
        let each = |(from, to)| carry(&client, from, to, moved, way);
        run(&arguments.flow, words, &show, &interrupt, files, each).await
    })
}

fn place(text: &OsStr) -> Result<RemoteSpot> {
    match Spot::read(text)? {
        Spot::Remote(spot) => Ok(spot),
        _ => Err(Failure::new(
            Code::Usage,
            format!(
                "{} is no place on the server; `longshore put` and `longshore get` go between here and there",
                text.display()
            ),
        )),
    }
}

/// What a source is, and where it goes.
async fn leg(
    client: &Client,
    source: &RemoteSpot,
    place: &RemoteSpot,
    recursive: bool,
) -> Result<Leg> {
    let folder = if source.is_folder() {
        if !recursive {
            let text = format!("{source} is a folder; -r takes all that is in it");
            return Err(Failure::new(Code::Usage, text));
        }
        true
    } else {
        recursive && holds(client, &source.bucket, &source.prefix()).await?
    };
    if !folder {
        let from = source.file()?;
        let to = if place.is_folder() {
            place.below(source.name())?
        } else {
            place.file()?
        };
        if from == to {
            let text = format!("{from} is there already");
            return Err(Failure::new(Code::Usage, text));
        }
        return Ok(Leg::File(from, to));
    }
    if !holds(client, &source.bucket, &source.prefix()).await? {
        return Err(Failure::failed(format!("there is nothing at {source}")));
    }
    let into = if place.is_folder() && !source.name().is_empty() {
        place.folder(source.name())
    } else {
        place.clone()
    };
    // It would find what it has just made.
    if into.bucket == source.bucket && into.prefix().starts_with(&source.prefix()) {
        let text = format!("{into} lies in {source}; a folder does not go into itself");
        return Err(Failure::new(Code::Usage, text));
    }
    Ok(Leg::Folder(source.clone(), into))
}

/// The files of a leg, as they are found.
fn files_of(client: &Client, leg: Leg) -> LocalBoxStream<'_, Result<(Remote, Remote), Ended>> {
    let (source, into) = match leg {
        Leg::File(from, to) => return stream::iter([Ok((from, to))]).boxed_local(),
        Leg::Folder(source, into) => (source, into),
    };
    let prefix = source.prefix();
    let found = pages(client, Ask::all(&source.bucket, &prefix)).map(move |file| {
        let file = file.map_err(|trouble| failed(&source.to_string(), trouble))?;
        let below = file.path.strip_prefix(&prefix).unwrap_or(&file.path);
        let both = || -> Result<(Remote, Remote)> {
            // The marker of the folder itself is that of the new one.
            let to = if below.is_empty() {
                into.at(&into.prefix())?
            } else {
                into.below(below)?
            };
            Ok((source.at(&file.path)?, to))
        };
        both()
            .map_err(|failure| failed(&format!("{}:{}", source.bucket, file.path), failure.into()))
    });
    found.boxed_local()
}

fn failed(from: &str, trouble: Trouble) -> Ended {
    Ended {
        from: from.to_owned(),
        to: String::new(),
        outcome: Outcome::Failed(trouble),
    }
}

async fn carry(client: &Client, from: Remote, to: Remote, moved: Moved, way: Way) -> Ended {
    let asked = insist(client, || client.transfer(&from, &to, moved, way)).await;
    let outcome = match asked.answer {
        Ok(file) => Outcome::Done(file.size),
        Err(error) => {
            let trouble = Trouble::from(error);
            let came = if asked.unheard {
                came_unheard(client, &from, &to, moved, &trouble).await
            } else {
                None
            };
            match came {
                Some(size) => Outcome::Done(size),
                None if trouble.is_taken() && way == Way::Keep => {
                    Outcome::Skipped("something is there already")
                }
                None => Outcome::Failed(trouble),
            }
        }
    };
    Ended {
        from: from.to_string(),
        to: to.to_string(),
        outcome,
    }
}

/// The size of what an attempt brought to its place whose answer was lost, so that the next
/// one was refused; nothing where none did.
async fn came_unheard(
    client: &Client,
    from: &Remote,
    to: &Remote,
    moved: Moved,
    refused: &Trouble,
) -> Option<u64> {
    let possible = refused.is_taken() || (moved == Moved::Moved && refused.is_missing());
    if !possible {
        return None;
    }
    let there = patiently(client, || client.details(to)).await.ok()?;
    let source = patiently(client, || client.details(from)).await;
    match (moved, source) {
        (Moved::Copied, Ok(source)) => {
            (there.size == source.size && there.etag == source.etag).then_some(there.size)
        }
        (Moved::Moved, Err(error)) if error.status() == Some(StatusCode::NOT_FOUND) => {
            Some(there.size)
        }
        _ => None,
    }
}
