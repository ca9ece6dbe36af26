//! One attempt: from the claim to the end that is recorded.

use crate::engine::{Engine, Operations};
use crate::failure::{Again, Failure};
use crate::kind::{AnyKind, Outcome};
use crate::log::sink::Sink;
use crate::messages;
use crate::operation::Operation;
use crate::running::{Begun, Running, Stop};
use crate::secrets::{Secrets, redact_texts};
use crate::sql::end::{End, Holder};
use crate::sql::queue::Claimed;
use crate::{State, sql};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long the last lines of an attempt may take to be stored.
const LAST_LINES: Duration = Duration::from_secs(20);
/// How long to wait before an end is recorded once more.
const AGAIN: Duration = Duration::from_secs(1);
/// How long one that could not begin waits for the next try: the longer, the more
/// attempts there were.
const NOT_BEGUN: Duration = Duration::from_secs(1);
const MOST_NOT_BEGUN: u32 = 60;

/// Starts what was claimed, as a task of the engine. The lease holds until
/// `good_until`.
pub(crate) fn start(engine: &Arc<Engine>, kind: AnyKind, claimed: Claimed, good_until: Instant) {
    let Claimed {
        operation,
        log_bytes,
        failures,
        pinned,
    } = claimed;
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    let sink = Sink::new(
        Arc::clone(&engine.clock),
        operation.last_seq + 1,
        log_bytes,
        engine.settings.log_limit,
        Arc::clone(&engine.said),
    );
    let begun = Begun {
        id: operation.id,
        attempt: operation.attempt,
        pinned,
        good_until,
        sink: Arc::new(sink),
        secrets: Arc::new(Secrets::new(engine.secrets.clone())),
    };
    let running = Arc::new(Running::new(begun, Arc::clone(&engine.said)));
    let Some(place) = Place::take(engine, &running, kind.name, operation.last_seq) else {
        // Found again by who looks for what is held here and not run.
        tracing::error!(operation = %running.id, "claimed while an attempt of it still runs");
        return;
    };
    engine.tasks.spawn(run(kind, place, operation, failures));
}

/// The place of an attempt among what runs here. It is given back however the
/// attempt ends, also by a panic.
struct Place {
    engine: Arc<Engine>,
    running: Arc<Running>,
    kind: &'static str,
    /// Whether its function was called.
    begun: bool,
    /// What was recorded of its end.
    recorded: Option<State>,
}

