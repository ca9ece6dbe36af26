//! Room for a content in a bucket with limits, taken before its bytes lie in the store: a
//! content that is there by then is not refused because others were quicker.

use crate::bucket::Bucket;
use crate::file::File;
use crate::quota::Counted;
use crate::sql::{room, usage};
use crate::{Files, Result};
use std::time::Duration;
use storage::Tx;
use uuid::Uuid;

/// How long it is held for somebody of whom nothing is heard. A content that is longer on its
/// way is not refused either: then the bucket may hold more than it should.
const LEASE: Duration = Duration::from_secs(15 * 60);

/// Room that nobody else gets. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    files: Files,
    /// Nothing in a bucket without limits.
    id: Option<Uuid>,
}

impl Files {
    /// Takes room for `file`, in the place of what goes for it.
    ///
    /// # Errors
    /// [`Error::Quota`](crate::Error::Quota) when there is none.
    pub(crate) async fn room_for(
        &self,
        bucket: &Bucket,
        file: &File,
        goes: Option<&File>,
    ) -> Result<Room> {
        let nothing = Counted::default();
        self.room_beside(bucket, file, goes, nothing).await
    }

    /// The same where some of its bytes have come and count already.
    pub(crate) async fn room_beside(
        &self,
        bucket: &Bucket,
        file: &File,
        goes: Option<&File>,
        counted: Counted,
    ) -> Result<Room> {
        let mut room = Room {
            files: self.clone(),
            id: None,
        };
        if usage::has_quota(bucket) {
            room.id = Some(room::take(self.db(), bucket, file, goes, counted, LEASE).await?);
        }
        Ok(room)
    }
}

impl Room {
    /// In this transaction the content comes, and is counted by itself.
    pub(crate) async fn use_up(&self, tx: &mut Tx) -> storage::Result<()> {
        match self.id {
            Some(id) => room::use_up(tx, id).await,
            None => Ok(()),
        }
    }

    /// It has come.
    pub(crate) fn was_used(mut self) {
        self.id = None;
    }

    /// It will not come.
    pub(crate) async fn give_back(mut self) {
        if let Some(id) = self.id.take() {
            give_back(&self.files, id).await;
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        if tokio::runtime::Handle::try_current().is_ok() {
            let files = self.files.clone();
            let tasks = self.files.tasks().clone();
            tasks.spawn(async move { give_back(&files, id).await });
        }
    }
}

/// What is not given back comes free by itself.
async fn give_back(files: &Files, id: Uuid) {
    if let Err(error) = room::give_back(files.db(), id).await {
        tracing::debug!(%error, "room in a bucket is given back late");
    }
}
