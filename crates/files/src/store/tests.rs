//! A bucket in a real store: what is there is seen in both, whoever put it there.

mod admitted;
mod coming;
mod films;
mod gate;
mod lasting;
mod refused;
mod replicas;

use super::*;
use crate::bucket::{BucketChange, NewBucket};
use crate::change::Description;
use crate::expect::{Expect, Tags};
use crate::permit::Writer;
use crate::presign::Terms;
use crate::put::NewFile;
use crate::{FileSettings, Ground, Heap};
use access::{Access, AccessSettings, Doer, MasterKeys};
use base::{Actor, SharedClock, SystemClock};
use gate::Gate;
use std::sync::Arc;
use storage::{Blobs, Bus, ObjectHeaders};
use testing::{Content, S3Store, TestDatabase, on_both, within};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Files over a store, as one process has them.
pub(crate) struct Quay {
    pub(crate) files: Files,
    pub(crate) bucket: Arc<Bucket>,
    peer: S3Store,
    by: Writer,
    _folder: tempfile::TempDir,
}

impl Quay {
    async fn open(database: &TestDatabase, settings: BucketChange) -> Option<Self> {
        let peer = S3Store::start().await?;
        let endpoint = peer.endpoint();
        Some(Self::at(database, settings, peer, endpoint).await)
    }

    /// The same with a gate before the store.
    pub(crate) async fn gated(
        database: &TestDatabase,
        settings: BucketChange,
    ) -> Option<(Self, Gate)> {
        let peer = S3Store::start().await?;
        let gate = Gate::before(peer.port()).await;
        let endpoint = gate.endpoint();
        Some((Self::at(database, settings, peer, endpoint).await, gate))
    }

    async fn at(
        database: &TestDatabase,
        settings: BucketChange,
        peer: S3Store,
        at: String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = opened(database, folder.path()).await;
        let mut storage = storage(&peer, "team/");
        if let Storage::S3 { endpoint, .. } = &mut storage {
            *endpoint = at;
        }
        let doer = Doer::system();
        let name = "harbour-key".parse().expect("a name");
        let secret = peer.secret().into();
        let put = files.access().put_secret(&doer, &name, &secret).await;
        put.expect("kept");
        let new = NewBucket {
            name: "quay".to_owned(),
            storage: Some(storage),
            settings,
        };
        let bucket = files.create_bucket(&doer, new).await.expect("made");
        Self {
            files,
            bucket,
            peer,
            by: Writer {
                actor: Actor::user("anna"),
                account: None,
            },
            _folder: folder,
        }
    }

    pub(crate) async fn put(&self, path: &str, content: &[u8]) -> File {
        self.put_if(path, content, Expect::default())
            .await
            .expect("put")
    }

    async fn put_if(&self, path: &str, content: &[u8], expect: Expect) -> Result<File> {
        let new = NewFile {
            expect,
            ..NewFile::at(path.parse().expect("a path"))
        };
        let mut incoming = self.files.put(&self.bucket, self.by.clone(), new).await?;
        for piece in content.chunks(500_000) {
            incoming.write(Bytes::copy_from_slice(piece)).await?;
        }
        incoming.finish().await
    }

