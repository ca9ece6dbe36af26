//! Making the archive: takes what arrives, writes entries, and lists what is missing.

mod entries;
mod outcome;
mod promise;

use crate::board::Board;
use crate::gather::{Arrival, Gather, Opened, What, Whole};
use crate::ledger::Made;
use crate::name::NameRegister;
use crate::outlet::Outlet;
use crate::report::MissingState;
use crate::source::Source;
use crate::zip::{Archive, Pieces, ZipError};
use base::Timestamp;
use operations::{Context, Failure};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;

use promise::Promise;

/// Pieces are passed on when this much has gathered.
const GATHERED: usize = 64 << 10;

/// How the archive is made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) in_source_order: bool,
    pub(crate) compress: bool,
    pub(crate) strict: bool,
    /// Every source is asked for its size first, and the archive's length told ahead.
    pub(crate) promise: bool,
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

    /// Fetches every source and writes its entry, and tells the archive's length
    /// before, where the plan says so and it can be.
    ///
    /// # Errors
    /// When the archive cannot go on: cancelled, nobody takes it, the disk is full,
    /// or something is missing from a strict one.
    pub(crate) async fn run(&mut self, mut gather: Gather) -> Result<(), Failure> {
        if self.plan.promise {
            self.promise(&gather).await?;
        }
        // A promised length holds for one order alone: where an entry begins decides how
        // long its line in the directory is.
        gather.in_order = self.plan.in_source_order || self.promise.is_some();
        let order = self.find_repeats();
        let (sender, mut arrivals) = mpsc::channel(gather.concurrent);
        let feeder = Feeder(tokio::spawn(gather.clone().run(order.clone(), sender)));
        if gather.in_order {
            self.write_in_order(order, &mut arrivals, &gather).await?;
        } else {
            while let Some(arrival) = self.next_of(&mut arrivals).await? {
                self.arrived(arrival, &gather).await?;
            }
        }
        drop(feeder);
        self.context.check()?;
        self.is_complete()
    }

    /// Writes what comes in the order in which it was asked for. What waits meanwhile
    /// holds its share of the budget, which bounds its number.
    async fn write_in_order(
        &mut self,
        order: Vec<usize>,
        arrivals: &mut mpsc::Receiver<Arrival>,
        gather: &Gather,
    ) -> Result<(), Failure> {
        let mut waiting = BTreeMap::new();
        let mut expected = order.into_iter().peekable();
        while let Some(arrival) = self.next_of(arrivals).await? {
            waiting.insert(arrival.index, arrival);
            while let Some(arrival) = expected.peek().and_then(|next| waiting.remove(next)) {
                self.arrived(arrival, gather).await?;
                expected.next();
            }
        }
        Ok(())
    }

    /// What arrives next. While nothing does, what was written is passed on.
    async fn next_of(
        &mut self,
        arrivals: &mut mpsc::Receiver<Arrival>,
    ) -> Result<Option<Arrival>, Failure> {
        let arrival = match arrivals.try_recv() {
            Ok(arrival) => Some(arrival),
            Err(_) => {
                self.drain(0).await?;
                self.outlet.pause().await?;
                self.board.meanwhile(arrivals.recv()).await
            }
        };
        self.context.check()?;
        Ok(arrival)
    }

    /// The sources to be fetched: each that no earlier one asks for already.
    fn find_repeats(&mut self) -> Vec<usize> {
        if let Some(promise) = &self.promise {
            return promise.sources().collect();
        }
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(self.sources.len());
        let mut order = Vec::with_capacity(self.sources.len());
        for (index, source) in self.sources.iter().enumerate() {
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
            What::Missed(miss, held) => {
                for index in std::iter::once(index).chain(repeats) {
                    self.missed(index, MissingState::Failed, miss.clone(), None, 0)
                        .await?;
                }
                drop(held);
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
            }
            What::Large(large) => {
                self.write_large(index, large, gather).await?;
                for index in repeats {
                    self.write_again(index, gather).await?;
                }
            }
        }
        Ok(())
    }

    /// Fetches a large body once more, for an entry of its own.
    async fn write_again(&mut self, index: usize, gather: &Gather) -> Result<(), Failure> {
        match gather.open(index).await {
            Ok((about, rest)) => {
                self.write_flowing(index, &about, Opened::untouched(rest))
                    .await
            }
            Err(miss) => {
                self.missed(index, MissingState::Failed, miss, None, 0)
                    .await
            }
        }
    }

    async fn drain(&mut self, from: usize) -> Result<(), Failure> {
        if self.pieces.len() >= from {
            drain(&mut self.pieces, &mut self.outlet).await?;
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
