//! What is asked of a server about its syncs: by the command line, and by the API.

use super::on_server::{put, run};
use crate::command_line::Person;
use crate::program::server;
use crate::told::Listener;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use testing::{TestDatabase, TestServer, on_both, within};

/// Three pictures and a text, of which the texts go nowhere and those below `bad/` are
/// refused.
async fn told_of_files(server: &TestServer) -> (Listener, Listener) {
    let (takes, refuses) = (Listener::start(&[204]).await, Listener::start(&[422]).await);
    let to = |listener: &Listener| json!({ "kind": "webhook", "url": listener.url });
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
        "targets": [
            { "name": "bad", "when": { "prefix": "media/bad/" }, "to": to(&refuses) },
            { "name": "good", "when": { "types": ["image/*", "video/*"] }, "to": to(&takes) },
        ],
    });
    let made = json!({ "name": "told", "rule": rule, "paused": true });
    let (status, made) = server.post("/api/v1/syncs", &made).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    put(server, "media/a.png", "image/png", b"a picture").await;
    put(server, "media/50%_b.webp", "image/webp", b"another").await;
    put(server, "media/film.mp4", "video/mp4", b"a film").await;
    put(server, "media/bad/c.png", "image/png", b"a third").await;
    put(server, "media/d.txt", "text/plain", b"words").await;
    let (status, _) = server.post("/api/v1/syncs/told/resume", &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    (takes, refuses)
}

on_both!(deliveries_are_found_by_state_target_type_and_words);
async fn deliveries_are_found_by_state_target_type_and_words(database: TestDatabase) {
    let server = server(&database).start().await;
    let _told = told_of_files(&server).await;
    run(&server, "told").await;
    let all = ["50%_b.webp", "a.png", "bad/c.png", "d.txt", "film.mp4"];
    for (query, expected) in [
        ("", &all[..]),
        ("?state=marked", &["50%_b.webp", "a.png", "film.mp4"]),
        ("?state=failed", &["bad/c.png"]),
        ("?state=skipped", &["d.txt"]),
        ("?state=working", &[]),
        ("?target=good", &["50%_b.webp", "a.png", "film.mp4"]),
        ("?target=bad", &["bad/c.png"]),
        ("?target=none", &[]),
        ("?type=image/png", &["a.png", "bad/c.png"]),
        ("?type=image/*", &["50%_b.webp", "a.png", "bad/c.png"]),
        ("?type=image", &[]),
        ("?q=FILM", &["film.mp4"]),
        ("?q=media/", &all),
        // What stands for anything in a pattern stands for itself.
        ("?q=50%25_b", &["50%_b.webp"]),
        ("?q=a_png", &[]),
        ("?q=%25", &["50%_b.webp"]),
        ("?state=marked&type=image/*&q=a.p", &["a.png"]),
        ("?state=failed&target=good", &[]),
    ] {
        let path = format!("/api/v1/syncs/told/deliveries{query}");
        assert_eq!(items(&server, &path).await, expected, "{query}");
    }
    let (status, _) = server.get("/api/v1/syncs/told/deliveries?state=lost").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // A page at a time, and none of them twice.
    let mut path = "/api/v1/syncs/told/deliveries?limit=2".to_owned();
    let (mut pages, mut seen) = (0, Vec::new());
    loop {
        let (_, page) = server.get(&path).await;
        pages += 1;
        seen.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => {
                path = format!("/api/v1/syncs/told/deliveries?limit=2&cursor={next}");
            }
            None => break,
        }
    }
    seen.sort();
    assert_eq!((pages, seen.as_slice()), (3, &all.map(str::to_owned)[..]));
}

/// The files of a page, without what all of them begin with.
fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().into_iter().flatten();
    let names = items.map(|one| one["item"].as_str().expect("a path"));
    names
        .map(|path| path.trim_start_matches("media/").to_owned())
        .collect()
}

