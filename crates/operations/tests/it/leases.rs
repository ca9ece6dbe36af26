//! Leases: kept, lost, taken up; and who lost one writes nothing any more.

use crate::world::{Plain, Resumable, Wide, Work, World, on_replicated, quick, unaware};
use base::OperationId;
use operations::{EngineSettings, State};
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::values;
use testing::{TestDatabase, on_both};

/// A lease that a test can wait for the end of. Only where that is what it is about.
fn short() -> EngineSettings {
    EngineSettings {
        lease: Duration::from_secs(2),
        heartbeat: Duration::from_millis(100),
        patience: Duration::from_millis(100),
        ..quick()
    }
}

#[tokio::test]
async fn what_a_worker_holds_and_does_not_run_is_taken_up_again() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let known = world.submit::<Wide>(Work::Wait("known".into())).await;
        world.script.has_begun(1).await;
        let far = world.operations.now().plus(Duration::from_secs(86_400));
        let say = || Work::Say(vec!["said".into()]);
        let goes_on = world
            .submit_with::<Resumable>(say(), |new| new.run_at(far))
            .await;
        let never_resumed = world.submit_with::<Plain>(say(), |new| new.run_at(far)).await;
        // As if the answer to the claim had been lost. Nothing of them was begun, so
        // that they wait again is no repetition.
        for id in [goes_on, never_resumed] {
            world
                .tamper(
                    id,
                    "state = 'running', attempt = 1, lease_until = 9000000000000000,
                     worker = (SELECT o.worker FROM operation o WHERE o.state = 'running' AND o.kind = 'wide')",
                )
                .await;
        }
        let ended = world.ended(goes_on).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 2));
        let ended = world.ended(never_resumed).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 2));
        world.script.gate.0.add_permits(1);
        assert_eq!(world.ended(known).await.attempt, 1);
    })
    .await;
}

#[tokio::test]
async fn only_losses_count_against_being_taken_up_again() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let far = world.operations.now().plus(Duration::from_secs(86_400));
        let say = || Work::Say(vec!["said".into()]);
        let often_stopped = world
            .submit_with::<Resumable>(say(), |new| new.run_at(far))
            .await;
        let often_lost = world
            .submit_with::<Resumable>(say(), |new| new.run_at(far))
            .await;
        let gone = "state = 'running', worker = 'gone', lease_until = 1";
        world
            .tamper(often_stopped, &format!("{gone}, attempt = 20"))
            .await;
        world
            .tamper(often_lost, &format!("{gone}, attempt = 20, losses = 5"))
            .await;
        assert_eq!(world.ended(often_stopped).await.state, State::Succeeded);
        let ended = world.ended(often_lost).await;
        assert_eq!(ended.state, State::Interrupted);
        assert!(ended.error.expect("why").message.contains("too often"));
    })
    .await;
}

#[tokio::test]
async fn a_lost_worker_is_replaced_and_can_not_write_any_more() {
    on_replicated(|database| async move {
        let lost = World::with(&database, unaware()).await;
        let writes = lost.submit::<Resumable>(Work::Defy).await;
        let ends = lost.submit::<Resumable>(Work::Wait("ends".into())).await;
        lost.script.has_begun(2).await;
        for id in [writes, ends] {
            lost.tamper(id, "lease_until = 1").await;
        }
        let heir = World::with(&database, quick()).await;
        // The lost one hears that they wait again, and must not claim them beside
        // its own attempts.
        heir.script.has_begun(2).await;
        lost.script.gate.0.add_permits(2);
        lost.script.is_idle().await;
        for id in [writes, ends] {
            let operation = heir.operations.get(id).await.expect("it is there");
            assert_eq!((operation.state, operation.attempt), (State::Running, 2));
            assert_eq!((operation.last_seq, operation.progress), (0, None));
            heir.operations
                .cancel(id, &base::Actor::user("ben"))
                .await
                .expect("it runs");
            assert_eq!(heir.ended(id).await.state, State::Cancelled);
            let states: Vec<State> = heir
                .operations
                .transitions(id)
                .await
                .expect("recorded")
                .iter()
                .map(|step| step.state)
                .collect();
            let (queued, running) = (State::Queued, State::Running);
            assert_eq!(states, [queued, running, queued, running, State::Cancelled]);
            let saved = heir
                .db
                .one(
                    "SELECT saved FROM operation_checkpoint WHERE operation = $1",
                    values![id.uuid()],
                )
                .await
                .expect("an answer");
            assert!(saved.is_none());
        }
        assert_eq!(lost.script.begun.load(Ordering::SeqCst), 2);
    })
    .await;
}

