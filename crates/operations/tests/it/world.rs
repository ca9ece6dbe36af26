//! An engine on a database: one process, as it were.

pub(crate) use crate::script::{Latest, Placed, Plain, Resumable, Retried, Script, Wide, Work};
use base::redact::Redactor;
use base::{Actor, OperationId, SystemClock, Trigger};
use operations::{
    EngineSettings, Kind, Kinds, NewOperation, Operation, Operations, Retention, State,
};
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use testing::{TestDatabase, on_both};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// One process, as it were.
pub(crate) struct World {
    pub(crate) operations: Operations,
    pub(crate) script: Arc<Script>,
    pub(crate) secrets: watch::Sender<Redactor>,
    pub(crate) db: Db,
    stop: CancellationToken,
}

impl World {
    pub(crate) async fn on(database: &TestDatabase) -> Self {
        Self::with(
            database,
            EngineSettings {
                alone: database.postgres_url().is_none(),
                ..quick()
            },
        )
        .await
    }

    pub(crate) async fn with(database: &TestDatabase, settings: EngineSettings) -> Self {
        Self::with_kinds(database, settings, |kinds| kinds).await
    }

    pub(crate) async fn with_kinds(
        database: &TestDatabase,
        settings: EngineSettings,
        more: impl FnOnce(Kinds) -> Kinds,
    ) -> Self {
        Self::with_script(database, settings, Arc::default(), more).await
    }

    /// Another replica, which does the same work.
    pub(crate) async fn beside(&self, database: &TestDatabase, settings: EngineSettings) -> Self {
        Self::with_script(database, settings, Arc::clone(&self.script), |kinds| kinds).await
    }

    async fn with_script(
        database: &TestDatabase,
        settings: EngineSettings,
        script: Arc<Script>,
        more: impl FnOnce(Kinds) -> Kinds,
    ) -> Self {
        let db = database.open().await;
        let stop = CancellationToken::new();
        let bus = Bus::start(&db, &TaskTracker::new(), stop.clone());
        let kinds = Kinds::new()
            .with(Plain(Arc::clone(&script)))
            .with(Resumable(Arc::clone(&script)))
            .with(Wide(Arc::clone(&script)))
            .with(Latest(Arc::clone(&script)))
            .with(Retried(Arc::clone(&script)))
            .with(Placed(Arc::clone(&script)))
            .with(Retention);
        let (secrets, known) = watch::channel(Redactor::default());
        let operations = Operations::open(
            db.clone(),
            bus,
            Arc::new(SystemClock),
            more(kinds),
            known,
            settings,
        )
        .await
        .expect("the engine opens");
        operations.start();
        Self {
            operations,
            script,
            secrets,
            db,
            stop,
        }
    }

    pub(crate) async fn submit<K: Kind<Input = Work>>(&self, work: Work) -> OperationId {
        self.submit_with::<K>(work, |new| new).await
    }

    pub(crate) async fn submit_with<K: Kind<Input = Work>>(
        &self,
        work: Work,
        change: impl FnOnce(NewOperation) -> NewOperation,
    ) -> OperationId {
        let new =
            NewOperation::of::<K>(&work, Actor::user("anna"), Trigger::Api).expect("an input");
        self.operations.submit(change(new)).await.expect("accepted")
    }

    pub(crate) async fn ended(&self, id: OperationId) -> Operation {
        tokio::time::timeout(LIMIT, self.operations.wait(id))
            .await
            .expect("it ends in time")
            .expect("it is there")
    }

    pub(crate) async fn reaches(&self, id: OperationId, state: State) -> Operation {
        self.until(id, |operation| operation.state == state).await
    }

