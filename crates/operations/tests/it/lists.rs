//! Lists: every filter and every sort, in both directions, page by page; changes.

use crate::world::{LIMIT, Plain, Wide, Work, World};
use base::{Actor, OperationId, Trigger};
use operations::{Filter, NewOperation, Operation, Order, Query, Sort, State};
use std::sync::atomic::{AtomicBool, Ordering};
use storage::values;
use testing::on_both;

async fn pages(
    world: &World,
    filter: &Filter,
    sort: Sort,
    order: Order,
    limit: usize,
) -> Vec<Operation> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = world
            .operations
            .list(&Query {
                filter: filter.clone(),
                sort,
                order,
                after,
                limit,
            })
            .await
            .expect("listed");
        assert!(page.operations.len() <= limit);
        all.extend(page.operations);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn ids(operations: &[Operation]) -> Vec<OperationId> {
    operations.iter().map(|operation| operation.id).collect()
}

async fn filled(world: &World) -> Vec<Operation> {
    let mut made = Vec::new();
    for number in 0..23_u32 {
        let work = Work::Say(vec![]);
        let (actor, trigger) = (
            Actor::user(["anna", "ben", "Cleo"][number as usize % 3]),
            Trigger::ALL[number as usize % 6],
        );
        let new = if number % 4 == 0 {
            NewOperation::of::<Plain>(&work, actor, trigger)
        } else {
            NewOperation::of::<Wide>(&work, actor, trigger)
        }
        .expect("an input");
        let new = new
            .subject(if number % 5 == 0 {
                String::new()
            } else {
                format!("stack:{}", number % 5)
            })
            .server(if number % 2 == 0 { "hel-1" } else { "" })
            .title(format!("Number {number}: 100%_sure"));
        made.push(world.operations.submit(new).await.expect("accepted"));
    }
    let mut ended = Vec::new();
    for id in made {
        ended.push(world.ended(id).await);
    }
    ended
}

#[tokio::test]
async fn every_sort_in_both_directions_pages_through_all_without_gap_or_repeat() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let made = filled(&world).await;
        let key = |sort: Sort, operation: &Operation| match sort {
            Sort::CreatedAt => String::new(),
            Sort::Kind => operation.kind.clone(),
            Sort::State => operation.state.to_string(),
            Sort::Subject => operation.subject.clone().unwrap_or_default(),
            Sort::Server => operation.server.clone().unwrap_or_default(),
            Sort::Actor => operation.actor.to_string(),
            Sort::Trigger => operation.trigger.to_string(),
        };
        for sort in [
            Sort::CreatedAt,
            Sort::Kind,
            Sort::State,
            Sort::Subject,
            Sort::Server,
            Sort::Actor,
            Sort::Trigger,
        ] {
            let mut expected = made.clone();
            expected.sort_by_key(|operation| (key(sort, operation), operation.id));
            let ascending = pages(&world, &Filter::default(), sort, Order::Asc, 5).await;
            assert_eq!(ids(&ascending), ids(&expected), "{sort:?} ascending");
            expected.reverse();
            let descending = pages(&world, &Filter::default(), sort, Order::Desc, 7).await;
            assert_eq!(ids(&descending), ids(&expected), "{sort:?} descending");
        }
    })
    .await;
}

#[tokio::test]
async fn every_filter_gives_what_it_says_and_nothing_else() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let made = filled(&world).await;
        let middle = made[11].created_at;
        let text = |text: &str| Filter {
            text: Some(text.to_owned()),
            ..Filter::default()
        };
        let filters = [
            Filter {
                kind: Some("plain".into()),
                ..Filter::default()
            },
            Filter {
                state: Some(State::Succeeded),
                ..Filter::default()
            },
            Filter {
                state: Some(State::Failed),
                ..Filter::default()
            },
            Filter {
                subject: Some("stack:3".into()),
                ..Filter::default()
            },
            Filter {
                server: Some("hel-1".into()),
                ..Filter::default()
            },
            Filter {
                actor: Some("user:Cleo".into()),
                ..Filter::default()
            },
            Filter {
                trigger: Some(Trigger::Push),
                ..Filter::default()
            },
            Filter {
                from: Some(middle),
                ..Filter::default()
            },
            Filter {
                to: Some(middle),
                ..Filter::default()
            },
            Filter {
                kind: Some("wide".into()),
                actor: Some("user:ben".into()),
                from: Some(middle),
                ..Filter::default()
            },
            text("number 1"),
            text("100%_SURE"),
            text("100x_sure"),
            text("STACK:2"),
        ];
        for filter in filters {
            let expected: Vec<_> = made
                .iter()
                .filter(|operation| filter.matches(operation))
                .map(|operation| operation.id)
                .collect();
            for sort in [Sort::CreatedAt, Sort::Actor] {
                let mut found = ids(&pages(&world, &filter, sort, Order::Asc, 3).await);
                found.sort();
                assert_eq!(found, expected, "{filter:?} by {sort:?}");
            }
        }
    })
    .await;
}

/// More rows than are sorted for a page, or looked at in one window.
const MANY: u64 = 2600;

const STORE: &str = "INSERT INTO operation
    (id, kind, title, state, subject, actor, trigger, created_at, run_at, changed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)";

/// Operations that have ended, stored as they are, since running so many takes long.
async fn stored(world: &World) {
    let mut tx = world.db.begin().await.expect("begun");
    for number in 0..MANY {
        let id = OperationId::new();
        let values = values![
            id.uuid(),
            ["build", "deploy", "sync"][(number % 3) as usize],
            format!("Number {number}"),
            if number % 7 == 0 {
                "failed"
            } else {
                "succeeded"
            },
            if number > 2000 {
                "stack:late"
            } else {
                "stack:early"
            },
            format!("user:{}", number % 4),
            "api",
            world.operations.now(),
            number + 1,
        ];
        tx.execute(STORE, values).await.expect("stored");
    }
    tx.commit().await.expect("stored");
}

