//! Leases: kept for what runs here, and what others lost is taken up.
//!
//! Invariants: exactly what runs here is renewed; an attempt runs only while its
//! lease holds, judged by this process's own monotonic clock from before the
//! database was asked; who cannot renew has stopped before the lease ends. A process
//! that is alone with its database has nobody to make room for, and goes on.

use crate::engine::Engine;
use crate::running::{Running, Stop};
use crate::sql::end::{End, Holder};
use crate::sql::lease::{self, Lost as LostOne};
use crate::{Result, State, messages, sql};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Times that an operation is taken up after its worker was lost. One that takes
/// its worker down with it must not do so for ever.
const MOST_LOSSES: u64 = 5;

/// Which of the operations that lost workers were running are taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    OfEveryKind,
    /// Of the others somebody else knows how they go on.
    OfKnownKinds,
}

/// Renews the leases of what runs here until the engine has closed, and stops in
/// time what it cannot renew.
pub(crate) async fn keep(engine: Arc<Engine>) {
    let settings = &engine.settings;
    loop {
        let renewed = renew(&engine).await;
        give_up(&engine);
        // Twice in the time that there is, whatever the settings say.
        let most = (settings.lease - margin(&engine)) / 2;
        let pause = if renewed {
            settings.heartbeat
        } else {
            settings.heartbeat / 4
        };
        let next = Instant::now() + pause.min(most);
        let next = earliest_end(&engine).map_or(next, |end| next.min(end));
        tokio::select! {
            () = engine.closed.cancelled() => return,
            () = sleep_until(next) => {}
        }
    }
}

/// How long before its lease does, an attempt must be asked to end: it may take its
/// time, and clocks do not run alike.
fn margin(engine: &Engine) -> Duration {
    let settings = &engine.settings;
    (settings.patience + settings.lease / 10).min(settings.lease / 2)
}

/// What runs here with a lease.
fn leased(engine: &Engine) -> Vec<Arc<Running>> {
    let mut running = engine.running.all();
    running.retain(|running| running.stopped() != Stop::LeaseLost);
    running
}

/// When the first of what runs here must be given up; never, where nobody else is.
fn earliest_end(engine: &Engine) -> Option<Instant> {
    if engine.settings.alone {
        return None;
    }
    leased(engine)
        .iter()
        .map(|running| running.good_until() - margin(engine))
        .min()
}

/// Renews what runs here. Whether the database answered in time.
async fn renew(engine: &Engine) -> bool {
    let settings = &engine.settings;
    let running = leased(engine);
    let asked = Instant::now();
    let end = earliest_end(engine).unwrap_or(asked + settings.lease);
    let renewed = timeout_at(end, async {
        if !running.is_empty() {
            let attempts: Vec<_> = running.iter().map(|one| (one.id, one.attempt)).collect();
            let held = lease::renew(&engine.db, &engine.worker, &attempts, settings.lease).await?;
            settle(&running, &held, asked + settings.lease);
        }
        if !settings.alone {
            lease::renew_pinned(&engine.db, &engine.worker, settings.lease).await?;
        }
        Ok::<(), crate::Error>(())
    });
    match renewed.await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "leases could not be renewed; trying again"),
        Err(_) => tracing::warn!("the database did not answer in time to renew leases"),
    }
    false
}

/// Notes what was renewed, and stops what is not ours any more or was cancelled
/// elsewhere.
fn settle(running: &[Arc<Running>], held: &[Option<bool>], good_until: Instant) {
    for (running, held) in running.iter().zip(held) {
        match held {
            Some(cancelled) => {
                running.renewed(good_until);
                if *cancelled {
                    running.stop(Stop::Cancel);
                }
            }
            None => running.stop(Stop::LeaseLost),
        }
    }
}

/// Stops what could not be renewed in time. Also what was, where the answer came too
/// late: this process may have been asleep, and others have waited long enough.
fn give_up(engine: &Engine) {
    if engine.settings.alone {
        return;
    }
    for running in leased(engine) {
        if Instant::now() + margin(engine) >= running.good_until() {
            tracing::warn!(operation = %running.id, "its lease could not be renewed in time; it stops here");
            running.stop(Stop::LeaseLost);
        }
    }
}

