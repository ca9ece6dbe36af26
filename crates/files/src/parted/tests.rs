//! Parts on both databases: what makes a file, what is left of one that does not become
//! one, and what the sweep takes.

use super::*;
use crate::bucket::BucketChange;
use crate::{FileSettings, Ground, LEAST_PART};
use access::{Access, AccessSettings, Doer, MasterKeys};
use base::{Actor, Clock, ManualClock, SystemClock};
use std::ops::ControlFlow;
use std::time::Duration;
use storage::{Blobs, Bus, Dialect, values};
use testing::{TestDatabase, on_both};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Files on a database of their own, with a clock that the test moves.
struct House {
    files: Files,
    clock: Arc<ManualClock>,
    stop: CancellationToken,
    tasks: TaskTracker,
    _folder: tempfile::TempDir,
}

impl House {
    /// Lets no more bytes than these into the bucket.
    async fn limit(&self, bytes: u64) {
        let limits = BucketChange {
            quota_bytes: Some(bytes),
            ..BucketChange::default()
        };
        let (host, bucket) = (Doer::host(), self.bucket());
        let limited = self.files.change_bucket(&host, &bucket, limits).await;
        limited.expect("limited");
    }

    async fn open(database: &TestDatabase) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let shared = Arc::clone(&clock) as base::SharedClock;
        let access = Access::open(
            db.clone(),
            bus.clone(),
            Arc::clone(&shared),
            MasterKeys::generate(),
            AccessSettings::default(),
        )
        .await
        .expect("access");
        let client = fetch::Client::new(fetch::Policy::default(), fetch::Limits::default());
        let ground = Ground {
            client,
            db,
            blobs: Blobs::open(&folder.path().join("files")).expect("blobs"),
            bus,
            access,
            clock: shared,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let settings = FileSettings {
            max_file_bytes: 1 << 30,
            silence: Duration::from_secs(1),
            parts_expire_in: Duration::from_secs(7 * 86_400),
            ..FileSettings::default()
        };
        let files = Files::open(ground, settings).await.expect("files");
        Self {
            files,
            clock,
            stop,
            tasks,
            _folder: folder,
        }
    }

    fn bucket(&self) -> Arc<Bucket> {
        self.files.bucket(crate::DEFAULT_BUCKET).expect("a bucket")
    }

    async fn begin(&self, path: &str) -> Parted {
        let new = NewFile::at(path.parse().expect("a path"));
        let begun = self.files.begin_parted(&self.bucket(), &anna(), new).await;
        begun.expect("begun")
    }

    async fn put(&self, parted: &Parted, number: u64, content: &[u8]) -> Result<Part> {
        let promised = Promised::default();
        let bucket = self.bucket();
        let incoming = self.files.put_part(&bucket, parted, number, promised);
        let mut incoming = incoming.await?;
        incoming.write(Bytes::copy_from_slice(content)).await?;
        incoming.finish().await
    }

    /// Puts a file as a whole.
    async fn put_whole(&self, path: &str, content: &[u8]) -> Result<File> {
        let new = NewFile::at(path.parse().expect("a path"));
        let mut incoming = self.files.put(&self.bucket(), anna(), new).await?;
        incoming.write(Bytes::copy_from_slice(content)).await?;
        incoming.finish().await
    }

    async fn complete(&self, parted: &Parted, parts: &[&Part]) -> Result<File> {
        self.complete_of(parted, parts, None).await
    }

    /// The same of a file that is said to be so long.
    async fn complete_of(
        &self,
        parted: &Parted,
        parts: &[&Part],
        size: Option<u64>,
    ) -> Result<File> {
        let wanted: Vec<_> = parts
            .iter()
            .map(|part| (part.number, part.md5.clone()))
            .collect();
        let nothing = Expect::default();
        self.files
            .complete_parted(
                &self.bucket(),
                anna(),
                parted,
                (&wanted, size),
                nothing,
                |_| Ok(()),
            )
            .await
    }

    /// Which of the blobs on the disk no row names.
    async fn orphans(&self) -> Vec<BlobName> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let listed = self.files.blobs().list(move |name, _| {
            let _ = sender.send(name);
            ControlFlow::Continue(())
        });
        listed.await.expect("listed");
        let names: Vec<_> = receiver.iter().collect();
        let orphans = sql::file::unnamed(self.files.db(), &names).await;
        orphans.expect("asked")
    }

    async fn close(self) {
        self.files.access().close().await.expect("closed");
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.files.db().close().await;
    }
}

