//! The trash, versions, and what becomes of bytes that nobody names.

use crate::world::{World, path, writer};
use base::{Actor, FileId};
use files::{BucketChange, Error, Expect, Heap};
use std::time::Duration;
use testing::on_both;
use uuid::Uuid;

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
        assert_eq!(sizes, [3, 2], "the newest first");
        let rest = past(Some(("a".to_owned(), page[1].file.id))).await;
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].file.size, 1);
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
async fn wherever_a_page_of_the_past_begins_it_shows_nothing_beside_its_prefix() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        let around = ["accounts", "cover", "covers/a", "covers/b", "covers0", "z"];
        for heap in [Heap::Trash, Heap::Versions] {
            let versions = BucketChange {
                versions: Some(heap == Heap::Versions),
                ..BucketChange::default()
            };
            world.change(versions).await;
            for at in around {
                world.put(at, "regretted").await;
                world.delete(at).await.unwrap();
            }
            let shown = async |after: Option<(&str, Uuid)>| {
                let after = after.map(|(at, id)| (at.to_owned(), FileId::from(id)));
                let (files, bucket) = (&world.files, &world.bucket);
                let page = files
                    .past(bucket, heap, "covers/", after.as_ref(), 10)
                    .await;
                let paths = page.unwrap().into_iter().map(|past| past.file.path);
                paths.map(|at| at.as_str().to_owned()).collect::<Vec<_>>()
            };
            let all = ["covers/a", "covers/b"];
            assert_eq!(shown(None).await, all);
            // As nobody gave them out.
            for id in [Uuid::nil(), Uuid::max()] {
                for before in ["", "!", "accounts", "cover"] {
                    assert_eq!(shown(Some((before, id))).await, all, "{heap:?} {before}");
                }
                for behind in ["covers/b\u{1}", "covers0", "z"] {
                    let shown = shown(Some((behind, id))).await;
                    assert!(shown.is_empty(), "{heap:?} {behind}: {shown:?}");
                }
            }
            assert_eq!(shown(Some(("covers/a", Uuid::nil()))).await, all[1..]);
            assert_eq!(shown(Some(("covers/a", Uuid::max()))).await, all);
        }
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_content_that_was_seen_is_deleted_though_another_is_the_same() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let seen = world.put("a", "same").await;
        let now = world.put("a", "same").await;
        assert_eq!(seen.etag, now.etag);
        let by = Actor::user("anna");
        let delete = async |id| {
            let expect = Expect::content(id);
            world
                .files
                .delete(&world.bucket, &path("a"), &expect, &by)
                .await
        };
        let refused = delete(seen.id).await;
        assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
        assert_eq!(world.read("a").await.as_deref(), Some("same"));
        assert_eq!(delete(now.id).await.unwrap().id, now.id);
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

#[tokio::test]
async fn a_date_tells_what_was_brought_back_or_moved_from_what_was_there_before() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let (a, b, by) = (path("a"), path("b"), Actor::user("anna"));
        let (anna, any) = (writer("anna"), Expect::default());
        let old = world.put("a", "old").await;
        let moved = world.put("b", "to be moved").await;
        world.delete("a").await.unwrap();
        let later = || world.clock.advance(Duration::from_secs(10));
        later();
        let mut seen = world.put("a", "new").await;
        for way in ["brought back", "moved"] {
            later();
            let there = if way == "moved" {
                let (from, to) = ((&*world.bucket, &b), (&*world.bucket, &a));
                let renamed = world.files.rename(from, to, &any, &anna);
                renamed.await.unwrap()
            } else {
                let restored = world.files.restore(&world.bucket, old.id, true, &by);
                restored.await.unwrap()
            };
            assert!(there.modified_at > seen.modified_at, "{way}");
            let found = world.files.file(&world.bucket, &a).await.unwrap();
            assert_eq!(found, there);
            // Who knows what was there before does not change this one.
            let unmodified = Expect {
                unmodified_since: Some(seen.modified_at),
                ..Expect::default()
            };
            let deleted = world.files.delete(&world.bucket, &a, &unmodified, &by);
            let refused = deleted.await;
            assert!(matches!(refused, Err(Error::Precondition)), "{way}");
            seen = there;
        }
        assert_eq!((seen.id, seen.created_at), (moved.id, moved.created_at));
        world.close().await;
    })
    .await;
}
