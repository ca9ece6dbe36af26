//! What is refused at the last moment has replaced nothing in the store.

use super::*;
use crate::presign::{LinkError, Once};
use crate::put::Along;
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
