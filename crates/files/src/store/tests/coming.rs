//! Bytes that are to become a file's lie in the store as well, and what a crash left of them
//! is removed.

use super::*;
use crate::file::Metadata;
use crate::upload::{Appending, NewUpload, Upload};
use base::{FileId, UploadId};
use operations::{EngineSettings, Kinds, Operations};
use std::time::Duration;
use storage::BlobName;
use uuid::Uuid;

const MIB: usize = 1 << 20;
const HOUR: Duration = Duration::from_secs(3600);

impl Quay {
    async fn begin(&self, path: &str, length: usize) -> UploadId {
        let new = NewUpload {
            place: Some((Arc::clone(&self.bucket), path.parse().expect("a path"))),
            room: None,
            part: false,
            length: Some(length as u64),
            media_type: String::new(),
            metadata: Metadata::new(),
            expect: Expect::default(),
            said: String::new(),
        };
        let begun = self.files.begin_upload(&self.by, new).await;
        begun.expect("begun").id
    }

    /// What lies in the store beside the files.
    fn hidden(&self) -> Vec<String> {
        let keys = self.peer.keys().into_iter();
        keys.filter(|key| key.starts_with("team/.longshore/"))
            .collect()
    }

    async fn swept(&self, before: base::Timestamp) -> u64 {
        let (mut removed, mut after) = (0, None);
        loop {
            let swept = self
                .files
                .sweep_store(&self.bucket, before, after.as_deref());
            let swept = swept.await.expect("swept");
            removed += swept.removed;
            after = swept.next;
            if after.is_none() {
                return removed;
            }
        }
    }
}

/// What runs the operations of these files.
async fn engine(database: &TestDatabase, files: &Files) -> Operations {
    let db = database.open().await;
    let bus = Bus::start(&db, &TaskTracker::new(), CancellationToken::new());
    let operations = Operations::open(
        db,
        bus,
        Arc::new(SystemClock),
        Kinds::new().with(files.kinds().4),
        files.access().redactors(),
        EngineSettings::default(),
    );
    let operations = operations.await.expect("the engine opens");
    operations.start();
    files.connect(operations.clone());
    operations
}

/// Sends these bytes, and breaks off after them where it is said so.
async fn send(
    files: &Files,
    by: &Writer,
    id: UploadId,
    offset: usize,
    bytes: &[u8],
    breaks: bool,
) -> Result<Upload> {
    let pieces = bytes.chunks(700_001);
    let pieces = pieces.map(|piece| Ok(Bytes::copy_from_slice(piece)));
    let mut pieces: Vec<Result<Bytes, &str>> = pieces.collect();
    if breaks {
        pieces.push(Err("broken"));
    }
    let appending = Appending {
        offset: offset as u64,
        ..Appending::default()
    };
    let body = futures::stream::iter(pieces);
    files.append(by, id, appending, body).await
}

