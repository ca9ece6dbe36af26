//! The runner: starts what schedules say when they say it.
//!
//! A run is claimed and its operation stored in one transaction, so that it happens
//! once, however many replicas look at the clock. One schedule that cannot run never
//! keeps the others from running.

use crate::engine::Engine;
use crate::kind::AnyKind;
use crate::operation::NewOperation;
use crate::schedule::{Missed, Schedule, StoredSchedule, Timing};
use crate::{Error, Result, messages, sql};
use base::{Actor, ScheduleId, Timestamp, Trigger};
use std::sync::Arc;
use std::time::Duration;

/// A run later than this was missed, and its schedule's policy decides.
const LATE: Duration = Duration::from_secs(60);
/// The longest sleep without looking at the table.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// After the database did not answer.
const AGAIN: Duration = Duration::from_secs(5);
/// When a schedule that cannot be understood is looked at again.
const SET_ASIDE: Duration = Duration::from_secs(3600);

/// Starts what is due, until the engine closes.
pub(crate) async fn run(engine: Arc<Engine>) {
    while !engine.closing.is_cancelled() {
        let wait = match run_due(&engine).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "schedules could not be read; trying again");
                AGAIN
            }
        };
        tokio::select! {
            () = engine.closing.cancelled() => {}
            () = engine.scheduled.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Runs what is due; how long nothing else will be.
async fn run_due(engine: &Arc<Engine>) -> Result<Duration> {
    let now = engine.clock.now();
    let mut pause = Duration::ZERO;
    for (id, due) in sql::schedule::due(&engine.db, now).await? {
        let ran = match due {
            Ok(due) => run_one(engine, due, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ran
            && !set_aside(engine, id, &error, now).await
        {
            pause = AGAIN;
        }
    }
    let next = sql::schedule::next_due(&engine.db).await?;
    let wait = next.map_or(LONGEST_SLEEP, |next| {
        next.since(engine.clock.now()).min(LONGEST_SLEEP)
    });
    Ok(wait.max(pause))
}

/// Puts a schedule off that cannot be understood. Whether it is out of the way now:
/// one that only the database kept from running stays due.
async fn set_aside(engine: &Arc<Engine>, id: ScheduleId, error: &Error, now: Timestamp) -> bool {
    if matches!(error, Error::Storage(_)) {
        tracing::warn!(schedule = %id, %error, "a schedule could not run; trying again soon");
        return false;
    }
    tracing::warn!(
        schedule = %id, %error,
        "a schedule cannot be understood; change or delete it. It is looked at again in an hour"
    );
    match sql::schedule::put_off(&engine.db, id, now, now.plus(SET_ASIDE)).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(schedule = %id, %error, "it could not be put off");
            false
        }
    }
}

async fn run_one(engine: &Arc<Engine>, due: StoredSchedule, now: Timestamp) -> Result<()> {
    let StoredSchedule { schedule, next_run } = due;
    let Some(planned) = next_run else {
        return Ok(());
    };
    let next = Timing::parse(&schedule.cron, &schedule.zone)?.next(now);
    let kind = engine.kinds.get(&schedule.kind);
    let mut tx = engine.db.begin().await?;
    let left_out = match kind {
        None => Some("this server knows no operation of its kind"),
        Some(_) if now.since(planned) > LATE && schedule.missed == Missed::Skip => {
            Some("it was missed, and the schedule says to skip it then")
        }
        Some(_) if sql::schedule::waits(&mut tx, &key(&schedule)).await? => {
            Some("its last run still waits")
        }
        Some(_) => None,
    };
    let new = match (kind, left_out) {
        (Some(kind), None) => Some(operation(&schedule, kind)),
        _ => None,
    };
    let id = new.as_ref().map(NewOperation::id);
    if !sql::schedule::claim_run(&mut tx, schedule.id, planned, next, now, id).await? {
        // Another replica was first.
        return Ok(());
    }
    if let Some(new) = new {
        sql::operation::insert(&mut tx, new, &engine.worker, now).await?;
    }
    tx.commit().await?;
    if let Some(why) = left_out {
        if kind.is_none() {
            tracing::warn!(schedule = %schedule.name, %planned, why, "a run is left out");
        } else {
            tracing::info!(schedule = %schedule.name, %planned, why, "a run is left out");
        }
        return Ok(());
    }
    engine.queued.notify_one();
    engine.changes.wake();
    messages::queued(&engine.bus);
    messages::changed(&engine.bus);
    Ok(())
}

/// What a run of `schedule` is.
fn operation(schedule: &Schedule, kind: &AnyKind) -> NewOperation {
    let title = match schedule.title.as_str() {
        "" => kind.settings.title,
        title => title,
    };
    NewOperation::raw(
        &schedule.kind,
        schedule.input.to_string(),
        Actor::schedule(&schedule.name),
        Trigger::Schedule,
    )
    .title(title)
    .key(key(schedule))
}

/// One run at a time: one that takes longer than its interval delays the next, and
/// further ones are left out.
fn key(schedule: &Schedule) -> String {
    format!("schedule:{}", schedule.name)
}
