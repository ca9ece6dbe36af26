//! Passes against a source and a target that do as they are told: killed at every step,
//! refused, asked to wait.

mod counts;
mod records;

use super::*;
use crate::source::{Found, LookedAt, Mark, Source, SourcePage, Told};
use crate::sync::{Origin, Sync};
use crate::target::{
    Checked, Content, Delivered, Ground as TargetGround, Item, Receipt, Removed, State, Target,
    Trouble,
};
use crate::{DeliveryFilter, DeliveryState, Ground, SyncSettings, sql};
use ::operations::{EngineSettings, Kind, Kinds, NewOperation, Operations, Outcome, Settings};
use access::{Access, AccessSettings, MasterKeys};
use async_trait::async_trait;
use base::{Actor, SyncId, SystemClock, Trigger};
use bytes::Bytes;
use fetch::{Client, Limits, Policy};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use storage::{Bus, Db};
use testing::{TestDatabase, on_both, within};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod apart;
mod comparing;
mod removing;
mod unsuited;

const LEASE: Duration = Duration::from_millis(400);

/// What lies outside, and what is to go wrong there.
#[derive(Debug, Default)]
struct Outside {
    /// The keys of files that are at the target, each as often as it was made.
    assets: Mutex<Vec<String>>,
    /// The ids under which each file was marked, once for each time.
    marks: Mutex<BTreeMap<String, Vec<String>>>,
    /// The files that the source has.
    files: Vec<String>,
    /// Whether they are gone there.
    gone: AtomicBool,
    /// How many were removed at the target.
    removed: AtomicUsize,
    /// Whether the target works on a file that has come, until it is looked at.
    works: AtomicBool,
    /// At which step everything stands still, counted from 1; 0 is never.
    stops_at: Mutex<u32>,
    stopped: Notify,
    /// What the target says of a file instead of taking it.
    says: Mutex<BTreeMap<String, Trouble>>,
    /// Nobody goes on before so many are there.
    together: Option<tokio::sync::Barrier>,
    /// How many are under way, and how many were at most.
    under_way: Mutex<(u32, u32)>,
}

