//! Removing bundles whose time is over, and bytes that no bundle owns.

use crate::{Bundles, sql};
use operations::{Context, Failure, Kind, Missed, NewSchedule, Outcome, Settings, Timing};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::time::Duration;
use storage::BlobName;
use tokio_util::task::AbortOnDropHandle;

/// How long a blob that no bundle owns is left alone: its bundle may be about to.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);

/// Removes bundles whose time is over, and bytes that no bundle owns.
#[derive(Clone, Debug)]
pub struct ExpireBundles(pub(crate) Bundles);

/// Nothing to say.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireInput {}

impl Kind for ExpireBundles {
    const NAME: &'static str = "bundle-expiry";
    type Input = ExpireInput;

    fn settings(&self) -> Settings {
        Settings::new("Remove expired bundles")
            .limit(1)
            .resumable()
            .keep(operations::Retained {
                count: 50,
                ..operations::Retained::default()
            })
    }

    async fn run(&self, _input: ExpireInput, context: Context) -> Result<Outcome, Failure> {
        let bundles = &self.0;
        let (mut removed, mut freed) = (0_u64, 0_u64);
        loop {
            context.check()?;
            let expired = sql::expired(bundles.db(), bundles.now(), 100).await?;
            if expired.is_empty() {
                break;
            }
            for (id, blob, size) in expired {
                sql::forget_blob(bundles.db(), id).await?;
                bundles.blobs().delete(blob).await?;
                removed += 1;
                freed += size;
            }
        }
        bundles.retire().await?;
        bundles.blobs().sweep_incoming(ORPHANED).await?;
        let orphans = self.sweep_orphans(&context).await?;
        context
            .log(format!(
                "{removed} bundles expired, {freed} bytes came free; {orphans} blobs had no owner."
            ))
            .await;
        Ok(serde_json::json!({ "expired": removed, "freed": freed, "orphans": orphans }))
    }
}

impl ExpireBundles {
    /// Removes blobs that no bundle owns: what a crash between the two left behind.
    async fn sweep_orphans(&self, context: &Context) -> Result<u64, Failure> {
        let (sender, mut names) = tokio::sync::mpsc::channel::<BlobName>(256);
        let blobs = self.0.blobs().clone();
        let listing = AbortOnDropHandle::new(tokio::spawn(async move {
            blobs
                .list(move |name, _| match sender.blocking_send(name) {
                    Ok(()) => ControlFlow::Continue(()),
                    // Nobody listens any more: the rest is left for the next time.
                    Err(_) => ControlFlow::Break(()),
                })
                .await
        }));
        let mut orphans = 0;
        while let Some(name) = names.recv().await {
            context.check()?;
            let old = self.0.now().since(name.created_at()) > ORPHANED;
            if old && !sql::owns(self.0.db(), name).await? {
                self.0.blobs().delete(name).await?;
                orphans += 1;
            }
        }
        listing
            .await
            .map_err(|_| Failure::passing("stopped", "Longshore stopped while it swept."))??;
        Ok(orphans)
    }
}

impl Bundles {
    /// Sees to it that expired bundles are removed every quarter of an hour.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedule_expiry(&self) -> operations::Result<()> {
        let name = "bundle-expiry"
            .parse()
            .map_err(|_| operations::Error::Stored("name"))?;
        self.operations()
            .ensure_schedule(NewSchedule {
                name,
                kind: ExpireBundles::NAME.to_owned(),
                title: String::new(),
                input: serde_json::json!({}),
                timing: Timing::parse("*/15 * * * *", "UTC")?,
                missed: Missed::RunOnce,
                enabled: true,
            })
            .await
    }
}
