//! An engine on a database, and kinds that do what a test tells them.

use base::redact::Redactor;
use base::{Actor, OperationId, SystemClock, Trigger};
use operations::{
    Context, EngineSettings, Failure, Kind, Kinds, NewOperation, Operation, Operations, Outcome,
    Retention, RetryPolicy, Settings, State, Stream,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::{Bus, Db};
use testing::TestDatabase;
use tokio::sync::{Notify, Semaphore, watch};
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

/// What scripted operations share with their test.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) begun: AtomicUsize,
    pub(crate) started: Notify,
    pub(crate) gate: Gate,
    pub(crate) order: std::sync::Mutex<Vec<String>>,
}

/// Lets operations go on, one permit each.
pub(crate) struct Gate(pub(crate) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// What a scripted operation does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    Say(Vec<String>),
    Lines(u64),
    Fail {
        times: u64,
    },
    FailForGood,
    Wait(String),
    Stubborn,
    Panic,
    Count {
        to: u64,
    },
    Parent(u64),
    Chunks(Vec<Vec<u8>>),
    /// Events with data of so many bytes.
    Events(Vec<usize>),
}

macro_rules! scripted {
    ($name:ident, $word:literal, |$settings:ident| $change:expr) => {
        pub(crate) struct $name(pub(crate) Arc<Script>);
        impl Kind for $name {
            const NAME: &'static str = $word;
            type Input = Work;
            fn settings(&self) -> Settings {
                let $settings = Settings::new("Scripted work").limit(2);
                $change
            }
            async fn run(&self, input: Work, context: Context) -> Result<Outcome, Failure> {
                self.0.run(input, context).await
            }
        }
    };
}

scripted!(Plain, "plain", |settings| settings.schedulable());
scripted!(Resumable, "resumable", |settings| settings.resumable());
scripted!(Wide, "wide", |settings| settings.limit(64));
scripted!(Latest, "latest", |settings| settings.replacing_waiting());
scripted!(Retried, "retried", |settings| settings.retry(
    RetryPolicy::exponential(3, Duration::from_millis(10), Duration::from_millis(50))
));

impl Script {
    /// Waits until so many have begun. That is after their being stored as running:
    /// the claim comes first, and the work begins when its task is scheduled.
    pub(crate) async fn has_begun(&self, count: usize) {
        let begun = async {
            loop {
                let mut started = std::pin::pin!(self.started.notified());
                started.as_mut().enable();
                if self.begun.load(Ordering::SeqCst) >= count {
                    return;
                }
                started.await;
            }
        };
        tokio::time::timeout(LIMIT, begun)
            .await
            .expect("it begins in time");
    }

    async fn run(&self, work: Work, context: Context) -> Result<Outcome, Failure> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.started.notify_waiters();
        let result = self.act(work, &context).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        result
    }

    async fn act(&self, work: Work, context: &Context) -> Result<Outcome, Failure> {
        match work {
            Work::Say(lines) => {
                for line in lines {
                    context.log(line).await;
                }
            }
            Work::Lines(count) => {
                for number in 1..=count {
                    context
                        .line(Stream::Stdout, &format!("line {number} of {count}"))
                        .await;
                }
            }
            Work::Fail { times } if context.attempt() <= times => {
                return Err(Failure::passing("flaky", "It failed this time."));
            }
            Work::Fail { .. } => {}
            Work::FailForGood => {
                return Err(Failure::lasting(
                    "broken",
                    "It is broken for good; mend it.",
                ));
            }
            Work::Wait(name) => {
                self.order.lock().expect("not poisoned").push(name);
                tokio::select! {
                    permit = self.gate.0.acquire() => permit.expect("the gate stays").forget(),
                    () = context.cancelled().cancelled() => return Err(Failure::cancelled()),
                }
            }
            Work::Stubborn => std::future::pending().await,
            Work::Panic => panic!("as the test wants it"),
            Work::Count { to } => {
                let mut at: u64 = context.restored().unwrap_or(0);
                while at < to {
                    context.check()?;
                    at += 1;
                    context.log(format!("counted {at}")).await;
                    context.checkpoint(&at).await?;
                    context.progress(|progress| {
                        progress.done = at;
                        progress.total = Some(to);
                        "numbers".clone_into(&mut progress.unit);
                    });
                    tokio::select! {
                        permit = self.gate.0.acquire() => permit.expect("the gate stays").forget(),
                        () = context.cancelled().cancelled() => return Err(Failure::cancelled()),
                    }
                }
            }
            Work::Parent(children) => {
                let mut ids = Vec::new();
                for number in 0..children {
                    let child = context.child::<Plain>(&Work::Wait(format!("child {number}")))?;
                    ids.push(context.spawn(child).await?);
                }
                for id in ids {
                    context.wait(id).await?;
                }
            }
            Work::Events(lengths) => {
                for length in lengths {
                    context.event("an event", &"x".repeat(length)).await;
                }
            }
            Work::Chunks(chunks) => {
                let mut output = context.output(Stream::Stdout);
                for chunk in chunks {
                    output.write(&chunk).await;
                }
                output.finish().await;
            }
        }
        Ok(serde_json::json!({ "attempt": context.attempt() }))
    }
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
        let db = database.open().await;
        let stop = CancellationToken::new();
        let bus = Bus::start(&db, &TaskTracker::new(), stop.clone());
        let script = Arc::new(Script::default());
        let kinds = Kinds::new()
            .with(Plain(Arc::clone(&script)))
            .with(Resumable(Arc::clone(&script)))
            .with(Wide(Arc::clone(&script)))
            .with(Latest(Arc::clone(&script)))
            .with(Retried(Arc::clone(&script)))
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

/// Short times, so that tests of lost workers end soon.
pub(crate) fn quick() -> EngineSettings {
    EngineSettings {
        lease: Duration::from_millis(1500),
        heartbeat: Duration::from_millis(300),
        poll: Duration::from_millis(100),
        patience: Duration::from_millis(500),
        ..EngineSettings::default()
    }
}
