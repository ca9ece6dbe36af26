//! What a pass shows while it runs: counts, what moves right now, and a line for each file.
//!
//! Its counts are kept from time to time, so that whoever takes it up goes on from them.

use crate::delivery::{Delivery, DeliveryState};
use crate::sql;
use crate::tally::Tally;
use ::operations::{Context, Transfer};
use base::DeliveryId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::Db;
use tokio::time::Instant;

/// Lines that wait to be written, at most.
const MOST_LINES: usize = 1000;
/// How often the counts are kept, at most.
const KEEP: Duration = Duration::from_secs(2);
/// How many bytes go by until the progress is shown again.
const STEP: u64 = 256 * 1024;

/// The board of one pass.
#[derive(Debug)]
pub(crate) struct Board {
    context: Context,
    db: Db,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    tally: Tally,
    /// Files that are counted as those that their target works on: as many as it works on
    /// at once.
    working: BTreeSet<DeliveryId>,
    /// What is kept of the counts, and since when.
    kept: (Tally, Instant),
    /// How many there are to do, as far as that is known.
    total: Option<u64>,
    /// Whether more may be found.
    total_grows: bool,
    moving: BTreeMap<DeliveryId, Transfer>,
    lines: Vec<String>,
    /// Lines that found no room.
    left_out: u64,
    /// Why nothing more can be delivered.
    stopped: Option<String>,
}

impl Board {
    pub(crate) fn new(context: Context, db: Db) -> Self {
        Self {
            context,
            db,
            shown: Mutex::new(Shown {
                tally: Tally::default(),
                working: BTreeSet::new(),
                kept: (Tally::default(), Instant::now()),
                total: None,
                total_grows: false,
                moving: BTreeMap::new(),
                lines: Vec::new(),
                left_out: 0,
                stopped: None,
            }),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Nothing that it guards is left half-changed by a panic.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.shown().tally.clone()
    }

    /// Goes on from what an earlier attempt had done, and from what its targets work on.
    pub(crate) fn go_on_from(&self, tally: Tally, working: Vec<DeliveryId>) {
        let mut shown = self.shown();
        shown.tally = tally;
        shown.working = working.into_iter().collect();
        shown.tally.working = shown.working.len() as u64;
    }

    /// Its target works on this file from now on.
    pub(crate) fn works_on(&self, id: DeliveryId) {
        let mut shown = self.shown();
        shown.working.insert(id);
        shown.tally.working = shown.working.len() as u64;
        drop(shown);
        self.show();
    }

    /// A file has come to its end, as which it is counted now. As one that its target works
    /// on it was counted by this pass, and is no more; or by an earlier one, and was not
    /// among those that this pass has to do.
    pub(crate) fn over(&self, delivery: &Delivery) {
        let mut shown = self.shown();
        if shown.working.remove(&delivery.id) {
            shown.tally.working = shown.working.len() as u64;
        } else if delivery.state == DeliveryState::Working {
            shown.total = shown.total.map(|total| total + 1);
        }
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.shown().tally);
        self.show();
    }

    /// Nothing more can be delivered. The first reason counts.
    pub(crate) fn stop(&self, reason: String) {
        self.shown().stopped.get_or_insert(reason);
    }

    pub(crate) fn stopped(&self) -> Option<String> {
        self.shown().stopped.clone()
    }

    /// How many there are to do with those that are done, and whether more may be found.
    pub(crate) fn expect(&self, total: u64, grows: bool) {
        let mut shown = self.shown();
        shown.total = Some(total);
        shown.total_grows = grows;
        drop(shown);
        self.show();
    }

    pub(crate) fn begin(&self, id: DeliveryId, name: &str, size: u64) {
        let transfer = Transfer {
            name: name.to_owned(),
            index: None,
            done: 0,
            total: Some(size),
        };
        self.shown().moving.insert(id, transfer);
        self.show();
    }

    /// So many bytes of a file are at its target by now.
    pub(crate) fn arrived(&self, id: DeliveryId, bytes: u64) {
        let mut shown = self.shown();
        let Some(transfer) = shown.moving.get_mut(&id) else {
            return;
        };
        let more = bytes.saturating_sub(transfer.done);
        let is_step = bytes / STEP != transfer.done / STEP;
        transfer.done = transfer.done.max(bytes);
        shown.tally.bytes += more;
        drop(shown);
        if is_step {
            self.show();
        }
    }

    pub(crate) fn end(&self, id: DeliveryId) {
        self.shown().moving.remove(&id);
    }

    /// Keeps a line for the log.
    pub(crate) fn say(&self, line: String) {
        let mut shown = self.shown();
        if shown.lines.len() < MOST_LINES {
            shown.lines.push(line);
        } else {
            shown.left_out += 1;
        }
    }

    /// Writes the lines that wait, and keeps the counts where that is due.
    pub(crate) async fn flush(&self) {
        let (lines, left_out) = {
            let mut shown = self.shown();
            let lines = std::mem::take(&mut shown.lines);
            (lines, std::mem::take(&mut shown.left_out))
        };
        for line in lines {
            self.context.log(line).await;
        }
        if left_out > 0 {
            let text = format!("{left_out} further lines were left out.");
            self.context.log(text).await;
        }
        if let Some(tally) = self.due_to_be_kept()
            && let Err(error) = sql::pass::note(&self.db, self.context.id(), &tally).await
        {
            tracing::debug!(%error, "the counts of a pass could not be kept; trying again");
        }
    }

    fn due_to_be_kept(&self) -> Option<Tally> {
        let mut shown = self.shown();
        let (kept, since) = &shown.kept;
        if since.elapsed() < KEEP || *kept == shown.tally {
            return None;
        }
        shown.kept = (shown.tally.clone(), Instant::now());
        Some(shown.tally.clone())
    }

    fn show(&self) {
        let (tally, total, grows, moving) = {
            let shown = self.shown();
            let moving: Vec<Transfer> = shown.moving.values().cloned().collect();
            (shown.tally.clone(), shown.total, shown.total_grows, moving)
        };
        self.context.progress(|progress| {
            "files".clone_into(&mut progress.unit);
            progress.done = tally.done();
            progress.total = total.map(|total| total.max(tally.done()));
            progress.total_grows = grows;
            progress.bytes = Some(tally.bytes);
            progress.transfers = moving;
        });
    }
}
