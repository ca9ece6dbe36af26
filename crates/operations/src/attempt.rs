//! One attempt: from the claim to the end that is recorded.

use crate::engine::Engine;
use crate::failure::{Again, Failure};
use crate::kind::{AnyKind, Outcome};
use crate::log::sink::Sink;
use crate::messages;
use crate::operation::Operation;
use crate::running::{Running, Stop};
use crate::sql::queue::{Claimed, End, Holder};
use crate::{State, sql};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long the last lines of an attempt may take to be stored.
const LAST_LINES: Duration = Duration::from_secs(20);

/// Starts what was claimed, as a task of the engine.
pub(crate) fn start(engine: &Arc<Engine>, kind: AnyKind, claimed: Claimed) {
    let Claimed {
        operation,
        log_bytes,
        failures,
        pinned,
    } = claimed;
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    let sink = Arc::new(Sink::new(
        Arc::clone(&engine.clock),
        operation.last_seq + 1,
        log_bytes,
        engine.settings.log_limit,
        Arc::clone(&engine.said),
    ));
    let running = Arc::new(Running::new(
        operation.id,
        operation.attempt,
        pinned,
        sink,
        Arc::clone(&engine.said),
    ));
    engine.running.insert(Arc::clone(&running));
    engine.logs.begin(operation.id, operation.last_seq);
    metrics::gauge!("longshore_operations_running", "kind" => kind.name).increment(1.0);
    let task = Arc::clone(engine);
    engine.tasks.spawn(async move {
        let name = kind.name;
        run(&task, &kind, running, operation, failures).await;
        metrics::gauge!("longshore_operations_running", "kind" => name).decrement(1.0);
    });
}

async fn run(
    engine: &Arc<Engine>,
    kind: &AnyKind,
    running: Arc<Running>,
    operation: Operation,
    failures: u32,
) {
    let id = running.id;
    let mut redactor = engine.secrets.borrow().clone();
    let ended = match prepare(engine, &running, operation).await {
        Ok((input, context)) => {
            let known = Arc::clone(&context.redactor);
            let ended = until_end(engine, kind.run(input, context), &running).await;
            // With what the function added meanwhile.
            redactor = known.read().unwrap_or_else(PoisonError::into_inner).clone();
            ended
        }
        Err(error) => Some(Err(error.into())),
    };
    // What was said is stored before the end is, so that an ended log is whole.
    if tokio::time::timeout(LAST_LINES, running.sink.drained())
        .await
        .is_err()
    {
        tracing::warn!(operation = %id, "its last lines could not be stored in time");
    }
    let state = match end(engine, kind, &running, ended, failures) {
        Some(mut end) => {
            end.error = end
                .error
                .map(|(code, text)| (code, redactor.redact(&text).into_owned()));
            record(engine, &running, end).await
        }
        None => None,
    };
    running.sink.close();
    engine.running.remove(id);
    engine.logs.end(id, state.is_some_and(State::is_ended));
    engine.changes.wake();
    engine.queued.notify_one();
    messages::changed(&engine.bus).await;
    messages::queued(&engine.bus).await;
    if state.is_some_and(|state| state.is_ended() && state != State::Succeeded) {
        engine.cancel_children(id).await;
    }
}

async fn prepare(
    engine: &Arc<Engine>,
    running: &Arc<Running>,
    operation: Operation,
) -> crate::Result<(String, crate::Context)> {
    let id = running.id;
    let input = sql::operation::input(&engine.db, id)
        .await?
        .ok_or(crate::Error::NoOperation(id))?;
    let restored = if operation.attempt > 1 {
        sql::operation::checkpoint(&engine.db, id).await?
    } else {
        None
    };
    if operation.cancel_requested {
        running.stop(Stop::Cancel);
    }
    Ok((
        input,
        engine.context(Arc::clone(running), operation, restored),
    ))
}

/// Runs the function to its end, or drops it some time after it was asked to end.
/// `None`: it was dropped.
async fn until_end(
    engine: &Engine,
    work: impl Future<Output = Result<Outcome, Failure>>,
    running: &Running,
) -> Option<Result<Outcome, Failure>> {
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
        result = &mut work => return Some(result),
        () = running.token.cancelled() => {}
    }
    tokio::time::timeout(engine.settings.patience, work)
        .await
        .ok()
}

/// What is recorded of the attempt; `None` when another worker has it.
fn end(
    engine: &Engine,
    kind: &AnyKind,
    running: &Running,
    ended: Option<Result<Outcome, Failure>>,
    failures: u32,
) -> Option<End> {
    let mut end = match (running.stopped(), ended) {
        (Stop::LeaseLost, _) => return None,
        (_, Some(Ok(outcome))) => {
            let mut end = End::new(State::Succeeded, "done");
            end.outcome = Some(outcome.to_string());
            end
        }
        (Stop::Cancel, _) => {
            End::new(State::Cancelled, "cancelled").error("cancelled", "It was cancelled.")
        }
        (Stop::Shutdown, _) => interrupted(engine, kind, running),
        (Stop::No, Some(Err(failure))) if failure.again == Again::Withdrawn => {
            End::new(State::Cancelled, &failure.message).error(&failure.code, &failure.message)
        }
        (Stop::No, Some(Err(failure))) => failed(engine, kind, &failure, failures),
        (Stop::No, None) => End::new(State::Failed, "it ended without an answer")
            .error("internal", "It ended without an answer."),
    };
    end.progress = running
        .last_progress()
        .and_then(|progress| serde_json::to_string(&progress).ok());
    Some(end)
}

fn interrupted(engine: &Engine, kind: &AnyKind, running: &Running) -> End {
    if kind.settings.resumable && !running.pinned {
        let mut end = End::new(
            State::Queued,
            "Longshore stopped; it goes on at the next start",
        );
        end.run_at = Some(engine.clock.now());
        return end;
    }
    End::new(State::Interrupted, "Longshore stopped").error(
        "interrupted",
        "Longshore was stopped while it ran. Retry it to do it from the start.",
    )
}

fn failed(engine: &Engine, kind: &AnyKind, failure: &Failure, failures: u32) -> End {
    let mut end = match kind.settings.retry.wait(failure, failures + 1) {
        Some(wait) => {
            let mut end = End::new(
                State::Queued,
                format!(
                    "failed ({}); tried again in {} s",
                    failure.code,
                    wait.as_secs_f64().ceil()
                ),
            );
            end.run_at = Some(engine.clock.now().plus(wait));
            end
        }
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
    let give_up = tokio::time::Instant::now() + engine.settings.lease;
    loop {
        match sql::queue::end(&engine.db, running.id, holder, &end, engine.clock.now()).await {
            Ok(true) => {
                metrics::counter!("longshore_operations_ended_total", "state" => end.state.as_str()).increment(1);
                return Some(end.state);
            }
            Ok(false) => return None,
            Err(error) if tokio::time::Instant::now() < give_up => {
                tracing::warn!(%error, operation = %running.id, "its end could not be recorded; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => {
                tracing::error!(%error, operation = %running.id, "its end could not be recorded");
                return None;
            }
        }
    }
}
