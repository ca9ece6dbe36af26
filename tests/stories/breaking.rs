//! Bodies that break off: gone on with where the origin can, read anew where it
//! cannot, dropped where they changed.

use crate::archive::{contents, is_sound, reasons};
use crate::desk::{made, rest, streamed};
use crate::program::{server, sharing_a_key};
use serde_json::json;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

/// Fits into memory, and is read whole before it is written.
const SMALL: u64 = 100_000;
/// Does not, and flows through.
const LARGE: u64 = 3_000_000;

on_both!(a_body_that_breaks_off_is_gone_on_with_by_range);
async fn a_body_that_breaks_off_is_gone_on_with_by_range(database: TestDatabase) {
    let server = server(&database).start().await;
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

on_both!(a_body_of_an_origin_without_ranges_is_read_anew);
async fn a_body_of_an_origin_without_ranges_is_read_anew(database: TestDatabase) {
    let server = server(&database).start().await;
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

on_both!(a_body_that_changed_meanwhile_is_dropped_and_the_archive_is_sound);
async fn a_body_that_changed_meanwhile_is_dropped_and_the_archive_is_sound(database: TestDatabase) {
    /// More than is read ahead: a part of it has gone out when it breaks off.
    const LONG: u64 = 4 << 20;
    let server = server(&database)
        .env("LONGSHORE_BUNDLES_BUFFER", "1MiB")
        .start()
        .await;
    let old = Content::seeded(3, LONG);
    let new = Content::seeded(4, LONG);
    for (what, ranges) in [("without ranges", false), ("with another ETag", true)] {
        let origin = Origin::start().await;
        let answer = |content: &Content, etag: &str| {
            let answer = Answer::ok(content.clone()).header("ETag", etag);
            if ranges { answer.ranges() } else { answer }
        };
        let cut = answer(&old, "\"v1\"").cut_after(LONG - 1000);
        let steady = origin.put("/steady.bin", Answer::ok(Content::seeded(5, 1000)));
        let after = origin.put("/after.bin", Answer::ok(Content::seeded(6, LARGE)));
        for stream in [false, true] {
            // Anew for each: the first answer breaks off, all that follow have changed.
            let path = format!("/changed-{stream}.bin");
            let changed = origin.put_in_turn(&path, [cut.clone(), answer(&new, "\"v2\"")]);
            let body = json!({
                "sources": [&steady, &changed, &after],
                "options": { "order": "source" },
            });
            let archive = if stream {
                let answer = streamed(&server, &body).await;
                assert_eq!(answer.status(), 200);
                rest(answer).await.expect("a clean end")
            } else {
                made(&server, &body).await.1
            };
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

on_both!(sources_of_one_host_that_all_break_off_at_once_all_come);
async fn sources_of_one_host_that_all_break_off_at_once_all_come(database: TestDatabase) {
    let options = sharing_a_key(server(&database));
    for (per_host, count, length) in [
        (16, 20, SMALL),
        (1, 2, SMALL),
        (16, 20, LARGE),
        (1, 2, LARGE),
    ] {
        let origin = Origin::start().await;
        let mut urls = Vec::new();
        for number in 0..count {
            // Nothing to recognise the body by: it cannot be gone on with.
            let whole = Answer::ok(Content::seeded(number, length));
            let cut = whole.clone().cut_after(length / 2);
            urls.push(origin.put_in_turn(&format!("/{number}.bin"), [cut, whole]));
        }
        let options = options.clone();
        let options = options.env("LONGSHORE_FETCH_PER_HOST", &per_host.to_string());
        let server = options.start().await;
        let (_, archive) = made(&server, &json!({ "sources": urls })).await;
        let contents = contents(&archive);
        for number in 0..count {
            let expected = Content::seeded(number, length).to_vec();
            assert!(
                contents[&format!("{number}.bin")] == expected,
                "{number} of {length} bytes, {per_host} at once"
            );
        }
    }
}

on_both!(an_origin_that_is_busy_is_asked_again_when_it_says);
async fn an_origin_that_is_busy_is_asked_again_when_it_says(database: TestDatabase) {
    let server = server(&database).start().await;
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
