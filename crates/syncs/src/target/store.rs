//! A bucket of an S3-compatible store as a target.
//!
//! Until an object is whole nobody sees it, and another content of the same file takes its
//! place, so a crash at any step leaves one object: the one of before, or this one.

mod parts;

pub(crate) use parts::InParts;

use super::pouring::Pouring;
use super::{
    Checked, Delivered, Ground, Item, Receipt, Removed, State, Target, Trouble, foreseen_at,
    key_at, say_it_is_there,
};
use crate::rule::KeyTemplate;
use crate::trouble;
use async_trait::async_trait;
use bytes::Bytes;
use parts::Upload;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use storage::{ObjectError, ObjectHead, ObjectHeaders, ObjectStore};

/// Under this name the object says which content it is.
const CONTENT: &str = "longshore-content";
/// And under this which file.
const KEY: &str = "longshore-key";
/// And under this which sync has put it.
const SYNC: &str = "longshore-sync";
/// The largest object of a store: 5 TiB.
const MOST: u64 = 5 << 40;

/// A store.
#[derive(Debug)]
pub(crate) struct StoreTarget {
    store: ObjectStore,
    key: KeyTemplate,
    /// What the sync is named by at its targets, see [`crate::owner`].
    owner: String,
    in_parts: InParts,
    /// Whether what goes there is hashed, though its source names an MD5 of it: once one
    /// was another than the target's.
    hashes: AtomicBool,
}

impl StoreTarget {
    pub(crate) fn new(
        store: ObjectStore,
        key: KeyTemplate,
        owner: &str,
        in_parts: InParts,
    ) -> Self {
        Self {
            store,
            key,
            owner: owner.to_owned(),
            in_parts,
            hashes: AtomicBool::new(false),
        }
    }

    fn headers(&self, item: &Item) -> ObjectHeaders {
        let mut metadata: BTreeMap<String, String> = item
            .metadata
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), said(value)))
            .collect();
        metadata.insert(KEY.to_owned(), item.key.clone());
        metadata.insert(SYNC.to_owned(), self.owner.clone());
        if let Some(content) = &item.content {
            metadata.insert(CONTENT.to_owned(), content.clone());
        }
        let mut headers = ObjectHeaders::default();
        headers.content_type = Some(item.media_type.clone()).filter(|kind| !kind.is_empty());
        headers.metadata = metadata;
        headers
    }

    /// Whether it says of itself that this sync has put it.
    fn is_ours(&self, head: &ObjectHead) -> bool {
        head.headers.metadata.get(SYNC) == Some(&self.owner)
    }
}

/// A value of metadata as a header says it.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Whether an object is this very content: by what it says of itself, which only an object
/// that was put by a sync does.
fn is_it(head: &ObjectHead, item: &Item) -> bool {
    let of = |name: &str| head.headers.metadata.get(name).map(String::as_str);
    head.size == item.size
        && item.content.is_some()
        && of(CONTENT) == item.content.as_deref()
        && of(KEY) == Some(item.key.as_str())
}

fn known_key(known: &Value) -> Option<&str> {
    known.get("key").and_then(Value::as_str)
}

#[async_trait]
impl Target for StoreTarget {
    fn unfit(&self, item: &Item) -> Option<String> {
        if item.size > MOST {
            return Some("it is larger than any object of a store, which has 5 TiB".to_owned());
        }
        key_at(&self.key, item).err()
    }

    async fn deliver(
        &self,
        item: &Item,
        known: Option<(State, &Value)>,
        ground: &dyn Ground,
    ) -> Result<Delivered, Trouble> {
        let key = key_at(&self.key, item).map_err(|reason| Trouble::Refused { reason })?;
        if known.is_some() {
            // An attempt of before may have put it and not lived to say so.
            let head = self.store.head(&key).await;
            let head = head.map_err(|error| trouble::of_store(&error))?;
            if let Some(head) = head.filter(|head| is_it(head, item)) {
                say_it_is_there(ground, item);
                let known = json!({ "key": key, "etag": head.etag });
                return Ok(Delivered::known(&key, known));
            }
        }
        let begun = match known.and_then(|(_, known)| Upload::of(known)) {
            Some((of, upload)) if of == key && self.in_parts.takes(item.size) => Some(upload),
            Some((of, upload)) => {
                self.give_up(of, &upload).await?;
                None
            }
            None => {
                if self.in_parts.takes(item.size) {
                    self.give_up_unrecorded(known).await;
                }
                None
            }
        };
        if begun.is_none() {
            let intended = json!({ "key": key });
            ground.record(State::Intended, &intended).await?;
        }
        let etag = if self.in_parts.takes(item.size) {
            self.put_in_parts(&key, item, begun, ground).await?
        } else {
            self.put(&key, item, ground).await?
        };
        let known = json!({ "key": key, "etag": etag });
        Ok(Delivered::known(&key, known))
    }

