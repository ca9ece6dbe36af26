//! Passes of syncs with several targets, of which some have their troubles.

use super::*;
use crate::tally::Tally;
use std::collections::BTreeSet;
use testing::on_sqlite;

/// Longer than it takes a panic to tell of itself, while nothing else goes on.
const UNHURRIED: Duration = Duration::from_secs(60);

/// Files of the source by which a rule is tried.
const SAMPLES: usize = 2;

/// What a target does instead of taking a file.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Trouble(Trouble),
    /// It works on it, and never gets ready.
    Works,
    /// It takes everything, and says of what is to be removed that it is somebody else's.
    NotOurs,
    /// Of ids that begin so it says that it takes none of them.
    Unsuited(&'static str),
}

/// A source, and a target for each one of a rule.
#[derive(Debug, Default)]
pub(super) struct Port {
    /// The files that the source has.
    files: Mutex<BTreeSet<String>>,
    /// What the targets have, each file with its target's name, in the order of their coming.
    there: Mutex<Vec<String>>,
    says: Mutex<BTreeMap<String, Says>>,
    /// How often a target was asked to take a file.
    asked: Mutex<BTreeMap<String, u32>>,
    /// How often any target was asked how far it is.
    looked: AtomicUsize,
    /// At this file a target makes a mistake, once.
    mistaken: Mutex<Option<String>>,
    /// So often a target asks for a moment before it removes anything.
    pub(super) pauses: Mutex<u32>,
    /// This one is told to be missing, so many times.
    pub(super) flickers: Mutex<Option<(String, u32)>>,
}

impl Port {
    pub(super) fn with(files: &[&str]) -> Arc<Self> {
        let port = Arc::new(Self::default());
        port.has(files);
        port
    }

    /// From now on the source has these files.
    pub(super) fn has(&self, files: &[&str]) {
        *self.files.lock().expect("whole") = files.iter().map(|file| (*file).to_owned()).collect();
    }

    pub(super) fn says(&self, target: &str, says: Says) {
        let mut all = self.says.lock().expect("whole");
        all.insert(target.to_owned(), says);
    }

    /// Nobody has any trouble any more.
    pub(super) fn is_well(&self) {
        self.says.lock().expect("whole").clear();
    }

    pub(super) fn there(&self) -> Vec<String> {
        self.there.lock().expect("whole").clone()
    }

    pub(super) fn asked(&self, target: &str) -> u32 {
        let asked = self.asked.lock().expect("whole");
        asked.get(target).copied().unwrap_or_default()
    }

    pub(super) fn looked(&self) -> usize {
        self.looked.load(Ordering::SeqCst)
    }

    fn said(&self, target: &str) -> Option<Says> {
        self.says.lock().expect("whole").get(target).cloned()
    }

    /// Another pass of `sync`.
    pub(super) async fn pass(
        self: &Arc<Self>,
        process: &mut Process,
        sync: &Sync,
        recorded: bool,
    ) -> Arc<Pass> {
        let new = NewOperation::of::<Lent>(&(), Actor::system(), Trigger::System);
        let new = new.expect("an operation").here();
        process.operations.submit(new).await.expect("accepted");
        let context = within("an operation to begin", process.contexts.recv()).await;
        let targets = sync.rule.targets.iter().map(|route| {
            let berth = Berth {
                name: route.name.clone(),
                port: Arc::clone(self),
            };
            Arc::new(berth) as Arc<dyn Target>
        });
        let opened = Opened {
            sync: sync.clone(),
            source: Arc::new(Quay(Arc::clone(self))),
            targets: targets.collect(),
        };
        let context = context.expect("one");
        Pass::new(process.syncs.clone(), opened, context, recorded)
    }

    /// One pass, to its end.
    pub(super) async fn passes(
        self: &Arc<Self>,
        process: &mut Process,
        sync: &Sync,
    ) -> Result<Tally, Failure> {
        let pass = self.pass(process, sync, false).await;
        within("the pass to end", pass.run()).await?;
        Ok(pass.board.tally())
    }
}

#[derive(Debug)]
struct Quay(Arc<Port>);

