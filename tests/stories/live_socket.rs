//! The live socket: a snapshot, changes, logs; without gap or repeat, whatever breaks.

use crate::desk::{accepted, in_state, log_lines, made, number_of};
use crate::program::{opened, server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testing::{Answer, Content, Live, Origin, TestDatabase, TestServer, on_both};

/// An origin that has a file under every number, the one at `/held` once it is released.
pub(crate) async fn origin() -> Origin {
    let origin = Origin::start().await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 300)));
    origin.put("/held", Answer::ok(Content::seeded(1, 300)).held());
    origin
}

/// A bundle that runs until its origin is released.
async fn running(server: &TestServer, origin: &Origin) -> String {
    let id = accepted(server, &json!({ "sources": [origin.url("/held")] })).await;
    in_state(server, &id, &["running"]).await;
    id
}

pub(crate) fn topic(filter: &Value, since: Option<u64>) -> Value {
    json!({ "kind": "operations", "filter": filter, "since": since })
}

pub(crate) fn log_topic(id: &str, from: u64) -> Value {
    json!({ "kind": "operation", "operation": id, "since": null, "log_from": from })
}

/// The operations that messages tell of, in order, with their states.
pub(crate) fn told(messages: &[Value]) -> Vec<(String, String)> {
    let operations = messages
        .iter()
        .filter(|message| message["type"] == "operation");
    operations
        .map(|message| {
            let operation = &message["operation"];
            let text = |field: &str| operation[field].as_str().expect("a text").to_owned();
            (text("id"), text("state"))
        })
        .collect()
}

pub(crate) fn is(kind: &'static str) -> impl FnMut(&Value) -> bool {
    move |message| message["type"] == kind
}

/// The numbers of the log lines among messages.
pub(crate) fn numbers(messages: &[Value]) -> Vec<u64> {
    let logs = messages.iter().filter(|message| message["type"] == "log");
    logs.flat_map(|message| message["lines"].as_array().expect("lines").clone())
        .map(|line| line[0].as_u64().expect("a number"))
        .collect()
}

on_both!(a_subscriber_is_told_what_stands_and_then_every_change);
async fn a_subscriber_is_told_what_stands_and_then_every_change(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    made(&server, &json!({ "sources": [origin.url("/1")] })).await;
    let first = running(&server, &origin).await;
    let mut live = Live::connect(&server).await;
    live.subscribe(topic(&json!({ "kind": "bundle" }), None))
        .await;
    let standing = live.until(is("position")).await;
    assert_eq!(
        told(&standing),
        [(first.clone(), "running".to_owned())],
        "what runs, and no more"
    );

    let second = accepted(&server, &json!({ "sources": [origin.url("/2")] })).await;
    let mut wanted = vec![
        (second.clone(), "queued"),
        (second, "running"),
        (first, "succeeded"),
    ];
    let mut seen = Vec::new();
    while !wanted.is_empty() {
        if wanted.len() == 1 {
            origin.release();
        }
        let message = live.next().await;
        for (id, state) in told(&[message]) {
            wanted.retain(|wanted| *wanted != (id.clone(), state.as_str()));
            // A state may be over before it is told.
            wanted.retain(|(other, _)| *other != id || state != "succeeded");
            seen.push((id, state));
        }
    }
    assert!(seen.len() >= 2, "{seen:?}");
}

on_both!(a_log_is_replayed_from_its_first_line_followed_and_ended);
async fn a_log_is_replayed_from_its_first_line_followed_and_ended(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let mut urls: Vec<String> = (1..300)
        .map(|number| origin.url(&format!("/{number}")))
        .collect();
    urls.push(origin.url("/held"));
    let id = accepted(&server, &json!({ "sources": urls })).await;
    let mut live = Live::connect(&server).await;
    live.subscribe(log_topic(&id, 1)).await;
    let mut messages = live.until(|message| message["type"] == "log").await;
    origin.release();
    messages.extend(live.until(is("log_end")).await);
    let lines = log_lines(&server, &id).await;
    let expected: Vec<u64> = (1..=lines.len() as u64).collect();
    assert_eq!(numbers(&messages), expected, "every line once");
    assert_eq!(
        messages.last().expect("the end")["last_seq"],
        lines.len(),
        "log_end"
    );

    let middle = lines.len() as u64 / 2;
    let mut late = Live::connect(&server).await;
    late.subscribe(log_topic(&id, middle)).await;
    let messages = late.until(is("log_end")).await;
    assert_eq!(
        numbers(&messages),
        (middle..=lines.len() as u64).collect::<Vec<_>>()
    );
}

