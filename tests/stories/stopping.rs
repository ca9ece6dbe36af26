//! SIGTERM and SIGHUP.

use crate::archive::contents;
use crate::desk::{accepted, archive, ended, id_of, in_state, operation_of, rest, streamed};
use crate::program::{incoming, opened, server, stored};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;
use storage::{DataDir, Db};
use testing::{
    Answer, Content, Live, Origin, TestDatabase, TestServer, on_both, on_postgres, on_sqlite,
    within,
};

/// An origin with a source that comes and one that stalls until it is released.
async fn origin() -> (Origin, [String; 2]) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 2000)));
    let stalled = Answer::ok(Content::seeded(2, 2000)).stall_after(1000);
    let stalled = origin.put("/stalled.bin", stalled);
    (origin, [quick, stalled])
}

async fn anonymous_metrics(server: &TestServer) -> u16 {
    let answer = server.anonymous(Method::GET, "/metrics").send().await;
    answer.expect("an answer").status().as_u16()
}

on_both!(live_clients_are_told_that_the_server_stops_and_may_come_back);
async fn live_clients_are_told_that_the_server_stops_and_may_come_back(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let mut live = Live::connect(&server).await;
    live.subscribe(json!({ "kind": "operations", "filter": {}, "since": null }))
        .await;
    live.until(|message| message["type"] == "position").await;
    let (ended, closing) = tokio::join!(server.terminate(), async {
        loop {
            match live.next_or_close().await {
                Ok(message) if message["type"] == "closing" => {
                    assert_eq!(message["reason"], "shutdown");
                    break live.next_or_close().await;
                }
                Ok(_) => {}
                Err(code) => panic!("closed ({code:?}) without a word"),
            }
        }
    });
    assert!(ended.success(), "{ended}: {}", server.captured().text());
    assert_eq!(closing.expect_err("the socket closes"), Some(1012));
}

on_both!(running_work_may_end_within_the_grace);
async fn running_work_may_end_within_the_grace(database: TestDatabase) {
    let (origin, sources) = origin().await;
    let mut server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": sources })).await;
    origin
        .when("both sources to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    server.signal(Signal::TERM);
    server.captured().contains("stopping").await;
    origin.release();
    assert!(
        server.ended().await.success(),
        "{}",
        server.captured().text()
    );
    server.start_again().await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["operation"]["attempt"], 1, "it was not interrupted");
    assert_eq!(origin.seen().len(), 2, "and nothing was fetched twice");
    assert_eq!(contents(&archive(&server, &id).await).len(), 2);
}

on_both!(what_does_not_end_in_time_is_interrupted_and_goes_on_at_the_next_start);
async fn what_does_not_end_in_time_is_interrupted_and_goes_on_at_the_next_start(
    database: TestDatabase,
) {
    let (origin, sources) = origin().await;
    let options = server(&database).env("LONGSHORE_SHUTDOWN_GRACE", "0s");
    let mut server = options.start().await;
    let id = accepted(&server, &json!({ "sources": sources })).await;
    origin
        .when("both sources to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    assert!(
        server.terminate().await.success(),
        "{}",
        server.captured().text()
    );
    assert!(
        incoming(server.data()).is_empty(),
        "nothing half-written stays"
    );
    assert!(stored(server.data()).is_empty());
    origin
        .when("the sources to be let go", |counts| counts.requests == 0)
        .await;
    origin.release();
    server.start_again().await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["operation"]["attempt"], 2);
    let contents = contents(&archive(&server, &id).await);
    assert_eq!(contents["stalled.bin"], Content::seeded(2, 2000).to_vec());
    assert_eq!(stored(server.data()).len(), 1);
}

