//! Accepted, run, ended: states, limits, keys, retries.

use crate::world::{LIMIT, Latest, Plain, Retried, Wide, Work, World, quick};
use base::Actor;
use operations::{Error, State};
use std::sync::atomic::Ordering;
use std::time::Duration;
use testing::on_both;

#[tokio::test]
async fn an_operation_is_accepted_run_and_recorded() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world
            .submit::<Plain>(Work::Say(vec!["one".into(), "two\nthree".into()]))
            .await;
        let ended = world.ended(id).await;
        assert_eq!(ended.state, State::Succeeded);
        assert_eq!(ended.outcome, Some(serde_json::json!({ "attempt": 1 })));
        assert!(ended.started_at.is_some() && ended.ended_at >= ended.started_at);
        assert_eq!(world.lines(id).await, ["one", "two", "three"]);
        let life = world.operations.transitions(id).await.expect("recorded");
        let states: Vec<State> = life.iter().map(|step| step.state).collect();
        assert_eq!(states, [State::Queued, State::Running, State::Succeeded]);
        assert!(life.windows(2).all(|pair| pair[0].at <= pair[1].at));

        // Of a life that is too long to be shown, the end is.
        const MORE: &str = "INSERT INTO operation_transition (operation, number, at, state, reason)
            WITH RECURSIVE more (number) AS
                (SELECT 1000 UNION ALL SELECT number + 1 FROM more WHERE number < 2199)
            SELECT $1, number, 0, 'queued', CAST(number AS TEXT) FROM more";
        let more = world.db.execute(MORE, storage::values![id.uuid()]).await;
        assert_eq!(more.expect("written"), 1200);
        let life = world.operations.transitions(id).await.expect("recorded");
        let reasons = (&*life[0].reason, &*life[life.len() - 1].reason);
        assert_eq!((life.len(), reasons), (1000, ("1200", "2199")));
    })
    .await;
}

#[tokio::test]
async fn no_more_run_at_once_than_the_kind_allows() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let mut ids = Vec::new();
        for number in 0..7 {
            ids.push(world.submit::<Plain>(Work::Wait(format!("{number}"))).await);
        }
        world.script.has_begun(2).await;
        world.script.gate.0.add_permits(7);
        for id in ids {
            assert_eq!(world.ended(id).await.state, State::Succeeded);
        }
        assert_eq!(world.script.most.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test]
async fn operations_under_one_key_run_one_by_one_in_order() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            let work = Work::Wait(format!("{number}"));
            ids.push(
                world
                    .submit_with::<Wide>(work, |new| new.key("stack:web"))
                    .await,
            );
        }
        for (earlier, id) in ids.into_iter().enumerate() {
            world.script.has_begun(earlier + 1).await;
            assert_eq!(world.script.running.load(Ordering::SeqCst), 1);
            world.script.gate.0.add_permits(1);
            world.ended(id).await;
        }
        assert_eq!(world.script.most.load(Ordering::SeqCst), 1);
        let order = world.script.order.lock().expect("not poisoned").clone();
        assert_eq!(order, ["0", "1", "2", "3", "4"]);
    })
    .await;
}

#[tokio::test]
async fn a_later_one_replaces_one_that_still_waits() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let submit = |name: &str| {
            let work = Work::Wait(name.to_owned());
            world.submit_with::<Latest>(work, |new| new.key("stack:web"))
        };
        let first = submit("first").await;
        world.reaches(first, State::Running).await;
        let second = submit("second").await;
        let third = submit("third").await;
        let replaced = world.ended(second).await;
        assert_eq!(replaced.state, State::Cancelled);
        assert_eq!(
            replaced.error.expect("why").message,
            format!("replaced by {third}")
        );
        world.script.gate.0.add_permits(2);
        assert_eq!(world.ended(first).await.state, State::Succeeded);
        assert_eq!(world.ended(third).await.state, State::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_a_lasting_one_is_not() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let flaky = world.submit::<Retried>(Work::Fail { times: 2 }).await;
        let ended = world.ended(flaky).await;
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 3));
        assert_eq!(ended.error, None, "an error that was overcome is not shown");

        let hopeless = world.submit::<Retried>(Work::Fail { times: 99 }).await;
        let ended = world.ended(hopeless).await;
        assert_eq!((ended.state, ended.attempt), (State::Failed, 3));

        let broken = world.submit::<Retried>(Work::FailForGood).await;
        let ended = world.ended(broken).await;
        assert_eq!((ended.state, ended.attempt), (State::Failed, 1));
        let error = ended.error.expect("why");
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("broken", "It is broken for good; mend it.")
        );
    })
    .await;
}

