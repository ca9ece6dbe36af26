//! Watching where no WebSocket passes: request by request, and still without a gap or a
//! repeat.

use crate::desk::{accepted, ended, in_state, log_lines, made, number_of};
use crate::program::server;
use futures::future::{Either, select};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::pin;
use testing::{Answer, Content, Live, Origin, TestDatabase, TestServer, on_both};

const POLL: &str = "/api/v1/live/poll";

async fn origin() -> Origin {
    let origin = Origin::start().await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 300)));
    origin.put("/held", Answer::ok(Content::seeded(1, 300)).held());
    origin
}

/// One who polls, with the positions that it would send next.
struct Poller {
    topics: BTreeMap<u64, Value>,
    told: Vec<(u64, Value)>,
    lines: Vec<u64>,
    log_ended: bool,
}

impl Poller {
    fn of(topics: impl IntoIterator<Item = Value>) -> Self {
        Self {
            topics: (1..).zip(topics).collect(),
            told: Vec::new(),
            lines: Vec::new(),
            log_ended: false,
        }
    }

    /// Asks once; the messages.
    async fn ask(&mut self, server: &TestServer) -> Vec<Value> {
        let subscriptions: Vec<Value> = self
            .topics
            .iter()
            .map(|(id, topic)| json!({ "id": id, "topic": topic }))
            .collect();
        let (status, answer) = server
            .post(POLL, &json!({ "subscriptions": subscriptions }))
            .await;
        assert_eq!(status, 200, "{answer}");
        let messages = answer["messages"].as_array().expect("messages").clone();
        assert_eq!(messages[0]["type"], "hello", "{messages:?}");
        for message in &messages {
            self.heard(message);
        }
        messages
    }

    fn heard(&mut self, message: &Value) {
        match message["type"].as_str() {
            Some("position") => {
                let id = message["id"].as_u64().expect("whose it is");
                let topic = self.topics.get_mut(&id).expect("one of ours");
                topic["since"] = message["changed"].clone();
            }
            Some("operation") => {
                let changed = message["changed"].as_u64().expect("a number");
                self.told.push((changed, message["operation"].clone()));
            }
            Some("log") => {
                for line in message["lines"].as_array().expect("lines") {
                    self.lines.push(line[0].as_u64().expect("a number"));
                }
                let next = self.lines.last().expect("a line") + 1;
                for topic in self.topics.values_mut() {
                    if topic["log_from"].is_u64() {
                        topic["log_from"] = next.into();
                    }
                }
            }
            Some("log_end") => self.log_ended = true,
            _ => {}
        }
    }
}

on_both!(a_log_comes_whole_and_once_over_many_requests);
async fn a_log_comes_whole_and_once_over_many_requests(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let mut urls: Vec<String> = (1..400)
        .map(|number| origin.url(&format!("/{number}")))
        .collect();
    urls.push(origin.url("/held"));
    let id = accepted(&server, &json!({ "sources": urls })).await;
    let mut poller = Poller::of([json!({
        "kind": "operation", "operation": id, "since": null, "log_from": 1,
    })]);
    while poller.lines.len() < 300 {
        poller.ask(&server).await;
    }
    origin.release();
    while !poller.log_ended {
        poller.ask(&server).await;
    }
    let stored = log_lines(&server, &id).await.len() as u64;
    assert_eq!(poller.lines, (1..=stored).collect::<Vec<_>>());
}

on_both!(changes_between_two_requests_are_told_by_the_next_one_and_once);
async fn changes_between_two_requests_are_told_by_the_next_one_and_once(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let topic = json!({ "kind": "operations", "filter": { "kind": "bundle" }, "since": null });
    let mut poller = Poller::of([topic]);
    poller.ask(&server).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let body = json!({ "sources": [origin.url(&format!("/{number}"))] });
        ids.push(made(&server, &body).await.0);
    }
    let mut succeeded = Vec::new();
    while succeeded.len() < ids.len() {
        poller.ask(&server).await;
        succeeded = poller
            .told
            .iter()
            .filter(|(_, operation)| operation["state"] == "succeeded")
            .map(|(_, operation)| operation["id"].as_str().expect("an id").to_owned())
            .collect();
    }
    ids.sort();
    succeeded.sort();
    assert_eq!(succeeded, ids);
    let mut numbers: Vec<u64> = poller.told.iter().map(|(changed, _)| *changed).collect();
    let told = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), told, "none twice");
}