on_both!(a_streamed_taker_sees_a_broken_end_and_not_a_clean_one);
async fn a_streamed_taker_sees_a_broken_end_and_not_a_clean_one(database: TestDatabase) {
    let (origin, sources) = origin().await;
    let options = server(&database).env("LONGSHORE_SHUTDOWN_GRACE", "0s");
    let mut server = options.start().await;
    let mut answer = streamed(&server, &json!({ "sources": sources })).await;
    assert_eq!(answer.status(), 200);
    let id = operation_of(&answer);
    let first = answer
        .chunk()
        .await
        .expect("flows")
        .expect("the first source");
    assert_eq!(&first[..4], b"PK\x03\x04");
    origin
        .when("the second source to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    let (stopped, rest) = tokio::join!(server.terminate(), rest(answer));
    assert!(stopped.success(), "{}", server.captured().text());
    rest.expect_err("an archive that broke never ends cleanly");
    origin.release();
    server.start_again().await;
    let operation = in_state(&server, &id, &["interrupted", "failed", "cancelled"]).await;
    assert_eq!(operation["state"], "interrupted", "{operation:#}");
    assert_eq!(operation["error"]["code"], "interrupted", "{operation:#}");
}

on_both!(a_second_signal_ends_the_program_at_once);
async fn a_second_signal_ends_the_program_at_once(database: TestDatabase) {
    let (origin, sources) = origin().await;
    let mut server = server(&database)
        .env("LONGSHORE_SHUTDOWN_GRACE", "1h")
        .start()
        .await;
    accepted(&server, &json!({ "sources": sources })).await;
    origin
        .when("both sources to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    server.signal(Signal::TERM);
    server.captured().contains("stopping").await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(130));
}

on_both!(sighup_applies_what_can_be_applied_and_puts_it_on_the_record);
async fn sighup_applies_what_can_be_applied_and_puts_it_on_the_record(database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("it takes files");
    write("[metrics]\nopen = false\n");
    let options = server(&database).env("LONGSHORE_CONFIG", &file.to_string_lossy());
    let server = options.start().await;
    assert_eq!(anonymous_metrics(&server).await, 401);

    write("[metrics]\nopen = true\n[http]\nconcurrency = 77\n");
    server.signal(Signal::HUP);
    server
        .captured()
        .contains("applied settings=[\"metrics.open\"]")
        .await;
    assert_eq!(anonymous_metrics(&server).await, 200);
    let said = server.captured().text();
    assert!(
        said.contains("http.concurrency") && said.contains("after a restart"),
        "{said}"
    );
    let (status, page) = server
        .get("/api/v1/audit?action=configuration.reload")
        .await;
    assert_eq!(status, 200, "{page}");
    let entries = page["items"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{page:#}");
    assert_eq!(
        entries[0]["before"],
        json!({ "metrics.open": "false" }),
        "{page:#}"
    );
    assert_eq!(
        entries[0]["after"],
        json!({ "metrics.open": "true" }),
        "{page:#}"
    );

    let (status, page) = server.get("/api/v1/audit?action=configuration.waits").await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        page["items"][0]["after"],
        json!({ "http.concurrency": "77" })
    );

    write("[metrics]\nopne = false\n");
    server.signal(Signal::HUP);
    server
        .captured()
        .contains("the configuration stays as it was")
        .await;
    assert_eq!(
        anonymous_metrics(&server).await,
        200,
        "a mistake changes nothing"
    );
    assert!(id_of(&entries[0]).len() == 36, "an entry has an id");
}

/// The status of a wrong guess at the password of a user whom nobody else tries.
async fn guess(server: &TestServer, name: &str) -> u16 {
    let body = json!({ "name": name, "password": "a wrong guess" });
    let request = server
        .anonymous(Method::POST, "/api/v1/session")
        .json(&body);
    let request = request.header("X-Forwarded-For", "203.0.113.9");
    request.send().await.expect("an answer").status().as_u16()
}

/// From where somebody is said to have guessed last.
async fn guessed_from(server: &TestServer) -> Value {
    let (status, page) = server.get("/api/v1/audit?action=login.failed").await;
    assert_eq!(status, 200, "{page}");
    page["items"][0]["address"].clone()
}

on_both!(sighup_reaches_every_part_that_can_change);
async fn sighup_reaches_every_part_that_can_change(database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("it takes files");
    write("");
    let server = server(&database)
        .env("LONGSHORE_CONFIG", &file.to_string_lossy())
        // The file says it, and not the environment, which goes before it.
        .env("LONGSHORE_FETCH_ALLOW", "")
        .start()
        .await;
    let origin = Origin::start().await;
    let one = json!({ "sources": [origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)))] });
    let mut two = one.clone();
    two["sources"]
        .as_array_mut()
        .expect("a list")
        .push(json!("http://127.0.0.1:1/b.bin"));

    assert_eq!(streamed(&server, &one).await.status(), 422, "it is private");
    accepted(&server, &two).await;
    for _ in 0..3 {
        assert_eq!(guess(&server, "early").await, 401);
    }
    assert_eq!(guessed_from(&server).await, "127.0.0.1");

    write(
        r#"
trusted_proxies = ["127.0.0.0/8"]

[fetch]
allow = ["127.0.0.0/8"]

[bundles]
max_sources = 1

[access]
attempts_per_account = 2
"#,
    );
    server.signal(Signal::HUP);
    server.captured().contains("applied settings=").await;

    let answer = streamed(&server, &one).await;
    assert_eq!(answer.status(), 200);
    let archive = rest(answer).await.expect("a clean end");
    assert_eq!(contents(&archive).len(), 1);
    let (status, problem) = server.post("/api/v1/bundles", &two).await;
    assert_eq!(status, 400, "{problem}");
    assert!(problem.to_string().contains("sources"), "{problem}");
    let guesses = [guess(&server, "late").await, guess(&server, "late").await];
    assert_eq!(guesses, [401; 2]);
    assert_eq!(guessed_from(&server).await, "203.0.113.9");
    assert_eq!(guess(&server, "late").await, 429);
}

