//! Sending a large file so that it goes on where it broke off, be it that the line broke,
//! the server, or this command.

use super::flow::Flow;
use super::unreadable;
use crate::client::{Begun, Client, Error, Remote, Way};
use crate::commands::transfer::{Again, Kept, Moving, Sums, Trouble, patiently};
use crate::exit::{Code, Failure};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashSet;
use std::io::SeekFrom;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// How long taking back may take.
const CLEANING: Duration = Duration::from_secs(5);

/// Uploads that have begun and not ended.
#[derive(Debug, Default)]
pub(in crate::commands::put) struct Open(RefCell<HashSet<Begun>>);

impl Open {
    /// Takes back what nobody goes on with, as far as that can be done; what is left the
    /// server forgets after a while.
    pub(in crate::commands::put) async fn close(self, client: &Client) {
        let left = self.0.into_inner();
        let cleaning = async {
            for upload in left {
                let _ = client.end_upload(&upload).await;
            }
        };
        let _ = tokio::time::timeout(CLEANING, cleaning).await;
    }
}

/// What a file was when its upload began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    length: u64,
    changed: Option<SystemTime>,
}

/// What is kept of an upload.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    upload: String,
    look: Look,
}

/// The record of this file going to this place.
fn record(client: &Client, path: &Path, to: &Remote, way: Way) -> Kept {
    let server = client.place().url.to_string();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let path = path.to_string_lossy();
    Kept::of(&["put", &server, &to.to_string(), &path, &format!("{way:?}")])
}

/// The upload that this command left when it ended suddenly, and how far that has come.
async fn left(
    client: &Client,
    kept: &mut Kept,
    look: &Look,
    again: &mut Again,
    open: &Open,
) -> Option<(Begun, u64)> {
    let left: Left = kept.find()?;
    let upload = Begun::of_id(&left.upload)?;
    if left.look != *look {
        // It is another content by now.
        open.0.borrow_mut().insert(upload);
        return None;
    }
    loop {
        match client.upload_offset(&upload).await {
            Ok(Some(offset)) if offset <= look.length => return Some((upload, offset)),
            Ok(_) => return None,
            Err(error) if may_go_on(&error) && again.pause(client).await => {}
            Err(_) => return None,
        }
    }
}

/// A file on its way.
struct Resuming<'a> {
    client: &'a Client,
    path: &'a Path,
    to: &'a Remote,
    moving: &'a Moving,
    look: Look,
    upload: Begun,
    /// What the last of several sendings had in it.
    flow: Flow,
    /// Whether one sending had all of it.
    at_once: bool,
}

/// Sends a file in as many goes as it takes; its length, or nothing where the server
/// cannot do that.
pub(super) async fn send(
    client: &Client,
    path: &Path,
    to: &Remote,
    way: Way,
    moving: &Moving,
    open: &Open,
) -> Result<Option<u64>, Trouble> {
    let mut again = Again::default();
    let mut kept = record(client, path, to, way);
    loop {
        let look = look(path).await?;
        let (upload, offset) = match left(client, &mut kept, &look, &mut again, open).await {
            Some(found) => found,
            None => match client.begin_upload(to, way, look.length).await {
                Ok(Some(upload)) => (upload, 0),
                Ok(None) => return Ok(None),
                Err(error) if error.may_pass() && again.pause(client).await => continue,
                Err(error) => return Err(error.into()),
            },
        };
        kept.put(&Left {
            upload: upload.id().to_owned(),
            look,
        });
        open.0.borrow_mut().insert(upload.clone());
        let mut resuming = Resuming {
            client,
            path,
            to,
            moving,
            look,
            upload: upload.clone(),
            flow: Flow::new(moving),
            at_once: offset == 0,
        };
        moving.stands_at(offset);
        let whole = match resuming.go(offset, &mut again).await {
            Ok(whole) => whole,
            // Nobody is there who could take it back; once somebody is, it goes on.
            Err(trouble) if trouble.fatal => {
                open.0.borrow_mut().remove(&upload);
                kept.leave();
                return Err(trouble);
            }
            Err(trouble) => return Err(trouble),
        };
        if whole {
            open.0.borrow_mut().remove(&upload);
            resuming.check().await?;
            return Ok(Some(look.length));
        }
        // The file changed, or the server forgot it: from the beginning.
        moving.stands_at(0);
        if !again.pause(client).await {
            let text = format!("{} changes while it is sent", path.display());
            return Err(Failure::failed(text).into());
        }
    }
}

