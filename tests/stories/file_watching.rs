//! Files on the live socket: what happens to them is told as it is committed, to those
//! who may list them, and who was away goes on where it was.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::program::server;
use crate::stored::{add_user, answered, put};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{Live, TestDatabase, TestServer, on_both};

fn topic(prefix: &str, since: Option<u64>) -> Value {
    json!({ "kind": "files", "bucket": "files", "prefix": prefix, "since": since })
}

/// What messages tell of files: what happened, where, and from where.
fn told(messages: &[Value]) -> Vec<(String, String, Option<String>)> {
    let files = messages.iter().filter(|message| message["type"] == "file");
    files
        .map(|message| {
            let event = &message["event"];
            let text = |field: &str| event[field].as_str().expect("a text").to_owned();
            let from = event["from"].as_str().map(str::to_owned);
            (text("type"), text("path"), from)
        })
        .collect()
}

fn put_of(path: &str) -> (String, String, Option<String>) {
    ("file.put".to_owned(), path.to_owned(), None)
}

/// The position that messages end with.
fn position(messages: &[Value]) -> u64 {
    let last = messages.last().expect("messages");
    assert_eq!(last["type"], "position", "{last}");
    last["changed"].as_u64().expect("a number")
}

/// Follows, and waits until it is known from where on.
async fn following(live: &mut Live, prefix: &str) -> u64 {
    live.subscribe(topic(prefix, None)).await;
    position(&live.until(|message| message["type"] == "position").await)
}

/// Messages until so many events have come, and the position after them.
async fn events(live: &mut Live, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while told(&all).len() < count
        || all
            .last()
            .is_none_or(|last: &Value| last["type"] != "position")
    {
        all.push(live.next().await);
    }
    all
}

async fn moved(server: &TestServer, from: &str, to: &str) {
    let transfer = json!({ "from": from, "to": to });
    let (status, _) = server.post("/api/v1/buckets/files/move", &transfer).await;
    assert_eq!(status, 200);
}

on_disk_and_in_store!(what_happens_to_files_is_told_in_order);
async fn what_happens_to_files_is_told_in_order(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "covers/before", b"cargo").await;
    let mut live = Live::connect(&server).await;
    following(&mut live, "covers/").await;
    put(&server, "docs/unheard", b"cargo").await;
    put(&server, "covers/a", b"cargo").await;
    moved(&server, "covers/a", "covers/b").await;
    moved(&server, "covers/b", "away/c").await;
    moved(&server, "away/c", "covers/d").await;
    let (status, _) = server.delete("/api/v1/buckets/files/files/covers/d").await;
    assert_eq!(status, 200);
    let messages = events(&mut live, 5).await;
    let expected = |kind: &str, path: &str, from: Option<&str>| {
        (kind.to_owned(), path.to_owned(), from.map(str::to_owned))
    };
    assert_eq!(
        told(&messages),
        [
            put_of("covers/a"),
            expected("file.moved", "covers/b", Some("covers/a")),
            // What is outside of what is watched is not told of.
            expected("file.deleted", "covers/b", None),
            expected("file.put", "covers/d", None),
            expected("file.deleted", "covers/d", None),
        ]
    );
    let first = messages.iter().find(|message| message["type"] == "file");
    let event = &first.expect("an event")["event"];
    assert_eq!(event["actor"], "user:admin");
    assert_eq!(event["file"]["size"], 5);
    let numbers: Vec<u64> = messages
        .iter()
        .filter_map(|message| message["changed"].as_u64())
        .collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

on_disk_and_in_store!(who_was_away_goes_on_without_a_gap_or_a_repeat);
async fn who_was_away_goes_on_without_a_gap_or_a_repeat(berth: Berth) {
    let mut server = berth.usual().await;
    let mut live = Live::connect(&server).await;
    following(&mut live, "").await;
    put(&server, "0", b"x").await;
    let seen = position(&events(&mut live, 1).await);
    drop(live);
    // More than is read at once, with nobody watching, over a sudden end.
    for number in 1..300 {
        put(&server, &number.to_string(), b"x").await;
    }
    server.kill9().await;
    server.start_again().await;
    put(&server, "300", b"x").await;
    let mut live = Live::connect(&server).await;
    live.subscribe(topic("", Some(seen))).await;
    let messages = events(&mut live, 300).await;
    let paths: Vec<String> = told(&messages)
        .into_iter()
        .map(|(_, path, _)| path)
        .collect();
    let expected: Vec<String> = (1..=300).map(|number| number.to_string()).collect();
    assert_eq!(paths, expected);
    assert!(
        messages
            .iter()
            .all(|message| message["type"] != "files_missed")
    );

    // A number that was never given: something else is behind this name now.
    let mut live = Live::connect(&server).await;
    live.subscribe(topic("", Some(1_000_000))).await;
    let messages = live.until(|message| message["type"] == "position").await;
    assert!(
        messages
            .iter()
            .any(|message| message["type"] == "files_missed")
    );
    assert!(position(&messages) < 1_000_000);
}

