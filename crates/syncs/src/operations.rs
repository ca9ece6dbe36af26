//! The kinds of operation of this part.

mod report;
mod summary;
mod verify;

pub(crate) use summary::{ByWhom, FailedFile};
pub use verify::{SyncVerify, VerifyInput};

use crate::pass::Pass;
use crate::sync::Sync;
use crate::target::Trouble;
use crate::{Error, Syncs, sql};
use ::operations::{Context, Failure, Kind, NewOperation, Outcome, RetryPolicy, Settings};
use base::{Actor, SyncId, Trigger};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a file that its target still works on is looked at again, at the earliest.
const NOT_BEFORE: Duration = Duration::from_secs(5);

/// Delivers what a sync finds.
#[derive(Clone, Debug)]
pub struct SyncPass(pub(crate) Syncs);

/// Of which sync.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassInput {
    /// The sync.
    pub sync: SyncId,
    /// Whether nothing else is set off by it: who runs it does so from time to time.
    #[serde(default)]
    pub once: bool,
    /// Whether only what is recorded already is delivered, without asking the source for
    /// more.
    #[serde(default)]
    pub recorded: bool,
}

impl PassInput {
    pub(crate) const fn of(sync: &Sync) -> Self {
        Self {
            sync: sync.id,
            once: false,
            recorded: false,
        }
    }

    /// Of what is recorded already.
    pub(crate) const fn of_recorded(sync: &Sync) -> Self {
        Self {
            recorded: true,
            ..Self::of(sync)
        }
    }
}

impl Kind for SyncPass {
    const NAME: &'static str = "sync-pass";
    type Input = PassInput;

    fn settings(&self) -> Settings {
        Settings::new("Sync")
            .limit(8)
            .resumable()
            .schedulable()
            .scope("syncs:write")
            .replacing_waiting()
            .retry(RetryPolicy::exponential(
                3,
                Duration::from_secs(10),
                Duration::from_secs(120),
            ))
    }

    async fn run(&self, input: PassInput, context: Context) -> Result<Outcome, Failure> {
        let sync = self.0.running(input.sync).await?;
        if sync.paused {
            return Err(Failure::withdrawn(Error::Paused(sync.name).to_string()));
        }
        let opened = self.0.open(sync).await.map_err(failure)?;
        let secrets = opened.keys.of_environment();
        context.redact(secrets.iter().map(|secret| secret.expose_secret()));
        let pass = Pass::new(self.0.clone(), opened, context.clone(), input.recorded);
        let done = pass.run().await;
        let tally = pass.board.tally();
        context.log(format!("{tally}.")).await;
        if done.is_ok() {
            self.report(&pass).await;
        }
        if !input.once {
            self.follow(&pass.opened.sync).await;
        }
        done?;
        Ok(serde_json::to_value(&tally).unwrap_or_default())
    }
}

impl SyncPass {
    /// Has what waits for a later time seen to then, without waiting for the schedule.
    async fn follow(&self, sync: &Sync) {
        let syncs = &self.0;
        let next = match sql::claim::next_at_all(syncs.db(), sync.id).await {
            Ok(Some(next)) => next,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "what is due next is not known"),
        };
        let at = next.max(syncs.now().plus(NOT_BEFORE));
        let submitted = async {
            let input = PassInput::of_recorded(sync);
            let new = pass(sync, &input, (Actor::system(), Trigger::System))?
                .key(format!("sync-again:{}", sync.id))
                .run_at(at);
            syncs.operations().submit(new).await
        };
        if let Err(error) = submitted.await {
            tracing::warn!(%error, "nobody looks after what is due later before the next pass");
        }
    }
}

/// A pass to be submitted.
pub(crate) fn pass(
    sync: &Sync,
    input: &PassInput,
    (actor, trigger): (Actor, Trigger),
) -> ::operations::Result<NewOperation> {
    let new = NewOperation::of::<SyncPass>(input, actor, trigger)?;
    Ok(new
        .title(format!("Sync {}", sync.name))
        .subject(sync.subject()))
}

impl Syncs {
    /// The sync of an operation.
    pub(crate) async fn running(&self, id: SyncId) -> Result<Sync, Failure> {
        let found = sql::sync::get(self.db(), id).await?;
        found.ok_or_else(|| Failure::withdrawn("the sync was deleted"))
    }
}

/// What an error of this crate means for an operation.
pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::Storage(error) => error.into(),
        Error::Trouble(Trouble::Later { reason, .. } | Trouble::Paused { reason, .. }) => {
            Failure::passing("outside", reason)
        }
        error => Failure::lasting("sync", error.to_string()),
    }
}