on_both!(after_a_cut_everything_goes_on_without_gap_or_repeat);
async fn after_a_cut_everything_goes_on_without_gap_or_repeat(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let urls: Vec<String> = (0..400)
        .map(|number| origin.url(&format!("/{number}")))
        .collect();
    let id = accepted(&server, &json!({ "sources": urls })).await;
    let (mut from, mut lines, mut since) = (1, Vec::new(), None);
    let mut changes = BTreeMap::new();
    for connection in 0.. {
        let mut live = Live::connect(&server).await;
        let topic = json!({
            "kind": "operation", "operation": id, "since": since, "log_from": from,
        });
        live.subscribe(topic).await;
        let mut ended = false;
        let mut logs = 0;
        // A few messages at a time, and the line is cut.
        while !ended && (connection > 20 || logs < 3) {
            let message = live.next().await;
            match message["type"].as_str() {
                Some("log") => {
                    logs += 1;
                    lines.extend(numbers(std::slice::from_ref(&message)));
                    from = lines.last().expect("a line") + 1;
                }
                Some("operation") => {
                    let changed = message["changed"].as_u64().expect("a number");
                    let again = changes.insert(changed, message["operation"]["state"].clone());
                    assert!(
                        again.is_none() || since.is_none_or(|since| changed > since),
                        "{message}"
                    );
                }
                Some("position") => since = message["changed"].as_u64(),
                Some("log_end") => ended = true,
                _ => {}
            }
        }
        live.cut();
        if ended {
            break;
        }
    }
    let stored = log_lines(&server, &id).await;
    assert_eq!(lines, (1..=stored.len() as u64).collect::<Vec<_>>());
}

on_both!(changes_of_the_time_between_are_told_to_who_comes_back);
async fn changes_of_the_time_between_are_told_to_who_comes_back(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let mut live = Live::connect(&server).await;
    let filter = json!({ "kind": "bundle" });
    live.subscribe(topic(&filter, None)).await;
    let messages = live.until(is("position")).await;
    let since = messages.last().expect("a position")["changed"].as_u64();
    live.cut();
    let mut ids = Vec::new();
    for number in 0..10 {
        let body = json!({ "sources": [origin.url(&format!("/{number}"))] });
        ids.push(made(&server, &body).await.0);
    }
    let mut live = Live::connect(&server).await;
    live.subscribe(topic(&filter, since)).await;
    let mut ended = Vec::new();
    while ended.len() < ids.len() {
        for (id, state) in told(&[live.next().await]) {
            if state == "succeeded" {
                ended.push(id);
            }
        }
    }
    ended.sort();
    ids.sort();
    assert_eq!(ended, ids, "each, and each once");
}

on_both!(who_has_seen_more_than_there_is_is_told_what_stands);
async fn who_has_seen_more_than_there_is_is_told_what_stands(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let id = running(&server, &origin).await;
    let mut live = Live::connect(&server).await;
    // As after an older database was put back.
    live.subscribe(topic(&json!({ "kind": "bundle" }), Some(1_000_000_000)))
        .await;
    let standing = live.until(is("position")).await;
    assert_eq!(told(&standing), [(id.clone(), "running".to_owned())]);
    origin.release();
    live.until(|message| told(std::slice::from_ref(message)) == [(id.clone(), "succeeded".into())])
        .await;
}

on_both!(what_may_be_done_is_told_by_the_role_that_one_has_now);
async fn what_may_be_done_is_told_by_the_role_that_one_has_now(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let password = "long-enough-for-otto";
    let body = json!({ "name": "otto", "role": "operator", "password": password });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    let url = format!("ws://127.0.0.1:{}/api/v1/live", server.port());
    let mut live = Live::connect_to(&url, "otto", password).await;
    live.subscribe(topic(&json!({ "kind": "bundle" }), None))
        .await;
    live.until(is("position")).await;
    let first = running(&server, &origin).await;
    let of = |message: &Value, id: &str, state: &str| {
        message["operation"]["id"] == id && message["operation"]["state"] == state
    };
    let seen = live.until(|message| of(message, &first, "running")).await;
    let actions = |seen: &[Value]| seen.last().expect("it is told")["operation"]["actions"].clone();
    assert_eq!(actions(&seen), json!(["cancel"]));
    let role = json!({ "role": "viewer" });
    let changed = server
        .request(reqwest::Method::PATCH, "/api/v1/users/otto")
        .json(&role)
        .send()
        .await;
    assert_eq!(changed.expect("an answer").status(), 200);
    // Each socket is asked anew about its caller; when this one was shows in what it is told.
    testing::within("the new role to count", async {
        loop {
            let id = made(&server, &json!({ "sources": [origin.url("/1")] }))
                .await
                .0;
            let seen = live.until(|message| of(message, &id, "succeeded")).await;
            if actions(&seen) == json!([]) {
                break;
            }
        }
    })
    .await;
}