#[tokio::test]
async fn a_filter_and_a_sort_without_an_index_for_both_still_page_through_all() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        stored(&world).await;
        let all = pages(&world, &Filter::default(), Sort::CreatedAt, Order::Asc, 200).await;
        assert_eq!(all.len() as u64, MANY);
        let middle = all[1300].created_at;
        let filters = [
            Filter {
                state: Some(State::Failed),
                ..Filter::default()
            },
            Filter {
                kind: Some("deploy".into()),
                actor: Some("user:3".into()),
                ..Filter::default()
            },
            // At one end of the walk, and in one direction beyond the first windows.
            Filter {
                subject: Some("stack:late".into()),
                kind: Some("sync".into()),
                ..Filter::default()
            },
            Filter {
                from: Some(middle),
                ..Filter::default()
            },
            Filter {
                text: Some("number 25".into()),
                kind: Some("build".into()),
                ..Filter::default()
            },
        ];
        for filter in filters {
            let mut expected: Vec<_> = all.iter().filter(|one| filter.matches(one)).collect();
            assert!(!expected.is_empty(), "{filter:?}");
            for sort in [Sort::CreatedAt, Sort::Kind, Sort::Actor, Sort::State] {
                expected.sort_by_key(|one| {
                    let value = match sort {
                        Sort::Kind => one.kind.clone(),
                        Sort::Actor => one.actor.to_string(),
                        Sort::State => one.state.to_string(),
                        _ => String::new(),
                    };
                    (value, one.id)
                });
                let expected: Vec<_> = expected.iter().map(|one| one.id).collect();
                let found = pages(&world, &filter, sort, Order::Asc, 70).await;
                assert_eq!(ids(&found), expected, "{filter:?} by {sort:?} ascending");
                let mut found = ids(&pages(&world, &filter, sort, Order::Desc, 70).await);
                found.reverse();
                assert_eq!(found, expected, "{filter:?} by {sort:?} descending");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_read_in_windows_leaves_out_nothing_while_others_come() {
    /// How often it is read meanwhile.
    const READ: usize = 20;
    on_both(|database| async move {
        let world = World::on(&database).await;
        stored(&world).await;
        // A thousand in a row pass, and the end of the first window is among them, also with
        // hundreds that have come before it.
        let filter = Filter {
            text: Some("number 1".into()),
            ..Filter::default()
        };
        let read = || pages(&world, &filter, Sort::CreatedAt, Order::Desc, 2000);
        let expected = ids(&read().await);
        assert_eq!(expected.len(), 1111);
        let is_over = AtomicBool::new(false);
        let reading = async {
            for _ in 0..READ {
                let found = ids(&read().await);
                let (has, wanted) = (found.len(), expected.len());
                assert!(found == expected, "{has} are listed of {wanted}");
            }
            is_over.store(true, Ordering::Relaxed);
        };
        let coming = async {
            let mut changed = MANY;
            while !is_over.load(Ordering::Relaxed) {
                changed += 1;
                let values = values![
                    OperationId::new().uuid(),
                    "build",
                    "Meanwhile",
                    "succeeded",
                    "",
                    "user:anna",
                    "api",
                    world.operations.now(),
                    changed,
                ];
                world.db.execute(STORE, values).await.expect("stored");
            }
        };
        tokio::join!(reading, coming);
    })
    .await;
}

#[tokio::test]
async fn changes_are_followed_from_any_number_without_gap() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let start = world.operations.newest_change();
        let made = filled(&world).await;
        // One who was there from the beginning of time, and one who comes back.
        for since in [0, start] {
            let mut follower = world.operations.follow_changes(
                Filter {
                    kind: Some("plain".into()),
                    ..Filter::default()
                },
                Some(since),
            );
            let mut last_states = std::collections::HashMap::new();
            let mut newest = since;
            while last_states
                .values()
                .filter(|state| **state == State::Succeeded)
                .count()
                < 6
            {
                let changes = tokio::time::timeout(LIMIT, follower.next())
                    .await
                    .expect("in time")
                    .expect("read");
                for change in changes {
                    assert!(change.number() > newest, "in order, none twice");
                    newest = change.number();
                    last_states.insert(change.operation.id, change.operation.state);
                }
            }
            let plain = made
                .iter()
                .filter(|operation| operation.kind == "plain")
                .count();
            assert_eq!(last_states.len(), plain);
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_subject_is_that_of_operations_without_one_in_a_list_and_live() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let without = world.submit::<Plain>(Work::Lines(1)).await;
        let with = world
            .submit_with::<Plain>(Work::Lines(1), |new| new.subject("stack:web"))
            .await;
        for filter in [
            Filter {
                subject: Some(String::new()),
                ..Filter::default()
            },
            Filter {
                subject: Some(String::new()),
                server: Some(String::new()),
                ..Filter::default()
            },
        ] {
            let query = Query {
                filter: filter.clone(),
                limit: 10,
                ..Query::default()
            };
            let page = world.operations.list(&query).await.expect("listed");
            let listed: Vec<_> = page.operations.iter().map(|found| found.id).collect();
            assert_eq!(listed, [without]);
            assert!(filter.matches(&world.ended(without).await));
            assert!(!filter.matches(&world.ended(with).await));
        }
    })
    .await;
}
