//! What came is kept over any break, what was promised is checked, and nothing that is
//! refused leaves bytes.

mod silent;

use super::*;
use crate::bucket::{DEFAULT_BUCKET, NewBucket};
use crate::{FileSettings, Ground};
use access::{Access, AccessSettings, Doer, MasterKeys};
use base::{Clock, ManualClock, SharedClock, SystemClock};
use bytes::Bytes;
use futures::StreamExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use storage::{Blobs, Bus};
use testing::{TestDatabase, on_both, within};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Files, as one process has them.
struct Dock {
    files: Files,
    clock: Arc<ManualClock>,
    db: storage::Db,
    stop: CancellationToken,
    tasks: TaskTracker,
    by: Writer,
}

impl Dock {
    async fn open(database: &TestDatabase, folder: &Path) -> Self {
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let shared = Arc::clone(&clock) as SharedClock;
        let access = Access::open(
            db.clone(),
            bus.clone(),
            Arc::clone(&shared),
            MasterKeys::parse(&KEYS.get_or_init(|| MasterKeys::generate().file()).clone())
                .expect("keys"),
            AccessSettings::default(),
        );
        let client = fetch::Client::new(fetch::Policy::default(), fetch::Limits::default());
        let ground = Ground {
            client,
            db: db.clone(),
            blobs: Blobs::open(&folder.join("files")).expect("they are ours"),
            bus,
            access: access.await.expect("access opens"),
            clock: shared,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let settings = FileSettings {
            cache: 0,
            max_file_bytes: 1 << 30,
            silence: Duration::from_secs(60),
            upload_expires_in: DAY,
            ..FileSettings::default()
        };
        let files = Files::open(ground, settings).await.expect("files open");
        Self {
            files,
            clock,
            db,
            stop,
            tasks,
            by: Writer {
                actor: Actor::user("anna"),
                account: Some(Uuid::from_u128(7)),
            },
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.db.close().await;
    }

    fn bucket(&self) -> Arc<Bucket> {
        self.files.bucket(DEFAULT_BUCKET).expect("it is there")
    }

    /// Another bucket, with room for ten bytes.
    async fn narrow(&self) -> Arc<Bucket> {
        let narrow = serde_json::json!({ "name": "narrow", "settings": { "quota_bytes": 10 } });
        let narrow: NewBucket = serde_json::from_value(narrow).expect("a bucket");
        let narrow = self.files.create_bucket(&Doer::host(), narrow).await;
        narrow.expect("made")
    }

    fn new_upload(&self, path: &str, length: Option<u64>) -> NewUpload {
        NewUpload {
            place: Some((self.bucket(), path.parse().expect("a path"))),
            room: None,
            part: false,
            length,
            media_type: String::new(),
            metadata: Metadata::new(),
            expect: Expect::default(),
            said: String::new(),
        }
    }

    async fn begin(&self, path: &str, length: u64) -> UploadId {
        let new = self.new_upload(path, Some(length));
        self.files
            .begin_upload(&self.by, new)
            .await
            .expect("begun")
            .id
    }

    async fn send(&self, id: UploadId, offset: u64, bytes: &[u8]) -> Result<Upload> {
        self.append(
            id,
            Appending {
                offset,
                ..Appending::default()
            },
            bytes,
        )
        .await
    }

    async fn append(&self, id: UploadId, appending: Appending, bytes: &[u8]) -> Result<Upload> {
        // In several pieces, as they come over a line.
        let pieces: Vec<Result<Bytes, &str>> = bytes
            .chunks(70_001)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let body = futures::stream::iter(pieces);
        self.files.append(&self.by, id, appending, body).await
    }

    async fn received(&self, id: UploadId) -> u64 {
        let upload = self.files.settled_upload(&self.by, id).await;
        upload.expect("there").received
    }

    async fn content(&self, path: &str) -> Option<Vec<u8>> {
        let path = path.parse().expect("a path");
        let (_, content) = match self.files.file_and_content(&self.bucket(), &path).await {
            Ok(found) => found,
            Err(Error::NoFile(_)) => return None,
            Err(error) => panic!("{error}"),
        };
        let chunks: Vec<_> = content.stream(0..u64::MAX).collect().await;
        let bytes = chunks.into_iter().map(|chunk| chunk.expect("readable"));
        Some(bytes.flatten().collect())
    }
}

static KEYS: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

/// Runs a story at a dock of its own on each database.
async fn at_dock<F, Fut>(story: F)
where
    F: Fn(Arc<Dock>, PathBuf) -> Fut,
    Fut: Future<Output = ()>,
{
    on_both(|database| {
        let story = &story;
        async move {
            let folder = tempfile::tempdir().expect("a folder");
            let dock = Arc::new(Dock::open(&database, folder.path()).await);
            story(Arc::clone(&dock), folder.path().join("files")).await;
            if let Ok(dock) = Arc::try_unwrap(dock) {
                dock.close().await;
            }
        }
    })
    .await;
}

fn content(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// The files below a folder.
fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => files_below(&path),
            // Locks of processes are no contents.
            path => usize::from(path.extension().is_none()),
        })
        .sum()
}