/// A process that counts to 2 of 4, saves that, and dies without a word: its tasks are
/// dropped where they stand. Its lease has run out.
fn died_in_the_middle(database: &TestDatabase) -> OperationId {
    let process = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    process.block_on(async {
        let settings = EngineSettings {
            alone: database.postgres_url().is_none(),
            ..unaware()
        };
        let world = World::with(database, settings).await;
        let id = world.submit::<Resumable>(Work::Count { to: 4 }).await;
        world.script.gate.0.add_permits(1);
        world
            .until_row(
                id,
                "SELECT o.id FROM operation o JOIN operation_checkpoint c ON c.operation = o.id
                 WHERE o.id = $1 AND o.log_last = 2 AND c.saved = '2'",
            )
            .await;
        world.tamper(id, "lease_until = 1").await;
        id
    })
}

#[tokio::test]
async fn what_a_dead_worker_saved_is_where_its_heir_goes_on() {
    on_both(|database| async move {
        let id = std::thread::scope(|threads| {
            let dies = threads.spawn(|| died_in_the_middle(&database));
            dies.join().expect("it came to the middle")
        });
        let heir = World::on(&database).await;
        heir.script.gate.0.add_permits(2);
        let ended = heir.ended(id).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 2));
        assert_eq!(
            heir.lines(id).await,
            ["counted 1", "counted 2", "counted 3", "counted 4"]
        );
        let reasons = heir.reasons(id).await;
        let taken_up = "its worker was lost; it is taken up again";
        assert!(
            reasons.iter().any(|reason| reason == taken_up),
            "{reasons:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_keeps_what_runs_longer_than_its_lease() {
    on_replicated(|database| async move {
        let settings = EngineSettings {
            lease: Duration::from_secs(5),
            ..short()
        };
        let runs = World::with(&database, settings.clone()).await;
        let heir = World::with(&database, settings).await;
        let id = runs
            .submit_with::<Wide>(Work::Wait("long".into()), |new| new.here())
            .await;
        runs.script.has_begun(1).await;
        // By the clock that decides.
        runs.until_row(
            id,
            "SELECT id FROM operation WHERE id = $1
             AND {now} > started_at + 6000000 AND lease_until > {now}",
        )
        .await;
        runs.script.gate.0.add_permits(1);
        let ended = heir.ended(id).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1));
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_renewed_stops_in_time_and_goes_on_when_the_database_answers() {
    on_replicated(|database| async move {
        let world = World::with(&database, short()).await;
        let other = database.open().await;
        let ends = world.submit::<Plain>(Work::Wait("ends".into())).await;
        let goes_on = world
            .submit::<Resumable>(Work::Wait("goes on".into()))
            .await;
        world.script.has_begun(2).await;
        // The database does not answer whoever renews, nor refuses.
        let mut tx = other.begin().await.expect("begun");
        for id in [ends, goes_on] {
            tx.execute(
                "SELECT id FROM operation WHERE id = $1 FOR UPDATE",
                values![id.uuid()],
            )
            .await
            .expect("held");
        }
        world.script.is_idle().await;
        drop(tx);
        assert_eq!(world.ended(ends).await.state, State::Interrupted);
        world.script.gate.0.add_permits(1);
        assert_eq!(world.ended(goes_on).await.state, State::Succeeded);
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn alone_nothing_stops_because_its_lease_could_not_be_renewed() {
    on_both(|database| async move {
        if database.postgres_url().is_some() {
            return;
        }
        let settings = EngineSettings {
            alone: true,
            ..short()
        };
        let world = World::with(&database, settings).await;
        let id = world.submit::<Plain>(Work::Wait("goes on".into())).await;
        world.script.has_begun(1).await;
        // For longer than a try to renew takes.
        let tx = world.db.begin().await.expect("the one who writes");
        world
            .until_row(
                id,
                "SELECT id FROM operation WHERE id = $1 AND lease_until + 3000000 < {now}",
            )
            .await;
        drop(tx);
        world.script.gate.0.add_permits(1);
        let ended = world.ended(id).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1));
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_process_that_is_lost_ends_and_for_one_that_lives_does_not() {
    on_replicated(|database| async move {
        let lost = World::with(&database, unaware()).await;
        let pinned = |name: &str| {
            let work = Work::Wait(name.to_owned());
            lost.submit_with::<Wide>(work, |new| new.key("k").here())
        };
        let first = pinned("first").await;
        lost.script.has_begun(1).await;
        let (stranded, waits) = (pinned("stranded").await, pinned("waits").await);
        lost.tamper(stranded, "lease_until = 1").await;
        let heir = World::with(&database, quick()).await;
        let ended = heir.ended(stranded).await;
        assert_eq!(ended.state, State::Cancelled);
        assert_eq!(
            ended.error.expect("why").message,
            "the connection that waited for it is gone"
        );
        lost.script.gate.0.add_permits(2);
        for id in [first, waits] {
            assert_eq!(heir.ended(id).await.state, State::Succeeded);
        }
    })
    .await;
}
