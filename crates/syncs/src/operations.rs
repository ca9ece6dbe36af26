//! The kinds of operation of this part.

mod record;
mod report;
mod summary;
mod verify;

pub(crate) use summary::{ByWhom, FailedFile};
pub use verify::{SyncVerify, VerifyInput};

use crate::keys::Keys;
use crate::pass::Pass;
use crate::sync::Sync;
use crate::tally::Tally;
use crate::target::Trouble;
use crate::{Error, Syncs, sql};
use ::operations::{Context, Failure, Kind, NewOperation, Outcome, RetryPolicy, Settings};
use base::{Actor, SyncId, Trigger};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a file that its target still works on is looked at again, at the earliest.
const NOT_BEFORE: Duration = Duration::from_secs(5);
/// The same after a pass that failed as a whole, where no schedule makes another one.
const NOT_BEFORE_AFTER_FAILURE: Duration = Duration::from_secs(600);

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
        let keys = Keys::of(self.0.access().clone(), &sync, self.0.variables().cloned());
        let secrets = keys.of_environment();
        context.redact(secrets.iter().map(|secret| secret.expose_secret()));
        let (done, tally) = self.pass(&sync, &input, &context).await;
        let failure = done.as_ref().err();
        if failure.is_none_or(|failure| context.ends_with(failure)) {
            let ended = Ended {
                sync: &sync,
                keys: &keys,
                context: &context,
                tally: &tally,
                failure: failure.map(|failure| context.redacted(failure.message())),
            };
            self.report(&ended).await;
        }
        if !input.once {
            self.go_on(&sync, &context, failure).await;
        }
        done?;
        Ok(serde_json::to_value(&tally).unwrap_or_default())
    }
}

/// A pass that is over, or failed as a whole.
struct Ended<'a> {
    sync: &'a Sync,
    keys: &'a Keys,
    context: &'a Context,
    tally: &'a Tally,
    failure: Option<String>,
}

impl SyncPass {
    /// Makes the pass and keeps its record; how it ended, and what it did.
    async fn pass(
        &self,
        sync: &Sync,
        input: &PassInput,
        context: &Context,
    ) -> (Result<(), Failure>, Tally) {
        if let Err(error) = self.begin_record(sync, context).await {
            return (Err(error.into()), Tally::default());
        }
        let (done, tally) = self.open_and_run(sync, input, context).await;
        self.end_record(context, &tally, done.as_ref().err()).await;
        (done, tally)
    }

    async fn open_and_run(
        &self,
        sync: &Sync,
        input: &PassInput,
        context: &Context,
    ) -> (Result<(), Failure>, Tally) {
        let opened = match self.0.open(sync.clone()).await {
            Ok(opened) => opened,
            Err(error) => return (Err(failure(error)), Tally::default()),
        };
        if !input.recorded
            && let Some(reason) = opened.unsuited().await
        {
            return (Err(Failure::lasting("target", reason)), Tally::default());
        }
        let pass = Pass::new(self.0.clone(), opened, context.clone(), input.recorded);
        let done = pass.run().await;
        let tally = pass.board.tally();
        context.log(format!("{tally}.")).await;
        (done, tally)
    }

    /// Has another pass made for what is left. One that failed as a whole would fail again
    /// in a moment: then the schedule is waited for, and a while where there is none.
    async fn go_on(&self, sync: &Sync, context: &Context, failure: Option<&Failure>) {
        match failure {
            None => self.follow(sync, NOT_BEFORE).await,
            Some(failure) if context.ends_with(failure) && sync.rule.schedule.is_none() => {
                self.follow(sync, NOT_BEFORE_AFTER_FAILURE).await;
            }
            Some(_) => {}
        }
    }

    /// Has what waits for a later time seen to then, without waiting for the schedule.
    async fn follow(&self, sync: &Sync, not_before: Duration) {
        let syncs = &self.0;
        let next = match sql::claim::next_at_all(syncs.db(), sync.id).await {
            Ok(Some(next)) => next,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "what is due next is not known"),
        };
        let at = next.max(syncs.now().plus(not_before));
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
