//! Access keys: what S3 clients sign their requests with.
//!
//! A key is an id, `LSH` and 17 letters or digits, by which requests say whose they are,
//! and a secret of 40 characters (238 bits) that is never sent. A signature is verified
//! with the secret itself, so it is stored, unlike a token's: sealed with the master key
//! and bound to its id. It is shown once.

use crate::changes::Change;
use crate::core::Core;
use crate::remembered::Known;
use crate::sql::access_key::Found;
use crate::token::lifetime;
use crate::user::subject;
use crate::{Access, AccessError, AuditEntry, Caller, MasterKeys, Proof, Result, Role, Scope, sql};
use base::{AccessKeyId, Name, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;
use storage::Tx;
use subtle::ConstantTimeEq;

/// How every key begins.
const PREFIX: &str = "LSH";
const KEY_ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// 17 characters of 36 are 87 bits: nobody meets one by chance.
const KEY_RANDOM: usize = 17;
const SECRET_ALPHABET: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH: usize = 40;
/// Keys that one user has at most.
const MOST: u64 = 200;
/// What secrets of keys are sealed for.
const PURPOSE: &str = "access-key";
/// What a key can be used for: S3 knows nothing else.
const USES: [Scope; 2] = [Scope::FilesRead, Scope::FilesWrite];

/// An access key, without what proves it.
#[derive(Clone, Debug, Serialize)]
pub struct AccessKey {
    /// Its id.
    pub id: AccessKeyId,
    /// Whose it is, by name.
    pub user: String,
    /// Its name, one of its kind among its user's.
    pub name: String,
    /// What requests call it.
    pub key: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// An access key to be made.
#[derive(Clone, Debug)]
pub struct NewAccessKey {
    /// Its name.
    pub name: Name,
    /// What it may be used for: `files:read`, `files:write`, or both.
    pub scopes: Vec<Scope>,
    /// For how long, or for ever.
    pub expires_in: Option<Duration>,
}

fn random(alphabet: &[u8], length: usize) -> String {
    (0..length)
        .map(|_| char::from(alphabet[rand::random_range(0..alphabet.len())]))
        .collect()
}

/// Whether a text can be a key at all.
fn well_formed(text: &str) -> bool {
    text.len() == PREFIX.len() + KEY_RANDOM
        && text.starts_with(PREFIX)
        && text.bytes().all(|byte| KEY_ALPHABET.contains(&byte))
}

fn open(keys: &MasterKeys, key: &str, sealed: &[u8]) -> Result<SecretString> {
    let plain = keys.unseal(PURPOSE, key.as_bytes(), sealed)?;
    let text = std::str::from_utf8(plain.expose_secret()).map_err(|_| AccessError::Unsealable)?;
    Ok(text.into())
}

impl Access {
    /// Makes an access key for the caller. Its secret is returned this once. One that is
    /// made with a token ends no later than that.
    ///
    /// # Errors
    /// [`AccessError::Exists`], [`AccessError::ScopeExceeded`] when the caller uses a
    /// token that may do less, [`AccessError::Invalid`] for scopes that S3 does not know,
    /// with too many keys, or without an end when the caller uses a token that has one.
    pub async fn create_access_key(
        &self,
        caller: &Caller,
        new: NewAccessKey,
    ) -> Result<(SecretString, AccessKey)> {
        let core = &self.core;
        let scopes = scopes(caller, new.scopes)?;
        if new.expires_in.is_some_and(|span| span.is_zero()) {
            let reason = "An access key lives for at least a moment.";
            return Err(AccessError::invalid("expires_in", reason));
        }
        let now = core.now();
        let secret = SecretString::from(random(SECRET_ALPHABET, SECRET_LENGTH));
        let key = AccessKey {
            id: AccessKeyId::new(),
            user: caller.name().to_owned(),
            name: new.name.into(),
            key: format!("{PREFIX}{}", random(KEY_ALPHABET, KEY_RANDOM)),
            scopes,
            created_at: now,
            expires_at: lifetime(caller, new.expires_in, now)?,
            last_used_at: None,
        };
        let plain = secret.expose_secret().as_bytes();
        let sealed = core.keys.seal(PURPOSE, key.key.as_bytes(), plain);
        let mut tx = core.db.begin().await?;
        if sql::access_key::count(&mut tx, caller.user()).await? >= MOST {
            let reason = format!("A user has at most {MOST} access keys; delete some first.");
            return Err(AccessError::invalid("name", reason));
        }
        if !sql::access_key::insert(&mut tx, caller.user(), &key, sealed).await? {
            return Err(AccessError::Exists {
                what: "access key",
                name: key.name,
            });
        }
        let entry = AuditEntry::new(&caller.into(), "access_key.created", subject_of(&key))
            .after(shape(&key));
        core.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok((secret, key))
    }

    /// A user's access keys, or everybody's.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn access_keys(&self, of: Option<UserId>) -> Result<Vec<AccessKey>> {
        sql::access_key::list(&self.core.db, of).await
    }

    /// Deletes an access key of the caller, or with the caller as an admin anybody's. It
    /// is refused at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], also when it is another user's.
    pub async fn delete_access_key(&self, caller: &Caller, id: AccessKeyId) -> Result<()> {
        let core = &self.core;
        let found = sql::access_key::by_id(&core.db, id).await?;
        let admin = caller.may(Role::Admin, Scope::Admin);
        let found = found
            .filter(|found| admin || found.owner.id == caller.user())
            .ok_or(AccessError::missing("access key"))?;
        let mut tx = core.db.begin().await?;
        if !sql::access_key::delete(&mut tx, id).await? {
            return Err(AccessError::missing("access key"));
        }
        let entry = AuditEntry::new(&caller.into(), "access_key.deleted", subject_of(&found.key))
            .before(shape(&found.key));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(found.owner.id)).await
    }

    /// The secret of a key, to verify a signature with and for nothing else. What was
    /// signed with it is then shown to [`identify_access_key`](Self::identify_access_key).
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`] for a key that is none, [`AccessError::Expired`],
    /// [`AccessError::Unsealable`].
    pub async fn access_key_secret(&self, key: &str) -> Result<SecretString> {
        let found = self.core.find_access_key(key).await?;
        open(&self.core.keys, key, &found.sealed)
    }

    /// The caller whose key and secret these are: `secret` is the one with which a
    /// signature was found to be right.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], or [`AccessError::Expired`].
    pub async fn identify_access_key(
        &self,
        key: &str,
        secret: &str,
        address: IpAddr,
    ) -> Result<Caller> {
        let core = &self.core;
        let place = core
            .remembered
            .key(&[b"access-key", key.as_bytes(), secret.as_bytes()]);
        if let Some(known) = core.recall(&place).await {
            return Ok(core.caller(&known, address));
        }
        let since = core.changes.now();
        let found = core.find_access_key(key).await?;
        let stored = open(&core.keys, key, &found.sealed)?;
        let right = stored.expose_secret().as_bytes().ct_eq(secret.as_bytes());
        if !bool::from(right) {
            return Err(AccessError::Unauthenticated);
        }
        let ends = found.key.expires_at;
        let known = Known::new(found.owner, found.key.into(), 0, since, core.now(), ends);
        let known = core.remember(place, known).await;
        Ok(core.caller(&known, address))
    }
}

/// What a new key is for, if its maker may do that.
fn scopes(caller: &Caller, mut wanted: Vec<Scope>) -> Result<Vec<Scope>> {
    wanted.sort_by_key(|scope| scope.as_str());
    wanted.dedup();
    if wanted.is_empty() || wanted.iter().any(|scope| !USES.contains(scope)) {
        let reason = "An access key has the scopes files:read, files:write, or both.";
        return Err(AccessError::invalid("scopes", reason));
    }
    let lacking = wanted
        .iter()
        .find(|scope| !caller.may(Role::Viewer, **scope));
    match lacking {
        Some(scope) => Err(AccessError::ScopeExceeded { scope: *scope }),
        None => Ok(wanted),
    }
}

impl Core {
    /// A key that lives.
    pub(crate) async fn find_access_key(&self, key: &str) -> Result<Found> {
        if !well_formed(key) {
            return Err(AccessError::Unauthenticated);
        }
        let found = sql::access_key::by_key(&self.db, key).await?;
        let found = found.ok_or(AccessError::Unauthenticated)?;
        if found.key.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(AccessError::Expired);
        }
        Ok(found)
    }

    /// Seals the secrets of all keys with the newest master key that are not yet.
    pub(crate) async fn reseal_access_keys(&self, tx: &mut Tx) -> Result<u64> {
        let mut count = 0;
        for (key, sealed) in sql::access_key::all_sealed_in(tx).await? {
            if self.keys.is_newest(&sealed) {
                continue;
            }
            let secret = open(&self.keys, &key, &sealed)?;
            let plain = secret.expose_secret().as_bytes();
            let sealed = self.keys.seal(PURPOSE, key.as_bytes(), plain);
            sql::access_key::reseal(tx, &key, sealed).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl From<AccessKey> for Proof {
    fn from(key: AccessKey) -> Self {
        Self::AccessKey {
            id: key.id,
            name: key.name,
            scopes: key.scopes,
        }
    }
}

fn subject_of(key: &AccessKey) -> String {
    format!("key:{}/{}", key.user, key.name)
}

fn shape(key: &AccessKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "key": key.key,
        "owner": subject(&key.user),
        "scopes": key.scopes,
        "expires_at": key.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_form() {
        let key = format!("{PREFIX}{}", random(KEY_ALPHABET, KEY_RANDOM));
        assert_eq!(key.len(), 20);
        assert!(well_formed(&key), "{key}");
        let small = key.to_ascii_lowercase();
        for text in ["", "LSH", &key[..19], &small, "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!well_formed(text), "{text}");
        }
    }

    #[test]
    fn two_secrets_differ() {
        let secret = || random(SECRET_ALPHABET, SECRET_LENGTH);
        assert_ne!(secret(), secret());
    }
}
