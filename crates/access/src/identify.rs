//! From a cookie, a name and a password, or a token to a [`Caller`].
//!
//! Every way asks, in this order: may this be tried at all, is it remembered, is it
//! right. Nothing remembered is believed while other replicas cannot be heard, and
//! nothing here says which part of a credential was wrong.

use crate::limit::{Standing, place};
use crate::remembered::{GRAIN, Known};
use crate::sql::account::{self, Account};
use crate::user::{Owner, subject};
use crate::{Access, AccessError, AuditEntry, Caller, Core, Doer, Proof, Result, sql};
use base::{Name, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

impl Access {
    /// The caller whose session a cookie's value proves.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], or [`AccessError::Expired`].
    pub async fn identify_session(&self, cookie: &str, address: IpAddr) -> Result<Caller> {
        let core = &self.core;
        let key = core.remembered.key(&[b"session", cookie.as_bytes()]);
        if let Some(known) = core.recall(&key).await {
            return Ok(core.caller(&known, address));
        }
        let since = core.changes.now();
        let (session, owner) = core.find_session(cookie).await?;
        let ends = core.lifetimes.end(&session);
        let proof = Proof::Session(session.id);
        let known = Known::new(owner, proof, 0, since, core.now(), Some(ends));
        let known = core.remember(key, known).await;
        Ok(core.caller(&known, address))
    }

    /// The caller whose token this is.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], [`AccessError::Expired`], or
    /// [`AccessError::RateLimited`] after many of these from one address. A token that
    /// is right is never refused for the wrong ones of others.
    pub async fn identify_token(&self, token: &str, address: IpAddr) -> Result<Caller> {
        let core = &self.core;
        let key = core.remembered.key(&[b"token", token.as_bytes()]);
        if let Some(known) = core.recall(&key).await {
            return Ok(core.caller(&known, address));
        }
        let since = core.changes.now();
        let (token, owner) = match core.find_token(token).await {
            Err(error @ (AccessError::Unauthenticated | AccessError::Expired)) => {
                return Err(core.token_refused(error, address).await?);
            }
            found => found?,
        };
        let ends = token.expires_at;
        let known = Known::new(owner, token.into(), 0, since, core.now(), ends);
        let known = core.remember(key, known).await;
        Ok(core.caller(&known, address))
    }

    /// The caller with this name and password (HTTP Basic).
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], which takes the same time for unknown names,
    /// [`AccessError::RateLimited`], [`AccessError::Busy`].
    pub async fn identify_password(
        &self,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Caller> {
        let core = &self.core;
        // Before anything remembered is asked, or one could go on trying against that.
        let buckets = core.limit.login(name, address);
        if let Some(pair) = buckets.pair()
            && let Some(retry_after) = core.remembered.refused(pair, core.now()).await
        {
            return Err(AccessError::RateLimited { retry_after });
        }
        if core.remembered.on() {
            let place = place(address);
            let lower = name.to_ascii_lowercase();
            let password_bytes = password.expose_secret().as_bytes();
            let parts: [&[u8]; 4] = [b"password", &place, lower.as_bytes(), password_bytes];
            let key = core.remembered.key(&parts);
            // What was remembered may be old, what is found in its place may be the
            // outcome of a check that began before a change: then once more, alone.
            for _ in 0..2 {
                let check = core.verify(name, password, address);
                let found = core.remembered.known.try_get_with(key, check).await;
                let known = found.map_err(|error| AccessError::clone(&error))?;
                if core.believes(&known) && core.still_right(&known).await? {
                    return Ok(core.caller(&known, address));
                }
                core.remembered.known.invalidate(&key).await;
            }
        }
        let known = core.verify(name, password, address).await?;
        Ok(core.caller(&known, address))
    }

    /// The same caller as it is now, or why it is none any more. For whoever keeps a
    /// caller for long; ask when [`changed`](Self::changed) does.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`] or [`AccessError::Expired`].
    pub async fn recheck(&self, caller: &Caller) -> Result<Caller> {
        let core = &self.core;
        let now = core.now();
        let gone = AccessError::Unauthenticated;
        let (owner, proof) = match caller.proof() {
            Proof::Session(id) => {
                let session = sql::session::by_id(&core.db, *id)
                    .await?
                    .ok_or(gone.clone())?;
                if core.lifetimes.end(&session) <= now {
                    return Err(AccessError::Expired);
                }
                let account = account::by_id(&core.db, session.user).await?.ok_or(gone)?;
                (Owner::from(&account.user), caller.proof.clone())
            }
            Proof::Token { id, .. } => {
                let (token, owner) = sql::token::by_id(&core.db, *id).await?.ok_or(gone)?;
                if token.expires_at.is_some_and(|end| end <= now) {
                    return Err(AccessError::Expired);
                }
                (owner, token.into())
            }
            Proof::Password => {
                let account = account::by_id(&core.db, caller.user()).await?;
                let account = account.filter(|account| account.credential == caller.credential);
                (Owner::from(&account.ok_or(gone)?.user), Proof::Password)
            }
        };
        Ok(Caller {
            user: owner.id,
            name: owner.name,
            role: owner.role,
            proof,
            credential: caller.credential,
            address: caller.address,
        })
    }
}

impl Core {
    /// What is remembered under this key, if it may be believed.
    async fn recall(&self, key: &[u8; 32]) -> Option<Arc<Known>> {
        if !self.hears() {
            return None;
        }
        let known = self.remembered.known.get(key).await?;
        self.believes(&known).then_some(known)
    }

    async fn remember(&self, key: [u8; 32], known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        if self.remembered.on() {
            self.remembered.known.insert(key, Arc::clone(&known)).await;
        }
        known
    }

    fn believes(&self, known: &Known) -> bool {
        self.changes.holds(known.owner.id, known.since) && self.remembered.recent(known, self.now())
    }

    /// Whether a remembered password is right for all that can be known: while the
    /// other replicas are not heard, the database is asked (which is no argon2).
    async fn still_right(&self, known: &Known) -> Result<bool> {
        if self.hears() {
            return Ok(true);
        }
        let account = account::by_id(&self.db, known.owner.id).await?;
        Ok(account.is_some_and(|account| {
            account.credential == known.credential
                && account.user.role == known.owner.role
                && account.user.name == known.owner.name
        }))
    }

    fn caller(&self, known: &Known, address: IpAddr) -> Caller {
        let grain = match known.proof {
            Proof::Session(_) => GRAIN.min(self.lifetimes.idle() / 4),
            Proof::Token { .. } | Proof::Password => GRAIN,
        };
        self.remembered.note(known, grain, self.now());
        Caller {
            user: known.owner.id,
            name: known.owner.name.clone(),
            role: known.owner.role,
            proof: known.proof.clone(),
            credential: known.credential,
            address,
        }
    }

    async fn verify(
        &self,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Arc<Known>> {
        let since = self.changes.now();
        let now = self.now();
        let account = self.check_password(name, password, address).await?;
        let owner = Owner::from(&account.user);
        Ok(Arc::new(Known::new(
            owner,
            Proof::Password,
            account.credential,
            since,
            now,
            None,
        )))
    }

    /// Checks a name and a password, counts and records a failure.
    pub(crate) async fn check_password(
        &self,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Account> {
        let buckets = self.limit.login(name, address);
        // What is no name is nobody's, and is treated like every unknown name.
        let name = name.parse::<Name>().ok();
        let name = name.as_ref().map(Name::as_str);
        let standing = || async {
            let standing = self
                .limit
                .check(&self.db, &buckets, name, address, self.now())
                .await?;
            self.admitted(standing, buckets.pair()).await
        };
        standing().await?;
        let turn = self.passwords.turn().await?;
        // Again, for others have failed while this one waited.
        let tried_before = standing().await?;
        let account = match name {
            Some(name) => account::by_name(&self.db, name).await?,
            None => None,
        };
        let stored = account.as_ref().map(|account| &account.password);
        let (right, _turn) = self.passwords.check(turn, stored, password).await?;
        match account {
            Some(account) if right => {
                if tried_before {
                    self.limit.succeeded(&self.db, &buckets).await?;
                }
                Ok(account)
            }
            account => {
                let now = self.now();
                // A name that nobody has may be a password in the wrong field: it is not kept.
                let whom = account.map_or_else(
                    || "unknown".to_owned(),
                    |account| subject(&account.user.name),
                );
                let mut tx = self.db.begin().await?;
                let full = self.limit.failed(&mut tx, &buckets, now).await?;
                let doer = Doer::anonymous(address);
                self.record(
                    &mut tx,
                    AuditEntry::new(&doer, "login.failed", whom.as_str()),
                )
                .await?;
                if full.any {
                    self.record(&mut tx, AuditEntry::new(&doer, "login.limited", whom))
                        .await?;
                }
                tx.commit().await?;
                if let (Some(wait), Some(pair)) = (full.pair, buckets.pair()) {
                    self.remembered.refuse(pair, now.plus(wait)).await;
                }
                Err(AccessError::Unauthenticated)
            }
        }
    }

    /// Turns a standing into a refusal, or into whether this account was tried from there before.
    async fn admitted(&self, standing: Standing, pair: Option<&[u8]>) -> Result<bool> {
        match standing {
            Standing::Room { tried_before } => Ok(tried_before),
            Standing::Full {
                retry_after,
                pair: full,
            } => {
                if let (Some(wait), Some(pair)) = (full, pair) {
                    self.remembered.refuse(pair, self.now().plus(wait)).await;
                }
                Err(AccessError::RateLimited { retry_after })
            }
        }
    }

    /// Counts a token that was refused; what to answer.
    async fn token_refused(&self, error: AccessError, address: IpAddr) -> Result<AccessError> {
        let buckets = self.limit.token(address);
        let now = self.now();
        let standing = self
            .limit
            .check(&self.db, &buckets, None, address, now)
            .await?;
        if let Standing::Full { retry_after, .. } = standing {
            return Ok(AccessError::RateLimited { retry_after });
        }
        let mut tx = self.db.begin().await?;
        let full = self.limit.failed(&mut tx, &buckets, now).await?;
        let doer = Doer::anonymous(address);
        let entry = AuditEntry::new(&doer, "token.refused", "unknown")
            .after(json!({ "reason": error.code() }));
        self.record(&mut tx, entry).await?;
        if full.any {
            self.record(&mut tx, AuditEntry::new(&doer, "token.limited", "unknown"))
                .await?;
        }
        tx.commit().await?;
        Ok(error)
    }

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

    async fn write_used(
        &self,
        tx: &mut storage::Tx,
        used: crate::remembered::Used,
        at: Timestamp,
    ) -> Result<()> {
        use crate::remembered::Used;
        // A little less than the grain, so that a note of one grain later is written.
        let slack = |grain: Duration| grain * 9 / 10;
        match used {
            Used::Session(id) => {
                let grain = GRAIN.min(self.lifetimes.idle() / 4);
                sql::session::seen(tx, id, at, slack(grain)).await
            }
            Used::Token(id) => sql::token::used(tx, id, at, GRAIN).await,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{Access, AccessError, AccessSettings, Doer, MasterKeys, NewUser, Role};
    use base::SystemClock;
    use std::net::IpAddr;
    use std::sync::Arc;
    use storage::{Bus, Db, DbSettings};
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    #[tokio::test]
    async fn every_refused_log_in_costs_one_check_whoever_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DbSettings::Sqlite(folder.path().join("db")))
            .await
            .unwrap();
        let bus = Bus::start(&db, &TaskTracker::new(), CancellationToken::new());
        let (keys, settings) = (MasterKeys::generate(), AccessSettings::default());
        let clock = Arc::new(SystemClock);
        let access = Access::open(db, bus, clock, keys, settings).await.unwrap();
        let new = NewUser {
            name: "anna".parse().unwrap(),
            role: Role::Viewer,
            password: None,
        };
        access.create_user(&Doer::host(), new).await.unwrap();
        let address = IpAddr::from([192, 0, 2, 1]);
        let long = "x".repeat(100_000);
        let tries = [
            ("anna", "wrong"),
            ("bert", "wrong"),
            ("no name", "wrong"),
            ("anna", &long),
        ];
        for (number, (name, password)) in (1..).zip(tries) {
            let password = password.into();
            let outcome = access.identify_password(name, &password, address).await;
            assert!(
                matches!(outcome, Err(AccessError::Unauthenticated)),
                "{name}"
            );
            assert_eq!(access.core.passwords.checked(), 2 * number - 1, "{name}");
            let outcome = access.log_in(name, &password, address, "").await;
            assert!(
                matches!(outcome, Err(AccessError::Unauthenticated)),
                "{name}"
            );
        }
    }
}
