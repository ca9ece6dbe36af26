//! Many sources, and large ones for a slow taker. What they cost on Postgres is seen where
//! ten thousand are taken; what waits or is missing costs the same there.

use crate::archive::run;
use crate::desk::{accepted, archive, number_of, operation_of, streamed};
use crate::program::server;
use serde_json::{Value, json};
use testing::{
    Answer, Content, Origin, TestDatabase, TestServer, installed, on_both, on_sqlite, size,
};

/// The most that one bundle takes.
const MOST: usize = 100_000;
/// How often each address among them is asked for; it is fetched once.
const REPEATED: usize = 10;
/// What the slow taker takes before it leaves.
const TAKEN: usize = 128 << 20;
/// Bundles that are made at once; more wait.
const AT_ONCE: usize = 16;
/// What bundles of any sizes and counts may take: 96 MiB are promised of the released
/// program.
const PROMISED: u64 = 96 << 20;
/// What the released program holds before it is asked for anything, as `cargo xtask bench
/// start` tells (docs/benchmarks.md). An unoptimised build holds more, most of it its own
/// code, so that not its peak is held against the promise but what it grows by: so much
/// and no more leaves the released one within 96 MiB.
const IDLE_RELEASED: u64 = 38 << 20;
/// How far one run may differ from another: allocators and schedulers are not exact.
const CHANCE: u64 = 4 << 20;
const MOST_GROWTH: u64 = PROMISED - IDLE_RELEASED + CHANCE;

/// What a server held at the most before it was asked for anything.
struct Idle(u64);

impl Idle {
    fn of(server: &TestServer) -> Self {
        Self(server.peak_resident_bytes())
    }

    fn is_bounded(&self, server: &TestServer, when: &str) {
        let (idle, peak) = (self.0, server.peak_resident_bytes());
        let told = format!("from {} to {} MiB {when}", idle >> 20, peak >> 20);
        println!("{told}");
        assert!(peak - idle < MOST_GROWTH, "{told}");
    }
}

/// The operation, once it has ended. It is asked for, since an unoptimised build beside
/// others that are as busy may be silent on the live socket for longer than one message
/// is waited for; the test as a whole has its limit.
async fn once_ended(server: &TestServer, id: &str) -> Value {
    loop {
        let (_, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
        if !matches!(operation["state"].as_str(), Some("queued" | "running")) {
            return operation;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

on_both!(a_hundred_thousand_sources_are_taken_and_one_more_is_refused);
async fn a_hundred_thousand_sources_are_taken_and_one_more_is_refused(database: TestDatabase) {
    let origin = Origin::start().await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 1)));
    let server = server(&database).start().await;
    let idle = Idle::of(&server);
    // What Postgres has of them is as much for each; that so many may be is the same.
    let taken = match database.postgres_url() {
        None => MOST,
        Some(_) => size(MOST / 10, MOST),
    };
    let different = taken / REPEATED;
    let mut urls: Vec<String> = (0..taken)
        .map(|at| origin.url(&format!("/{}", at % different)))
        .collect();
    let id = accepted(&server, &json!({ "sources": urls })).await;
    let accepting = server.peak_resident_bytes() >> 20;
    urls.resize_with(MOST + 1, || origin.url("/one-more"));
    let (status, problem) = server
        .post("/api/v1/bundles", &json!({ "sources": urls }))
        .await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "sources", "{problem}");
    assert!(problem.to_string().contains("100000"), "{problem}");

    let operation = once_ended(&server, &id).await;
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(
        (&bundle["done"], &bundle["failed"]),
        (&json!(taken), &json!(0)),
        "{bundle:#}"
    );
    assert_eq!(origin.seen().len(), different);
    let Some(python) = installed("python3") else {
        return;
    };
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), archive(&server, &id).await).expect("it takes bytes");
    let count = "import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
print(len(names), len(set(name.lower() for name in names)))";
    let said = run(python, &["-c", count, &file.path().to_string_lossy()]).await;
    assert_eq!(
        said.trim(),
        format!("{taken} {taken}"),
        "entries, and names that differ"
    );
    idle.is_bounded(
        &server,
        &format!("for {taken} sources, {accepting} MiB once accepted"),
    );
}