on_both!(a_request_waits_until_something_happens);
async fn a_request_waits_until_something_happens(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": [origin.url("/held")] })).await;
    in_state(&server, &id, &["running"]).await;
    let topic = json!({ "kind": "operation", "operation": id, "since": null, "log_from": null });
    let mut poller = Poller::of([topic]);
    poller.ask(&server).await;
    assert!(!poller.told.is_empty(), "as it stands");
    let ends = async |poller: &mut Poller| {
        while poller
            .told
            .iter()
            .all(|(_, operation)| operation["state"] != "succeeded")
        {
            poller.ask(&server).await;
        }
    };
    tokio::join!(ends(&mut poller), async { origin.release() });
    assert_eq!(ended(&server, &id).await["state"], "succeeded");
}

on_both!(what_cannot_be_watched_is_said_at_once);
async fn what_cannot_be_watched_is_said_at_once(database: TestDatabase) {
    let server = server(&database).start().await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let mut poller = Poller::of([json!({
        "kind": "operation", "operation": nobody, "since": null, "log_from": 1,
    })]);
    let messages = poller.ask(&server).await;
    assert_eq!(messages[1]["type"], "error", "{messages:?}");
    assert_eq!(messages[1]["code"], "not-found", "{messages:?}");
    assert_eq!(messages[1]["id"], 1, "{messages:?}");
}

on_both!(who_watches_nothing_waits_as_long_as_it_asked_to);
async fn who_watches_nothing_waits_as_long_as_it_asked_to(database: TestDatabase) {
    let server = server(&database).start().await;
    let ask = async |body: Value| {
        let (status, answer) = server.post(POLL, &body).await;
        (status, answer)
    };
    // The one that was sent last is answered first: it waits for a second, the other
    // for twenty.
    let long = pin!(ask(json!({ "subscriptions": [] })));
    let short = pin!(ask(json!({ "subscriptions": [], "wait": 1 })));
    let Either::Right(((status, answer), long)) = select(long, short).await else {
        panic!("it was answered with nothing to tell");
    };
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["messages"].as_array().map(Vec::len), Some(1));
    // And who wants the greeting alone has it at once.
    let greeted = pin!(ask(json!({ "subscriptions": [], "wait": 0 })));
    let Either::Right(((_, answer), _)) = select(long, greeted).await else {
        panic!("it was answered with nothing to tell");
    };
    assert_eq!(answer["messages"][0]["type"], "hello", "{answer}");
    let (status, problem) = ask(json!({ "subscriptions": [], "wait": 21 })).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "wait", "{problem}");
}

on_both!(who_does_not_wait_is_told_all_that_stands_and_its_position);
async fn who_does_not_wait_is_told_all_that_stands_and_its_position(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": [origin.url("/held")] })).await;
    in_state(&server, &id, &["running"]).await;
    let topic = json!({ "kind": "operation", "operation": id });
    let body = json!({ "subscriptions": [{ "id": 1, "topic": topic }], "wait": 0 });
    let (_, answer) = server.post(POLL, &body).await;
    let messages = answer["messages"].as_array().expect("messages");
    let said: Vec<_> = messages.iter().map(|message| &message["type"]).collect();
    assert!(
        said.starts_with(&[&json!("hello"), &json!("subscribed"), &json!("operation")]),
        "{said:?}"
    );
    assert!(said.contains(&&json!("position")), "{said:?}");
}

/// What the greeting of this user's poll says to be missing.
async fn missing(server: &TestServer, name: &str, password: &str) -> Value {
    let request = server
        .request_as(name, password, Method::POST, POLL)
        .json(&json!({ "subscriptions": [], "wait": 0 }));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{name}");
    let answer: Value = answer.json().await.expect("JSON");
    answer["messages"][0]["missing"].clone()
}

on_both!(who_polls_is_told_which_headers_of_their_request_for_a_socket_were_dropped);
async fn who_polls_is_told_which_headers_of_their_request_for_a_socket_were_dropped(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let (admin, password) = ("admin", server.admin_password());
    let other = json!({ "name": "vera", "role": "viewer", "password": "long-enough-for-vera" });
    assert_eq!(server.post("/api/v1/users", &other).await.0, 201);
    assert_eq!(missing(&server, admin, password).await, Value::Null);

    let cut = server
        .request(Method::GET, "/api/v1/live")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13");
    assert_eq!(cut.send().await.expect("an answer").status(), 426);
    let dropped = json!(["Upgrade", "Connection"]);
    assert_eq!(missing(&server, admin, password).await, dropped);
    let of_another = missing(&server, "vera", "long-enough-for-vera").await;
    assert_eq!(of_another, Value::Null, "not theirs");

    Live::connect(&server).await;
    assert_eq!(missing(&server, admin, password).await, Value::Null);
}