impl Place {
    fn take(
        engine: &Arc<Engine>,
        running: &Arc<Running>,
        kind: &'static str,
        last_line: u64,
    ) -> Option<Self> {
        if !engine.running.insert(running) {
            return None;
        }
        engine.logs.begin(running.id, last_line);
        metrics::gauge!("longshore_operations_running", "kind" => kind).increment(1.0);
        Some(Self {
            engine: Arc::clone(engine),
            running: Arc::clone(running),
            kind,
            begun: false,
            recorded: None,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self {
            engine, running, ..
        } = self;
        running.sink.close();
        // Before it leaves: the feed of what does not run here may be forgotten, and
        // would be told as ended with no lines.
        let ended = self.recorded.is_some_and(State::is_ended);
        engine.logs.end(running.id, ended);
        if self.begun && self.recorded.is_none() {
            engine.running.not_recorded(running);
        }
        engine.running.remove(running);
        metrics::gauge!("longshore_operations_running", "kind" => self.kind).decrement(1.0);
        engine.changes.wake();
        engine.queued.notify_one();
    }
}

/// How the function of an attempt ended.
enum Ended {
    /// It said so.
    Answered(Result<Outcome, Failure>),
    /// It was dropped some time after it was asked to end.
    Dropped,
    /// It was not called, as the database did not answer.
    NotBegun(crate::Error),
}

async fn run(kind: AnyKind, mut place: Place, operation: Operation, failures: u32) {
    let (engine, running) = (Arc::clone(&place.engine), Arc::clone(&place.running));
    let id = running.id;
    let ended = match prepare(&engine, &running, (&kind, operation, failures)).await {
        Ok((input, context)) => {
            place.begun = true;
            until_end(&engine, kind.run(input, context), &running).await
        }
        Err(error @ crate::Error::Storage(_)) => Ended::NotBegun(error),
        Err(error) => Ended::Answered(Err(error.into())),
    };
    // What was said is stored before the end is, so that an ended log is whole.
    if tokio::time::timeout(LAST_LINES, running.sink.drained())
        .await
        .is_err()
    {
        tracing::warn!(operation = %id, "its last lines could not be stored in time");
    }
    let state = match end(&engine, &kind, &running, ended, failures) {
        Some(end) => record(&engine, &running, redacted(end, &running.secrets)).await,
        None => None,
    };
    place.recorded = state;
    drop(place);
    messages::changed(&engine.bus);
    messages::queued(&engine.bus);
    if state.is_some_and(|state| state.is_ended() && state != State::Succeeded) {
        engine.cancel_children(id).await;
    }
}

/// An end whose words may be shown. What it left behind and how far it came hold no
/// secrets any more.
fn redacted(mut end: End, secrets: &Secrets) -> End {
    let redactor = secrets.redactor();
    end.reason = redactor.redact(&end.reason).into_owned();
    end.error = end
        .error
        .map(|(code, text)| (code, redactor.redact(&text).into_owned()));
    end
}

async fn prepare(
    engine: &Arc<Engine>,
    running: &Arc<Running>,
    (kind, operation, failures): (&AnyKind, Operation, u32),
) -> crate::Result<(String, crate::Context)> {
    let id = running.id;
    // Read now that others find it among what runs here: who cancelled it between
    // the claim and that found nobody to tell.
    let (input, cancelled) = sql::operation::beginning(&engine.db, id)
        .await?
        .ok_or(crate::Error::NoOperation(id))?;
    if cancelled {
        running.stop(Stop::Cancel);
    }
    let restored = if operation.attempt > 1 {
        sql::operation::checkpoint(&engine.db, id).await?
    } else {
        None
    };
    let context = crate::Context {
        running: Arc::clone(running),
        operation: Arc::new(operation),
        engine: Operations(Arc::clone(engine)),
        restored: restored.map(Into::into),
        retry: kind.settings.retry,
        failures,
    };
    Ok((input, context))
}

/// Runs the function to its end, or drops it some time after it was asked to end.
async fn until_end(
    engine: &Engine,
    work: impl Future<Output = Result<Outcome, Failure>>,
    running: &Running,
) -> Ended {
    let work = AssertUnwindSafe(work).catch_unwind().map(|result| {
        result.unwrap_or_else(|_| {
            Err(Failure::lasting(
                "internal",
                "Longshore made a mistake while doing this; its own log has the details.",
            ))
        })
    });
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => return Ended::Answered(result),
        () = running.token.cancelled() => {}
    }
    let mut until = Instant::now() + engine.settings.patience;
    if running.stopped() == Stop::LeaseLost {
        // Others may begin it when the lease ends.
        until = until.min(running.good_until());
    }
    match tokio::time::timeout_at(until, work).await {
        Ok(result) => Ended::Answered(result),
        Err(_) => Ended::Dropped,
    }
}

/// What is recorded of the attempt; `None` when another worker has it.
fn end(
    engine: &Engine,
    kind: &AnyKind,
    running: &Running,
    ended: Ended,
    failures: u32,
) -> Option<End> {
    let mut end = match (running.stopped(), ended) {
        (Stop::LeaseLost, _) => return None,
        (_, Ended::Answered(Ok(mut outcome))) => {
            redact_texts(&mut outcome, &running.secrets.redactor());
            let mut end = End::new(State::Succeeded, "done");
            end.outcome = Some(outcome.to_string());
            end
        }
        (Stop::Cancel, _) => {
            End::new(State::Cancelled, "cancelled").error("cancelled", "It was cancelled.")
        }
        (Stop::No, Ended::NotBegun(error)) => not_begun(engine, running, &error),
        (Stop::Shutdown, Ended::NotBegun(error)) if !running.pinned => {
            not_begun(engine, running, &error)
        }
        (Stop::Shutdown, _) => interrupted(engine, kind, running),
        (Stop::No, Ended::Answered(Err(failure))) if failure.again == Again::Withdrawn => {
            End::new(State::Cancelled, &failure.message).error(&failure.code, &failure.message)
        }
        (Stop::No, Ended::Answered(Err(failure))) => failed(engine, kind, &failure, failures),
        (Stop::No, Ended::Dropped) => End::new(State::Failed, "it ended without an answer")
            .error("internal", "It ended without an answer."),
    };
    end.progress = running
        .last_progress()
        .and_then(|progress| serde_json::to_string(&progress).ok());
    Some(end)
}

/// Tried again, and not held against it: nothing of it was done.
fn not_begun(engine: &Engine, running: &Running, error: &crate::Error) -> End {
    tracing::warn!(%error, operation = %running.id, "it could not begin; trying again");
    let attempts = u32::try_from(running.attempt)
        .unwrap_or(u32::MAX)
        .min(MOST_NOT_BEGUN);
    End::again(
        "the database did not answer; tried again",
        engine.clock.now().plus(NOT_BEGUN * attempts),
    )
}

fn interrupted(engine: &Engine, kind: &AnyKind, running: &Running) -> End {
    if kind.settings.resumable && !running.pinned {
        return End::again(
            "Longshore stopped; it goes on at the next start",
            engine.clock.now(),
        );
    }
    End::new(State::Interrupted, "Longshore stopped").error(
        "interrupted",
        "Longshore was stopped while it ran. Retry it to do it from the start.",
    )
}

fn failed(engine: &Engine, kind: &AnyKind, failure: &Failure, failures: u32) -> End {
    let mut end = match kind.settings.retry.wait(failure, failures + 1) {
        Some(wait) => End::again(
            format!(
                "failed ({}); tried again in {} s",
                failure.code,
                wait.as_secs_f64().ceil()
            ),
            engine.clock.now().plus(wait),
        ),
        None => End::new(State::Failed, format!("failed ({})", failure.code)),
    };
    end.failed = true;
    end.error(&failure.code, &failure.message)
}

/// Records the end, trying again while the lease lasts. The state, if it was ours to record.
async fn record(engine: &Engine, running: &Running, end: End) -> Option<State> {
    let holder = Holder {
        worker: &engine.worker,
        attempt: running.attempt,
    };
    let give_up = Instant::now() + engine.settings.lease;
    loop {
        let error =
            match sql::end::end(&engine.db, running.id, holder, &end, engine.clock.now()).await {
                Ok(Some(state)) => {
                    metrics::counter!("longshore_operations_ended_total", "state" => state.as_str())
                    .increment(1);
                    return Some(state);
                }
                Ok(None) => return None,
                Err(error) => error,
            };
        if Instant::now() >= give_up {
            tracing::error!(%error, operation = %running.id, "its end could not be recorded");
            return None;
        }
        tracing::warn!(%error, operation = %running.id, "its end could not be recorded; trying again");
        tokio::time::sleep(AGAIN).await;
    }
}