    async fn content(&self, path: &str) -> Option<Vec<u8>> {
        let path = path.parse().expect("a path");
        match self.files.file_and_content(&self.bucket, &path).await {
            Ok((file, content)) => {
                assert_eq!(file.size, content.size());
                Some(read(&content, 0..file.size).await)
            }
            Err(Error::NoFile(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The paths that are listed.
    pub(crate) async fn listed(&self) -> Vec<String> {
        let entries = self.files.keys(&self.bucket, "", None, None, 100).await;
        let entries = entries.expect("listed");
        entries.iter().map(|entry| entry.key().to_owned()).collect()
    }

    /// The store, as another program sees it.
    async fn store(&self) -> ObjectStore {
        let store = self.files.store(&self.bucket).await.expect("open");
        store.expect("it is in a store")
    }

    async fn put_by_another(&self, path: &str, content: &str) {
        let store = self.store().await;
        let body = Bytes::from(content.to_owned());
        let headers = ObjectHeaders::default();
        store.put(path, body, &headers).await.expect("put");
    }
}

async fn read(content: &crate::Content, range: Range<u64>) -> Vec<u8> {
    let pieces: Vec<Bytes> = content.stream(range).try_collect().await.expect("whole");
    pieces.concat()
}

/// Where clients reach the store; this server does at its own endpoint.
const PUBLIC: &str = "https://store.example.org";

fn storage(peer: &S3Store, prefix: &str) -> Storage {
    Storage::S3 {
        endpoint: peer.endpoint(),
        public_endpoint: Some(PUBLIC.to_owned()),
        region: "us-east-1".to_owned(),
        bucket: peer.bucket().to_owned(),
        prefix: prefix.to_owned(),
        path_style: true,
        access_key: peer.access_key().to_owned(),
        secret: "harbour-key".to_owned(),
    }
}

static KEYS: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

/// Files on a database of their own, or that they share with other replicas.
pub(crate) async fn opened(database: &TestDatabase, folder: &std::path::Path) -> Files {
    let db = database.open().await;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let bus = Bus::start(&db, &tasks, stop.clone());
    let clock = Arc::new(SystemClock) as SharedClock;
    // The same for all replicas of one test.
    let keys = KEYS.get_or_init(|| MasterKeys::generate().file());
    let keys = MasterKeys::parse(keys).expect("keys");
    let settings = AccessSettings::default();
    let access = Access::open(db.clone(), bus.clone(), Arc::clone(&clock), keys, settings);
    let networks = fetch::parse_networks("127.0.0.0/8").expect("a network");
    let policy = fetch::Policy::allowing(networks);
    let ground = Ground {
        client: fetch::Client::new(policy, fetch::Limits::default()),
        db,
        blobs: Blobs::open(&folder.join("files")).expect("they are ours"),
        bus,
        access: access.await.expect("access opens"),
        clock,
        tasks,
        stop,
    };
    let settings = FileSettings::default();
    Files::open(ground, settings).await.expect("files open")
}

fn path(text: &str) -> FilePath {
    text.parse().expect("a path")
}

#[test]
fn no_more_stores_and_gaps_are_remembered_than_there_is_room_for() {
    let stores = Stores::new();
    let settings = ObjectSettings {
        endpoint: "https://store.example.org".to_owned(),
        public_endpoint: None,
        region: "us-east-1".to_owned(),
        bucket: "harbour".to_owned(),
        prefix: String::new(),
        path_style: true,
        access_key: "key".to_owned(),
        secret: "secret".into(),
    };
    let client = fetch::Client::new(fetch::Policy::default(), fetch::Limits::default());
    let store = ObjectStore::new(settings, &client, TaskTracker::new()).expect("it can be");
    for _ in 0..MOST_STORES + MOST_STORES / 4 {
        stores.ready.insert(BucketId::new(), store.clone());
    }
    let bucket = BucketId::new();
    for number in 0..MOST_ABSENT + MOST_ABSENT / 4 {
        stores.absent.insert((bucket, number.to_string()), ());
    }
    stores.ready.run_pending_tasks();
    stores.absent.run_pending_tasks();
    let counts = (stores.ready.entry_count(), stores.absent.entry_count());
    assert!((1..=MOST_STORES).contains(&counts.0), "{counts:?}");
    assert!((1..=MOST_ABSENT).contains(&counts.1), "{counts:?}");
}

#[tokio::test]
async fn a_file_lies_in_the_store_under_its_own_path() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let file = quay.put("deep/n\u{e4}me one.txt", b"some cargo\n").await;
        assert_eq!(quay.peer.keys(), ["team/deep/n\u{e4}me one.txt"]);
        assert_eq!(file.media_type, "text/plain");
        assert!(file.sha256.is_some());
        let content = quay.content("deep/n\u{e4}me one.txt").await;
        assert_eq!(content.as_deref(), Some(&b"some cargo\n"[..]));
        let large = Content::seeded(5, 20 << 20).to_vec();
        let file = quay.put("large", &large).await;
        assert_eq!(file.size, 20 << 20);
        let (_, content) = quay
            .files
            .file_and_content(&quay.bucket, &path("large"))
            .await
            .expect("there");
        assert!(read(&content, 0..file.size).await == large, "all of it");
        let range = (9 << 20)..(9 << 20) + 7;
        let part = read(&content, range.clone()).await;
        assert_eq!(part, large[9 << 20..(9 << 20) + 7]);
        assert_eq!(quay.listed().await, ["deep/n\u{e4}me one.txt", "large"]);
        let (at, terms) = (path("large"), Terms::Get { download: false });
        let time = Duration::from_secs(60);
        let address = quay.files.store_address(&quay.bucket, &at, &terms, time);
        let address = address.await.expect("signed").expect("it is in a store");
        let beginning = format!("{PUBLIC}/{}/team/large?", quay.peer.bucket());
        assert!(address.starts_with(&beginning), "{address}");
    })
    .await;
}

#[tokio::test]
async fn with_the_turn_one_look_finds_what_others_overwrite_all_the_time() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let on_disk = quay.files.bucket(crate::DEFAULT_BUCKET).expect("there");
        let path: FilePath = "busy".parse().expect("a path");
        for bucket in [on_disk, Arc::clone(&quay.bucket)] {
            let none = quay.files.held_file_and_content(&bucket, &path).await;
            assert!(matches!(none, Err(Error::NoFile(_))), "{none:?}");
            let (files, by) = (quay.files.clone(), quay.by.clone());
            let (to, at) = (Arc::clone(&bucket), path.clone());
            let put = async move |round: usize| {
                let new = NewFile::at(at.clone());
                let mut incoming = files.put(&to, by.clone(), new).await.expect("begun");
                let content = Bytes::from(vec![b'x'; 100 + round]);
                incoming.write(content).await.expect("written");
                incoming.finish().await.expect("put");
            };
            put(0).await;
            let writer = tokio::spawn(async move {
                for round in 1..40 {
                    put(round).await;
                }
            });
            loop {
                let over = writer.is_finished();
                let found = quay.files.held_file_and_content(&bucket, &path).await;
                let (file, content) = found.expect("it is always there");
                assert_eq!(content.size(), file.size);
                let all = read(&content, 0..file.size).await;
                assert_eq!(all.len() as u64, file.size, "of the file that is told of");
                if over {
                    assert_eq!(file.size, 139);
                    break;
                }
            }
            writer.await.expect("no writer saw anything wrong");
        }
    })
    .await;
}

