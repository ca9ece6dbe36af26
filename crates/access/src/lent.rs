//! Passwords of things that are lent out, a shared file say: hashed and checked as those
//! of users are, and tried as seldom.

use crate::core::Core;
use crate::limit::{Buckets, Standing};
use crate::password::{Hashed, Turn};
use crate::{Access, AccessError, AuditEntry, Doer, Result};
use secrecy::SecretString;
use std::net::IpAddr;
use std::sync::Arc;
use storage::Error::Stopped;

/// A password's hash, as the owner of the thing stores it. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct LentPassword(Hashed);

impl LentPassword {
    /// As it was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(Hashed::stored(text))
    }

    /// To be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Access {
    /// The hash of a new password for something that is lent out.
    ///
    /// # Errors
    /// [`AccessError::WeakPassword`], [`AccessError::Busy`].
    pub async fn lend_password(&self, password: &SecretString) -> Result<LentPassword> {
        self.core.passwords.hash(password).await.map(LentPassword)
    }

    /// Checks the password of `thing` (such as `share:…`), counting and recording what
    /// is wrong: so many from one address to one thing, and from one address at all, as
    /// log-ins may be tried.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], [`AccessError::RateLimited`], [`AccessError::Busy`].
    pub async fn check_lent(
        &self,
        thing: &str,
        stored: &LentPassword,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<()> {
        let core = &self.core;
        // No user's name has a colon, so that nobody is locked out by these.
        debug_assert!(thing.contains(':'), "a thing is called by its kind and id");
        let buckets = core.limit.login(thing, address);
        core.has_room(&buckets, address).await?;
        let turn = core.passwords.turn().await?;
        // Again, for others have failed while this one waited.
        core.has_room(&buckets, address).await?;
        let attempt = Attempt {
            thing: thing.to_owned(),
            buckets,
            stored: stored.clone(),
            password: password.clone(),
            address,
        };
        // A task that ends by itself: whoever goes away is counted all the same.
        let core = Arc::clone(core);
        let tried = tokio::spawn(async move { core.tried_lent(turn, attempt).await });
        tried.await.map_err(|_| Stopped)?
    }
}

struct Attempt {
    thing: String,
    buckets: Buckets,
    stored: LentPassword,
    password: SecretString,
    address: IpAddr,
}

impl Core {
    async fn has_room(&self, buckets: &Buckets, address: IpAddr) -> Result<()> {
        let now = self.now();
        let standing = self.limit.check(&self.db, buckets, None, address, now);
        match standing.await? {
            Standing::Room { .. } => Ok(()),
            Standing::Full { retry_after, .. } => Err(AccessError::RateLimited { retry_after }),
        }
    }

    async fn tried_lent(&self, turn: Turn, attempt: Attempt) -> Result<()> {
        let Attempt {
            thing,
            buckets,
            stored,
            password,
            address,
        } = attempt;
        let (right, _turn) = self.fits(turn, Some(&stored.0), &password).await?;
        if right {
            return self.limit.succeeded(&self.db, &buckets).await;
        }
        let mut tx = self.db.begin().await?;
        let full = self.limit.failed(&mut tx, &buckets, self.now()).await?;
        let doer = Doer::anonymous(address);
        self.record(
            &mut tx,
            AuditEntry::new(&doer, "password.failed", thing.as_str()),
        )
        .await?;
        if full.any {
            self.record(&mut tx, AuditEntry::new(&doer, "password.limited", thing))
                .await?;
        }
        tx.commit().await?;
        Err(AccessError::Unauthenticated)
    }
}