impl Outside {
    fn with(files: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            ..Self::default()
        })
    }

    /// A place where a process may be killed.
    async fn step(&self) {
        let stands = {
            let mut left = self.stops_at.lock().expect("nobody panics with it");
            match *left {
                0 => false,
                1 => {
                    *left = 0;
                    true
                }
                _ => {
                    *left -= 1;
                    false
                }
            }
        };
        if stands {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn assets(&self) -> Vec<String> {
        let mut assets = self.assets.lock().expect("whole").clone();
        assets.sort();
        assets
    }

    fn has(&self, key: &str) -> bool {
        self.assets
            .lock()
            .expect("whole")
            .iter()
            .any(|one| one == key)
    }
}

#[derive(Debug)]
struct Scripted(Arc<Outside>);

#[async_trait]
impl Source for Scripted {
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<SourcePage, Trouble> {
        let marks = self.0.marks.lock().expect("whole").clone();
        let files: Vec<Found> = self
            .0
            .files
            .iter()
            .filter(|file| after.is_none_or(|after| file.as_str() > after))
            .filter(|file| !marks.contains_key(*file))
            .take(limit)
            .map(|file| Found {
                key: file.clone(),
                place: file.clone(),
                name: file.clone(),
                media_type: "image/png".to_owned(),
                size: None,
                content: None,
                metadata: BTreeMap::new(),
                seen: None,
                creator: None,
                asked: true,
            })
            .collect();
        let next = files.last().map(|last| last.key.clone());
        Ok(SourcePage {
            next: next.filter(|_| files.len() == limit),
            files,
        })
    }

    async fn look(&self, _place: &str) -> Result<Option<LookedAt>, Trouble> {
        Ok(Some(LookedAt {
            size: 3,
            content: "v1".to_owned(),
            etag: "v1".to_owned(),
            md5: None,
            media_type: None,
        }))
    }

    async fn open(&self, _: &str, _: &LookedAt, offset: u64) -> Result<Content, Trouble> {
        let bytes = Bytes::from_static(b"abc").slice(usize::try_from(offset).expect("small")..);
        Ok(futures::stream::iter([Ok(bytes)]).boxed())
    }

    async fn mark(&self, key: &str, mark: &Mark) -> Result<Told, Trouble> {
        self.0.step().await;
        if mark.ready {
            let mut marks = self.0.marks.lock().expect("whole");
            let ids = marks.entry(key.to_owned()).or_default();
            ids.push(mark.receipt.id.clone());
        }
        self.0.step().await;
        Ok(Told::Done)
    }

    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble> {
        let all = self.0.gone.load(Ordering::SeqCst);
        let gone = keys.iter().filter(|key| all || !self.0.files.contains(key));
        Ok(gone.cloned().collect())
    }

    async fn check(&self) -> Vec<Checked> {
        Vec::new()
    }
}

#[async_trait]
impl Target for Scripted {
    fn unfit(&self, _item: &Item) -> Option<String> {
        None
    }

    async fn deliver(
        &self,
        item: &Item,
        known: Option<(State, &Value)>,
        ground: &dyn TargetGround,
    ) -> Result<Delivered, Trouble> {
        if let Some(trouble) = self.0.says.lock().expect("whole").get(&item.key) {
            return Err(trouble.clone());
        }
        if let Some(together) = &self.0.together {
            {
                let mut under_way = self.0.under_way.lock().expect("whole");
                under_way.0 += 1;
                under_way.1 = under_way.1.max(under_way.0);
            }
            together.wait().await;
            self.0.under_way.lock().expect("whole").0 -= 1;
        }
        self.0.step().await;
        if known.is_none() {
            ground.record(State::Intended, &json!({})).await?;
        }
        self.0.step().await;
        // As Stream does: names are not unique, so it looks before it makes another one.
        if known.is_none() || !self.0.has(&item.key) {
            self.0.assets.lock().expect("whole").push(item.key.clone());
        }
        self.0.step().await;
        ground
            .record(State::Created, &json!({ "id": item.key }))
            .await?;
        self.0.step().await;
        let mut content = ground.open(0).await?;
        while let Some(piece) = content.next().await {
            piece?;
        }
        ground
            .record(State::Uploaded, &json!({ "id": item.key }))
            .await?;
        self.0.step().await;
        Ok(match ready(&item.key) {
            Delivered::Ready(receipt) if self.0.works.load(Ordering::SeqCst) => {
                let again = Duration::ZERO;
                Delivered::Working { receipt, again }
            }
            delivered => delivered,
        })
    }

    async fn look(&self, item: &Item, _known: &Value) -> Result<Option<Delivered>, Trouble> {
        Ok(self.0.has(&item.key).then(|| ready(&item.key)))
    }

    async fn remove(&self, _known: &Value) -> Result<Removed, Trouble> {
        self.0.removed.fetch_add(1, Ordering::SeqCst);
        Ok(Removed::Gone)
    }

    async fn check(&self) -> Vec<Checked> {
        Vec::new()
    }
}

fn ready(key: &str) -> Delivered {
    Delivered::Ready(Receipt {
        id: key.to_owned(),
        ..Receipt::default()
    })
}

/// Hands its context to the test, and lasts until the test has done with it.
struct Lent(mpsc::UnboundedSender<Context>);

impl Kind for Lent {
    const NAME: &'static str = "lent";
    type Input = ();

    fn settings(&self) -> Settings {
        Settings::new("Lent to a test")
    }

    async fn run(&self, (): (), context: Context) -> Result<Outcome, Failure> {
        let _ = self.0.send(context.clone());
        context.cancelled().cancelled().await;
        Err(Failure::cancelled())
    }
}

/// One process, as it were.
struct Process {
    syncs: Syncs,
    operations: Operations,
    contexts: mpsc::UnboundedReceiver<Context>,
    stop: CancellationToken,
}

impl Process {
    async fn on(db: &Db, keys: &MasterKeys) -> Self {
        Self::with(db, keys, LEASE).await
    }

    async fn with(db: &Db, keys: &MasterKeys, lease: Duration) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(db, &tasks, stop.clone());
        let clock: base::SharedClock = Arc::new(SystemClock);
        let keys = MasterKeys::parse(&keys.file()).expect("keys");
        let settings = AccessSettings::default();
        let access = Access::open(db.clone(), bus.clone(), Arc::clone(&clock), keys, settings);
        let access = access.await.expect("access opens");
        let syncs = Syncs::new(
            Ground {
                db: db.clone(),
                bus: bus.clone(),
                client: Client::new(Policy::default(), Limits::default()),
                clock: Arc::clone(&clock),
                tasks,
                variables: None,
                access: access.clone(),
            },
            SyncSettings {
                lease,
                attempts: 2,
                longest_wait: Duration::from_millis(10),
                ..SyncSettings::default()
            },
        );
        let (sender, contexts) = mpsc::unbounded_channel();
        let kinds = Kinds::new().with(Lent(sender));
        let settings = EngineSettings::default();
        let operations =
            Operations::open(db.clone(), bus, clock, kinds, access.redactors(), settings);
        let operations = operations.await.expect("the engine opens");
        operations.start();
        syncs.connect(operations.clone());
        Self {
            syncs,
            operations,
            contexts,
            stop,
        }
    }

    /// A pass of `sync`, in a task that can be killed.
    async fn pass(&mut self, sync: &Sync, outside: &Arc<Outside>) -> Arc<Pass> {
        let new = NewOperation::of::<Lent>(&(), Actor::system(), Trigger::System);
        // By this process: the other one that lives knows the kind, too.
        let new = new.expect("an operation").here();
        self.operations.submit(new).await.expect("accepted");
        let context = within("an operation to begin", self.contexts.recv()).await;
        let context = context.expect("one");
        let (db, id, now) = (self.syncs.db(), context.id(), self.syncs.now());
        let begun = sql::pass::begin(db, id, sync.id, now).await;
        begun.expect("recorded");
        self.pass_of(context, sync, outside, false)
    }

    /// The pass that an operation is, begun or taken up.
    fn pass_of(
        &self,
        context: Context,
        sync: &Sync,
        outside: &Arc<Outside>,
        recorded: bool,
    ) -> Arc<Pass> {
        let opened = Opened {
            sync: sync.clone(),
            source: Arc::new(Scripted(Arc::clone(outside))),
            targets: vec![Arc::new(Scripted(Arc::clone(outside)))],
        };
        Pass::new(self.syncs.clone(), opened, context, recorded)
    }

    async fn state(&self, sync: &Sync, item: &str) -> crate::Delivery {
        let filter = DeliveryFilter::default();
        let all = self.syncs.deliveries(sync, &filter, None, 100).await;
        let all = all.expect("read").into_iter();
        all.into_iter().find(|one| one.item == item).expect("there")
    }

    async fn end(self) {
        self.operations.stop(Duration::ZERO).await;
        self.stop.cancel();
    }
}

