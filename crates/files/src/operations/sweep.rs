//! Removing what nobody needs any more, every hour.

use super::failure;
use crate::bucket::Bucket;
use crate::{Files, sql};
use operations::{Context, Failure, Kind, Outcome, Settings};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::time::Duration;
use storage::BlobName;

/// How long bytes that no file names are left alone: a file may be about to.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);
/// How long a turn at a path of a store is remembered after its end, where it was not given back.
const LEFT: Duration = Duration::from_secs(3600);
/// Rows looked at between two looks at whether to stop.
const BATCH: usize = 100;

/// Empties the trash of what has been there long enough, forgets uploads with which nobody
/// goes on, and removes bytes that no file names: what a crash between the one and the
/// other left.
#[derive(Clone, Debug)]
pub struct SweepFiles(pub(crate) Files);

/// Nothing to say.
#[derive(Debug, Serialize, Deserialize)]
pub struct SweepInput {}

impl Kind for SweepFiles {
    const NAME: &'static str = "file-sweep";
    type Input = SweepInput;

    fn settings(&self) -> Settings {
        Settings::new("Empty the trash")
            .limit(1)
            .resumable()
            .keep(operations::Retained {
                count: 50,
                ..operations::Retained::default()
            })
    }

    async fn run(&self, _input: SweepInput, context: Context) -> Result<Outcome, Failure> {
        let removed = self.empty_trash(&context).await?;
        let given_up = self.expire_parted(&context).await?;
        self.0.blobs().sweep_incoming(ORPHANED).await?;
        let expired = self.expire_uploads(&context).await?;
        sql::claim::sweep(self.0.db(), LEFT).await?;
        sql::room::sweep(self.0.db()).await?;
        self.sweep_sharing().await?;
        let orphans = self.sweep_orphans(&context).await? + self.sweep_stores(&context).await?;
        self.0.wake_late().await?;
        self.0.forget_changes().await?;
        self.0.take_in_late().await.map_err(failure)?;
        context
            .log(format!(
                "{removed} files of the trash were removed for good; {expired} uploads had expired; \
                 {given_up} uploads in parts were given up; {orphans} contents had no file."
            ))
            .await;
        Ok(serde_json::json!({
            "removed": removed,
            "expired": expired,
            "given_up": given_up,
            "orphans": orphans,
        }))
    }
}

impl SweepFiles {
    /// Empties the trash of every bucket. Of one whose store cannot be asked, too: what is left
    /// in the store has no file any more, and goes with what has none.
    async fn empty_trash(&self, context: &Context) -> Result<u64, Failure> {
        let mut removed = 0;
        for bucket in self.0.buckets().all() {
            removed += self.empty(&bucket, context).await?;
        }
        Ok(removed)
    }

    async fn empty(&self, bucket: &Bucket, context: &Context) -> Result<u64, Failure> {
        let kept = Duration::from_secs(bucket.trash_seconds);
        let before = self.0.now().minus(kept);
        let mut removed = 0;
        loop {
            context.check()?;
            let overdue = sql::file::overdue(self.0.db(), bucket.id, before, BATCH).await?;
            if overdue.is_empty() {
                return Ok(removed);
            }
            for id in overdue {
                let purged = self.0.purge(bucket, id).await;
                removed += u64::from(purged.map_err(failure)?);
            }
        }
    }

    async fn expire_uploads(&self, context: &Context) -> Result<u64, Failure> {
        let (mut after, mut expired) = (None, 0);
        loop {
            context.check()?;
            let (last, some) = self.0.expire_uploads(after, BATCH).await.map_err(failure)?;
            expired += some;
            if last.is_none() {
                break;
            }
            after = last;
        }
        self.0.sweep_partial(ORPHANED).await.map_err(failure)?;
        Ok(expired)
    }

    /// Signatures that opened nothing any more for a day, and shares for a month.
    async fn sweep_sharing(&self) -> Result<(), Failure> {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let (db, now) = (self.0.db(), self.0.now());
        sql::signature::sweep(db, now.minus(DAY)).await?;
        sql::share::sweep_places(db, now.minus(crate::share::GOES_ON)).await?;
        sql::share::sweep(db, now.minus(DAY * 30)).await?;
        Ok(())
    }

    /// Gives up what has come in parts for too long.
    async fn expire_parted(&self, context: &Context) -> Result<u64, Failure> {
        let mut given_up = 0;
        loop {
            context.check()?;
            let before = self.0.now().minus(self.0.settings().parts_expire_in);
            let overdue = sql::parted::overdue(self.0.db(), before, BATCH).await?;
            if overdue.is_empty() {
                return Ok(given_up);
            }
            for id in overdue {
                given_up += u64::from(self.0.forget_parted(id).await.map_err(failure)?);
            }
        }
    }

    async fn sweep_orphans(&self, context: &Context) -> Result<u64, Failure> {
        let (sender, mut names) = tokio::sync::mpsc::channel::<BlobName>(BATCH);
        let blobs = self.0.blobs().clone();
        let listing = self.0.tasks().spawn(async move {
            blobs
                .list(move |name, _| match sender.blocking_send(name) {
                    Ok(()) => ControlFlow::Continue(()),
                    // Nobody listens any more: the rest is left for the next time.
                    Err(_) => ControlFlow::Break(()),
                })
                .await
        });
        let mut orphans = 0;
        let mut batch = Vec::new();
        while names.recv_many(&mut batch, BATCH).await > 0 {
            context.check()?;
            batch.retain(|name| self.0.now().since(name.created_at()) > ORPHANED);
            for name in sql::file::unnamed(self.0.db(), &batch).await? {
                // One that came for long has just come: its row is about to be.
                if self.0.blobs().is_untouched(name, ORPHANED).await? {
                    self.0.blobs().delete(name).await?;
                    orphans += 1;
                }
            }
            batch.clear();
        }
        listing
            .await
            .map_err(|_| Failure::passing("stopped", "Longshore stopped while it swept."))??;
        Ok(orphans)
    }

    /// The same in the stores of buckets. One that cannot be asked keeps no other from being
    /// swept.
    async fn sweep_stores(&self, context: &Context) -> Result<u64, Failure> {
        let mut removed = 0;
        for bucket in self.0.buckets().all() {
            context.check()?;
            match self.sweep_store(&bucket, context).await? {
                Ok(some) => removed += some,
                Err(error) => {
                    let text = format!("The store of {} could not be swept: {error}.", bucket.name);
                    context.log(text).await;
                }
            }
        }
        Ok(removed)
    }

    async fn sweep_store(
        &self,
        bucket: &Bucket,
        context: &Context,
    ) -> Result<crate::Result<u64>, Failure> {
        let files = &self.0;
        let (mut removed, mut after) = (0, None);
        let before = files.now().minus(ORPHANED);
        loop {
            context.check()?;
            let swept = files.sweep_store(bucket, before, after.as_deref()).await;
            let swept = match swept {
                Ok(swept) => swept,
                Err(error) => return Ok(Err(error)),
            };
            removed += swept.removed;
            after = swept.next;
            if after.is_none() {
                break;
            }
        }
        let before = files.now().minus(files.settings().parts_expire_in);
        loop {
            context.check()?;
            match files.give_up_unfinished(bucket, before, BATCH).await {
                Ok(given_up) if given_up < BATCH => return Ok(Ok(removed)),
                Ok(_) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}
