//! A bucket of an S3-compatible store as a target.
//!
//! Until an object is whole nobody sees it, and another content of the same file takes its
//! place, so a crash at any step leaves one object: the one of before, or this one.

use super::pouring::Pouring;
use super::{Checked, Delivered, Ground, Item, State, Target, Trouble, key_at, say_it_is_there};
use crate::rule::KeyTemplate;
use crate::trouble;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use storage::{MOST_AT_ONCE, ObjectHead, ObjectHeaders, ObjectStore};
use tokio::sync::Semaphore;

/// Under this name the object says which content it is.
const CONTENT: &str = "longshore-content";
/// And under this which file.
const KEY: &str = "longshore-key";
/// The largest object of a store: 5 TiB.
const MOST: u64 = 5 << 40;
/// Files that are put in parts at once, of all syncs: each holds two parts in memory.
static IN_PARTS: Semaphore = Semaphore::const_new(1);

/// A store.
#[derive(Debug)]
pub(crate) struct StoreTarget {
    store: ObjectStore,
    key: KeyTemplate,
}

impl StoreTarget {
    pub(crate) const fn new(store: ObjectStore, key: KeyTemplate) -> Self {
        Self { store, key }
    }

    fn headers(item: &Item) -> ObjectHeaders {
        let mut metadata: BTreeMap<String, String> = item
            .metadata
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), said(value)))
            .collect();
        metadata.insert(KEY.to_owned(), item.key.clone());
        if let Some(content) = &item.content {
            metadata.insert(CONTENT.to_owned(), content.clone());
        }
        let mut headers = ObjectHeaders::default();
        headers.content_type = Some(item.media_type.clone()).filter(|kind| !kind.is_empty());
        headers.metadata = metadata;
        headers
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
            if head.is_some_and(|head| is_it(&head, item)) {
                say_it_is_there(ground, item);
                return Ok(Delivered::ready(&key));
            }
        }
        ground
            .record(State::Intended, &json!({ "key": key }))
            .await?;
        let etag = if item.size > MOST_AT_ONCE {
            self.put_in_parts(&key, item, ground).await?
        } else {
            self.put(&key, item, ground).await?
        };
        let known = json!({ "key": key, "etag": etag });
        ground.record(State::Uploaded, &known).await?;
        Ok(Delivered::ready(&key))
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

    async fn remove(&self, known: &Value) -> Result<(), Trouble> {
        let Some(key) = known_key(known) else {
            return Ok(());
        };
        let removed = self.store.delete(key).await;
        removed.map_err(|error| trouble::of_store(&error))
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
        let (store, headers) = (&self.store, &Self::headers(item));
        let mut source = Pouring::open(ground, 0, item.size).await?;
        let sent = source.pour(Bytes::new(), item.size, Bytes::new(), |body| async move {
            let sent = store.put_streamed(key, body, headers).await;
            sent.map_err(|error| trouble::of_store(&error))
        });
        sent.await
    }

    /// Puts a file that is too large for that, two parts of it in memory; its ETag.
    async fn put_in_parts(
        &self,
        key: &str,
        item: &Item,
        ground: &dyn Ground,
    ) -> Result<String, Trouble> {
        // Never closed. It ends with the delivery, as the file before it does.
        let _turn = IN_PARTS.acquire().await;
        let mut writer = self.store.writer(key, Self::headers(item));
        let mut content = ground.open(0).await?;
        while let Some(piece) = content.next().await {
            let written = writer.write(piece?).await;
            written.map_err(|error| trouble::of_store(&error))?;
            ground.arrived(writer.position());
        }
        let sealed = writer.seal().await;
        let sealed = sealed.map_err(|error| trouble::of_store(&error))?;
        if sealed.size != item.size {
            return Err(trouble::changed());
        }
        let etag = sealed.place().await;
        etag.map_err(|error| trouble::of_store(&error))
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
