//! What survives: the end of a process, asked for or not; several replicas.

use crate::world::{Plain, Resumable, Wide, Work, World, quick};
use operations::{EngineSettings, State};
use std::sync::atomic::Ordering;
use std::time::Duration;
use testing::on_both;

#[tokio::test]
async fn a_stopped_server_goes_on_where_a_resumable_operation_was() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let resumable = world.submit::<Resumable>(Work::Count { to: 4 }).await;
        world.script.gate.0.add_permits(1);
        world
            .until(resumable, |operation| {
                operation
                    .progress
                    .as_ref()
                    .is_some_and(|progress| progress.done == 2)
            })
            .await;
        // After the permit was used: it would take it, too.
        let lasting = world.submit::<Plain>(Work::Wait("lasting".into())).await;
        world.reaches(lasting, State::Running).await;
        world.stop(Duration::ZERO).await;

        let world = World::on(&database).await;
        let ended = world.ended(lasting).await;
        assert_eq!(ended.state, State::Interrupted);
        world.script.gate.0.add_permits(10);
        let ended = world.ended(resumable).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 2));
        assert_eq!(
            world.lines(resumable).await,
            ["counted 1", "counted 2", "counted 3", "counted 4"]
        );
    })
    .await;
}

#[tokio::test]
async fn what_waits_at_the_end_runs_at_the_next_start() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let mut waiting = Vec::new();
        for number in 0..5 {
            let work = Work::Wait(format!("{number}"));
            waiting.push(
                world
                    .submit_with::<Resumable>(work, |new| new.key("one"))
                    .await,
            );
        }
        world.reaches(waiting[0], State::Running).await;
        world.stop(Duration::ZERO).await;
        let world = World::on(&database).await;
        world.script.gate.0.add_permits(5);
        for id in waiting {
            assert_eq!(world.ended(id).await.state, State::Succeeded);
        }
        assert_eq!(world.script.begun.load(Ordering::SeqCst), 5);
    })
    .await;
}

#[tokio::test]
async fn replicas_share_the_work_and_never_do_one_operation_twice() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return; // A SQLite file has one process.
        }
        let replicas = [
            World::with(&database, EngineSettings::default()).await,
            World::with(&database, EngineSettings::default()).await,
            World::with(&database, EngineSettings::default()).await,
        ];
        let mut ids = Vec::new();
        for number in 0..60 {
            let world = &replicas[number % 3];
            let work = Work::Say(vec![format!("{number}")]);
            let key = if number % 2 == 0 {
                format!("key {}", number % 6)
            } else {
                String::new()
            };
            ids.push(world.submit_with::<Wide>(work, |new| new.key(key)).await);
        }
        for (number, id) in ids.iter().enumerate() {
            let ended = replicas[(number + 1) % 3].ended(*id).await;
            assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1));
        }
        let begun: usize = replicas
            .iter()
            .map(|world| world.script.begun.load(Ordering::SeqCst))
            .sum();
        assert_eq!(begun, 60);
    })
    .await;
}

#[tokio::test]
async fn a_limit_holds_over_all_replicas() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let one = World::with(&database, EngineSettings::default()).await;
        let two = World::with(&database, EngineSettings::default()).await;
        let mut ids = Vec::new();
        for number in 0..6 {
            let world = if number % 2 == 0 { &one } else { &two };
            ids.push(world.submit::<Plain>(Work::Wait(format!("{number}"))).await);
        }
        for id in &ids {
            one.until(*id, |operation| operation.started_at.is_some())
                .await;
            let running = one.script.running.load(Ordering::SeqCst)
                + two.script.running.load(Ordering::SeqCst);
            assert!(running <= 2, "{running} run at once");
            one.script.gate.0.add_permits(1);
            two.script.gate.0.add_permits(1);
        }
        for id in ids {
            assert_eq!(two.ended(id).await.state, State::Succeeded);
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_worker_is_replaced_and_can_not_write_any_more() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let lost = World::with(&database, quick()).await;
        let id = lost.submit::<Resumable>(Work::Count { to: 3 }).await;
        let forgotten = lost.submit::<Plain>(Work::Wait("forgotten".into())).await;
        lost.until(id, |operation| {
            operation
                .progress
                .as_ref()
                .is_some_and(|progress| progress.done == 1)
        })
        .await;
        lost.reaches(forgotten, State::Running).await;
        // Its connections are gone, and it does not know that it is lost.
        lost.db.close().await;

        let heir = World::with(&database, quick()).await;
        heir.script.gate.0.add_permits(10);
        let ended = heir.ended(id).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 2));
        assert_eq!(
            heir.lines(id).await,
            ["counted 1", "counted 2", "counted 3"]
        );
        assert_eq!(heir.ended(forgotten).await.state, State::Interrupted);
        assert_eq!(heir.script.begun.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test]
async fn a_cancel_reaches_the_replica_that_runs_it() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let runs = World::with(&database, EngineSettings::default()).await;
        let id = runs
            .submit_with::<Plain>(Work::Wait("here".into()), |new| new.here())
            .await;
        runs.reaches(id, State::Running).await;
        let asks = World::with(&database, EngineSettings::default()).await;
        asks.operations
            .cancel(id, &base::Actor::user("ben"))
            .await
            .expect("it runs");
        assert_eq!(asks.ended(id).await.state, State::Cancelled);
    })
    .await;
}
