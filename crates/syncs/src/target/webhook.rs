//! An address that is told of every file, with an address of the content where the source
//! has one.
//!
//! It may be told twice: what it took and could not say so is told again under the same
//! `Idempotency-Key`, which stands for the sync, the file and its content.

use super::{Checked, Delivered, Ground, Item, Receipt, Removed, State, Target, Trouble};
use crate::notify::{Listener, Untold};
use async_trait::async_trait;
use base::{SharedClock, SyncId};
use data_encoding::HEXLOWER;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A webhook.
#[derive(Debug)]
pub(crate) struct WebhookTarget {
    listener: Listener,
    sync: SyncId,
    owner: String,
    clock: SharedClock,
}

impl WebhookTarget {
    /// `owner` is what names the sync in the key, also where it has another id by now.
    pub(crate) fn new(
        listener: Listener,
        (sync, owner): (SyncId, &str),
        clock: SharedClock,
    ) -> Self {
        Self {
            listener,
            sync,
            owner: owner.to_owned(),
            clock,
        }
    }

    fn key(&self, item: &Item) -> String {
        let mut digest = Sha256::new();
        for part in [
            self.owner.as_str(),
            item.key.as_str(),
            item.content.as_deref().unwrap_or_default(),
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        HEXLOWER.encode(&digest.finalize()[..16])
    }
}

fn trouble(untold: &Untold) -> Trouble {
    let reason = untold.to_string();
    match untold {
        Untold::Address(_) => Trouble::Everything { reason },
        Untold::Answered(status, after) => match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::GONE => {
                Trouble::Everything { reason }
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Trouble::Later {
                reason,
                after: *after,
            },
            status if status.is_client_error() => Trouble::Refused { reason },
            _ => Trouble::Later {
                reason,
                after: *after,
            },
        },
        Untold::Unreachable(_) | Untold::Late => Trouble::Later {
            reason,
            after: None,
        },
    }
}

#[async_trait]
impl Target for WebhookTarget {
    fn unfit(&self, _item: &Item) -> Option<String> {
        None
    }

    async fn deliver(
        &self,
        item: &Item,
        _known: Option<(State, &Value)>,
        ground: &dyn Ground,
    ) -> Result<Delivered, Trouble> {
        let key = self.key(item);
        ground
            .record(State::Intended, &json!({ "key": key }))
            .await?;
        let body = json!({
            "type": "file.delivered",
            "sync": self.sync.to_string(),
            "key": item.key,
            "name": item.name,
            "media_type": item.media_type,
            "size": item.size,
            "content": item.content,
            "metadata": item.metadata,
            "url": ground.link(),
        });
        let told = self.listener.tell(&body, &key, self.clock.now()).await;
        told.map_err(|untold| trouble(&untold))?;
        Ok(Delivered::ready(&key))
    }

    fn foresee(&self, item: &Item) -> Result<Option<Receipt>, String> {
        Ok(Some(Receipt {
            id: self.key(item),
            ..Receipt::default()
        }))
    }

    async fn look(&self, _item: &Item, _known: &Value) -> Result<Option<Delivered>, Trouble> {
        // What it made of it, it alone knows: who asks again has it told again.
        Ok(None)
    }

    fn replaces(&self) -> bool {
        true
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        let key = known.get("key").or_else(|| known.get("id"));
        let key = key.and_then(Value::as_str).unwrap_or_default();
        let body = json!({ "type": "file.removed", "sync": self.sync.to_string(), "id": key });
        let told = self
            .listener
            .tell(&body, &format!("{key}-removed"), self.clock.now())
            .await;
        told.map_err(|untold| trouble(&untold))?;
        Ok(Removed::Gone)
    }

    async fn check(&self) -> Vec<Checked> {
        vec![Checked {
            what: "Address of the webhook".to_owned(),
            missing: self.listener.check().err().map(|untold| untold.to_string()),
        }]
    }
}
