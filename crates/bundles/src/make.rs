//! Making the archive: takes what arrives, writes entries, and lists what is missing.

mod promise;

use crate::board::Board;
use crate::flowing::Flowing;
use crate::gather::{About, Arrival, Gather, Large, Miss, Opened, What, Whole};
use crate::ledger::{Made, MissingSource, Reason, SourceEvent};
use crate::name::{EntryName, NameRegister, NameSources};
use crate::outlet::Outlet;
use crate::report::MissingState;
use crate::source::Source;
use crate::zip::{Archive, EntryTime, Packing, Pieces, Written, ZipError};
use base::Timestamp;
use bytes::Bytes;
use fetch::{FetchError, for_log};
use operations::{Context, Failure};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

use promise::{Promise, changed};

/// Pieces are passed on when this much has gathered.
const GATHERED: usize = 64 << 10;
/// When a large body has been silent for so long, what has gathered is passed on.
const SILENT: Duration = Duration::from_millis(50);
/// Bodies from this size on are deflated on a thread of their own.
const DEFLATE_ELSEWHERE: usize = 16 << 10;

/// How the archive is made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) in_source_order: bool,
    pub(crate) compress: bool,
    pub(crate) strict: bool,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) begun_at: Timestamp,
}

/// Makes the archive and sends it to `outlet`, all but its end (see [`Maker::finish`]).
pub(crate) struct Maker {
    plan: Plan,
    sources: Arc<[Source]>,
    context: Context,
    board: Board,
    archive: Archive,
    names: NameRegister,
    pieces: Pieces,
    outlet: Outlet,
    made: Made,
    /// The archive whose length was told ahead.
    promise: Option<Promise>,
    /// Sources that ask for the same as an earlier one.
    repeats: HashMap<usize, Vec<usize>>,
}

impl Maker {
    pub(crate) fn new(
        plan: Plan,
        sources: Arc<[Source]>,
        context: Context,
        board: Board,
        outlet: Outlet,
    ) -> Self {
        Self {
            plan,
            sources,
            context,
            board,
            archive: Archive::new(),
            names: NameRegister::new(),
            pieces: Pieces::new(),
            outlet,
            made: Made::default(),
            promise: None,
            repeats: HashMap::new(),
        }
    }

    /// Fetches every source and writes its entry.
    ///
    /// # Errors
    /// When the archive cannot go on: cancelled, nobody takes it, the disk is full,
    /// or something is missing from a strict one.
    pub(crate) async fn run(&mut self, gather: Gather) -> Result<(), Failure> {
        let order = self.find_repeats();
        let mut expected = order.clone().into_iter().peekable();
        let (sender, mut arrivals) = mpsc::channel(gather.concurrent);
        let feeder = Feeder(tokio::spawn(gather.clone().run(order, sender)));
        let mut waiting = BTreeMap::new();
        loop {
            let arrival = match arrivals.try_recv() {
                Ok(arrival) => Some(arrival),
                Err(_) => {
                    self.drain(0).await?;
                    self.outlet.pause().await?;
                    self.board.catch_up();
                    arrivals.recv().await
                }
            };
            self.context.check()?;
            let Some(arrival) = arrival else { break };
            if !self.plan.in_source_order {
                self.arrived(arrival, &gather).await?;
                continue;
            }
            waiting.insert(arrival.index, arrival);
            while let Some(arrival) = expected.peek().and_then(|next| waiting.remove(next)) {
                self.arrived(arrival, &gather).await?;
                expected.next();
            }
        }
        drop(feeder);
        self.context.check()?;
        Ok(())
    }

    /// The sources to be fetched: each that no earlier one asks for already.
    fn find_repeats(&mut self) -> Vec<usize> {
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(self.sources.len());
        let mut order = Vec::with_capacity(self.sources.len());
        for (index, source) in self.sources.iter().enumerate() {
            if let Some(promise) = &self.promise {
                if promise.of(index).is_some() {
                    order.push(index);
                }
                continue;
            }
            match first.get(source.url.as_str()) {
                Some(&earlier) if source.fetches_like(&self.sources[earlier]) => {
                    self.repeats.entry(earlier).or_default().push(index);
                }
                _ => {
                    first.insert(&source.url, index);
                    order.push(index);
                }
            }
        }
        order
    }

