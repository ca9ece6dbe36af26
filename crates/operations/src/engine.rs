//! The handle: what features, routes and the command line ask of operations.

use crate::context::Context;
use crate::kind::{Kinds, WhenWaiting};
use crate::list::{Filter, ListPage, Query};
use crate::live::changes::{ChangeFollower, Changes};
use crate::live::logs::{LogFollower, Logs};
use crate::log::reader::{self, LogPage, LogText, SearchPage, SearchQuery};
use crate::operation::{NewOperation, Operation, Transition};
use crate::running::{RunningSet, Stop};
use crate::{Error, Result, messages, sql};
use base::redact::Redactor;
use base::{Actor, OperationId, SharedClock, Trigger};
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How the engine of this process works.
#[derive(Clone, Debug)]
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
    pub async fn submit(&self, mut new: NewOperation) -> Result<OperationId> {
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
        let mut tx = engine.db.begin().await?;
        if !new.key.is_empty() && kind.settings.when_waiting == WhenWaiting::Replace {
            let reason = format!("replaced by {}", new.id);
            for waiting in sql::queue::waiting_under(&mut tx, &new.key, &new.kind).await? {
                sql::queue::cancel_queued(&mut tx, waiting, &reason, now).await?;
            }
        }
        sql::operation::insert(&mut tx, &new, &engine.worker, now).await?;
        tx.commit().await?;
        metrics::counter!("longshore_operations_accepted_total", "kind" => kind.name).increment(1);
        engine.queued.notify_one();
        engine.changes.wake();
        if !new.pinned {
            messages::queued(&engine.bus).await;
        }
        messages::changed(&engine.bus).await;
        Ok(new.id)
    }

    /// An operation as it stands.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn get(&self, id: OperationId) -> Result<Operation> {
        sql::operation::get(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))
    }

    /// The life of an operation, from its acceptance on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn transitions(&self, id: OperationId) -> Result<Vec<Transition>> {
        sql::operation::transitions(&self.0.db, id).await
    }

    /// A page of operations.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, query: &Query) -> Result<ListPage> {
        sql::list::page(&self.0.db, query).await
    }

    /// The input of an operation, as it was stored.
    ///
    /// # Errors
    /// When there is none, or it does not fit `K`.
    pub async fn input<K: crate::Kind>(&self, id: OperationId) -> Result<K::Input> {
        let text = sql::operation::input(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        serde_json::from_str(&text).map_err(|_| Error::Stored("input"))
    }

    /// A page of a log, from line `from` on.
    ///
    /// # Errors
    /// When there is no such operation, or the database does not answer.
    pub async fn log(&self, id: OperationId, from: u64, limit: usize) -> Result<LogPage> {
        let (first_seq, last_seq, state) = sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        let lines = reader::lines(&self.0.db, id, from.max(1), limit).await?;
        let next = lines
            .last()
            .map(|line| line.seq + 1)
            .filter(|next| *next <= last_seq);
        Ok(LogPage {
            lines,
            next,
            first_seq,
            last_seq,
            ended: state.is_ended(),
        })
    }

    /// The whole of a log as text.
    #[must_use]
    pub fn log_text(&self, id: OperationId) -> LogText {
        LogText::new(self.0.db.clone(), id)
    }

    /// Looks through the whole of a log.
    ///
    /// # Errors
    /// A pattern that cannot be read, no such operation, or the database.
    pub async fn search_log(&self, id: OperationId, query: SearchQuery) -> Result<SearchPage> {
        sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        reader::search(&self.0.db, id, query).await
    }

    /// Asks for the end of an operation: a waiting one ends now, a running one soon.
    ///
    /// # Errors
    /// When it has ended already, or there is none.
    pub async fn cancel(&self, id: OperationId, actor: &Actor) -> Result<Operation> {
        let engine = &self.0;
        let mut tx = engine.db.begin().await?;
        let reason = format!("cancelled by {actor}");
        let waited = sql::queue::cancel_queued(&mut tx, id, &reason, engine.clock.now()).await?;
        let runs = !waited && sql::queue::request_cancel(&mut tx, id).await?;
        tx.commit().await?;
        engine.changes.wake();
        if !waited && !runs {
            let state = self.get(id).await?.state;
            return Err(Error::State {
                state,
                action: "cancelled",
            });
        }
        match engine.running.get(id) {
            Some(running) => running.stop(Stop::Cancel),
            None if runs => messages::cancel(&engine.bus, id).await,
            None => {}
        }
        engine.logs.wake(id);
        engine.queued.notify_one();
        messages::changed(&engine.bus).await;
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
        let earlier = self.get(id).await?;
        if !earlier.state.is_ended() {
            return Err(Error::State {
                state: earlier.state,
                action: "retried",
            });
        }
        let input = sql::operation::input(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        let mut new = NewOperation::raw(&earlier.kind, input, actor, trigger)
            .title(earlier.title)
            .subject(earlier.subject.unwrap_or_default())
            .server(earlier.server.unwrap_or_default())
            .key(earlier.key.unwrap_or_default())
            .repeating(id);
        new.parent = None;
        let id = self.submit(new).await?;
        self.get(id).await
    }

    /// Waits for the end of an operation. Put a limit around it.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn wait(&self, id: OperationId) -> Result<Operation> {
        // Follows before it looks, so that no end is missed.
        let mut changes = self.follow_changes(Filter::default(), None);
        let operation = self.get(id).await?;
        if operation.state.is_ended() {
            return Ok(operation);
        }
        loop {
            let ended = changes
                .next()
                .await?
                .into_iter()
                .find(|change| change.operation.id == id && change.operation.state.is_ended());
            if let Some(change) = ended {
                return Ok(change.operation.clone());
            }
        }
    }

    /// Follows changes of the operations that pass `filter`: those after number
    /// `since`, or from now on.
    #[must_use]
    pub fn follow_changes(&self, filter: Filter, since: Option<u64>) -> ChangeFollower {
        let since = since.unwrap_or_else(|| self.0.changes.newest());
        ChangeFollower::new(Arc::clone(&self.0.changes), filter, since)
    }

    /// The number of the newest change.
    #[must_use]
    pub fn newest_change(&self) -> u64 {
        self.0.changes.newest()
    }

    /// Follows a log from line `from` on.
    ///
    /// # Errors
    /// When there is no such operation.
    pub async fn follow_log(&self, id: OperationId, from: u64) -> Result<LogFollower> {
        sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        Ok(self.0.logs.follow(id, from))
    }

    /// The kinds that this server knows, by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<KindInfo> {
        let mut kinds: Vec<_> = self
            .0
            .kinds
            .iter()
            .map(|kind| KindInfo {
                name: kind.name.to_owned(),
                title: kind.settings.title.to_owned(),
                resumable: kind.settings.resumable,
                schedulable: kind.settings.schedulable,
                limit: kind.settings.limit as u64,
            })
            .collect();
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        kinds
    }

    /// The scope that starting one of this kind needs, besides that of operations.
    #[must_use]
    pub fn scope_of(&self, kind: &str) -> Option<&'static str> {
        self.0.kinds.get(kind)?.settings.scope
    }

    /// Whether an attempt of `id` runs in this process; for what waits here for it.
    #[must_use]
    pub fn runs_here(&self, id: OperationId) -> bool {
        self.0.running.get(id).is_some()
    }

    /// Stops: no more claims at once, `grace` for what runs, and then it is
    /// interrupted, so that the next start takes it up.
    pub async fn stop(&self, grace: Duration) {
        let engine = &self.0;
        engine.closing.cancel();
        if tokio::time::timeout(grace, engine.running.empty())
            .await
            .is_err()
        {
            for running in engine.running.all() {
                running.stop(Stop::Shutdown);
            }
            let patience = engine.settings.patience + Duration::from_secs(5);
            if tokio::time::timeout(patience, engine.running.empty())
                .await
                .is_err()
            {
                tracing::warn!(
                    "some operations did not end; they are taken up when their lease runs out"
                );
            }
        }
        engine.closed.cancel();
        engine.tasks.close();
        if tokio::time::timeout(Duration::from_secs(10), engine.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("the engine's tasks did not end in time");
        }
    }
}

