//! What survives the end of a process, asked for or not.

use crate::world::{Plain, Resumable, Wide, Work, World, stored_state};
use operations::State;
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
async fn what_an_interrupted_attempt_said_is_kept() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let chunks = [&b"first\n"[..], b"second\n", b"never\n"].map(<[u8]>::to_vec);
        let id = world
            .submit::<Plain>(Work::ChunksAtGate(chunks.to_vec()))
            .await;
        world.script.gate.0.add_permits(2);
        // A line by itself is no change that is told.
        world
            .until_row(
                id,
                "SELECT id FROM operation WHERE id = $1 AND log_last >= 1",
            )
            .await;
        world.stop(Duration::ZERO).await;
        let world = World::on(&database).await;
        assert_eq!(world.ended(id).await.state, State::Interrupted);
        let lines = world.lines(id).await;
        assert!(
            lines == ["first"] || lines == ["first", "second"],
            "{lines:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_process_ends_with_it() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let pinned = |name: &str| {
            let work = Work::Wait(name.to_owned());
            world.submit_with::<Wide>(work, |new| new.key("k").here())
        };
        let runs = pinned("runs").await;
        world.script.has_begun(1).await;
        let waits = pinned("waits").await;
        world.stop(Duration::ZERO).await;
        // Nobody works here: this only looks.
        let db = database.open().await;
        assert_eq!(stored_state(&db, runs).await, "interrupted");
        assert_eq!(stored_state(&db, waits).await, "cancelled");
        db.close().await;
    })
    .await;
}