#[async_trait]
impl Source for Quay {
    async fn page(&self, _after: Option<&str>, _limit: usize) -> Result<SourcePage, Trouble> {
        let files = self.0.files.lock().expect("whole").clone();
        let found = files.into_iter().map(|file| {
            let is_film = file.starts_with("film");
            Found {
                place: file.clone(),
                name: file.clone(),
                key: file,
                media_type: if is_film { "video/mp4" } else { "image/png" }.to_owned(),
                size: None,
                content: Some("v1".to_owned()),
                metadata: BTreeMap::new(),
                seen: None,
                creator: None,
                asked: false,
            }
        });
        Ok(SourcePage {
            files: found.collect(),
            next: None,
        })
    }

    async fn samples(&self, _limit: usize) -> Result<Vec<Found>, Trouble> {
        let mut files = self.page(None, 0).await?.files;
        files.truncate(SAMPLES);
        Ok(files)
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

    async fn open(&self, _: &str, _: &LookedAt, _: u64) -> Result<Content, Trouble> {
        Ok(futures::stream::iter([Ok(Bytes::from_static(b"abc"))]).boxed())
    }

    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble> {
        let files = self.0.files.lock().expect("whole");
        let mut missing: Vec<String> = keys
            .iter()
            .filter(|key| !files.contains(*key))
            .cloned()
            .collect();
        let mut flickers = self.0.flickers.lock().expect("whole");
        if let Some((key, left)) = flickers.as_mut()
            && *left > 0
            && keys.contains(key)
        {
            *left -= 1;
            missing.push(key.clone());
        }
        Ok(missing)
    }

    async fn check(&self) -> Vec<Checked> {
        Vec::new()
    }
}

#[derive(Debug)]
struct Berth {
    name: String,
    port: Arc<Port>,
}

impl Berth {
    fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.name)
    }

    fn works(key: &str) -> Delivered {
        Delivered::Working {
            receipt: Receipt {
                id: key.to_owned(),
                ..Receipt::default()
            },
            again: Duration::from_secs(10),
        }
    }
}

#[async_trait]
impl Target for Berth {
    fn unfit(&self, _item: &Item) -> Option<String> {
        None
    }

    async fn deliver(
        &self,
        item: &Item,
        _known: Option<(State, &Value)>,
        ground: &dyn TargetGround,
    ) -> Result<Delivered, Trouble> {
        {
            let mut asked = self.port.asked.lock().expect("whole");
            *asked.entry(self.name.clone()).or_default() += 1;
        }
        let says = self.port.said(&self.name);
        if let Some(Says::Trouble(trouble)) = says {
            return Err(trouble);
        }
        let mistaken = {
            let mut mistaken = self.port.mistaken.lock().expect("whole");
            mistaken.take_if(|key| *key == item.key)
        };
        assert!(mistaken.is_none(), "a mistake of the target's");
        let mut content = ground.open(0).await?;
        while let Some(piece) = content.next().await {
            piece?;
        }
        let known = json!({ "id": item.key });
        ground.record(State::Uploaded, &known).await?;
        if matches!(says, Some(Says::Works)) {
            return Ok(Self::works(&item.key));
        }
        let mut there = self.port.there.lock().expect("whole");
        there.push(self.place(&item.key));
        Ok(ready(&item.key))
    }

    fn foresee(&self, item: &Item) -> Result<Option<Receipt>, String> {
        match self.port.said(&self.name) {
            Some(Says::Unsuited(begin)) if item.key.starts_with(begin) => {
                Err("ids are no numbers".to_owned())
            }
            _ => Ok(None),
        }
    }

    async fn look(&self, item: &Item, _known: &Value) -> Result<Option<Delivered>, Trouble> {
        self.port.looked.fetch_add(1, Ordering::SeqCst);
        Ok(match self.port.said(&self.name) {
            Some(Says::Trouble(trouble)) => return Err(trouble),
            Some(Says::Works) => Some(Self::works(&item.key)),
            _ => {
                let has = self.port.there().contains(&self.place(&item.key));
                has.then(|| ready(&item.key))
            }
        })
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        {
            let mut pauses = self.port.pauses.lock().expect("whole");
            if let Some(left) = pauses.checked_sub(1) {
                *pauses = left;
                return Err(Trouble::Paused {
                    reason: "too many requests".to_owned(),
                    after: Duration::ZERO,
                });
            }
        }
        match self.port.said(&self.name) {
            Some(Says::Trouble(trouble)) => return Err(trouble),
            Some(Says::NotOurs) => return Ok(Removed::Left),
            _ => {}
        }
        let gone = self.place(known["id"].as_str().expect("recorded"));
        let mut there = self.port.there.lock().expect("whole");
        there.retain(|one| *one != gone);
        Ok(Removed::Gone)
    }

