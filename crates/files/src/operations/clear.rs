//! Removing what a bucket that is gone kept in its store beside its files.

use super::failure;
use crate::Files;
use crate::bucket::{Bucket, Storage};
use crate::store::clear_page;
use access::Doer;
use base::{BucketId, Trigger};
use operations::{Context, Failure, Kind, NewOperation, Outcome, RetryPolicy, Settings, Submitted};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use storage::Tx;

/// With their waits between, some hours.
const ATTEMPTS: u32 = 12;

/// Removes what a bucket kept in its store under Longshore's own names: contents of the past,
/// and bytes of uploads. Nothing else knows of them once the bucket is gone, so this goes on
/// until there are none.
#[derive(Clone, Debug)]
pub struct ClearStore(pub(crate) Files);

/// Of which bucket, and where that lay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClearStoreInput {
    /// The bucket that is gone.
    pub bucket: BucketId,
    /// Its store.
    pub storage: Storage,
}

impl Kind for ClearStore {
    const NAME: &'static str = "bucket-clear";
    type Input = ClearStoreInput;

    fn settings(&self) -> Settings {
        Settings::new("Clear a store")
            .limit(2)
            .resumable()
            .scope("files:write")
            .retry(RetryPolicy::exponential(
                ATTEMPTS,
                Duration::from_secs(5),
                Duration::from_secs(3600),
            ))
    }

    async fn run(&self, input: ClearStoreInput, context: Context) -> Result<Outcome, Failure> {
        let store = self.0.open_store(&input.storage).await.map_err(failure)?;
        let mut removed = 0;
        while let Some(store) = &store {
            // A store that is silent holds up nobody who wants this to end.
            let page = tokio::select! {
                page = clear_page(store, input.bucket) => page.map_err(failure)?,
                () = context.cancelled().cancelled() => return Err(Failure::cancelled()),
            };
            removed += page.removed;
            if page.next.is_none() {
                break;
            }
        }
        context
            .log(format!("{removed} contents were removed."))
            .await;
        Ok(serde_json::json!({ "removed": removed }))
    }
}

impl Files {
    /// Has the store of a bucket cleared that is being removed; nothing where its bytes are on
    /// the disk. Announce it when the bucket is gone.
    pub(crate) async fn clear_in(
        &self,
        tx: &mut Tx,
        by: &Doer,
        bucket: &Bucket,
    ) -> crate::Result<Option<Submitted>> {
        if matches!(bucket.storage, Storage::Disk {}) {
            return Ok(None);
        }
        let input = ClearStoreInput {
            bucket: bucket.id,
            storage: bucket.storage.clone(),
        };
        let new = NewOperation::of::<ClearStore>(&input, by.actor().clone(), Trigger::System)?
            .title(format!("Clear what {} kept in its store", bucket.name))
            .subject(format!("bucket:{}", bucket.name));
        Ok(Some(self.operations().submit_in(tx, new).await?))
    }
}
