//! The origin, asked by a client that is not ours.

use super::*;
use std::time::Duration;

async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    crate::server::client().get(url).send().await
}

#[tokio::test]
async fn content_comes_as_it_was_put_in_every_framing() {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 300_000);
    let answer = Answer::ok(content.clone());
    for (path, answer, length) in [
        ("/length", answer.clone(), Some(300_000)),
        ("/chunked", answer.clone().chunked(), None),
        ("/close", answer.until_close(), None),
    ] {
        let response = get(&origin.put(path, answer)).await.expect("answers");
        assert_eq!(response.content_length(), length, "{path}");
        assert_eq!(
            response.bytes().await.expect("whole"),
            content.to_vec(),
            "{path}"
        );
    }
    let counts = origin
        .when("the answers to end", |counts| counts.requests == 0)
        .await;
    assert_eq!(counts.requests_in_all, 3);
}

#[tokio::test]
async fn answers_come_in_turn_and_the_last_one_stays() {
    let origin = Origin::start().await;
    let url = origin.put_in_turn(
        "/a",
        [
            Answer::status(503).header("Retry-After", "0"),
            Answer::ok(Content::bytes("there")),
        ],
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&url).await.expect("answers").status().as_u16());
    }
    assert_eq!(statuses, [503, 200, 200]);
    assert_eq!(get(&origin.url("/b")).await.expect("answers").status(), 404);
    assert_eq!(origin.seen_of("/a").len(), 3);
}

#[tokio::test]
async fn a_body_that_is_cut_fails_and_its_rest_is_had_by_range() {
    let origin = Origin::start().await;
    let content = Content::seeded(2, 100_000);
    let whole = Answer::ok(content.clone())
        .ranges()
        .header("ETag", "\"v1\"");
    let url = origin.put_in_turn("/a", [whole.clone().cut_after(40_000), whole]);
    let cut = get(&url).await.expect("answers").bytes().await;
    assert!(cut.is_err(), "a cut body is an error");
    let ask = |etag: &'static str| {
        crate::server::client()
            .get(&url)
            .header("Range", "bytes=40000-")
            .header("If-Range", etag)
            .send()
    };
    let rest = ask("\"v1\"").await.expect("answers");
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.headers()["content-range"], "bytes 40000-99999/100000");
    assert_eq!(
        rest.bytes().await.expect("whole"),
        content.to_vec()[40_000..]
    );
    assert_eq!(
        ask("\"v2\"").await.expect("answers").status(),
        200,
        "it has changed"
    );
}

#[tokio::test]
async fn a_stalled_answer_waits_for_its_release() {
    let origin = Origin::start().await;
    let content = Content::seeded(3, 1000);
    let url = origin.put("/a", Answer::ok(content.clone()).stall_after(10));
    let mut response = get(&url).await.expect("answers");
    let first = response.chunk().await.expect("flows").expect("ten bytes");
    assert_eq!(first, content.to_vec()[..10]);
    assert_eq!(origin.counts().requests, 1);
    origin.release();
    let mut rest = Vec::new();
    while let Some(chunk) = response.chunk().await.expect("flows") {
        rest.extend_from_slice(&chunk);
    }
    assert_eq!(rest, content.to_vec()[10..]);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_though_nothing_is_sent() {
    let origin = Origin::start().await;
    let stalled = origin.put(
        "/a",
        Answer::ok(Content::endless(4)).chunked().stall_after(10),
    );
    let late = origin.put("/b", Answer::status(200).after(Duration::from_secs(3600)));
    let response = get(&stalled).await.expect("answers");
    let request = tokio::spawn(async move { get(&late).await });
    origin
        .when("both requests", |counts| counts.requests == 2)
        .await;
    drop(response);
    request.abort();
    let counts = origin
        .when("both to leave", |counts| counts.connections == 0)
        .await;
    assert_eq!((counts.requests_peak, counts.connections_peak), (2, 2));
}

#[tokio::test]
async fn redirects_hang_ups_and_nonsense_are_what_they_are() {
    let origin = Origin::start().await;
    let there = origin.put("/there", Answer::ok(Content::bytes("here")));
    let moved = get(&origin.put("/moved", Answer::redirect(&there))).await;
    assert_eq!(moved.expect("answers").headers()["location"], there);
    assert!(get(&origin.put("/gone", Answer::hang_up())).await.is_err());
    assert!(
        get(&origin.put("/odd", Answer::raw("yes, hello\r\n\r\n")))
            .await
            .is_err()
    );
}