    async fn check(&self) -> Vec<Checked> {
        Vec::new()
    }
}

/// A sync with these targets, each with what goes there.
pub(super) async fn with_targets(db: &Db, targets: &[(&str, Value)]) -> Sync {
    let mut sync = a_sync(db).await;
    let to = json!({ "kind": "webhook", "url": "https://a.example/" });
    let routes = targets
        .iter()
        .map(|(name, when)| json!({ "name": name, "when": when, "to": to }));
    let routes = Value::Array(routes.collect());
    sync.rule.targets = serde_json::from_value(routes).expect("targets");
    sync
}

/// Films, and everything else.
pub(super) async fn films_and_the_rest(db: &Db) -> Sync {
    let films = json!({ "types": ["video/*"] });
    with_targets(db, &[("films", films), ("rest", json!({}))]).await
}

on_both!(what_troubles_one_target_keeps_nothing_from_the_others);
async fn what_troubles_one_target_keeps_nothing_from_the_others(database: TestDatabase) {
    const FILMS: u32 = 20;
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = films_and_the_rest(&db).await;
    sync.rule.at_once = Some(2);
    // The films come first in the order in which they are begun.
    let films = (1..=FILMS).map(|number| format!("film-{number:02}"));
    let pictures = (1..=10).map(|number| format!("picture-{number:02}"));
    let files: Vec<String> = films.chain(pictures).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let port = Port::with(&files);
    let reason = "the minutes are used up".to_owned();
    port.says("films", Says::Trouble(Trouble::Everything { reason }));
    let failed = port.passes(&mut process, &sync).await;
    let failed = failed.expect_err("one target took nothing");
    assert_eq!(failed.message(), "films: the minutes are used up");
    let there = port.there();
    assert_eq!(there.len(), 10, "{there:?}");
    assert!(
        there.iter().all(|one| one.starts_with("rest/")),
        "{there:?}"
    );
    // Those that were under way when it said so, and nothing afterwards.
    assert!(port.asked("films") <= 4, "{} times", port.asked("films"));
    for film in ["film-01", "film-20"] {
        let waits = process.state(&sync, film).await;
        assert_eq!((waits.state, waits.failures), (DeliveryState::Pending, 0));
        assert!(!waits.claimed, "{film} is given back");
    }
    port.is_well();
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.delivered, u64::from(FILMS));
    process.end().await;
}

on_sqlite!(a_target_that_is_paused_is_the_one_that_was_chosen);
async fn a_target_that_is_paused_is_the_one_that_was_chosen(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    // Whether it goes there is not known before it is looked at.
    let small = json!({ "types": ["image/*"], "max_size": 10 });
    let films = json!({ "types": ["video/*"] });
    let sync = with_targets(&db, &[("small", small), ("films", films)]).await;
    let port = Port::with(&["a", "film"]);
    let busy = Trouble::Paused {
        reason: "too many requests".to_owned(),
        after: Duration::from_millis(500),
    };
    port.says("small", Says::Trouble(busy));
    let pass = port.pass(&mut process, &sync, false).await;
    let watching = async {
        let shut = loop {
            let shut = pass.gates.shut(process.syncs.now());
            if !shut.is_empty() {
                break shut;
            }
            tokio::task::yield_now().await;
        };
        port.is_well();
        shut
    };
    let (done, shut) = tokio::join!(within("the pass to end", pass.run()), watching);
    done.expect("done");
    assert_eq!(shut, ["small"]);
    assert_eq!(port.there(), ["films/film", "small/a"]);
    assert_eq!(process.state(&sync, "a").await.failures, 0);
    process.end().await;
}