fn anna() -> Writer {
    Writer {
        actor: Actor::user("anna"),
        account: None,
    }
}

fn wrong(outcome: Result<File>) -> WrongPart {
    match outcome {
        Err(Error::WrongPart(wrong)) => wrong,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_make_a_file_in_their_order_and_nothing_is_left_of_them() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let parted = house.begin("film").await;
        let large = vec![b'1'; usize::try_from(LEAST_PART).expect("it fits")];
        let last = house.put(&parted, 9, b"last").await.expect("a part");
        let first = house.put(&parted, 2, &large).await.expect("a part");
        let (missing, other) = (
            Part {
                number: 3,
                ..last.clone()
            },
            Part {
                md5: last.md5.clone(),
                ..first.clone()
            },
        );
        assert_eq!(
            wrong(house.complete(&parted, &[&last, &first]).await),
            WrongPart::Order
        );
        assert_eq!(
            wrong(house.complete(&parted, &[&first, &first]).await),
            WrongPart::Order
        );
        assert_eq!(
            wrong(house.complete(&parted, &[&missing]).await),
            WrongPart::Missing(3)
        );
        assert_eq!(
            wrong(house.complete(&parted, &[&other]).await),
            WrongPart::Missing(2)
        );
        assert_eq!(wrong(house.complete(&parted, &[]).await), WrongPart::None);
        let small = house.put(&parted, 1, b"small").await.expect("a part");
        assert_eq!(
            wrong(house.complete(&parted, &[&small, &last]).await),
            WrongPart::Small(1)
        );
        let found = LEAST_PART + 4;
        for said in [0, found - 1, found + 1, u64::MAX] {
            let parts = [&first, &last];
            let whole = house.complete_of(&parted, &parts, Some(said)).await;
            assert_eq!(wrong(whole), WrongPart::Size { said, found });
        }
        assert!(house.orphans().await.is_empty(), "the sweep takes no parts");
        let file = house
            .complete_of(&parted, &[&first, &last], Some(found))
            .await
            .expect("a file");
        assert_eq!(file.size, LEAST_PART + 4);
        assert!(file.etag.ends_with("-2"), "{}", file.etag);
        let content = house.files.content(&file).await.expect("its content");
        let whole: Vec<Bytes> = content
            .stream(0..file.size)
            .try_collect()
            .await
            .expect("read");
        assert!(whole.concat() == [&large[..], b"last"].concat());
        let outcome = house.complete(&parted, &[&first, &last]).await;
        assert!(matches!(
            outcome,
            Err(Error::WrongPart(_) | Error::NoParted)
        ));
        let outcome = house.put(&parted, 1, b"late").await;
        assert!(matches!(outcome, Err(Error::NoParted)), "{outcome:?}");
        assert!(house.orphans().await.is_empty());
        let blobs = house.files.blobs();
        assert!(matches!(
            blobs.read(last.blob).await,
            Err(storage::Error::NoBlob)
        ));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_completes_is_removed_after_its_time() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let old = house.begin("old").await;
        let part = house.put(&old, 1, b"one").await.expect("a part");
        let again = house.put(&old, 1, b"other").await.expect("a part");
        let blobs = house.files.blobs();
        assert!(matches!(
            blobs.read(part.blob).await,
            Err(storage::Error::NoBlob)
        ));
        house.clock.advance(Duration::from_secs(3600));
        let young = house.begin("young").await;
        let before = old.begun_at.plus(Duration::from_secs(60));
        let overdue = sql::parted::overdue(house.files.db(), before, 10).await;
        assert_eq!(overdue.expect("asked"), [old.id]);
        assert!(house.files.forget_parted(old.id).await.expect("removed"));
        assert!(matches!(
            blobs.read(again.blob).await,
            Err(storage::Error::NoBlob)
        ));
        let bucket = house.bucket();
        let left = house
            .files
            .all_parted(&bucket, "", None, 10)
            .await
            .expect("listed");
        assert_eq!(
            left.iter().map(|left| left.id).collect::<Vec<_>>(),
            [young.id]
        );
        let path = &old.path;
        let gone = house.files.parted(&bucket, path, old.id).await;
        assert!(matches!(gone, Err(Error::NoParted)));
        let elsewhere = house.files.parted(&bucket, path, young.id).await;
        assert!(
            matches!(elsewhere, Err(Error::NoParted)),
            "it is at another path"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_come_in_parts_counts_until_it_is_a_file_or_given_up() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.limit(10).await;
        let refused = |outcome: Error| assert!(matches!(outcome, Error::Quota { .. }), "{outcome}");
        let (one, two) = (house.begin("one").await, house.begin("two").await);
        house.put(&one, 1, b"123456").await.expect("it fits");
        let part = house.put(&one, 1, b"1234567").await;
        let part = part.expect("in the place of the one before");
        refused(house.put(&two, 1, b"1234").await.expect_err("beside it"));
        // Before it comes, where its length is said.
        let long = Promised {
            length: Some(4),
            ..Promised::default()
        };
        let begun = house.files.put_part(&house.bucket(), &two, 1, long).await;
        refused(begun.expect_err("too long"));
        refused(house.put_whole("a", b"1234").await.expect_err("beside it"));
        assert!(house.orphans().await.is_empty(), "nothing is left of them");
        house.put(&two, 1, b"123").await.expect("it fits exactly");
        // What it is made of counts once.
        let file = house.complete(&one, &[&part]).await.expect("a file");
        assert_eq!(file.size, 7);
        refused(house.put_whole("a", b"1").await.expect_err("full"));
        house.files.abort_parted(&two).await.expect("given up");
        house.put_whole("a", b"123").await.expect("there is room");
        // In the place of a file that is there, a part as long as that one fits.
        let three = house.begin("one").await;
        house.put(&three, 1, b"7654321").await.expect("it fits");
        refused(house.put(&three, 2, b"1").await.expect_err("and no more"));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parts_that_come_at_the_same_moment_none_comes_that_does_not_fit() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.limit(10).await;
        for _ in 0..5 {
            let (one, two) = (house.begin("one").await, house.begin("two").await);
            let parts =
                futures::join!(house.put(&one, 1, b"123456"), house.put(&two, 1, b"123456"));
            assert!(
                matches!(
                    parts,
                    (Ok(_), Err(Error::Quota { .. })) | (Err(Error::Quota { .. }), Ok(_))
                ),
                "{parts:?}"
            );
            for parted in [&one, &two] {
                house.files.abort_parted(parted).await.expect("given up");
            }
        }
        assert!(house.orphans().await.is_empty(), "nothing is left of them");
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_than_so_many_uploads_in_parts() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let first = house.begin("first").await;
        let id = match house.files.db().dialect() {
            Dialect::Sqlite => "randomblob(16)",
            Dialect::Postgres => "gen_random_uuid()",
        };
        let many = format!(
            "WITH RECURSIVE numbers (number) AS (
                SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < $1)
            INSERT INTO parted (id, bucket, path, described, account, bytes, begun_by, begun_at)
            SELECT {id}, bucket, path, described, account, bytes, begun_by, begun_at
            FROM parted, numbers WHERE parted.id = $2"
        );
        let values = values![MOST_OPEN, first.id.uuid()];
        let added = house.files.db().execute(many, values).await;
        assert_eq!(added.expect("added"), MOST_OPEN as u64 - 1);
        let begin = async |by: &Writer| {
            let new = NewFile::at("one more".parse().expect("a path"));
            house.files.begin_parted(&house.bucket(), by, new).await
        };
        let refused = begin(&anna()).await;
        assert!(
            matches!(refused, Err(Error::TooManyUploads { .. })),
            "{refused:?}"
        );
        let another = Writer {
            account: Some(Uuid::from_u128(7)),
            ..anna()
        };
        begin(&another).await.expect("they have none");
        house.files.abort_parted(&first).await.expect("given up");
        begin(&anna()).await.expect("there is one less");
        house.close().await;
    })
    .await;
}

#[test]
fn the_tag_of_parts_is_the_md5_of_their_md5s_and_their_number() {
    let part = |number, md5: &str| Part {
        number,
        size: 1,
        md5: md5.to_owned(),
        came_at: Timestamp::from_micros(0),
        blob: BlobName::from(uuid::Uuid::nil()),
    };
    // Those of `a` and `b`.
    let parts = [
        part(1, "0cc175b9c0f1b6a831c399e269772661"),
        part(2, "92eb5ffee6ae2fec3ad71c777531578f"),
    ];
    assert_eq!(combined(&parts), "96e024ba2074fe77e8e965ba43a704be-2");
}