#[tokio::test]
async fn an_upload_goes_on_at_any_byte_after_the_program_has_ended() {
    on_both(|database| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let content = content(400_000);
        let dock = Dock::open(&database, folder.path()).await;
        let id = dock.begin("a/b.bin", content.len() as u64).await;
        dock.close().await;
        let mut at = 0;
        for step in [0, 1, 63, 64, 100_000, 299_872] {
            let dock = Dock::open(&database, folder.path()).await;
            assert_eq!(dock.received(id).await, at as u64);
            assert_eq!(dock.content("a/b.bin").await, None);
            let sent = dock.send(id, at as u64, &content[at..at + step]).await;
            at += step;
            assert_eq!(sent.expect("kept").received, at as u64);
            dock.close().await;
        }
        let dock = Dock::open(&database, folder.path()).await;
        let done = dock
            .files
            .settled_upload(&dock.by, id)
            .await
            .expect("there");
        assert!(done.done && done.is_whole());
        assert!(dock.content("a/b.bin").await.expect("a file") == content);
        let path = "a/b.bin".parse().expect("a path");
        let file = dock.files.file(&dock.bucket(), &path).await.expect("there");
        assert_eq!(file.uploader, "user:anna");
        assert_eq!(file.size, 400_000);
        let new = crate::NewFile::at(path);
        let put = dock.files.put(&dock.bucket(), dock.by.clone(), new).await;
        let mut put = put.expect("begun");
        put.write(Bytes::from(content)).await.expect("written");
        let same = put.finish().await.expect("put");
        assert_eq!((file.sha256, file.etag), (same.sha256, same.etag));
        dock.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_came_before_the_line_broke_is_kept() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 10).await;
        let body = futures::stream::iter([Ok(Bytes::from_static(b"carg")), Err("broken")]);
        let broken = dock.files.append(&dock.by, id, Appending::default(), body);
        assert!(matches!(broken.await, Err(Error::Broken)));
        assert_eq!(dock.received(id).await, 4);
        dock.send(id, 4, b"o here").await.expect("goes on");
        assert_eq!(dock.content("a").await.expect("a file"), b"cargo here");
    })
    .await;
}

#[tokio::test]
async fn a_newer_request_ends_an_older_one_and_what_that_had_is_kept() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 10).await;
        let (line, body) = tokio::sync::mpsc::channel::<Result<Bytes, &str>>(1);
        let body = Box::pin(futures::stream::unfold(body, |mut body| async move {
            let next = body.recv().await?;
            Some((next, body))
        }));
        let older = tokio::spawn({
            let dock = Arc::clone(&dock);
            let appending = Appending::default();
            async move { dock.files.append(&dock.by, id, appending, body).await }
        });
        line.send(Ok(Bytes::from_static(b"carg")))
            .await
            .expect("read");
        // Its place in the channel is free when the first was taken.
        line.send(Ok(Bytes::new())).await.expect("read");
        let received = within("the older to let go", dock.received(id)).await;
        assert_eq!(received, 4);
        let older = older.await.expect("no panic");
        assert!(matches!(older, Err(Error::UploadBusy)), "{older:?}");
        dock.send(id, 4, b"o here").await.expect("goes on");
        assert_eq!(dock.content("a").await.expect("a file"), b"cargo here");
        drop(line);
    })
    .await;
}

#[tokio::test]
async fn bytes_for_another_place_are_refused() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 10).await;
        dock.send(id, 0, b"carg").await.expect("kept");
        for offset in [0, 3, 5, 10, u64::MAX] {
            let refused = dock.send(id, offset, b"xxxxxx").await;
            assert!(
                matches!(refused, Err(Error::Offset { received: 4 })),
                "{offset}: {refused:?}"
            );
        }
        assert_eq!(dock.received(id).await, 4);
    })
    .await;
}

