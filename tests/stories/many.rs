//! Many sources, and large ones for a slow taker.

use crate::archive::run;
use crate::desk::{accepted, archive, number_of, operation_of, operation_when, streamed};
use crate::program::server;
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, installed};

/// The most that one bundle takes.
const MOST: usize = 100_000;
/// Addresses among them that differ; the rest are repeats, which are fetched once.
const DIFFERENT: usize = 10_000;
/// What the slow taker takes before it leaves.
const TAKEN: usize = 128 << 20;

#[tokio::test]
async fn a_hundred_thousand_sources_are_taken_and_one_more_is_refused() {
    let origin = Origin::start().await;
    origin.answer_others(|seen| Answer::ok(Content::seeded(number_of(seen), 1)));
    let server = server().start().await;
    let mut urls: Vec<String> = (0..MOST)
        .map(|at| origin.url(&format!("/{}", at % DIFFERENT)))
        .collect();
    let id = accepted(&server, &json!({ "sources": urls })).await;
    urls.push(origin.url("/one-more"));
    let (status, problem) = server
        .post("/api/v1/bundles", &json!({ "sources": urls }))
        .await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "sources", "{problem}");
    assert!(problem.to_string().contains("100000"), "{problem}");

    // Longer than one message of the live socket may take: progress comes meanwhile.
    let operation = operation_when(&server, &id, |operation| {
        !matches!(operation["state"].as_str(), Some("queued" | "running"))
    })
    .await;
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(
        (&bundle["done"], &bundle["failed"]),
        (&json!(MOST), &json!(0)),
        "{bundle:#}"
    );
    assert_eq!(origin.seen().len(), DIFFERENT);
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
        "100000 100000",
        "entries, and names that differ"
    );
    let resident = server.peak_resident_bytes() >> 20;
    assert!(
        resident < 400,
        "{resident} MiB for 100,000 sources, unoptimised"
    );
}

#[tokio::test]
async fn memory_stays_bounded_while_a_slow_taker_takes_endless_sources() {
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
    let server = server().start().await;
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
        let resident = server.resident_bytes() >> 20;
        assert!(resident < 160, "{resident} MiB after {taken} bytes");
    }
    let resident = server.peak_resident_bytes() >> 20;
    assert!(resident < 160, "{resident} MiB at the most, unoptimised");
    let (_, operation) = server.get(&format!("/api/v1/operations/{id}")).await;
    assert_eq!(operation["state"], Value::from("running"), "{operation:#}");
    drop(answer);
    origin
        .when("all connections to be closed", |counts| {
            counts.connections == 0
        })
        .await;
}
