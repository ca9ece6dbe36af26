//! Secrets: named values that are put in and never come out again but into an operation.
//!
//! A value is sealed with the newest master key and bound to its name and version,
//! so that somebody who can only write to the database can neither move a row to another
//! name nor mix it with another version's; a whole row of before can be put back. Every value that this process knows is in its redactor before anybody
//! gets it; the values of before stay there for a while, since what runs may still use them.

use crate::changes::Change;
use crate::core::Core;
use crate::{Access, AccessError, AuditEntry, Doer, MasterKeys, Result, SigningKey, sql, vault};
use base::redact::{Redactor, SHORTEST};
use base::{Actor, Name, Timestamp};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Serialize;
use serde_json::json;
use sql::secret::Sealed;
use std::collections::VecDeque;
use tokio::sync::{Mutex, watch};

/// What secrets are sealed for.
const PURPOSE: &str = "access/secret";
/// Held by whoever changes a secret, so that versions have no gap.
const SECRETS: i64 = 0x6c6f_6e67_7368_0003;
/// The longest value in bytes.
const LONGEST: usize = 64 * 1024;
/// How many secrets there may be: every one is looked for in every log.
const MOST: usize = 1_000;
/// How many values that are no longer current are still looked for.
const PAST: usize = 256;

/// A secret, without its value.
#[derive(Clone, Debug, Serialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// How many values it has had.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Actor,
    /// When its value was set last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: Actor,
}

/// What is looked for in logs.
#[derive(Debug, Default)]
pub(crate) struct Redaction {
    redactor: watch::Sender<Redactor>,
    /// The values that the redactor knows. Held across awaits while they are read and
    /// the redactor is built, so that two changes end in the order in which they began;
    /// only the redactor itself is asked for often, and that waits for nobody.
    values: Mutex<Values>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    current: Vec<SecretString>,
    past: VecDeque<SecretString>,
}

impl Values {
    fn knows(&self, value: &SecretString) -> bool {
        let same = |known: &SecretString| known.expose_secret() == value.expose_secret();
        self.current.iter().any(same)
    }

    /// With what is current now; what no longer is becomes past.
    fn renewed(&self, current: Vec<SecretString>) -> Self {
        let mut new = Self {
            current,
            past: self.past.clone(),
        };
        for old in &self.current {
            if !new.knows(old) {
                new.past.push_back(old.clone());
            }
        }
        let over = new.past.len().saturating_sub(PAST);
        new.past.drain(..over);
        new
    }

    /// With one more.
    fn and(&self, value: &SecretString) -> Self {
        let mut new = self.clone();
        new.current.push(value.clone());
        new
    }

    fn redactor(&self) -> Redactor {
        let all = self.current.iter().chain(&self.past);
        Redactor::new(all.map(|value| value.expose_secret().as_bytes()))
    }
}

impl Redaction {
    pub(crate) fn redactor(&self) -> Redactor {
        self.redactor.borrow().clone()
    }

    /// Makes the redactor know these values; cancelled, it knows those of before.
    async fn set(&self, values: &mut Values, new: Values) -> Result<()> {
        let build = tokio::task::spawn_blocking(move || (new.redactor(), new));
        let (redactor, new) = build.await.map_err(|_| storage::Error::Stopped)?;
        *values = new;
        self.redactor.send_replace(redactor);
        Ok(())
    }
}

/// To what a secret's value is bound.
fn context(name: &str, version: i64) -> Vec<u8> {
    [name.as_bytes(), &[0], &version.to_be_bytes()].concat()
}

fn open(keys: &MasterKeys, row: &Sealed) -> Result<SecretString> {
    let plain = keys.unseal(PURPOSE, &context(&row.name, row.version), &row.sealed)?;
    let text = std::str::from_utf8(plain.expose_secret()).map_err(|_| AccessError::Unsealable)?;
    Ok(text.into())
}

