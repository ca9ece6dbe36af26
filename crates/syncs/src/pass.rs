//! A pass: finds what is to be delivered, and delivers it, some files at once.
//!
//! What is found is recorded a page at a time, and claimed from there; so a pass may be
//! killed at any place, several may run at once, and none of them holds more than a page.
//! What it knows to hold is renewed by a task of its own while it lives.

mod attempt;
mod board;
mod find;
mod gates;
mod ground;
mod held;
mod remove;
mod route;
mod settle;
mod waiting;

pub(crate) use board::Board;
pub(crate) use find::sort;
pub(crate) use gates::Left;
pub(crate) use route::{Chosen, choose, item_of};

use crate::Syncs;
use crate::delivery::{Claim, Claimed};
use crate::ledger::Ledger;
use crate::open::Opened;
use crate::refusing::Spared;
use crate::sql::claim::{self, Claimer, Wanted};
use ::operations::{Context, Failure};
use base::Timestamp;
use find::Finding;
use gates::Gates;
use held::Held;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{Id, JoinSet};
use tokio_util::task::AbortOnDropHandle;
use waiting::Waiting;

/// The code of the failure of a pass that came to its end, but for what goes to some targets.
pub(crate) const OF_TARGETS: &str = "target";

/// What a pass stands on. Shared by the tasks that deliver.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) syncs: Syncs,
    pub(crate) opened: Opened,
    pub(crate) context: Context,
    pub(crate) board: Board,
    pub(crate) gates: Gates,
    ledger: Ledger,
    held: Held,
    recorded: bool,
    at_once: usize,
    /// As many as may be under way at the targets at once.
    places: Arc<Semaphore>,
    attempts: u64,
    lease: Duration,
    longest_wait: Duration,
}

/// The deliveries that this pass works on.
#[derive(Debug, Default)]
struct Work {
    tasks: JoinSet<()>,
    /// What is claimed and not begun.
    ready: Vec<Claimed>,
    /// What is begun, by its task.
    begun: HashMap<Id, Arc<Claimed>>,
}

/// The right to be under way at a target. It is given back as soon as the target has
/// answered: what is recorded then keeps nobody from sending the next file.
#[derive(Debug)]
struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// Why no more is begun for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filled {
    /// As many as may be are under way at the targets; the next may begin with the first
    /// of them that is answered.
    Busy,
    /// Nothing more is to be had, or enough waits to be recorded.
    Enough,
}

impl Pass {
    /// `recorded`: the source is not asked for more.
    pub(crate) fn new(syncs: Syncs, opened: Opened, context: Context, recorded: bool) -> Arc<Self> {
        let settings = syncs.settings();
        let rule = &opened.sync.rule;
        let at_once = rule.at_once.unwrap_or(settings.at_once).max(1) as usize;
        Arc::new(Self {
            at_once,
            places: Arc::new(Semaphore::new(at_once)),
            attempts: u64::from(rule.attempts.unwrap_or(settings.attempts)),
            lease: settings.lease,
            longest_wait: settings.longest_wait,
            board: Board::new(context.clone(), syncs.db().clone()),
            gates: Gates::default(),
            ledger: Ledger::open(syncs.db().clone()),
            held: Held::default(),
            recorded,
            syncs,
            opened,
            context,
        })
    }

    /// Delivers everything that is due, to its end. What comes back is why it stopped before
    /// that, or which targets took nothing.
    pub(crate) async fn run(self: &Arc<Self>) -> Result<(), Failure> {
        let _beat = self.heartbeat();
        self.shut_unsuited().await;
        let mut work = Work::default();
        let done = self.work(&mut work).await;
        // Whatever it ended by: nobody shall wait for the leases.
        work.tasks.shutdown().await;
        self.release(work).await;
        self.board.flush().await;
        let removes = self.opened.sync.rule.remove && !self.recorded;
        let done = match done {
            Ok(()) if removes => self.remove_what_is_gone().await,
            done => done,
        };
        done.and_then(|()| self.is_complete())
    }

    /// Shuts the targets by whose rules nothing can be delivered, so that no file is blamed for
    /// it.
    async fn shut_unsuited(&self) {
        for (target, reason) in self.opened.unsuited().await {
            if self.gates.close(&target, &reason) {
                self.say_closed(&target, &reason);
            }
        }
    }

    /// Shuts the targets that took nothing a moment ago, without asking them; when the first of
    /// them may be asked again.
    pub(crate) fn spare(&self) -> Option<Timestamp> {
        let (sync, now) = (&self.opened.sync, self.syncs.now());
        let spared = self.syncs.refusing().spared(sync, now);
        for Spared { target, reason, .. } in &spared {
            if self.gates.close(target, reason) {
                self.board.say(format!(
                    "The target {target} took nothing a moment ago and is not asked again yet: {reason}."
                ));
            }
        }
        spared.iter().map(|spared| spared.until).min()
    }

    fn say_closed(&self, target: &str, reason: &str) {
        self.board.say(format!(
            "The target {target} takes nothing more in this pass: {reason}."
        ));
    }

