//! Targets that take nothing by their rules, which is seen before anything is sent.

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
