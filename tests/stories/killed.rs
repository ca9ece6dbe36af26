//! Kill -9 in the middle of writes: nothing that was accepted is lost, nothing is
//! done twice.

use crate::archive::contents;
use crate::desk::{archive, ended, id_of, in_state, log_lines, operation_of, rest, streamed};
use crate::live_socket::log_topic;
use crate::program::{server, stored};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use testing::{Answer, Content, Live, Origin, TestDatabase, TestServer, on_both, within};
use tokio::sync::{mpsc, watch};

const ROUNDS: u64 = 3;
const CLIENTS: u64 = 8;
/// Bundles accepted in one round before the kill.
const ACCEPTED: usize = 25;

/// Asks for bundles until the server is gone; tells those that were accepted.
async fn client(
    request: Arc<dyn Fn() -> reqwest::RequestBuilder + Send + Sync>,
    origin: String,
    first: u64,
    accepted: mpsc::Sender<(String, u64)>,
    mut stop: watch::Receiver<bool>,
) {
    for number in first.. {
        let body =
            json!({ "sources": [format!("{origin}/{number}"), format!("{origin}/{number}?")] });
        let asking = request()
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send();
        let answer = tokio::select! {
            answer = asking => answer,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        // What broke off was not accepted, as far as this client knows.
        let Ok(answer) = answer else { return };
        assert_eq!(answer.status(), 201);
        let Ok(bundle) = answer.json::<Value>().await else {
            return;
        };
        if accepted.send((id_of(&bundle), number)).await.is_err() {
            return;
        }
    }
}

/// One round: many clients at once, and a kill in the middle of it.
async fn round(server: &mut TestServer, origin: &Origin, round: u64) -> BTreeMap<String, u64> {
    let (sender, mut accepted) = mpsc::channel(1);
    let (stop, stopped) = watch::channel(false);
    let (base, password) = (server.url(), server.admin_password().to_owned());
    let plain = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let request: Arc<dyn Fn() -> reqwest::RequestBuilder + Send + Sync> = Arc::new(move || {
        plain
            .request(Method::POST, format!("{base}/api/v1/bundles"))
            .basic_auth("admin", Some(&password))
    });
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let first = (round * CLIENTS + number) * 100_000;
        let client = client(
            Arc::clone(&request),
            origin.url(""),
            first,
            sender.clone(),
            stopped.clone(),
        );
        clients.spawn(client);
    }
    drop(sender);
    let mut all = BTreeMap::new();
    while all.len() < ACCEPTED {
        let told = within("a bundle to be accepted", accepted.recv()).await;
        let (id, number) = told.expect("the server accepts");
        all.insert(id, number);
    }
    server.kill9().await;
    // What was accepted and not told yet counts, too.
    let rest = async {
        while let Some((id, number)) = accepted.recv().await {
            all.insert(id, number);
        }
    };
    within("every client to notice the kill", rest).await;
    stop.send_replace(true);
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client saw anything wrong");
    }
    all
}

/// Every bundle or operation of a list, over all of its pages.
async fn listed(server: &TestServer, path: &str) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let (status, page) = server.get(&format!("{path}limit=200{next}")).await;
        assert_eq!(status, 200, "{page}");
        all.extend(page["items"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return all,
        }
    }
}