    /// Waits for a change of `id` after which `holds`.
    pub(crate) async fn until(
        &self,
        id: OperationId,
        holds: impl Fn(&Operation) -> bool,
    ) -> Operation {
        let watch = async {
            let mut changes = self
                .operations
                .follow_changes(operations::Filter::default(), None);
            let now = self.operations.get(id).await.expect("it is there");
            if holds(&now) {
                return now;
            }
            loop {
                for change in changes.next().await.expect("the feed lives") {
                    if change.operation.id == id && holds(&change.operation) {
                        return change.operation.clone();
                    }
                }
            }
        };
        tokio::time::timeout(LIMIT, watch)
            .await
            .expect("it comes in time")
    }

    /// The children of `parent`, when there are `count` of them.
    pub(crate) async fn children(&self, parent: OperationId, count: usize) -> Vec<Operation> {
        let query = operations::Query {
            filter: operations::Filter {
                parent: Some(parent),
                ..Default::default()
            },
            limit: count,
            ..Default::default()
        };
        let children = async {
            loop {
                let page = self.operations.list(&query).await.expect("listed");
                if page.operations.len() == count {
                    return page.operations;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, children)
            .await
            .expect("they come in time")
    }

    /// Changes the record of an operation behind the engine's back: `set` is what
    /// stands after SET.
    pub(crate) async fn tamper(&self, id: OperationId, set: &str) {
        let sql = format!("UPDATE operation SET {set} WHERE id = $1");
        let changed = self.db.execute(sql, storage::values![id.uuid()]).await;
        assert_eq!(changed.expect("changed"), 1);
    }

    /// Looks again and again until `sql`, about `id`, gives a row.
    pub(crate) async fn until_row(&self, id: OperationId, sql: &'static str) {
        let look = async {
            loop {
                let row = self.db.one(sql, storage::values![id.uuid()]).await;
                if row.expect("an answer").is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LIMIT, look)
            .await
            .expect("it comes in time");
    }

    /// The reasons of its transitions.
    pub(crate) async fn reasons(&self, id: OperationId) -> Vec<String> {
        let life = self.operations.transitions(id).await.expect("recorded");
        life.into_iter().map(|step| step.reason).collect()
    }

    pub(crate) async fn lines(&self, id: OperationId) -> Vec<String> {
        let page = self
            .operations
            .log(id, 1, 5000)
            .await
            .expect("there is a log");
        let numbers: Vec<u64> = page.lines.iter().map(|line| line.seq).collect();
        let expected: Vec<u64> = (1..=page.lines.len() as u64).collect();
        assert_eq!(numbers, expected, "lines are numbered without a gap");
        page.lines.into_iter().map(|line| line.text).collect()
    }

    /// The end of a process that had time to say goodbye.
    pub(crate) async fn stop(self, grace: Duration) {
        self.operations.stop(grace).await;
        self.stop.cancel();
        self.db.close().await;
    }
}

/// Looks often, but has a lease that outlives any stall of a loaded machine.
pub(crate) fn quick() -> EngineSettings {
    EngineSettings {
        lease: Duration::from_secs(600),
        heartbeat: Duration::from_millis(200),
        poll: Duration::from_millis(100),
        patience: Duration::from_millis(500),
        ..EngineSettings::default()
    }
}

/// Does not look whether it still holds what it runs, for longer than any test.
pub(crate) fn unaware() -> EngineSettings {
    EngineSettings {
        lease: Duration::from_secs(36_000),
        heartbeat: Duration::from_secs(3_600),
        ..quick()
    }
}

/// The state that is stored, seen by one who does not work.
pub(crate) async fn stored_state(db: &Db, id: OperationId) -> String {
    const SQL: &str = "SELECT state FROM operation WHERE id = $1";
    let row = db.one(SQL, storage::values![id.uuid()]).await;
    let row = row.expect("an answer").expect("it is there");
    row.get("state").expect("a text")
}

/// A story of several processes on one database. A SQLite file has one process and one
/// writer, and says of nobody what it waits for.
pub(crate) async fn on_replicated<F, Fut>(story: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    on_both(|database| {
        let story = &story;
        async move {
            if database.postgres_url().is_some() {
                story(database).await;
            }
        }
    })
    .await;
}
