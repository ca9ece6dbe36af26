//! Bytes that come for an upload.

use super::gathered::Gathered;
use super::turn::Turn;
use super::{Checksum, Upload, UploadKind};
use crate::permit::Writer;
use crate::{Error, Files, Result, sql};
use base::UploadId;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::time::{Duration, Instant};

/// After so long it is noted how far the upload has come, so that one which moves does not
/// expire.
const NOTED_WITHIN: Duration = Duration::from_secs(10);

/// What a request says of the bytes that it brings.
#[derive(Clone, Debug, Default)]
pub struct Appending {
    /// Where they go on.
    pub offset: u64,
    /// The upload's length, where it was not known before.
    pub length: Option<u64>,
    /// How many they are, where it is said.
    pub announced: Option<u64>,
    /// What they are.
    pub checksum: Option<Checksum>,
}

impl Files {
    /// Appends to an upload. What came is kept even if the rest does not come; with a
    /// checksum it is all or nothing. Whole, the upload becomes a file. Whoever stops
    /// waiting for it does not stop it.
    ///
    /// # Errors
    /// As [`Files::upload`]; [`Error::Offset`], [`Error::BeyondLength`],
    /// [`Error::Checksum`], [`Error::UploadBusy`], [`Error::Broken`], [`Error::Silent`];
    /// and in the end what putting a file answers.
    pub async fn append<S, E>(
        &self,
        by: &Writer,
        id: UploadId,
        appending: Appending,
        body: S,
    ) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        self.upload(by, id).await?;
        let files = self.clone();
        let by = by.clone();
        self.in_the_background(async move {
            let turn = files.turns().take(id).await?;
            let upload = files.upload(&by, id).await?;
            let upload = files.accepting(upload, &appending).await?;
            let upload = files.receive(upload, &turn, appending, body).await?;
            files.when_whole(upload).await
        })
        .await
    }

    /// The upload, if it takes these bytes.
    async fn accepting(&self, mut upload: Upload, appending: &Appending) -> Result<Upload> {
        if upload.kind == UploadKind::Joined {
            return Err(Error::JoinedUpload);
        }
        if appending.offset != upload.received {
            return Err(Error::Offset {
                received: upload.received,
            });
        }
        if let Some(length) = appending.length
            && upload.length != Some(length)
        {
            self.allows_length(length)?;
            let none_known = !upload.done && upload.length.is_none();
            if !none_known || !sql::upload::declare(self.db(), upload.id, length).await? {
                return Err(Error::UploadLength);
            }
            upload.length = Some(length);
        }
        let more = appending.announced.unwrap_or(0);
        let all = upload.received.saturating_add(more);
        allows(&upload, all)?;
        self.allows_length(all)?;
        if !upload.done {
            let wanted = upload.length.unwrap_or(all);
            self.check_room(&upload, wanted).await?;
        }
        Ok(upload)
    }

    async fn receive<S, E>(
        &self,
        upload: Upload,
        turn: &Turn,
        appending: Appending,
        mut body: S,
    ) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        if upload.done {
            // All of it came, and nothing may follow.
            let silence = self.settings().silence;
            return match next(&mut body, turn, silence).await? {
                None => Ok(upload),
                Some(_) => allows(&upload, upload.received + 1).map(|()| upload),
            };
        }
        let mut inflow = Inflow::open(self, upload, appending.checksum).await?;
        let ended = inflow.take(turn, body).await;
        inflow.keep(ended).await
    }
}

/// The next bytes of a body, for as long as its sender is not silent and no newer one comes.
///
/// # Errors
/// [`Error::UploadBusy`], [`Error::Silent`], [`Error::Broken`].
async fn next<S, E>(body: &mut S, turn: &Turn, silence: Duration) -> Result<Option<Bytes>>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let next = tokio::select! {
        biased;
        () = turn.ended() => return Err(Error::UploadBusy),
        next = tokio::time::timeout(silence, body.next()) => next,
    };
    match next {
        Err(_) => Err(Error::Silent),
        Ok(next) => next.transpose().map_err(|error| {
            tracing::debug!(%error, "an upload broke off");
            Error::Broken
        }),
    }
}

/// # Errors
/// [`Error::BeyondLength`].
fn allows(upload: &Upload, bytes: u64) -> Result<()> {
    match upload.length {
        Some(length) if bytes > length => Err(Error::BeyondLength { length }),
        _ => Ok(()),
    }
}

/// The bytes of one request on their way to where they last.
struct Inflow<'a> {
    files: &'a Files,
    upload: Upload,
    gathered: Gathered,
    checksum: Option<Checksum>,
    noted: Instant,
}

impl<'a> Inflow<'a> {
    async fn open(files: &'a Files, upload: Upload, checksum: Option<Checksum>) -> Result<Self> {
        let gathered = Gathered::open(files, &upload).await?;
        Ok(Self {
            files,
            upload,
            gathered,
            checksum,
            noted: Instant::now(),
        })
    }

    /// Takes bytes until there are no more, or there is a reason to take no more.
    async fn take<S, E>(&mut self, turn: &Turn, mut body: S) -> Result<()>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let silence = self.files.settings().silence;
        while let Some(bytes) = next(&mut body, turn, silence).await? {
            self.write(bytes).await?;
        }
        Ok(())
    }

    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let position = self.gathered.position() + bytes.len() as u64;
        allows(&self.upload, position)?;
        self.files.allows_length(position)?;
        if let Some(checksum) = &mut self.checksum {
            // What it is said to be must be known before any of it counts.
            checksum.update(&bytes);
            return self.gathered.write(bytes).await;
        }
        self.gathered.write(bytes).await?;
        if self.noted.elapsed() >= NOTED_WITHIN {
            return self.note_all().await;
        }
        if self.gathered.is_much(self.upload.received) {
            return self.note().await;
        }
        Ok(())
    }

    /// Keeps what came, as far as it may be kept; the upload as it is then.
    async fn keep(mut self, ended: Result<()>) -> Result<Upload> {
        let kept = self.kept(ended).await;
        if kept.is_err() {
            self.gathered.give_up().await;
        }
        kept.map(|()| self.upload)
    }

    async fn kept(&mut self, ended: Result<()>) -> Result<()> {
        match (ended, self.checksum.take()) {
            (Ok(()), checksum) => {
                if let Some(checksum) = checksum {
                    checksum.check()?;
                }
                self.note_all().await
            }
            (Err(error @ (Error::Broken | Error::Silent | Error::UploadBusy)), None) => {
                self.note_all().await?;
                Err(error)
            }
            // A sender that lies, or a disk that is full: what was noted stays.
            (Err(error), _) => Err(error),
        }
    }

    async fn note_all(&mut self) -> Result<()> {
        self.gathered.settle().await?;
        self.note().await
    }

    /// Says in the database what lasts.
    async fn note(&mut self) -> Result<()> {
        let expires_in = self.files.settings().upload_expires_in;
        let expires_at = self.files.now().plus(expires_in);
        self.gathered
            .note(self.files, &mut self.upload, expires_at)
            .await?;
        self.noted = Instant::now();
        Ok(())
    }
}
