//! HTTP/2: many requests on one connection, of which one that stalls is cut off and holds
//! up no other.

use crate::desk::{accepted, archive, archive_path, in_state, operation_of};
use crate::program::server;
use reqwest::{Client, Method, RequestBuilder, Version};
use serde_json::json;
use std::time::Duration;
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, within};

/// A client that speaks HTTP/2 at once, on one connection.
fn client() -> Client {
    Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .expect("a client")
}

fn request(client: &Client, server: &TestServer, method: Method, path: &str) -> RequestBuilder {
    client
        .request(method, format!("{}{path}", server.url()))
        .basic_auth("admin", Some(server.admin_password()))
}

/// That others are answered: on the same connection, and on another.
async fn others_are_answered(client: &Client, server: &TestServer) {
    let beside = request(client, server, Method::GET, "/api/v1/about").send();
    let beside = within("an answer beside it", beside).await;
    let beside = beside.expect("the connection is still there");
    assert_eq!(beside.version(), Version::HTTP_2);
    assert_eq!(beside.status(), 200);
    assert_eq!(server.get("/api/v1/about").await.0, 200);
}

/// How many connections the server has.
async fn connections(server: &TestServer) -> u64 {
    let figures = server.request(Method::GET, "/metrics").send().await;
    let figures = figures.expect("an answer").text().await.expect("whole");
    let mut lines = figures.lines();
    let count = lines.find_map(|line| line.strip_prefix("longshore_http_connections "));
    count.expect("the figure").parse().expect("a number")
}

on_both!(it_is_spoken_with_prior_knowledge);
async fn it_is_spoken_with_prior_knowledge(database: TestDatabase) {
    let server = server(&database).start().await;
    let client = client();
    let asking = (0..50).map(|_| request(&client, &server, Method::GET, "/api/v1/about").send());
    for answer in futures::future::join_all(asking).await {
        let answer = answer.expect("an answer");
        assert_eq!(answer.version(), Version::HTTP_2);
        assert_eq!(answer.status(), 200);
    }
}

on_both!(who_never_sends_its_body_is_told_and_holds_up_nobody);
async fn who_never_sends_its_body_is_told_and_holds_up_nobody(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_HTTP_REQUEST_TIMEOUT", "1s");
    let server = options.start().await;
    let client = client();
    others_are_answered(&client, &server).await;
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let stalling = request(&client, &server, Method::POST, "/api/v1/users")
        .header("Content-Type", "application/json")
        .body(reqwest::Body::wrap_stream(never))
        .send();
    let (answer, ()) = tokio::join!(
        within("the request to be given up", stalling),
        others_are_answered(&client, &server),
    );
    assert_eq!(answer.expect("an answer").status(), 408);
    others_are_answered(&client, &server).await;
}

on_both!(an_archive_that_is_not_taken_is_given_up_and_the_rest_of_its_connection_goes_on);
async fn an_archive_that_is_not_taken_is_given_up_and_the_rest_of_its_connection_goes_on(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let url = origin.put("/endless.jpg", Answer::ok(Content::endless(1)).chunked());
    let options = server(&database).env("LONGSHORE_HTTP_STALL_TIMEOUT", "1s");
    let server = options.start().await;
    let client = client();
    let asking = request(&client, &server, Method::POST, "/api/v1/bundles?stream=1")
        .json(&json!({ "sources": [url] }));
    let mut answer = asking.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let id = operation_of(&answer);
    // One that goes on, so that the connection is of use.
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 10)).held());
    let waiting = accepted(&server, &json!({ "sources": [held] })).await;
    let beside = request(&client, &server, Method::GET, &archive_path(&waiting));
    let beside = tokio::spawn(beside.send());
    // Its window is filled, and nothing of it read: the bundle ends all the same.
    in_state(&server, &id, &["cancelled", "failed"]).await;
    origin
        .when("the fetching to end", |counts| counts.requests == 1)
        .await;
    others_are_answered(&client, &server).await;
    origin.release();
    let beside = within("the other archive", beside).await;
    let beside = beside.expect("no panic").expect("an answer");
    let beside = beside.bytes().await.expect("whole");
    assert_eq!(beside, archive(&server, &waiting).await);
    let broken = async {
        while answer.chunk().await?.is_some() {}
        Ok::<(), reqwest::Error>(())
    };
    let broken = within("what was sent before", broken).await;
    broken.expect_err("it never ends cleanly");
}

on_both!(a_connection_of_which_nothing_is_taken_is_closed);
async fn a_connection_of_which_nothing_is_taken_is_closed(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.jpg", Answer::ok(Content::seeded(1, 5_000_000)));
    let options = server(&database).env("LONGSHORE_HTTP_STALL_TIMEOUT", "1s");
    let server = options.start().await;
    let id = crate::desk::made(&server, &json!({ "sources": [url] }))
        .await
        .0;
    let client = client();
    let mut unread = Vec::new();
    for _ in 0..3 {
        let asking = request(&client, &server, Method::GET, &archive_path(&id)).send();
        unread.push(asking.await.expect("an answer"));
    }
    // Its own question is the one that is left.
    within("the connection to be closed", async {
        while connections(&server).await > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    for answer in unread {
        answer.bytes().await.expect_err("it broke off");
    }
}