    /// Fails where a target took nothing, which holds for what goes there alone: everything
    /// else is done.
    fn is_complete(&self) -> Result<(), Failure> {
        let failures = self.gates.failures();
        if failures.is_empty() {
            return Ok(());
        }
        let is_only_one = self.opened.sync.rule.targets.len() == 1;
        let reasons: Vec<String> = failures
            .into_iter()
            .map(|(target, reason)| {
                if is_only_one {
                    reason
                } else {
                    format!("{target}: {reason}")
                }
            })
            .collect();
        Err(Failure::lasting(OF_TARGETS, reasons.join("; ")))
    }

    /// What it leaves to later passes.
    pub(crate) fn left(&self) -> Left {
        self.gates.left(self.syncs.now())
    }

    async fn work(self: &Arc<Self>, work: &mut Work) -> Result<(), Failure> {
        let mut finding = Finding::of(&self.context, self.recorded);
        let mut waiting = Waiting::new(self.lease);
        self.take_up(&finding).await?;
        loop {
            self.context.check()?;
            if let Some(reason) = self.board.stopped() {
                return Err(Failure::lasting("source", reason));
            }
            let filled = self.fill(work, &mut finding).await?;
            if work.tasks.is_empty() {
                let Some(wait) = self.wait_for_more(&mut waiting).await? else {
                    return Ok(());
                };
                self.context.sleep(wait).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.context.cancelled().cancelled() => {}
                () = self.a_place_is_free(), if filled == Filled::Busy => {}
                joined = work.tasks.join_next_with_id() => match joined {
                    Some(Ok((id, ()))) => {
                        work.begun.remove(&id);
                    }
                    Some(Err(error)) => {
                        tracing::error!(%error, "a delivery made a mistake and is gone");
                        if let Some(claimed) = work.begun.remove(&error.id()) {
                            self.mistaken(&claimed).await;
                        }
                    }
                    None => {}
                },
            }
            self.board.flush().await;
        }
    }

    /// Begins as many as may run at once, and finds more where there are no more.
    async fn fill(
        self: &Arc<Self>,
        work: &mut Work,
        finding: &mut Finding,
    ) -> Result<Filled, Failure> {
        // Twice as many: those at the targets, and those that are being recorded.
        while work.tasks.len() < 2 * self.at_once {
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                return Ok(Filled::Busy);
            };
            if let Some(claimed) = work.ready.pop() {
                let claimed = Arc::new(claimed);
                let (pass, begun) = (Arc::clone(self), Arc::clone(&claimed));
                let turn = Turn(place);
                let task = work
                    .tasks
                    .spawn(async move { pass.deliver(&begun, turn).await });
                work.begun.insert(task.id(), claimed);
                continue;
            }
            let claimed = self.claim(self.at_once).await?;
            if !claimed.is_empty() {
                // The longest due is begun first, from the end.
                work.ready.extend(claimed.into_iter().rev());
                continue;
            }
            if finding.is_done() {
                break;
            }
            self.find(finding).await?;
        }
        Ok(Filled::Enough)
    }

    /// Returns when a file may go to a target. Nothing else takes places, so it is still
    /// free then.
    async fn a_place_is_free(&self) {
        // It is never closed.
        drop(self.places.acquire().await);
    }

    fn claimer(&self) -> Claimer<'_> {
        Claimer {
            worker: self.syncs.worker(),
            operation: self.context.id(),
            lease: self.lease,
        }
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Claimed>, Failure> {
        let now = self.syncs.now();
        let shut = self.gates.shut(now);
        let wanted = Wanted {
            sync: self.opened.sync.id,
            now,
            limit,
            but: &shut,
        };
        let claimed = claim::claim(self.syncs.db(), self.claimer(), wanted).await?;
        self.held.take(claimed.iter().map(|claimed| &claimed.claim));
        Ok(claimed)
    }

    /// Renews the claims of this pass while it lives.
    fn heartbeat(self: &Arc<Self>) -> AbortOnDropHandle<()> {
        let pass = Arc::clone(self);
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                tokio::time::sleep(pass.lease / 3).await;
                let held = pass.held.all();
                if let Err(error) = claim::renew(pass.syncs.db(), pass.claimer(), &held).await {
                    tracing::warn!(%error, "claims of deliveries could not be renewed; trying again");
                }
            }
        }))
    }

    /// Gives back what was not begun, or was broken off.
    async fn release(&self, work: Work) {
        let begun = work.begun.values().map(|claimed| claimed.claim.clone());
        let ready = work.ready.into_iter().map(|claimed| claimed.claim);
        let claims: Vec<Claim> = ready.chain(begun).collect();
        self.give_back(&claims).await;
    }

    async fn give_back(&self, claims: &[Claim]) {
        if claims.is_empty() {
            return;
        }
        for claim in claims {
            self.held.let_go(claim);
        }
        if let Err(error) = claim::release(self.syncs.db(), claims).await {
            // Then their leases end by themselves.
            tracing::debug!(%error, "claims could not be given back");
        }
    }
}

#[cfg(test)]
mod tests;
