//! The runner: starts what schedules say when they say it.
//!
//! A run is claimed and its operation stored in one transaction, so that it happens
//! once, however many replicas look at the clock. One schedule that cannot run never
//! keeps the others from running.

use crate::engine::{Engine, Operations};
use crate::kind::AnyKind;
use crate::operation::NewOperation;
use crate::schedule::{Missed, Schedule, StoredSchedule, Timing};
use crate::{Error, Result, sql};
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
    let mut new = match kind {
        Some(kind) => Some(operation(&schedule, kind).await?),
        None => None,
    };
    let mut tx = engine.db.begin().await?;
    let left_out = match kind.zip(new.as_ref()) {
        None => Some("this server knows no operation of its kind"),
        Some(_) if now.since(planned) > LATE && schedule.missed == Missed::Skip => {
            Some("it was missed, and the schedule says to skip it then")
        }
        Some((kind, new))
            if sql::schedule::waits(&mut tx, new, kind.settings.when_waiting).await? =>
        {
            Some("one of before still waits")
        }
        Some(_) => None,
    };
    new = new.filter(|_| left_out.is_none());
    let id = new.as_ref().map(NewOperation::id);
    if !sql::schedule::claim_run(&mut tx, schedule.id, planned, next, now, id).await? {
        // Another replica was first.
        return Ok(());
    }
    let operations = Operations(Arc::clone(engine));
    let submitted = match new {
        Some(new) => Some(operations.submit_in(&mut tx, new).await?),
        None => None,
    };
    tx.commit().await?;
    if let Some(why) = left_out {
        if kind.is_none() {
            tracing::warn!(schedule = %schedule.name, %planned, why, "a run is left out");
        } else {
            tracing::info!(schedule = %schedule.name, %planned, why, "a run is left out");
        }
        return Ok(());
    }
    if let Some(submitted) = submitted {
        operations.announce(submitted);
    }
    Ok(())
}

/// What a run of `schedule` is.
async fn operation(schedule: &Schedule, kind: &AnyKind) -> Result<NewOperation> {
    let input = schedule.input.to_string();
    let mut place = kind.place(input.clone()).await?;
    if place.key.is_empty() {
        // Still one run at a time: one that takes longer than its interval delays the next.
        place.key = format!("schedule:{}", schedule.name);
    }
    let new = NewOperation::raw(
        &schedule.kind,
        input,
        Actor::schedule(&schedule.name),
        Trigger::Schedule,
    );
    Ok(new
        .title(&schedule.title)
        .key(place.key)
        .subject(place.subject))
}
