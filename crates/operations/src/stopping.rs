//! The end of an engine: what runs is given time, and then interrupted.

use crate::engine::Operations;
use crate::leases;
use crate::running::Stop;
use std::time::Duration;
use tokio::time::timeout;

/// How long a claim that is on its way may take.
const CLAIM: Duration = Duration::from_secs(10);
/// How long the end of what waits for this process alone may take.
const WAITING: Duration = Duration::from_secs(5);
/// How long the end of an attempt may take to be recorded, and the engine's own tasks
/// to end.
const RECORDED: Duration = Duration::from_secs(5);
const TASKS: Duration = Duration::from_secs(10);

impl Operations {
    /// Stops: no more claims at once, `grace` for what runs, and then it is
    /// interrupted, so that the next start takes it up.
    pub async fn stop(&self, grace: Duration) {
        let engine = &self.0;
        engine.closing.cancel();
        engine.claims.close();
        // What is claimed just now begins, and must be seen among what runs.
        if timeout(CLAIM, engine.claims.wait()).await.is_err() {
            tracing::warn!("a claim did not end in time; its lease runs out");
        }
        leases::end_pinned(engine, WAITING).await;
        if timeout(grace, engine.running.empty()).await.is_err() {
            for running in engine.running.all() {
                running.stop(Stop::Shutdown);
            }
            let patience = engine.settings.patience + RECORDED;
            if timeout(patience, engine.running.empty()).await.is_err() {
                tracing::warn!(
                    "some operations did not end; they are taken up when their lease runs out"
                );
            }
        }
        // What failed meanwhile, and was to be tried again here.
        leases::end_pinned(engine, WAITING).await;
        engine.closed.cancel();
        engine.tasks.close();
        if timeout(TASKS, engine.tasks.wait()).await.is_err() {
            tracing::warn!("the engine's tasks did not end in time");
        }
    }
}
