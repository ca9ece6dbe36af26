//! Sending one file, until it is there.
//!
//! [`send`] is the one way in: it sends large files so that they go on where they broke
//! off ([`resume`]), and everything else in one piece. What it sends is summed up
//! ([`flow`]), and compared with what the server says it has.

mod flow;
mod resume;

pub(super) use resume::Open;

use crate::client::{Client, Error, Remote, Way};
use crate::commands::transfer::{Again, Moving, Trouble};
use crate::exit::{Code, Failure};
use flow::Flow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Files above this length go on where they broke off; below it, that would cost more
/// than it saves.
const LARGE: u64 = 16 << 20;

/// What is sent.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Pipe,
    File(PathBuf),
}

impl Source {
    /// Its length, where it can be known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Pipe => None,
            Self::File(path) => {
                let about = std::fs::metadata(path).ok();
                about
                    .filter(std::fs::Metadata::is_file)
                    .map(|about| about.len())
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipe => f.write_str("-"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What is sent where.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) source: Source,
    pub(super) to: Remote,
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{} cannot be read: {error}", path.display()))
}

/// Sends it until it is there; its length.
pub(super) async fn send(
    client: &Client,
    parcel: &Parcel,
    way: Way,
    moving: &Moving,
    open: &Open,
) -> Result<u64, Trouble> {
    let path = match &parcel.source {
        Source::Pipe => return pipe(client, &parcel.to, way, moving).await,
        Source::File(path) => path,
    };
    // What is no file, such as a named pipe, has no length and is read once.
    let Some(length) = parcel.source.length() else {
        let file = File::open(path).await;
        let file = file.map_err(|error| unreadable(path, &error))?;
        return once(client, &parcel.to, way, moving, file).await;
    };
    if length > LARGE {
        let sent = resume::send(client, path, &parcel.to, way, moving, open).await?;
        if let Some(length) = sent {
            return Ok(length);
        }
    }
    let mut again = Again::default();
    loop {
        let lost = match whole(client, path, &parcel.to, way, moving).await? {
            Ok(length) => return Ok(length),
            Err(lost) => lost,
        };
        moving.stands_at(0);
        if !passes(&lost) || !again.pause(client).await {
            return Err(lost.into());
        }
    }
}

/// Whether sending it once more may help.
fn passes(error: &Error) -> bool {
    error.may_pass() || error.code() == "body-incomplete"
}

async fn pipe(client: &Client, to: &Remote, way: Way, moving: &Moving) -> Result<u64, Trouble> {
    once(client, to, way, moving, tokio::io::stdin()).await
}

/// Sends what can be read but once.
async fn once(
    client: &Client,
    to: &Remote,
    way: Way,
    moving: &Moving,
    from: impl tokio::io::AsyncRead + Send + 'static,
) -> Result<u64, Trouble> {
    let flow = Flow::new(moving);
    let sent = flow.watch(client.put(to, way, None, flow.body(from))).await;
    if let Some(error) = flow.unread() {
        return Err(Failure::failed(format!("what is sent cannot be read: {error}")).into());
    }
    let put = sent?;
    if flow.is_of(&put) {
        return Ok(put.size);
    }
    Err(another(to))
}

/// Sends all of a file in one piece: its length, or why it broke off.
async fn whole(
    client: &Client,
    path: &Path,
    to: &Remote,
    way: Way,
    moving: &Moving,
) -> Result<Result<u64, Error>, Trouble> {
    let unusable = |error| unreadable(path, &error);
    let file = File::open(path).await.map_err(unusable)?;
    let length = file.metadata().await.map_err(unusable)?.len();
    let flow = Flow::new(moving);
    // What is appended meanwhile is for another time.
    let body = flow.body(file.take(length));
    let sent = flow.watch(client.put(to, way, Some(length), body)).await;
    if let Some(error) = flow.unread() {
        return Err(unreadable(path, &error).into());
    }
    match sent {
        Ok(put) if put.size == length && flow.is_of(&put) => Ok(Ok(length)),
        Ok(_) => Err(another(to)),
        Err(lost) => Ok(Err(lost)),
    }
}

fn another(to: &Remote) -> Trouble {
    Failure::new(
        Code::Server,
        format!("the server has another content at {to} than was sent; is there a proxy in between that changes it?"),
    )
    .into()
}
