//! What the commands that move files have in common: how places are written, how many
//! files are on their way at once, what is seen of it, and how it ends.
//!
//! One file that fails does not keep the others from their way; a server that is gone
//! does, since every other one would fail, too.

mod again;
mod kept;
mod same;
mod show;
mod spot;

pub(super) use again::{Again, insist, patiently};
pub(super) use kept::Kept;
pub(super) use same::{Hasher, Sums};
pub(super) use show::{Moving, Show};
pub(super) use spot::{RemoteSpot, Spot, own_names};

use crate::client::{Ask, Client, Error, Interrupt, RemoteFile, read};
use crate::exit::{Code, Failure, Result};
use clap::Args;
use files::BucketName;
use futures::stream::LocalBoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde_json::json;
use std::pin::pin;

/// How files move, for all that move them.
#[derive(Args, Clone, Debug)]
pub(super) struct FlowArguments {
    /// So many files at once.
    #[arg(short, long, default_value_t = 4, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Say nothing but what went wrong.
    #[arg(short, long, conflicts_with = "json")]
    pub(super) quiet: bool,
    /// Print one JSON object for each file, and a summary at the end.
    #[arg(long)]
    pub(super) json: bool,
}

/// What became of one file.
#[derive(Debug)]
pub(super) struct Ended {
    /// What is told of it, such as where it was.
    pub(super) from: String,
    /// Where it went, when it went somewhere.
    pub(super) to: String,
    pub(super) outcome: Outcome,
}

/// See [`Ended`].
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is there, with so many bytes.
    Done(u64),
    /// It was left as it is, for this reason.
    Skipped(&'static str),
    /// It failed.
    Failed(Trouble),
}

/// Why a file failed, and whether others may fare better.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// All others would fail as well.
    pub(super) fatal: bool,
    /// What the server answered, where it did.
    status: Option<StatusCode>,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self {
            fatal: failure.code() == Code::Unread,
            status: None,
            failure,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self {
            // Who is unknown is unknown for every file.
            fatal: error.may_pass() || error.status() == Some(StatusCode::UNAUTHORIZED),
            status: error.status(),
            failure: error.into(),
        }
    }
}

impl Trouble {
    /// One that every other file would meet, too.
    pub(super) const fn fatal(failure: Failure) -> Self {
        Self {
            failure,
            fatal: true,
            status: None,
        }
    }

    /// Something is there that was not to be replaced.
    pub(super) fn is_taken(&self) -> bool {
        self.status == Some(StatusCode::PRECONDITION_FAILED)
    }

    /// There is no such file.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND)
    }
}

/// The words of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// Such as `uploaded`.
    pub(super) done: &'static str,
}

#[derive(Debug, Default)]
struct Count {
    done: u64,
    skipped: u64,
    failed: u64,
    bytes: u64,
    first: Option<Failure>,
    fatal: bool,
}

impl Count {
    fn take(&mut self, ended: Ended) {
        match ended.outcome {
            Outcome::Done(bytes) => {
                self.done += 1;
                self.bytes += bytes;
            }
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Failed(trouble) => {
                self.failed += 1;
                self.fatal |= trouble.fatal;
                self.first.get_or_insert(trouble.failure);
            }
        }
    }
}

/// Moves every file of `files` by `each`, so many at once, until all are moved, one
/// failed that stands for all, or an interruption comes.
pub(super) async fn run<T, Each, Work>(
    flow: &FlowArguments,
    words: Words,
    show: &Show,
    interrupt: &Interrupt,
    files: impl Stream<Item = Result<T, Ended>>,
    each: Each,
) -> Result
where
    Each: Fn(T) -> Work,
    Work: Future<Output = Ended>,
{
    let mut count = Count::default();
    let moved = {
        let each = &each;
        let work = files.map(|file| async move {
            match file {
                Ok(file) => each(file).await,
                Err(ended) => ended,
            }
        });
        let mut work = pin!(work.buffer_unordered(usize::from(flow.jobs)));
        let all = async {
            while let Some(ended) = work.next().await {
                show.ended(&ended)?;
                count.take(ended);
                if count.fatal {
                    break;
                }
            }
            Ok(())
        };
        tokio::select! {
            () = interrupt.come() => Err(Failure::new(Code::Cancelled, "interrupted; nothing half-written is left")),
            all = all => all,
        }
        // What is still on its way is dropped here, and leaves nothing.
    };
    conclude(words, show, count, moved)
}

fn conclude(words: Words, show: &Show, count: Count, moved: Result) -> Result {
    show.still();
    let ended = moved.and_then(|()| verdict(&count));
    let result = match &ended {
        Ok(()) => "complete",
        Err(failure) => match failure.code() {
            Code::Incomplete => "incomplete",
            Code::Cancelled => "cancelled",
            _ => "failed",
        },
    };
    let told = show.summary(json!({
        "event": "summary", "result": result, "done": count.done, "skipped": count.skipped,
        "failed": count.failed, "bytes": count.bytes, "seconds": show.seconds(),
        "error": ended.as_ref().err().map(ToString::to_string),
    }));
    if count.done + count.skipped > 1 || (count.skipped > 0 && count.failed == 0) {
        let left = match count.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} left as they are"),
        };
        show.closing(&format!(
            "{} {}{left}, {} in {:.1} s",
            files(count.done),
            words.done,
            crate::terminal::bytes(count.bytes),
            show.seconds()
        ));
    }
    ended?;
    told
}

/// How a command ends by what became of its files. What failed was told, but a file
/// that was the only one is told by the failure itself.
fn verdict(count: &Count) -> Result {
    let Some(first) = &count.first else {
        return Ok(());
    };
    let all = count.done + count.skipped + count.failed;
    if all == 1 || count.fatal || count.done + count.skipped == 0 {
        return Err(Failure::new(first.code(), first));
    }
    Err(Failure::new(
        Code::Incomplete,
        format!(
            "{} of {} failed; the first: {first}",
            count.failed,
            files(all)
        ),
    ))
}

/// `1 file`, `2 files`.
pub(super) fn files(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

/// All files of a list, page by page.
pub(super) fn pages(client: &Client, ask: Ask) -> LocalBoxStream<'_, Result<RemoteFile, Trouble>> {
    let pages = stream::try_unfold(Some(None), move |cursor: Option<Option<String>>| {
        let ask = ask.clone();
        async move {
            let Some(cursor) = cursor else {
                return Ok::<_, Trouble>(None);
            };
            let page = patiently(client, || client.list(&ask, cursor.clone())).await?;
            let items = page
                .items
                .into_iter()
                .map(|item| read(item).map_err(Trouble::from));
            let next = page.next.map(Some);
            Ok(Some((stream::iter(items.collect::<Vec<_>>()), next)))
        }
    });
    pages.try_flatten().boxed_local()
}

/// Whether anything lies below a prefix.
pub(super) async fn holds(
    client: &Client,
    bucket: &BucketName,
    prefix: &str,
) -> Result<bool, Error> {
    let ask = Ask::all(bucket, prefix);
    let page = patiently(client, || client.list(&ask, None)).await?;
    Ok(!page.items.is_empty())
}
