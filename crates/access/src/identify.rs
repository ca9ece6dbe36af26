//! From a cookie, a name and a password, or a token to a [`Caller`].
//!
//! Every way asks, in this order: may this be tried at all, is it remembered, is it
//! right. Nothing remembered is believed while other replicas cannot be heard, and
//! nothing here says which part of a credential was wrong.

use crate::core::Core;
use crate::limit::place;
use crate::remembered::{GRAIN, Key, Known};
use crate::sql::account;
use crate::user::{Owner, subject};
use crate::{Access, AccessError, AuditEntry, Caller, Doer, Proof, Result, sql};
use base::{TokenId, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

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
                return Err(core.refuse_token(error, address).await?);
            }
            found => found?,
        };
        let ends = token.expires_at;
        let known = Known::new(owner, token.into(), 0, since, core.now(), ends);
        let known = core.remember(key, known).await;
        Ok(core.caller(&known, address))
    }

    /// The caller with this name and password (HTTP Basic). One that is remembered from
    /// longer ago than [`AccessSettings::cache_time`](crate::AccessSettings::cache_time)
    /// is good while the user's password is still the one that it was: that is asked
    /// of the database, and no limit stands before it, since nothing is tried.
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
        if core.remembered.refuses(core.now()) {
            let pair = core.limit.pair(name, address);
            if let Some(retry_after) = core.remembered.refused(&pair, core.now()).await {
                return Err(AccessError::RateLimited { retry_after });
            }
        }
        let place = place(address);
        let lower = name.to_ascii_lowercase();
        let password_bytes = password.expose_secret().as_bytes();
        let parts: [&[u8]; 4] = [b"password", &place, lower.as_bytes(), password_bytes];
        let key = core.remembered.key(&parts);
        if core.remembered.on()
            && let Some(known) = core.recall(&key).await
        {
            return Ok(core.caller(&known, address));
        }
        // Few come this far, and all would have to make room for it.
        Box::pin(self.check_or_renew(key, name, password, address)).await
    }

    /// The same where what is remembered, if anything, is not to be believed as it is.
    async fn check_or_renew(
        &self,
        key: Key,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Caller> {
        let core = &self.core;
        if core.remembered.on() {
            // What was remembered may be old, what is found in its place may be the
            // outcome of a check that began before a change: then once more, alone.
            for _ in 0..2 {
                let check = core.verify(name, password, address);
                let found = core.remembered.known.try_get_with(key, check).await;
                let known = found.map_err(|error| AccessError::clone(&error))?;
                if core.believes(&known) && core.still_right(&known).await? {
                    return Ok(core.caller(&known, address));
                }
                if let Some(renewed) = core.renewed(&known).await? {
                    let known = core.remember(key, renewed).await;
                    return Ok(core.caller(&known, address));
                }
                core.remembered.known.invalidate(&key).await;
            }
        }
        let known = core.verify(name, password, address).await?;
        Ok(core.caller(&known, address))
    }

    /// The user, or the token of one, as it is now: for what somebody signed earlier, and
    /// what shall open no more than the signer may open by itself. From `address` comes
    /// who uses it.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`] or [`AccessError::Expired`] when there is no such
    /// user or token any more.
    pub async fn signer(
        &self,
        user: UserId,
        token: Option<TokenId>,
        address: IpAddr,
    ) -> Result<Caller> {
        let core = &self.core;
        let gone = AccessError::Unauthenticated;
        let (owner, proof, ends) = match token {
            None => {
                let account = account::by_id(&core.db, user).await?.ok_or(gone)?;
                (Owner::from(&account.user), Proof::Password, None)
            }
            Some(id) => {
                let (token, owner) = sql::token::by_id(&core.db, id).await?.ok_or(gone)?;
                let ends = token.expires_at;
                if ends.is_some_and(|end| end <= core.now()) {
                    return Err(AccessError::Expired);
                }
                (owner, token.into(), ends)
            }
        };
        if owner.id != user {
            return Err(AccessError::Unauthenticated);
        }
        Ok(Caller {
            user: owner.id,
            name: owner.name,
            role: owner.role,
            proof,
            credential: 0,
            ends,
            address,
        })
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
        let (owner, proof, ends) = match caller.proof() {
            Proof::Session(id) => {
                let session = sql::session::by_id(&core.db, *id)
                    .await?
                    .ok_or(gone.clone())?;
                let ends = core.lifetimes.end(&session);
                if ends <= now {
                    return Err(AccessError::Expired);
                }
                let account = account::by_id(&core.db, session.user).await?.ok_or(gone)?;
                (Owner::from(&account.user), caller.proof.clone(), Some(ends))
            }
            Proof::Token { id, .. } => {
                let (token, owner) = sql::token::by_id(&core.db, *id).await?.ok_or(gone)?;
                let ends = token.expires_at;
                if ends.is_some_and(|end| end <= now) {
                    return Err(AccessError::Expired);
                }
                (owner, token.into(), ends)
            }
            Proof::AccessKey { id, .. } => {
                let found = sql::access_key::by_id(&core.db, *id).await?.ok_or(gone)?;
                let ends = found.key.expires_at;
                if ends.is_some_and(|end| end <= now) {
                    return Err(AccessError::Expired);
                }
                (found.owner, found.key.into(), ends)
            }
            Proof::Password => {
                let account = account::by_id(&core.db, caller.user()).await?;
                let account = account.filter(|account| account.credential == caller.credential);
                (
                    Owner::from(&account.ok_or(gone)?.user),
                    Proof::Password,
                    None,
                )
            }
            // Nobody here knows it; there is nothing to look at.
            Proof::Guest(_) => return Err(gone),
        };
        Ok(Caller {
            user: owner.id,
            name: owner.name,
            role: owner.role,
            proof,
            credential: caller.credential,
            ends,
            address: caller.address,
        })
    }
}

