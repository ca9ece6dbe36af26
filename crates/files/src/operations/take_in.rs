//! Looking at what a store told of its objects.

use super::{PATIENT, failure};
use crate::tally::Tally;
use crate::{Files, sql};
use access::Caller;
use base::BucketId;
use futures::{StreamExt, stream};
use operations::{Context, Failure, Kind, Outcome, Retained, Settings};
use serde::{Deserialize, Serialize};

/// Keys read at once.
const BATCH: usize = 200;
/// Keys looked at at once.
pub(super) const AT_ONCE: usize = 16;
/// Keys that fail before it gives up: the store is away, then, and not an object odd.
const MOST_FAILED: usize = 32;

/// Looks at every object of which something was told.
#[derive(Clone, Debug)]
pub struct TakeIn(pub(crate) Files);

/// Of which bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakeInInput {
    /// The bucket.
    pub bucket: BucketId,
}

impl Kind for TakeIn {
    const NAME: &'static str = "take-in";
    type Input = TakeInInput;

    fn settings(&self) -> Settings {
        Settings::new("Take in what others put")
            .limit(4)
            .resumable()
            .scope("files:write")
            .keep(Retained {
                count: 1000,
                ..Retained::default()
            })
            .retry(PATIENT)
    }

    async fn run(&self, input: TakeInInput, context: Context) -> Result<Outcome, Failure> {
        let files = &self.0;
        // From now on, what is told is looked at by another one, or by this one already.
        let mut tx = files.db().begin().await?;
        sql::hook::set_waits(&mut tx, input.bucket, false).await?;
        tx.commit().await?;
        let Some(bucket) = files.buckets().with_id(input.bucket) else {
            return Err(Failure::withdrawn("the bucket was removed"));
        };
        let (mut tally, mut failed, mut after) = (Tally::default(), 0, String::new());
        loop {
            context.check()?;
            let waiting = sql::hook::waiting(files.db(), bucket.id, &after, BATCH).await?;
            let Some(last) = waiting.last() else { break };
            last.path.as_str().clone_into(&mut after);
            let looks = stream::iter(waiting).map(|key| async {
                let observed = files.observe(&bucket, &key.path).await;
                (key, observed)
            });
            let mut looked_at = Vec::new();
            let mut looks = std::pin::pin!(looks.buffer_unordered(AT_ONCE));
            while let Some((key, observed)) = looks.next().await {
                match observed {
                    Ok(observed) => {
                        tally.count(observed.into());
                        looked_at.push(key);
                    }
                    Err(error) => {
                        failed += 1;
                        context.log(format!("{}: {error}.", key.path)).await;
                        if failed >= MOST_FAILED {
                            return Err(failure(error));
                        }
                    }
                }
                context.progress(|progress| {
                    "objects".clone_into(&mut progress.unit);
                    progress.done = tally.all();
                });
            }
            sql::hook::looked_at(files.db(), bucket.id, &looked_at, files.now()).await?;
        }
        context.log(format!("{tally}.")).await;
        if failed > 0 {
            let text = format!("{failed} objects could not be looked at; the log says why");
            return Err(Failure::passing("unseen", text));
        }
        Ok(tally.outcome())
    }
}

impl Files {
    /// Whether this caller may have looked at what a store told of a bucket: it takes what
    /// comparing the bucket takes. Of one that is gone, nothing is looked at.
    ///
    /// # Errors
    /// What [`Files::permit`] says.
    pub async fn permit_taking_in(
        &self,
        caller: &Caller,
        input: &TakeInInput,
    ) -> crate::Result<()> {
        match self.buckets().with_id(input.bucket) {
            Some(bucket) => self.permit_correcting(caller, &bucket, "").await,
            None => Ok(()),
        }
    }
}
