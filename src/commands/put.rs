//! `longshore put`: files, folders or standard input go to the server.
//!
//! A file is there when it is whole: one that breaks off leaves nothing, and what lay
//! at its place stays.

mod send;
mod walk;

use crate::arguments::ServerArguments;
use crate::client::{Client, Interrupt, Remote, Way};
use crate::commands::converse;
use crate::commands::transfer::{
    Ended, FlowArguments, Moving, Outcome, RemoteSpot, Show, Spot, Sums, Trouble, Words, own_names,
    patiently, run,
};
use crate::exit::{Code, Failure, Result};
use clap::Args;
use futures::stream::LocalBoxStream;
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use send::{Open, Parcel, Source};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use walk::{Found, Walk};

#[derive(Args, Debug)]
pub(crate) struct PutArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Files and folders; `-` is standard input. A folder that ends with `/` stands for
    /// what is in it.
    #[arg(required = true, value_name = "SOURCE", value_hint = clap::ValueHint::AnyPath)]
    sources: Vec<OsString>,
    /// Where they go: BUCKET:PATH, into it where it ends with `/` or is a bucket. :PATH is
    /// in the bucket `files`.
    #[arg(value_name = "PLACE")]
    place: OsString,
    /// Folders, too, with all that is in them.
    #[arg(short, long)]
    recursive: bool,
    /// Replace nothing that is there.
    #[arg(short, long)]
    no_clobber: bool,
    /// Leave files alone that are there already with the same content.
    #[arg(long, conflicts_with = "no_clobber")]
    skip_same: bool,
    #[command(flatten)]
    flow: FlowArguments,
}

impl PutArguments {
    fn way(&self) -> Way {
        if self.no_clobber {
            Way::Keep
        } else {
            Way::Replace
        }
    }
}

/// One of the sources, and where it goes.
#[derive(Clone, Debug)]
enum Load {
    Pipe(Remote),
    File(PathBuf, Remote),
    /// What is in the folder goes below the place.
    Folder(PathBuf, RemoteSpot),
}

pub(crate) fn put(arguments: &PutArguments) -> Result {
    let loads = loads(arguments)?;
    let client = Client::of(&arguments.server)?;
    converse(async {
        let interrupt = Interrupt::listen()?;
        let show = Show::new(&arguments.flow, false);
        let errand = Errand {
            client: &client,
            arguments,
            show: &show,
            open: Open::default(),
        };
        let parcels = stream::iter(loads).flat_map(|load| parcels(load, &show));
        let words = Words { done: "uploaded" };
        let each = |parcel| errand.carry(parcel);
        let ended = run(&arguments.flow, words, &show, &interrupt, parcels, each).await;
        errand.open.close(&client).await;
        ended
    })
}

/// What the sources are, before anything is asked of the server.
fn loads(arguments: &PutArguments) -> Result<Vec<Load>> {
    let place = Spot::remote(&arguments.place)?;
    let into = place.is_folder();
    if arguments.sources.len() > 1 && !into {
        return Err(Failure::new(
            Code::Usage,
            format!("several sources go into a folder; write it as {place}/"),
        ));
    }
    let mut names = Vec::new();
    let mut loads = Vec::new();
    for source in &arguments.sources {
        let (name, load) = load(source, &place, arguments.recursive)?;
        names.push(name);
        loads.push(load);
    }
    own_names(names.iter().map(String::as_str))?;
    Ok(loads)
}

/// One source, and its name where it gets one in a folder.
fn load(source: &OsStr, place: &RemoteSpot, recursive: bool) -> Result<(String, Load)> {
    let path = match Spot::read(source)? {
        Spot::Pipe => return Ok((String::new(), Load::Pipe(place.file()?))),
        Spot::Local(path) => path,
        Spot::Remote(spot) => {
            return Err(Failure::new(
                Code::Usage,
                format!(
                    "{spot} is on the server already; use `longshore cp`, or write a file of this machine as ./{spot}"
                ),
            ));
        }
    };
    let about = std::fs::metadata(&path)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    if about.is_dir() && !recursive {
        return Err(Failure::new(
            Code::Usage,
            format!("{} is a folder; -r puts all that is in it", path.display()),
        ));
    }
    let name = own_name(source, &path)?;
    if about.is_dir() {
        let into = if name.is_empty() || !place.is_folder() {
            place.clone()
        } else {
            place.folder(&name)
        };
        return Ok((name, Load::Folder(path, into)));
    }
    let to = if place.is_folder() {
        place.below(&name)?
    } else {
        place.file()?
    };
    Ok((name, Load::File(path, to)))
}

