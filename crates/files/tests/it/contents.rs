//! Putting and getting: all or nothing, and nothing that was not meant.

use crate::world::{MOST, World, account, path, writer};
use base::Actor;
use bytes::Bytes;
use files::{
    BucketChange, Content, Description, Error, Expect, Headers, Metadata, NewFile, NewUpload,
    Promised, Tags, Writer,
};
use std::sync::Arc;
use testing::on_both;

#[tokio::test]
async fn what_was_put_is_there_with_all_that_is_said_of_it() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let mut new = NewFile::at(path("covers/a b.png"));
        new.media_type = Some("image/png".to_owned());
        new.headers.cache_control = Some("max-age=60".to_owned());
        new.metadata = Metadata::from_iter([("album".to_owned(), "blue".into())]);
        let put = world.try_put(new, "hello").await.unwrap();
        let found = world
            .files
            .file(&world.bucket, &path("covers/a b.png"))
            .await
            .unwrap();
        assert_eq!(found, put);
        assert_eq!(found.size, 5);
        assert_eq!(found.etag, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(
            found.sha256.as_deref(),
            Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        );
        assert_eq!(found.media_type, "image/png");
        assert_eq!(found.sniffed_type, "text/plain");
        assert_eq!(found.uploader, "user:anna");
        assert_eq!(found.metadata["album"], "blue");
        assert_eq!(found.headers.cache_control.as_deref(), Some("max-age=60"));
        assert_eq!(world.read("covers/a b.png").await.as_deref(), Some("hello"));
        assert_eq!(world.usage().await, (1, 5));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_said_of_a_file_has_its_bounds_on_every_way_in() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let (files, bucket, by) = (&world.files, &world.bucket, writer("anna"));
        let said = |length| Metadata::from_iter([("a".to_owned(), "x".repeat(length).into())]);
        // With `{"a":""}` around it.
        let (most, long) = (said(8192 - 8), said(8192 - 7));
        let new = |metadata| NewFile {
            metadata,
            ..NewFile::at(path("there"))
        };
        let there = world.try_put(new(most), "hello").await.unwrap();
        let described = Description {
            metadata: Some(long.clone()),
            ..Description::default()
        };
        let any = Expect::default();
        let (from, to) = (path("there"), path("copy"));
        let upload = NewUpload {
            place: Some((Arc::clone(bucket), path("copy"))),
            room: None,
            part: false,
            length: Some(5),
            media_type: String::new(),
            metadata: long.clone(),
            expect: Expect::default(),
            said: String::new(),
        };
        let (from, to) = ((&**bucket, &from), (&**bucket, &to));
        let (again, parted) = (new(long.clone()), new(long));
        for (way, refused) in [
            ("put", world.try_put(again, "x").await.err()),
            ("parts", files.begin_parted(bucket, &by, parted).await.err()),
            ("upload", files.begin_upload(&by, upload).await.err()),
            (
                "describe",
                files
                    .describe(bucket, from.1, &any, described.clone(), &by.actor)
                    .await
                    .err(),
            ),
            (
                "copy",
                files.copy(from, to, &any, described, &by).await.err(),
            ),
        ] {
            assert!(
                matches!(refused, Some(Error::Metadata)),
                "{way}: {refused:?}"
            );
        }
        let found = files.file(bucket, from.1).await.unwrap();
        assert_eq!((found, world.usage().await), (there, (1, 5)));
        assert_eq!(world.on_disk(), 1);
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_overwritten_content_is_gone_and_its_path_keeps_its_age() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let first = world.put("a", "one").await;
        world.clock.advance(std::time::Duration::from_secs(5));
        let second = world.put("a", "second").await;
        assert_eq!(second.created_at, first.created_at);
        assert!(second.modified_at > first.modified_at);
        assert_ne!(second.id, first.id);
        assert_eq!(world.read("a").await.as_deref(), Some("second"));
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 6)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_what_was_announced_leaves_nothing() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        world.put("there", "before").await;
        let promises = [
            Promised {
                length: Some(4),
                ..Promised::default()
            },
            Promised {
                length: Some(6),
                ..Promised::default()
            },
            Promised {
                sha256: Some([7; 32]),
                ..Promised::default()
            },
            Promised {
                md5: Some([7; 16]),
                ..Promised::default()
            },
        ];
        for promised in promises {
            for at in ["new", "there"] {
                let mut new = NewFile::at(path(at));
                new.promised = promised;
                let refused = world.try_put(new, "hello").await;
                assert!(matches!(refused, Err(Error::Content(_))), "{refused:?}");
            }
        }
        let mut long = NewFile::at(path("long"));
        long.promised.length = Some(MOST + 1);
        let refused = world.try_put(long, "").await;
        assert!(matches!(refused, Err(Error::TooLarge { most: MOST })));
        assert_eq!(world.read("there").await.as_deref(), Some("before"));
        assert_eq!(world.read("new").await, None);
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 6)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let new = NewFile::at(path("a"));
        let mut incoming = world
            .files
            .put(&world.bucket, writer("anna"), new)
            .await
            .unwrap();
        incoming
            .write(Bytes::from(vec![1; 3_000_000]))
            .await
            .unwrap();
        assert_eq!(world.on_disk(), 1);
        drop(incoming);
        assert_eq!((world.on_disk(), world.usage().await), (0, (0, 0)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn conditions_hold_against_whatever_is_there() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let with = |expect: Expect| NewFile {
            expect,
            ..NewFile::at(path("a"))
        };
        let matching = |tag: &str| Expect {
            matches: Some(Tags::These(vec![tag.to_owned()])),
            ..Expect::default()
        };
        let refused = world.try_put(with(matching("x")), "none").await;
        assert!(matches!(refused, Err(Error::Precondition)));
        let first = world.try_put(with(Expect::nothing()), "one").await.unwrap();
        let refused = world.try_put(with(Expect::nothing()), "two").await;
        assert!(matches!(refused, Err(Error::Precondition)));
        let second = world
            .try_put(with(matching(&first.etag)), "two")
            .await
            .unwrap();
        let late = world.try_put(with(matching(&first.etag)), "three").await;
        assert!(matches!(late, Err(Error::Precondition)));
        let by = Actor::user("anna");
        let late = world
            .files
            .delete(&world.bucket, &path("a"), &matching(&first.etag), &by)
            .await;
        assert!(matches!(late, Err(Error::Precondition)));
        assert_eq!(world.read("a").await.as_deref(), Some("two"));
        world
            .files
            .delete(&world.bucket, &path("a"), &matching(&second.etag), &by)
            .await
            .unwrap();
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_many_who_create_at_once_one_does() {
    on_both(|database| async move {
        let world = Arc::new(World::open(&database).await);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            let world = Arc::clone(&world);
            tasks.spawn(async move {
                let mut new = NewFile::at(path("a"));
                new.expect = Expect::nothing();
                world.try_put(new, &number.to_string()).await
            });
        }
        let outcomes = tasks.join_all().await;
        let made: Vec<_> = outcomes
            .iter()
            .filter_map(|made| made.as_ref().ok())
            .collect();
        assert_eq!(made.len(), 1);
        let refused = |made: &&Result<_, Error>| matches!(made, Err(Error::Precondition));
        assert_eq!(outcomes.iter().filter(refused).count(), 7);
        let there = world.files.file(&world.bucket, &path("a")).await.unwrap();
        assert_eq!(&there, made[0]);
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 1)));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_overwrite_at_once_the_content_is_one_of_theirs() {
    on_both(|database| async move {
        let world = Arc::new(World::open(&database).await);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8_u8 {
            let world = Arc::clone(&world);
            let content = char::from(b'a' + number).to_string().repeat(50_000);
            tasks.spawn(async move { world.put("a", &content).await });
        }
        tasks.join_all().await;
        let content = world.read("a").await.unwrap();
        assert_eq!(content.len(), 50_000);
        let first = content.chars().next();
        assert!(content.chars().all(|c| Some(c) == first));
        assert_eq!((world.on_disk(), world.usage().await), (1, (1, 50_000)));
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_what_is_deleted_makes_room() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        world
            .change(BucketChange {
                quota_bytes: Some(10),
                quota_files: Some(2),
                user_quota_bytes: Some(8),
                trash_seconds: Some(0),
                ..BucketChange::default()
            })
            .await;
        world.put("a", "12345678").await;
        let more = world.try_put(NewFile::at(path("b")), "9").await;
        assert!(
            matches!(more, Err(Error::Quota { limit: 8, .. })),
            "{more:?}"
        );
        let by_another = |content: &'static str| {
            let (files, bucket) = (world.files.clone(), Arc::clone(&world.bucket));
            async move {
                let by = Writer {
                    account: Some(account("otto")),
                    ..writer("otto")
                };
                let new = NewFile::at(path("b"));
                let mut incoming = files.put(&bucket, by, new).await?;
                incoming
                    .write(Bytes::from_static(content.as_bytes()))
                    .await?;
                incoming.finish().await
            }
        };
        let more = by_another("123").await;
        assert!(
            matches!(more, Err(Error::Quota { limit: 10, .. })),
            "{more:?}"
        );
        by_another("12").await.unwrap();
        let third = world.try_put(NewFile::at(path("c")), "").await;
        assert!(
            matches!(third, Err(Error::Quota { limit: 2, .. })),
            "{third:?}"
        );
        world.delete("a").await.unwrap();
        world.put("c", "1234").await;
        assert_eq!((world.on_disk(), world.usage().await), (2, (2, 6)));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_description_changes_and_the_content_does_not() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let put = world.put("a", "hello").await;
        let description = Description {
            media_type: Some("text/csv".to_owned()),
            headers: Some(Headers {
                content_language: Some("de".to_owned()),
                ..Headers::default()
            }),
            metadata: Some(Metadata::from_iter([("k".to_owned(), 7.into())])),
            ..Description::default()
        };
        let expect = Expect::default();
        let changed = world
            .files
            .describe(
                &world.bucket,
                &path("a"),
                &expect,
                description,
                &Actor::user("otto"),
            )
            .await
            .unwrap();
        assert_eq!((changed.id, &changed.etag), (put.id, &put.etag));
        assert_eq!(changed.media_type, "text/csv");
        let found = world.files.file(&world.bucket, &path("a")).await.unwrap();
        assert_eq!(found, changed);
        let wrong = Description {
            media_type: Some("no type".to_owned()),
            ..Description::default()
        };
        let refused = world
            .files
            .describe(
                &world.bucket,
                &path("a"),
                &expect,
                wrong,
                &Actor::user("otto"),
            )
            .await;
        assert!(matches!(refused, Err(Error::Header("content-type"))));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_copy_shares_the_bytes_and_outlives_its_source() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        world
            .change(BucketChange {
                trash_seconds: Some(0),
                ..BucketChange::default()
            })
            .await;
        let other = world.make("other").await;
        world.put("a", "hello").await;
        world
            .files
            .copy(
                (&world.bucket, &path("a")),
                (&other, &path("deep/b")),
                &Expect::nothing(),
                Description::default(),
                &writer("otto"),
            )
            .await
            .unwrap();
        assert_eq!(world.on_disk(), 1);
        world.delete("a").await.unwrap();
        assert_eq!((world.on_disk(), world.usage().await), (1, (0, 0)));
        let (copy, content) = world
            .files
            .file_and_content(&other, &path("deep/b"))
            .await
            .unwrap();
        assert_eq!(copy.size, 5);
        assert!(matches!(content, Content::Small(bytes) if bytes == "hello"));
        assert_eq!(copy.uploader, "user:otto");
        assert_eq!(world.files.usage(&other).await.unwrap().bytes, 5);
        let gone = world
            .files
            .copy(
                (&world.bucket, &path("a")),
                (&other, &path("c")),
                &Expect::default(),
                Description::default(),
                &writer("otto"),
            )
            .await;
        assert!(matches!(gone, Err(Error::NoFile(_))));
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_moved_file_is_where_it_was_moved_and_nowhere_else() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let other = world.make("other").await;
        let put = world.put("a", "hello").await;
        world.put("taken", "x").await;
        let to_taken = world
            .files
            .rename(
                (&world.bucket, &path("a")),
                (&world.bucket, &path("taken")),
                &Expect::nothing(),
                &writer("anna"),
            )
            .await;
        assert!(matches!(to_taken, Err(Error::Precondition)));
        let moved = world
            .files
            .rename(
                (&world.bucket, &path("a")),
                (&other, &path("b/c")),
                &Expect::default(),
                &writer("anna"),
            )
            .await
            .unwrap();
        assert_eq!((moved.id, moved.created_at), (put.id, put.created_at));
        assert_eq!(world.read("a").await, None);
        assert_eq!(world.usage().await, (1, 1));
        assert_eq!(world.files.usage(&other).await.unwrap().bytes, 5);
        let found = world.files.file(&other, &path("b/c")).await.unwrap();
        assert_eq!(found, moved);
        world.close().await;
    })
    .await;
}
