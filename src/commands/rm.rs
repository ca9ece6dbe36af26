//! `longshore rm`: files go, into the trash where their bucket has one.

use crate::arguments::ServerArguments;
use crate::client::{Ask, Client, Interrupt, Remote};
use crate::commands::transfer::{
    Ended, FlowArguments, Outcome, RemoteSpot, Show, Spot, Words, insist, pages, patiently, run,
};
use crate::commands::{confirm, converse};
use crate::exit::{Code, Failure, Result};
use base::Span;
use clap::Args;
use files::BucketName;
use futures::stream::LocalBoxStream;
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::Value;
use std::ffi::OsString;

#[derive(Args, Debug)]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// What goes, as BUCKET:PATH.
    #[arg(required = true, value_name = "PLACE")]
    places: Vec<OsString>,
    /// Folders, too, with all that is in them.
    #[arg(short, long)]
    recursive: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    flow: FlowArguments,
}

pub(crate) fn remove(arguments: &RemoveArguments) -> Result {
    let spots = arguments
        .places
        .iter()
        .map(|place| Spot::remote(place))
        .collect::<Result<Vec<_>>>()?;
    if let Some(folder) = spots.iter().find(|spot| spot.is_folder())
        && !arguments.recursive
    {
        let text = format!("{folder} is a folder; -r deletes all that is in it");
        return Err(Failure::new(Code::Usage, text));
    }
    let client = Client::of(&arguments.server)?;
    converse(async {
        let fates = fates(&client, &spots).await?;
        if !arguments.yes {
            confirm::ask(&question(&spots, arguments.recursive, &fates))?;
        }
        let interrupt = Interrupt::listen()?;
        let show = Show::new(&arguments.flow, false);
        let doomed =
            stream::iter(spots).flat_map(|spot| doomed(&client, spot, arguments.recursive));
        let each = |file| delete(&client, file);
        let words = Words { done: "deleted" };
        run(&arguments.flow, words, &show, &interrupt, doomed, each).await?;
        if !arguments.flow.quiet && !arguments.flow.json {
            for (bucket, fate) in &fates {
                crate::terminal::say(&format!("{bucket}: {fate}"));
            }
        }
        Ok(())
    })
}

/// What becomes of deleted files in each of the buckets.
async fn fates(client: &Client, spots: &[RemoteSpot]) -> Result<Vec<(BucketName, String)>> {
    let mut fates: Vec<(BucketName, String)> = Vec::new();
    for spot in spots {
        if fates.iter().any(|(known, _)| *known == spot.bucket) {
            continue;
        }
        let path = format!("/api/v1/buckets/{}", spot.bucket);
        let bucket = patiently(client, || client.get(&path)).await?;
        fates.push((spot.bucket.clone(), fate(&bucket)));
    }
    Ok(fates)
}

fn fate(bucket: &Value) -> String {
    if bucket["versions"] == true {
        return "what was deleted stays as an older version".to_owned();
    }
    match bucket["trash_seconds"].as_u64() {
        Some(0) => "what was deleted is gone for good".to_owned(),
        Some(seconds) => format!(
            "what was deleted stays in the trash for {}",
            Span::seconds(seconds)
        ),
        None => "what was deleted may be in the trash".to_owned(),
    }
}

fn question(spots: &[RemoteSpot], recursive: bool, fates: &[(BucketName, String)]) -> String {
    let names: Vec<String> = spots.iter().map(ToString::to_string).collect();
    let all = if recursive { " and all below" } else { "" };
    let fates: Vec<&str> = fates.iter().map(|(_, fate)| fate.as_str()).collect();
    let names = names.join(", ");
    let names = crate::terminal::plain(&names);
    format!("Delete {names}{all}? ({})", fates.join("; "))
}

/// The files that go.
fn doomed(
    client: &Client,
    spot: RemoteSpot,
    recursive: bool,
) -> LocalBoxStream<'_, Result<Remote, Ended>> {
    let itself = (!spot.is_folder()).then(|| spot.file());
    if !recursive {
        let itself = itself.map(|file| file.map_err(|failure| failed(&spot, failure.into())));
        return stream::iter(itself).boxed_local();
    }
    let below = pages(client, Ask::all(&spot.bucket, &spot.prefix()));
    let found = stream::unfold(
        (below, itself, 0_u64),
        move |(mut below, mut itself, count)| {
            let spot = spot.clone();
            async move {
                let next = match below.next().await {
                    Some(Ok(file)) => spot
                        .at(&file.path)
                        .map_err(|failure| failed(&spot, failure.into())),
                    Some(Err(trouble)) => Err(failed(&spot, trouble)),
                    // The file of that very name; where there is neither, it is missed.
                    None => {
                        let file = itself.take()?;
                        let remote = file.as_ref().ok()?;
                        match (patiently(client, || client.details(remote)).await, count) {
                            (Ok(_), _) => file.map_err(|failure| failed(&spot, failure.into())),
                            (Err(error), 0) => Err(failed(&spot, error.into())),
                            (Err(_), _) => return None,
                        }
                    }
                };
                Some((next, (below, itself, count + 1)))
            }
        },
    );
    found.boxed_local()
}

fn failed(spot: &RemoteSpot, trouble: crate::commands::transfer::Trouble) -> Ended {
    Ended {
        from: spot.to_string(),
        to: String::new(),
        outcome: Outcome::Failed(trouble),
    }
}

async fn delete(client: &Client, file: Remote) -> Ended {
    let deleting = insist(client, || client.delete(&file)).await;
    let outcome = match deleting.answer {
        Ok(gone) => Outcome::Done(gone.size),
        // It went when the answer was lost.
        Err(error) if deleting.unheard && error.status() == Some(StatusCode::NOT_FOUND) => {
            Outcome::Done(0)
        }
        Err(error) => Outcome::Failed(error.into()),
    };
    Ended {
        from: file.to_string(),
        to: String::new(),
        outcome,
    }
}
