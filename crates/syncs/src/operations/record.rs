//! What is kept of a pass beside its operation: begun before anything is opened, so that one
//! that cannot be is there, too; and ended with what it did and why it failed.

use super::SyncPass;
use crate::sync::Sync;
use crate::tally::{PassRecord, PassState, Tally};
use crate::{Result, Syncs, sql};
use ::operations::{Context, Failure, State};

impl SyncPass {
    pub(super) async fn begin_record(&self, sync: &Sync, context: &Context) -> storage::Result<()> {
        let syncs = &self.0;
        sql::pass::begin(syncs.db(), context.id(), sync.id, syncs.now()).await
    }

    /// One that was told to stop has no end of its own: its operation says whether it goes on.
    /// That its record could not be kept is no failure of what was done.
    pub(super) async fn end_record(
        &self,
        context: &Context,
        tally: &Tally,
        failure: Option<&Failure>,
    ) {
        let (db, id, now) = (self.0.db(), context.id(), self.0.now());
        let kept = self.0.settings().passes_kept;
        let keeping = async {
            // One that could not be opened has done nothing, and an earlier attempt may have.
            if !tally.is_nothing() {
                sql::pass::note(db, id, tally).await?;
            }
            if !context.cancelled().is_cancelled() {
                let failure = failure.map(|failure| context.redacted(failure.message()));
                sql::pass::end(db, id, failure.as_deref(), now).await?;
            }
            sql::pass::forget(db, now.minus(kept)).await
        };
        if let Err(error) = keeping.await {
            tracing::warn!(%error, "the record of a pass could not be kept");
        }
    }
}

impl Syncs {
    /// Tells how a pass stands whose record has no end.
    pub(crate) async fn settle_record(&self, mut record: PassRecord) -> Result<PassRecord> {
        if record.state != PassState::Running {
            return Ok(record);
        }
        let operation = match self.operations().get(record.id).await {
            Ok(operation) => operation,
            // Nobody knows of it any more, so nobody runs it.
            Err(::operations::Error::NoOperation(_)) => {
                record.state = PassState::Cut;
                return Ok(record);
            }
            Err(error) => return Err(error.into()),
        };
        match operation.state {
            State::Queued | State::Running => {}
            State::Succeeded => {
                record.state = PassState::Done;
                record.ended_at = operation.ended_at;
            }
            State::Failed => {
                record.state = PassState::Failed;
                record.failure = operation.error.map(|error| error.message);
                record.ended_at = operation.ended_at;
            }
            State::Cancelled | State::Interrupted => record.state = PassState::Cut,
        }
        Ok(record)
    }
}
