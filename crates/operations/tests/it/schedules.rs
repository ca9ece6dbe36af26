//! Schedules and retention.

use crate::world::{LIMIT, Plain, Work, World};
use base::{Actor, Timestamp, Trigger};
use operations::{Error, Filter, Kind, Missed, NewSchedule, Query, ScheduleChange, State, Timing};
use std::time::Duration;
use testing::on_both;

fn every_second(name: &str) -> NewSchedule {
    NewSchedule {
        name: name.parse().expect("a name"),
        kind: "plain".to_owned(),
        title: "By the clock".to_owned(),
        input: serde_json::to_value(Work::Say(vec!["tick".into()])).expect("JSON"),
        timing: Timing::parse("* * * * * *", "UTC").expect("valid"),
        missed: Missed::RunOnce,
        enabled: true,
    }
}

#[tokio::test]
async fn a_schedule_starts_operations_once_for_all_replicas() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let other = match database.postgres_url() {
            Some(_) => Some(World::on(&database).await),
            None => None,
        };
        let mut changes = world.operations.follow_changes(
            Filter {
                trigger: Some(Trigger::Schedule),
                state: Some(State::Succeeded),
                ..Filter::default()
            },
            None,
        );
        let schedule = world
            .operations
            .create_schedule(every_second("tick"), &Actor::user("anna"))
            .await
            .expect("made");
        assert_eq!(schedule.next_runs.len(), 5);
        let mut seen = Vec::new();
        while seen.len() < 3 {
            let new = tokio::time::timeout(LIMIT, changes.next())
                .await
                .expect("in time")
                .expect("read");
            seen.extend(new.into_iter().map(|change| change.operation.clone()));
        }
        world
            .operations
            .delete_schedule(schedule.id)
            .await
            .expect("deleted");
        for operation in &seen {
            assert_eq!(operation.actor.as_str(), "schedule:tick");
            assert_eq!(operation.title, "By the clock");
        }
        let mut seconds: Vec<i64> = seen
            .iter()
            .map(|operation| operation.created_at.seconds())
            .collect();
        seconds.dedup();
        assert_eq!(seconds.len(), seen.len(), "one run a second: {seconds:?}");
        drop(other);
    })
    .await;
}

#[tokio::test]
async fn a_missed_run_is_made_up_once_or_left_out_as_the_schedule_says() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        for (name, missed) in [("makes-up", Missed::RunOnce), ("leaves-out", Missed::Skip)] {
            let new = NewSchedule {
                timing: Timing::parse("0 0 1 1 *", "UTC").expect("valid"),
                missed,
                ..every_second(name)
            };
            world
                .operations
                .create_schedule(new, &Actor::system())
                .await
                .expect("made");
        }
        // As if Longshore had been down for an hour when both were due.
        let due = Timestamp::from(jiff_now()).minus(Duration::from_secs(3600));
        world
            .db
            .execute("UPDATE schedule SET next_run = $1", storage::values![due])
            .await
            .expect("set back");
        world.stop(Duration::ZERO).await;
        let world = World::on(&database).await;
        let made_up = loop {
            let schedules = world.operations.schedules().await.expect("listed");
            if schedules
                .iter()
                .any(|schedule| schedule.last_operation.is_some())
            {
                break schedules;
            }
            tokio::task::yield_now().await;
        };
        let ran: Vec<&str> = made_up
            .iter()
            .filter(|schedule| schedule.last_operation.is_some())
            .map(|schedule| schedule.name.as_str())
            .collect();
        assert_eq!(ran, ["makes-up"]);
    })
    .await;
}

fn jiff_now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[tokio::test]
async fn a_schedule_is_refused_with_what_is_wrong_and_can_be_changed() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let anna = Actor::user("anna");
        let unknown = NewSchedule {
            kind: "brew-coffee".into(),
            ..every_second("a")
        };
        assert!(matches!(
            world.operations.create_schedule(unknown, &anna).await,
            Err(Error::UnknownKind(_))
        ));
        let unfit = NewSchedule {
            input: serde_json::json!({"a": 1}),
            ..every_second("a")
        };
        assert!(matches!(
            world.operations.create_schedule(unfit, &anna).await,
            Err(Error::Input { .. })
        ));
        let yearly = NewSchedule {
            timing: Timing::parse("0 4 1 1 *", "UTC").expect("valid"),
            ..every_second("a")
        };
        let made = world
            .operations
            .create_schedule(yearly.clone(), &anna)
            .await
            .expect("made");
        assert!(matches!(
            world.operations.create_schedule(yearly, &anna).await,
            Err(Error::ScheduleExists(_))
        ));
        let changed = world
            .operations
            .change_schedule(
                made.id,
                ScheduleChange {
                    enabled: Some(false),
                    ..ScheduleChange::default()
                },
            )
            .await
            .expect("changed");
        assert!(!changed.enabled && changed.next_runs.is_empty());
        world
            .operations
            .delete_schedule(made.id)
            .await
            .expect("deleted");
        assert!(matches!(
            world.operations.schedule(made.id).await,
            Err(Error::NoSchedule)
        ));
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
        let new = operations::NewOperation::of::<operations::Retention>(
            &operations::RetentionInput {},
            Actor::system(),
            Trigger::System,
        )
        .expect("an input");
        let sweep = world.operations.submit(new).await.expect("accepted");
        let ended = world.ended(sweep).await;
        assert_eq!(ended.outcome, Some(serde_json::json!({ "removed": 5 })));
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