/// A kind, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct KindInfo {
    /// Its name.
    pub name: String,
    /// What it is called in lists.
    pub title: String,
    /// Whether it goes on after its worker was lost.
    pub resumable: bool,
    /// Whether people may put it on a schedule.
    pub schedulable: bool,
    /// How many run at once.
    pub limit: u64,
}

impl Engine {
    /// The context of an attempt.
    pub(crate) fn context(
        self: &Arc<Self>,
        running: Arc<crate::running::Running>,
        operation: Operation,
        restored: Option<String>,
    ) -> Context {
        Context {
            running,
            operation: Arc::new(operation),
            engine: Operations(Arc::clone(self)),
            redactor: Arc::new(std::sync::RwLock::new(self.secrets.borrow().clone())),
            restored: restored.map(Into::into),
        }
    }

    /// Cancels the children of an operation that did not succeed.
    pub(crate) async fn cancel_children(self: &Arc<Self>, parent: OperationId) {
        let handle = Operations(Arc::clone(self));
        match sql::queue::unfinished_children(&self.db, parent).await {
            Ok(children) => {
                for child in children {
                    // One that ended meanwhile needs no cancelling.
                    let _ = handle.cancel(child, &Actor::system()).await;
                }
            }
            Err(error) => tracing::warn!(%error, %parent, "the children could not be cancelled"),
        }
    }
}
