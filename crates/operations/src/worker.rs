//! The worker: claims what is due, keeps its leases, takes up what others lost.
//!
//! Invariants: an attempt runs only while its lease holds, judged by this process's
//! own monotonic clock from before the renewal was sent; who cannot renew stops
//! before the lease ends. Claims respect the limit of a kind over all replicas.

use crate::engine::{Engine, Operations};
use crate::messages::{self, Heard};
use crate::running::Stop;
use crate::sql::queue::{End, Holder, Lost, Room};
use crate::{Result, State, attempt, sql};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Times that an operation is taken up after its worker was lost. One that takes
/// its worker down with it must not do so for ever.
const MOST_LOSSES: u64 = 5;
/// The longest sleep without looking at the queue, where nobody else can fill it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

impl Operations {
    /// Starts working.
    pub fn start(&self) {
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
        engine.tasks.spawn(keep_leases(Arc::clone(engine)));
        engine.tasks.spawn(work(Arc::clone(engine)));
        engine.tasks.spawn(crate::schedule::run(Arc::clone(engine)));
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

/// Claims and starts what is due, until the engine closes.
async fn work(engine: Arc<Engine>) {
    while !engine.closing.is_cancelled() {
        let wait = match claim_due(&engine).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "the queue could not be read; trying again");
                engine.settings.poll
            }
        };
        tokio::select! {
            () = engine.closing.cancelled() => {}
            () = engine.queued.notified() => {}
            () = tokio::time::sleep(wait) => {}
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
        // Whoever ends wakes the worker, so a full house is looked at again then.
        let free = engine
            .settings
            .workers
            .saturating_sub(engine.running.count());
        if free == 0 {
            break;
        }
        let lease_until = now.plus(engine.settings.lease);
        let claimed = sql::queue::claim(
            &engine.db,
            &name,
            Room {
                of_kind: kind.settings.limit,
                here: free,
            },
            &engine.worker,
            now,
            lease_until,
        )
        .await?;
        let any = !claimed.is_empty();
        for claimed in claimed {
            attempt::start(engine, kind.clone(), claimed);
        }
        if any {
            engine.changes.wake();
            messages::changed(&engine.bus).await;
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

/// Renews the leases of what runs here, and takes up what other workers lost.
async fn keep_leases(engine: Arc<Engine>) {
    let settings = &engine.settings;
    let mut alone = settings.alone;
    let mut good_until = Instant::now() + settings.lease;
    loop {
        let asked = Instant::now();
        let lease_until = engine.clock.now().plus(settings.lease);
        match sql::queue::renew(&engine.db, &engine.worker, lease_until).await {
            Ok(held) => {
                good_until = asked + settings.lease;
                settle(&engine, &held, asked);
            }
            Err(error) => {
                tracing::warn!(%error, "leases could not be renewed; trying again");
                // A margin of one heartbeat: others may take over when the lease ends.
                if Instant::now() + settings.heartbeat >= good_until {
                    engine
                        .running
                        .all()
                        .iter()
                        .for_each(|running| running.stop(Stop::LeaseLost));
                }
            }
        }
        match take_up(&engine, alone).await {
            Ok(()) => alone = false,
            Err(error) => {
                tracing::warn!(%error, "lost operations could not be taken up; trying again")
            }
        }
        engine.logs.forget(|id| engine.running.get(id).is_some());
        tokio::select! {
            () = engine.closed.cancelled() => return,
            () = tokio::time::sleep(settings.heartbeat) => {}
        }
    }
}

/// Stops what runs here and is not ours any more, or was cancelled elsewhere.
fn settle(engine: &Engine, held: &[(base::OperationId, bool)], asked: Instant) {
    for running in engine.running.all() {
        match held.iter().find(|(id, _)| *id == running.id) {
            Some((_, true)) => running.stop(Stop::Cancel),
            Some((_, false)) => {}
            None if running.begun < asked => running.stop(Stop::LeaseLost),
            // Begun after the renewal was sent.
            None => {}
        }
    }
}

/// Ends or queues again what lost workers were running. `alone`: whatever is not
/// ours is lost.
async fn take_up(engine: &Arc<Engine>, alone: bool) -> Result<()> {
    let now = engine.clock.now();
    let only = alone.then_some(&*engine.worker);
    for lost in sql::queue::lost(&engine.db, now, only).await? {
        let end = after_loss(engine, &lost, now);
        let holder = Holder {
            worker: &lost.worker,
            attempt: lost.attempt,
        };
        if sql::queue::end(&engine.db, lost.id, holder, &end, now).await? {
            tracing::info!(operation = %lost.id, state = %end.state, "taken up after its worker was lost");
            engine.changes.wake();
            engine.logs.wake(lost.id);
            engine.queued.notify_one();
            messages::changed(&engine.bus).await;
            if end.state.is_ended() {
                engine.cancel_children(lost.id).await;
            }
        }
    }
    if alone {
        for id in sql::queue::stranded(&engine.db, &engine.worker).await? {
            let mut tx = engine.db.begin().await?;
            sql::queue::cancel_queued(
                &mut tx,
                id,
                "the connection that waited for it is gone",
                now,
            )
            .await?;
            tx.commit().await?;
            engine.changes.wake();
        }
    }
    Ok(())
}

fn after_loss(engine: &Engine, lost: &Lost, now: base::Timestamp) -> End {
    if lost.cancel_requested {
        return End::new(State::Cancelled, "cancelled while its worker was lost")
            .error("cancelled", "It was cancelled.");
    }
    let resumable = engine
        .kinds
        .get(&lost.kind)
        .is_some_and(|kind| kind.settings.resumable);
    let losses = lost.attempt.saturating_sub(lost.failures);
    if resumable && !lost.pinned && losses <= MOST_LOSSES {
        let mut end = End::new(State::Queued, "its worker was lost; it is taken up again");
        end.run_at = Some(now);
        return end;
    }
    let text = if losses > MOST_LOSSES {
        "Its worker was lost too often while it ran, so it is not tried again. Look into the server's own log for the cause, then retry it."
    } else {
        "Longshore stopped while it ran, and this kind of work cannot be taken up in the middle. Retry it to do it from the start."
    };
    End::new(State::Interrupted, "its worker was lost").error("interrupted", text)
}
