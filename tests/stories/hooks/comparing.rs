//! A bucket and its store are compared, and what differs is taken over.

use super::{ENDED, MEDIA, Pair, Store, event};
use crate::command_line::Person;
use crate::desk::{id_of, in_state, log_lines};
use crate::program::server;
use crate::stored::{add_user, answered};
use crate::told::Listener;
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use testing::{TestDatabase, TestServer, on_both};

/// Compares, and waits for its end.
async fn compared(pair: &Pair, how: Value) -> Value {
    let path = format!("/api/v1/buckets/{MEDIA}/reconcile");
    let (status, answer) = pair.server.post(&path, &how).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer["operation"].as_str().expect("an id");
    let ended = in_state(&pair.server, id, &ENDED).await;
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    ended
}

fn outcome(added: u64, updated: u64, removed: u64, unchanged: u64) -> Value {
    json!({
        "added": added, "updated": updated, "removed": removed, "unchanged": unchanged,
        "skipped": 0, "dry_run": false,
    })
}

/// The texts of a log.
async fn said(pair: &Pair, operation: &Value) -> Vec<String> {
    let lines = log_lines(&pair.server, &id_of(operation)).await;
    let text = |line: &Value| line["text"].as_str().expect("a text").to_owned();
    lines.iter().map(text).collect()
}

on_both!(what_was_put_behind_its_back_is_added_and_a_second_run_changes_nothing);
async fn what_was_put_behind_its_back_is_added_and_a_second_run_changes_nothing(
    database: TestDatabase,
) {
    // More than a store lists at once. What is listed is the same for both databases.
    let all: u64 = if database.postgres_url().is_none() {
        1100
    } else {
        200
    };
    let key = |number: u64| format!("deep/{:02}/file-{number:04}", number % 17);
    let store = Store::start().await;
    let puts = stream::iter(0..all).map(|number| {
        let (store, key) = (Arc::clone(&store), key(number));
        async move { store.put(&key, &format!("content {number}")).await }
    });
    puts.buffer_unordered(16).collect::<Vec<()>>().await;
    let pair = Pair::start_at(store, server(&database)).await;
    let first = compared(&pair, json!({})).await;
    assert_eq!(first["outcome"], outcome(all, 0, 0, 0), "{first:#}");
    assert_eq!(
        pair.content(&key(all - 1)).await,
        format!("content {}", all - 1)
    );
    let second = compared(&pair, json!({})).await;
    assert_eq!(second["outcome"], outcome(0, 0, 0, all), "{second:#}");
    pair.put(&key(5), "another content").await;
    pair.remove(&key(6)).await;
    pair.put("above", "new").await;
    let third = compared(&pair, json!({ "prefix": "deep/" })).await;
    assert_eq!(third["outcome"], outcome(0, 1, 1, all - 2), "{third:#}");
    let lines = said(&pair, &third).await;
    for line in [format!("updated {}", key(5)), format!("removed {}", key(6))] {
        assert!(lines.contains(&line), "{line} is not in {lines:?}");
    }
    assert_eq!(pair.known("above").await, None);
    assert_eq!(pair.content(&key(5)).await, "another content");
    assert_eq!(pair.known(&key(6)).await, None);
}

on_both!(a_dry_run_says_what_would_change_and_changes_nothing);
async fn a_dry_run_says_what_would_change_and_changes_nothing(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    pair.put("a", "one").await;
    pair.put("b", "one").await;
    compared(&pair, json!({})).await;
    pair.put("a", "another").await;
    pair.remove("b").await;
    pair.put("c", "one").await;
    let dry = compared(&pair, json!({ "dry_run": true })).await;
    let mut expected = outcome(1, 1, 1, 0);
    expected["dry_run"] = json!(true);
    assert_eq!(dry["outcome"], expected, "{dry:#}");
    let lines = said(&pair, &dry).await;
    for line in [
        "would be updated a",
        "would be removed b",
        "would be added c",
    ] {
        assert!(lines.iter().any(|said| said == line), "{line}: {lines:?}");
    }
    assert_eq!(pair.known("c").await, None);
    let wet = compared(&pair, json!({})).await;
    assert_eq!(wet["outcome"], outcome(1, 1, 1, 0), "{wet:#}");
}

