//! Bodies that break off: gone on with where the origin can, read anew where it
//! cannot, dropped where they changed.

use crate::archive::{contents, is_sound, reasons};
use crate::desk::{made, rest, streamed};
use crate::program::server;
use serde_json::json;
use testing::{Answer, Content, Origin};

/// Fits into memory, and is read whole before it is written.
const SMALL: u64 = 100_000;
/// Does not, and flows through.
const LARGE: u64 = 3_000_000;

#[tokio::test]
async fn a_body_that_breaks_off_is_gone_on_with_by_range() {
    let server = server().start().await;
    for length in [SMALL, LARGE] {
        let origin = Origin::start().await;
        let content = Content::seeded(1, length);
        let whole = Answer::ok(content.clone())
            .ranges()
            .header("ETag", "\"v1\"");
        let cut = whole.clone().cut_after(length / 2);
        let url = origin.put_in_turn("/a.bin", [cut, whole]);
        let (_, archive) = made(&server, &json!({ "sources": [url] })).await;
        assert!(
            contents(&archive)["a.bin"] == content.to_vec(),
            "{length} bytes"
        );
        is_sound(&archive, 1).await;
        let seen = origin.seen_of("/a.bin");
        assert_eq!(seen.len(), 2);
        let half = format!("bytes={}-", length / 2);
        assert_eq!(seen[1].header("range"), Some(half.as_str()));
        assert_eq!(seen[1].header("if-range"), Some("\"v1\""));
    }
}

#[tokio::test]
async fn a_body_of_an_origin_without_ranges_is_read_anew() {
    let server = server().start().await;
    for length in [SMALL, LARGE] {
        for chunked in [false, true] {
            let origin = Origin::start().await;
            let content = Content::seeded(2, length);
            let mut whole = Answer::ok(content.clone());
            if chunked {
                whole = whole.chunked();
            }
            let cut = whole.clone().cut_after(length / 2);
            let url = origin.put_in_turn("/a.bin", [cut, whole]);
            let (_, archive) = made(&server, &json!({ "sources": [url] })).await;
            assert!(
                contents(&archive)["a.bin"] == content.to_vec(),
                "{length} {chunked}"
            );
            assert_eq!(origin.seen_of("/a.bin").len(), 2);
        }
    }
}

#[tokio::test]
async fn a_body_that_changed_meanwhile_is_dropped_and_the_archive_is_sound() {
    let server = server().start().await;
    let old = Content::seeded(3, LARGE);
    let new = Content::seeded(4, LARGE);
    for (what, ranges) in [("without ranges", false), ("with another ETag", true)] {
        let origin = Origin::start().await;
        let answer = |content: &Content, etag: &str| {
            let answer = Answer::ok(content.clone()).header("ETag", etag);
            if ranges { answer.ranges() } else { answer }
        };
        let cut = answer(&old, "\"v1\"").cut_after(LARGE / 2);
        let changed = origin.put_in_turn("/changed.bin", [cut, answer(&new, "\"v2\"")]);
        let steady = origin.put("/steady.bin", Answer::ok(Content::seeded(5, 1000)));
        let after = origin.put("/after.bin", Answer::ok(Content::seeded(6, LARGE)));
        let body = json!({
            "sources": [steady, changed, after],
            "options": { "order": "source" },
        });
        for stream in [false, true] {
            let archive = if stream {
                let answer = streamed(&server, &body).await;
                assert_eq!(answer.status(), 200);
                rest(answer).await.expect("a clean end")
            } else {
                made(&server, &body).await.1
            };
            if stream {
                // By then the origin gives the new one from the beginning.
                assert!(contents(&archive)["changed.bin"] == new.to_vec());
                continue;
            }
            let contents = contents(&archive);
            assert_eq!(
                contents.len(),
                2,
                "{what}: neither the old half nor a mixture"
            );
            assert!(contents["after.bin"] == Content::seeded(6, LARGE).to_vec());
            assert_eq!(reasons(&archive).keys().collect::<Vec<_>>(), [&1], "{what}");
            is_sound(&archive, 4).await;
        }
    }
}

#[tokio::test]
async fn an_origin_that_is_busy_is_asked_again_when_it_says() {
    let server = server().start().await;
    let origin = Origin::start().await;
    let there = Answer::ok(Content::bytes("there"));
    for status in [429, 500, 502, 503, 504] {
        let busy = Answer::status(status).header("Retry-After", "0");
        origin.put_in_turn(&format!("/{status}"), [busy, there.clone()]);
    }
    origin.put_in_turn("/hung-up", [Answer::hang_up(), there]);
    let paths = ["/429", "/500", "/502", "/503", "/504", "/hung-up"];
    let urls = paths.map(|path| origin.url(path));
    let (_, archive) = made(&server, &json!({ "sources": urls })).await;
    assert_eq!(contents(&archive).len(), 6);
    for path in paths {
        assert_eq!(origin.seen_of(path).len(), 2, "{path}");
    }
}
