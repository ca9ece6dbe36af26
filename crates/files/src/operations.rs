//! What happens to files by the clock.

mod reconcile;
mod take_in;
mod tell;

pub use reconcile::{Reconcile, ReconcileInput};
pub use take_in::{TakeIn, TakeInInput};
pub use tell::{TellInput, TellWebhook};

use crate::{Files, sql};
use operations::{Context, Failure, Kind, Missed, NewSchedule, Outcome, Settings, Timing};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use storage::BlobName;

/// How long bytes that no file names are left alone: a file may be about to.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);
/// How long an event may wait before somebody else sees to it.
const LATE: Duration = Duration::from_secs(300);
/// How long an event waits for a webhook that does not take it.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);
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
        self.sweep_sharing().await?;
        let orphans = self.sweep_orphans(&context).await?;
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
    async fn empty_trash(&self, context: &Context) -> Result<u64, Failure> {
        let mut removed = 0;
        for bucket in self.0.buckets().all() {
            let kept = Duration::from_secs(bucket.trash_seconds);
            let before = self.0.now().minus(kept);
            loop {
                context.check()?;
                let overdue = sql::file::overdue(self.0.db(), bucket.id, before, BATCH).await?;
                if overdue.is_empty() {
                    break;
                }
                for id in overdue {
                    removed += u64::from(self.0.purge(&bucket, id).await.map_err(failure)?);
                }
            }
        }
        Ok(removed)
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
                .list(move |name, _| {
                    // Nobody listens any more: the rest is left for the next time.
                    let _ = sender.blocking_send(name);
                })
                .await
        });
        let mut orphans = 0;
        let mut batch = Vec::new();
        while names.recv_many(&mut batch, BATCH).await > 0 {
            context.check()?;
            batch.retain(|name| self.0.now().since(name.created_at()) > ORPHANED);
            for name in sql::file::unnamed(self.0.db(), &batch).await? {
                self.0.blobs().delete(name).await?;
                orphans += 1;
            }
            batch.clear();
        }
        listing
            .await
            .map_err(|_| Failure::passing("stopped", "Longshore stopped while it swept."))??;
        Ok(orphans)
    }
}

fn failure(error: crate::Error) -> Failure {
    match error {
        crate::Error::Storage(error) => error.into(),
        error => Failure::passing("files", error.to_string()),
    }
}

impl Files {
    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> (SweepFiles, TellWebhook, TakeIn, Reconcile) {
        let of = || self.clone();
        (
            SweepFiles(of()),
            TellWebhook(of()),
            TakeIn(of()),
            Reconcile(of()),
        )
    }

    /// Has told what waits for longer than it should: who was to see to it is gone. What
    /// nobody took for too long is forgotten.
    async fn wake_late(&self) -> storage::Result<()> {
        sql::event::forget(self.db(), self.now().minus(FORGOTTEN)).await?;
        let late = sql::event::waiting(self.db(), self.now().minus(LATE)).await?;
        for webhook in self.buckets().all_webhooks() {
            if late.contains(&webhook.id) {
                sql::event::end_waiting(self.db(), webhook.id).await?;
                self.wake(&webhook).await;
            }
        }
        Ok(())
    }

    /// Sees to it that the trash is emptied, and uploads expire, every hour.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedule_sweep(&self) -> operations::Result<()> {
        let name = "file-sweep"
            .parse()
            .map_err(|_| operations::Error::Stored("name"))?;
        self.operations()
            .ensure_schedule(NewSchedule {
                name,
                kind: SweepFiles::NAME.to_owned(),
                title: String::new(),
                input: serde_json::json!({}),
                timing: Timing::parse("7 * * * *", "UTC")?,
                missed: Missed::RunOnce,
                enabled: true,
            })
            .await
    }
}
