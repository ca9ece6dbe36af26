//! `longshore get`: files and folders come from the server, or one file flows into a
//! pipe.
//!
//! A file appears when it is whole and what the server says it is. Whatever a path on
//! the server is called, it comes to lie in the folder that was named, or nowhere.

mod landing;
mod take;
mod target;

use crate::arguments::ServerArguments;
use crate::client::{Ask, Client, Interrupt, Remote, RemoteFile, Way};
use crate::commands::converse;
use crate::commands::transfer::{
    Ended, FlowArguments, Kept, Outcome, RemoteSpot, Show, Spot, Sums, Trouble, Words, holds,
    own_names, pages, patiently, run,
};
use crate::exit::{Code, Failure, Result};
use clap::Args;
use futures::stream::LocalBoxStream;
use futures::{StreamExt, stream};
use landing::{Landing, Landings};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use target::Target;

#[derive(Args, Debug)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Files and folders on the server, as BUCKET:PATH, and at the end where they go: a
    /// folder, a file, or `-` for standard output; this folder, when left out. :PATH is in
    /// the bucket `files`; a folder that ends with `/` stands for what is in it.
    #[arg(required = true, value_name = "PLACE", value_hint = clap::ValueHint::AnyPath)]
    places: Vec<OsString>,
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

impl GetArguments {
    fn way(&self) -> Way {
        if self.no_clobber {
            Way::Keep
        } else {
            Way::Replace
        }
    }
}

/// One thing that is wanted, and where it goes.
#[derive(Clone, Debug)]
enum Wish {
    File(Remote, Goal),
    /// All below the place goes below the folder.
    Folder(RemoteSpot, PathBuf),
}

/// Where a file goes.
#[derive(Clone, Debug)]
enum Goal {
    Pipe,
    File(PathBuf),
    /// Below a folder, which is not left.
    Below(Landing),
}

/// A file that is wanted.
struct Wanted {
    from: Remote,
    /// As it was listed.
    known: Option<RemoteFile>,
    goal: Goal,
}

pub(crate) fn get(arguments: &GetArguments) -> Result {
    let (spots, place) = places(&arguments.places)?;
    let to_stdout = place == Spot::Pipe;
    if to_stdout && (arguments.recursive || spots.len() > 1) {
        return Err(Failure::new(
            Code::Usage,
            "standard output takes one file; name that one alone, without -r",
        ));
    }
    let client = Client::of(&arguments.server)?;
    converse(async {
        let interrupt = Interrupt::listen()?;
        let show = Show::new(&arguments.flow, to_stdout);
        let finding = wishes(&client, arguments, &spots, &place);
        let wishes = tokio::select! {
            () = interrupt.come() => return Err(Failure::new(Code::Cancelled, "interrupted")),
            wishes = finding => wishes?,
        };
        let errand = Errand {
            client: &client,
            arguments,
            show: &show,
        };
        let wanted = stream::iter(wishes).flat_map(|wish| wanted(&client, wish));
        let words = Words { done: "fetched" };
        let each = |wanted| errand.fetch(wanted);
        run(&arguments.flow, words, &show, &interrupt, wanted, each).await
    })
}

/// What is wanted, and where it goes.
fn places(texts: &[OsString]) -> Result<(Vec<RemoteSpot>, Spot)> {
    let mut spots = texts
        .iter()
        .map(|text| Spot::read(text))
        .collect::<Result<Vec<_>>>()?;
    let here = Spot::Local(PathBuf::from("."));
    let place = match spots.pop() {
        Some(Spot::Remote(last)) => {
            spots.push(Spot::Remote(last));
            here
        }
        Some(place) => place,
        None => here,
    };
    let spots = spots.into_iter().map(|spot| match spot {
        Spot::Remote(spot) => Ok(spot),
        Spot::Local(path) => Err(not_there(&path.display().to_string())),
        Spot::Pipe => Err(not_there("-")),
    });
    let spots = spots.collect::<Result<Vec<_>>>()?;
    if spots.is_empty() {
        return Err(not_there(
            &texts
                .first()
                .map_or_else(String::new, |text| text.display().to_string()),
        ));
    }
    Ok((spots, place))
}

fn not_there(text: &str) -> Failure {
    Failure::new(
        Code::Usage,
        format!("{text} is no place on the server; write what you want as BUCKET:PATH"),
    )
}

/// Finds out what each of the places is.
async fn wishes(
    client: &Client,
    arguments: &GetArguments,
    spots: &[RemoteSpot],
    place: &Spot,
) -> Result<Vec<Wish>> {
    let into = match place {
        Spot::Local(path) => {
            let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
            let into = spots.len() > 1 || slash || path.is_dir();
            Some((path.as_path(), into))
        }
        _ => None,
    };
    own_names(spots.iter().map(RemoteSpot::name))?;
    let mut wishes = Vec::new();
    for spot in spots {
        let folder = is_folder(client, spot, arguments.recursive).await?;
        wishes.push(match into {
            Some((path, into)) if folder => {
                let root = if into {
                    path.join(spot.name())
                } else {
                    path.to_owned()
                };
                Wish::Folder(spot.clone(), root)
            }
            Some((path, true)) => {
                let remote = spot.file()?;
                let landing = Landing::below(path, remote.path.name())?;
                Wish::File(remote, Goal::Below(landing))
            }
            Some((path, false)) => Wish::File(spot.file()?, Goal::File(path.to_owned())),
            None => Wish::File(spot.file()?, Goal::Pipe),
        });
    }
    Ok(wishes)
}

