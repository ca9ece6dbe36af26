//! People: users, sessions, tokens, secrets, and the record of who did what.
//!
//! [`Access`] is the one who knows who somebody is. Every way of proving it ends in
//! a [`Caller`], which nothing else can make; what is proved is remembered briefly
//! and forgotten on every replica when it changes ([`changes`]). Nothing here prints
//! a password, a token, a cookie or a secret, and nothing stores one in clear.

mod audit;
mod caller;
mod changes;
mod error;
mod identify;
mod keeper;
mod limit;
mod password;
mod remembered;
mod secret;
mod session;
mod settings;
mod sql;
mod token;
mod user;
mod vault;

pub use audit::{AuditEntry, AuditFilter, AuditPage, AuditRecord, Doer};
pub use caller::{Caller, Proof, Role, Scope, UnknownRole, UnknownScope};
pub use error::{AccessError, Result};
pub use limit::AttemptLimits;
pub use password::GeneratedPassword;
pub use secret::Secret;
pub use session::{LoggedIn, Session};
pub use settings::AccessSettings;
pub use token::{NewToken, Token};
pub use user::{NewUser, User};
pub use vault::{MasterKeys, SigningKey};

use base::{SharedClock, Timestamp};
use changes::{Change, Changes};
use keeper::Keeper;
use limit::Limit;
use password::Passwords;
use remembered::Remembered;
use secret::Redaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use storage::{Bus, Db, Error, Tx};
use tokio::sync::watch;

/// How long telling the other replicas may hold up the one who changed something.
const TELLING: Duration = Duration::from_secs(2);

/// Who is who and who may what. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    core: Arc<Core>,
    keeper: Arc<Keeper>,
}

/// What the handle and its background task share.
#[derive(Debug)]
struct Core {
    db: Db,
    bus: Bus,
    clock: SharedClock,
    keys: MasterKeys,
    settings: AccessSettings,
    lifetimes: session::Lifetimes,
    passwords: Passwords,
    limit: Limit,
    changes: Changes,
    remembered: Remembered,
    redaction: Redaction,
    closed: AtomicBool,
}

impl Access {
    /// Opens access to a database whose schema is up to date, and starts its one
    /// background task, which ends when the last clone is dropped.
    ///
    /// # Errors
    /// [`AccessError::MasterKeyMismatch`] when the keys are not those of this
    /// database, [`AccessError::Unsealable`] when a secret needs a key that is
    /// missing, or what the database says.
    pub async fn open(
        db: Db,
        bus: Bus,
        clock: SharedClock,
        master: MasterKeys,
        settings: AccessSettings,
    ) -> Result<Self> {
        vault::check(&db, &master).await?;
        let number = sql::setting::changed(&db).await?;
        let core = Arc::new(Core {
            lifetimes: session::Lifetimes::new(&settings),
            passwords: Passwords::new(settings.argon2_concurrency),
            limit: Limit::new(settings.attempts, master.signing("attempts")),
            changes: Changes::new(number),
            remembered: Remembered::new(settings.cache_time),
            redaction: Redaction::default(),
            closed: AtomicBool::new(false),
            keys: master,
            db,
            bus,
            clock,
            settings,
        });
        // It listens before it reads, so that no change falls in between.
        let heard = core.bus.listen();
        core.refresh_secrets().await?;
        let keeper = Arc::new(Keeper::start(Arc::clone(&core), heard));
        Ok(Self { core, keeper })
    }

    /// Writes down what is only noted: when sessions and tokens were used last.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn flush(&self) -> Result<()> {
        self.core.flush().await
    }

    /// The same, and ends the background task. Callers can still be identified
    /// afterwards, though nothing is remembered any more.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn close(&self) -> Result<()> {
        self.core.closed.store(true, Ordering::SeqCst);
        self.keeper.end();
        self.core.flush().await
    }

    /// Changes whenever what somebody is or may do has changed. Whoever keeps a
    /// [`Caller`] for long (a live socket) asks [`recheck`](Self::recheck) then.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.core.changes.watch()
    }
}

impl Core {
    /// Whether changes made elsewhere are heard of, without which nothing remembered is believed.
    fn hears(&self) -> bool {
        self.bus.hears_others() && !self.closed.load(Ordering::SeqCst)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends a transaction that changed something others remember, and tells them.
    ///
    /// It runs to its end even if the one who waits for it goes away: a change is
    /// never in the database while this process still believes the old.
    async fn commit(self: &Arc<Self>, mut tx: Tx, change: Change) -> Result<()> {
        let core = Arc::clone(self);
        let committed = tokio::spawn(async move {
            let number = sql::setting::count_change(&mut tx).await?;
            tx.commit().await?;
            core.changes.heard(number);
            core.apply(change).await?;
            let told = change.told(number);
            let telling = core.bus.publish(changes::TOPIC, &told);
            match tokio::time::timeout(TELLING, telling).await {
                Ok(Ok(())) => {}
                // They see the number in the database within a second.
                Ok(Err(error)) => {
                    tracing::warn!(%error, "other replicas were not told of a change")
                }
                Err(_) => tracing::warn!("other replicas could not be told of a change in time"),
            }
            Ok(())
        });
        committed.await.map_err(|_| Error::Stopped)?
    }

    /// Forgets what a change made old.
    async fn apply(&self, change: Change) -> Result<()> {
        match change {
            Change::User(user) => self.changes.user_changed(user),
            Change::Password(user) => {
                self.changes.user_changed(user);
                self.remembered.forgive();
            }
            Change::Secrets => self.refresh_secrets().await?,
        }
        Ok(())
    }
}