on_disk_and_in_store!(only_what_one_may_list_is_told);
async fn only_what_one_may_list_is_told(berth: Berth) {
    let server = berth.usual().await;
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(r#"{"by_role":false}"#);
    assert_eq!(answered(change).await.0, 200);
    let password = add_user(&server, "vera", "viewer").await;
    let url = format!("ws://127.0.0.1:{}/api/v1/live", server.port());
    let mut live = Live::connect_to(&url, "vera", &password).await;
    live.next().await;
    live.subscribe(topic("", None)).await;
    let refused = live.next().await;
    assert_eq!(refused["code"], "not-found", "{refused}");
    let grant = json!({ "user": "vera", "prefix": "in/", "permissions": ["list"] });
    let (status, grant) = server.post("/api/v1/buckets/files/grants", &grant).await;
    assert_eq!(status, 201);
    following(&mut live, "").await;
    put(&server, "out/a", b"x").await;
    put(&server, "in/a", b"x").await;
    moved(&server, "out/a", "in/b").await;
    moved(&server, "in/a", "out/b").await;
    let messages = events(&mut live, 3).await;
    let expected = |kind: &str, path: &str| (kind.to_owned(), path.to_owned(), None);
    assert_eq!(
        told(&messages),
        [
            put_of("in/a"),
            put_of("in/b"),
            expected("file.deleted", "in/a")
        ]
    );
    assert!(!format!("{messages:?}").contains("out/"), "{messages:?}");

    // A right that is taken back is gone from what is followed, too.
    let id = grant["id"].as_str().expect("an id");
    let path = format!("/api/v1/buckets/files/grants/{id}");
    assert_eq!(server.delete(&path).await.0, 204);
    put(&server, "in/c", b"x").await;
    let other = json!({ "user": "vera", "prefix": "on/", "permissions": ["list"] });
    assert_eq!(
        server.post("/api/v1/buckets/files/grants", &other).await.0,
        201
    );
    put(&server, "on/a", b"x").await;
    assert_eq!(told(&events(&mut live, 1).await), [put_of("on/a")]);
}

on_disk_and_in_store!(polling_tells_the_same);
async fn polling_tells_the_same(berth: Berth) {
    let server = berth.usual().await;
    let poll = async |since: Option<u64>| {
        let body = json!({ "subscriptions": [{ "id": 7, "topic": topic("", since) }] });
        let (status, answer) = server.post("/api/v1/live/poll", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"].as_array().expect("messages").clone()
    };
    let begun = poll(None).await;
    let mut since = position(&begun);
    put(&server, "a", b"x").await;
    put(&server, "b", b"x").await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let messages = poll(Some(since)).await;
        seen.extend(told(&messages));
        since = messages
            .iter()
            .filter(|message| message["type"] == "position")
            .filter_map(|message| message["changed"].as_u64())
            .fold(since, u64::max);
    }
    assert_eq!(seen, [put_of("a"), put_of("b")]);
}

on_both!(a_change_at_one_replica_is_told_at_another);
async fn a_change_at_one_replica_is_told_at_another(database: TestDatabase) {
    if database.postgres_url().is_none() {
        return;
    }
    let first = server(&database).start().await;
    let key = std::fs::read(first.data().join("master.key")).expect("a key");
    let second = server(&database)
        .data_file("master.key", &key)
        .start()
        .await;
    let url = format!("ws://127.0.0.1:{}/api/v1/live", second.port());
    let mut live = Live::connect_to(&url, "admin", first.admin_password()).await;
    live.next().await;
    following(&mut live, "").await;
    for path in ["a", "b"] {
        put(&first, path, b"x").await;
    }
    assert_eq!(
        told(&events(&mut live, 2).await),
        [put_of("a"), put_of("b")]
    );
}
