//! Several replicas on one database change what lies at one path of a store.

use super::*;
use crate::file::Metadata;
use crate::put::Incoming;
use crate::sql::claim;
use crate::upload::{Appending, NewUpload};
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);

/// A content that has come and is not in its place.
async fn begun(
    files: &Files,
    quay: &Quay,
    path: &str,
    content: &Bytes,
    expect: Expect,
) -> Incoming {
    let new = NewFile {
        expect,
        ..NewFile::at(path.parse().expect("a path"))
    };
    let incoming = files.put(&quay.bucket, quay.by.clone(), new).await;
    let mut incoming = incoming.expect("begun");
    incoming.write(content.clone()).await.expect("written");
    incoming
}

#[tokio::test]
async fn who_is_refused_at_one_replica_has_not_replaced_what_another_acknowledged() {
    testing::on_postgres(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let other = opened(&database, folder.path()).await;
        // Of several parts, and at once.
        let contents = [vec![b'a'; 9 << 20], vec![b'b'; 700], vec![b'c'; 900]];
        let contents = contents.map(Bytes::from);
        for round in 0..15 {
            let path = format!("round/{round}");
            let expect = if round % 2 == 0 {
                Expect::nothing()
            } else {
                let there = quay.put(&path, b"what was there").await;
                Expect {
                    matches: Some(Tags::These(vec![there.etag])),
                    ..Expect::default()
                }
            };
            let two = [&contents[round % 3], &contents[(round + 1) % 3]];
            let one = begun(&quay.files, &quay, &path, two[0], expect.clone()).await;
            let another = begun(&other, &quay, &path, two[1], expect).await;
            let won = match futures::join!(one.finish(), another.finish()) {
                (Ok(_), Err(Error::Precondition)) => two[0],
                (Err(Error::Precondition), Ok(_)) => two[1],
                ended => panic!("{round}: {ended:?}"),
            };
            let lies = std::fs::read(quay.peer.folder().join("team").join(&path));
            assert!(lies.expect("there") == *won, "{round}: in the store");
            let found = quay.content(&path).await;
            assert!(found.expect("there") == *won, "{round}: in the catalogue");
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_replicas_that_overwrite_a_path_one_is_there_and_both_have_it() {
    testing::on_postgres(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let other = opened(&database, folder.path()).await;
        let two = [vec![b'a'; 700], vec![b'b'; 900]].map(Bytes::from);
        let (path, any) = (path("busy"), Expect::default);
        for round in 0..15 {
            let one = begun(&quay.files, &quay, "busy", &two[0], any()).await;
            let another = begun(&other, &quay, "busy", &two[1], any()).await;
            let (one, another) = futures::join!(one.finish(), another.finish());
            let ids = [one.expect("put").id, another.expect("put").id];
            let lies = std::fs::read(quay.peer.folder().join("team/busy")).expect("there");
            for files in [&quay.files, &other] {
                let found = files.file_and_content(&quay.bucket, &path).await;
                let (file, content) = found.expect("there");
                // Nobody took it for something that others put.
                assert!(ids.contains(&file.id), "{round}");
                assert!(read(&content, 0..file.size).await == lies, "{round}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_replicas_that_put_the_same_parts_together_one_does_and_both_have_it() {
    testing::on_postgres(|database| async move {
        let settings = BucketChange {
            versions: Some(true),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let other = opened(&database, folder.path()).await;
        let (files, by, joined) = (&quay.files, &quay.by, path("joined"));
        let mut new = NewUpload {
            place: Some((Arc::clone(&quay.bucket), joined.clone())),
            room: None,
            part: true,
            length: Some(5 << 20),
            media_type: String::new(),
            metadata: Metadata::new(),
            expect: Expect::default(),
            said: String::new(),
        };
        let contents = [vec![b'a'; 5 << 20], vec![b'b'; 5 << 20]];
        let mut parts = Vec::new();
        for content in &contents {
            let part = files.begin_upload(by, new.clone()).await.expect("begun");
            let body: [Result<Bytes, &str>; 1] = [Ok(Bytes::from(content.clone()))];
            let body = futures::stream::iter(body);
            let whole = files.append(by, part.id, Appending::default(), body).await;
            assert!(whole.expect("kept").is_whole());
            parts.push(part.id);
        }
        (new.part, new.length) = (false, None);
        let join = async |files: &Files| {
            let (parts, named) = (parts.clone(), "both".to_owned());
            let joined = files.join_uploads(by, parts, named, new.clone()).await;
            joined.expect("put together").id
        };
        let (one, another) = futures::join!(join(files), join(&other));
        assert_eq!(one, another, "it is the same upload");
        let content = quay.content("joined").await.expect("there");
        assert!(content == contents.concat());
        // Nobody took it for something that others put.
        let file = files.file(&quay.bucket, &joined).await.expect("there");
        assert_eq!(file.uploader, by.actor.as_str());
        let past = files.past(&quay.bucket, Heap::Versions, "", None, 10).await;
        assert_eq!(past.expect("listed").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_replica_that_is_gone_held_is_taken_over_and_not_changed_by_it_any_more() {
    testing::on_postgres(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let other = opened(&database, folder.path()).await;
        let (files, bucket, path) = (&quay.files, &quay.bucket, path("a"));
        let held = files.held(bucket, &[&path]).await.expect("held");
        let place = [(bucket.id, path.as_str())];
        let change = files.alter_held(&place, Some(&held)).await;
        drop(change.expect("it is ours"));
        let run_out = claim::run_out(files.db()).await;
        assert_eq!(run_out.expect("changed"), 1);
        let content = Bytes::from_static(b"the other's");
        let incoming = begun(&other, &quay, "a", &content, Expect::nothing()).await;
        incoming.finish().await.expect("put");
        let change = files.alter_held(&place, Some(&held)).await;
        assert!(matches!(change, Err(storage::Error::Busy)), "{change:?}");
        drop(held);
        let found = quay.content("a").await;
        assert_eq!(found.as_deref(), Some(&content[..]));
    })
    .await;
}

#[tokio::test]
async fn a_place_is_held_by_one_until_it_is_given_back_or_runs_out() {
    on_both(|database| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let files = opened(&database, folder.path()).await;
        let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("there");
        let db = files.db();
        let (place, one, two) = ((bucket.id, "a".to_owned()), Uuid::now_v7(), Uuid::now_v7());
        let take = async |holder| {
            let taken = claim::take(db, &place, holder, LEASE).await;
            taken.expect("asked")
        };
        let renew = async |holder| {
            let renewed = claim::renew(db, &place, holder, LEASE).await;
            renewed.expect("asked")
        };
        assert!(!renew(one).await, "nobody has it");
        assert!(take(one).await && take(one).await);
        assert!(!take(two).await && !renew(two).await);
        assert!(renew(one).await);
        claim::release(db, &place, two).await.expect("not theirs");
        assert!(!take(two).await, "it is held still");
        claim::release(db, &place, one).await.expect("released");
        assert!(take(two).await);
        let sweep = async || claim::sweep(db, Duration::ZERO).await.expect("swept");
        assert_eq!(sweep().await, 0);
        let run_out = async || claim::run_out(db).await.expect("changed");
        run_out().await;
        assert!(take(one).await);
        let mut tx = db.begin().await.expect("begun");
        let keep = claim::keep(&mut tx, &place, two, LEASE).await;
        assert!(!keep.expect("asked"), "it is another's by now");
        let keep = claim::keep(&mut tx, &place, one, LEASE).await;
        assert!(keep.expect("asked"));
        tx.commit().await.expect("committed");
        run_out().await;
        assert_eq!(sweep().await, 1);
        assert!(!renew(one).await);
    })
    .await;
}
