//! The worker: hears what others say, and claims what is due.
//!
//! Invariants: claims respect the limit of a kind over all replicas, and never take
//! an operation of which an attempt still runs here.

use crate::engine::{Engine, Operations};
use crate::kind::AnyKind;
use crate::leases::Lost;
use crate::messages::{self, Heard};
use crate::running::Stop;
use crate::sql::queue::{Claimer, Room};
use crate::{Result, attempt, leases, sql};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The longest sleep without looking at the queue, where nobody else can fill it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

impl Operations {
    /// Starts working.
    pub fn start(&self) {
        let engine = &self.0;
        self.start_with(Lost::OfEveryKind);
        engine.tasks.spawn(crate::schedule::run(Arc::clone(engine)));
    }

    /// Starts working on an errand, in a process that knows some kinds alone: schedules are
    /// left to the server, and so is what was lost of other kinds.
    pub fn start_errand(&self) {
        self.start_with(Lost::OfKnownKinds);
    }

    fn start_with(&self, lost: Lost) {
        let engine = &self.0;
        let scribe = crate::scribe::Scribe {
            db: engine.db.clone(),
            bus: engine.bus.clone(),
            worker: Arc::clone(&engine.worker),
            running: Arc::clone(&engine.running),
            logs: Arc::clone(&engine.logs),
            changes: Arc::clone(&engine.changes),
            wake: Arc::clone(&engine.said),
        };
        engine.tasks.spawn(scribe.run(engine.closed.clone()));
        engine
            .tasks
            .spawn(Arc::clone(&engine.changes).run(engine.closed.clone()));
        engine.tasks.spawn(listen(Arc::clone(engine)));
        engine.tasks.spawn(leases::keep(Arc::clone(engine)));
        engine
            .tasks
            .spawn(leases::take_up(Arc::clone(engine), lost));
        engine.claims.spawn(work(Arc::clone(engine)));
    }
}

/// Hears what other replicas say.
async fn listen(engine: Arc<Engine>) {
    let mut bus = engine.bus.listen();
    while let Some(Some(event)) = engine.closed.run_until_cancelled(bus.next()).await {
        match Heard::of(&event) {
            Some(Heard::Changed) => engine.changes.wake(),
            Some(Heard::Queued) => engine.queued.notify_one(),
            Some(Heard::Schedules) => engine.scheduled.notify_one(),
            Some(Heard::Cancel(id)) => {
                if let Some(running) = engine.running.get(id) {
                    running.stop(Stop::Cancel);
                }
            }
            Some(Heard::Lines(ids)) => ids.into_iter().for_each(|id| engine.logs.wake(id)),
            Some(Heard::Anything) => {
                engine.changes.wake();
                engine.queued.notify_one();
                engine.scheduled.notify_one();
                engine.logs.wake_all();
            }
            None => {}
        }
    }
}

/// Claims and starts what is due, until the engine closes. It is the only one that
/// claims: between its claims, none is on its way.
async fn work(engine: Arc<Engine>) {
    let mut look_at = Instant::now();
    while !engine.closing.is_cancelled() {
        if Instant::now() >= look_at {
            look_at = Instant::now() + engine.settings.heartbeat;
            if let Err(error) = leases::take_back(&engine).await {
                tracing::warn!(%error, "what is held here could not be looked at; trying again");
            }
        }
        let wait = match claim_due(&engine).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "the queue could not be read; trying again");
                // It may have been stored all the same, and only the answer be lost.
                look_at = Instant::now() + engine.settings.poll;
                engine.settings.poll
            }
        };
        let until = look_at.min(Instant::now() + wait);
        tokio::select! {
            () = engine.closing.cancelled() => {}
            () = engine.queued.notified() => {}
            () = sleep_until(until) => {}
        }
    }
}

/// Claims whatever may run now; how long nothing else will be due.
async fn claim_due(engine: &Arc<Engine>) -> Result<Duration> {
    let now = engine.clock.now();
    for name in sql::queue::due_kinds(&engine.db, now).await? {
        let Some(kind) = engine.kinds.get(&name) else {
            continue;
        };
        // Whoever ends or waits wakes the worker, so a full house is looked at again.
        let free = engine
            .settings
            .workers
            .saturating_sub(engine.running.busy());
        if free == 0 || engine.closing.is_cancelled() {
            break;
        }
        if claim(engine, kind, free, now).await? {
            engine.changes.wake();
            messages::changed(&engine.bus);
        }
    }
    if !engine.settings.alone {
        return Ok(engine.settings.poll);
    }
    let due = sql::queue::next_due(&engine.db, now).await?;
    Ok(due.map_or(LONGEST_SLEEP, |due| {
        due.since(engine.clock.now()).min(LONGEST_SLEEP)
    }))
}

/// Claims and starts up to `free` of `kind`. Whether there were any.
async fn claim(
    engine: &Arc<Engine>,
    kind: &AnyKind,
    free: usize,
    now: base::Timestamp,
) -> Result<bool> {
    let here: Vec<_> = engine.running.all().iter().map(|one| one.id).collect();
    let room = Room {
        of_kind: kind.settings.limit,
        here: free,
        except: &here,
    };
    let claimer = Claimer {
        worker: &engine.worker,
        lease: engine.settings.lease,
    };
    let asked = Instant::now();
    let claimed = sql::queue::claim(&engine.db, kind.name, room, claimer, now).await?;
    let any = !claimed.is_empty();
    for claimed in claimed {
        let good_until = asked + engine.settings.lease;
        attempt::start(engine, kind.clone(), claimed, good_until);
    }
    Ok(any)
}
