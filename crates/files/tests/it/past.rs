//! The trash, versions, and what becomes of bytes that nobody names.

use crate::world::World;
use base::{Actor, FileId};
use files::{BucketChange, Error, Heap};
use testing::on_both;

#[tokio::test]
async fn what_was_deleted_comes_back_as_it_was() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let put = world.put("a/b", "hello").await;
        world.delete("a/b").await.unwrap();
        assert!(matches!(world.delete("a/b").await, Err(Error::NoFile(_))));
        assert_eq!(world.read("a/b").await, None);
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 5)));
        let trash = world
            .files
            .past(&world.bucket, Heap::Trash, "a/", None, 10)
            .await
            .unwrap();
        assert_eq!(trash.len(), 1);
        assert_eq!(trash[0].file, put);
        assert_eq!(trash[0].removed_by, "user:anna");
        let by = Actor::user("anna");
        let back = world
            .files
            .restore(&world.bucket, put.id, false, &by)
            .await
            .unwrap();
        assert_eq!(back, put);
        assert_eq!(world.read("a/b").await.as_deref(), Some("hello"));
        let again = world.files.restore(&world.bucket, put.id, false, &by).await;
        assert!(matches!(again, Err(Error::NothingToRestore)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_lies_there_now_is_replaced_only_when_that_is_said() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let first = world.put("a", "first").await;
        world.delete("a").await.unwrap();
        world.put("a", "now").await;
        let by = Actor::user("anna");
        let refused = world
            .files
            .restore(&world.bucket, first.id, false, &by)
            .await;
        assert!(matches!(refused, Err(Error::Precondition)));
        assert_eq!(world.read("a").await.as_deref(), Some("now"));
        world
            .files
            .restore(&world.bucket, first.id, true, &by)
            .await
            .unwrap();
        assert_eq!(world.read("a").await.as_deref(), Some("first"));
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 5)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn versions_stay_until_they_are_removed_for_good() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        let versions = BucketChange {
            versions: Some(true),
            ..BucketChange::default()
        };
        world.change(versions).await;
        for content in ["1", "22", "333"] {
            world.put("a", content).await;
        }
        world.delete("a").await.unwrap();
        let past = |after: Option<(String, FileId)>| {
            let world = &world;
            async move {
                world
                    .files
                    .past(&world.bucket, Heap::Versions, "", after.as_ref(), 2)
                    .await
                    .unwrap()
            }
        };
        let page = past(None).await;
        let sizes: Vec<u64> = page.iter().map(|past| past.file.size).collect();
        assert_eq!(sizes, [1, 2]);
        let rest = past(Some(("a".to_owned(), page[1].file.id))).await;
        assert_eq!(rest.len(), 1);
        assert_eq!((world.on_disk(), world.usage().await), (3, (3, 6)));
        for past in page.iter().chain(&rest) {
            assert!(
                world
                    .files
                    .purge(&world.bucket, past.file.id)
                    .await
                    .unwrap()
            );
            assert!(
                !world
                    .files
                    .purge(&world.bucket, past.file.id)
                    .await
                    .unwrap()
            );
        }
        assert_eq!((world.on_disk(), world.usage().await), (0, (0, 0)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_trash_what_is_deleted_is_gone() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        let none = BucketChange {
            trash_seconds: Some(0),
            ..BucketChange::default()
        };
        world.change(none).await;
        world.put("a", "hello").await;
        world.delete("a").await.unwrap();
        assert_eq!((world.on_disk(), world.usage().await), (0, (0, 0)));
        world.close().await;
    })
    .await;
}