async fn a_sync(db: &Db) -> Sync {
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "any" },
        "targets": [{ "name": "all", "to": { "kind": "webhook", "url": "https://a.example/" } }],
    });
    let now = base::Clock::now(&SystemClock);
    let sync = Sync {
        id: SyncId::new(),
        name: format!("s{}", uuid::Uuid::now_v7().simple()),
        rule: serde_json::from_value(rule).expect("a rule"),
        origin: Origin::People,
        paused: false,
        created_at: now,
        created_by: "system".to_owned(),
        changed_at: now,
    };
    let mut tx = db.begin().await.expect("begun");
    sql::sync::insert(&mut tx, &sync, &Actor::system())
        .await
        .expect("inserted");
    tx.commit().await.expect("committed");
    sync
}

on_both!(killed_at_any_step_it_ends_in_one_asset_and_one_mark);
async fn killed_at_any_step_it_ends_in_one_asset_and_one_mark(database: TestDatabase) {
    /// Before and after everything that leaves something behind.
    const STEPS: u32 = 7;
    let db = database.open().await;
    let keys = MasterKeys::generate();
    for step in 1..=STEPS {
        let sync = a_sync(&db).await;
        let outside = Outside::with(&["a"]);
        *outside.stops_at.lock().expect("whole") = step;
        let mut killed = Process::on(&db, &keys).await;
        let pass = killed.pass(&sync, &outside).await;
        let running = tokio::spawn(async move { pass.run().await });
        within("the step to be reached", outside.stopped.notified()).await;
        running.abort();
        let _ = running.await;
        let mut next = Process::on(&db, &keys).await;
        let pass = next.pass(&sync, &outside).await;
        let done = within("the next pass to end", pass.run()).await;
        done.unwrap_or_else(|failure| panic!("step {step}: {failure}"));
        assert_eq!(outside.assets(), ["a"], "step {step}: one asset");
        let marks = outside.marks.lock().expect("whole").clone();
        // Only who was killed before it could record that it had marked it marks it again.
        let ids = vec!["a".to_owned(); if step == STEPS { 2 } else { 1 }];
        assert_eq!(
            marks,
            BTreeMap::from([("a".to_owned(), ids)]),
            "step {step}"
        );
        let state = next.state(&sync, "a").await.state;
        assert_eq!(state, DeliveryState::Marked, "step {step}");
        killed.end().await;
        next.end().await;
    }
}

