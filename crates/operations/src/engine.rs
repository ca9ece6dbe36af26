//! The handle, and what is asked to happen by it: stored, cancelled, repeated.

use crate::cancel::Asked;
use crate::kind::{Kinds, WhenWaiting};
use crate::live::changes::Changes;
use crate::live::logs::Logs;
use crate::operation::{NewOperation, Operation};
use crate::running::RunningSet;
use crate::{Error, Result, messages, sql};
use base::redact::Redactor;
use base::{Actor, OperationId, SharedClock, Trigger};
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db, Tx};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How the engine of this process works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// For how long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How often a claim is renewed. Well below the lease.
    pub heartbeat: Duration,
    /// How often the queue is looked at without being told.
    pub poll: Duration,
    /// Operations running at once in this process, of all kinds.
    pub workers: usize,
    /// What one log may hold, in bytes before compression.
    pub log_limit: u64,
    /// Whether no other process uses this database: then whatever runs at the start
    /// was left behind, whatever its lease says.
    pub alone: bool,
    /// How long a cancelled function may take to end before it is dropped.
    pub patience: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            workers: 64,
            log_limit: 1 << 30,
            alone: false,
            patience: Duration::from_secs(5),
        }
    }
}

/// Operations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Operations(pub(crate) Arc<Engine>);

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: SharedClock,
    pub(crate) settings: EngineSettings,
    pub(crate) kinds: Kinds,
    pub(crate) worker: Arc<str>,
    pub(crate) running: Arc<RunningSet>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) secrets: watch::Receiver<Redactor>,
    /// Wakes the scribe.
    pub(crate) said: Arc<Notify>,
    /// Wakes the worker.
    pub(crate) queued: Notify,
    /// Wakes the scheduler.
    pub(crate) scheduled: Notify,
    pub(crate) tasks: TaskTracker,
    /// The one who claims.
    pub(crate) claims: TaskTracker,
    /// No more claims.
    pub(crate) closing: CancellationToken,
    /// The end of the background tasks.
    pub(crate) closed: CancellationToken,
}

