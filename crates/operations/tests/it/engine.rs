//! Accepted, run, ended: states, limits, keys, retries, cancelling, children.

use crate::world::{Latest, Plain, Retried, Wide, Work, World};
use base::Actor;
use operations::{Error, State};
use std::sync::atomic::Ordering;
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
            assert_eq!(world.ended(id).await.state, State::Cancelled);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_parent_takes_its_children_with_it() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let parent = world.submit::<Wide>(Work::Parent(3)).await;
        let children = loop {
            let page = world
                .operations
                .list(&operations::Query {
                    filter: operations::Filter {
                        parent: Some(parent),
                        ..Default::default()
                    },
                    limit: 10,
                    ..Default::default()
                })
                .await
                .expect("listed");
            if page.operations.len() == 3 {
                break page.operations;
            }
            tokio::task::yield_now().await;
        };
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
async fn a_retry_is_a_new_operation_with_the_same_input() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let first = world
            .submit_with::<Plain>(Work::FailForGood, |new| {
                new.subject("stack:web").title("Deploy web")
            })
            .await;
        let refused = world
            .operations
            .retry(first, Actor::user("ben"), base::Trigger::Person)
            .await;
        if let Err(error) = refused {
            assert!(matches!(error, Error::State { .. }));
        }
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
