//! Writing entries: bodies in memory at once, large ones as they pass through.

use super::{GATHERED, Maker, broken, drain};
use crate::board::Board;
use crate::flowing::{Flowing, Room};
use crate::gather::{About, Gather, Large, Miss, Opened};
use crate::name::{EntryName, NameSources};
use crate::outlet::Outlet;
use crate::report::MissingState;
use crate::zip::{EntryTime, OpenEntry, Packing, Pieces, Written, ZipError};
use bytes::Bytes;
use fetch::FetchError;
use operations::Failure;
use std::time::Duration;

/// When a large body has been silent for so long, what has gathered is passed on.
const SILENT: Duration = Duration::from_millis(50);
/// Bodies from this size on are deflated on a thread of their own.
const DEFLATE_ELSEWHERE: usize = 16 << 10;

impl Maker {
    pub(super) fn name(&mut self, index: usize, about: &About) -> EntryName {
        if let Some((name, _)) = self.promise.as_ref().and_then(|promise| promise.of(index)) {
            return name.clone();
        }
        let source = &self.sources[index];
        let url = source.url.parse().ok();
        let wanted = EntryName::choose(&NameSources {
            path: source.path.as_deref(),
            disposition: about.disposition.as_deref(),
            url: url.as_ref(),
            content_type: about.content_type.as_deref(),
            index,
        });
        self.names.assign(&wanted)
    }

    fn packing(&self, name: &EntryName, about: &About) -> Packing {
        if self.plan.compress {
            Packing::suited(name, about.content_type.as_deref())
        } else {
            Packing::Store
        }
    }

    fn time(&self, about: &About) -> EntryTime {
        EntryTime::of_header(about.last_modified.as_deref(), self.plan.begun_at)
    }

    /// What the bundle's limit leaves.
    fn room(&self) -> Option<Room> {
        self.plan.max_bytes.map(|limit| Room {
            limit,
            left: limit.saturating_sub(self.made.bytes),
        })
    }

    /// Why `more` bytes do not fit any more, if they do not.
    fn too_large(&self, more: u64) -> Option<Miss> {
        self.room()
            .filter(|room| more > room.left)
            .map(|room| Miss::too_large(room.limit))
    }

    pub(super) async fn write_whole(
        &mut self,
        index: usize,
        about: &About,
        parts: Vec<Bytes>,
        size: usize,
    ) -> Result<(), Failure> {
        if let Some(miss) = self.too_large(size as u64) {
            return self
                .missed(index, MissingState::Failed, miss, None, 0)
                .await;
        }
        self.keeps_promise(index, size as u64)?;
        let name = self.name(index, about);
        let packing = self.packing(&name, about);
        let time = self.time(about);
        let written = if packing == Packing::Deflate && size >= DEFLATE_ELSEWHERE {
            self.whole_elsewhere(name.clone(), time, parts).await?
        } else {
            self.archive
                .whole(&name, time, parts, packing, &mut self.pieces)
                .map_err(|error| broken(&error))?
        };
        self.drain(GATHERED).await?;
        self.done(index, about, &name, written).await
    }

    /// Deflates on a blocking thread, where it keeps nobody else from running.
    async fn whole_elsewhere(
        &mut self,
        name: EntryName,
        time: EntryTime,
        parts: Vec<Bytes>,
    ) -> Result<Written, Failure> {
        let (mut archive, mut pieces) = (
            std::mem::take(&mut self.archive),
            std::mem::take(&mut self.pieces),
        );
        let (archive, pieces, written) = tokio::task::spawn_blocking(move || {
            let written = archive.whole(&name, time, parts, Packing::Deflate, &mut pieces);
            (archive, pieces, written)
        })
        .await
        .map_err(|_| {
            Failure::passing(
                "stopped",
                "Longshore stopped while an entry was compressed.",
            )
        })?;
        (self.archive, self.pieces) = (archive, pieces);
        written.map_err(|error| broken(&error))
    }

    pub(super) async fn write_large(
        &mut self,
        index: usize,
        large: Large,
        gather: &Gather,
    ) -> Result<(), Failure> {
        let about = large.about.clone();
        // What was written so far must not wait for a server.
        self.drain(0).await?;
        // It may be asked for once more, and that again takes its time.
        let opened = gather.cancel.run_until_cancelled(large.open()).await;
        match opened.unwrap_or_else(|| Err(Miss::cancelled())) {
            Ok(opened) => self.write_flowing(index, &about, opened).await,
            Err(miss) => {
                self.missed(index, MissingState::Failed, miss, None, 0)
                    .await
            }
        }
    }

