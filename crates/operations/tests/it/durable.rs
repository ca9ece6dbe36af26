//! What survives: the end of a process, asked for or not; several replicas.

use crate::world::{LIMIT, Latest, Plain, Resumable, Wide, Work, World, quick, unaware};
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
        let one = World::with(&database, quick()).await;
        let two = one.beside(&database, quick()).await;
        let mut ids = Vec::new();
        for number in 0..6 {
            let world = if number % 2 == 0 { &one } else { &two };
            ids.push(world.submit::<Plain>(Work::Wait(format!("{number}"))).await);
        }
        one.script.has_begun(2).await;
        one.script.gate.0.add_permits(6);
        for id in ids {
            assert_eq!(two.ended(id).await.state, State::Succeeded);
        }
        assert_eq!(one.script.most.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_holds_over_all_replicas_and_keeps_the_order() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let one = World::with(&database, quick()).await;
        let two = one.beside(&database, quick()).await;
        let mut ids = Vec::new();
        for number in 0..6 {
            let world = if number % 2 == 0 { &one } else { &two };
            let work = Work::Wait(format!("{number}"));
            ids.push(world.submit_with::<Wide>(work, |new| new.key("k")).await);
        }
        one.script.gate.0.add_permits(6);
        for id in ids {
            assert_eq!(two.ended(id).await.state, State::Succeeded);
        }
        assert_eq!(one.script.most.load(Ordering::SeqCst), 1);
        let order = one.script.order.lock().expect("not poisoned").clone();
        assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
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
async fn a_cancel_reaches_the_replica_that_runs_it() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        // No heartbeat will tell it.
        let runs = World::with(&database, unaware()).await;
        let id = runs
            .submit_with::<Plain>(Work::Wait("here".into()), |new| new.here())
            .await;
        runs.script.has_begun(1).await;
        let asks = World::with(&database, unaware()).await;
        asks.operations
            .cancel(id, &base::Actor::user("ben"))
            .await
            .expect("it runs");
        assert_eq!(asks.ended(id).await.state, State::Cancelled);
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
        for (id, state) in [(runs, "interrupted"), (waits, "cancelled")] {
            let row = db
                .one(
                    "SELECT state FROM operation WHERE id = $1",
                    storage::values![id.uuid()],
                )
                .await
                .expect("an answer")
                .expect("it is there");
            assert_eq!(row.get::<String>("state").expect("a text"), state);
        }
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_that_replace_what_waits_at_once_one_is_left() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return; // One writer.
        }
        let world = World::with(&database, unaware()).await;
        let submit = |name: &str| {
            let work = Work::Wait(name.to_owned());
            world.submit_with::<Latest>(work, |new| new.key("stack:web"))
        };
        let first = submit("first").await;
        world.script.has_begun(1).await;
        let mut tx = world.db.begin().await.expect("begun");
        hold_the_counter(&mut tx).await;
        let both = async { tokio::join!(submit("second"), submit("third")) };
        let let_go = async {
            world.until_row(first, TWO_WAIT_FOR_THE_COUNTER).await;
            tx.commit().await.expect("committed");
        };
        let ((second, third), ()) = tokio::join!(both, let_go);
        world.script.gate.0.add_permits(2);
        world.ended(first).await;
        let mut states = [
            world.ended(second).await.state,
            world.ended(third).await.state,
        ];
        states.sort_by_key(|state| *state == State::Succeeded);
        assert_eq!(states, [State::Cancelled, State::Succeeded]);
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_under_way_when_the_engine_stops_is_not_left_running() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return; // Nobody sees there who waits for whom.
        }
        let world = World::with(&database, unaware()).await;
        let id = world
            .submit_with::<Resumable>(Work::Wait("late".into()), |new| {
                new.run_at(world.operations.now().plus(LIMIT * 100))
            })
            .await;
        let other = database.open().await;
        let mut tx = other.begin().await.expect("begun");
        hold_the_counter(&mut tx).await;
        world.tamper(id, "run_at = 0").await;
        world.until_row(id, ONE_WAITS_FOR_THE_COUNTER).await;
        let stop = world.stop(Duration::ZERO);
        let let_go = async {
            tokio::task::yield_now().await;
            tx.commit().await.expect("committed");
        };
        tokio::join!(stop, let_go);
        let row = other
            .one(
                "SELECT state FROM operation WHERE id = $1",
                storage::values![id.uuid()],
            )
            .await
            .expect("an answer")
            .expect("it is there");
        assert_eq!(row.get::<String>("state").expect("a text"), "queued");
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_waits_for_the_counter_holds_no_row_that_a_cancel_needs() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let world = World::with(&database, unaware()).await;
        let id = world
            .submit_with::<Plain>(Work::Say(vec![]), |new| {
                new.run_at(world.operations.now().plus(LIMIT * 100))
            })
            .await;
        let mut tx = world.db.begin().await.expect("begun");
        hold_the_counter(&mut tx).await;
        world.tamper(id, "run_at = 0").await;
        world.until_row(id, ONE_WAITS_FOR_THE_COUNTER).await;
        // What a cancel does next.
        let row = tx
            .one(
                "SELECT id FROM operation WHERE id = $1 FOR UPDATE NOWAIT",
                storage::values![id.uuid()],
            )
            .await;
        assert!(row.expect("nobody holds it").is_some());
        tx.commit().await.expect("committed");
        assert_eq!(world.ended(id).await.state, State::Succeeded);
    })
    .await;
}

/// As everybody does who changes a state.
async fn hold_the_counter(tx: &mut storage::Tx) {
    tx.execute(
        "UPDATE counter SET value = value WHERE name = 'operation_changed'",
        vec![],
    )
    .await
    .expect("held");
}

const ONE_WAITS_FOR_THE_COUNTER: &str = "SELECT 1 AS one WHERE $1::uuid IS NOT NULL
    AND (SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
         AND wait_event_type = 'Lock' AND query LIKE 'UPDATE counter%') = 1";
const TWO_WAIT_FOR_THE_COUNTER: &str = "SELECT 1 AS one WHERE $1::uuid IS NOT NULL
    AND (SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
         AND wait_event_type = 'Lock' AND query LIKE 'UPDATE counter%') = 2";
