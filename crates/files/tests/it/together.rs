//! Of many who put files at the same moment, each has its own outcome.

use crate::world::{World, path, writer};
use bytes::Bytes;
use files::{BucketChange, Error, Expect, File, Heap, NewFile, Tags};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use testing::on_both;
use tokio::task::JoinSet;

/// A put that went well: what its condition had seen, and what it left there.
type Step = (String, Option<String>, File);

/// Puts at `at` what nobody else puts, over exactly what it finds there.
async fn step(world: &World, at: String, content: String) -> Result<Step, Error> {
    let seen = match world.files.file(&world.bucket, &path(&at)).await {
        Ok(file) => Some(file.etag),
        Err(Error::NoFile(_)) => None,
        Err(error) => return Err(error),
    };
    let mut new = NewFile::at(path(&at));
    new.expect = match &seen {
        None => Expect::nothing(),
        Some(etag) => Expect {
            matches: Some(Tags::These(vec![etag.clone()])),
            ..Expect::default()
        },
    };
    let file = world.try_put(new, &content).await?;
    Ok((at, seen, file))
}

#[tokio::test]
async fn of_64_who_change_a_few_files_at_once_each_saw_what_it_replaced() {
    on_both(|database| async move {
        let world = Arc::new(World::open(&database).await);
        let (mut steps, mut tasks) = (Vec::new(), JoinSet::new());
        for round in 0..4 {
            for number in 0..64 {
                let world = Arc::clone(&world);
                let (at, content) = (format!("k/{}", number % 5), format!("{round}-{number}"));
                tasks.spawn(async move { step(&world, at, content).await });
            }
            while let Some(done) = tasks.join_next().await {
                match done.unwrap() {
                    Ok(done) => steps.push(done),
                    Err(error) => assert!(matches!(error, Error::Precondition), "{error}"),
                }
            }
        }
        // At each path a chain, from nothing to what is there now: nothing was replaced twice.
        let mut after: HashMap<(String, Option<String>), &File> = HashMap::new();
        for (at, seen, file) in &steps {
            let twice = after.insert((at.clone(), seen.clone()), file);
            assert!(twice.is_none(), "{at}: {seen:?} was replaced twice");
        }
        let mut bytes = 0;
        for number in 0..5 {
            let at = format!("k/{number}");
            let (mut last, mut length) = (None, 0);
            while let Some(next) = after.get(&(at.clone(), last.clone())) {
                last = Some(next.etag.clone());
                length += 1;
            }
            assert!(length >= 4, "each round, one went well");
            let taken = steps.iter().filter(|step| step.0 == at).count();
            assert_eq!(taken, length, "{at}");
            let there = world.files.file(&world.bucket, &path(&at)).await.unwrap();
            assert_eq!(Some(&there.etag), last.as_ref());
            let content = world.read(&at).await.unwrap();
            assert_eq!(content.len() as u64, there.size);
            bytes += there.size;
            let word = number.to_string();
            let found = world.files.search(&world.bucket, "", &word, None, 10).await;
            assert_eq!(found.unwrap().files.len(), 1);
        }
        assert_eq!((world.on_disk(), world.usage().await), (5, (5, bytes)));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_come_at_once_exactly_as_many_as_fit_are_kept() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        world
            .change(BucketChange {
                quota_bytes: Some(100),
                quota_files: Some(12),
                user_quota_bytes: Some(60),
                ..BucketChange::default()
            })
            .await;
        world.put("old", &"x".repeat(20)).await;
        let world = Arc::new(world);
        let mut tasks = JoinSet::new();
        for number in 0..32 {
            let world = Arc::clone(&world);
            tasks.spawn(async move {
                // One replaces what is there by less, and so makes room for one more.
                let (at, size) = if number == 7 {
                    ("old".to_owned(), 10)
                } else {
                    (format!("f/{number}"), 10)
                };
                let new = NewFile::at(path(&at));
                (at, world.try_put(new, &"y".repeat(size)).await)
            });
        }
        let outcomes = tasks.join_all().await;
        let kept = outcomes.iter().filter(|(_, put)| put.is_ok()).count();
        assert!(
            outcomes
                .iter()
                .all(|(_, put)| matches!(put, Ok(_) | Err(Error::Quota { limit: 60, .. })))
        );
        // 60 bytes of one user; whether the one that shrinks came too late to make room.
        let (files, bytes) = world.usage().await;
        assert!(bytes <= 60, "{bytes}");
        assert!((5..=6).contains(&kept), "{kept}");
        let replaced = outcomes.iter().any(|(at, put)| at == "old" && put.is_ok());
        assert_eq!(files, kept as u64 + u64::from(!replaced));
        assert_eq!(world.on_disk() as u64, files);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_of_one_keeps_no_other_out() {
    on_both(|database| async move {
        let world = Arc::new(World::open(&database).await);
        let mut tasks = JoinSet::new();
        for number in 0..48 {
            let world = Arc::clone(&world);
            tasks.spawn(async move {
                let mut new = NewFile::at(path(&format!("f/{number}")));
                if number % 3 == 0 {
                    new.expect.matches = Some(Tags::Any);
                }
                let put = world.try_put(new, &number.to_string()).await;
                (number, put)
            });
        }
        for (number, put) in tasks.join_all().await {
            if number % 3 == 0 {
                assert!(matches!(put, Err(Error::Precondition)), "{number}: {put:?}");
                continue;
            }
            put.unwrap();
            let content = world.read(&format!("f/{number}")).await;
            assert_eq!(content, Some(number.to_string()));
        }
        assert_eq!((world.on_disk(), world.usage().await.0), (32, 32));
    })
    .await;
}

#[tokio::test]
async fn every_content_that_was_replaced_at_once_stays_as_a_version() {
    on_both(|database| async move {
        let mut world = World::open(&database).await;
        world
            .change(BucketChange {
                versions: Some(true),
                ..BucketChange::default()
            })
            .await;
        let world = Arc::new(world);
        let mut tasks = JoinSet::new();
        for number in 0..24 {
            let world = Arc::clone(&world);
            tasks.spawn(async move { world.put(&format!("f/{}", number % 2), "x").await.id });
        }
        let put: HashSet<_> = tasks.join_all().await.into_iter().collect();
        let past = world
            .files
            .past(&world.bucket, Heap::Versions, "", None, 100);
        let past = past.await.unwrap();
        assert_eq!(past.len(), 22);
        assert!(past.iter().all(|past| put.contains(&past.file.id)));
        assert_eq!((world.on_disk(), world.usage().await), (24, (24, 24)));
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_is_gone_takes_none_of_many() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let gone = world.make("gone").await;
        let mut begun = Vec::new();
        for number in 0..8 {
            let new = NewFile::at(path(&number.to_string()));
            let mut incoming = world.files.put(&gone, writer("anna"), new).await.unwrap();
            incoming.write(Bytes::from_static(b"x")).await.unwrap();
            begun.push(incoming);
        }
        let doer = access::Doer::host();
        world.files.delete_bucket(&doer, &gone).await.unwrap();
        let mut tasks = JoinSet::new();
        for incoming in begun {
            tasks.spawn(incoming.finish());
        }
        for put in tasks.join_all().await {
            assert!(matches!(put, Err(Error::NoBucket(_))), "{put:?}");
        }
        assert_eq!(world.on_disk(), 0);
        // Who comes to another bucket is taken still.
        world.put("a", "x").await;
        world.close().await;
    })
    .await;
}
