//! What the handle and its background task share, and the one way to commit a change
//! that others remember.

use crate::changes::{Change, Changes, TOPIC};
use crate::limit::Limit;
use crate::password::Passwords;
use crate::remembered::Remembered;
use crate::secret::Redaction;
use crate::session::Lifetimes;
use crate::{AccessSettings, MasterKeys, Result, sql, vault};
use base::{SharedClock, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use storage::{Bus, Db, Error, SharedCache, Tx};

/// How long telling the other replicas may hold up the one who changed something.
const TELLING: Duration = Duration::from_secs(2);

/// What the handle and its background task share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: SharedClock,
    pub(crate) keys: MasterKeys,
    pub(crate) look: Duration,
    audit_retention_seconds: AtomicU64,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) passwords: Passwords,
    pub(crate) limit: Limit,
    pub(crate) changes: Changes,
    pub(crate) remembered: Remembered,
    pub(crate) redaction: Redaction,
    /// What replicas share, once there is one.
    pub(crate) shared: OnceLock<SharedCache>,
    closed: AtomicBool,
}

impl Core {
    /// Checks that keys and database belong together, and remembers nothing yet.
    pub(crate) async fn open(
        db: Db,
        bus: Bus,
        clock: SharedClock,
        master: MasterKeys,
        settings: AccessSettings,
    ) -> Result<Self> {
        vault::check(&db, &master).await?;
        let number = sql::setting::changed(&db).await?;
        Ok(Self {
            lifetimes: Lifetimes::new(&settings),
            passwords: Passwords::new(settings.argon2_concurrency),
            limit: Limit::new(settings.attempts, master.signing("attempts")),
            changes: Changes::new(number),
            remembered: Remembered::new(settings.cache_time),
            redaction: Redaction::default(),
            shared: OnceLock::new(),
            closed: AtomicBool::new(false),
            keys: master,
            db,
            bus,
            clock,
            look: settings.look,
            audit_retention_seconds: AtomicU64::new(settings.audit_retention.as_secs()),
        })
    }

    /// How long the record of who did what is kept.
    pub(crate) fn audit_retention(&self) -> Duration {
        Duration::from_secs(self.audit_retention_seconds.load(Ordering::Relaxed))
    }

    pub(crate) fn set_audit_retention(&self, time: Duration) {
        let seconds = time.as_secs();
        self.audit_retention_seconds
            .store(seconds, Ordering::Relaxed);
    }

    /// From now on nothing remembered is believed.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether changes made elsewhere are heard of, without which nothing remembered is believed.
    pub(crate) fn hears(&self) -> bool {
        self.bus.hears_others() && !self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends a transaction that changed something others remember, and tells them.
    ///
    /// It runs to its end even if the one who waits for it goes away: a change is
    /// never in the database while this process still believes the old.
    pub(crate) async fn commit(self: &Arc<Self>, mut tx: Tx, change: Change) -> Result<()> {
        let core = Arc::clone(self);
        let committed = tokio::spawn(async move {
            let number = sql::setting::count_change(&mut tx).await?;
            tx.commit().await?;
            core.changes.heard(number);
            core.forget(change);
            let refreshed = match change {
                Change::Secrets => core.refresh_secrets().await,
                Change::User(_) | Change::Password(_) => Ok(()),
            };
            let told = change.told(number);
            let telling = core.bus.publish(TOPIC, &told);
            match tokio::time::timeout(TELLING, telling).await {
                Ok(Ok(())) => {}
                // They see the number in the database within a second.
                Ok(Err(error)) => {
                    tracing::warn!(%error, "other replicas were not told of a change");
                }
                Err(_) => tracing::warn!("other replicas could not be told of a change in time"),
            }
            if refreshed.is_err() {
                // It is committed: what could not be read now is read at the next look.
                core.changes.look_again();
            }
            refreshed
        });
        committed.await.map_err(|_| Error::Stopped)?
    }

    /// Forgets what a change made old.
    pub(crate) fn forget(&self, change: Change) {
        match change {
            Change::User(user) => self.changes.user_changed(user),
            Change::Password(user) => {
                self.changes.user_changed(user);
                self.remembered.forgive();
            }
            // What there is of them is read anew instead.
            Change::Secrets => {}
        }
    }

    /// Forgets all that was remembered.
    pub(crate) fn forget_everything(&self) {
        self.changes.everything_changed();
        self.remembered.forgive();
    }
}