on_both!(what_was_put_through_the_server_is_the_same_at_the_store);
async fn what_was_put_through_the_server_is_the_same_at_the_store(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    for (path, content) in [("a", "small".to_owned()), ("b", "x".repeat(20 << 20))] {
        let at = format!("/api/v1/buckets/{MEDIA}/files/{path}");
        let put = pair.server.request(Method::PUT, &at).body(content);
        assert_eq!(put.send().await.expect("an answer").status(), 201);
    }
    let compared = compared(&pair, json!({})).await;
    assert_eq!(compared["outcome"], outcome(0, 0, 0, 2), "{compared:#}");
}

on_both!(the_command_line_makes_hooks_and_compares);
async fn the_command_line_makes_hooks_and_compares(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    let person = Person::logged_in(&pair.server).await;
    let hook = person.run(&["bucket", "hook", MEDIA]).await;
    assert_eq!(hook.code, Some(0), "{hook:?}");
    let secret = hook.output.trim();
    assert!(
        secret.starts_with("hks_") && !secret.contains(char::is_whitespace),
        "{hook:?}"
    );
    assert!(
        hook.errors
            .contains(&format!("/hooks/s3/{MEDIA}?secret={secret}")),
        "{hook:?}"
    );
    let asked = pair
        .server
        .anonymous(Method::GET, &format!("/hooks/s3/{MEDIA}"))
        .bearer_auth(secret);
    assert_eq!(asked.send().await.expect("an answer").status(), 204);
    pair.put("a", "one").await;
    let dry = person
        .run(&["bucket", "reconcile", MEDIA, "--dry-run"])
        .await;
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(dry.output.contains("would be added a"), "{dry:?}");
    let wet = person.run(&["bucket", "reconcile", MEDIA]).await;
    assert!(
        wet.output
            .contains("1 added, 0 updated, 0 removed, 0 unchanged."),
        "{wet:?}"
    );
    let ended = person.run(&["bucket", "hook", MEDIA, "--rm"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let disk = person.run(&["bucket", "reconcile", "files"]).await;
    assert_ne!(disk.code, Some(0), "{disk:?}");
    assert!(disk.errors.contains("disk"), "{disk:?}");
}

on_both!(a_comparison_can_be_put_on_a_schedule);
async fn a_comparison_can_be_put_on_a_schedule(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    let schedule = |input: Value| {
        json!({
            "name": "compare", "kind": "reconcile", "input": input,
            "cron": "15 3 * * *", "zone": "Europe/Berlin", "missed": "skip",
        })
    };
    let wrong = schedule(json!({ "bucket": MEDIA, "prefx": "a" }));
    let (status, problem) = pair.server.post("/api/v1/schedules", &wrong).await;
    assert!(status.is_client_error(), "{problem}");
    let right = schedule(json!({ "bucket": MEDIA }));
    let (status, made) = pair.server.post("/api/v1/schedules", &right).await;
    assert_eq!(status, 201, "{made}");
}

/// One who asks for what takes the right to a bucket.
enum Asker<'a> {
    Password(&'a str, String),
    Token(String),
}

impl Asker<'_> {
    async fn ask(&self, server: &TestServer, method: Method, path: &str, body: &Value) -> u16 {
        let request = match self {
            Self::Password(name, password) => server.request_as(name, password, method, path),
            Self::Token(token) => server.anonymous(method, path).bearer_auth(token),
        };
        let request = request.header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().await;
        answer.expect("an answer").status().as_u16()
    }
}

on_both!(neither_a_schedule_nor_a_repetition_is_a_way_around_the_rights_in_a_bucket);
async fn neither_a_schedule_nor_a_repetition_is_a_way_around_the_rights_in_a_bucket(
    database: TestDatabase,
) {
    const GRANTS: &str = "/api/v1/buckets/media/grants";
    let pair = Pair::start(&database).await;
    let server = &pair.server;
    let schedule = |name: &str| {
        json!({
            "name": name, "kind": "reconcile", "input": { "bucket": MEDIA, "prefix": "in/" },
            "cron": "15 3 * * *", "missed": "skip",
        })
    };
    let (status, made) = server.post("/api/v1/schedules", &schedule("mine")).await;
    assert_eq!(status, 201, "{made}");
    let theirs = format!("/api/v1/schedules/{}", id_of(&made));
    let ended = compared(&pair, json!({ "prefix": "in/" })).await;
    let again = format!("/api/v1/operations/{}/retry", id_of(&ended));
    let (took_in, told_of_all, told_of_part) = taken_in_and_told(&pair).await;
    let change = server.request(Method::PATCH, &format!("/api/v1/buckets/{MEDIA}"));
    let change = change.header("Content-Type", "application/json");
    assert_eq!(answered(change.body(r#"{"by_role":false}"#)).await.0, 200);

    let scopes = ["operations:write", "files:read", "files:write"];
    let body = json!({ "name": "held", "scopes": scopes });
    let (status, token) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{token}");
    let text = token["token"].as_str().expect("a token").to_owned();
    // Its grant holds it to less than this.
    let body = json!({ "token": token["id"], "prefix": "in/", "permissions": ["list", "write"] });
    assert_eq!(server.post(GRANTS, &body).await.0, 201);
    let otto = Asker::Password("otto", add_user(server, "otto", "operator").await);
    for asker in [&otto, &Asker::Token(text)] {
        let ask = async |method: Method, path: &str, body: &Value| {
            asker.ask(server, method, path, body).await
        };
        let new = schedule("theirs");
        assert_eq!(ask(Method::POST, "/api/v1/schedules", &new).await, 403);
        let later = json!({ "cron": "16 3 * * *" });
        assert_eq!(ask(Method::PATCH, &theirs, &later).await, 403);
        for path in [&again, &took_in, &told_of_all] {
            assert_eq!(ask(Method::POST, path, &json!({})).await, 403, "{path}");
        }
    }
    let verbs = ["list", "write", "delete"];
    let ask =
        async |method: Method, path: &str, body: &Value| otto.ask(server, method, path, body).await;
    assert_eq!(ask(Method::POST, &told_of_part, &json!({})).await, 403);
    let body = json!({ "user": "otto", "prefix": "in/", "permissions": verbs });
    assert_eq!(server.post(GRANTS, &body).await.0, 201);
    let new = schedule("theirs");
    assert_eq!(ask(Method::POST, "/api/v1/schedules", &new).await, 201);
    let wider = json!({ "input": { "bucket": MEDIA } });
    assert_eq!(ask(Method::PATCH, &theirs, &wider).await, 403);
    let later = json!({ "cron": "16 3 * * *" });
    assert_eq!(ask(Method::PATCH, &theirs, &later).await, 200);
    for path in [&again, &told_of_part] {
        assert_eq!(ask(Method::POST, path, &json!({})).await, 201, "{path}");
    }
    // What a store told may be of the whole bucket.
    for path in [&took_in, &told_of_all] {
        assert_eq!(ask(Method::POST, path, &json!({})).await, 403, "{path}");
    }
    let body = json!({ "user": "otto", "permissions": verbs });
    assert_eq!(server.post(GRANTS, &body).await.0, 201);
    for path in [&took_in, &told_of_all] {
        assert_eq!(ask(Method::POST, path, &json!({})).await, 201, "{path}");
    }
}

/// Has something taken in that a store told of, and told to a webhook of the whole bucket and to
/// one of `in/`; where each of that is asked for again.
async fn taken_in_and_told(pair: &Pair) -> (String, String, String) {
    let server = &pair.server;
    let mut listener = Listener::start(&[200]).await;
    let mut repetitions = Vec::new();
    for prefix in ["", "in/"] {
        let body = json!({ "url": listener.url, "prefix": prefix });
        let path = format!("/api/v1/buckets/{MEDIA}/webhooks");
        let (status, made) = server.post(&path, &body).await;
        assert_eq!(status, 201, "{made}");
        repetitions.push(format!("subject=webhook:{}", id_of(&made)));
    }
    let put = server
        .request(Method::PUT, &format!("/api/v1/buckets/{MEDIA}/files/in/a"))
        .body("one");
    assert_eq!(answered(put).await.0, 201);
    for _ in &repetitions {
        listener.next().await;
    }
    let told = event("ObjectCreated:Put", "in/a", "01");
    pair.tell_and_wait(&told).await;
    repetitions.push(format!("kind=take-in&subject=bucket:{MEDIA}"));
    for about in &mut repetitions {
        let path = format!("/api/v1/operations?{about}&limit=1");
        let (status, page) = server.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let id = id_of(&page["items"][0]);
        in_state(server, &id, &ENDED).await;
        *about = format!("/api/v1/operations/{id}/retry");
    }
    let [all, part, took_in] = <[String; 3]>::try_from(repetitions).expect("three");
    (took_in, all, part)
}