/// Whether a place is a folder. What is written as a file may be one, too.
async fn is_folder(client: &Client, spot: &RemoteSpot, recursive: bool) -> Result<bool> {
    let about = format!("{spot} is a folder; -r gets all that is in it");
    if spot.is_folder() {
        if !recursive {
            return Err(Failure::new(Code::Usage, about));
        }
        if !holds(client, &spot.bucket, &spot.prefix()).await? {
            return Err(Failure::failed(format!("there is nothing at {spot}")));
        }
        return Ok(true);
    }
    if recursive {
        return Ok(holds(client, &spot.bucket, &spot.prefix()).await?);
    }
    // A file is asked for by its content alone; only where there is none, more is said.
    Ok(false)
}

/// The files of a wish, as they are found.
fn wanted(client: &Client, wish: Wish) -> LocalBoxStream<'_, Result<Wanted, Ended>> {
    let (spot, root) = match wish {
        Wish::File(from, goal) => {
            let known = None;
            return stream::iter([Ok(Wanted { from, known, goal })]).boxed_local();
        }
        Wish::Folder(spot, root) => (spot, root),
    };
    let prefix = spot.prefix();
    let landings = Landings::below(client, &root, &prefix);
    let listed = pages(client, Ask::all(&spot.bucket, &prefix));
    let found = stream::unfold((listed, landings), move |(mut listed, mut landings)| {
        let spot = spot.clone();
        async move {
            let wanted = match listed.next().await? {
                Ok(file) => landings.of(&spot, file).await,
                Err(trouble) => Err(ended(&spot.to_string(), trouble)),
            };
            Some((wanted, (listed, landings)))
        }
    });
    found.boxed_local()
}

fn ended(from: &str, trouble: Trouble) -> Ended {
    Ended {
        from: from.to_owned(),
        to: String::new(),
        outcome: Outcome::Failed(trouble),
    }
}

struct Errand<'a> {
    client: &'a Client,
    arguments: &'a GetArguments,
    show: &'a Show,
}

impl Errand<'_> {
    async fn fetch(&self, wanted: Wanted) -> Ended {
        let to = match &wanted.goal {
            Goal::Pipe => "-".to_owned(),
            Goal::File(path) => path.display().to_string(),
            Goal::Below(landing) => landing.path().display().to_string(),
        };
        let outcome = match self.take(&wanted).await {
            Ok(outcome) => outcome,
            Err(trouble) if trouble.is_missing() => {
                Outcome::Failed(self.missed(&wanted, trouble).await)
            }
            Err(trouble) => Outcome::Failed(trouble),
        };
        Ended {
            from: wanted.from.to_string(),
            to,
            outcome,
        }
    }

    /// A file that is not there may be a folder.
    async fn missed(&self, wanted: &Wanted, trouble: Trouble) -> Trouble {
        let (bucket, path) = (&wanted.from.bucket, &wanted.from.path);
        match holds(self.client, bucket, &format!("{path}/")).await {
            Ok(true) => {
                let text = format!("{} is a folder; -r gets all that is in it", wanted.from);
                Failure::new(Code::Usage, text).into()
            }
            _ => trouble,
        }
    }

    async fn take(&self, wanted: &Wanted) -> Result<Outcome, Trouble> {
        let path = match &wanted.goal {
            Goal::Pipe => return self.pour(wanted, (Target::stdout(), None)).await,
            Goal::File(path) => path.as_path(),
            Goal::Below(landing) => landing.path(),
        };
        // As it is, and not as what a link leads to.
        let there = std::fs::symlink_metadata(path);
        if self.arguments.no_clobber && there.is_ok() {
            return Ok(Outcome::Skipped("something is there already"));
        }
        if self.arguments.skip_same
            && let Ok(there) = there
            && there.is_file()
            && self.is_same(wanted, path, there.len()).await?
        {
            return Ok(Outcome::Skipped("is there already"));
        }
        if let Goal::Below(landing) = &wanted.goal {
            landing.make_folders()?;
            if landing.is_folder() {
                return Ok(Outcome::Done(0));
            }
        }
        let target = Target::file(path, self.arguments.way(), self.record(wanted, path))?;
        self.pour(wanted, target).await
    }

    /// The record of this file coming to this place.
    fn record(&self, wanted: &Wanted, path: &Path) -> Kept {
        let server = self.client.place().url.to_string();
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Kept::of(&[
            "get",
            &server,
            &wanted.from.to_string(),
            &path.to_string_lossy(),
        ])
    }

    async fn pour(
        &self,
        wanted: &Wanted,
        target: (Target, Option<String>),
    ) -> Result<Outcome, Trouble> {
        let name = wanted.from.to_string();
        let length = wanted.known.as_ref().map(|known| known.size);
        let moving = self.show.begin(&name, length);
        let taken = take::take(self.client, &wanted.from, target, &moving).await;
        moving.gone();
        Ok(Outcome::Done(taken?))
    }

    async fn is_same(&self, wanted: &Wanted, path: &Path, length: u64) -> Result<bool, Trouble> {
        let known = match &wanted.known {
            Some(known) => known.clone(),
            None => patiently(self.client, || self.client.details(&wanted.from)).await?,
        };
        if known.size != length {
            return Ok(false);
        }
        let same = Sums::of(&known).are_of(path.to_owned()).await;
        same.map_err(|error| {
            Failure::failed(format!("{} cannot be read: {error}", path.display())).into()
        })
    }
}
