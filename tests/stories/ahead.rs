//! Large bodies that wait for their turn: they come meanwhile, as far as there is room.

use crate::archive::contents;
use crate::desk::{accepted, archive, in_state, operation_when};
use crate::program::server;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use testing::{Answer, Content, Origin, Seen, TestDatabase, on_both};

/// More than what is read of a body at once.
const LARGE: u64 = 700_000;

fn bytes(operation: &Value) -> u64 {
    operation["progress"]["bytes"].as_u64().unwrap_or(0)
}

on_both!(large_bodies_come_while_an_earlier_one_stands_still);
async fn large_bodies_come_while_an_earlier_one_stands_still(database: TestDatabase) {
    let server = server(&database).start().await;
    for order in ["source", "arrival"] {
        let origin = Origin::start().await;
        let first = Answer::ok(Content::seeded(1, LARGE)).stall_after(300_000);
        let mut urls = vec![origin.put("/first.bin", first)];
        for number in 2..8 {
            let answer = Answer::ok(Content::seeded(number, LARGE));
            urls.push(origin.put(&format!("/{number}.bin"), answer));
        }
        let body = json!({ "sources": urls, "options": { "order": order } });
        let id = accepted(&server, &body).await;
        operation_when(&server, &id, |operation| {
            bytes(operation) >= 300_000 + 6 * LARGE
        })
        .await;
        origin.release();
        let ended = in_state(&server, &id, &["succeeded", "failed"]).await;
        assert_eq!(bytes(&ended), 7 * LARGE, "none is counted twice: {ended}");
        let contents = contents(&archive(&server, &id).await);
        assert_eq!(contents["first.bin"], Content::seeded(1, LARGE).to_vec());
        for number in 2..8 {
            let content = Content::seeded(number, LARGE).to_vec();
            assert_eq!(contents[&format!("{number}.bin")], content, "{order}");
        }
    }
}

on_both!(what_finds_no_room_is_taken_up_again_where_it_was);
async fn what_finds_no_room_is_taken_up_again_where_it_was(database: TestDatabase) {
    let tagged = Answer::ok(Content::seeded(2, LONG)).ranges();
    let again = asked_again(&database, tagged.header("ETag", "\"one\"")).await;
    let range = again.header("range").expect("it goes on");
    assert_ne!(range, "bytes=0-");
    assert_eq!(again.header("if-range"), Some("\"one\""));
}

on_both!(what_finds_no_room_comes_anew_when_nothing_says_that_it_is_still_the_same);
async fn what_finds_no_room_comes_anew_when_nothing_says_that_it_is_still_the_same(
    database: TestDatabase,
) {
    let again = asked_again(&database, Answer::ok(Content::seeded(2, LONG))).await;
    assert_eq!(again.header("range"), None);
}

/// More than there is room for in the stories of what finds none.
const LONG: u64 = 3_000_000;

/// How a body of [`LONG`] bytes is asked for the second time, after it found no room to
/// be read ahead while the one before it stood still.
async fn asked_again(database: &TestDatabase, second: Answer) -> Seen {
    let origin = Origin::start().await;
    let first = Answer::ok(Content::seeded(1, LARGE)).stall_after(300_000);
    let first = origin.put("/first.bin", first);
    let second = origin.put("/second.bin", second);
    let server = server(database)
        .env("LONGSHORE_BUNDLES_BUFFER", "2MiB")
        .start()
        .await;
    let body = json!({ "sources": [first, second], "options": { "order": "source" } });
    let id = accepted(&server, &body).await;
    origin
        .when("the second to be given up", |counts| {
            counts.requests_in_all == 2 && counts.connections == 1
        })
        .await;
    origin.release();
    let ended = in_state(&server, &id, &["succeeded", "failed"]).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(bytes(&ended), LARGE + LONG, "{ended}");
    let contents = contents(&archive(&server, &id).await);
    assert_eq!(contents["second.bin"], Content::seeded(2, LONG).to_vec());
    let mut asked = origin.seen_of("/second.bin");
    assert_eq!(asked.len(), 2);
    asked.remove(1)
}

on_both!(a_busy_host_keeps_no_other_waiting);
async fn a_busy_host_keeps_no_other_waiting(database: TestDatabase) {
    let busy = Origin::start().await;
    let free = Origin::start_on(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))).await;
    let mut urls: Vec<String> = (0..4)
        .map(|number| {
            let answer = Answer::ok(Content::seeded(number, 100)).held();
            busy.put(&format!("/busy-{number}.bin"), answer)
        })
        .collect();
    urls.push(free.put("/free.bin", Answer::ok(Content::seeded(9, 100))));
    let server = server(&database)
        .env("LONGSHORE_FETCH_CONCURRENT", "2")
        .env("LONGSHORE_FETCH_PER_HOST", "1")
        .start()
        .await;
    let id = accepted(&server, &json!({ "sources": urls })).await;
    operation_when(&server, &id, |operation| operation["progress"]["done"] == 1).await;
    assert_eq!(busy.counts().requests_in_all, 1);
    busy.release();
    in_state(&server, &id, &["succeeded"]).await;
    assert_eq!(contents(&archive(&server, &id).await).len(), 5);
}
