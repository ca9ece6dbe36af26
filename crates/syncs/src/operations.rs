//! The kinds of operation of this part.

mod record;
mod report;
mod summary;
mod verify;

pub(crate) use summary::{ByWhom, FailedFile};
pub use verify::{SyncVerify, VerifyInput};

use crate::keys::Keys;
use crate::pass::{Left, OF_TARGETS, Pass};
use crate::sync::Sync;
use crate::tally::Tally;
use crate::target::Trouble;
use crate::{Error, Syncs, sql};
use ::operations::{Context, Failure, Kind, NewOperation, Outcome, Place, RetryPolicy, Settings};
use base::{Actor, SyncId, Timestamp, Trigger};
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
    /// Whether new files of a bucket have set it off. Such a pass does not ask a target again
    /// that took nothing a moment ago.
    #[serde(default)]
    pub by_news: bool,
    /// Targets that are left alone, by their names: they were in trouble a moment ago.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl PassInput {
    pub(crate) fn of(sync: &Sync) -> Self {
        Self {
            sync: sync.id,
            once: false,
            recorded: false,
            by_news: false,
            without: Vec::new(),
        }
    }

    /// Of what is recorded already.
    pub(crate) fn of_recorded(sync: &Sync) -> Self {
        Self {
            recorded: true,
            ..Self::of(sync)
        }
    }

    /// Of new files, which are recorded already.
    pub(crate) fn of_news(sync: &Sync) -> Self {
        Self {
            by_news: true,
            ..Self::of_recorded(sync)
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

    async fn place(&self, input: &PassInput) -> Result<Place, storage::Error> {
        self.0.place(input.sync, Sync::pass_key).await
    }

    async fn run(&self, input: PassInput, context: Context) -> Result<Outcome, Failure> {
        let sync = self.0.running(input.sync).await?;
        if sync.paused {
            return Err(Failure::withdrawn(Error::Paused(sync.name).to_string()));
        }
        let keys = Keys::of(self.0.access().clone(), &sync, self.0.variables().cloned());
        let secrets = keys.of_environment();
        context.redact(secrets.iter().map(|secret| secret.expose_secret()));
        let (done, tally, left) = self.pass(&sync, &input, &context).await;
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
            self.go_on((&sync, &input), &context, failure, &left).await;
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
    /// Makes the pass and keeps its record; how it ended, what it did, and what it leaves.
    async fn pass(
        &self,
        sync: &Sync,
        input: &PassInput,
        context: &Context,
    ) -> (Result<(), Failure>, Tally, Left) {
        if let Err(error) = self.begin_record(sync, context).await {
            return (Err(error.into()), Tally::default(), Left::default());
        }
        let (done, tally, left) = self.open_and_run(sync, input, context).await;
        self.end_record(context, &tally, done.as_ref().err()).await;
        (done, tally, left)
    }

    async fn open_and_run(
        &self,
        sync: &Sync,
        input: &PassInput,
        context: &Context,
    ) -> (Result<(), Failure>, Tally, Left) {
        let opened = match self.0.open(sync.clone()).await {
            Ok(opened) => opened,
            Err(error) => return (Err(failure(error)), Tally::default(), Left::default()),
        };
        let pass = Pass::new(self.0.clone(), opened, context.clone(), input.recorded);
        pass.gates.leave_out(&input.without);
        let spared_until = if input.by_news { pass.spare() } else { None };
        let done = pass.run().await;
        let tally = pass.board.tally();
        context.log(format!("{tally}.")).await;
        let left = Left {
            spared_until,
            ..pass.left()
        };
        (done, tally, left)
    }

    /// Has another pass made for what is left.
    async fn go_on(
        &self,
        (sync, input): (&Sync, &PassInput),
        context: &Context,
        failure: Option<&Failure>,
        left: &Left,
    ) {
        let went_on = match failure {
            None => self.follow(sync, left).await,
            Some(failure) if context.ends_with(failure) => {
                self.go_on_after((sync, input), failure, left).await
            }
            Some(_) => Ok(()),
        };
        if let Err(error) = went_on {
            tracing::warn!(%error, "nobody looks after what is due later before the next pass");
        }
    }

    /// One that failed as a whole would fail again in a moment: the schedule is waited for, and
    /// a while where there is none. Where a target made it fail, that does not hold for what
    /// goes to the others.
    async fn go_on_after(
        &self,
        (sync, input): (&Sync, &PassInput),
        failure: &Failure,
        left: &Left,
    ) -> crate::Result<()> {
        let came_to_its_end = failure.code() == OF_TARGETS;
        if came_to_its_end {
            self.follow(sync, left).await?;
            if let Some(at) = left.spared_until {
                // Nobody has been asked to take its files.
                let input = PassInput::of_recorded(sync);
                return self.submit(sync, &input, ("mend", at)).await;
            }
        }
        if sync.rule.schedule.is_none() {
            let has_found_all = input.recorded || came_to_its_end;
            self.once_more(sync, has_found_all).await?;
        }
        Ok(())
    }

    /// Has what waits for a later time seen to then, without waiting for the schedule. What
    /// waits for a target that takes nothing waits as long as that does.
    async fn follow(&self, sync: &Sync, left: &Left) -> crate::Result<()> {
        let (db, now) = (self.0.db(), self.0.now());
        let all = sql::claim::next_at_all(db, sync.id, &left.out).await?;
        let next = if left.paused.is_empty() || all.is_none() {
            all
        } else {
            let shut = [left.out.as_slice(), left.paused.as_slice()].concat();
            let free = sql::claim::next_at_all(db, sync.id, &shut).await?;
            free.into_iter().chain(left.opens_at).min()
        };
        let Some(next) = next else {
            return Ok(());
        };
        let input = PassInput {
            without: left.out.clone(),
            ..PassInput::of_recorded(sync)
        };
        let at = next.max(now.plus(NOT_BEFORE));
        self.submit(sync, &input, ("again", at)).await
    }

    /// Has the same tried again after a while. A bucket that was not looked through to its end
    /// is looked through again: what came while nobody listened is found by nothing else.
    async fn once_more(&self, sync: &Sync, has_found_all: bool) -> crate::Result<()> {
        let looks = sync.bucket().is_some() && !has_found_all;
        let next = sql::claim::next_at_all(self.0.db(), sync.id, &[]).await?;
        let then = self.0.now().plus(NOT_BEFORE_AFTER_FAILURE);
        let (input, at) = match next {
            _ if looks => (PassInput::of(sync), then),
            Some(next) => (PassInput::of_recorded(sync), next.max(then)),
            None => return Ok(()),
        };
        self.submit(sync, &input, ("mend", at)).await
    }

    async fn submit(
        &self,
        sync: &Sync,
        input: &PassInput,
        (why, at): (&str, Timestamp),
    ) -> crate::Result<()> {
        let new = pass(sync, input, (Actor::system(), Trigger::System))?
            .key(format!("sync-{why}:{}", sync.id))
            .run_at(at);
        self.0.operations().submit(new).await?;
        Ok(())
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

    /// Where operations about a sync stand, under this key of it.
    async fn place(&self, id: SyncId, key: fn(&Sync) -> String) -> Result<Place, storage::Error> {
        match sql::sync::get(self.db(), id).await {
            Ok(Some(sync)) => Ok(Place {
                key: key(&sync),
                subject: sync.subject(),
            }),
            // The operation ends by itself, and says why.
            Ok(None) | Err(storage::Error::Stored(_) | storage::Error::Column { .. }) => {
                Ok(Place::default())
            }
            Err(error) => Err(error),
        }
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
