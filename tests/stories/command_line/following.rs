//! `longshore ops`: seeing and steering, across connections that break.

use super::wire::Wire;
use super::{Person, ended};
use crate::desk::{accepted, in_state, log_lines, operation_of, rest, streamed};
use crate::program::server;
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, on_both, within};
use tokio::io::{AsyncBufReadExt, BufReader};

/// A bundle of many sources, of which the last stalls until the origin is released.
async fn bundle(origin: &Origin, count: u64) -> Value {
    let mut urls = Vec::new();
    for number in 0..count {
        urls.push(origin.put(
            &format!("/{number}"),
            Answer::ok(Content::seeded(number, 10)),
        ));
    }
    let slow = Answer::ok(Content::seeded(1, 300_000)).stall_after(100_000);
    urls.push(origin.put("/slow", slow));
    json!({ "name": "many", "sources": urls })
}

fn numbers(output: &str) -> Vec<u64> {
    output
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line is JSON");
            line["seq"].as_u64().expect("a number")
        })
        .collect()
}

on_both!(a_log_is_followed_across_a_cut_connection_without_gap_or_repeat);
async fn a_log_is_followed_across_a_cut_connection_without_gap_or_repeat(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let id = accepted(&server, &bundle(&origin, 200).await).await;
    let mut child = person
        .start(&["ops", "logs", "-f", "--json", &id], "")
        .await;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut output = String::new();
    for cuts in 1..=2 {
        wire.sockets(cuts).await;
        // Something came over this connection, or over what made up for the one before.
        if cuts == 1 {
            let line = within("a line", lines.next_line()).await.expect("it reads");
            output += &(line.expect("a line") + "\n");
        }
        wire.cut();
    }
    wire.sockets(3).await;
    origin.release();
    while let Some(line) = within("a line", lines.next_line()).await.expect("it reads") {
        output += &(line + "\n");
    }
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{:?}", came.ended);
    let stored: Vec<u64> = log_lines(&server, &id)
        .await
        .iter()
        .filter_map(|line| line["seq"].as_u64())
        .collect();
    assert!(stored.len() > 200, "{}", stored.len());
    assert_eq!(numbers(&output), stored);
}

on_both!(a_log_is_followed_where_no_websocket_passes);
async fn a_log_is_followed_where_no_websocket_passes(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let wire = Wire::to(server.port()).await;
    wire.refuse_sockets();
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let id = accepted(&server, &bundle(&origin, 20).await).await;
    let child = person
        .start(&["ops", "logs", "-f", "--json", "--from", "3", &id], "")
        .await;
    origin
        .when("the last source to be asked for", |counts| {
            counts.requests_in_all > 20
        })
        .await;
    origin.release();
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{:?}", came.ended);
    let last = log_lines(&server, &id).await.len() as u64;
    assert_eq!(numbers(&came.ended.output), (3..=last).collect::<Vec<_>>());
}

on_both!(following_survives_a_restart_of_the_server);
async fn following_survives_a_restart_of_the_server(database: TestDatabase) {
    // On Postgres another replica might have it: it is taken up when its lease is over.
    let options = server(&database)
        .env("LONGSHORE_OPERATIONS_LEASE", "2s")
        .env("LONGSHORE_OPERATIONS_HEARTBEAT", "500ms");
    let (mut server, origin) = (options.start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let id = accepted(&server, &bundle(&origin, 5).await).await;
    let mut child = person
        .start(&["ops", "logs", "-f", "--json", &id], "")
        .await;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let first = within("a line", lines.next_line()).await.expect("it reads");
    let mut output = first.expect("a line") + "\n";
    server.kill9().await;
    origin.release();
    server.start_again().await;
    while let Some(line) = within("a line", lines.next_line()).await.expect("it reads") {
        output += &(line + "\n");
    }
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{:?}", came.ended);
    let stored: Vec<u64> = log_lines(&server, &id)
        .await
        .iter()
        .filter_map(|line| line["seq"].as_u64())
        .collect();
    assert_eq!(numbers(&output), stored);
}

on_both!(the_exit_code_of_following_tells_how_it_ended);
async fn the_exit_code_of_following_tells_how_it_ended(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let missing = origin.put("/missing", Answer::status(404));
    let failed = accepted(&server, &json!({ "sources": [missing] })).await;
    let followed = person.run(&["ops", "logs", "-f", &failed]).await;
    assert_eq!(followed.code, Some(11), "{followed:?}");
    assert!(followed.errors.contains("failed"), "{followed:?}");
    assert!(followed.output.contains("404"), "{followed:?}");

    let slow = accepted(&server, &bundle(&origin, 1).await).await;
    in_state(&server, &slow, &["running"]).await;
    let child = person
        .start(&["ops", "logs", "-f", "--long", &slow], "")
        .await;
    let cancel = person.run(&["ops", "cancel", &slow]).await;
    assert_eq!(cancel.code, Some(0), "{cancel:?}");
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(130), "{:?}", came.ended);
    assert!(came.ended.errors.contains("was cancelled"));
}