impl Access {
    /// Makes a secret, or gives it its next value. When this returns, the redactor knows it.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a value that is too short to be found in logs, or too long.
    pub async fn put_secret(&self, by: &Doer, name: &Name, value: &SecretString) -> Result<Secret> {
        let core = &self.core;
        let name = name.as_str();
        let length = value.expose_secret().len();
        if !(SHORTEST..=LONGEST).contains(&length) {
            let reason = format!(
                "A secret has {SHORTEST} to {LONGEST} bytes; shorter ones could not be found in logs."
            );
            return Err(AccessError::invalid("value", reason));
        }
        let now = core.now();
        let mut tx = core.db.begin().await?;
        tx.lock(SECRETS).await?;
        let before = sql::secret::find(&mut tx, name).await?;
        if before.is_none() && sql::secret::count(&mut tx).await? >= MOST as u64 {
            let reason = format!("There are {MOST} secrets already; delete some first.");
            return Err(AccessError::invalid("name", reason));
        }
        let old = before.as_ref();
        let secret = Secret {
            name: name.to_owned(),
            version: old.map_or(0, |old| old.version) + 1,
            created_at: old.map_or(now, |old| old.created_at),
            created_by: old.map_or_else(|| by.actor().clone(), |old| old.created_by.clone()),
            changed_at: now,
            changed_by: by.actor().clone(),
        };
        let plain = value.expose_secret().as_bytes();
        let sealed = core
            .keys
            .seal(PURPOSE, &context(name, secret.version), plain);
        sql::secret::put(&mut tx, &secret, sealed).await?;
        let mut entry = AuditEntry::new(by, "secret.put", subject(name))
            .after(json!({ "version": secret.version }));
        if let Some(old) = old {
            entry = entry.before(json!({ "version": old.version }));
        }
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::Secrets).await?;
        Ok(secret)
    }

    /// Every secret, by name; never a value.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn secrets(&self) -> Result<Vec<Secret>> {
        sql::secret::list(&self.core.db).await
    }

    /// Deletes a secret.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn delete_secret(&self, by: &Doer, name: &str) -> Result<()> {
        let core = &self.core;
        let missing = AccessError::missing("secret");
        if name.parse::<Name>().is_err() {
            return Err(missing);
        }
        let mut tx = core.db.begin().await?;
        tx.lock(SECRETS).await?;
        let secret = sql::secret::find(&mut tx, name).await?.ok_or(missing)?;
        sql::secret::delete(&mut tx, name).await?;
        let entry = AuditEntry::new(by, "secret.deleted", subject(name))
            .before(json!({ "version": secret.version }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::Secrets).await
    }

    /// A secret's value, for an operation and for nothing else. Before it is handed
    /// out, this process's redactor knows it.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], [`AccessError::Unsealable`].
    pub async fn reveal(&self, name: &Name) -> Result<SecretString> {
        let core = &self.core;
        let row = sql::secret::sealed(&core.db, name.as_str()).await?;
        let value = open(&core.keys, &row.ok_or(AccessError::missing("secret"))?)?;
        let mut values = core.redaction.values.lock().await;
        if !values.knows(&value) {
            let new = values.and(&value);
            core.redaction.set(&mut values, new).await?;
        }
        Ok(value)
    }

    /// What takes every known secret out of a text, as of now.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.core.redaction.redactor()
    }

    /// The same, renewed when a secret changes on any replica.
    #[must_use]
    pub fn redactors(&self) -> watch::Receiver<Redactor> {
        self.core.redaction.redactor.subscribe()
    }

    /// Seals every secret, those of access keys included, with the newest master key that is not yet; how many there
    /// were. Afterwards the older keys open nothing of this crate's any more (boxes that
    /// others keep, as in the inputs of operations, may still need them).
    ///
    /// # Errors
    /// [`AccessError::Unsealable`] when a key is missing; then nothing was changed.
    pub async fn rotate(&self, by: &Doer) -> Result<u64> {
        let core = &self.core;
        let mut tx = core.db.begin().await?;
        tx.lock(SECRETS).await?;
        let mut count = 0_u64;
        for row in sql::secret::all_sealed_in(&mut tx).await? {
            if core.keys.is_newest(&row.sealed) {
                continue;
            }
            let value = open(&core.keys, &row)?;
            let plain = value.expose_secret().as_bytes();
            let sealed = core
                .keys
                .seal(PURPOSE, &context(&row.name, row.version), plain);
            sql::secret::reseal(&mut tx, &row.name, sealed).await?;
            count += 1;
        }
        count += core.reseal_access_keys(&mut tx).await?;
        vault::renew_check(&mut tx, &core.keys).await?;
        let entry =
            AuditEntry::new(by, "master_key.rotated", "secrets").after(json!({ "secrets": count }));
        core.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Seals bytes for a purpose, such as `bundle.headers`: what is sealed for one
    /// cannot be opened for another.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        self.core.keys.seal(&outside(purpose), b"", plain)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    ///
    /// # Errors
    /// [`AccessError::Unsealable`].
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<SecretSlice<u8>> {
        self.core.keys.unseal(&outside(purpose), b"", sealed)
    }

    /// The key that signs for a purpose, such as `links`, on every replica and after
    /// every restart.
    #[must_use]
    pub fn signing_key(&self, purpose: &str) -> SigningKey {
        self.core.keys.signing(&outside(purpose))
    }

    /// Every key with which a signature for a purpose may have been made, newest first:
    /// after a rotation the older ones still count.
    #[must_use]
    pub fn verifying_keys(&self, purpose: &str) -> Vec<SigningKey> {
        self.core.keys.verifying(&outside(purpose))
    }
}

/// Keeps the purposes of others apart from this crate's own.
fn outside(purpose: &str) -> String {
    format!("use/{purpose}")
}

fn subject(name: &str) -> String {
    format!("secret:{name}")
}

impl Core {
    /// Reads every secret anew into the redactor.
    pub(crate) async fn refresh_secrets(&self) -> Result<()> {
        let mut values = self.redaction.values.lock().await;
        let rows = sql::secret::all_sealed(&self.db).await?;
        let opened = rows.iter().map(|row| open(&self.keys, row));
        let new = values.renewed(opened.collect::<Result<_>>()?);
        self.redaction.set(&mut values, new).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_before_is_still_looked_for() {
        let values = Values::default()
            .renewed(vec!["first-value".into()])
            .renewed(vec!["second-value".into()]);
        let text = values
            .redactor()
            .redact("first-value second-value")
            .into_owned();
        assert!(!text.contains("value"), "{text}");
        assert!(!format!("{values:?}").contains("value\""));
    }

    #[test]
    fn values_of_before_are_bounded() {
        let mut values = Values::default();
        for number in 0..PAST * 2 {
            values = values.renewed(vec![format!("value-{number}").into()]);
        }
        assert_eq!(values.past.len(), PAST);
    }
}
