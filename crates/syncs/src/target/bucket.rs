//! A bucket of this server as a target. A file is put at its path all at once, in the place
//! of what was there.

use super::{
    Checked, Delivered, Ground, Item, Receipt, Removed, State, Target, Trouble, foreseen_at,
    key_at, say_it_is_there,
};
use crate::buckets::{BucketFile, BucketPlace, Buckets};
use crate::rule::KeyTemplate;
use async_trait::async_trait;
use base::SyncId;
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Under this name the file says which content it is, and whose.
const SYNC: &str = "longshore_sync";

/// A bucket.
#[derive(Debug)]
pub(crate) struct BucketTarget {
    buckets: Arc<dyn Buckets>,
    bucket: String,
    key: KeyTemplate,
    sync: SyncId,
    owner: String,
}

impl BucketTarget {
    pub(crate) fn new(
        buckets: Arc<dyn Buckets>,
        (bucket, key): (String, KeyTemplate),
        (sync, owner): (SyncId, &str),
    ) -> Self {
        Self {
            buckets,
            bucket,
            key,
            sync,
            owner: owner.to_owned(),
        }
    }

    fn place<'a>(&'a self, path: &'a str) -> BucketPlace<'a> {
        BucketPlace {
            bucket: &self.bucket,
            path,
            sync: self.sync,
        }
    }

    fn mark(&self, item: &Item) -> Value {
        json!({ "sync": self.owner, "key": item.key, "content": item.content })
    }

    /// Whether it says of itself that this sync has put it.
    fn is_ours(&self, file: &BucketFile) -> bool {
        let said = file.metadata.get(SYNC).and_then(|said| said.get("sync"));
        said.and_then(Value::as_str) == Some(self.owner.as_str())
    }

    fn is_it(&self, file: &BucketFile, item: &Item) -> bool {
        file.size == item.size
            && item.content.is_some()
            && file.metadata.get(SYNC) == Some(&self.mark(item))
    }
}

fn known_path(known: &Value) -> Option<&str> {
    known.get("path").and_then(Value::as_str)
}

#[async_trait]
impl Target for BucketTarget {
    fn unfit(&self, item: &Item) -> Option<String> {
        key_at(&self.key, item).err()
    }

    async fn deliver(
        &self,
        item: &Item,
        known: Option<(State, &Value)>,
        ground: &dyn Ground,
    ) -> Result<Delivered, Trouble> {
        let path = key_at(&self.key, item).map_err(|reason| Trouble::Refused { reason })?;
        if known.is_some() {
            let there = self.buckets.look(&self.bucket, &path).await?;
            if there.is_some_and(|file| self.is_it(&file, item)) {
                say_it_is_there(ground, item);
                return Ok(Delivered::ready(&path));
            }
        }
        ground
            .record(State::Intended, &json!({ "path": path }))
            .await?;
        let content = ground.open(0).await?;
        let mut said: BTreeMap<String, Value> = item.metadata.clone();
        said.insert(SYNC.to_owned(), self.mark(item));
        let put = self
            .buckets
            .put(self.place(&path), item, said, content.boxed())
            .await?;
        ground.arrived(item.size);
        let known = json!({ "path": path, "etag": put.etag });
        ground.record(State::Uploaded, &known).await?;
        Ok(Delivered::ready(&path))
    }

    fn foresee(&self, item: &Item) -> Result<Option<Receipt>, String> {
        foreseen_at(&self.key, item)
    }

    async fn look(&self, item: &Item, known: &Value) -> Result<Option<Delivered>, Trouble> {
        let Some(path) = known_path(known) else {
            return Ok(None);
        };
        let there = self.buckets.look(&self.bucket, path).await?;
        let etag = known.get("etag").and_then(Value::as_str);
        let same = |file: &BucketFile| self.is_it(file, item) || Some(file.etag.as_str()) == etag;
        Ok(there.filter(same).map(|_| Delivered::ready(path)))
    }

    fn replaces(&self) -> bool {
        true
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        let Some(path) = known_path(known) else {
            return Ok(Removed::Gone);
        };
        let Some(there) = self.buckets.look(&self.bucket, path).await? else {
            return Ok(Removed::Gone);
        };
        let etag = known.get("etag").and_then(Value::as_str);
        if etag != Some(there.etag.as_str()) && !self.is_ours(&there) {
            return Ok(Removed::Left);
        }
        self.buckets.delete(self.place(path)).await?;
        Ok(Removed::Gone)
    }

    async fn check(&self) -> Vec<Checked> {
        let listed = self.buckets.list(&self.bucket, "", None, 1).await;
        vec![Checked {
            what: format!("Target bucket `{}` of this server", self.bucket),
            missing: listed.err().map(|trouble| trouble.to_string()),
        }]
    }
}