/// What a source is called in the folder that it goes into; nothing where it stands for
/// what is in it.
fn own_name(source: &OsStr, path: &Path) -> Result<String> {
    use std::os::unix::ffi::OsStrExt;
    let Some(name) = path.file_name() else {
        return Ok(String::new());
    };
    if source.as_bytes().ends_with(b"/") || source.as_bytes().ends_with(b"/.") {
        return Ok(String::new());
    }
    name.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::failed(format!(
            "{} cannot be put: its name is not UTF-8",
            path.display()
        ))
    })
}

/// The files of a source, as they are found.
fn parcels(load: Load, show: &Show) -> LocalBoxStream<'_, Result<Parcel, Ended>> {
    let (source, to) = match load {
        Load::Pipe(to) => (Source::Pipe, to),
        Load::File(path, to) => (Source::File(path), to),
        Load::Folder(folder, into) => return below(folder, into, show),
    };
    stream::iter([Ok(Parcel { source, to })]).boxed_local()
}

/// The files of a folder.
fn below(
    folder: PathBuf,
    into: RemoteSpot,
    show: &Show,
) -> LocalBoxStream<'_, Result<Parcel, Ended>> {
    let found = Walk::below(folder).files();
    let parcels = found.filter_map(move |found| {
        let parcel = match found {
            Found::File { path, name } => Some(match into.below(&name) {
                Ok(to) => Ok(Parcel {
                    source: Source::File(path),
                    to,
                }),
                Err(failure) => Err(failed(&path, failure)),
            }),
            Found::Passed { path, what } => {
                show.note(&format!("{}: {what}, passed over", path.display()));
                None
            }
            Found::Unusable { path, why } => Some(Err(failed(&path, Failure::failed(why)))),
        };
        std::future::ready(parcel)
    });
    parcels.boxed_local()
}

fn failed(path: &Path, failure: Failure) -> Ended {
    Ended {
        from: path.display().to_string(),
        to: String::new(),
        outcome: Outcome::Failed(failure.into()),
    }
}

struct Errand<'a> {
    client: &'a Client,
    arguments: &'a PutArguments,
    show: &'a Show,
    open: Open,
}

impl Errand<'_> {
    async fn carry(&self, parcel: Parcel) -> Ended {
        let outcome = match self.put(&parcel).await {
            Ok(outcome) => outcome,
            Err(trouble) => Outcome::Failed(trouble),
        };
        Ended {
            from: parcel.source.to_string(),
            to: parcel.to.to_string(),
            outcome,
        }
    }

    async fn put(&self, parcel: &Parcel) -> Result<Outcome, Trouble> {
        if self.arguments.skip_same && self.is_there(parcel).await? {
            return Ok(Outcome::Skipped("is there already"));
        }
        let name = parcel.source.to_string();
        let moving = self.show.begin(&name, parcel.source.length());
        let sent = self.send(parcel, &moving).await;
        moving.gone();
        match sent {
            Ok(length) => Ok(Outcome::Done(length)),
            Err(trouble) if self.arguments.no_clobber && trouble.is_taken() => {
                Ok(Outcome::Skipped("something is there already"))
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn send(&self, parcel: &Parcel, moving: &Moving) -> Result<u64, Trouble> {
        let way = self.arguments.way();
        send::send(self.client, parcel, way, moving, &self.open).await
    }

    /// Whether the same content lies there.
    async fn is_there(&self, parcel: &Parcel) -> Result<bool, Trouble> {
        let Source::File(path) = &parcel.source else {
            return Ok(false);
        };
        let asked = patiently(self.client, || self.client.details(&parcel.to)).await;
        let there = match asked {
            Ok(there) => there,
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if parcel.source.length() != Some(there.size) {
            return Ok(false);
        }
        let same = Sums::of(&there).are_of(path.clone()).await;
        same.map_err(|error| send::unreadable(path, &error).into())
    }
}
