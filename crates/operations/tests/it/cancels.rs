//! Asking for the end: of what waits, of what runs, and of what it started.

use crate::world::{LIMIT, Plain, Retried, Wide, Work, World, on_replicated, unaware};
use base::Actor;
use operations::{Error, State};
use std::sync::atomic::Ordering;
use testing::on_both;

#[tokio::test]
async fn a_waiting_operation_is_cancelled_at_once_and_never_runs() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let holder = world
            .submit_with::<Wide>(Work::Wait("holder".into()), |new| new.key("k"))
            .await;
        world.reaches(holder, State::Running).await;
        let waiting = world
            .submit_with::<Wide>(Work::Wait("waiting".into()), |new| new.key("k"))
            .await;
        let cancelled = world
            .operations
            .cancel(waiting, &Actor::user("ben"))
            .await
            .expect("it waits");
        assert_eq!(cancelled.state, State::Cancelled);
        assert_eq!(
            cancelled.error.expect("why").message,
            "cancelled by user:ben"
        );
        world.script.gate.0.add_permits(1);
        world.ended(holder).await;
        assert_eq!(world.script.begun.load(Ordering::SeqCst), 1);
        let again = world.operations.cancel(waiting, &Actor::user("ben")).await;
        assert!(matches!(
            again,
            Err(Error::State {
                state: State::Cancelled,
                ..
            })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_running_operation_is_cancelled_even_if_it_does_not_listen() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        for work in [Work::Wait("polite".into()), Work::Stubborn] {
            let id = world.submit::<Plain>(work).await;
            world.reaches(id, State::Running).await;
            world
                .operations
                .cancel(id, &Actor::user("ben"))
                .await
                .expect("it runs");
            let ended = world.ended(id).await;
            assert_eq!(ended.state, State::Cancelled);
            assert_eq!(ended.error.expect("why").message, "cancelled by user:ben");
            let reasons = world.reasons(id).await;
            assert_eq!(reasons[2..], ["cancelled by user:ben"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_parent_takes_its_children_with_it() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let parent = world.submit::<Wide>(Work::Parent(3)).await;
        let children = world.children(parent, 3).await;
        world
            .operations
            .cancel(parent, &Actor::user("ben"))
            .await
            .expect("it runs");
        assert_eq!(world.ended(parent).await.state, State::Cancelled);
        for child in children {
            assert_eq!(world.ended(child.id).await.state, State::Cancelled);
            assert_eq!(child.parent, Some(parent));
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_parent_that_waits_for_its_next_attempt_takes_its_children_with_it() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let parent = world.submit::<Retried>(Work::LeaveChild).await;
        let waits = |operation: &operations::Operation| {
            operation.state == State::Queued && operation.attempt == 1
        };
        world.until(parent, waits).await;
        let child = world.children(parent, 1).await.remove(0);
        world
            .operations
            .cancel(parent, &Actor::user("ben"))
            .await
            .expect("it waits");
        let ended = world.ended(child.id).await;
        assert_eq!(ended.state, State::Cancelled);
        assert_eq!(
            ended.error.expect("why").message,
            "cancelled with the operation that started it"
        );
    })
    .await;
}

#[tokio::test]
async fn children_whose_parent_ended_with_nobody_left_to_ask_are_cancelled() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let parent = world.submit::<Wide>(Work::Parent(3)).await;
        let children = world.children(parent, 3).await;
        // As if its process had died right after it recorded the end.
        world
            .tamper(parent, "state = 'failed', ended_at = 1, worker = ''")
            .await;
        for child in children {
            assert_eq!(world.ended(child.id).await.state, State::Cancelled);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancel_that_comes_while_an_attempt_ends_is_heeded() {
    on_both(|database| async move {
        let settings = operations::EngineSettings {
            alone: database.postgres_url().is_none(),
            ..unaware()
        };
        let world = World::with(&database, settings).await;
        let id = world.submit::<Retried>(Work::FailAtGate).await;
        world.script.has_begun(1).await;
        // Its attempt does not hear of it.
        world
            .tamper(
                id,
                "cancel_requested = TRUE, cancel_reason = 'cancelled by user:ben'",
            )
            .await;
        world.script.gate.0.add_permits(1);
        let ended = world.ended(id).await;
        assert_eq!((ended.state, ended.attempt), (State::Cancelled, 1));
        assert_eq!(ended.error.expect("why").message, "cancelled by user:ben");
    })
    .await;
}

#[tokio::test]
async fn a_cancel_between_the_claim_and_the_start_is_heeded() {
    on_replicated(|database| async move {
        let world = World::with(&database, unaware()).await;
        let id = world
            .submit_with::<Plain>(Work::Wait("claimed".into()), |new| {
                new.run_at(world.operations.now().plus(LIMIT * 100))
            })
            .await;
        let mut tx = world.db.begin().await.expect("begun");
        // It is claimed, and stands before its input.
        tx.execute(
            "LOCK TABLE operation_input IN ACCESS EXCLUSIVE MODE",
            vec![],
        )
        .await
        .expect("held");
        world.tamper(id, "run_at = 0").await;
        let running = "SELECT id FROM operation WHERE id = $1 AND state = 'running'";
        world.until_row(id, running).await;
        // As if nobody had been found to tell.
        world
            .tamper(
                id,
                "cancel_requested = TRUE, cancel_reason = 'cancelled by user:ben'",
            )
            .await;
        tx.commit().await.expect("committed");
        assert_eq!(world.ended(id).await.state, State::Cancelled);
    })
    .await;
}
