//! Targets that take nothing: by their rules, which is seen before anything is sent, or as they
//! have said a moment ago.

use super::apart::{Port, Says, films_and_the_rest};
use super::*;
use testing::on_sqlite;

on_sqlite!(a_target_that_takes_no_ids_is_shut_and_no_file_is_blamed);
async fn a_target_that_takes_no_ids_is_shut_and_no_file_is_blamed(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["a", "film"]);
    port.says("films", Says::Unsuited("film"));
    // The first finds it, and the second delivers what is recorded.
    for recorded in [false, true] {
        let pass = port.pass(&mut process, &sync, recorded).await;
        let failed = within("the pass to end", pass.run()).await;
        let failed = failed.expect_err("one target takes nothing");
        assert_eq!(failed.message(), "films: ids are no numbers");
        assert_eq!(failed.code(), OF_TARGETS);
        let waits = process.state(&sync, "film").await;
        assert_eq!((waits.state, waits.failures), (DeliveryState::Pending, 0));
        assert_eq!(port.there(), ["rest/a"]);
    }
    assert_eq!(port.asked("films"), 0);
    port.is_well();
    port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(port.there(), ["rest/a", "films/film"]);
    process.end().await;
}

on_sqlite!(odd_files_among_the_first_stop_none_of_the_others);
async fn odd_files_among_the_first_stop_none_of_the_others(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["film-0-a", "film-0-b", "film-1"]);
    port.says("films", Says::Unsuited("film-0"));
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.delivered, 3);
    process.end().await;
}

on_sqlite!(new_files_do_not_ask_a_target_that_took_nothing_a_moment_ago);
async fn new_files_do_not_ask_a_target_that_took_nothing_a_moment_ago(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = films_and_the_rest(&db).await;
    let port = Port::with(&["a", "film-1"]);
    let reason = "the token is revoked".to_owned();
    port.says("films", Says::Trouble(Trouble::Everything { reason }));
    let failed = port.passes(&mut process, &sync).await;
    failed.expect_err("one target takes nothing");
    assert_eq!(port.asked("films"), 1);
    for new in ["b", "c"] {
        port.has(&["a", new, "film-1", "film-2"]);
        let pass = port.pass(&mut process, &sync, false).await;
        let until = pass.spare().expect("a time");
        assert!(until > process.syncs.now(), "{until}");
        let failed = within("the pass to end", pass.run()).await;
        let failed = failed.expect_err("the films wait");
        assert_eq!(failed.message(), "films: the token is revoked");
        assert!(port.there().contains(&format!("rest/{new}")));
    }
    assert_eq!(port.asked("films"), 1, "it was asked again");
    let waits = process.state(&sync, "film-2").await;
    assert_eq!((waits.state, waits.failures), (DeliveryState::Pending, 0));
    // Everybody else asks it, and once it has taken something new files do.
    port.is_well();
    let tally = port.passes(&mut process, &sync).await.expect("done");
    assert_eq!(tally.delivered, 2);
    let now = process.syncs.now();
    assert_eq!(process.syncs.refusing().spared(&sync, now), []);
    process.end().await;
}
