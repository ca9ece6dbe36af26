//! Schedules.

use crate::world::{LIMIT, Placed, Work, World};
use base::{Actor, Timestamp, Trigger};
use operations::{
    Error, Filter, Missed, NewOperation, NewSchedule, Order, Query, ScheduleChange, State, Timing,
};
use std::sync::atomic::Ordering;
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
            .create_schedule(every_second("tick"), &Actor::user("anna"), &())
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
            .delete_schedule(schedule.id, &())
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

/// Every minute of the two hours before this one, and no minute of this one: what ends
/// before the test begins misses many runs and has none that is due meanwhile.
fn every_minute_lately() -> Timing {
    let hour = |ago: i64| {
        let then = jiff_now() - jiff::SignedDuration::from_hours(ago);
        then.to_zoned(jiff::tz::TimeZone::UTC).hour()
    };
    let cron = format!("* {},{} * * *", hour(2), hour(1));
    Timing::parse(&cron, "UTC").expect("valid")
}

#[tokio::test]
async fn many_missed_runs_are_made_up_once_or_left_out_as_the_schedule_says() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        for (name, missed) in [("makes-up", Missed::RunOnce), ("leaves-out", Missed::Skip)] {
            let new = NewSchedule {
                timing: every_minute_lately(),
                missed,
                ..every_second(name)
            };
            world
                .operations
                .create_schedule(new, &Actor::system(), &())
                .await
                .expect("made");
        }
        // As if Longshore had been down since two hours ago, when both were due first.
        let due = Timestamp::from(jiff_now()).minus(Duration::from_secs(2 * 3600));
        world
            .db
            .execute("UPDATE schedule SET next_run = $1", storage::values![due])
            .await
            .expect("set back");
        world.stop(Duration::ZERO).await;
        let world = World::on(&database).await;
        nothing_due(&world).await;
        assert_eq!(runs(&world, "makes-up").await, 1, "of more than sixty");
        assert_eq!(runs(&world, "leaves-out").await, 0);
        let schedules = world.operations.schedules().await.expect("listed");
        let ran: Vec<&str> = schedules
            .iter()
            .filter(|schedule| schedule.last_operation.is_some())
            .map(|schedule| schedule.name.as_str())
            .collect();
        assert_eq!(ran, ["makes-up"]);
    })
    .await;
}

/// Waits until every schedule that is on has its next run before it: then all of them
/// have been looked at.
async fn nothing_due(world: &World) {
    const SQL: &str =
        "SELECT COUNT(*) AS due FROM schedule WHERE enabled = TRUE AND next_run <= $1";
    let looked = async {
        loop {
            let now = Timestamp::from(jiff_now());
            let row = world.db.one(SQL, storage::values![now]).await;
            let row = row.expect("read").expect("a row");
            if row.get::<u64>("due").expect("a number") == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, looked)
        .await
        .expect("they are looked at in time");
}

/// Makes every schedule due, tells the engine to look, and waits until it has.
async fn all_due(world: &World, round: u64) {
    let due = Timestamp::from(jiff_now()).minus(Duration::from_secs(1));
    world
        .db
        .execute(
            "UPDATE schedule SET next_run = $1 WHERE enabled = TRUE",
            storage::values![due],
        )
        .await
        .expect("set back");
    // One that is made has the engine look.
    let off = NewSchedule {
        enabled: false,
        ..yearly(&format!("off-{round}"))
    };
    world
        .operations
        .create_schedule(off, &Actor::system(), &())
        .await
        .expect("made");
    nothing_due(world).await;
}

fn yearly(name: &str) -> NewSchedule {
    NewSchedule {
        timing: Timing::parse("0 4 1 1 *", "UTC").expect("valid"),
        ..every_second(name)
    }
}

/// How often the schedule of this name has run, by the operations that there are.
async fn runs(world: &World, name: &str) -> usize {
    let query = Query {
        filter: Filter {
            actor: Some(format!("schedule:{name}")),
            ..Filter::default()
        },
        limit: 50,
        ..Query::default()
    };
    let page = world.operations.list(&query).await.expect("listed");
    page.operations.len()
}

#[tokio::test]
async fn runs_do_not_pile_up_while_one_still_waits() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let slow = NewSchedule {
            input: serde_json::to_value(Work::Wait("slow".into())).expect("JSON"),
            ..yearly("slow")
        };
        world
            .operations
            .create_schedule(slow, &Actor::system(), &())
            .await
            .expect("made");
        all_due(&world, 1).await;
        world.script.has_begun(1).await;
        // The second waits for the first, and all others are left out.
        for round in 2..=5 {
            all_due(&world, round).await;
        }
        assert_eq!(runs(&world, "slow").await, 2);
        world.script.gate.0.add_permits(1);
        world.script.has_begun(2).await;
        all_due(&world, 6).await;
        assert_eq!(runs(&world, "slow").await, 3);
        world.script.gate.0.add_permits(2);
    })
    .await;
}

