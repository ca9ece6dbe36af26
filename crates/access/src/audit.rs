//! The record of who did what: entries are added, listed and grow old, and are
//! never changed.
//!
//! An entry is written in the transaction of the change where there is one. No
//! entry holds a secret: what is known as one is taken out of it once more on its way in.

use crate::core::Core;
use crate::{Access, AccessError, Caller, Result, sql};
use base::{Actor, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::Value;
use std::net::IpAddr;
use storage::Tx;
use uuid::Uuid;

/// The most entries of one page.
const PAGE: u64 = 200;

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Doer {
    actor: Actor,
    address: Option<IpAddr>,
}

impl Doer {
    /// Somebody at the host itself, by the command line.
    #[must_use]
    pub fn host() -> Self {
        Self::new(Actor::recorded("host".to_owned()), None)
    }

    /// Longshore itself.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Actor::system(), None)
    }

    /// Somebody who could not be identified.
    #[must_use]
    pub fn anonymous(address: IpAddr) -> Self {
        Self::new(Actor::anonymous(), Some(address))
    }

    /// This actor, from there.
    #[must_use]
    pub const fn new(actor: Actor, address: Option<IpAddr>) -> Self {
        Self { actor, address }
    }

    /// Who.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl From<&Caller> for Doer {
    fn from(caller: &Caller) -> Self {
        Self::new(caller.actor(), Some(caller.address()))
    }
}

/// An entry to be made.
#[derive(Clone, Debug)]
#[must_use = "an entry is made by `Access::audit` or `Access::audit_in`"]
pub struct AuditEntry {
    doer: Doer,
    action: String,
    subject: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl AuditEntry {
    /// `doer` did `action` (such as `config.changed`) to `subject` (such as `user:anna`).
    pub fn new(doer: &Doer, action: &str, subject: impl Into<String>) -> Self {
        Self {
            doer: doer.clone(),
            action: action.to_owned(),
            subject: subject.into(),
            before: None,
            after: None,
        }
    }

    /// What was before. Never a secret.
    pub fn before(mut self, value: impl Into<Value>) -> Self {
        self.before = Some(value.into());
        self
    }

    /// What is after. Never a secret.
    pub fn after(mut self, value: impl Into<Value>) -> Self {
        self.after = Some(value.into());
        self
    }
}

/// An entry.
#[derive(Clone, Debug, Serialize)]
pub struct AuditRecord {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who: `user:anna`, `token:anna/ci`, `host`, `anonymous`, `system`.
    pub actor: Actor,
    /// What, such as `user.created`.
    pub action: String,
    /// To whom or what, such as `user:anna`.
    pub subject: String,
    /// The address it came from, or nothing.
    pub address: String,
    /// What was before.
    pub before: Option<Value>,
    /// What is after.
    pub after: Option<Value>,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By this actor.
    pub actor: Option<String>,
    /// This action.
    pub action: Option<String>,
    /// To this.
    pub subject: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// Some entries, the newest first.
#[derive(Clone, Debug, Serialize)]
pub struct AuditPage {
    /// The entries.
    pub items: Vec<AuditRecord>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A place between two entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

impl Position {
    fn cursor(self) -> String {
        let mut bytes = self.at.micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(self.id.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    fn parse(cursor: &str) -> Result<Self> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
            let (at, id) = bytes.split_first_chunk::<8>()?;
            Some(Self {
                at: Timestamp::from_micros(i64::from_be_bytes(*at)),
                id: Uuid::from_slice(id).ok()?,
            })
        };
        read().ok_or_else(|| {
            AccessError::invalid("cursor", "The cursor is none; leave it out to begin anew.")
        })
    }
}

impl Access {
    /// Makes an entry by itself.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn audit(&self, entry: AuditEntry) -> Result<()> {
        let mut tx = self.core.db.begin().await?;
        self.core.record(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Makes an entry within the transaction of what it tells of.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn audit_in(&self, tx: &mut Tx, entry: AuditEntry) -> Result<()> {
        self.core.record(tx, entry).await
    }

    /// A page of entries, the newest first: at most `limit` (1 to 200) from `cursor` on.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a cursor that is none.
    pub async fn audit_entries(
        &self,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: u64,
    ) -> Result<AuditPage> {
        let after = cursor.map(Position::parse).transpose()?;
        let limit = limit.clamp(1, PAGE);
        // No entry has a zero byte, and Postgres has no text with one.
        let asked = [&filter.actor, &filter.action, &filter.subject];
        if asked.into_iter().flatten().any(|text| text.contains('\0')) {
            return Ok(AuditPage {
                items: Vec::new(),
                next: None,
            });
        }
        let mut items = sql::audit::list(&self.core.db, filter, after, limit + 1).await?;
        let more = items.len() as u64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = items.last().filter(|_| more);
        let next = last.map(|last| {
            Position {
                at: last.at,
                id: last.id,
            }
            .cursor()
        });
        Ok(AuditPage { items, next })
    }
}

impl Core {
    pub(crate) async fn record(&self, tx: &mut Tx, entry: AuditEntry) -> Result<()> {
        let redactor = self.redaction.redactor();
        let clean = |mut value: Value| {
            redact(&mut value, &|text| redactor.redact(text).into_owned());
            value
        };
        let record = AuditRecord {
            id: Uuid::now_v7(),
            at: self.now(),
            actor: entry.doer.actor,
            action: entry.action.replace('\0', ""),
            subject: entry.subject.replace('\0', ""),
            address: entry.doer.address.map_or_else(String::new, shown),
            before: entry.before.map(clean),
            after: entry.after.map(clean),
        };
        sql::audit::insert(tx, &record).await
    }
}

/// An address as it is stored and compared.
pub(crate) fn shown(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// Applies `clean` to every text in `value`.
fn redact(value: &mut Value, clean: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, clean)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact(field, clean)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_nonsense_is_none() {
        let position = Position {
            at: Timestamp::from_micros(1_700_000_000_000_001),
            id: Uuid::from_u128(7),
        };
        assert_eq!(Position::parse(&position.cursor()).ok(), Some(position));
        for nonsense in ["", "abc", "%", &position.cursor()[1..]] {
            assert!(Position::parse(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn texts_are_cleaned_however_deep_they_are() {
        let mut value = serde_json::json!({"a": ["x", {"b": "x"}], "c": 1});
        redact(&mut value, &|_| "-".to_owned());
        assert_eq!(value, serde_json::json!({"a": ["-", {"b": "-"}], "c": 1}));
    }
}
