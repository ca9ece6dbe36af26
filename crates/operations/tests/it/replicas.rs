//! Several replicas on one Postgres: they share the work, and wait for each other where
//! they must.

use crate::world::{
    LIMIT, Latest, Plain, Resumable, Wide, Work, World, on_replicated, quick, stored_state, unaware,
};
use base::OperationId;
use operations::{EngineSettings, Kind, State};
use std::sync::atomic::Ordering;
use std::time::Duration;
use testing::TestDatabase;

/// Two replicas that do the same work.
struct Pair {
    one: World,
    two: World,
}

impl Pair {
    async fn on(database: &TestDatabase) -> Self {
        let one = World::with(database, quick()).await;
        let two = one.beside(database, quick()).await;
        Self { one, two }
    }

    /// Has six operations wait under `key`, asked for at both in turn.
    async fn submit_six<K: Kind<Input = Work>>(&self, key: &str) -> Vec<OperationId> {
        let mut ids = Vec::new();
        for number in 0..6 {
            let world = if number % 2 == 0 {
                &self.one
            } else {
                &self.two
            };
            let work = Work::Wait(format!("{number}"));
            ids.push(world.submit_with::<K>(work, |new| new.key(key)).await);
        }
        ids
    }

    async fn let_all_through(&self, ids: Vec<OperationId>) {
        self.one.script.gate.0.add_permits(ids.len());
        for id in ids {
            assert_eq!(self.two.ended(id).await.state, State::Succeeded);
        }
    }
}

#[tokio::test]
async fn replicas_share_the_work_and_never_do_one_operation_twice() {
    on_replicated(|database| async move {
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
    on_replicated(|database| async move {
        let pair = Pair::on(&database).await;
        let ids = pair.submit_six::<Plain>("").await;
        pair.one.script.has_begun(2).await;
        pair.let_all_through(ids).await;
        assert_eq!(pair.one.script.most.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_holds_over_all_replicas_and_keeps_the_order() {
    on_replicated(|database| async move {
        let pair = Pair::on(&database).await;
        let ids = pair.submit_six::<Wide>("k").await;
        pair.let_all_through(ids).await;
        assert_eq!(pair.one.script.most.load(Ordering::SeqCst), 1);
        let order = pair.one.script.order.lock().expect("not poisoned").clone();
        assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
    })
    .await;
}

#[tokio::test]
async fn a_cancel_reaches_the_replica_that_runs_it() {
    on_replicated(|database| async move {
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
async fn of_two_that_replace_what_waits_at_once_one_is_left() {
    on_replicated(|database| async move {
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
    on_replicated(|database| async move {
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
        assert_eq!(stored_state(&other, id).await, "queued");
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_waits_for_the_counter_holds_no_row_that_a_cancel_needs() {
    on_replicated(|database| async move {
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
