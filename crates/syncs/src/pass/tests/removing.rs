//! What is removed at its target once it is gone at its source, and what is not.

use super::apart::{Port, Says, films_and_the_rest, with_targets};
use super::*;
use testing::on_sqlite;
use uuid::Uuid;

/// A sync that removes what is gone.
async fn a_removing_sync(db: &Db) -> Sync {
    let mut sync = with_targets(db, &[("all", json!({}))]).await;
    sync.rule.remove = true;
    sync
}

/// One that does, by which two films and two other files are delivered.
async fn two_films_and_the_rest(db: &Db, process: &mut Process) -> (Sync, Arc<Port>) {
    let mut sync = films_and_the_rest(db).await;
    sync.rule.remove = true;
    let port = Port::with(&["film-1", "film-2", "a", "b"]);
    port.passes(process, &sync).await.expect("done");
    (sync, port)
}

/// The films are recorded as delivered, and nobody has them.
async fn both_films_stay(process: &Process, sync: &Sync) {
    for film in ["film-1", "film-2"] {
        let stays = process.state(sync, film).await;
        assert_eq!((stays.state, stays.claimed), (DeliveryState::Marked, false));
    }
}

on_both!(what_is_gone_is_removed_unless_it_comes_back_meanwhile);
async fn what_is_gone_is_removed_unless_it_comes_back_meanwhile(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_removing_sync(&db).await;
    let port = Port::with(&["a", "b", "c"]);
    port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(port.there().len(), 3);
    // One is gone for good, and one is back before it is removed.
    port.has(&["b", "c"]);
    *port.flickers.lock().expect("whole") = Some(("b".to_owned(), 1));
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.removed, 1);
    let mut there = port.there();
    there.sort();
    assert_eq!(there, ["all/b", "all/c"]);
    assert_eq!(
        process.state(&sync, "a").await.state,
        DeliveryState::Removed
    );
    let back = process.state(&sync, "b").await;
    assert_eq!((back.state, back.claimed), (DeliveryState::Marked, false));
    // One is back when it is removed already.
    *port.flickers.lock().expect("whole") = Some(("c".to_owned(), 2));
    port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(port.there(), ["all/b"]);
    assert_eq!(
        process.state(&sync, "c").await.state,
        DeliveryState::Pending
    );
    // A pass that does not ask the source removes nothing either.
    port.has(&["c"]);
    let recorded = port.pass(&mut process, &sync, true).await;
    within("the pass to end", recorded.run())
        .await
        .expect("done");
    assert_eq!(port.there(), ["all/b", "all/c"]);
    process.end().await;
}

on_sqlite!(a_source_of_which_nothing_is_left_is_not_believed);
async fn a_source_of_which_nothing_is_left_is_not_believed(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_removing_sync(&db).await;
    let port = Port::with(&["a", "b"]);
    port.passes(&mut process, &sync).await.expect("done");
    port.has(&[]);
    let refused = port.passes(&mut process, &sync).await;
    assert_eq!(refused.expect_err("refused").code(), "source-empty");
    assert_eq!(port.there().len(), 2);
    // As soon as something is there it is believed, also of a whole page.
    let mut tx = db.begin().await.expect("begun");
    for number in 0..250 {
        const SQL: &str = "INSERT INTO delivery (id, sync, item, place, name, media_type, state,
                target, known, run_at, found_at, changed_at, ended_at)
            VALUES ($1, $2, $3, $3, $3, 'image/png', 'marked', 'all', $4, 0, 0, 0, 0)";
        let item = format!("old-{number}");
        let known = json!({ "id": item }).to_string();
        let values = storage::values![Uuid::now_v7(), sync.id.uuid(), item, known];
        tx.execute(SQL, values).await.expect("inserted");
    }
    tx.commit().await.expect("committed");
    port.has(&["old-249"]);
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.removed, 251);
    assert!(port.there().is_empty());
    process.end().await;
}

on_sqlite!(what_cannot_be_removed_is_not_said_to_be);
async fn what_cannot_be_removed_is_not_said_to_be(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = a_removing_sync(&db).await;
    let port = Port::with(&["a", "b", "c"]);
    port.passes(&mut process, &sync).await.expect("done");
    // Its target is called otherwise by now.
    sync.rule.targets[0].name = "other".to_owned();
    port.has(&["b", "c"]);
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.removed, 0);
    let stays = process.state(&sync, "a").await;
    assert_eq!(stays.state, DeliveryState::Marked);
    assert_eq!(stays.known, Some(json!({ "id": "a" })));
    // What is somebody else's stays there, and is not ours to look after any more.
    sync.rule.targets[0].name = "all".to_owned();
    port.says("all", Says::NotOurs);
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!((tally.removed, port.there().len()), (0, 3));
    let left = process.state(&sync, "a").await;
    assert_eq!(left.state, DeliveryState::Removed);
    let reason = left.reason.expect("it says why");
    assert!(reason.contains("not of this sync"), "{reason}");
    process.end().await;
}

on_sqlite!(where_one_target_removes_nothing_the_others_do);
async fn where_one_target_removes_nothing_the_others_do(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let (sync, port) = two_films_and_the_rest(&db, &mut process).await;
    port.has(&["b"]);
    let reason = "the token may not remove".to_owned();
    port.says("films", Says::Trouble(Trouble::Everything { reason }));
    let failed = port.passes(&mut process, &sync).await;
    let failed = failed.expect_err("one target removes nothing");
    assert_eq!(failed.message(), "films: the token may not remove");
    let mut there = port.there();
    there.sort();
    assert_eq!(there, ["films/film-1", "films/film-2", "rest/b"]);
    both_films_stay(&process, &sync).await;
    process.end().await;
}

on_sqlite!(a_pause_is_waited_for_and_a_long_one_puts_off_what_is_to_be_removed);
async fn a_pause_is_waited_for_and_a_long_one_puts_off_what_is_to_be_removed(
    database: TestDatabase,
) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let (sync, port) = two_films_and_the_rest(&db, &mut process).await;
    port.has(&["film-1", "film-2", "b"]);
    *port.pauses.lock().expect("whole") = 1;
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.removed, 1);
    // It takes nothing for longer than a pass waits.
    port.has(&["b"]);
    let busy = Trouble::Paused {
        reason: "too many requests".to_owned(),
        after: Duration::from_secs(3600),
    };
    port.says("films", Says::Trouble(busy));
    let pass = port.pass(&mut process, &sync, false).await;
    within("the pass to end", pass.run()).await.expect("done");
    assert_eq!(pass.board.tally().removed, 0);
    assert_eq!(pass.left().paused, ["films"]);
    both_films_stay(&process, &sync).await;
    process.end().await;
}