/// Waits until the server has taken its data directory, which it does before the database.
async fn has_its_directory(server: &TestServer) {
    let holder = || std::fs::read_to_string(server.data().join("lock")).unwrap_or_default();
    let own = server.process_id().to_string();
    // The file system tells nobody.
    within("the server to take its data directory", async {
        while holder() != own {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Waits until the server answers to SIGTERM itself: one that comes earlier just ends it.
async fn takes_signals(server: &TestServer) {
    /// SIGTERM among the signals that are caught.
    const TERM: u64 = 1 << 14;
    let status = format!("/proc/{}/status", server.process_id());
    within("the server to take signals", async {
        loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            if caught.is_some_and(|mask| mask & TERM != 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

on_sqlite!(a_sigterm_ends_it_while_it_waits_for_its_data_directory);
async fn a_sigterm_ends_it_while_it_waits_for_its_data_directory(database: TestDatabase) {
    let mut server = server(&database).start().await;
    assert!(server.terminate().await.success());
    let errand = DataDir::open_briefly(server.data()).expect("nobody else has it");
    server.begin_again();
    takes_signals(&server).await;
    let ended = server.terminate().await;
    assert!(ended.success(), "{ended}: {}", server.captured().text());
    drop(errand);
}

/// Waits until the server, which starts, cannot go on for its schedules.
async fn waits_for_its_schedules(db: &Db) {
    const WAITING: &str = "SELECT count(*) AS waiting FROM pg_locks
        WHERE NOT granted AND relation = 'schedule'::regclass";
    // The database tells who waits, and tells nobody of itself.
    within("the server to wait for its schedules", async {
        loop {
            let row = db.one(WAITING, vec![]).await.expect("it answers");
            let row = row.expect("a row");
            if row.get::<u64>("waiting").expect("a number") > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

on_postgres!(a_sigterm_while_it_starts_ends_it_though_the_database_keeps_it_waiting);
async fn a_sigterm_while_it_starts_ends_it_though_the_database_keeps_it_waiting(
    database: TestDatabase,
) {
    let mut server = server(&database).start().await;
    assert!(server.terminate().await.success());
    let db = opened(&server, &database).await;
    let mut holding = db.begin().await.expect("it begins");
    let held = holding.execute("LOCK TABLE schedule", vec![]).await;
    held.expect("nobody else has it");
    server.begin_again();
    waits_for_its_schedules(&db).await;
    assert!(server.terminate().await.success());
    drop(holding);
    db.close().await;
}

on_postgres!(a_second_sigterm_while_it_starts_ends_it_with_what_it_went_on_with);
async fn a_second_sigterm_while_it_starts_ends_it_with_what_it_went_on_with(
    database: TestDatabase,
) {
    let (origin, sources) = origin().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("it takes files");
    write("shutdown_grace = \"0s\"\n");
    let options = server(&database).env("LONGSHORE_CONFIG", &file.to_string_lossy());
    let mut server = options.start().await;
    accepted(&server, &json!({ "sources": sources })).await;
    origin
        .when("both sources to be asked", |counts| {
            counts.requests_in_all == 2
        })
        .await;
    assert!(server.terminate().await.success());

    write("shutdown_grace = \"1h\"\n");
    let db = opened(&server, &database).await;
    let mut holding = db.begin().await.expect("it begins");
    let held = holding.execute("LOCK TABLE schedule", vec![]).await;
    held.expect("nobody else has it");
    server.begin_again();
    waits_for_its_schedules(&db).await;
    origin
        .when("the bundle to go on", |counts| counts.requests_in_all > 2)
        .await;
    server.signal(Signal::TERM);
    let captured = server.captured();
    captured.contains("stopping before it was ready").await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(130));
    drop(holding);
    db.close().await;
}

on_both!(a_sighup_while_it_starts_is_kept_for_later_and_does_not_end_it);
async fn a_sighup_while_it_starts_is_kept_for_later_and_does_not_end_it(database: TestDatabase) {
    let mut server = server(&database).start().await;
    assert!(server.terminate().await.success());
    // Before it is ready it makes its schedules, for which it has to wait.
    let db = opened(&server, &database).await;
    let gone = db.execute("DELETE FROM schedule", vec![]).await;
    assert!(gone.expect("it changes") > 0);
    let mut holding = db.begin().await.expect("the only one who writes on SQLite");
    if database.postgres_url().is_some() {
        let held = holding.execute("LOCK TABLE schedule", vec![]).await;
        held.expect("nobody else has it");
    }
    server.begin_again();
    has_its_directory(&server).await;
    server.signal(Signal::HUP);
    let started = server.captured().text().matches(" listening").count();
    assert_eq!(started, 1, "before, and not yet again");
    drop(holding);
    db.close().await;
    server.ready().await;
    server.captured().contains("nothing changed in").await;
    assert!(server.terminate().await.success());
}

on_both!(what_a_restart_has_changed_is_on_the_record);
async fn what_a_restart_has_changed_is_on_the_record(database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("it takes files");
    write("[http]\nconcurrency = 50\n");
    let options = server(&database).env("LONGSHORE_CONFIG", &file.to_string_lossy());
    let mut server = options.start().await;
    let changed = "/api/v1/audit?action=configuration.changed";
    let (_, page) = server.get(changed).await;
    assert_eq!(page["items"], json!([]), "a first start changes nothing");
    server.terminate().await;
    write("[http]\nconcurrency = 60\n");
    server.start_again().await;
    let (_, page) = server.get(changed).await;
    let entry = &page["items"][0];
    assert_eq!(entry["actor"], "host", "{page:#}");
    assert_eq!(entry["before"], json!({ "http.concurrency": "50" }));
    assert_eq!(entry["after"], json!({ "http.concurrency": "60" }));
}

on_both!(the_programs_own_log_holds_no_stored_secret);
async fn the_programs_own_log_holds_no_stored_secret(database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    std::fs::write(&file, "").expect("it takes files");
    let options = server(&database).env("LONGSHORE_CONFIG", &file.to_string_lossy());
    let server = options.start().await;
    let secret = "a-secret-that-is-stored-4711";
    let put = server
        .request(Method::PUT, "/api/v1/secrets/git")
        .json(&json!({ "value": secret }));
    assert!(put.send().await.expect("an answer").status().is_success());
    // A value that cannot be is told as it stands.
    std::fs::write(&file, format!("listen = \"{secret}\"\n")).expect("it takes files");
    server.signal(Signal::HUP);
    let captured = server.captured();
    captured.contains("the configuration stays as it was").await;
    captured.contains("`listen`").await;
    assert!(!captured.text().contains(secret), "{}", captured.text());
}
