//! The list of operations over HTTP: every filter and every sort gives what it says.

use crate::desk::{accepted, ended};
use crate::program::{opened, server};
use base::OperationId;
use serde_json::{Value, json};
use storage::values;
use testing::{TestDatabase, TestServer, on_both};

/// What the operations are made out to be: state, subject, server, actor, trigger, and
/// which of those before started it.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<usize>,
);
const ROWS: [Row; 6] = [
    ("succeeded", "stack:b", "hel-2", "user:anna", "api", None),
    (
        "failed",
        "stack:a",
        "hel-1",
        "user:ben",
        "schedule",
        Some(0),
    ),
    (
        "cancelled",
        "",
        "hel-1",
        "schedule:tick",
        "schedule",
        Some(0),
    ),
    ("interrupted", "stack:b", "", "user:anna", "push", None),
    (
        "failed",
        "stack:c",
        "hel-3",
        "user:anna",
        "operation",
        Some(1),
    ),
    ("succeeded", "", "hel-2", "user:ben", "system", None),
];

/// What is asked, and which of the rows are the answer.
type Question<'a> = (&'a [(&'a str, &'a str)], &'a [usize]);

/// A server with six operations that are all that there could be; they, the oldest first.
async fn filled(database: &TestDatabase) -> (TestServer, Vec<Value>) {
    let mut server = server(database).start().await;
    let mut ids: Vec<String> = Vec::new();
    for _ in ROWS {
        let id = accepted(&server, &json!({ "sources": ["rubbish"] })).await;
        ended(&server, &id).await;
        ids.push(id);
    }
    // No feature works on servers yet, so it is told to the database.
    assert!(server.terminate().await.success());
    let db = opened(&server, database).await;
    let uuid = |id: &String| id.parse::<OperationId>().expect("an id").uuid();
    for (id, (state, subject, on, actor, trigger, parent)) in ids.iter().zip(ROWS) {
        let parent = parent.map(|at| uuid(&ids[at]));
        let sql = "UPDATE operation SET state = $2, subject = $3, server = $4, actor = $5,
            trigger = $6, parent = $7 WHERE id = $1";
        let values = values![uuid(id), state, subject, on, actor, trigger, parent];
        assert_eq!(db.execute(sql, values).await.expect("changed"), 1);
    }
    db.close().await;
    server.start_again().await;
    let mut made = Vec::new();
    for id in &ids {
        let (status, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
        assert_eq!(status, 200, "{operation}");
        made.push(operation);
    }
    (server, made)
}

/// All that a question finds, in pages of this many.
async fn listed(server: &TestServer, question: &[(&str, &str)], limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("kind", "bundle")
            .append_pair("limit", &limit.to_string())
            .extend_pairs(question)
            .extend_pairs(cursor.iter().map(|cursor| ("cursor", cursor)))
            .finish();
        let (status, page) = server.get(&format!("/api/v1/operations?{query}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= limit, "{query}: {page:#}");
        found.extend(items.iter().map(crate::desk::id_of));
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return found;
        }
    }
}

on_both!(every_filter_of_the_list_gives_what_it_says);
async fn every_filter_of_the_list_gives_what_it_says(database: TestDatabase) {
    let (server, made) = filled(&database).await;
    let text = |at: usize, field: &str| made[at][field].as_str().expect("a text").to_owned();
    let (first, second, middle) = (text(0, "id"), text(1, "id"), text(3, "created_at"));
    let (first, second, middle) = (first.as_str(), second.as_str(), middle.as_str());
    let expected: [Question<'_>; 14] = [
        (&[], &[0, 1, 2, 3, 4, 5]),
        (&[("state", "failed")], &[1, 4]),
        (&[("subject", "stack:b")], &[0, 3]),
        (&[("server", "hel-1")], &[1, 2]),
        (&[("server", "hel-9")], &[]),
        (&[("actor", "user:anna")], &[0, 3, 4]),
        (&[("actor", "schedule:tick")], &[2]),
        (&[("trigger", "schedule")], &[1, 2]),
        (&[("trigger", "push")], &[3]),
        (&[("parent", first)], &[1, 2]),
        (&[("parent", second)], &[4]),
        (&[("to", middle)], &[0, 1, 2]),
        (&[("from", middle)], &[3, 4, 5]),
        (
            &[("server", "hel-2"), ("actor", "user:ben"), ("from", middle)],
            &[5],
        ),
    ];
    for (question, wanted) in expected {
        let mut question = question.to_vec();
        question.push(("order", "asc"));
        let wanted: Vec<String> = wanted.iter().map(|at| text(*at, "id")).collect();
        assert_eq!(listed(&server, &question, 50).await, wanted, "{question:?}");
        question.pop();
        let backwards: Vec<String> = wanted.into_iter().rev().collect();
        assert_eq!(
            listed(&server, &question, 1).await,
            backwards,
            "{question:?}"
        );
    }
}

on_both!(every_sort_of_the_list_pages_through_all_in_both_directions);
async fn every_sort_of_the_list_pages_through_all_in_both_directions(database: TestDatabase) {
    let (server, made) = filled(&database).await;
    let mut orders = Vec::new();
    for sort in [
        "created_at",
        "kind",
        "state",
        "subject",
        "server",
        "actor",
        "trigger",
    ] {
        // What is absent is as if it were empty, and ids are in the order of time.
        let key = |operation: &Value, field: &str| match field {
            "created_at" => String::new(),
            field => operation[field].as_str().unwrap_or_default().to_owned(),
        };
        let mut sorted = made.clone();
        sorted.sort_by_key(|operation| (key(operation, sort), key(operation, "id")));
        let mut wanted: Vec<String> = sorted.iter().map(crate::desk::id_of).collect();
        orders.push(wanted.clone());
        for order in ["asc", "desc"] {
            let question = [("sort", sort), ("order", order)];
            for limit in [2, 50] {
                let found = listed(&server, &question, limit).await;
                assert_eq!(found, wanted, "{question:?}, {limit} a page");
            }
            wanted.reverse();
        }
    }
    // None of them could stand in for another: only the kind is the same for all.
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 6);
}