#[tokio::test]
async fn an_upload_goes_on_at_another_replica_whose_disk_is_another() {
    testing::on_postgres(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let other = opened(&database, folder.path()).await;
        let content = Content::seeded(3, 20 << 20).to_vec();
        let (one, by) = (&quay.files, &quay.by);
        let id = quay.begin("film", content.len()).await;
        let broken = send(one, by, id, 0, &content[..9 * MIB], true).await;
        assert!(matches!(broken, Err(Error::Broken)), "{broken:?}");
        let stands = other.settled_upload(by, id).await.expect("there");
        assert_eq!(stands.received, 9 << 20);
        let some = &content[9 * MIB..9 * MIB + 7];
        send(&other, by, id, 9 * MIB, some, false)
            .await
            .expect("kept");
        // Who did not hear of that is told where it stands.
        let late = send(one, by, id, 9 * MIB, some, false).await;
        let stands = Error::Offset {
            received: (9 << 20) + 7,
        };
        assert_eq!(
            late.expect_err("it went on").to_string(),
            stands.to_string()
        );
        let rest = &content[9 * MIB + 7..];
        let done = send(one, by, id, 9 * MIB + 7, rest, false).await;
        assert!(done.expect("whole").done);
        assert!(quay.content("film").await.expect("a file") == content);
        assert_eq!(quay.hidden(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_or_ended_of_an_upload_leaves_no_pieces() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let content = Content::seeded(3, 10 << 20).to_vec();
        let (files, by) = (&quay.files, &quay.by);
        let id = quay.begin("a", content.len()).await;
        // Another checksum than that of the bytes: none of them counts.
        let appending = Appending {
            checksum: Some("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=".parse().expect("one")),
            ..Appending::default()
        };
        let body: Vec<Result<Bytes, &str>> = vec![Ok(Bytes::from(content.clone()))];
        let body = futures::stream::iter(body);
        let refused = files.append(by, id, appending, body).await;
        assert!(matches!(refused, Err(Error::Checksum)), "{refused:?}");
        assert_eq!(quay.hidden(), Vec::<String>::new());
        send(files, by, id, 0, &content[..9 * MIB], true)
            .await
            .expect_err("it broke");
        assert_eq!(quay.hidden().len(), 2);
        files.terminate_upload(by, id).await.expect("ended");
        assert_eq!(quay.hidden(), Vec::<String>::new());
        // What cannot become a file in the end is gone with its bytes.
        let mut new = NewUpload {
            place: Some((Arc::clone(&quay.bucket), path("b"))),
            room: None,
            part: false,
            length: Some(3),
            media_type: String::new(),
            metadata: Metadata::new(),
            expect: Expect::nothing(),
            said: String::new(),
        };
        let id = files.begin_upload(by, new.clone()).await.expect("begun").id;
        quay.put("b", b"was quicker").await;
        let refused = send(files, by, id, 0, b"two", false).await;
        assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
        assert_eq!(quay.peer.keys(), ["team/b"]);
        new.place = Some((Arc::clone(&quay.bucket), path(".longshore/x")));
        let hidden = files.begin_upload(by, new).await;
        assert!(matches!(hidden, Err(Error::Hidden)), "{hidden:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_crash_left_in_the_store_is_swept_and_nothing_else() {
    on_both(|database| async move {
        // Exactly as much as there will be: what has come of a file counts once.
        let settings = BucketChange {
            quota_bytes: Some(13),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        let (files, bucket, by) = (&quay.files, &quay.bucket, &quay.by);
        quay.put("a", b"one").await;
        let nothing = Expect::default();
        let gone = files.delete(bucket, &path("a"), &nothing, &by.actor).await;
        let gone = gone.expect("deleted");
        let id = quay.begin("b", 6).await;
        send(files, by, id, 0, b"car", true)
            .await
            .expect_err("it broke");
        let new = NewFile::at(path("c"));
        let parted = files.begin_parted(bucket, by, new).await.expect("begun");
        let promised = crate::Promised::default();
        let part = files.put_part(bucket, &parted, 1, promised).await;
        let mut part = part.expect("begun");
        part.write(Bytes::from_static(b"part"))
            .await
            .expect("written");
        let part = part.finish().await.expect("kept");
        let kept = quay.hidden();
        assert_eq!(kept.len(), 3, "{kept:?}");
        // As others have it in the same store, and as a crash left it.
        let elsewhere = past_key(BucketId::new(), FileId::new());
        let unknown = format!("{}-of-later", past_key(bucket.id, FileId::new()));
        for key in [&elsewhere, &unknown] {
            quay.put_by_another(key, "of others").await;
        }
        for key in [
            past_key(bucket.id, FileId::new()),
            coming_key(bucket.id, BlobName::from(Uuid::now_v7())),
        ] {
            quay.put_by_another(&key, "left behind").await;
        }
        let now = files.now();
        assert_eq!(quay.swept(now.minus(HOUR)).await, 0, "it is young");
        assert_eq!(quay.swept(now.plus(HOUR)).await, 2);
        let mut expected = kept.clone();
        expected.extend([elsewhere, unknown].map(|key| format!("team/{key}")));
        expected.sort();
        assert_eq!(quay.hidden(), expected);
        let restored = files.restore(bucket, gone.id, false, &by.actor).await;
        restored.expect("it was not swept");
        send(files, by, id, 3, b"go!", false)
            .await
            .expect("it goes on");
        assert_eq!(quay.content("b").await.as_deref(), Some(&b"cargo!"[..]));
        let wanted = [(1, part.md5.clone())];
        let wanted = (&wanted[..], None);
        let whole = files.complete_parted(bucket, by.clone(), &parted, wanted, nothing, |_| Ok(()));
        whole.await.expect("put together");
        assert_eq!(quay.content("c").await.as_deref(), Some(&b"part"[..]));
        assert_eq!(quay.hidden().len(), 2, "those of others");
    })
    .await;
}

#[tokio::test]
async fn what_was_begun_in_parts_before_a_crash_is_given_up_and_nothing_of_others() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let files = &quay.files;
        let headers = ObjectHeaders::default();
        let theirs = files.open_store(&quay.bucket.storage).await.expect("open");
        let theirs = theirs.expect("it is in a store");
        for store in [&quay.store().await, &theirs] {
            let begun = store.create_multipart("film", &headers).await;
            begun.expect("begun");
        }
        let both = quay.peer.unfinished();
        assert!(both > 0 && both.is_multiple_of(2), "{both}");
        let give_up = async |before| {
            let given_up = files.give_up_unfinished(&quay.bucket, before, 10).await;
            given_up.expect("given up")
        };
        let now = files.now();
        assert_eq!(give_up(now.minus(HOUR)).await, 0, "it is young");
        assert_eq!(give_up(now.plus(HOUR)).await, 1);
        assert_eq!(quay.peer.unfinished(), both / 2, "that of others");
        assert_eq!(give_up(now.plus(HOUR)).await, 0, "and that is all");
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_is_removed_leaves_nothing_of_uploads() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let (files, by) = (&quay.files, &quay.by);
        let id = quay.begin("a", 10).await;
        send(files, by, id, 0, b"carg", true)
            .await
            .expect_err("it broke");
        assert_eq!(quay.hidden().len(), 1);
        let operations = engine(&database, files).await;
        let deleted = files.delete_bucket(&Doer::system(), &quay.bucket).await;
        deleted.expect("it holds no file");
        let newest = operations::Query {
            limit: 1,
            ..operations::Query::default()
        };
        let begun = operations.list(&newest).await.expect("listed");
        let clearing = begun.operations[0].id;
        let ended = within("the store to be cleared", operations.wait(clearing)).await;
        assert_eq!(ended.expect("there").state, operations::State::Succeeded);
        assert_eq!(quay.peer.keys(), Vec::<String>::new());
    })
    .await;
}