#[tokio::test]
async fn a_run_has_the_key_and_the_subject_of_its_kind() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let work = Work::Wait("media".into());
        let in_its_place = |new: NewOperation| new.key("place:media").subject("subject:media");
        let by_hand = world
            .submit_with::<Placed>(work.clone(), in_its_place)
            .await;
        world.script.has_begun(1).await;
        let waiting = world
            .submit_with::<Placed>(work.clone(), in_its_place)
            .await;
        let nightly = NewSchedule {
            kind: "placed".to_owned(),
            input: serde_json::to_value(work).expect("JSON"),
            ..yearly("nightly")
        };
        world
            .operations
            .create_schedule(nightly, &Actor::system(), &())
            .await
            .expect("made");
        // What others wait for keeps no run away, and one that waits itself does.
        all_due(&world, 1).await;
        all_due(&world, 2).await;
        let query = Query {
            filter: Filter {
                subject: Some("subject:media".into()),
                ..Filter::default()
            },
            order: Order::Asc,
            limit: 10,
            ..Query::default()
        };
        let page = world.operations.list(&query).await.expect("listed");
        let [first, second, run] = &page.operations[..] else {
            panic!("{:?}", page.operations);
        };
        assert_eq!((first.id, second.id), (by_hand, waiting));
        assert_eq!(run.actor.as_str(), "schedule:nightly");
        assert_eq!(run.key.as_deref(), Some("place:media"));
        // One after the other, whoever has set them off.
        for id in [by_hand, waiting, run.id] {
            world.reaches(id, State::Running).await;
            world.script.gate.0.add_permits(1);
            world.ended(id).await;
        }
        assert_eq!(world.script.most.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test]
async fn schedules_that_cannot_run_keep_no_other_from_running() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        for name in ["a-cron", "b-input", "c-policy", "d-kind", "e-good"] {
            world
                .operations
                .create_schedule(yearly(name), &Actor::system(), &())
                .await
                .expect("made");
        }
        for spoil in [
            "UPDATE schedule SET cron = 'never' WHERE name = 'a-cron'",
            "UPDATE schedule SET input = '{' WHERE name = 'b-input'",
            "UPDATE schedule SET missed = 'perhaps' WHERE name = 'c-policy'",
            "UPDATE schedule SET kind = 'brew-coffee' WHERE name = 'd-kind'",
        ] {
            let spoiled = world.db.execute(spoil, storage::values![]).await;
            assert_eq!(spoiled.expect("done"), 1);
        }
        // And none of them stays due: that would have it tried again without a pause.
        all_due(&world, 1).await;
        assert_eq!(runs(&world, "e-good").await, 1);
        for name in ["a-cron", "b-input", "c-policy", "d-kind"] {
            assert_eq!(runs(&world, name).await, 0, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn people_schedule_only_what_is_meant_for_it_and_only_so_much() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let anna = Actor::user("anna");
        let not_meant = NewSchedule {
            kind: "wide".to_owned(),
            ..yearly("wide")
        };
        assert!(matches!(
            world.operations.create_schedule(not_meant.clone(), &anna, &()).await,
            Err(Error::NotSchedulable(_))
        ));
        // The program itself may, and people say no more than when.
        world
            .operations
            .ensure_schedule(not_meant.clone())
            .await
            .expect("made");
        world
            .operations
            .ensure_schedule(not_meant.clone())
            .await
            .expect("there already");
        let schedules = world.operations.schedules().await.expect("listed");
        assert_eq!(schedules.len(), 1);
        let own = schedules[0].id;
        let change = |change| world.operations.change_schedule(own, change, &());
        let off = ScheduleChange {
            timing: Some(Timing::parse("0 5 * * *", "UTC").expect("a time")),
            input: Some(schedules[0].input.clone()),
            enabled: Some(false),
            ..ScheduleChange::default()
        };
        let changed = change(off).await.expect("changed");
        assert_eq!((changed.cron.as_str(), changed.enabled), ("0 5 * * *", false));
        let other = ScheduleChange {
            input: Some(serde_json::json!({ "other": true })),
            ..ScheduleChange::default()
        };
        assert!(matches!(change(other).await, Err(Error::NotSchedulable(_))));
        // It stays so when the program starts again.
        let again = world.operations.ensure_schedule(not_meant).await;
        again.expect("there already");
        let kept = world.operations.schedule(own).await.expect("there");
        assert_eq!((kept.cron.as_str(), kept.enabled), ("0 5 * * *", false));
        let mut tx = world.db.begin().await.expect("begun");
        for number in 1..1000_u64 {
            let id = uuid::Uuid::now_v7();
            let sql = "INSERT INTO schedule (id, name, kind, title, input, cron, zone, missed, enabled, created_by, created_at)
                VALUES ($1, $2, 'plain', '', '{}', '0 4 1 1 *', 'UTC', 'skip', FALSE, 'system', 0)";
            tx.execute(sql, storage::values![id, format!("s{number}")])
                .await
                .expect("made");
        }
        tx.commit().await.expect("committed");
        assert!(matches!(
            world.operations.create_schedule(yearly("too-many"), &anna, &()).await,
            Err(Error::TooManySchedules(1000))
        ));
    })
    .await;
}

pub(crate) fn jiff_now() -> jiff::Timestamp {
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
            world.operations.create_schedule(unknown, &anna, &()).await,
            Err(Error::UnknownKind(_))
        ));
        let unfit = NewSchedule {
            input: serde_json::json!({"a": 1}),
            ..every_second("a")
        };
        assert!(matches!(
            world.operations.create_schedule(unfit, &anna, &()).await,
            Err(Error::Input { .. })
        ));
        let yearly = NewSchedule {
            timing: Timing::parse("0 4 1 1 *", "UTC").expect("valid"),
            ..every_second("a")
        };
        let made = world
            .operations
            .create_schedule(yearly.clone(), &anna, &())
            .await
            .expect("made");
        assert!(matches!(
            world.operations.create_schedule(yearly, &anna, &()).await,
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
                &(),
            )
            .await
            .expect("changed");
        assert!(!changed.enabled && changed.next_runs.is_empty());
        world
            .operations
            .delete_schedule(made.id, &())
            .await
            .expect("deleted");
        assert!(matches!(
            world.operations.schedule(made.id).await,
            Err(Error::NoSchedule)
        ));
    })
    .await;
}
