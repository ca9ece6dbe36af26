//! What fails a pass as a whole: it is said with what to do, told of once, and the next
//! pass goes on once that is mended.

use super::on_server::{ended, run};
use super::telling::a_row_without_content;
use super::to_cloudflare::variables;
use super::world::{World, in_world, served};
use crate::afloat::keep_secret;
use crate::program::{Ended, server};
use crate::told::Listener;
use base::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use testing::{
    Cloudflare, Content, Fault, S3Store, Step, TestDatabase, TestServer, on_both, within,
};

/// The same variables with another value of one.
fn with(mut variables: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    variables.retain(|(known, _)| known != name);
    variables.push((name.to_owned(), value.to_owned()));
    variables
}

/// A pass that fails as a whole, and is told of once with the same words.
async fn fails(listener: &mut Listener, pass: &Ended, words: &[&str]) {
    assert_ne!(pass.code, Some(0), "{pass:?}");
    let body = listener.next().await.json();
    assert_eq!(body["counts"]["failed"], 0, "no file is blamed: {body}");
    let told = body["failure"].as_str().expect("it says why");
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told}");
        assert!(pass.errors.contains(word), "{word:?} {pass:?}");
    }
}

/// A pass whose only failure is a file is the next that is told of: nobody was told twice.
async fn goes_on(listener: &mut Listener, world: &World, variables: Vec<(String, String)>) {
    let pass = world.sync_with(variables.clone(), &["run"]).await;
    assert_eq!(pass.code, Some(0), "{pass:?}");
    a_row_without_content(world).await;
    let pass = world.sync_with(variables, &["run"]).await;
    assert_eq!(pass.code, Some(10), "{pass:?}");
    let body = listener.next().await.json();
    let said = (&body["failure"], &body["counts"]["failed"]);
    assert_eq!(said, (&json!(null), &json!(1)), "{body}");
}

on_both!(a_database_that_lets_nobody_in_is_mended_by_its_address);
async fn a_database_that_lets_nobody_in_is_mended_by_its_address(database: TestDatabase) {
    in_world(database, |world| async move {
        let mut listener = Listener::start(&[204]).await;
        world.add("a1", "a.png", "image/png", b"a picture").await;
        let mut rule = world.rule();
        rule["report"] = json!({ "url": listener.url, "failures_only": true });
        let right = world.variables(&rule);
        let address = |change: &dyn Fn(&mut url::Url)| {
            let mut url = url::Url::parse(&world.url).expect("an address");
            change(&mut url);
            with(right.clone(), "DATABASE_URL", url.as_str())
        };
        let password = address(&|url| {
            url.set_password(Some("not-the-word"))
                .expect("it takes one")
        });
        let nowhere = address(&|url| url.set_path("no_such_database"));
        for (wrong, said) in [
            (&password, "password authentication failed"),
            (&nowhere, "\"no_such_database\" does not exist"),
        ] {
            let pass = world.sync_with(wrong.clone(), &["run"]).await;
            let words = [said, "correct the role, the password and the name"];
            fails(&mut listener, &pass, &words).await;
            let checked = world.sync_with(wrong.clone(), &["check"]).await;
            assert_eq!(checked.code, Some(1), "{checked:?}");
            assert!(checked.output.contains("missing  Database"), "{checked:?}");
            let status = world.sync_with(wrong.clone(), &["status"]).await;
            let last = status
                .output
                .lines()
                .find(|line| line.starts_with("Last pass"));
            assert!(last.is_some_and(|line| line.contains(said)), "{status:?}");
            for ended in [&pass, &checked, &status] {
                assert!(!format!("{ended:?}").contains("not-the-word"), "{ended:?}");
            }
        }
        goes_on(&mut listener, &world, right.clone()).await;
        assert_eq!(world.rows().await["a1"], served("a1"));
    })
    .await;
}

on_both!(a_token_that_is_refused_is_mended_by_another_one);
async fn a_token_that_is_refused_is_mended_by_another_one(database: TestDatabase) {
    in_world(database, |world| async move {
        let mut listener = Listener::start(&[204]).await;
        let cloudflare = Cloudflare::start().await;
        let film = Content::seeded(5, 6 << 20).to_vec();
        world.add("p1", "a.png", "image/png", b"a picture").await;
        world.add("v1", "b.mp4", "video/mp4", &film).await;
        let rule = json!({ "report": { "url": listener.url, "failures_only": true } });
        let right = with(
            variables(&world, &cloudflare),
            "SYNC_RULE",
            &rule.to_string(),
        );
        let wrong = with(
            right.clone(),
            "CLOUDFLARE_API_TOKEN",
            "a-token-of-yesterday",
        );
        let pass = world.sync_with(wrong.clone(), &["run"]).await;
        let words = [
            "Authentication error",
            "give a token that may edit Cloudflare",
        ];
        fails(&mut listener, &pass, &words).await;
        assert!(!format!("{pass:?}").contains("of-yesterday"), "{pass:?}");
        let checked = world.sync_with(wrong, &["check"]).await;
        assert!(
            checked.output.contains("missing  Cloudflare token"),
            "{checked:?}"
        );
        assert!(world.rows().await.values().all(|row| !row.copied));
        goes_on(&mut listener, &world, right).await;
        let rows = world.rows().await;
        assert!(rows["p1"].copied && rows["v1"].copied, "{rows:?}");
        let there = (cloudflare.images().len(), cloudflare.videos().len());
        assert_eq!(there, (1, 1), "each once");
    })
    .await;
}