/// Ends or queues again what lost workers were running, and ends what waits for a
/// process that is gone and what a parent left behind, until the engine has closed.
pub(crate) async fn take_up(engine: Arc<Engine>, lost: Lost) {
    // At the start, whatever is not ours is lost where nobody else is.
    let mut alone = engine.settings.alone;
    loop {
        match take_up_once(&engine, alone, lost).await {
            Ok(()) => alone = false,
            Err(error) => {
                tracing::warn!(%error, "lost operations could not be taken up; trying again");
            }
        }
        engine.logs.forget(|id| engine.running.get(id).is_some());
        tokio::select! {
            () = engine.closed.cancelled() => return,
            () = tokio::time::sleep(engine.settings.heartbeat) => {}
        }
    }
}

async fn take_up_once(engine: &Arc<Engine>, alone: bool, whose: Lost) -> Result<()> {
    for lost in lease::lost(&engine.db, &engine.worker, alone).await? {
        if whose == Lost::OfKnownKinds && engine.kinds.get(&lost.kind).is_none() {
            continue;
        }
        replace(engine, &lost, after_loss(engine, &lost)).await?;
    }
    loop {
        let stranded = lease::stranded(&engine.db, &engine.worker, alone).await?;
        if stranded.is_empty() {
            break;
        }
        for id in stranded {
            engine
                .ask_to_end(id, "the connection that waited for it is gone")
                .await?;
        }
    }
    engine.cancel_abandoned().await
}

/// Takes up what the database says that this process runs, and that it does not: its
/// lease was lost, or its end could not be recorded, or the answer to its claim did
/// not arrive: then nothing of it was begun, and it waits again whatever its kind. Only
/// for the one who claims, while no claim is on its way.
pub(crate) async fn take_back(engine: &Arc<Engine>) -> Result<()> {
    let all = lease::held(&engine.db, &engine.worker).await?;
    let running = &engine.running;
    running.keep_unrecorded(|id, attempt| {
        all.iter()
            .any(|held| (held.id, held.attempt) == (id, attempt))
    });
    for held in all {
        // In this order: an attempt is noted as unrecorded before it leaves.
        if running.runs(held.id, held.attempt) {
            continue;
        }
        let end = if running.is_unrecorded(held.id, held.attempt) {
            after_loss(engine, &held)
        } else {
            let now = engine.clock.now();
            End::again("it was claimed and could not begin; tried again", now)
        };
        replace(engine, &held, end).await?;
    }
    Ok(())
}

/// Ends or queues again, as `end` says, one that nobody runs.
async fn replace(engine: &Arc<Engine>, lost: &LostOne, end: End) -> Result<()> {
    let now = engine.clock.now();
    let holder = Holder {
        worker: &lost.worker,
        attempt: lost.attempt,
    };
    let Some(state) = sql::end::end(&engine.db, lost.id, holder, &end, now).await? else {
        return Ok(());
    };
    tracing::info!(operation = %lost.id, %state, "taken up, as nobody ran it");
    engine.changes.wake();
    engine.logs.wake(lost.id);
    engine.queued.notify_one();
    messages::changed(&engine.bus);
    if state.is_ended() {
        engine.cancel_children(lost.id).await;
    }
    Ok(())
}

fn after_loss(engine: &Engine, lost: &LostOne) -> End {
    let now = engine.clock.now();
    let resumable = engine
        .kinds
        .get(&lost.kind)
        .is_some_and(|kind| kind.settings.resumable);
    // A process that is here to say so was not taken down by it.
    let counts = *lost.worker != *engine.worker;
    let losses = lost.losses + u64::from(counts);
    let mut end = if resumable && !lost.pinned && losses <= MOST_LOSSES {
        End::again("its worker was lost; it is taken up again", now)
    } else {
        let text = if losses > MOST_LOSSES {
            "Its worker was lost too often while it ran, so it is not tried again. Look into the server's own log for the cause, then retry it."
        } else {
            "Longshore stopped or lost its database while it ran, and this kind of work cannot be taken up in the middle. Retry it to do it from the start."
        };
        End::new(State::Interrupted, "its worker was lost").error("interrupted", text)
    };
    end.lost = counts;
    end
}

/// Ends what waits for this process alone, which stops.
pub(crate) async fn end_pinned(engine: &Arc<Engine>, limit: Duration) {
    let end_all = async {
        loop {
            let waiting = lease::pinned(&engine.db, &engine.worker).await?;
            if waiting.is_empty() {
                return Ok::<(), crate::Error>(());
            }
            for id in waiting {
                engine.ask_to_end(id, "Longshore stopped").await?;
            }
        }
    };
    match timeout(limit, end_all).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what waits for this process could not be ended"),
        Err(_) => tracing::warn!("what waits for this process could not be ended in time"),
    }
}
