//! Comparing a bucket with its store, and setting the catalogue right.
//!
//! Both sides list in the order of their keys, so they are walked side by side, a page of
//! each at a time: memory stays the same for millions of files. What differs is not
//! believed but looked at, one by one, as what a store tells of is.

use super::failure;
use super::take_in::AT_ONCE;
use crate::Files;
use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::permit::Permission;
use crate::reconcile::{Difference, Step, compare, place_of};
use crate::tally::{Change, Tally};
use access::Caller;
use futures::{StreamExt, stream};
use operations::{Context, Failure, Kind, Outcome, Place, RetryPolicy, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Keys of one page of either side.
const PAGE: usize = 1000;

/// Compares a bucket with its store.
#[derive(Clone, Debug)]
pub struct Reconcile(pub(crate) Files);

/// Which bucket, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcileInput {
    /// The bucket's name.
    pub bucket: String,
    /// What the keys begin with; all, when absent.
    #[serde(default)]
    pub prefix: String,
    /// Say what would change, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// How far it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Walked {
    /// Up to this key, with it.
    after: String,
    tally: Tally,
    /// Keys of the store that no file can have.
    skipped: u64,
    failed: u64,
}

impl Kind for Reconcile {
    const NAME: &'static str = "reconcile";
    type Input = ReconcileInput;

    fn settings(&self) -> Settings {
        Settings::new("Compare a bucket with its store")
            .limit(2)
            .resumable()
            .schedulable()
            .scope("files:write")
            .retry(RetryPolicy::exponential(
                6,
                Duration::from_secs(2),
                Duration::from_secs(300),
            ))
    }

    async fn place(&self, input: &ReconcileInput) -> Result<Place, storage::Error> {
        // Without the bucket it ends by itself, and says why.
        let bucket = self.0.bucket(&input.bucket).ok();
        Ok(bucket.map_or_else(Place::default, |bucket| place_of(&bucket)))
    }

    async fn run(&self, input: ReconcileInput, context: Context) -> Result<Outcome, Failure> {
        let bucket = self.0.bucket(&input.bucket);
        let bucket = bucket.map_err(|error| Failure::lasting("bucket", error.to_string()))?;
        let walk = Walk {
            files: &self.0,
            bucket,
            input,
            context,
        };
        walk.to_its_end().await
    }
}

impl Files {
    /// Whether this caller may have a bucket compared so: whatever it may find there and
    /// change must be theirs to list, to write and to delete.
    ///
    /// # Errors
    /// [`Error::NoBucket`](crate::Error::NoBucket), and what [`Files::permit`] says.
    pub async fn permit_comparing(
        &self,
        caller: &Caller,
        input: &ReconcileInput,
    ) -> crate::Result<()> {
        let bucket = self.bucket(&input.bucket)?;
        self.permit_correcting(caller, &bucket, &input.prefix).await
    }

    /// The same of what lies below a prefix.
    ///
    /// # Errors
    /// What [`Files::permit`] says.
    pub(crate) async fn permit_correcting(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        prefix: &str,
    ) -> crate::Result<()> {
        for needed in [Permission::List, Permission::Write, Permission::Delete] {
            self.permit(Some(caller), bucket, prefix, needed).await?;
        }
        Ok(())
    }
}

struct Walk<'a> {
    files: &'a Files,
    bucket: Arc<Bucket>,
    input: ReconcileInput,
    context: Context,
}

impl Walk<'_> {
    async fn to_its_end(&self) -> Result<Outcome, Failure> {
        let mut walked: Walked = self.context.restored().unwrap_or_default();
        loop {
            self.context.check()?;
            // A store that is silent holds up nobody who wants it to end.
            let step = tokio::select! {
                step = self.step(&walked.after) => step?,
                () = self.context.cancelled().cancelled() => continue,
            };
            walked.skipped += step.skipped;
            walked.tally.unchanged += step.same;
            self.tell(&walked);
            self.settle(step.differences, &mut walked).await?;
            let Some(next) = step.next else { break };
            walked.after = next;
            self.context.checkpoint(&walked).await?;
        }
        self.end(&walked).await
    }

    /// The next page of both sides.
    async fn step(&self, after: &str) -> Result<Step, Failure> {
        let (bucket, prefix) = (&self.bucket, &self.input.prefix);
        let (theirs, ours) = tokio::try_join!(
            self.files.of_store(bucket, prefix, after, PAGE),
            self.files.of_catalogue(bucket, prefix, after, PAGE),
        )
        .map_err(failure)?;
        compare(after, theirs, ours).map_err(|error| Failure::lasting("order", error.to_string()))
    }

    /// Looks at what differs, and says what it changed.
    async fn settle(
        &self,
        differences: Vec<Difference>,
        walked: &mut Walked,
    ) -> Result<(), Failure> {
        let looks = stream::iter(differences).map(|difference| self.look(difference));
        let mut looks = std::pin::pin!(looks.buffered(AT_ONCE));
        while let Some((key, looked)) = looks.next().await {
            self.context.check()?;
            let text = match &looked {
                Ok(change) => {
                    walked.tally.count(*change);
                    self.said(*change, &key)
                }
                Err(error) => {
                    walked.failed += 1;
                    Some(format!("{key} could not be looked at: {error}."))
                }
            };
            if let Some(text) = text {
                self.context.log(text).await;
            }
            self.tell(walked);
        }
        Ok(())
    }

    /// How many objects are compared. A page of what differs takes long to be looked at, so
    /// this is told for each.
    fn tell(&self, walked: &Walked) {
        self.context.progress(|progress| {
            "objects".clone_into(&mut progress.unit);
            progress.done = walked.tally.all() + walked.skipped + walked.failed;
        });
    }

    async fn look(&self, difference: Difference) -> (FilePath, crate::Result<Change>) {
        let Difference { key, would_be } = difference;
        if self.input.dry_run {
            return (key, Ok(would_be));
        }
        let observed = self.files.observe(&self.bucket, &key).await;
        (key, observed.map(Change::from))
    }

    fn said(&self, change: Change, key: &FilePath) -> Option<String> {
        let verb = match change {
            Change::Added => "added",
            Change::Updated => "updated",
            Change::Removed => "removed",
            // It changed between the list and the look.
            Change::Unchanged => return None,
        };
        let would = if self.input.dry_run { "would be " } else { "" };
        Some(format!("{would}{verb} {key}"))
    }

    async fn end(&self, walked: &Walked) -> Result<Outcome, Failure> {
        let mut text = walked.tally.to_string();
        if walked.skipped > 0 {
            text.push_str(&format!(
                "; {} keys of the store cannot be paths of files",
                walked.skipped
            ));
        }
        if self.input.dry_run {
            text.push_str("; this was a dry run, so nothing was changed");
        }
        self.context.log(format!("{text}.")).await;
        if walked.failed > 0 {
            let text = format!(
                "{} objects could not be looked at; the log says why",
                walked.failed
            );
            return Err(Failure::lasting("unseen", text));
        }
        let mut outcome = walked.tally.outcome();
        outcome["skipped"] = walked.skipped.into();
        outcome["dry_run"] = self.input.dry_run.into();
        Ok(outcome)
    }
}