#[tokio::test]
async fn a_panic_fails_its_operation_and_nothing_else() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Panic).await;
        let ended = world.ended(id).await;
        assert_eq!(ended.state, State::Failed);
        assert_eq!(ended.error.expect("why").code, "internal");
        let next = world.submit::<Plain>(Work::Say(vec![])).await;
        assert_eq!(world.ended(next).await.state, State::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn a_retry_is_a_new_operation_with_the_same_input() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let first = world
            .submit_with::<Plain>(Work::FailAtGate, |new| {
                new.subject("stack:web").title("Deploy web")
            })
            .await;
        let refused = world
            .operations
            .retry(first, Actor::user("ben"), base::Trigger::Person)
            .await;
        assert!(matches!(refused, Err(Error::State { .. })), "{refused:?}");
        world.script.gate.0.add_permits(2);
        world.ended(first).await;
        let second = world
            .operations
            .retry(first, Actor::user("ben"), base::Trigger::Person)
            .await
            .expect("it has ended");
        assert_eq!(second.retry_of, Some(first));
        assert_eq!(
            (second.title.as_str(), second.subject.as_deref()),
            ("Deploy web", Some("stack:web"))
        );
        let ended = world.ended(second.id).await;
        assert_eq!(
            (ended.state, ended.actor),
            (State::Failed, Actor::user("ben"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_parent_that_waits_leaves_its_place_to_its_children() {
    on_both(|database| async move {
        let settings = operations::EngineSettings {
            workers: 1,
            alone: database.postgres_url().is_none(),
            ..quick()
        };
        let world = World::with(&database, settings).await;
        let parent = world.submit::<Wide>(Work::Parent(2)).await;
        world.script.gate.0.add_permits(2);
        assert_eq!(world.ended(parent).await.state, State::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_could_not_begin_is_made_again_and_is_no_failure() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world
            .submit_with::<Plain>(Work::Say(vec!["at last".into()]), |new| {
                new.run_at(world.operations.now().plus(LIMIT * 100))
            })
            .await;
        let rename = |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            async { world.db.execute(sql, vec![]).await.expect("renamed") }
        };
        rename("operation_input", "hidden").await;
        world.tamper(id, "run_at = 0").await;
        world
            .until_row(
                id,
                "SELECT id FROM operation WHERE id = $1 AND state = 'queued' AND attempt > 0",
            )
            .await;
        rename("hidden", "operation_input").await;
        assert_eq!(world.ended(id).await.state, State::Succeeded);
        assert_eq!(
            world.reasons(id).await[2],
            "the database did not answer; tried again"
        );
        let failures = "SELECT id FROM operation WHERE id = $1 AND failures = 0 AND losses = 0";
        world.until_row(id, failures).await;
    })
    .await;
}

#[tokio::test]
async fn what_the_other_side_asked_for_is_when_it_is_tried_again() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let before = world.operations.now();
        // Its kind waits for fifty milliseconds at most, and its error asks for an hour.
        let id = world.submit::<Retried>(Work::LeaveChild).await;
        let waiting = world
            .until(id, |operation| {
                operation.state == State::Queued && operation.attempt == 1
            })
            .await;
        let hour = Duration::from_secs(3600);
        let asked = before.plus(hour)..=world.operations.now().plus(hour);
        assert!(asked.contains(&waiting.run_at), "{waiting:?}");
        assert_eq!(
            waiting.error.expect("why").message,
            "It failed this time.",
            "it is told meanwhile"
        );
        assert!(
            world
                .reasons(id)
                .await
                .contains(&"failed (flaky); tried again in 3600 s".to_owned())
        );
        // And it is tried again then, not given up.
        world.tamper(id, "run_at = 0").await;
        world.until(id, |operation| operation.attempt == 2).await;
    })
    .await;
}