#[tokio::test]
async fn more_than_was_said_is_refused_and_no_file_comes_of_it() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 4).await;
        let lies = dock.send(id, 0, b"cargo").await;
        assert!(matches!(lies, Err(Error::BeyondLength { length: 4 })));
        let announced = Appending {
            announced: Some(5),
            ..Appending::default()
        };
        let lies = dock.append(id, announced, b"carg").await;
        assert!(matches!(lies, Err(Error::BeyondLength { length: 4 })));
        assert_eq!(dock.received(id).await, 0);
        assert_eq!(dock.content("a").await, None);
        dock.send(id, 0, b"carg").await.expect("as was said");
        let more = dock.send(id, 4, b"o").await;
        assert!(matches!(more, Err(Error::BeyondLength { length: 4 })));
        dock.send(id, 4, b"").await.expect("nothing more");
        assert_eq!(dock.content("a").await.expect("a file"), b"carg");
        let large = dock.new_upload("b", Some(u64::MAX / 2));
        let large = dock.files.begin_upload(&dock.by, large).await;
        assert!(matches!(large, Err(Error::TooLarge { .. })));
    })
    .await;
}

#[tokio::test]
async fn bytes_count_only_when_they_are_those_of_the_checksum() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 11).await;
        let with = |text: &str| Appending {
            checksum: Some(text.parse().expect("a checksum")),
            ..Appending::default()
        };
        let right = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
        let refused = dock.append(id, with(right), b"hello w0rld").await;
        assert!(matches!(refused, Err(Error::Checksum)));
        assert_eq!(dock.received(id).await, 0);
        let body = futures::stream::iter([Ok(Bytes::from_static(b"hello")), Err("broken")]);
        let broken = dock.files.append(&dock.by, id, with(right), body).await;
        assert!(matches!(broken, Err(Error::Broken)));
        assert_eq!(
            dock.received(id).await,
            0,
            "nobody knows whether it is right"
        );
        dock.append(id, with(right), b"hello world")
            .await
            .expect("right");
        assert_eq!(dock.content("a").await.expect("a file"), b"hello world");
    })
    .await;
}

#[tokio::test]
async fn a_length_may_be_said_later_and_only_once() {
    at_dock(|dock, _| async move {
        let new = dock.new_upload("a", None);
        let upload = dock.files.begin_upload(&dock.by, new).await.expect("begun");
        dock.send(upload.id, 0, b"carg").await.expect("kept");
        let saying = |offset, length| Appending {
            offset,
            length: Some(length),
            ..Appending::default()
        };
        let less = dock.append(upload.id, saying(4, 3), b"").await;
        assert!(matches!(less, Err(Error::UploadLength)));
        dock.append(upload.id, saying(4, 6), b"o")
            .await
            .expect("said");
        let other = dock.append(upload.id, saying(5, 5), b"").await;
        assert!(matches!(other, Err(Error::UploadLength)));
        assert_eq!(dock.content("a").await, None);
        dock.append(upload.id, saying(5, 6), b"s")
            .await
            .expect("the same");
        assert_eq!(dock.content("a").await.expect("a file"), b"cargos");
    })
    .await;
}

