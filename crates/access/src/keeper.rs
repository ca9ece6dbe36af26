//! The background: hears of changes, looks for missed ones, writes down what is only
//! noted, and removes what is old.

use crate::changes::{Change, TOPIC};
use crate::core::Core;
use crate::remembered::{GRAIN, Used};
use crate::{Result, sql};
use base::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use storage::{BusEvent, BusReceiver, Tx};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How often what is noted is written down.
const FLUSH: Duration = Duration::from_secs(15);
/// How often what is old is removed; the first time so long after the start.
const SWEEP: Duration = Duration::from_secs(1800);
/// How long an expired session is still known as such.
const EXPIRED: Duration = Duration::from_secs(24 * 3600);

/// Owns the two tasks, which end with it: one hears of changes and never waits for
/// the database, so that it is never late; the other does what takes time.
#[derive(Debug)]
pub(crate) struct Keeper([AbortHandle; 2]);

impl Keeper {
    pub(crate) fn start(core: &Arc<Core>, heard: BusReceiver) -> Self {
        let refresh = Arc::new(Notify::new());
        let listening = listen(Arc::clone(core), heard, Arc::clone(&refresh));
        let working = work(Arc::clone(core), refresh);
        Self([
            tokio::spawn(listening).abort_handle(),
            tokio::spawn(working).abort_handle(),
        ])
    }

    pub(crate) fn end(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Forgets what changed elsewhere, as soon as it is told.
async fn listen(core: Arc<Core>, mut heard: BusReceiver, refresh: Arc<Notify>) {
    while let Some(event) = heard.next().await {
        let change = match event {
            BusEvent::Message { topic, text } if &*topic == TOPIC => Change::heard(&text),
            BusEvent::Message { .. } => continue,
            BusEvent::Reset => None,
        };
        match change {
            Some((change, number)) => {
                core.changes.heard(number);
                core.forget(change);
                if change == Change::Secrets {
                    refresh.notify_one();
                }
            }
            // Messages were missed, or a newer replica told what this one does not understand.
            None => {
                core.forget_everything();
                refresh.notify_one();
            }
        }
    }
}

/// Ticks every `period`, the first time after one.
fn every(period: Duration) -> Interval {
    let period = period.max(Duration::from_millis(1));
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn work(core: Arc<Core>, refresh: Arc<Notify>) {
    let mut looks = every(core.look);
    let mut flushes = every(FLUSH);
    let mut sweeps = every(SWEEP);
    loop {
        // All of them are cancel-safe.
        tokio::select! {
            () = refresh.notified() => refresh_secrets(&core).await,
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

/// Looks for changes that were missed: messages that were lost, or another process on
/// the same SQLite file, such as the command line on the host.
async fn look(core: &Core) {
    match sql::setting::changed(&core.db).await {
        Ok(number) if core.changes.missed(number) => {
            core.forget_everything();
            refresh_secrets(core).await;
        }
        Ok(_) => {}
        // What cannot be checked is not believed.
        Err(_) => core.forget_everything(),
    }
}

async fn refresh_secrets(core: &Core) {
    if let Err(error) = core.refresh_secrets().await {
        tracing::warn!(%error, "the secrets could not be read");
        core.changes.look_again();
    }
}

impl Core {
    /// Writes down when sessions and tokens were used.
    pub(crate) async fn flush(&self) -> Result<()> {
        let noted: Vec<_> = self.remembered.take_noted().into_iter().collect();
        for some in noted.chunks(500) {
            let mut tx = self.db.begin().await?;
            for (used, at) in some {
                self.write_used(&mut tx, *used, *at).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    async fn write_used(&self, tx: &mut Tx, used: Used, at: Timestamp) -> Result<()> {
        match used {
            Used::Session(id) => sql::session::seen(tx, id, at, self.session_grain()).await,
            Used::Token(id) => sql::token::used(tx, id, at, GRAIN).await,
            Used::AccessKey(id) => sql::access_key::used(tx, id, at, GRAIN).await,
        }
    }

    /// How exactly it is known when a session was used: to the minute, or better where
    /// sessions are short.
    pub(crate) fn session_grain(&self) -> Duration {
        GRAIN.min(self.lifetimes.idle() / 4)
    }

    /// Removes ended sessions, empty buckets and old entries.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now = self.now();
        let expired = now.minus(EXPIRED);
        sql::session::sweep(&self.db, expired, expired.minus(self.lifetimes.idle())).await?;
        sql::attempt::sweep(&self.db, now).await?;
        sql::audit::sweep(&self.db, now.minus(self.audit_retention())).await?;
        Ok(())
    }
}
