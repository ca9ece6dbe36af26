//! Cancelling: by a person, and by who took the archive going away.

use crate::desk::{accepted, archive_path, ended, in_state, operation_of, rest, streamed};
use crate::program::{incoming, server, stored};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, within};

/// Many sources of which one comes and the others stall in their middle.
async fn stalling() -> (Origin, Value) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 5000)));
    let mut urls = vec![quick];
    for number in 0..40 {
        let answer = Answer::ok(Content::seeded(number, 900_000)).stall_after(100_000);
        urls.push(origin.put(&format!("/{number}.bin"), answer));
    }
    (origin, json!({ "sources": urls }))
}

/// As many as may be under way at once to one host.
async fn under_way(origin: &Origin) {
    origin
        .when("the fetching to be in full swing", |counts| {
            counts.requests == 16
        })
        .await;
}

async fn all_is_quiet(server: &TestServer, origin: &Origin) {
    // One on which an answer came to its end is kept for the next bundle a while.
    origin
        .when("every answer to be broken off", |counts| {
            counts.requests == 0
        })
        .await;
    assert!(incoming(server.data()).is_empty() && stored(server.data()).is_empty());
}

on_both!(cancelling_stops_all_fetching_and_leaves_nothing);
async fn cancelling_stops_all_fetching_and_leaves_nothing(database: TestDatabase) {
    let (origin, body) = stalling().await;
    let server = server(&database).start().await;
    let id = accepted(&server, &body).await;
    under_way(&origin).await;
    let taker = server.request(Method::GET, &archive_path(&id)).send().await;
    let taker = taker.expect("an answer");
    assert_eq!(taker.status(), 200);

    let (status, operation) = server
        .post(&format!("/api/v1/operations/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(status, 202, "{operation}");
    let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled", "{operation:#}");
    let asked = origin.seen().len();
    all_is_quiet(&server, &origin).await;
    within("the taker to be told", rest(taker))
        .await
        .expect_err("a broken end");
    assert_eq!(
        origin.seen().len(),
        asked,
        "nothing is asked for afterwards"
    );
    assert_eq!(server.get(&archive_path(&id)).await.0, 410);
    let (status, _) = server
        .post(&format!("/api/v1/operations/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(status, 409, "it has ended");
}

on_both!(deleting_a_bundle_that_is_being_made_cancels_it);
async fn deleting_a_bundle_that_is_being_made_cancels_it(database: TestDatabase) {
    let (origin, body) = stalling().await;
    let server = server(&database).start().await;
    let id = accepted(&server, &body).await;
    under_way(&origin).await;
    let (status, freed) = server.delete(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(status, 200, "{freed}");
    all_is_quiet(&server, &origin).await;
    assert_eq!(server.get(&format!("/api/v1/bundles/{id}")).await.0, 404);
    let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled", "{operation:#}");
}

on_both!(a_streamed_bundle_is_cancelled_when_its_taker_goes_away);
async fn a_streamed_bundle_is_cancelled_when_its_taker_goes_away(database: TestDatabase) {
    let (origin, body) = stalling().await;
    let server = server(&database).start().await;
    let mut answer = streamed(&server, &body).await;
    let id = operation_of(&answer);
    within("the first bytes", answer.chunk())
        .await
        .expect("flows");
    under_way(&origin).await;
    drop(answer);
    all_is_quiet(&server, &origin).await;
    let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled", "{operation:#}");
}

on_both!(a_taker_that_leaves_before_the_first_byte_cancels_too);
async fn a_taker_that_leaves_before_the_first_byte_cancels_too(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/held.bin", Answer::ok(Content::seeded(1, 100)).held());
    let server = server(&database).start().await;
    let body = json!({ "sources": [url] });
    let asking = streamed(&server, &body);
    tokio::select! {
        answer = asking => panic!("nothing was given: {}", answer.status()),
        _ = origin.when("the source to be asked", |counts| counts.requests == 1) => {}
    }
    all_is_quiet(&server, &origin).await;
}

on_both!(a_waiting_bundle_is_cancelled_before_it_begins);
async fn a_waiting_bundle_is_cancelled_before_it_begins(database: TestDatabase) {
    let (origin, body) = stalling().await;
    let options = server(&database)
        .arg("--set")
        .arg("operations.concurrency.bundle=1");
    let server = options.start().await;
    let first = accepted(&server, &body).await;
    under_way(&origin).await;
    let quick = json!({ "sources": [origin.url("/quick.bin?waiting")] });
    let second = accepted(&server, &quick).await;
    let (status, operation) = server
        .post(&format!("/api/v1/operations/{second}/cancel"), &json!({}))
        .await;
    assert_eq!(
        (status.as_u16(), &operation["state"]),
        (202, &json!("cancelled")),
        "{operation:#}"
    );
    assert_eq!(ended(&server, &second).await["state"], "cancelled");
    assert!(origin.seen_of("/quick.bin?waiting").is_empty());
    server.delete(&format!("/api/v1/bundles/{first}")).await;
    all_is_quiet(&server, &origin).await;
}

on_both!(cancelling_does_not_wait_for_a_taker_that_takes_nothing);
async fn cancelling_does_not_wait_for_a_taker_that_takes_nothing(database: TestDatabase) {
    let origin = Origin::start().await;
    let mut urls = Vec::new();
    for number in 0..20 {
        let answer = Answer::ok(Content::seeded(number, 1 << 30));
        urls.push(origin.put(&format!("/{number}.bin"), answer));
    }
    let server = server(&database).start().await;
    // Its head is read, and nothing else: the archive fills every buffer and stands.
    let answer = streamed(&server, &json!({ "sources": urls })).await;
    let id = operation_of(&answer);
    // How many are on their way depends on how soon the archive stood.
    origin
        .when("a body to be on its way", |counts| counts.requests > 0)
        .await;
    let (status, operation) = server
        .post(&format!("/api/v1/operations/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(status, 202, "{operation}");
    all_is_quiet(&server, &origin).await;
    let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled", "{operation:#}");
    within("the taker to be told", rest(answer))
        .await
        .expect_err("a broken end");
}

on_both!(who_waits_for_a_streamed_bundle_is_told_when_it_is_cancelled_before_it_begins);
async fn who_waits_for_a_streamed_bundle_is_told_when_it_is_cancelled_before_it_begins(
    database: TestDatabase,
) {
    let (origin, body) = stalling().await;
    let options = server(&database)
        .arg("--set")
        .arg("operations.concurrency.bundle=1");
    let server = options.start().await;
    let first = accepted(&server, &body).await;
    under_way(&origin).await;
    let quick = json!({
        "sources": [origin.url("/quick.bin?streamed")],
        "options": { "keep": false },
    });
    let second = accepted(&server, &quick).await;
    let waiting = server.request(Method::GET, &archive_path(&second)).send();
    let cancelling = async {
        // Whether the taker has come by then or comes after makes no difference.
        let path = format!("/api/v1/operations/{second}/cancel");
        let (status, operation) = server.post(&path, &json!({})).await;
        assert_eq!(status, 202, "{operation}");
    };
    let both = futures::future::join(waiting, cancelling);
    let (answer, ()) = within("the taker to be told", both).await;
    let status = answer.expect("an answer").status();
    assert_eq!(status, 409, "cancelled");
    server.delete(&format!("/api/v1/bundles/{first}")).await;
    all_is_quiet(&server, &origin).await;
}
