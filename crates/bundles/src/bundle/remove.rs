//! Removing bundles: by a person, and with the records of their operations.

use crate::error::{Error, Result};
use crate::{Bundles, sql};
use access::{AuditEntry, Caller, Doer};
use base::{BundleId, OperationId};
use std::time::Duration;

/// How long a cancelled bundle may take to end: a function is dropped some seconds
/// after it was cancelled.
const ENDING: Duration = Duration::from_secs(15);
/// Rows that are looked at in one go.
const PAGE: usize = 500;

impl Bundles {
    /// Deletes a bundle and its bytes; one that is being made is cancelled first.
    /// The bytes that came free.
    ///
    /// # Errors
    /// When there is none, or the disk refuses.
    pub async fn delete(&self, id: BundleId, caller: &Caller) -> Result<u64> {
        self.stored(id).await?;
        self.end(id, caller).await?;
        // Read now: it may have been finished meanwhile.
        let stored = self.stored(id).await?;
        let size = stored.blob.and(stored.size);
        let gone = AuditEntry::new(
            &Doer::from(caller),
            "bundle.deleted",
            format!("bundle:{id}"),
        )
        .before(serde_json::json!({ "name": stored.name, "size": size }));
        let mut tx = self.db().begin().await?;
        if !sql::delete_in(&mut tx, id).await? {
            return Err(Error::NoBundle(id));
        }
        self.access().audit_in(&mut tx, gone).await?;
        tx.commit().await?;
        if let Some(blob) = stored.blob {
            self.blobs().delete(blob).await?;
        }
        Ok(size.unwrap_or(0))
    }

    /// Cancels its operation, and waits for its end.
    async fn end(&self, id: BundleId, caller: &Caller) -> Result<()> {
        let operation = OperationId::from(id);
        match self.operations().cancel(operation, &caller.actor()).await {
            Ok(_) => {
                let ended = self.operations().wait(operation);
                tokio::time::timeout(ENDING, ended)
                    .await
                    .map_err(|_| Error::NotReady)??;
                Ok(())
            }
            Err(operations::Error::State { .. } | operations::Error::NoOperation(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the rows whose operations are not on record any more, but for those of
    /// archives that are still kept. How many.
    pub(crate) async fn retire(&self) -> storage::Result<u64> {
        let (mut removed, mut after) = (0, None);
        loop {
            let page = sql::retired(self.db(), after, PAGE).await?;
            for id in page.retired {
                removed += u64::from(sql::delete(self.db(), id).await?);
            }
            match page.last {
                Some(last) => after = Some(last),
                None => return Ok(removed),
            }
        }
    }
}