on_sqlite!(a_pass_that_would_only_wait_ends_and_leaves_it_to_a_later_one);
async fn a_pass_that_would_only_wait_ends_and_leaves_it_to_a_later_one(database: TestDatabase) {
    const ASKED: Duration = Duration::from_secs(20 * 60);
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["a", "film-1", "film-2"]);
    let busy = Trouble::Paused {
        reason: "too many requests".to_owned(),
        after: ASKED,
    };
    port.says("films", Says::Trouble(busy));
    let pass = port.pass(&mut process, &sync, false).await;
    let begun = process.syncs.now();
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(port.there(), ["rest/a"]);
    let left = pass.left();
    assert_eq!((left.out, left.paused), (vec![], vec!["films".to_owned()]));
    let opens_at = left.opens_at.expect("a time");
    assert!(opens_at >= begun.plus(ASKED), "{opens_at}");
    for film in ["film-1", "film-2"] {
        let waits = process.state(&sync, film).await;
        assert_eq!((waits.state, waits.failures), (DeliveryState::Pending, 0));
    }
    process.end().await;
}

on_sqlite!(whoever_makes_a_mistake_gives_the_file_back);
async fn whoever_makes_a_mistake_gives_the_file_back(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::with(&db, &MasterKeys::generate(), UNHURRIED).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["a"]);
    *port.mistaken.lock().expect("whole") = Some("a".to_owned());
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!((tally.delivered, tally.retried), (1, 1));
    let delivered = process.state(&sync, "a").await;
    assert_eq!(delivered.state, DeliveryState::Marked);
    assert!(!delivered.claimed);
    process.end().await;
}

on_both!(a_claim_of_which_its_pass_does_not_know_ends_with_its_lease);
async fn a_claim_of_which_its_pass_does_not_know_ends_with_its_lease(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["a"]);
    let pass = port.pass(&mut process, &sync, false).await;
    let mut finding = Finding::of(&pass.context, false);
    pass.find(&mut finding).await.expect("found");
    // It was kept, and the answer was lost.
    let wanted = Wanted {
        sync: sync.id,
        now: process.syncs.now(),
        limit: 1,
        but: &[],
    };
    let claimed = claim::claim(&db, pass.claimer(), wanted).await;
    assert_eq!(claimed.expect("claimed").len(), 1);
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(port.there(), ["rest/a"]);
    let delivered = process.state(&sync, "a").await;
    assert_eq!(delivered.state, DeliveryState::Marked);
    process.end().await;
}

on_both!(what_never_gets_ready_is_looked_at_less_often_and_then_given_up);
async fn what_never_gets_ready_is_looked_at_less_often_and_then_given_up(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["film"]);
    port.says("films", Says::Works);
    // It began so many seconds earlier, and is due.
    let later = async |seconds: i64| {
        let sql = "UPDATE delivery SET working_since = working_since - $1, run_at = 0";
        let changed = db.execute(sql, storage::values![seconds * 1_000_000]).await;
        assert_eq!(changed.expect("changed"), 1);
    };
    for (seconds, waits) in [(0, 9..11), (100, 99..110)] {
        if seconds > 0 {
            later(seconds).await;
        }
        port.passes(&mut process, &sync).await.expect("done");
        let film = process.state(&sync, "film").await;
        assert_eq!(film.state, DeliveryState::Working);
        let wait = film.next_at.expect("a time").since(film.changed_at);
        assert!(waits.contains(&wait.as_secs()), "{wait:?}");
    }
    later(24 * 3600).await;
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.failed, 1);
    let film = process.state(&sync, "film").await;
    assert_eq!(film.state, DeliveryState::Failed);
    let reason = film.reason.expect("it says why");
    assert!(reason.contains("not become ready"), "{reason}");
    // Who retries it gives it as long once more.
    let doer = access::Doer::system();
    let retried = process.syncs.retry(&doer, &sync, None).await;
    assert_eq!(retried.expect("asked"), 1);
    port.passes(&mut process, &sync).await.expect("done");
    let film = process.state(&sync, "film").await;
    assert_eq!(film.state, DeliveryState::Working);
    process.end().await;
}