on_both!(a_filter_lets_through_what_it_names_and_nothing_else);
async fn a_filter_lets_through_what_it_names_and_nothing_else(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let mut live = Live::connect(&server).await;
    live.subscribe(topic(
        &json!({ "kind": "bundle", "state": "succeeded" }),
        None,
    ))
    .await;
    live.until(is("position")).await;
    let mut other = Live::connect(&server).await;
    other
        .subscribe(topic(&json!({ "subject": "bundle:wanted.zip" }), None))
        .await;
    other.until(is("position")).await;
    let failing = json!({ "name": "unwanted", "sources": ["rubbish"] });
    let failed = accepted(&server, &failing).await;
    in_state(&server, &failed, &["failed"]).await;
    let body = json!({ "name": "wanted", "sources": [origin.url("/1")] });
    let (id, _) = made(&server, &body).await;
    let message = live.until(is("operation")).await;
    assert_eq!(told(&message), [(id.clone(), "succeeded".to_owned())]);
    let message = other.until(is("operation")).await;
    assert_eq!(told(&message)[0].0, id, "the other name was not told");
}

on_both!(wrong_messages_are_answered_with_an_error_and_the_socket_goes_on);
async fn wrong_messages_are_answered_with_an_error_and_the_socket_goes_on(database: TestDatabase) {
    let server = server(&database).start().await;
    let mut live = Live::connect(&server).await;
    let nowhere = "01900000-0000-7000-8000-000000000000";
    for (message, id) in [
        (json!("hello"), Value::Null),
        (json!({ "type": "dance" }), Value::Null),
        (json!({ "type": "subscribe" }), Value::Null),
        (
            json!({ "type": "subscribe", "id": 1, "topic": { "kind": "weather" } }),
            Value::Null,
        ),
        (
            json!({ "type": "subscribe", "id": 2, "topic": log_topic(nowhere, 1) }),
            json!(2),
        ),
    ] {
        live.send(&message).await;
        let answer = live.next().await;
        assert_eq!(answer["type"], "error", "{message}: {answer}");
        assert_eq!(answer["id"], id, "{message}: {answer}");
        assert!(
            answer["code"].is_string() && answer["message"].is_string(),
            "{answer}"
        );
    }
    live.send(&json!({ "type": "ping" })).await;
    assert_eq!(live.next().await["type"], "pong");
    let id = live.subscribe(topic(&json!({}), None)).await;
    live.until(is("subscribed")).await;
    live.send(&json!({ "type": "subscribe", "id": id, "topic": topic(&json!({}), None) }))
        .await;
    let taken = live.until(is("error")).await;
    assert_eq!(taken.last().expect("an error")["code"], "taken");
    live.unsubscribe(id).await;
    live.until(is("unsubscribed")).await;
}

on_both!(one_that_is_lost_is_made_anew_under_its_number);
async fn one_that_is_lost_is_made_anew_under_its_number(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let (id, _) = made(&server, &json!({ "sources": [origin.url("/1")] })).await;
    let lines = log_lines(&server, &id).await.len() as u64;
    let db = opened(&server, &database).await;
    let mut live = Live::connect(&server).await;

    let away = "ALTER TABLE operation_log RENAME TO log_elsewhere";
    db.execute(away, vec![]).await.expect("it is renamed");
    let number = live.subscribe(log_topic(&id, 1)).await;
    let lost = live.until(is("error")).await;
    let lost = lost.last().expect("an error");
    assert_eq!(
        (&lost["code"], &lost["id"]),
        (&json!("unavailable"), &json!(number))
    );

    let back = "ALTER TABLE log_elsewhere RENAME TO operation_log";
    db.execute(back, vec![]).await.expect("it is renamed");
    db.close().await;
    live.send(&json!({ "type": "subscribe", "id": number, "topic": log_topic(&id, 1) }))
        .await;
    let told = live
        .until(|message| message["type"] == "log_end" || message["type"] == "error")
        .await;
    let last = told.last().expect("an end");
    assert_eq!(last["type"], "log_end", "{last}");
    assert_eq!(numbers(&told), (1..=lines).collect::<Vec<_>>());
}
