//! Uploads beside each other: what counts of them all, and what becomes of those that are put
//! together.

use super::*;
use crate::put::NewFile;

#[tokio::test]
async fn what_has_come_of_uploads_counts_until_they_end() {
    at_dock(|dock, blobs| async move {
        let narrow = dock.narrow().await;
        let place = |path: &str| {
            let path: FilePath = path.parse().expect("a path");
            Some((Arc::clone(&narrow), path))
        };
        let put = async |path: &str, content: &'static [u8]| {
            let new = NewFile::at(path.parse().expect("a path"));
            let mut put = dock.files.put(&narrow, dock.by.clone(), new).await?;
            put.write(Bytes::from_static(content)).await?;
            put.finish().await
        };
        let begin = async |new: NewUpload| {
            let begun = dock.files.begin_upload(&dock.by, new).await;
            begun.expect("begun").id
        };
        // Of no upload the length is known: it is found out while it comes.
        let whole = |path: &str| NewUpload {
            place: place(path),
            ..dock.new_upload("-", None)
        };
        let (a, b) = (begin(whole("a")).await, begin(whole("b")).await);
        dock.send(a, 0, b"123456").await.expect("it fits");
        let refused = dock.send(b, 0, b"12345").await;
        assert!(matches!(refused, Err(Error::Quota { .. })), "{refused:?}");
        assert_eq!(dock.received(b).await, 0);
        dock.send(b, 0, b"1234").await.expect("it fits exactly");
        let refused = put("c", b"1").await;
        assert!(matches!(refused, Err(Error::Quota { .. })), "{refused:?}");
        // What becomes a file counts once.
        let whole = Appending {
            offset: 6,
            length: Some(6),
            ..Appending::default()
        };
        let done = dock.append(a, whole, b"").await.expect("whole");
        assert!(done.done);
        let ended = dock.files.terminate_upload(&dock.by, b).await;
        ended.expect("ended");
        put("a", b"1234").await.expect("in its place");
        // So do parts that do not say where they go, put together in the end.
        let part = |length| NewUpload {
            place: None,
            room: Some(Arc::clone(&narrow)),
            part: true,
            ..dock.new_upload("-", Some(length))
        };
        let (one, two) = (begin(part(3)).await, begin(part(3)).await);
        dock.send(one, 0, b"one").await.expect("it fits");
        dock.send(two, 0, b"two").await.expect("it fits");
        let refused = dock.files.begin_upload(&dock.by, part(1)).await;
        assert!(matches!(refused, Err(Error::Quota { .. })), "{refused:?}");
        let new = NewUpload {
            place: place("joined"),
            ..dock.new_upload("-", None)
        };
        let named = "1".to_owned();
        let joined = dock
            .files
            .join_uploads(&dock.by, vec![one, two], named, new);
        assert_eq!(joined.await.expect("joined").received, 6);
        let usage = dock.files.usage(&narrow).await.expect("asked");
        assert_eq!((usage.files, usage.bytes), (2, 10));
        assert_eq!(files_below(&blobs), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_uploads_that_come_at_the_same_moment_none_comes_that_does_not_fit() {
    at_dock(|dock, blobs| async move {
        let narrow = dock.narrow().await;
        // Of no upload the length is known: nothing but the note of what came refuses it.
        let begin = async |path: &str| {
            let new = NewUpload {
                place: Some((Arc::clone(&narrow), path.parse().expect("a path"))),
                ..dock.new_upload("-", None)
            };
            let begun = dock.files.begin_upload(&dock.by, new).await;
            begun.expect("begun").id
        };
        for _ in 0..5 {
            let (one, two) = (begin("one").await, begin("two").await);
            let sent = futures::join!(dock.send(one, 0, b"123456"), dock.send(two, 0, b"123456"));
            assert!(
                matches!(
                    sent,
                    (Ok(_), Err(Error::Quota { .. })) | (Err(Error::Quota { .. }), Ok(_))
                ),
                "{sent:?}"
            );
            let came = (dock.received(one).await, dock.received(two).await);
            let of = |sent: &Result<Upload>| if sent.is_ok() { 6 } else { 0 };
            assert_eq!(came, (of(&sent.0), of(&sent.1)));
            for id in [one, two] {
                let ended = dock.files.terminate_upload(&dock.by, id).await;
                ended.expect("ended");
            }
        }
        assert_eq!(files_below(&blobs), 0, "nothing is left of them");
    })
    .await;
}

#[tokio::test]
async fn parts_are_put_together_in_the_order_that_is_said() {
    at_dock(|dock, blobs| async move {
        let mut parts = Vec::new();
        for text in ["two ", "one "] {
            let new = NewUpload {
                part: true,
                place: None,
                ..dock.new_upload("-", Some(4))
            };
            let part = dock.files.begin_upload(&dock.by, new).await.expect("begun");
            let sent = dock.send(part.id, 0, &text.as_bytes()[..3]).await;
            sent.expect("kept");
            parts.push(part.id);
        }
        let (two, one) = (parts[0], parts[1]);
        let join = |parts: Vec<UploadId>, named: &str| {
            let new = dock.new_upload("a", None);
            dock.files
                .join_uploads(&dock.by, parts, named.to_owned(), new)
        };
        let early = join(vec![one, two], "1").await;
        assert!(
            matches!(early, Err(Error::Unjoinable)),
            "they are not whole"
        );
        for part in &parts {
            dock.send(*part, 3, b" ").await.expect("whole");
        }
        let whole = dock.begin("b", 1).await;
        for wrong in [vec![], vec![one, one], vec![one, whole]] {
            let refused = join(wrong, "2").await;
            assert!(matches!(refused, Err(Error::Unjoinable)), "{refused:?}");
        }
        let joined = join(vec![one, two], "3").await.expect("joined");
        assert_eq!(dock.content("a").await.expect("a file"), b"one two ");
        assert_eq!((joined.received, joined.parts.as_str()), (8, "3"));
        let again = join(vec![one, two], "3").await.expect("it is the same");
        assert_eq!(again.id, joined.id);
        let other = join(vec![two, one], "4").await;
        assert!(matches!(other, Err(Error::Unjoinable)), "they are used up");
        let refused = dock.send(joined.id, 8, b"x").await;
        assert!(matches!(refused, Err(Error::JoinedUpload)));
        assert_eq!(files_below(&blobs), 2, "the file, and the upload of `b`");
    })
    .await;
}

#[tokio::test]
async fn who_puts_the_same_parts_together_at_the_same_time_gets_the_same_upload() {
    at_dock(|dock, _| async move {
        let part = NewUpload {
            part: true,
            place: None,
            ..dock.new_upload("-", Some(4))
        };
        let part = dock.files.begin_upload(&dock.by, part).await;
        let part = part.expect("begun").id;
        dock.send(part, 0, b"part").await.expect("whole");
        let turn = dock.files.turns().take(part).await.expect("free");
        let later = tokio::spawn({
            let dock = Arc::clone(&dock);
            let new = dock.new_upload("a", None);
            async move {
                let named = "1".to_owned();
                dock.files
                    .join_uploads(&dock.by, vec![part], named, new)
                    .await
            }
        });
        // It has looked, found nothing, and waits for its turn.
        turn.ended().await;
        let parts = vec![dock.files.upload(&dock.by, part).await.expect("there")];
        let (new, named) = (dock.new_upload("a", None), "1".to_owned());
        let place = (dock.bucket().id, "a".parse().expect("a path"));
        let whole = dock.files.joined(&dock.by, new, place, named, 4);
        let sooner = Joined { whole, parts };
        let mut tx = dock.db.begin().await.expect("begun");
        sooner.end(&mut tx).await.expect("used up");
        tx.commit().await.expect("committed");
        drop(turn);
        let later = later.await.expect("no panic").expect("it is the same");
        assert_eq!(later.id, sooner.whole.id);
    })
    .await;
}
