//! Webhooks: addresses that are told of what happens to the files of a bucket.

use crate::bucket::Bucket;
use crate::operations::{TellInput, TellWebhook};
use crate::{Error, Files, Result, sql};
use access::{AuditEntry, Doer};
use base::{Actor, BucketId, Timestamp, Trigger, WebhookId};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use operations::NewOperation;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;

/// What seals the keys of signatures.
const PURPOSE: &str = "webhook";
/// The most webhooks of a bucket.
const MOST: usize = 32;

/// Somebody who is told.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Webhook {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: WebhookId,
    /// Where it is told: an `https` or `http` address.
    pub url: String,
    /// What the paths begin with of which it is told.
    pub prefix: String,
    /// Whether it is told anything.
    pub enabled: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[serde(skip)]
    pub(crate) bucket: BucketId,
    #[serde(skip)]
    pub(crate) sealed: Vec<u8>,
}

/// A webhook to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where it shall be told.
    pub url: String,
    /// What the paths begin with of which it shall be told; all, when absent.
    #[serde(default)]
    pub prefix: String,
}

/// What changes of a webhook; what is absent stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Whether it is told anything. What happens while it is off it is never told.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// The signature of a body at a time: `t=…,v1=…`, HMAC-SHA-256 of the time in seconds, a
/// full stop and the body.
pub(crate) fn signature(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.seconds();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let digest = HEXLOWER.encode(&mac.finalize().into_bytes());
    format!("t={seconds},v1={digest}")
}

impl Files {
    /// Makes a webhook. The key of its signatures is told here and never again.
    ///
    /// # Errors
    /// [`Error::Setting`] for an address that nothing may be sent to.
    pub async fn create_webhook(
        &self,
        by: &Doer,
        bucket: &Bucket,
        new: NewWebhook,
    ) -> Result<(Webhook, SecretString)> {
        self.client()
            .check(&new.url)
            .map_err(|refused| Error::Address(refused.to_string()))?;
        if self.buckets().webhooks(bucket.id).len() >= MOST {
            return Err(Error::Setting("a bucket has at most 32 webhooks"));
        }
        let mut key = [0; 32];
        rand::fill(&mut key);
        let secret = SecretString::from(format!("whs_{}", HEXLOWER.encode(&key)));
        let webhook = Webhook {
            id: WebhookId::new(),
            url: new.url,
            prefix: new.prefix,
            enabled: true,
            created_at: self.now(),
            bucket: bucket.id,
            sealed: self
                .access()
                .seal(PURPOSE, secret.expose_secret().as_bytes()),
        };
        let mut tx = self.db().begin().await?;
        sql::event::insert_webhook(&mut tx, &webhook, by.actor()).await?;
        sql::bucket::count_change(&mut tx).await?;
        let shown = json!({ "url": fetch::for_log(&webhook.url), "prefix": webhook.prefix });
        let entry = AuditEntry::new(by, "webhook.created", subject(bucket)).after(shown);
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        Ok((webhook, secret))
    }

    /// Changes a webhook; it as it is now, where there is one. One that is switched on is told
    /// what was noted for it before it was off.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn change_webhook(
        &self,
        by: &Doer,
        bucket: &Bucket,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<Option<Webhook>> {
        let mut tx = self.db().begin().await?;
        let found = sql::event::webhook_for_change(&mut tx, bucket.id, id).await?;
        let Some(mut webhook) = found else {
            return Ok(None);
        };
        let was_enabled = webhook.enabled;
        let before = json!({ "id": id.to_string(), "enabled": was_enabled });
        webhook.enabled = change.enabled.unwrap_or(webhook.enabled);
        sql::event::enable_webhook(&mut tx, id, webhook.enabled).await?;
        sql::bucket::count_change(&mut tx).await?;
        let after = json!({ "id": id.to_string(), "enabled": webhook.enabled });
        let entry = AuditEntry::new(by, "webhook.changed", subject(bucket));
        self.access()
            .audit_in(&mut tx, entry.before(before).after(after))
            .await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        let waits = sql::event::untold(self.db(), id, 1);
        if webhook.enabled && !was_enabled && !waits.await?.is_empty() {
            self.wake(&webhook).await;
        }
        Ok(Some(webhook))
    }

    /// Removes a webhook, with what it was not told; whether there was one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn delete_webhook(&self, by: &Doer, bucket: &Bucket, id: WebhookId) -> Result<bool> {
        let mut tx = self.db().begin().await?;
        if !sql::event::delete_webhook(&mut tx, bucket.id, id).await? {
            return Ok(false);
        }
        sql::bucket::count_change(&mut tx).await?;
        let before = json!({ "id": id.to_string() });
        let entry = AuditEntry::new(by, "webhook.deleted", subject(bucket)).before(before);
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        Ok(true)
    }

    /// The key of a webhook's signatures.
    pub(crate) fn webhook_secret(&self, webhook: &Webhook) -> Result<SecretString> {
        let plain = self.access().unseal(PURPOSE, &webhook.sealed)?;
        let text = String::from_utf8_lossy(plain.expose_secret()).into_owned();
        Ok(SecretString::from(text))
    }

    /// Has an operation tell a webhook what was noted for it, unless one is about to.
    pub(crate) async fn wake(&self, webhook: &Webhook) {
        match sql::event::begin_waiting(self.db(), webhook.id).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return untold(&error),
        }
        let input = TellInput {
            webhook: webhook.id,
        };
        let new = NewOperation::of::<TellWebhook>(&input, Actor::system(), Trigger::System);
        let subject = format!("webhook:{}", webhook.id);
        let submitted = match new {
            Ok(new) => {
                let new = new.key(subject.clone()).subject(subject);
                self.operations().submit(new).await
            }
            Err(error) => Err(error),
        };
        // It is noted: the next event, or the sweep, has it told.
        if let Err(error) = submitted {
            untold(&error);
            if let Err(error) = sql::event::end_waiting(self.db(), webhook.id).await {
                untold(&error);
            }
        }
    }
}

fn untold(error: &impl std::fmt::Display) {
    tracing::warn!(%error, "nobody can be told of a change of a file now");
}

fn subject(bucket: &Bucket) -> String {
    format!("bucket:{}", bucket.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        let secret = SecretString::from("whs_00");
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac whs_00
        let signature = signature(&secret, at, b"{}");
        assert_eq!(signature, SIGNED);
    }

    const SIGNED: &str =
        "t=1700000000,v1=39ddabd900e68e15036a0736f524fbed2808290de08283ea9674d414d48b3b2b";
}