async fn look(path: &Path) -> Result<Look, Trouble> {
    let about = tokio::fs::metadata(path)
        .await
        .map_err(|error| unreadable(path, &error))?;
    Ok(Look {
        length: about.len(),
        changed: about.modified().ok(),
    })
}

impl Resuming<'_> {
    /// Sends what is missing from `offset` on until all of it has come; whether it could.
    async fn go(&mut self, mut offset: u64, again: &mut Again) -> Result<bool, Trouble> {
        if offset == self.look.length {
            return Ok(true);
        }
        loop {
            let lost = match self.append(offset).await? {
                Ok(now) if now == self.look.length => return Ok(true),
                Ok(now) => {
                    offset = now;
                    again.moved();
                    continue;
                }
                Err(error) if may_go_on(&error) => error,
                Err(error) => return Err(error.into()),
            };
            self.at_once = false;
            let now = loop {
                if !again.pause(self.client).await {
                    return Err(lost.into());
                }
                match self.client.upload_offset(&self.upload).await {
                    Ok(Some(now)) => break now,
                    Ok(None) => return Ok(false),
                    Err(error) if may_go_on(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            };
            if now > offset {
                again.moved();
            }
            offset = now;
            self.moving.stands_at(offset);
            // What is sent of another content would be a mixture.
            if look(self.path).await? != self.look {
                return Ok(false);
            }
            if offset == self.look.length {
                return Ok(true);
            }
        }
    }

    async fn append(&mut self, offset: u64) -> Result<Result<u64, Error>, Trouble> {
        let unusable = |error| unreadable(self.path, &error);
        let mut file = File::open(self.path).await.map_err(unusable)?;
        file.seek(SeekFrom::Start(offset)).await.map_err(unusable)?;
        let length = self.look.length - offset;
        self.at_once &= offset == 0;
        self.flow = Flow::new(self.moving);
        let body = self.flow.body(file.take(length));
        let sending = self.client.append(&self.upload, offset, length, body);
        let sent = self.flow.watch(sending).await;
        match self.flow.unread() {
            Some(error) => Err(unreadable(self.path, &error).into()),
            None => Ok(sent),
        }
    }

    /// That what is there is what was sent, as far as one may look.
    async fn check(&self) -> Result<(), Trouble> {
        let asked = patiently(self.client, || self.client.details(self.to)).await;
        let there = match asked {
            Ok(there) => there,
            Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let same = if self.at_once {
            self.flow.is_of(&there)
        } else {
            let sums = Sums::of(&there);
            let same = sums.are_of(self.path.to_owned()).await;
            sums == Sums::Unknown || same.map_err(|error| unreadable(self.path, &error))?
        };
        if same && there.size == self.look.length {
            return Ok(());
        }
        Err(Failure::new(
            Code::Server,
            format!(
                "what is at {} now is not what was sent; did somebody else put something there, or did the file change meanwhile?",
                self.to
            ),
        )
        .into())
    }
}

/// Whether it may go on from where the server says it stands.
fn may_go_on(error: &Error) -> bool {
    // 423: the request that broke off is not over yet; 409: it had brought more.
    error.may_pass()
        || matches!(
            error.status(),
            Some(StatusCode::LOCKED | StatusCode::CONFLICT)
        )
        || error.code() == "body-incomplete"
}
