//! What is refused at the last moment has replaced nothing in the store.

use super::*;
use crate::presign::{LinkError, Once};
use crate::put::Along;
use crate::sql;
use uuid::Uuid;

#[tokio::test]
async fn what_does_not_fit_leaves_what_is_there() {
    on_both(|database| async move {
        let settings = BucketChange {
            quota_bytes: Some(10),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        quay.put("a", b"12345678").await;
        let shorter = quay.put_if("a", b"1234567890", Expect::default()).await;
        shorter.expect("it takes the other's room");
        // Its length is not known before its end.
        let over = quay.put_if("a", b"12345678901", Expect::default()).await;
        assert!(matches!(over, Err(Error::Quota { .. })), "{over:?}");
        let found = quay.content("a").await;
        assert_eq!(found.as_deref(), Some(&b"1234567890"[..]));
        assert_eq!(quay.peer.keys(), ["team/a"], "and nothing lies beside it");
    })
    .await;
}

#[tokio::test]
async fn a_signature_that_was_used_meanwhile_replaces_nothing() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let once = Once {
            id: Uuid::now_v7(),
            expires: quay.files.now().plus(std::time::Duration::from_secs(600)),
        };
        let mut two = Vec::new();
        for content in ["first", "second"] {
            let new = NewFile::at(path("a"));
            let incoming = quay.files.put(&quay.bucket, quay.by.clone(), new).await;
            let mut incoming = incoming.expect("begun").along(Along::Signature(once));
            incoming.write(content.into()).await.expect("written");
            two.push(incoming);
        }
        let mut ended = Vec::new();
        for incoming in two {
            ended.push(incoming.finish().await);
        }
        let used = matches!(ended[1], Err(Error::Link(LinkError::Used)));
        assert!(ended[0].is_ok() && used, "{ended:?}");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"first"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_content_of_another_length_than_was_told_is_not_read() {
    on_both(|database| async move {
        let Some(quay) = Quay::open(&database, BucketChange::default()).await else {
            return;
        };
        let mut file = quay.put("large", &vec![b'x'; 100_000]).await;
        let object = file.object.clone().expect("it is in a store");
        let whole = |file: &File, store| ObjectContent::of(store, file, &object);
        let promised = whole(&file, quay.store().await);
        assert_eq!(
            promised
                .stream(5..9)
                .try_collect::<Vec<_>>()
                .await
                .expect("read")
                .concat(),
            b"xxxx"
        );
        // The store says that it has the one that is asked for; it has not.
        file.size += 1;
        let promised = whole(&file, quay.store().await);
        let read: storage::Result<Vec<Bytes>> = promised.stream(5..9).try_collect().await;
        assert!(
            matches!(read, Err(storage::Error::Objects(ObjectError::Changed))),
            "{read:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn who_comes_second_to_the_last_room_is_refused_while_the_first_is_on_its_way() {
    on_both(|database| async move {
        let settings = BucketChange {
            quota_bytes: Some(10),
            ..BucketChange::default()
        };
        let Some((quay, gate)) = Quay::gated(&database, settings).await else {
            return;
        };
        quay.put("a", b"1234").await;
        gate.hold("put /harbour/team/a");
        let overwriting = quay.put_if("a", b"12345678", Expect::default());
        let meanwhile = async {
            gate.holds().await;
            let over = quay.put_if("b", b"123", Expect::default()).await;
            assert!(matches!(over, Err(Error::Quota { .. })), "{over:?}");
            let fits = quay.put_if("b", b"12", Expect::default()).await;
            fits.expect("there is room beside it");
            gate.open();
        };
        let (overwritten, ()) = tokio::join!(overwriting, meanwhile);
        overwritten.expect("it had its room");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"12345678"[..]));
        let usage = quay.files.usage(&quay.bucket).await.expect("usage");
        assert_eq!((usage.files, usage.bytes), (2, 10));
        let heads = gate.heads();
        let copied = heads.iter().find(|head| head.contains("x-amz-copy-source"));
        assert_eq!(copied, None, "nothing has to be brought back");
        // Nobody counts twice what has come.
        quay.put("a", b"1234567").await;
        quay.put("b", b"123").await;
        assert_eq!(quay.peer.keys(), ["team/a", "team/b"]);
    })
    .await;
}

#[tokio::test]
async fn room_that_is_given_back_or_whose_taker_is_gone_is_free() {
    on_both(|database| async move {
        let settings = BucketChange {
            quota_bytes: Some(10),
            quota_files: Some(2),
            user_quota_bytes: Some(8),
            ..BucketChange::default()
        };
        let Some(quay) = Quay::open(&database, settings).await else {
            return;
        };
        let (files, bucket) = (&quay.files, &quay.bucket);
        let account = Uuid::from_u128;
        let file = |size, of| File {
            size,
            account: Some(account(of)),
            ..Files::file_for_test(bucket.id, "a")
        };
        let room = async |size, of| files.room_for(bucket, &file(size, of), None).await;
        let refused = |taken: Result<Room>| matches!(taken, Err(Error::Quota { .. }));
        let first = room(5, 1).await.expect("there is room");
        assert!(refused(room(6, 2).await), "of the bucket");
        assert!(refused(room(4, 1).await), "of the user");
        let second = room(5, 2).await.expect("there is room");
        assert!(refused(room(0, 2).await), "for a third file");
        // In the place of another's, a user takes all of it and the bucket what is more.
        let theirs = file(3, 3);
        let over = files.room_for(bucket, &file(4, 1), Some(&theirs)).await;
        assert!(refused(over), "of the user");
        let over = files.room_for(bucket, &file(4, 3), Some(&theirs)).await;
        assert!(refused(over), "of the bucket");
        first.give_back().await;
        let third = room(5, 1).await.expect("it is free");
        let run_out = sql::room::run_out(files.db()).await.expect("changed");
        assert_eq!(run_out, 2);
        let fourth = room(8, 1).await.expect("nobody has it");
        let swept = sql::room::sweep(files.db()).await.expect("swept");
        assert_eq!(swept, 2, "and not the one that is held");
        // What comes after all is not refused, and is gone from where it was held.
        let mut tx = files.db().begin().await.expect("begun");
        fourth.use_up(&mut tx).await.expect("used up");
        tx.commit().await.expect("committed");
        fourth.was_used();
        room(8, 1).await.expect("it is not counted any more");
        drop((second, third));
    })
    .await;
}