on_both!(no_accepted_bundle_is_lost_and_none_is_made_twice);
async fn no_accepted_bundle_is_lost_and_none_is_made_twice(database: TestDatabase) {
    let origin = Origin::start().await;
    origin.answer_others(|seen| {
        let number = crate::desk::number_of(seen);
        Answer::ok(Content::seeded(number, 500 + number % 1000))
    });
    let options = server(&database)
        .env("LONGSHORE_OPERATIONS_LEASE", "2s")
        .env("LONGSHORE_OPERATIONS_HEARTBEAT", "500ms");
    let mut server = options.start().await;
    let mut accepted = BTreeMap::new();
    for number in 0..ROUNDS {
        accepted.extend(round(&mut server, &origin, number).await);
        server.start_again().await;
    }
    for (id, number) in &accepted {
        let bundle = ended(&server, id).await;
        assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
        assert_eq!(bundle["done"], 2, "{bundle:#}");
        let contents = contents(&archive(&server, id).await);
        let expected = Content::seeded(*number, 500 + number % 1000).to_vec();
        assert!(
            contents.values().all(|content| *content == expected),
            "{id}"
        );
    }
    let operations = listed(&server, "/api/v1/operations?kind=bundle&").await;
    let ids: BTreeSet<String> = operations.iter().map(id_of).collect();
    assert_eq!(ids.len(), operations.len(), "none is listed twice");
    for operation in &operations {
        let id = id_of(operation);
        // Some were stored, and their answer did not arrive any more.
        let bundle = ended(&server, &id).await;
        assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
        let (_, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
        let transitions = operation["transitions"].as_array().expect("a list");
        let ends = transitions
            .iter()
            .filter(|transition| transition["state"] == "succeeded");
        assert_eq!(ends.count(), 1, "{operation:#}");
    }
    assert!(accepted.keys().all(|id| ids.contains(id)));
    let bundles = listed(&server, "/api/v1/bundles?").await;
    let with_archive = bundles
        .iter()
        .filter(|bundle| bundle["size"].is_u64())
        .count();
    assert_eq!(
        with_archive,
        operations.len(),
        "a bundle for each operation"
    );
    // A kill between storing an archive and saying so leaves one that nobody owns,
    // which is swept when it is a day old; never more than ran at the time.
    let archives = stored(server.data()).len();
    assert!(
        archives >= with_archive,
        "{archives} archives, {with_archive} bundles"
    );
    assert!(archives <= with_archive + usize::try_from(ROUNDS).expect("few") * 16);
}

on_both!(a_bundle_that_was_being_made_is_taken_up_and_its_log_goes_on);
async fn a_bundle_that_was_being_made_is_taken_up_and_its_log_goes_on(database: TestDatabase) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 700)));
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 700)).held());
    let options = server(&database)
        .env("LONGSHORE_OPERATIONS_LEASE", "2s")
        .env("LONGSHORE_OPERATIONS_HEARTBEAT", "500ms");
    let mut server = options.start().await;
    let body = json!({ "sources": [quick, held] });
    let id = crate::desk::accepted(&server, &body).await;
    crate::desk::operation_when(&server, &id, |operation| operation["progress"]["done"] == 1).await;
    let before = crate::desk::log_lines(&server, &id).await;
    assert!(!before.is_empty());
    server.kill9().await;
    origin.release();
    server.start_again().await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["operation"]["attempt"], 2, "{bundle:#}");
    let after = crate::desk::log_lines(&server, &id).await;
    assert_eq!(
        after[..before.len()],
        before[..],
        "what was read stays as it was"
    );
    let numbers: Vec<u64> = after
        .iter()
        .filter_map(|line| line["seq"].as_u64())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert_eq!(contents(&archive(&server, &id).await).len(), 2);
}

on_both!(a_streamed_bundle_whose_server_was_killed_ends_as_interrupted_with_its_log);
async fn a_streamed_bundle_whose_server_was_killed_ends_as_interrupted_with_its_log(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 2000)));
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 700)).held());
    let options = server(&database)
        .env("LONGSHORE_OPERATIONS_LEASE", "2s")
        .env("LONGSHORE_OPERATIONS_HEARTBEAT", "500ms");
    let mut server = options.start().await;
    let answer = streamed(&server, &json!({ "sources": [quick, held] })).await;
    assert_eq!(answer.status(), 200);
    let id = operation_of(&answer);
    // A line is told when it is stored.
    let mut live = Live::connect(&server).await;
    live.subscribe(log_topic(&id, 1)).await;
    live.until(|message| message["type"] == "log").await;
    origin
        .when("both sources to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    let before = log_lines(&server, &id).await;
    assert!(!before.is_empty());
    server.kill9().await;
    rest(answer)
        .await
        .expect_err("an archive that broke never ends cleanly");
    origin.release();
    server.start_again().await;
    let operation = in_state(&server, &id, &["interrupted", "succeeded", "failed"]).await;
    assert_eq!(operation["state"], "interrupted", "{operation:#}");
    assert_eq!(operation["attempt"], 1, "{operation:#}");
    assert_eq!(operation["error"]["code"], "interrupted", "{operation:#}");
    let (_, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
    let transitions = operation["transitions"].as_array().expect("a list");
    let states: Vec<&str> = transitions
        .iter()
        .filter_map(|transition| transition["state"].as_str())
        .collect();
    assert_eq!(states, ["queued", "running", "interrupted"]);
    assert_eq!(transitions[2]["reason"], "its worker was lost");
    let after = log_lines(&server, &id).await;
    assert_eq!(
        after[..before.len()],
        before[..],
        "what was read stays as it was"
    );
    assert_eq!(origin.seen().len(), 2, "nothing was fetched again");
}
