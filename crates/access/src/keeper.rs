//! The one background task: hears of changes, looks for missed ones, writes down what
//! is only noted, and removes what is old.

use crate::changes::{Change, TOPIC};
use crate::{Core, Result, sql};
use std::sync::Arc;
use std::time::Duration;
use storage::{BusEvent, BusReceiver};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How often what is noted is written down.
const FLUSH: Duration = Duration::from_secs(15);
/// How often what is old is removed; the first time so long after the start.
const SWEEP: Duration = Duration::from_secs(1800);
/// How long an expired session is still known as such.
const EXPIRED: Duration = Duration::from_secs(24 * 3600);

/// Owns the task, which ends with it.
#[derive(Debug)]
pub(crate) struct Keeper(AbortHandle);

impl Keeper {
    pub(crate) fn start(core: Arc<Core>, heard: BusReceiver) -> Self {
        Self(tokio::spawn(run(core, heard)).abort_handle())
    }

    pub(crate) fn end(&self) {
        self.0.abort();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ticks every `period`, the first time after one.
fn every(period: Duration) -> Interval {
    let period = period.max(Duration::from_millis(1));
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn run(core: Arc<Core>, mut heard: BusReceiver) {
    let mut looks = every(core.settings.look);
    let mut flushes = every(FLUSH);
    let mut sweeps = every(SWEEP);
    loop {
        // All of them are cancel-safe.
        tokio::select! {
            event = heard.next() => match event {
                Some(event) => hear(&core, event).await,
                None => return,
            },
            _ = looks.tick() => look(&core).await,
            _ = flushes.tick() => if let Err(error) = core.flush().await {
                tracing::warn!(%error, "when sessions and tokens were used could not be written down");
            },
            _ = sweeps.tick() => if let Err(error) = core.sweep().await {
                tracing::warn!(%error, "old sessions and entries could not be removed");
            },
        }
    }
}

async fn hear(core: &Core, event: BusEvent) {
    match event {
        BusEvent::Message { topic, text } if &*topic == TOPIC => match Change::heard(&text) {
            Some((change, number)) => {
                core.changes.heard(number);
                if let Err(error) = core.apply(change).await {
                    tracing::warn!(%error, "a change of secrets could not be read");
                }
            }
            // A newer replica tells what this one does not understand.
            None => forget_everything(core).await,
        },
        BusEvent::Message { .. } => {}
        BusEvent::Reset => forget_everything(core).await,
    }
}

/// Whether changes were missed: messages that were lost, or another process on the
/// same SQLite file, such as the command line on the host.
async fn look(core: &Core) {
    match sql::setting::changed(&core.db).await {
        Ok(number) if core.changes.missed(number) => forget_everything(core).await,
        Ok(_) => {}
        // What cannot be checked is not believed.
        Err(_) => core.changes.everything_changed(),
    }
}

async fn forget_everything(core: &Core) {
    core.changes.everything_changed();
    core.remembered.forgive();
    if let Err(error) = core.refresh_secrets().await {
        tracing::warn!(%error, "the secrets could not be read");
    }
}

impl Core {
    /// Removes ended sessions, empty buckets and old entries.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now = self.now();
        let expired = now.minus(EXPIRED);
        sql::session::sweep(&self.db, expired, expired.minus(self.lifetimes.idle())).await?;
        sql::attempt::sweep(&self.db, now).await?;
        sql::audit::sweep(&self.db, now.minus(self.settings.audit_retention)).await?;
        Ok(())
    }
}