impl Operations {
    /// Opens the engine. Nothing runs before [`Operations::start`]. `secrets` is what
    /// no log may show.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(
        db: Db,
        bus: Bus,
        clock: SharedClock,
        kinds: Kinds,
        secrets: watch::Receiver<Redactor>,
        settings: EngineSettings,
    ) -> Result<Self> {
        let changes = Changes::open(db.clone()).await?;
        let logs = Logs::new(db.clone());
        Ok(Self(Arc::new(Engine {
            db,
            bus,
            clock,
            settings,
            kinds,
            worker: uuid::Uuid::now_v7().simple().to_string().into(),
            running: Arc::new(RunningSet::default()),
            logs,
            changes,
            secrets,
            said: Arc::new(Notify::new()),
            queued: Notify::new(),
            scheduled: Notify::new(),
            tasks: TaskTracker::new(),
            claims: TaskTracker::new(),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
        })))
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn worker(&self) -> &str {
        &self.0.worker
    }

    /// The time, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> base::Timestamp {
        self.0.clock.now()
    }

    /// Stores an operation. When this returns it will be done, whatever happens.
    ///
    /// # Errors
    /// An unknown kind, an input that the kind does not take, or the database.
    pub async fn submit(&self, new: NewOperation) -> Result<OperationId> {
        let mut tx = self.0.db.begin().await?;
        let submitted = self.submit_in(&mut tx, new).await?;
        tx.commit().await?;
        Ok(self.announce(submitted))
    }

    /// Stores an operation within the transaction of what belongs to it. Announce it
    /// when that is committed.
    ///
    /// # Errors
    /// As [`Operations::submit`].
    pub async fn submit_in(&self, tx: &mut Tx, mut new: NewOperation) -> Result<Submitted> {
        let engine = &self.0;
        let kind = engine
            .kinds
            .get(&new.kind)
            .ok_or_else(|| Error::UnknownKind(new.kind.clone()))?;
        if engine.closing.is_cancelled() && new.pinned {
            return Err(Error::Stopping);
        }
        if new.title.is_empty() {
            new.title = kind.settings.title.to_owned();
        }
        let now = engine.clock.now();
        if !new.key.is_empty() && kind.settings.when_waiting == WhenWaiting::Replace {
            // Before it looks who waits: another may be about to wait, too.
            sql::operation::hold_changes(tx).await?;
            let reason = format!("replaced by {}", new.id);
            for waiting in sql::queue::waiting_under(tx, &new.key, &new.kind).await? {
                sql::end::cancel_queued(tx, waiting, &reason, now).await?;
            }
        }
        let submitted = Submitted {
            id: new.id,
            kind: kind.name,
            pinned: new.pinned,
        };
        sql::operation::insert(tx, new, &engine.worker, now).await?;
        if submitted.pinned {
            sql::operation::lease_pinned(tx, submitted.id, engine.settings.lease).await?;
        }
        Ok(submitted)
    }

    /// Tells whoever waits for work that there is some.
    pub fn announce(&self, submitted: Submitted) -> OperationId {
        let engine = &self.0;
        metrics::counter!("longshore_operations_accepted_total", "kind" => submitted.kind)
            .increment(1);
        engine.queued.notify_one();
        engine.changes.wake();
        if !submitted.pinned {
            messages::queued(&engine.bus);
        }
        messages::changed(&engine.bus);
        submitted.id
    }

    /// Asks for the end of an operation: a waiting one ends now, a running one soon.
    ///
    /// # Errors
    /// When it has ended already, or there is none.
    pub async fn cancel(&self, id: OperationId, actor: &Actor) -> Result<Operation> {
        let reason = format!("cancelled by {actor}");
        match self.0.ask_to_end(id, &reason).await? {
            Asked::Ended => self.0.cancel_children(id).await,
            Asked::Runs => {}
            Asked::TooLate => {
                let state = self.get(id).await?.state;
                return Err(Error::State {
                    state,
                    action: "cancelled",
                });
            }
        }
        self.get(id).await
    }

    /// Repeats an operation that has ended: a new one with the same input.
    ///
    /// # Errors
    /// When it has not ended yet, or there is none.
    pub async fn retry(
        &self,
        id: OperationId,
        actor: Actor,
        trigger: Trigger,
    ) -> Result<Operation> {
        let (earlier, input) = self.to_repeat(id).await?;
        self.repeat(earlier, input, actor, trigger).await
    }

    /// An operation that can be repeated, and its input, for who looks through that before
    /// [`Operations::repeat`].
    ///
    /// # Errors
    /// As [`Operations::retry`].
    pub async fn to_repeat(&self, id: OperationId) -> Result<(Operation, String)> {
        let earlier = self.get(id).await?;
        if !earlier.state.is_ended() {
            return Err(Error::State {
                state: earlier.state,
                action: "retried",
            });
        }
        Ok((earlier, self.input_text(id).await?))
    }

    /// Repeats an operation that has ended, with this input.
    ///
    /// # Errors
    /// As [`Operations::submit`].
    pub async fn repeat(
        &self,
        earlier: Operation,
        input: String,
        actor: Actor,
        trigger: Trigger,
    ) -> Result<Operation> {
        let mut new = NewOperation::raw(&earlier.kind, input, actor, trigger)
            .title(earlier.title)
            .subject(earlier.subject.unwrap_or_default())
            .server(earlier.server.unwrap_or_default())
            .key(earlier.key.unwrap_or_default())
            .repeating(earlier.id);
        new.parent = None;
        let id = self.submit(new).await?;
        self.get(id).await
    }
}

/// An operation that is stored in a transaction, and not announced yet.
#[derive(Debug)]
#[must_use = "nobody is told of it before it is announced"]
pub struct Submitted {
    id: OperationId,
    kind: &'static str,
    pinned: bool,
}
