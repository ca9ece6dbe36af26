//! Who watches files misses nothing, and is told when it has.

use crate::world::World;
use access::{Caller, Proof, Role};
use std::time::Duration;
use testing::{on_both, within};
use web::{FileFeed, FileNews, FollowFiles, FollowedFiles, NotFollowed};

fn vera() -> Caller {
    Caller::for_test("vera", Role::Viewer, Proof::Password)
}

async fn follow(world: &World, since: Option<u64>) -> Box<dyn FollowedFiles> {
    let files = FollowFiles {
        bucket: files::DEFAULT_BUCKET,
        prefix: "",
        since,
    };
    world.files.follow(&vera(), files).await.unwrap()
}

/// The next that is worth telling.
async fn next(followed: &mut Box<dyn FollowedFiles>) -> FileNews {
    loop {
        let news = within("something to happen", followed.next())
            .await
            .unwrap();
        if news.missed || !news.events.is_empty() {
            return news;
        }
    }
}

fn paths(news: &FileNews) -> Vec<&str> {
    let events = news.events.iter();
    events.map(|(_, event)| event.path.as_str()).collect()
}

#[tokio::test]
async fn what_was_forgotten_is_said_to_be_missed() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let mut first = follow(&world, None).await;
        world.put("seen", "x").await;
        assert_eq!(paths(&next(&mut first).await), ["seen"]);
        let since = first.position();
        drop(first);
        // Nobody watches: they have no numbers when they are forgotten.
        for path in ["a", "b", "c"] {
            world.put(path, "x").await;
        }
        world.clock.advance(Duration::from_secs(25 * 3600));
        world.files.forget_changes().await.unwrap();
        world.put("later", "x").await;

        let mut again = follow(&world, Some(since)).await;
        let news = next(&mut again).await;
        assert!(news.missed && news.events.is_empty());
        let mut after = follow(&world, Some(again.position())).await;
        for followed in [&mut again, &mut after] {
            let news = next(followed).await;
            assert!(!news.missed);
            assert_eq!(paths(&news), ["later"]);
        }
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn many_who_write_at_once_are_all_told_of_once() {
    on_both(|database| async move {
        let world = std::sync::Arc::new(World::open(&database).await);
        let mut followed = follow(&world, None).await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let world = std::sync::Arc::clone(&world);
            writers.spawn(async move {
                for number in 0..25 {
                    world.put(&format!("{writer}/{number}"), "x").await;
                }
            });
        }
        let mut told = Vec::new();
        let mut number = followed.position();
        while told.len() < 100 {
            for (changed, event) in next(&mut followed).await.events {
                assert!(changed > number, "in order");
                number = changed;
                told.push(event.path);
            }
        }
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        for writer in 0..4 {
            let mine: Vec<&String> = told
                .iter()
                .filter(|path| path.starts_with(&format!("{writer}/")))
                .collect();
            let expected: Vec<String> = (0..25).map(|at| format!("{writer}/{at}")).collect();
            assert_eq!(mine, expected.iter().collect::<Vec<_>>());
        }
        let world = std::sync::Arc::into_inner(world).unwrap();
        drop(followed);
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_without_the_scope_follows_nothing() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let proof = Proof::Token {
            id: base::TokenId::new(),
            name: "ci".to_owned(),
            scopes: vec![access::Scope::OperationsRead],
        };
        let caller = Caller::for_test("vera", Role::Admin, proof);
        let files = FollowFiles {
            bucket: files::DEFAULT_BUCKET,
            prefix: "",
            since: None,
        };
        let refused = world.files.follow(&caller, files).await.err().unwrap();
        assert!(matches!(refused, NotFollowed::NotFound(_)));
        world.close().await;
    })
    .await;
}
