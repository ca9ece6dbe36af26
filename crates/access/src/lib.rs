//! People: users, sessions, tokens, access keys, secrets, and the record of who did what.
//!
//! [`Access`] is the one who knows who somebody is. Every way of proving it ends in
//! a [`Caller`], which nothing else can make; what is proved is remembered briefly
//! and forgotten on every replica when it changes ([`changes`]). Nothing here prints
//! a password, a token, a cookie or a secret, and nothing stores one in clear.

mod access_key;
mod audit;
mod caller;
mod changes;
mod check;
mod configured;
mod core;
mod error;
mod fits;
mod guest;
mod identify;
mod keeper;
mod lent;
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

pub use access_key::{AccessKey, NewAccessKey};
pub use audit::{AuditEntry, AuditFilter, AuditPage, AuditRecord, Doer};
pub use caller::{Caller, Proof, Role, Scope, UnknownRole, UnknownScope};
pub use error::{AccessError, Result};
pub use guest::{Asks, Guest, Identity};
pub use lent::LentPassword;
pub use limit::AttemptLimits;
pub use password::GeneratedPassword;
pub use secret::Secret;
pub use session::{LoggedIn, Session};
pub use settings::AccessSettings;
pub use token::{NewToken, PREFIX as TOKEN_PREFIX, Token};
pub use user::{NewUser, User};
pub use vault::{MasterKeys, SigningKey};

use crate::core::Core;
use base::SharedClock;
use keeper::Keeper;
use std::sync::Arc;
use storage::{Bus, Db};
use tokio::sync::watch;

/// Who is who and who may what. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    core: Arc<Core>,
    keeper: Arc<Keeper>,
}

impl Access {
    /// Opens access to a database whose schema is up to date, and starts its
    /// background tasks, which end when the last clone is dropped.
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
        let core = Arc::new(Core::open(db, bus, clock, master, settings).await?);
        // It listens before it reads, so that no change falls in between.
        let heard = core.bus.listen();
        core.refresh_secrets().await?;
        let keeper = Arc::new(Keeper::start(&core, heard));
        Ok(Self { core, keeper })
    }

    /// Writes down what is only noted: when sessions and tokens were used last. The
    /// background does it four times a minute.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn flush(&self) -> Result<()> {
        self.core.flush().await
    }

    /// Removes ended sessions and audit entries that are too old. The background
    /// does it twice an hour.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn sweep(&self) -> Result<()> {
        self.core.sweep().await
    }

    /// Writes down what is only noted and ends the background tasks. Callers can still
    /// be identified afterwards, though nothing is remembered any more.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn close(&self) -> Result<()> {
        self.core.close();
        self.keeper.end();
        self.core.flush().await
    }

    /// Takes other limits over: all but how many passwords are hashed at once and how
    /// often the database is looked at. How long a session lives without being used
    /// holds for those that there are, too.
    pub fn reconfigure(&self, settings: &AccessSettings) {
        let core = &self.core;
        core.lifetimes.set(settings);
        core.limit.set(settings.attempts);
        core.remembered.set_time(settings.cache_time);
        core.set_audit_retention(settings.audit_retention);
        core.forget_everything();
    }

    /// Changes whenever what somebody is or may do has changed. Whoever keeps a
    /// [`Caller`] for long (a live socket) asks [`recheck`](Self::recheck) then.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.core.changes.watch()
    }
}