    async fn arrived(&mut self, arrival: Arrival, gather: &Gather) -> Result<(), Failure> {
        let Arrival { index, what } = arrival;
        let repeats = self.repeats.remove(&index).unwrap_or_default();
        match what {
            What::Missed(miss) => {
                for index in std::iter::once(index).chain(repeats) {
                    self.missed(index, MissingState::Failed, miss.clone(), None, 0)
                        .await?;
                }
                Ok(())
            }
            What::Whole(whole) => {
                let Whole {
                    about,
                    parts,
                    size,
                    held,
                } = whole;
                for index in std::iter::once(index).chain(repeats) {
                    self.write_whole(index, &about, parts.clone(), size).await?;
                }
                drop(held);
                Ok(())
            }
            What::Large(large) => {
                self.write_large(index, large, gather).await?;
                for index in repeats {
                    match gather.open(index).await {
                        Ok(response) => {
                            let about = About::of(&response);
                            let opened = Opened {
                                prefix: Vec::new(),
                                response,
                            };
                            self.write_flowing(index, &about, opened, gather).await?;
                        }
                        Err(miss) => {
                            self.missed(index, MissingState::Failed, miss, None, 0)
                                .await?
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn name(&mut self, index: usize, about: &About) -> EntryName {
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

    async fn write_whole(
        &mut self,
        index: usize,
        about: &About,
        parts: Vec<Bytes>,
        size: usize,
    ) -> Result<(), Failure> {
        if let Some(limit) = self.passes_limit(size as u64) {
            return self
                .missed(index, MissingState::Failed, Miss::too_large(limit), None, 0)
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

    async fn write_large(
        &mut self,
        index: usize,
        large: Large,
        gather: &Gather,
    ) -> Result<(), Failure> {
        let about = large.about.clone();
        // What was written so far must not wait for a server.
        self.drain(0).await?;
        match large.open().await {
            Ok(opened) => self.write_flowing(index, &about, opened, gather).await,
            Err(miss) => {
                self.missed(index, MissingState::Failed, miss, None, 0)
                    .await
            }
        }
    }

    /// Writes an entry whose body passes through.
    async fn write_flowing(
        &mut self,
        index: usize,
        about: &About,
        opened: Opened,
        gather: &Gather,
    ) -> Result<(), Failure> {
        if let Some(limit) = self.passes_limit(about.length.unwrap_or(0)) {
            return self
                .missed(index, MissingState::Failed, Miss::too_large(limit), None, 0)
                .await;
        }
        let name = self.name(index, about);
        let packing = self.packing(&name, about);
        let time = self.time(about);
        let promised = self.promise.as_ref().and_then(|promise| promise.of(index));
        let length = opened.response.total().or(promised.map(|(_, size)| *size));
        if let Some(length) = length {
            self.keeps_promise(index, length)?;
        }
        let left = self
            .plan
            .max_bytes
            .map(|most| most.saturating_sub(self.made.bytes));
        let mut flowing = Flowing::new(index, opened, left);
        let (archive, pieces) = (&mut self.archive, &mut self.pieces);
        let mut entry = match packing {
            Packing::Deflate => archive.deflate(&name, time, length, pieces),
            Packing::Store => archive.stream(&name, time, length, pieces),
        }
        .map_err(|error| broken(&error))?;
        let ended = loop {
            let next = flowing.next(gather);
            tokio::pin!(next);
            let next = match tokio::time::timeout(SILENT, &mut next).await {
                Ok(next) => next,
                Err(_) => {
                    drain(pieces, &mut self.outlet).await?;
                    self.outlet.pause().await?;
                    self.board.catch_up();
                    next.await
                }
            };
            match next {
                Ok(Some(part)) => {
                    self.board.moved(index, part.len());
                    match entry.push(part, pieces) {
                        Ok(()) => {}
                        Err(ZipError::TooLong { declared }) => {
                            break Err(Miss::from(FetchError::TooLarge { limit: declared }));
                        }
                        Err(error) => return Err(broken(&error)),
                    }
                    if pieces.len() >= GATHERED {
                        drain(pieces, &mut self.outlet).await?;
                    }
                }
                Ok(None) => break Ok(()),
                Err(miss) => break Err(miss),
            }
        };
        let outcome = match ended {
            Ok(()) => match entry.finish(pieces) {
                Ok(written) => Ok(written),
                Err(ZipError::TooShort { declared, got }) => Err((
                    Miss::from(FetchError::Truncated {
                        host: "the server".to_owned(),
                        got,
                        expected: declared,
                    }),
                    got,
                )),
                Err(error) => return Err(broken(&error)),
            },
            Err(miss) => {
                entry.abandon(pieces).map_err(|error| broken(&error))?;
                Err((miss, flowing.taken))
            }
        };
        drain(pieces, &mut self.outlet).await?;
        match outcome {
            Ok(written) => self.done(index, about, &name, written).await,
            Err((miss, got)) => {
                self.context.check()?;
                self.missed(index, MissingState::Incomplete, miss, Some(name), got)
                    .await
            }
        }
    }

    /// The limit that `more` bytes would pass, if they would.
    fn passes_limit(&self, more: u64) -> Option<u64> {
        self.plan
            .max_bytes
            .filter(|most| self.made.bytes.saturating_add(more) > *most)
    }

    async fn done(
        &mut self,
        index: usize,
        about: &About,
        name: &EntryName,
        written: Written,
    ) -> Result<(), Failure> {
        self.made.entries += 1;
        self.made.bytes += written.size;
        self.board.end(index);
        let url = for_log(&self.sources[index].url);
        let event = SourceEvent {
            source: index,
            url: &url,
            state: "done",
            bytes: written.size,
            status: Some(about.status),
            path: Some(name.as_str()),
            reason: None,
        };
        self.context
            .event(
                &format!("{} ({} bytes)", name.as_str(), written.size),
                &event,
            )
            .await;
        Ok(())
    }

    async fn missed(
        &mut self,
        index: usize,
        state: MissingState,
        mut miss: Miss,
        entry: Option<EntryName>,
        bytes: u64,
    ) -> Result<(), Failure> {
        // A cancelled bundle does not list what was under way.
        self.context.check()?;
        // The report goes into the archive; an origin may repeat what it was told.
        miss.message = self.context.redacted(&miss.message);
        let state = if miss.refused {
            MissingState::Refused
        } else {
            state
        };
        let url = for_log(&self.sources[index].url);
        let event = SourceEvent {
            source: index,
            url: &url,
            state: if miss.refused { "refused" } else { "failed" },
            bytes,
            status: miss.status,
            path: entry.as_ref().map(EntryName::as_str),
            reason: Some(Reason {
                code: &miss.code,
                message: &miss.message,
            }),
        };
        self.context
            .event(&format!("{url}: {}", miss.message), &event)
            .await;
        self.board.end(index);
        if self.promise.is_some() {
            return Err(changed(index));
        }
        let strict = self.plan.strict.then(|| {
            Failure::lasting(
                "source-missing",
                format!(
                    "The bundle is strict and source {index} ({url}) is missing: {}.",
                    miss.message
                ),
            )
        });
        self.made.missing.push(MissingSource {
            index,
            state,
            miss,
            entry,
            bytes,
        });
        strict.map_or(Ok(()), Err)
    }

    async fn drain(&mut self, from: usize) -> Result<(), Failure> {
        if self.pieces.len() >= from {
            drain(&mut self.pieces, &mut self.outlet).await?;
        }
        Ok(())
    }

    /// Writes the report, if there is something to report, and the archive's end.
    ///
    /// # Errors
    /// When nothing usable came at all, or the end cannot be sent.
    pub(crate) async fn finish(
        mut self,
        id: &str,
    ) -> Result<(Made, Option<storage::StoredBlob>), Failure> {
        if self.made.entries == 0 {
            let first = self.made.missing.iter().min_by_key(|missing| missing.index);
            let first = first.map_or("there were none", |missing| &missing.miss.message);
            return Err(Failure::lasting(
                "nothing-usable",
                crate::Error::NothingUsable(first.to_owned()).to_string(),
            ));
        }
        self.board.tell("Zipping");
        if !self.made.missing.is_empty() {
            self.write_report(id)?;
        }
        let mut ending = std::mem::take(&mut self.archive)
            .finish()
            .map_err(|error| broken(&error))?;
        drain(&mut self.pieces, &mut self.outlet).await?;
        for piece in &mut ending {
            self.outlet.send(piece).await?;
        }
        let stored = self.outlet.finish().await?;
        Ok((self.made, stored))
    }

    fn write_report(&mut self, id: &str) -> Result<(), Failure> {
        let time = EntryTime::at(self.plan.begun_at);
        let packing = if self.plan.compress {
            Packing::Deflate
        } else {
            Packing::Store
        };
        let files = self
            .made
            .report(id, &self.plan.name, self.plan.begun_at, &self.sources);
        for (name, body) in files {
            self.archive
                .whole(&name, time, body, packing, &mut self.pieces)
                .map_err(|error| broken(&error))?;
        }
        Ok(())
    }
}

/// Ends the fetching when the archive ends, however it ends.
struct Feeder(tokio::task::JoinHandle<()>);

impl Drop for Feeder {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drain(pieces: &mut Pieces, outlet: &mut Outlet) -> Result<(), Failure> {
    while let Some(piece) = pieces.pop() {
        outlet.send(piece).await?;
    }
    Ok(())
}

fn broken(error: &ZipError) -> Failure {
    Failure::lasting("archive", error.to_string())
}
