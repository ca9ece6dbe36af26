//! A file that is too large for one request, or shall not be sent from its beginning after
//! a break: in parts, each of which flows from the source into a request of its own.
//!
//! What the store has of it is recorded after each part, so whoever takes the file up goes
//! on with the next one, and whoever gives it up knows what to give up.

use super::{StoreTarget, is_it, known_key};
use crate::target::pouring::Pouring;
use crate::target::{Ground, Item, State, Trouble};
use crate::trouble;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use storage::{MOST_AT_ONCE, MOST_PARTS, ObjectError};

/// The shortest part that stores take, but for the last one.
const LEAST_PART: u64 = 5 << 20;
/// The usual length of a part: so much is sent again at most. Of the largest object they
/// are longer, as there may be no more than 10,000.
const USUAL_PART: u64 = 256 << 20;
/// When an attempt that came on is followed by the next one, at the earliest.
const SOON: Duration = Duration::from_secs(1);
/// What lengths of parts are multiples of.
const STEP: u64 = 1 << 20;

/// From which size on files go in parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InParts {
    from: u64,
}

impl InParts {
    /// Files of more than `from` bytes, as far as stores take that at once.
    pub(crate) fn from(from: u64) -> Self {
        Self {
            from: from.clamp(LEAST_PART, MOST_AT_ONCE),
        }
    }

    pub(super) const fn takes(self, size: u64) -> bool {
        size > self.from
    }

    /// The length of the parts of a file of this size, but for the last one.
    fn part(self, size: u64) -> u64 {
        let needed = size.div_ceil(u64::from(MOST_PARTS));
        USUAL_PART.min(self.from).max(needed.next_multiple_of(STEP))
    }
}

/// What a store has of a file that is not whole there, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Upload {
    id: String,
    part: u64,
    /// Of the parts that are there, in their order.
    etags: Vec<String>,
}

impl Upload {
    /// The one that is recorded, and the key that it is of.
    pub(super) fn of(known: &Value) -> Option<(&str, Self)> {
        let key = known.get("key").and_then(Value::as_str)?;
        let upload = Self::deserialize(known.get("upload")?).ok()?;
        Some((key, upload))
    }

    fn known(&self, key: &str) -> Value {
        json!({ "key": key, "upload": self })
    }

    /// How much of a file of this size is there.
    fn at(&self, size: u64) -> u64 {
        self.part.saturating_mul(self.etags.len() as u64).min(size)
    }

    fn next(&self) -> Result<u16, Trouble> {
        let next = u16::try_from(self.etags.len() + 1).ok();
        let next = next.filter(|number| *number <= MOST_PARTS);
        next.ok_or_else(|| Trouble::Refused {
            reason: "it needs more parts than a store takes".to_owned(),
        })
    }

    fn parts(&self) -> Vec<(u16, String)> {
        (1..).zip(self.etags.iter().cloned()).collect()
    }
}

/// Whether the store has no such upload any more.
fn is_gone(error: &ObjectError) -> bool {
    matches!(error, ObjectError::Refused { code, .. } if code == "NoSuchUpload")
}

impl StoreTarget {
    /// Puts a file in parts, or goes on with one that was `begun`; its ETag.
    pub(super) async fn put_in_parts(
        &self,
        key: &str,
        item: &Item,
        begun: Option<Upload>,
        ground: &dyn Ground,
    ) -> Result<String, Trouble> {
        let mut upload = match begun {
            Some(upload) => {
                ground.say(&format!(
                    "{}: it goes on after {} of {} bytes.",
                    item.name,
                    upload.at(item.size),
                    item.size
                ));
                upload
            }
            None => self.begin(key, item, ground).await?,
        };
        let before = upload.etags.len();
        match self.send_parts(key, item, &mut upload, ground).await {
            Ok(()) => self.put_together(key, item, &upload, ground).await,
            // It came on: of a file with thousands of parts, an attempt each would not do.
            Err(Trouble::Later {
                reason,
                after: None,
            }) if upload.etags.len() > before => Err(Trouble::Later {
                reason,
                after: Some(SOON),
            }),
            Err(trouble) => Err(trouble),
        }
    }