#[tokio::test]
async fn an_upload_of_nothing_is_a_file_at_once() {
    at_dock(|dock, _| async move {
        let new = dock.new_upload("a", Some(0));
        let upload = dock.files.begin_upload(&dock.by, new).await.expect("begun");
        assert!(upload.done);
        assert_eq!(dock.content("a").await.expect("a file"), b"");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_in_the_end_leaves_no_bytes() {
    at_dock(|dock, blobs| async move {
        let narrow = dock.narrow().await;
        let new = |path: &str, length| NewUpload {
            place: Some((Arc::clone(&narrow), path.parse().expect("a path"))),
            ..dock.new_upload(path, length)
        };
        let refused = dock.files.begin_upload(&dock.by, new("a", Some(11))).await;
        assert!(matches!(refused, Err(Error::Quota { .. })));
        assert_eq!(files_below(&blobs), 0);
        let mut both = Vec::new();
        for path in ["a", "b"] {
            let upload = dock.files.begin_upload(&dock.by, new(path, Some(6))).await;
            both.push(upload.expect("each fits by itself").id);
        }
        // The second is nearly whole when the first takes its room.
        dock.send(both[1], 0, b"carg").await.expect("kept");
        dock.send(both[0], 0, b"cargos").await.expect("it fits");
        let refused = dock.send(both[1], 4, b"os").await;
        assert!(matches!(refused, Err(Error::Quota { .. })), "{refused:?}");
        // Also one whose end is the first to see that it is too much.
        let only = Expect::nothing();
        let mut late = dock.new_upload("c", Some(5));
        late.expect = only;
        let late = dock
            .files
            .begin_upload(&dock.by, late)
            .await
            .expect("begun");
        let first = dock.begin("c", 5).await;
        dock.send(first, 0, b"first").await.expect("put");
        let refused = dock.send(late.id, 0, b"later").await;
        assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
        assert_eq!(dock.content("c").await.expect("a file"), b"first");
        let gone = dock.files.upload(&dock.by, late.id).await;
        assert!(matches!(gone, Err(Error::NoUpload)));
        dock.files
            .terminate_upload(&dock.by, both[1])
            .await
            .expect("ended");
        assert_eq!(files_below(&blobs), 2, "the two files that fit");
    })
    .await;
}

#[tokio::test]
async fn an_ended_upload_is_gone_with_its_bytes() {
    at_dock(|dock, blobs| async move {
        let id = dock.begin("a", 10).await;
        dock.send(id, 0, b"carg").await.expect("kept");
        let other = Writer {
            account: Some(Uuid::from_u128(8)),
            ..dock.by.clone()
        };
        let theirs = dock.files.terminate_upload(&other, id).await;
        assert!(matches!(theirs, Err(Error::NoUpload)), "it is not there");
        let ended = dock.files.terminate_upload(&dock.by, id).await;
        ended.expect("ended");
        assert_eq!(files_below(&blobs), 0);
        assert!(matches!(dock.send(id, 4, b"o").await, Err(Error::NoUpload)));
        let id = dock.begin("a", 1).await;
        dock.send(id, 0, b"c").await.expect("whole");
        let done = dock.files.terminate_upload(&dock.by, id).await;
        assert!(matches!(done, Err(Error::UploadDone)));
        assert_eq!(dock.content("a").await.expect("a file"), b"c");
    })
    .await;
}

#[tokio::test]
async fn only_an_upload_that_stands_still_expires() {
    at_dock(|dock, blobs| async move {
        let (still, moving) = (dock.begin("a", 10).await, dock.begin("b", 10).await);
        dock.send(still, 0, b"carg").await.expect("kept");
        dock.clock.advance(DAY / 2);
        dock.send(moving, 0, b"carg").await.expect("kept");
        dock.clock.advance(DAY / 2);
        let refused = dock.send(still, 4, b"o").await;
        assert!(matches!(refused, Err(Error::UploadExpired)));
        let (last, expired) = dock.files.expire_uploads(None, 10).await.expect("swept");
        assert_eq!(expired, 1);
        let (none, expired) = dock.files.expire_uploads(last, 10).await.expect("swept");
        assert!(none.is_none() && expired == 0);
        assert_eq!(files_below(&blobs), 1);
        let gone = dock.files.upload(&dock.by, still).await;
        assert!(matches!(gone, Err(Error::NoUpload)));
        assert_eq!(dock.received(moving).await, 4);
        // One to which somebody writes stays, whatever the clock says.
        dock.clock.advance(2 * DAY);
        let turn = dock.files.turns().take(moving).await.expect("free");
        let (_, expired) = dock.files.expire_uploads(None, 10).await.expect("swept");
        assert_eq!(expired, 0);
        drop(turn);
        let (_, expired) = dock.files.expire_uploads(None, 10).await.expect("swept");
        assert_eq!(expired, 1);
        assert_eq!(files_below(&blobs), 0);
    })
    .await;
}

#[tokio::test]
async fn bytes_that_no_upload_names_are_swept() {
    at_dock(|dock, blobs| async move {
        dock.begin("a", 10).await;
        dock.files.blobs().begin_partial().await.expect("begun");
        let fresh = dock.files.sweep_partial(DAY).await.expect("swept");
        assert_eq!(fresh, 0, "an upload may be about to name them");
        let swept = dock.files.sweep_partial(Duration::ZERO).await;
        assert_eq!(swept.expect("swept"), 1);
        assert_eq!(files_below(&blobs), 1);
    })
    .await;
}

#[tokio::test]
async fn a_whole_upload_becomes_a_file_though_the_program_ended_in_between() {
    at_dock(|dock, blobs| async move {
        for (path, placed) in [("a", false), ("b", true)] {
            let id = dock.begin(path, 5).await;
            let upload = dock.files.upload(&dock.by, id).await.expect("there");
            let mark = upload.mark().expect("bytes");
            let partial = dock.files.blobs().resume_partial(&mark).await;
            let mut partial = partial.expect("there");
            let cargo = Bytes::from_static(b"cargo");
            partial.write(cargo).await.expect("written");
            let mark = partial.sync().await.expect("synced");
            let mut tx = dock.db.begin().await.expect("begun");
            let noted = sql::upload::note(&mut tx, id, 0, &mark, upload.expires_at).await;
            assert!(noted.expect("noted"));
            tx.commit().await.expect("committed");
            if placed {
                partial.finish().await.expect("at its last place");
            }
            assert_eq!(dock.content(path).await, None);
            // The sweep leaves alone what the upload names.
            let name = sql::file::unnamed(&dock.db, &[mark.name]).await;
            assert!(name.expect("asked").is_empty());
            assert_eq!(dock.received(id).await, 5);
            assert_eq!(dock.content(path).await.expect("a file"), b"cargo");
        }
        assert_eq!(files_below(&blobs), 2);
    })
    .await;
}

mod joined;
