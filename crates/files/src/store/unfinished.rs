//! What this server has begun in parts in a bucket's store: it is written down, so that it
//! is given up after a crash, and nothing that others have begun is touched.

use crate::bucket::Bucket;
use crate::{Files, Result, sql};
use base::{BucketId, SharedClock, Timestamp};
use std::sync::Arc;
use storage::{Db, Ledger};

/// Writes it down for one bucket.
#[derive(Debug)]
struct Begun {
    db: Db,
    clock: SharedClock,
    bucket: BucketId,
}

#[async_trait::async_trait]
impl Ledger for Begun {
    async fn begun(&self, key: &str, id: &str) {
        let now = self.clock.now();
        let noted = sql::unfinished::insert(&self.db, self.bucket, (key, id), now).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "what was begun in the bucket's store could not be written down");
        }
    }

    async fn ended(&self, id: &str) {
        // What stays written down is given up later, in vain.
        if let Err(error) = sql::unfinished::delete(&self.db, self.bucket, id).await {
            tracing::debug!(%error, "what has ended in the bucket's store stays written down");
        }
    }
}

impl Files {
    pub(super) fn ledger(&self, bucket: BucketId) -> Arc<dyn Ledger> {
        Arc::new(Begun {
            db: self.db().clone(),
            clock: self.clock(),
            bucket,
        })
    }

    /// Gives up what was begun in parts in the bucket's store before `before`: who began it
    /// is gone. How many that were.
    pub(crate) async fn give_up_unfinished(
        &self,
        bucket: &Bucket,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        let Some(store) = self.store(bucket).await? else {
            return Ok(0);
        };
        let overdue = sql::unfinished::overdue(self.db(), bucket.id, before, limit).await?;
        for (key, id) in &overdue {
            match store.abort_multipart(key, id).await {
                Ok(()) => {}
                Err(error) if error.is_passing() => return Err(error.into()),
                // Asked again, the store would say the same: its own rule has to do.
                Err(error) => {
                    tracing::warn!(%error, "an upload to the bucket's store could not be given up");
                }
            }
            sql::unfinished::delete(self.db(), bucket.id, id).await?;
        }
        Ok(overdue.len())
    }
}