impl Core {
    /// What is remembered under this key, if it may be believed.
    pub(crate) async fn recall(&self, key: &[u8; 32]) -> Option<Arc<Known>> {
        if !self.hears() {
            return None;
        }
        let known = self.remembered.known.get(key).await?;
        self.believes(&known).then_some(known)
    }

    pub(crate) async fn remember(&self, key: [u8; 32], known: Known) -> Arc<Known> {
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

    /// A remembered password anew, if the user's is still that one.
    async fn renewed(&self, known: &Known) -> Result<Option<Known>> {
        let since = self.changes.now();
        let now = self.now();
        let account = account::by_id(&self.db, known.owner.id).await?;
        let same = account.filter(|account| account.credential == known.credential);
        Ok(same.map(|account| {
            let owner = Owner::from(&account.user);
            Known::new(owner, Proof::Password, account.credential, since, now, None)
        }))
    }

    pub(crate) fn caller(&self, known: &Known, address: IpAddr) -> Caller {
        let grain = match known.proof {
            Proof::Session(_) => self.session_grain(),
            Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Password | Proof::Guest(_) => {
                GRAIN
            }
        };
        self.remembered.note(known, grain, self.now());
        Caller {
            user: known.owner.id,
            name: known.owner.name.clone(),
            role: known.owner.role,
            proof: known.proof.clone(),
            credential: known.credential,
            ends: known.ends,
            address,
        }
    }

    async fn verify(
        self: &Arc<Self>,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Arc<Known>> {
        let since = self.changes.now();
        let now = self.now();
        let account = self.check_password(name, password, address).await?;
        let owner = Owner::from(&account.user);
        let credential = account.credential;
        let known = Known::new(owner, Proof::Password, credential, since, now, None);
        let caller = self.caller(&known, address);
        let entry = AuditEntry::new(&Doer::from(&caller), "login.ok", subject(caller.name()))
            .after(json!({ "by": "password" }));
        let mut tx = self.db.begin().await?;
        self.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Arc::new(known))
    }
}
