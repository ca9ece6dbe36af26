//! What is kept of ended operations, and what goes.

use crate::schedules::jiff_now;
use crate::world::{Plain, Work, World};
use base::{Actor, Timestamp, Trigger};
use operations::{Error, Filter, Kind, Query};
use std::time::Duration;
use testing::on_both;

async fn swept(world: &World) -> u64 {
    let new = operations::NewOperation::of::<operations::Retention>(
        &operations::RetentionInput {},
        Actor::system(),
        Trigger::System,
    )
    .expect("an input");
    let sweep = world.operations.submit(new).await.expect("accepted");
    let ended = world.ended(sweep).await;
    let outcome = ended.outcome.expect("it succeeded");
    outcome["removed"].as_u64().expect("a number")
}

async fn is_there(world: &World, id: base::OperationId) -> bool {
    world.operations.get(id).await.is_ok()
}

#[tokio::test]
async fn old_records_are_removed_by_age_with_their_logs_and_also_of_unknown_kinds() {
    on_both(|database| async move {
        let keep = operations::Retained {
            age: Duration::from_secs(3600),
            ..operations::Retained::default()
        };
        let settings = operations::EngineSettings {
            alone: database.postgres_url().is_none(),
            ..crate::world::quick()
        };
        let world = World::with_kinds(&database, settings, |mut kinds| {
            kinds.configure(Plain::NAME, |settings| {
                *settings = settings.clone().keep(keep);
            });
            kinds.keep_of_unknown(keep)
        })
        .await;
        let mut made = Vec::new();
        for _ in 0..4 {
            let id = world.submit::<Plain>(Work::Lines(1)).await;
            world.ended(id).await;
            made.push(id);
        }
        let [old, young, unknown, waiting] = made[..] else {
            panic!("four were made");
        };
        let long_ago = Timestamp::from(jiff_now()).minus(Duration::from_secs(7200));
        for (sql, id) in [
            // It says that its log is large: then that goes first, some rows at a time.
            ("UPDATE operation SET ended_at = $2, log_bytes = 1000000000 WHERE id = $1", old),
            ("UPDATE operation SET ended_at = $2, kind = 'of-yesterday' WHERE id = $1", unknown),
            ("UPDATE operation SET created_at = $2 WHERE id = $1", young),
            ("UPDATE operation SET created_at = $2, ended_at = NULL WHERE id = $1", waiting),
        ] {
            let changed = world.db.execute(sql, storage::values![id.uuid(), long_ago]).await;
            assert_eq!(changed.expect("set back"), 1);
        }
        assert_eq!(swept(&world).await, 2);
        assert!(!is_there(&world, old).await && !is_there(&world, unknown).await);
        assert!(is_there(&world, young).await && is_there(&world, waiting).await);
        let left = world
            .db
            .one("SELECT COUNT(DISTINCT operation) AS logs FROM operation_log WHERE operation IN ($1, $2)",
                storage::values![old.uuid(), unknown.uuid()])
            .await
            .expect("read");
        assert_eq!(left.expect("a row").get::<u64>("logs").expect("a number"), 0);
        assert_eq!(swept(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn old_records_are_removed_by_count_and_the_newest_stay() {
    on_both(|database| async move {
        let settings = operations::EngineSettings {
            alone: database.postgres_url().is_none(),
            ..crate::world::quick()
        };
        let world = World::with_kinds(&database, settings, |mut kinds| {
            kinds.configure(Plain::NAME, |settings| {
                *settings = settings.clone().keep(operations::Retained {
                    age: Duration::from_secs(3600),
                    count: 3,
                });
            });
            kinds
        })
        .await;
        let mut made = Vec::new();
        for number in 0..8 {
            let id = world.submit::<Plain>(Work::Lines(number + 1)).await;
            world.ended(id).await;
            made.push(id);
        }
        assert_eq!(swept(&world).await, 5);
        let left = world
            .operations
            .list(&Query {
                filter: Filter {
                    kind: Some("plain".into()),
                    ..Filter::default()
                },
                limit: 50,
                ..Query::default()
            })
            .await
            .expect("listed");
        let left: Vec<_> = left
            .operations
            .iter()
            .rev()
            .map(|operation| operation.id)
            .collect();
        assert_eq!(left, made[5..]);
        assert!(matches!(
            world.operations.log(made[0], 1, 10).await,
            Err(Error::NoOperation(_))
        ));
    })
    .await;
}