on_both!(memory_stays_bounded_while_a_slow_taker_takes_endless_sources);
async fn memory_stays_bounded_while_a_slow_taker_takes_endless_sources(database: TestDatabase) {
    let origin = Origin::start().await;
    let mut urls = Vec::new();
    for number in 0..48 {
        // Half of them say how long they are; of the others nobody knows.
        let answer = Answer::ok(Content::seeded(number, 2 << 30));
        let answer = if number % 2 == 0 {
            answer
        } else {
            answer.chunked()
        };
        urls.push(origin.put(&format!("/{number}.bin"), answer));
    }
    let server = server(&database).start().await;
    let idle = Idle::of(&server);
    let mut answer = streamed(&server, &json!({ "sources": urls })).await;
    assert_eq!(answer.status(), 200);
    let id = operation_of(&answer);
    origin
        .when("as many sources to be under way as may be", |counts| {
            counts.requests_peak >= 16
        })
        .await;
    let mut taken = 0;
    while taken < TAKEN {
        // One piece at a time: whatever comes faster than that must wait.
        let part = answer.chunk().await.expect("flows");
        taken += part.expect("there is no end").len();
    }
    idle.is_bounded(&server, "at the most");
    let (_, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
    assert_eq!(operation["state"], Value::from("running"), "{operation:#}");
    drop(answer);
    origin
        .when("all connections to be closed", |counts| {
            counts.connections == 0
        })
        .await;
}

on_both!(memory_stays_bounded_while_many_takers_take_slowly);
async fn memory_stays_bounded_while_many_takers_take_slowly(database: TestDatabase) {
    let origin = Origin::start().await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 200_000)));
    let urls: Vec<String> = (0..2000)
        .map(|number| origin.url(&format!("/{number}")))
        .collect();
    let server = server(&database).start().await;
    let idle = Idle::of(&server);
    let mut answers = Vec::new();
    for _ in 0..AT_ONCE {
        let body = json!({ "sources": urls });
        answers.push(streamed(&server, &body).await);
    }
    for _ in 0..40 {
        for answer in &mut answers {
            let part = answer.chunk().await.expect("flows");
            assert!(part.is_some(), "there is no end");
        }
    }
    idle.is_bounded(&server, "with so many slow takers");
}

on_sqlite!(memory_stays_bounded_while_all_wait_for_the_first_source);
async fn memory_stays_bounded_while_all_wait_for_the_first_source(database: TestDatabase) {
    let origin = Origin::start().await;
    let first = origin.put("/first", Answer::ok(Content::seeded(1, 100)).held());
    origin.answer_others(|seen| match number_of(seen) % 10 {
        0 => Answer::status(404),
        _ => Answer::ok(Content::seeded(number_of(seen), 20)),
    });
    let all = size(15_000, 40_000);
    let mut urls = vec![first];
    urls.extend((0..all).map(|number| origin.url(&format!("/{number}"))));
    let server = server(&database).start().await;
    let idle = Idle::of(&server);
    let body = json!({ "sources": urls, "options": { "order": "source" } });
    let id = accepted(&server, &body).await;
    // So many wait as may; the others are not asked for before the first has come, so
    // that in the end it alone is under way.
    let counts = origin
        .when("all that may to wait for the first", |counts| {
            counts.requests == 1 && counts.requests_in_all > 1000
        })
        .await;
    let asked = counts.requests_in_all;
    assert!(asked < all, "{asked} were asked for");
    idle.is_bounded(&server, "while they wait");
    origin.release();
    let operation = once_ended(&server, &id).await;
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(
        (&bundle["done"], &bundle["failed"]),
        (&json!(all / 10 * 9 + 1), &json!(all / 10))
    );
}

on_sqlite!(memory_stays_bounded_while_almost_all_is_missing);
async fn memory_stays_bounded_while_almost_all_is_missing(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server(&database).start().await;
    let idle = Idle::of(&server);
    let all = size(40_000, MOST);
    let mut urls = vec![url];
    urls.extend((1..all).map(|number| format!("http://10.0.0.1/private/files/{number}.jpg")));
    let id = accepted(&server, &json!({ "sources": urls })).await;
    let accepting = server.peak_resident_bytes() >> 20;
    let operation = once_ended(&server, &id).await;
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    idle.is_bounded(
        &server,
        &format!("with all but one of {all} missing, {accepting} MiB once accepted"),
    );
    let archive = archive(&server, &id).await;
    assert_eq!(crate::archive::reasons(&archive).len(), all - 1);
    crate::archive::is_sound(&archive, 3).await;
}

/// Requests at once that a server makes unless it is told otherwise, in all and to one host.
const IN_ALL: usize = 32;
const TO_ONE_HOST: usize = 16;

on_both!(fetching_keeps_to_its_number_in_all_however_many_hosts_there_are);
async fn fetching_keeps_to_its_number_in_all_however_many_hosts_there_are(database: TestDatabase) {
    // One origin that is three hosts, so that it sees all of them at once.
    let origin = Origin::start_on(std::net::Ipv4Addr::UNSPECIFIED.into()).await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 10)).held());
    let port = origin.address().port();
    let urls: Vec<String> = (0..3 * (TO_ONE_HOST + 4))
        .map(|at| format!("http://127.0.0.{}:{port}/{at}", 1 + at % 3))
        .collect();
    let server = server(&database).start().await;
    // Two bundles, since one alone might hold itself back.
    let bodies = [
        json!({ "sources": urls[..30] }),
        json!({ "sources": urls[30..] }),
    ];
    let mut ids = Vec::new();
    for body in &bodies {
        ids.push(accepted(&server, body).await);
    }
    origin
        .when("as many requests as there may be", |counts| {
            counts.requests == IN_ALL
        })
        .await;
    // Each host alone would take more: time enough to ask for it.
    for _ in 0..20 {
        for id in &ids {
            assert_eq!(server.get(&format!("/api/v1/bundles/{id}")).await.0, 200);
        }
    }
    assert_eq!(origin.counts().requests, IN_ALL);
    origin.release();
    for id in &ids {
        let operation = once_ended(&server, id).await;
        assert_eq!(operation["state"], "succeeded", "{operation:#}");
    }
    let counts = origin.counts();
    assert_eq!(counts.requests_in_all, urls.len());
    assert_eq!(counts.requests_peak, IN_ALL);
}