    /// Writes an entry whose body passes through.
    pub(super) async fn write_flowing(
        &mut self,
        index: usize,
        about: &About,
        opened: Opened,
    ) -> Result<(), Failure> {
        if let Some(miss) = self.too_large(about.length.unwrap_or(0)) {
            return self
                .missed(index, MissingState::Failed, miss, None, 0)
                .await;
        }
        let name = self.name(index, about);
        let packing = self.packing(&name, about);
        let time = self.time(about);
        let length = self.length_of(index, &opened)?;
        let mut flowing = Flowing::new(index, opened, self.board.clone(), self.room());
        let (archive, pieces) = (&mut self.archive, &mut self.pieces);
        let mut entry = match packing {
            Packing::Deflate => archive.deflate(&name, time, length, pieces),
            Packing::Store => archive.stream(&name, time, length, pieces),
        }
        .map_err(|error| broken(&error))?;
        let mut way = Way {
            pieces,
            outlet: &mut self.outlet,
            board: &self.board,
        };
        let ended = way.pass_on(&mut entry, &mut flowing).await?;
        let closed = close(entry, ended, flowing.taken, way.pieces)?;
        self.drain(0).await?;
        match closed {
            Ok(written) => self.done(index, about, &name, written).await,
            Err((miss, got)) => {
                self.missed(index, MissingState::Incomplete, miss, Some(name), got)
                    .await
            }
        }
    }

    /// How long a body will be, as far as anybody knows.
    fn length_of(&self, index: usize, opened: &Opened) -> Result<Option<u64>, Failure> {
        let promised = self.promise.as_ref().and_then(|promise| promise.of(index));
        let length = opened.rest.total().or(promised.map(|(_, size)| *size));
        if let Some(length) = length {
            self.keeps_promise(index, length)?;
        }
        Ok(length)
    }
}

/// What a body goes through on its way out.
struct Way<'a> {
    pieces: &'a mut Pieces,
    outlet: &'a mut Outlet,
    board: &'a Board,
}

impl Way<'_> {
    /// Passes a body on to its end, or to where it cannot go on.
    async fn pass_on(
        &mut self,
        entry: &mut OpenEntry<'_>,
        flowing: &mut Flowing,
    ) -> Result<Result<(), Miss>, Failure> {
        loop {
            let part = match self.next(flowing).await? {
                Ok(Some(part)) => part,
                Ok(None) => return Ok(Ok(())),
                Err(miss) => return Ok(Err(miss)),
            };
            match entry.push(part, self.pieces) {
                Ok(()) => {}
                Err(ZipError::TooLong { declared }) => {
                    return Ok(Err(FetchError::TooLarge { limit: declared }.into()));
                }
                Err(error) => return Err(broken(&error)),
            }
            if self.pieces.len() >= GATHERED {
                drain(self.pieces, self.outlet).await?;
            }
        }
    }

    /// The next part; while none comes, what has gathered is passed on.
    async fn next(
        &mut self,
        flowing: &mut Flowing,
    ) -> Result<Result<Option<Bytes>, Miss>, Failure> {
        let next = flowing.next();
        tokio::pin!(next);
        if let Ok(next) = tokio::time::timeout(SILENT, &mut next).await {
            return Ok(next);
        }
        drain(self.pieces, self.outlet).await?;
        self.outlet.pause().await?;
        Ok(self.board.meanwhile(next).await)
    }
}

/// Ends an entry whose body came, or abandons it; why, and how much of it went out.
fn close(
    entry: OpenEntry<'_>,
    ended: Result<(), Miss>,
    taken: u64,
    pieces: &mut Pieces,
) -> Result<Result<Written, (Miss, u64)>, Failure> {
    if let Err(miss) = ended {
        entry.abandon(pieces).map_err(|error| broken(&error))?;
        return Ok(Err((miss, taken)));
    }
    match entry.finish(pieces) {
        Ok(written) => Ok(Ok(written)),
        Err(ZipError::TooShort { declared, got }) => {
            let short = FetchError::Truncated {
                host: "the server".to_owned(),
                got,
                expected: declared,
            };
            Ok(Err((short.into(), got)))
        }
        Err(error) => Err(broken(&error)),
    }
}
