//! What happens to files by the clock.

mod clear;
mod reconcile;
mod sweep;
mod take_in;
mod tell;

pub use clear::{ClearStore, ClearStoreInput};
pub use reconcile::{Reconcile, ReconcileInput};
pub use sweep::{SweepFiles, SweepInput};
pub use take_in::{TakeIn, TakeInInput};
pub use tell::{TellInput, TellWebhook};

use crate::{Files, sql};
use operations::{Failure, Kind, Missed, NewSchedule, RetryPolicy, Timing};
use std::time::Duration;

/// How long an event may wait before somebody else sees to it.
const LATE: Duration = Duration::from_secs(300);
/// How long an event waits for a webhook that does not take it.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);
/// For another side that may be away overnight. A wait is half of the longest one, by and large:
/// the first eleven come to half an hour, and the 48 that may last an hour to a day.
const PATIENT: RetryPolicy =
    RetryPolicy::exponential(60, Duration::from_secs(2), Duration::from_secs(3600));

fn failure(error: crate::Error) -> Failure {
    match error {
        crate::Error::Storage(error) => error.into(),
        error => Failure::passing("files", error.to_string()),
    }
}

impl Files {
    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> (SweepFiles, TellWebhook, TakeIn, Reconcile, ClearStore) {
        let of = || self.clone();
        (
            SweepFiles(of()),
            TellWebhook(of()),
            TakeIn(of()),
            Reconcile(of()),
            ClearStore(of()),
        )
    }

    /// Has told what waits for longer than it should: who was to see to it is gone. What
    /// nobody took for too long is forgotten.
    async fn wake_late(&self) -> storage::Result<()> {
        sql::event::forget(self.db(), self.now().minus(FORGOTTEN)).await?;
        let late = sql::event::waiting(self.db(), self.now().minus(LATE)).await?;
        for webhook in self.buckets().all_webhooks() {
            if webhook.enabled && late.contains(&webhook.id) {
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