#[tokio::test]
async fn what_others_put_change_and_remove_is_seen() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        quay.put_by_another("a", "one").await;
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
        assert_eq!(quay.listed().await, ["a"]);
        quay.put_by_another("a", "another").await;
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"another"[..]));
        let usage = quay.files.usage(&quay.bucket).await.expect("usage");
        assert_eq!((usage.files, usage.bytes), (1, 7));
        let taken = quay.put_if("b", b"mine", Expect::nothing()).await;
        taken.expect("it is free");
        quay.put_by_another("c", "theirs").await;
        let taken = quay.put_if("c", b"mine", Expect::nothing()).await;
        assert!(matches!(taken, Err(Error::Precondition)), "{taken:?}");
        let store = quay.store().await;
        for key in ["a", "b", "c"] {
            store.delete(key).await.expect("deleted");
            assert_eq!(quay.content(key).await, None, "{key}");
        }
        assert_eq!(quay.listed().await, Vec::<String>::new());
        let usage = quay.files.usage(&quay.bucket).await.expect("usage");
        assert_eq!((usage.files, usage.bytes), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn observing_says_what_it_changed_and_changes_nothing_twice() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let a = path("a");
        let observe = || quay.files.observe(&quay.bucket, &a);
        assert_eq!(observe().await.expect("observed"), Observed::Nothing);
        quay.put_by_another("a", "one").await;
        let both = futures::join!(observe(), observe());
        let words = [both.0, both.1].map(|observed| match observed.expect("observed") {
            Observed::Came(_) => "came",
            Observed::Same(_) => "same",
            other => panic!("{other:?}"),
        });
        assert!(
            words.contains(&"came") && words.contains(&"same"),
            "{words:?}"
        );
        quay.put_by_another("a", "two").await;
        let changed = observe().await.expect("observed");
        assert!(matches!(changed, Observed::Changed(file) if file.size == 3));
        quay.store().await.delete("a").await.expect("deleted");
        assert!(matches!(observe().await, Ok(Observed::Gone(_))));
        let hidden = path(".longshore/past/x");
        let hidden = quay.files.observe(&quay.bucket, &hidden).await;
        assert_eq!(hidden.expect("observed"), Observed::Ignored);
        quay.put("b", b"x").await;
        let own = quay.files.observe(&quay.bucket, &path("b")).await;
        assert!(matches!(own, Ok(Observed::Same(_))));
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_lies_in_the_trash_and_comes_back() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket) = (&quay.files, &quay.bucket);
        quay.put("a", b"one").await;
        let nothing = Expect::default();
        let by = &quay.by.actor;
        let gone = files
            .delete(bucket, &path("a"), &nothing, by)
            .await
            .expect("deleted");
        assert_eq!(quay.content("a").await, None);
        let past = format!("team/{}", past_key(bucket.id, gone.id));
        assert_eq!(quay.peer.keys(), [past.as_str()]);
        assert_eq!(quay.listed().await, Vec::<String>::new());
        files
            .restore(bucket, gone.id, false, by)
            .await
            .expect("restored");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
        assert_eq!(quay.peer.keys(), ["team/a"]);
        let gone = files
            .delete(bucket, &path("a"), &nothing, by)
            .await
            .expect("deleted");
        assert!(files.purge(bucket, gone.id).await.expect("purged"));
        assert_eq!(quay.peer.keys(), Vec::<String>::new());
        let hidden = quay.put_if(".longshore/past/a", b"x", nothing).await;
        assert!(matches!(hidden, Err(Error::Hidden)), "{hidden:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_replaced_stays_as_a_version() {
    on_both(|database| async move {
        let settings = BucketChange {
            versions: Some(true),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        let (files, bucket) = (&quay.files, &quay.bucket);
        let first = quay.put("a", b"one").await;
        quay.put("a", b"two").await;
        // What another put and nobody has looked at yet, too.
        quay.put_by_another("a", "theirs").await;
        quay.put("a", b"four").await;
        let past = files
            .past(bucket, Heap::Versions, "", None, 10)
            .await
            .expect("past");
        let mut contents = Vec::new();
        for past in &past {
            let content = files.content(&past.file).await.expect("there");
            contents.push(read(&content, 0..past.file.size).await);
        }
        assert_eq!(contents, [&b"theirs"[..], b"one"]);
        let by = &quay.by.actor;
        files
            .restore(bucket, first.id, true, by)
            .await
            .expect("restored");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
        let tag = Tags::These(vec!["0".to_owned()]);
        let expect = Expect {
            matches: Some(tag),
            ..Expect::default()
        };
        let refused = quay.put_if("a", b"five", expect).await;
        assert!(matches!(refused, Err(Error::Precondition)));
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
    })
    .await;
}

#[tokio::test]
async fn files_are_copied_and_moved_within_the_store_and_beyond() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket, by) = (&quay.files, &quay.bucket, &quay.by);
        let disk = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
        let (a, b, c) = (path("a"), path("b/b"), path("c"));
        let nothing = Expect::default();
        quay.put("a", b"one").await;
        let copy = files.copy(
            (bucket, &a),
            (bucket, &b),
            &nothing,
            Description::default(),
            by,
        );
        let copied = copy.await.expect("copied");
        assert_eq!(copied.etag.len(), 32);
        assert_eq!(quay.peer.keys(), ["team/a", "team/b/b"]);
        let moved = files.rename((bucket, &b), (bucket, &c), &nothing, by).await;
        let moved = moved.expect("moved");
        assert_eq!((&moved.path, moved.id), (&c, copied.id));
        // Whoever knows what lay there before sees by the date that this is another.
        assert_ne!(moved.modified_at, copied.modified_at);
        assert_eq!(files.file(bucket, &c).await.expect("there"), moved);
        assert_eq!(quay.listed().await, ["a", "c"]);
        assert_eq!(quay.peer.keys(), ["team/a", "team/c"]);
        let moved = files.rename((bucket, &c), (&disk, &c), &nothing, by).await;
        let moved = moved.expect("moved");
        assert_eq!(quay.peer.keys(), ["team/a"]);
        let content = files.content(&moved).await.expect("there");
        assert_eq!(read(&content, 0..3).await, b"one");
        let moved = files.rename((&disk, &c), (bucket, &b), &nothing, by).await;
        assert_eq!(moved.expect("moved").path, b);
        assert_eq!(quay.peer.keys(), ["team/a", "team/b/b"]);
        assert!(matches!(files.file(&disk, &c).await, Err(Error::NoFile(_))));
        let described = Description {
            media_type: Some("text/x-cargo".to_owned()),
            ..Description::default()
        };
        let itself = files
            .copy((bucket, &a), (bucket, &a), &nothing, described, by)
            .await;
        assert_eq!(itself.expect("copied").media_type, "text/x-cargo");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_as_promised_leaves_nothing() {
    on_both(|database| async move {
        let settings = BucketChange {
            quota_bytes: Some(30 << 20),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        for size in [5, 20 << 20] {
            let mut new = NewFile::at(path("a"));
            new.promised.sha256 = Some([7; 32]);
            let by = quay.by.clone();
            let mut incoming = quay.files.put(&quay.bucket, by, new).await.expect("begun");
            let content = Content::seeded(5, size).to_vec();
            for piece in content.chunks(1 << 20) {
                let piece = Bytes::copy_from_slice(piece);
                incoming.write(piece).await.expect("written");
            }
            let refused = incoming.finish().await;
            assert!(matches!(refused, Err(Error::Content(_))), "{refused:?}");
        }
        let over = quay
            .put_if("b", &vec![0; 31 << 20], Expect::default())
            .await;
        assert!(matches!(over, Err(Error::Quota { .. })), "{over:?}");
        assert_eq!(quay.content("a").await, None);
        let given_up = async {
            while quay.peer.unfinished() > 0 {
                tokio::task::yield_now().await;
            }
        };
        within("it to be given up", given_up).await;
        assert_eq!(quay.peer.keys(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_bucket_is_not_made_where_its_store_cannot_be_used() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let made = async |change: &dyn Fn(&mut Storage)| {
            let mut storage = storage(&quay.peer, "");
            change(&mut storage);
            let new = NewBucket {
                name: "another".to_owned(),
                storage: Some(storage),
                settings: BucketChange::default(),
            };
            match quay.files.create_bucket(&Doer::system(), new).await {
                Err(Error::Store(text)) => text,
                other => panic!("{other:?}"),
            }
        };
        let text = made(&|storage: &mut Storage| {
            if let Storage::S3 { bucket, .. } = storage {
                "nowhere".clone_into(bucket);
            }
        })
        .await;
        assert!(text.contains("make the bucket in the store first"));
        let text = made(&|storage: &mut Storage| {
            if let Storage::S3 { secret, .. } = storage {
                "unknown".clone_into(secret);
            }
        })
        .await;
        assert!(text.contains("there is no secret `unknown`"));
        let text = made(&|storage: &mut Storage| {
            if let Storage::S3 { endpoint, .. } = storage {
                "http://10.0.0.1".clone_into(endpoint);
            }
        })
        .await;
        assert!(text.contains("only public addresses"));
    })
    .await;
}