on_both!(following_one_that_its_server_left_behind_is_code_12);
async fn following_one_that_its_server_left_behind_is_code_12(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_SHUTDOWN_GRACE", "0s");
    let (mut server, origin) = (options.start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    // Bound to its connection, it cannot go on after a restart.
    let answer = streamed(&server, &bundle(&origin, 1).await).await;
    assert_eq!(answer.status(), 200);
    let id = operation_of(&answer);
    let (stopped, rest) = tokio::join!(server.terminate(), rest(answer));
    assert!(stopped.success(), "{}", server.captured().text());
    rest.expect_err("an archive that broke never ends cleanly");
    server.start_again().await;
    in_state(&server, &id, &["interrupted"]).await;
    let followed = person.run(&["ops", "logs", "-f", &id]).await;
    assert_eq!(followed.code, Some(12), "{followed:?}");
    assert!(followed.errors.contains("was interrupted"), "{followed:?}");
}

on_both!(operations_are_listed_shown_and_repeated_by_the_end_of_their_id);
async fn operations_are_listed_shown_and_repeated_by_the_end_of_their_id(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let fine = origin.put("/a", Answer::ok(Content::seeded(1, 10)));
    let missing = origin.put("/missing", Answer::status(404));
    let mut ids = Vec::new();
    for source in [&fine, &missing, &fine] {
        let id = accepted(
            &server,
            &json!({ "name": "evil\u{1b}[2J", "sources": [source] }),
        )
        .await;
        in_state(&server, &id, &["succeeded", "failed"]).await;
        ids.push(id);
    }
    let list = person
        .run(&["ops", "ls", "--kind", "bundle", "--json"])
        .await;
    let listed: Vec<String> = list
        .output
        .lines()
        .map(|line| {
            let operation: Value = serde_json::from_str(line).expect("JSON");
            operation["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    assert_eq!(listed, [ids[2].clone(), ids[1].clone(), ids[0].clone()]);

    let failed = person
        .run(&[
            "ops", "ls", "--state", "failed", "--from", "1h", "--sort", "kind", "--order", "asc",
        ])
        .await;
    assert_eq!(failed.code, Some(0), "{failed:?}");
    let rows: Vec<&str> = failed.output.lines().collect();
    assert!(rows[0].starts_with("ID ") && rows.len() == 2, "{failed:?}");
    assert!(rows[1].starts_with(&ids[1]), "{failed:?}");
    assert!(
        !failed.output.contains('\u{1b}'),
        "nothing steers the terminal"
    );

    let two = person
        .run(&["ops", "ls", "--kind", "bundle", "--limit", "2"])
        .await;
    assert_eq!(two.output.lines().count(), 3, "{two:?}");
    assert!(two.errors.contains("--all"), "{two:?}");
    let all = person
        .run(&["ops", "ls", "--kind", "bundle", "--all"])
        .await;
    assert_eq!(all.output.lines().count(), 4, "{all:?}");

    let tail = ids[1].rsplit('-').next().expect("it has parts");
    let shown = person.run(&["ops", "show", tail]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.output.contains(&ids[1]) && shown.output.contains("404"),
        "{shown:?}"
    );
    assert!(!shown.output.contains('\u{1b}'));
    // All of them were made within the same minute, so they begin alike.
    let alike = person.run(&["ops", "show", &ids[0][..8]]).await;
    alike.refused(1, &["may be any of", "more of the id"]);
    person
        .run(&["ops", "show", "ffffffffffff"])
        .await
        .refused(1, &["ops ls"]);
    person
        .run(&["ops", "show", "what?"])
        .await
        .refused(2, &["no id"]);

    let retried = person.run(&["ops", "retry", tail]).await;
    assert_eq!(retried.code, Some(0), "{retried:?}");
    let new = retried.output.trim();
    let (_, operation) = server.get(&format!("/api/v1/operations/{new}")).await;
    assert_eq!(operation["retry_of"], ids[1]);
    let again = person.run(&["ops", "cancel", &ids[0]]).await;
    assert_eq!(
        again.code,
        Some(1),
        "what has ended cannot be cancelled: {again:?}"
    );
}
