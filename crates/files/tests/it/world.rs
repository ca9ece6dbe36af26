//! Open files with a clock that the test moves, and words that all stories use.

use access::{Access, AccessSettings, Doer, MasterKeys};
use base::{Actor, Clock, ManualClock, SystemClock};
use bytes::Bytes;
use fetch::Client;
use files::{
    Bucket, BucketChange, Error, Expect, File, FilePath, FileSettings, Files, Ground, NewBucket,
    NewFile, Writer,
};
use futures::StreamExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::{Blobs, Bus, Db};
use testing::TestDatabase;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) struct World {
    pub(crate) files: Files,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) db: Db,
    folder: tempfile::TempDir,
    stop: CancellationToken,
    tasks: TaskTracker,
}

pub(crate) const MOST: u64 = 10_000_000;

impl World {
    pub(crate) async fn open(database: &TestDatabase) -> Self {
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let shared = Arc::clone(&clock) as base::SharedClock;
        let keys = MasterKeys::generate();
        let settings = AccessSettings::default();
        let access = Access::open(db.clone(), bus.clone(), Arc::clone(&shared), keys, settings)
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("files")).unwrap();
        let client = Client::new(fetch::Policy::default(), fetch::Limits::default());
        let ground = Ground {
            db: db.clone(),
            blobs,
            bus,
            access,
            client,
            clock: shared,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let settings = FileSettings {
            max_file_bytes: MOST,
            cache: 1 << 20,
            silence: Duration::from_secs(60),
            upload_expires_in: Duration::from_secs(24 * 3600),
            parts_expire_in: Duration::from_secs(7 * 24 * 3600),
        };
        let files = Files::open(ground, settings).await.unwrap();
        let bucket = files.bucket(files::DEFAULT_BUCKET).unwrap();
        Self {
            files,
            clock,
            bucket,
            db,
            folder,
            stop,
            tasks,
        }
    }

    /// Ends what runs beside it.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        testing::within("the background to end", self.tasks.wait()).await;
        self.db.close().await;
    }

    pub(crate) async fn change(&mut self, change: BucketChange) {
        let doer = Doer::host();
        self.bucket = self
            .files
            .change_bucket(&doer, &self.bucket, change)
            .await
            .unwrap();
    }

    pub(crate) async fn make(&self, name: &str) -> Arc<Bucket> {
        let new = NewBucket {
            name: name.to_owned(),
            storage: None,
            settings: BucketChange::default(),
        };
        self.files.create_bucket(&Doer::host(), new).await.unwrap()
    }

    pub(crate) async fn put(&self, at: &str, content: &str) -> File {
        self.try_put(NewFile::at(path(at)), content).await.unwrap()
    }

    pub(crate) async fn try_put(&self, new: NewFile, content: &str) -> Result<File, Error> {
        let mut incoming = self.files.put(&self.bucket, writer("anna"), new).await?;
        incoming
            .write(Bytes::copy_from_slice(content.as_bytes()))
            .await?;
        incoming.finish().await
    }

    pub(crate) async fn read(&self, at: &str) -> Option<String> {
        let found = self.files.file_and_content(&self.bucket, &path(at)).await;
        let content = match found {
            Ok((_, content)) => content,
            Err(Error::NoFile(_)) => return None,
            Err(error) => panic!("{error}"),
        };
        let mut stream = content.stream(0..u64::MAX);
        let mut whole = Vec::new();
        while let Some(chunk) = stream.next().await {
            whole.extend_from_slice(&chunk.unwrap());
        }
        Some(String::from_utf8(whole).unwrap())
    }

    pub(crate) async fn delete(&self, at: &str) -> Result<File, Error> {
        let by = Actor::user("anna");
        self.files
            .delete(&self.bucket, &path(at), &Expect::default(), &by)
            .await
    }

    /// How many contents lie on the disk, the unfinished included.
    pub(crate) fn on_disk(&self) -> usize {
        below(self.folder.path())
    }

    /// Bytes and files of the bucket.
    pub(crate) async fn usage(&self) -> (u64, u64) {
        let usage = self.files.usage(&self.bucket).await.unwrap();
        (usage.files, usage.bytes)
    }
}

fn below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            if path.is_dir() {
                below(&path)
            } else {
                // Locks of processes are no contents.
                usize::from(path.extension().is_none())
            }
        })
        .sum()
}

pub(crate) fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

pub(crate) fn writer(name: &str) -> Writer {
    Writer {
        actor: Actor::user(name),
        account: Some(account(name)),
    }
}

/// The same for the same name.
pub(crate) fn account(name: &str) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(name.bytes().map(u64::from).sum::<u64>()) + 1)
}