    /// Sends what the store has not, and records each part that it has.
    async fn send_parts(
        &self,
        key: &str,
        item: &Item,
        upload: &mut Upload,
        ground: &dyn Ground,
    ) -> Result<(), Trouble> {
        let mut source = Pouring::open(ground, upload.at(item.size), item.size).await?;
        while source.at() < item.size {
            let number = upload.next()?;
            let length = upload.part.min(item.size - source.at());
            let (store, id) = (&self.store, &*upload.id);
            let sending = source.pour(Bytes::new(), length, Bytes::new(), |body| async move {
                Ok(store.put_part_streamed(key, id, number, body).await)
            });
            match sending.await? {
                Ok(etag) => upload.etags.push(etag),
                Err(error) if is_gone(&error) => return Err(anew(key, ground).await?),
                Err(error) => return Err(trouble::of_store(&error)),
            }
            ground.record(State::Created, &upload.known(key)).await?;
        }
        Ok(())
    }

    async fn begin(&self, key: &str, item: &Item, ground: &dyn Ground) -> Result<Upload, Trouble> {
        let begun = self.store.create_multipart(key, &self.headers(item)).await;
        let upload = Upload {
            id: begun.map_err(|error| trouble::of_store(&error))?,
            part: self.in_parts.part(item.size),
            etags: Vec::new(),
        };
        let recorded = ground.record(State::Created, &upload.known(key)).await;
        if recorded.is_err() {
            // Nobody would know of it.
            self.give_up(key, &upload).await?;
        }
        recorded.map(|()| upload)
    }

    /// Makes an object of the parts. An answer that was lost is asked for by a look at what
    /// is there.
    async fn put_together(
        &self,
        key: &str,
        item: &Item,
        upload: &Upload,
        ground: &dyn Ground,
    ) -> Result<String, Trouble> {
        let placed = self
            .store
            .complete_multipart(key, &upload.id, &upload.parts())
            .await;
        let head = self.store.head(key).await;
        let head = head.map_err(|error| trouble::of_store(&error))?;
        let head = head.filter(|head| head.size == item.size);
        match (placed, head) {
            (Ok(etag), Some(_)) => Ok(etag),
            (Ok(_), None) => Err(trouble::of_store(&ObjectError::Garbled)),
            (Err(_), Some(head)) if is_it(&head, item) => Ok(head.etag),
            (Err(error), _) if is_gone(&error) => Err(anew(key, ground).await?),
            (Err(error), _) => Err(trouble::of_store(&error)),
        }
    }

    /// Gives up what an earlier attempt may have begun between what it intended and the
    /// record of it: no other knows of it. What the store does not tell, or does not let us
    /// give up, stays, and is in nobody's way.
    pub(super) async fn give_up_unrecorded(&self, known: Option<(State, &Value)>) {
        let intended =
            known.filter(|(state, known)| *state == State::Intended && known.get("etag").is_none());
        let Some(key) = intended.and_then(|(_, known)| known_key(known)) else {
            return;
        };
        for id in self.store.unfinished(key).await.unwrap_or_default() {
            let given_up = self.store.abort_multipart(key, &id).await;
            if let Err(error) = given_up {
                tracing::debug!(%error, "an upload in parts that nobody knows of stays");
            }
        }
    }

    /// Has the store forget what it has of a file that is not whole.
    pub(super) async fn give_up(&self, key: &str, upload: &Upload) -> Result<(), Trouble> {
        let given_up = self.store.abort_multipart(key, &upload.id).await;
        given_up.map_err(|error| trouble::of_store(&error))
    }
}

/// Forgets an upload that the store has given up; why it is not there yet.
async fn anew(key: &str, ground: &dyn Ground) -> Result<Trouble, Trouble> {
    let known = json!({ "key": key });
    ground.record(State::Intended, &known).await?;
    Ok(Trouble::Later {
        reason: "the store has given up what was there of it; it is sent from its beginning"
            .to_owned(),
        after: None,
    })
}

#[cfg(test)]
mod tests;
