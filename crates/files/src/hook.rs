//! The hook of a bucket: where its store tells what others did to its objects.
//!
//! Whoever knows the secret may tell. What is told is noted, with an operation that looks
//! at it, in one transaction before it is answered; the operation then asks the store what
//! lies at each key. So copies, disorder and inventions change nothing that is not so.

pub(crate) mod event;
mod sequencer;
mod sns;

pub use event::NoEvent;
pub(crate) use sns::Certificates;

use crate::bucket::{Bucket, Storage};
use crate::operations::{TakeIn, TakeInInput};
use crate::store::HIDDEN;
use crate::{Files, Result, sql};
use access::{AuditEntry, Doer};
use base::{Actor, Timestamp, Trigger};
use data_encoding::HEXLOWER;
use event::{Notice, Told};
use fetch::ExtraHeaders;
use operations::NewOperation;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sns::SubscribeUrl;
use std::sync::Arc;
use std::time::Duration;
use storage::Tx;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a topic may take to hear that its subscription is wanted: SNS itself waits
/// 15 seconds for the answer to what it asked.
const CONFIRMING: Duration = Duration::from_secs(10);

/// What a hook does not take, or who has none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// A secret that opens no hook, of a bucket that may not even be there.
    #[error(
        "this secret opens no hook here; send the one that was given for the bucket, as a bearer token or as `secret` in the address"
    )]
    Closed,
    /// What came is no event.
    #[error(transparent)]
    NoEvent(#[from] NoEvent),
    /// A message that says that it is of SNS, and is not.
    #[error("this is no message of SNS: {0}; let SNS send it, or send the event alone")]
    Unsigned(&'static str),
    /// Whether a message is of SNS could not be found out.
    #[error("the certificate of SNS could not be had: {0}; have it sent again")]
    Unverified(String),
    /// A topic could not be told that its subscription is wanted.
    #[error("the subscription could not be confirmed: {0}; have the topic ask again")]
    Unconfirmed(String),
    /// Nobody else can put anything into the bucket.
    #[error("this bucket lies on the disk of this server, where nobody else puts anything: it {0}")]
    OnDisk(&'static str),
}

/// The hook of a bucket, without its secret.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Hook {
    /// When its secret was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

impl Files {
    /// The hook of a bucket, where it has one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn hook(&self, bucket: &Bucket) -> Result<Option<Hook>> {
        let stored = sql::hook::of_bucket(self.db(), bucket.id.uuid()).await?;
        Ok(stored.map(|stored| Hook {
            created_at: stored.created_at,
            created_by: stored.created_by,
        }))
    }

    /// Gives a bucket a hook, or its hook another secret: the one of before opens nothing
    /// any more. The secret is told here and never again.
    ///
    /// # Errors
    /// [`HookError::OnDisk`] when nobody else can put anything into the bucket.
    pub async fn renew_hook(&self, by: &Doer, bucket: &Bucket) -> Result<SecretString> {
        if place(bucket).is_none() {
            return Err(HookError::OnDisk("tells of nothing").into());
        }
        let mut key = [0; 32];
        rand::fill(&mut key);
        let secret = SecretString::from(format!("hks_{}", HEXLOWER.encode(&key)));
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let stored = digest(secret.expose_secret());
        sql::hook::put(&mut tx, bucket.id, &stored, now, by.actor()).await?;
        sql::hook::forget_order(&mut tx, bucket.id).await?;
        let entry = AuditEntry::new(by, "hook.renewed", subject(bucket)).after(json!({}));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Ends a hook; whether there was one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn end_hook(&self, by: &Doer, bucket: &Bucket) -> Result<bool> {
        let mut tx = self.db().begin().await?;
        if !sql::hook::delete(&mut tx, bucket.id).await? {
            return Ok(false);
        }
        let entry = AuditEntry::new(by, "hook.ended", subject(bucket)).before(json!({}));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The bucket whose hook this secret opens. Who has another one learns nothing, not
    /// even whether there is such a bucket.
    ///
    /// # Errors
    /// [`HookError::Closed`].
    pub(crate) async fn hook_opens(&self, name: &str, secret: &str) -> Result<Arc<Bucket>> {
        let bucket = self.buckets().named(name);
        let id = bucket
            .as_ref()
            .map_or_else(Uuid::nil, |bucket| bucket.id.uuid());
        let stored = sql::hook::of_bucket(self.db(), id).await?;
        let stored = stored.map_or_else(|| vec![0; 32], |stored| stored.secret);
        let right: bool = stored.ct_eq(&digest(secret)).into();
        bucket
            .filter(|_| right)
            .ok_or_else(|| HookError::Closed.into())
    }

    /// Hears what came to a hook. On return it will be looked at.
    ///
    /// # Errors
    /// [`HookError::NoEvent`] for what is none, [`HookError::Unsigned`] for what only says
    /// that it is of SNS, [`HookError::Unconfirmed`] when a topic could not be told that its
    /// subscription is wanted.
    pub(crate) async fn hear(&self, bucket: &Bucket, body: &[u8]) -> Result<()> {
        let notice = Notice::read(body).map_err(HookError::from)?;
        if let Some(signed) = sns::Signed::read(body) {
            self.is_of_sns(&signed).await?;
        }
        match notice {
            Notice::Nothing => Ok(()),
            Notice::Confirm(address) => self.confirm(bucket, &address).await,
            Notice::Objects(told) => self.note_told(bucket, told).await,
        }
    }

    async fn note_told(&self, bucket: &Bucket, told: Vec<Told>) -> Result<()> {
        let Some(place) = place(bucket) else {
            return Ok(());
        };
        let told: Vec<Told> = told
            .into_iter()
            .filter_map(|told| place.within(told))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        let mut tx = self.db().begin().await?;
        let Some(waits) = sql::hook::hold(&mut tx, bucket.id).await? else {
            return Err(HookError::Closed.into());
        };
        let new = sql::hook::note(&mut tx, bucket.id, &told, self.now()).await?;
        let submitted = if new > 0 && !waits {
            sql::hook::set_waits(&mut tx, bucket.id, true).await?;
            Some(self.submit_take_in(&mut tx, bucket).await?)
        } else {
            None
        };
        tx.commit().await?;
        if let Some(submitted) = submitted {
            self.operations().announce(submitted);
        }
        Ok(())
    }

    async fn submit_take_in(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
    ) -> Result<::operations::Submitted> {
        let input = TakeInInput { bucket: bucket.id };
        let new = NewOperation::of::<TakeIn>(&input, Actor::system(), Trigger::System)?
            .key(format!("take-in:{}", bucket.id))
            .subject(subject(bucket));
        Ok(self.operations().submit_in(tx, new).await?)
    }

    /// Has looked at what waits for longer than it should: who was to see to it was
    /// cancelled, or gave up. What is done with or too old is forgotten.
    pub(crate) async fn take_in_late(&self) -> Result<()> {
        /// Copies of an event come within hours.
        const KNOWN: Duration = Duration::from_secs(24 * 3600);
        const LATE: Duration = Duration::from_secs(300);
        const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);
        let now = self.now();
        sql::hook::sweep(self.db(), now.minus(KNOWN), now.minus(FORGOTTEN)).await?;
        for id in sql::hook::late(self.db(), now.minus(LATE)).await? {
            let Some(bucket) = self.buckets().with_id(id) else {
                continue;
            };
            if self.is_taken_in(&bucket).await? {
                continue;
            }
            let mut tx = self.db().begin().await?;
            let submitted = self.submit_take_in(&mut tx, &bucket).await?;
            tx.commit().await?;
            self.operations().announce(submitted);
        }
        Ok(())
    }

    /// Whether an operation waits or works that looks at what was told of a bucket.
    async fn is_taken_in(&self, bucket: &Bucket) -> Result<bool> {
        use ::operations::{Filter, Kind, Order, Query, Sort};
        let query = Query {
            filter: Filter {
                kind: Some(TakeIn::NAME.to_owned()),
                subject: Some(subject(bucket)),
                ..Filter::default()
            },
            sort: Sort::default(),
            order: Order::default(),
            after: None,
            limit: 1,
        };
        let newest = self.operations().list(&query).await?.operations;
        Ok(newest
            .first()
            .is_some_and(|operation| !operation.state.is_ended()))
    }

    /// Tells a topic that its subscription is wanted.
    async fn confirm(&self, bucket: &Bucket, address: &SubscribeUrl) -> Result<()> {
        let client = self.client();
        let url = client
            .check(address.expose())
            .map_err(|refused| HookError::Unconfirmed(refused.to_string()))?;
        let headers = ExtraHeaders::none();
        let cancel = CancellationToken::new();
        let confirming = client.get(&url, &headers, &cancel);
        let why = match tokio::time::timeout(CONFIRMING, confirming).await {
            Ok(Ok(_)) => {
                tracing::info!(bucket = %bucket.name, host = url.host(), "a topic tells of this bucket from now on");
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it did not answer in time".to_owned(),
        };
        Err(HookError::Unconfirmed(why).into())
    }
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn subject(bucket: &Bucket) -> String {
    format!("bucket:{}", bucket.name)
}

/// Where in a store the objects of a bucket are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// What the store calls the bucket.
    bucket: &'a str,
    /// What every key begins with.
    prefix: &'a str,
}

/// Nothing where the content of a bucket is on the disk.
pub(crate) fn place(bucket: &Bucket) -> Option<Place<'_>> {
    match &bucket.storage {
        Storage::Disk {} => None,
        Storage::S3 { bucket, prefix, .. } => Some(Place { bucket, prefix }),
    }
}

impl Place<'_> {
    /// The same without what every key begins with. Nothing where it is told of an object
    /// of another bucket: one address may be told of several, and the numbers of their
    /// events have nothing to do with each other.
    fn within(&self, mut told: Told) -> Option<Told> {
        if told
            .bucket
            .as_ref()
            .is_some_and(|bucket| bucket != self.bucket)
        {
            return None;
        }
        let key = told.key.as_str().strip_prefix(self.prefix)?;
        if key.starts_with(HIDDEN) {
            return None;
        }
        told.key = key.parse().ok()?;
        Some(told)
    }
}

#[cfg(test)]
mod tests;