on_both!(what_troubles_one_file_holds_no_other_up);
async fn what_troubles_one_file_holds_no_other_up(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_sync(&db).await;
    let outside = Outside::with(&["a", "b", "c"]);
    let reason = || "it has had enough".to_owned();
    outside.says.lock().expect("whole").extend([
        ("a".to_owned(), Trouble::Refused { reason: reason() }),
        (
            "b".to_owned(),
            Trouble::Later {
                reason: reason(),
                after: None,
            },
        ),
    ]);
    let pass = process.pass(&sync, &outside).await;
    within("the pass to end", pass.run()).await.expect("done");
    let tally = pass.board.tally();
    assert_eq!((tally.delivered, tally.failed, tally.retried), (1, 2, 1));
    for (file, failures) in [("a", 1), ("b", 2)] {
        let failed = process.state(&sync, file).await;
        assert_eq!(failed.state, DeliveryState::Failed, "{file}");
        assert_eq!(
            (failed.failures, failed.reason),
            (failures, Some(reason())),
            "{file}"
        );
    }
    assert_eq!(process.state(&sync, "c").await.state, DeliveryState::Marked);
    // Retried, they go on from where they were.
    outside.says.lock().expect("whole").clear();
    let doer = access::Doer::system();
    assert_eq!(
        process
            .syncs
            .retry(&doer, &sync, None)
            .await
            .expect("asked"),
        2
    );
    let pass = process.pass(&sync, &outside).await;
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(outside.assets(), ["a", "b", "c"]);
    process.end().await;
}

on_both!(what_holds_for_all_ends_the_pass_and_blames_no_file);
async fn what_holds_for_all_ends_the_pass_and_blames_no_file(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_sync(&db).await;
    let outside = Outside::with(&["a", "b"]);
    let wrong = Trouble::Everything {
        reason: "the token is none".to_owned(),
    };
    for file in ["a", "b"] {
        let mut says = outside.says.lock().expect("whole");
        says.insert(file.to_owned(), wrong.clone());
    }
    let pass = process.pass(&sync, &outside).await;
    let failed = within("the pass to end", pass.run())
        .await
        .expect_err("it stops");
    assert_eq!(failed.message(), "the token is none");
    for file in ["a", "b"] {
        let waits = process.state(&sync, file).await;
        assert_eq!((waits.state, waits.failures), (DeliveryState::Pending, 0));
        assert!(!waits.claimed, "{file} is given back");
    }
    outside.says.lock().expect("whole").clear();
    let pass = process.pass(&sync, &outside).await;
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(outside.assets(), ["a", "b"]);
    process.end().await;
}

on_both!(a_target_that_takes_nothing_for_a_while_is_waited_for);
async fn a_target_that_takes_nothing_for_a_while_is_waited_for(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_sync(&db).await;
    let outside = Outside::with(&["a"]);
    outside.says.lock().expect("whole").insert(
        "a".to_owned(),
        Trouble::Paused {
            reason: "too many requests".to_owned(),
            after: Duration::from_millis(300),
        },
    );
    let pass = process.pass(&sync, &outside).await;
    let clearing = async {
        while !pass
            .gates
            .shut(process.syncs.now())
            .contains(&"all".to_owned())
        {
            tokio::task::yield_now().await;
        }
        outside.says.lock().expect("whole").clear();
    };
    let (done, ()) = tokio::join!(within("the pass to end", pass.run()), clearing);
    done.expect("done");
    let delivered = process.state(&sync, "a").await;
    assert_eq!(
        (delivered.state, delivered.failures),
        (DeliveryState::Marked, 0)
    );
    process.end().await;
}

on_both!(so_many_files_as_the_rule_says_go_at_once_and_no_more);
async fn so_many_files_as_the_rule_says_go_at_once_and_no_more(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = a_sync(&db).await;
    sync.rule.at_once = Some(3);
    let files = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let outside = Arc::new(Outside {
        files: files.map(str::to_owned).to_vec(),
        together: Some(tokio::sync::Barrier::new(3)),
        ..Outside::default()
    });
    let pass = process.pass(&sync, &outside).await;
    // With fewer nobody would go on.
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(outside.assets(), files);
    assert_eq!(*outside.under_way.lock().expect("whole"), (0, 3));
    process.end().await;
}