    fn foresee(&self, item: &Item) -> Result<Option<Receipt>, String> {
        foreseen_at(&self.key, item)
    }

    async fn look(&self, item: &Item, known: &Value) -> Result<Option<Delivered>, Trouble> {
        let Some(key) = known_key(known) else {
            return Ok(None);
        };
        let head = self.store.head(key).await;
        let head = head.map_err(|error| trouble::of_store(&error))?;
        let etag = known.get("etag").and_then(Value::as_str);
        let same = |head: &ObjectHead| is_it(head, item) || Some(head.etag.as_str()) == etag;
        Ok(head.filter(same).map(|_| Delivered::ready(key)))
    }

    fn replaces(&self) -> bool {
        true
    }

    async fn abandon(&self, known: &Value) -> Result<(), Trouble> {
        match Upload::of(known) {
            Some((key, upload)) => self.give_up(key, &upload).await,
            None => {
                self.give_up_unrecorded(Some((State::Intended, known)))
                    .await;
                Ok(())
            }
        }
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        self.abandon(known).await?;
        let Some(key) = known_key(known) else {
            return Ok(Removed::Gone);
        };
        let head = self.store.head(key).await;
        let Some(there) = head.map_err(|error| trouble::of_store(&error))? else {
            return Ok(Removed::Gone);
        };
        let etag = known.get("etag").and_then(Value::as_str);
        if etag != Some(there.etag.as_str()) && !self.is_ours(&there) {
            return Ok(Removed::Left);
        }
        let removed = self.store.delete(key).await;
        removed.map_err(|error| trouble::of_store(&error))?;
        Ok(Removed::Gone)
    }

    async fn check(&self) -> Vec<Checked> {
        let bucket = self.store.bucket();
        let listed = self.store.list("", None, 1).await;
        let listed = Checked {
            what: format!("Target bucket `{bucket}`"),
            missing: listed.err().map(|error| error.to_string()),
        };
        if listed.missing.is_some() {
            return vec![listed];
        }
        vec![
            listed,
            Checked {
                what: format!("Writing to the target bucket `{bucket}`"),
                missing: self.write_and_remove().await.err(),
            },
        ]
    }
}

impl StoreTarget {
    /// Puts a file in one request as it comes; its ETag.
    async fn put(&self, key: &str, item: &Item, ground: &dyn Ground) -> Result<String, Trouble> {
        let (store, headers) = (&self.store, &self.headers(item));
        let hashed = self.hashes.load(Ordering::Relaxed);
        let md5 = item.md5.as_deref().filter(|_| !hashed);
        let mut source = Pouring::open(ground, 0, item.size).await?;
        let sent = source.pour(Bytes::new(), item.size, Bytes::new(), |body| async move {
            Ok(store.put_streamed(key, body, headers, md5).await)
        });
        sent.await?.map_err(|error| {
            if matches!(error, ObjectError::Garbled) {
                // It may be that the source's words are no MD5.
                self.hashes.store(true, Ordering::Relaxed);
            }
            trouble::of_store(&error)
        })
    }

    async fn write_and_remove(&self) -> Result<(), String> {
        let key = format!(".longshore/check-{}", uuid::Uuid::now_v7().simple());
        let put = self
            .store
            .put(
                &key,
                Bytes::from_static(b"check"),
                &ObjectHeaders::default(),
            )
            .await;
        put.map_err(|error| error.to_string())?;
        let removed = self.store.delete(&key).await;
        removed.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