async fn items(server: &TestServer, path: &str) -> Vec<String> {
    let (status, page) = server.get(path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let mut names = names(&page);
    names.sort();
    names
}

on_both!(passes_are_listed_the_newest_first_with_what_they_did);
async fn passes_are_listed_the_newest_first_with_what_they_did(database: TestDatabase) {
    let server = server(&database).start().await;
    let _told = told_of_files(&server).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let operation = run(&server, "told").await;
        ids.insert(0, operation["id"].clone());
    }
    let passes = ended_passes(&server).await;
    let found: Vec<Value> = passes.iter().map(|pass| pass["id"].clone()).collect();
    // One of its own accord may have come between, for what was put there.
    let ours: Vec<Value> = found.into_iter().filter(|id| ids.contains(id)).collect();
    assert_eq!(ours, ids);
    let sum = |field: &str| {
        let numbers = passes
            .iter()
            .map(|pass| pass[field].as_u64().expect("a number"));
        numbers.sum::<u64>()
    };
    assert_eq!((sum("delivered"), sum("failed")), (3, 1));
    for pass in &passes {
        let (began, ended) = (&pass["started_at"], &pass["ended_at"]);
        assert!(began.as_str() <= ended.as_str(), "{pass}");
    }
    let (_, page) = server.get("/api/v1/syncs/told/passes?limit=1").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    let next = page["next"].as_str().expect("there are more");
    let next = format!("/api/v1/syncs/told/passes?limit=1&cursor={next}");
    let (_, second) = server.get(&next).await;
    assert_eq!(second["items"][0]["id"], passes[1]["id"], "{second}");
    let (status, _) = server.get("/api/v1/syncs/nobody/passes").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// The passes of the sync, once none of them runs any more.
async fn ended_passes(server: &TestServer) -> Vec<Value> {
    within("every pass to end", async {
        loop {
            let (status, passes) = server.get("/api/v1/syncs/told/passes").await;
            assert_eq!(status, StatusCode::OK, "{passes}");
            let passes = passes["items"].as_array().cloned().expect("a list");
            if passes.iter().all(|pass| pass["ended_at"].is_string()) {
                return passes;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

on_both!(the_command_line_asks_a_server_by_its_address);
async fn the_command_line_asks_a_server_by_its_address(database: TestDatabase) {
    let server = server(&database).start().await;
    let (mut takes, _refuses) = told_of_files(&server).await;
    let person = Person::logged_in(&server).await;
    let url = server.url();
    let asked = async |arguments: &[&str]| {
        let arguments = [&["sync"], arguments, &["--url", &url]].concat();
        person.run(&arguments).await
    };
    let list = asked(&["ls"]).await;
    assert_eq!(list.code, Some(0), "{list:?}");
    for word in ["told", "bucket", "bad good"] {
        assert!(list.output.contains(word), "{word} {list:?}");
    }
    let plan = asked(&["dry-run", "told", "--json"]).await;
    let plan: Value = serde_json::from_str(&plan.output).expect("JSON");
    assert!(plan["files"].is_array(), "{plan}");
    let checked = asked(&["check", "told"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.output.contains("ok       Bucket `files`"),
        "{checked:?}"
    );
    let pass = asked(&["run", "told"]).await;
    assert!(matches!(pass.code, Some(0 | 10)), "{pass:?}");
    takes.next().await;
    let status = asked(&["status", "told"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    for word in ["3 marked", "1 skipped", "c.png", "the webhook answered 422"] {
        assert!(status.output.contains(word), "{word} {status:?}");
    }
    let retried = asked(&["retry", "told"]).await;
    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(
        retried.errors.contains("1 files are tried again"),
        "{retried:?}"
    );
    let detached = asked(&["run", "told", "--detach"]).await;
    assert_eq!(detached.code, Some(0), "{detached:?}");
    let id = detached.output.trim();
    let (status, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
    assert_eq!(
        (status, &operation["kind"]),
        (StatusCode::OK, &json!("sync-pass"))
    );
    let unknown = asked(&["status", "nobody"]).await;
    assert_ne!(unknown.code, Some(0), "{unknown:?}");
    assert!(unknown.errors.contains("sync"), "{unknown:?}");
}

on_both!(one_failed_file_is_retried_by_itself);
async fn one_failed_file_is_retried_by_itself(database: TestDatabase) {
    let server = server(&database).start().await;
    let refuses = Listener::start(&[422, 422, 204]).await;
    let to = json!({ "kind": "webhook", "url": refuses.url });
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
        "targets": [{ "name": "told", "to": to }],
    });
    let made = json!({ "name": "told", "rule": rule, "paused": true });
    let (status, made) = server.post("/api/v1/syncs", &made).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    put(&server, "media/a.png", "image/png", b"a picture").await;
    put(&server, "media/b.png", "image/png", b"another").await;
    server.post("/api/v1/syncs/told/resume", &json!({})).await;
    run(&server, "told").await;
    let failed = "/api/v1/syncs/told/deliveries?state=failed";
    let (_, found) = server.get(failed).await;
    let id = |at: usize| found["items"][at]["id"].as_str().expect("an id").to_owned();
    let path = |id: &str| format!("/api/v1/syncs/told/deliveries/{id}");
    let retry = |id: &str| format!("{}/retry", path(id));
    let (status, retried) = server.post(&retry(&id(0)), &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{retried}");
    within("the file to be delivered", async {
        loop {
            let (_, delivery) = server.get(&path(&id(0))).await;
            if delivery["state"] == "marked" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    // The other one rests, and what is delivered is not retried.
    let (_, other) = server.get(&path(&id(1))).await;
    assert_eq!(other["state"], "failed", "{other}");
    let (status, refused) = server.post(&retry(&id(0)), &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
}