/// Keeps the token of Cloudflare.
async fn keep_token(server: &TestServer, token: &str) {
    let put = server
        .request(Method::PUT, "/api/v1/secrets/cloudflare")
        .header("Content-Type", "application/json")
        .body(json!({ "value": token }).to_string());
    let status = put.send().await.expect("an answer").status();
    assert!(status.is_success(), "{status}");
}

/// The passes that wait for their time.
pub(super) async fn waiting(server: &TestServer) -> Vec<Value> {
    let path = "/api/v1/operations?kind=sync-pass&state=queued";
    let (status, found) = server.get(path).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["items"].as_array().cloned().expect("a list")
}

pub(super) fn time(operation: &Value, field: &str) -> Timestamp {
    let text = operation[field].as_str().expect("a time");
    text.parse().expect("a time")
}

/// A sync of a store to Images, made through the API.
async fn to_images(
    server: &TestServer,
    (name, schedule): (&str, Option<&str>),
    (store, cloudflare): (&S3Store, &Cloudflare),
    told: &str,
) {
    let from = json!({
        "endpoint": store.endpoint(),
        "bucket": store.bucket(),
        "access_key": store.access_key(),
        "secret": "harbour-key",
    });
    let to = json!({
        "kind": "cloudflare_images",
        "account": cloudflare.account(),
        "token": "cloudflare",
        "api": cloudflare.api(),
        "id": format!("{name}/{{id}}"),
    });
    let rule = json!({
        "source": { "kind": "store", "store": from },
        "targets": [{ "name": "images", "to": to }],
        "schedule": schedule,
        "report": { "url": told },
    });
    let (status, made) = server
        .post("/api/v1/syncs", &json!({ "name": name, "rule": rule }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

on_both!(after_a_failure_as_a_whole_the_schedule_is_waited_for_or_ten_minutes);
async fn after_a_failure_as_a_whole_the_schedule_is_waited_for_or_ten_minutes(
    database: TestDatabase,
) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let cloudflare = Cloudflare::start().await;
    let mut listener = Listener::start(&[204]).await;
    let server = server(&database).start().await;
    keep_secret(&server, store.secret()).await;
    keep_token(&server, "a-token-of-yesterday").await;
    std::fs::write(store.folder().join("a.png"), "a picture").expect("written");
    let outside = (&store, &cloudflare);
    for (name, schedule) in [("by-clock", Some("0 0 1 1 *")), ("by-hand", None)] {
        to_images(&server, (name, schedule), outside, &listener.url).await;
        let failed = run(&server, name).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        let message = failed["error"]["message"].as_str().expect("a sentence");
        assert!(message.contains("give a token"), "{failed}");
        let body = listener.next().await.json();
        assert_eq!(body["failure"], message, "{body}");
        let (_, passes) = server.get(&format!("/api/v1/syncs/{name}/passes")).await;
        let last = &passes["items"][0];
        assert_eq!(last["id"], failed["id"], "{passes}");
        let how = (last["state"].as_str(), last["failure"].as_str());
        assert_eq!(how, (Some("failed"), Some(message)), "{passes}");
        let waits = waiting(&server).await;
        let Some(next) = waits.first().filter(|_| schedule.is_none()) else {
            assert!(
                waits.is_empty(),
                "the schedule makes the next one: {waits:?}"
            );
            continue;
        };
        assert_eq!(waits.len(), 1, "{waits:?}");
        let after = time(next, "run_at").since(time(&failed, "started_at"));
        assert!(after >= Duration::from_secs(600), "{next}");
        assert_eq!(next["trigger"], "system", "{next}");
    }
    // One that cannot even be opened is among the passes, too.
    let (status, _) = server.delete("/api/v1/secrets/cloudflare").await;
    assert!(status.is_success(), "{status}");
    let failed = run(&server, "by-hand").await;
    listener.next().await;
    let (_, shown) = server.get("/api/v1/syncs/by-hand").await;
    let last = &shown["last_pass"];
    assert_eq!(last["id"], failed["id"], "{shown}");
    assert_eq!(last["state"], "failed", "{shown}");
    let why = last["failure"].as_str().expect("it says why");
    assert!(why.contains("there is no secret `cloudflare`"), "{why}");
    // Whoever mends it need not wait for that.
    keep_token(&server, cloudflare.token()).await;
    for name in ["by-clock", "by-hand"] {
        let done = run(&server, name).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        assert_eq!(done["outcome"]["delivered"], 1, "{done}");
        // It is the next that is told of.
        let body = listener.next().await.json();
        assert_eq!(
            (&body["failure"], &body["sync"]),
            (&json!(null), &json!(name))
        );
    }
    assert_eq!(cloudflare.images().len(), 2);
}

on_both!(what_its_target_still_works_on_is_seen_to_without_being_asked_for);
async fn what_its_target_still_works_on_is_seen_to_without_being_asked_for(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let mut options = server(world.ours()).env("SYNC_SCHEDULE", "0 0 1 1 *");
        for (name, value) in variables(&world, &cloudflare) {
            options = options.env(&name, &value);
        }
        let server = options.start().await;
        let film = Content::seeded(5, 6 << 20).to_vec();
        world.add("v1", "b.mp4", "video/mp4", &film).await;
        cloudflare.looks_until_ready(u32::MAX);
        let operation = run(&server, "spaces").await;
        assert_eq!(operation["outcome"]["working"], 1, "{operation}");
        // The row has it, and says that it is not ready yet.
        let rows = world.rows().await;
        let film = &rows["v1"];
        let uid = cloudflare.videos()[0].uid.clone();
        let marked = (film.copied, film.id.as_ref(), film.status.as_deref());
        assert_eq!(marked, (true, Some(&uid), Some("pending")));
        cloudflare.looks_until_ready(0);
        within("the film to be marked", async {
            while world.rows().await["v1"].status.as_deref() != Some("ready") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert!(world.rows().await["v1"].copied);
        assert_eq!(cloudflare.videos().len(), 1);
        let thumbnail = world.thumbnail("v1").await.expect("a film has one");
        assert!(thumbnail.contains(&uid), "{thumbnail}");
        what_is_not_there_any_more_is_seen(&world, &server, &cloudflare).await;
    })
    .await;
}

/// Has what was delivered compared with what is there; the operation, and its log.
async fn compared(server: &TestServer, what: Value) -> (Value, String) {
    let (status, started) = server.post("/api/v1/syncs/spaces/verify", &what).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    let operation = ended(server, started["operation"].as_str().expect("an id")).await;
    let id = operation["id"].as_str().expect("an id");
    let log = server.request(Method::GET, &format!("/api/v1/operations/{id}/log.txt"));
    let log = log.send().await.expect("an answer").text().await;
    (operation, log.expect("a text"))
}

/// A film that is gone, and a picture in whose place somebody else's is.
async fn what_is_not_there_any_more_is_seen(
    world: &World,
    server: &TestServer,
    cloudflare: &Cloudflare,
) {
    world.add("p1", "a.png", "image/png", b"a picture").await;
    run(server, "spaces").await;
    within("the picture to be marked", async {
        while !world.rows().await["p1"].copied {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let first = cloudflare.videos()[0].uid.clone();
    // No log says what Cloudflare says of a token.
    let words = format!("{} is tired", cloudflare.token());
    cloudflare.fail(Step::VideoGet, Fault::said(400, 1, &words));
    let (operation, log) = compared(server, json!({})).await;
    let outcome = &operation["outcome"];
    let found = (&outcome["there"], &outcome["unknown"]);
    assert_eq!(found, (&json!(1), &json!(1)), "{operation} {log}");
    assert!(log.contains("is tired"), "{log}");
    assert!(!log.contains(cloudflare.token()), "{log}");
    cloudflare.take_video(&first);
    cloudflare.take_image("p1");
    cloudflare.put_image("p1", b"somebody's own", json!({}));
    let (operation, log) = compared(server, json!({ "again": true })).await;
    assert_eq!(operation["outcome"]["missing"], 2, "{operation} {log}");
    let pass = run(server, "spaces").await;
    let outcome = &pass["outcome"];
    let came_to = (&outcome["delivered"], &outcome["failed"]);
    assert_eq!(came_to, (&json!(1), &json!(1)), "{pass}");
    // The film's row names the new one; somebody else's picture is left alone.
    let films = cloudflare.videos();
    assert_eq!(films.len(), 1, "{films:?}");
    assert_ne!(films[0].uid, first);
    let row = &world.rows().await["v1"];
    let named = (row.id.as_deref(), row.status.as_deref());
    assert_eq!(named, (Some(&*films[0].uid), Some("ready")));
    assert_eq!(cloudflare.images()[0].size, 14, "somebody's own");
}
