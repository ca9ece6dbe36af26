//! The length of a streamed archive, told before it is made where that is asked for.

use super::header;
use crate::archive::{contents, is_sound, reasons};
use crate::desk::{in_state, made, operation_of, rest, streamed};
use crate::program::server;
use serde_json::json;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

on_both!(a_streamed_archive_tells_its_length_ahead_where_that_is_asked_for);
async fn a_streamed_archive_tells_its_length_ahead_where_that_is_asked_for(database: TestDatabase) {
    let origin = Origin::start().await;
    let urls: Vec<String> = (0..20)
        .map(|number| {
            let content = Content::seeded(number, 1000 + number * 40_000);
            origin.put(&format!("/{number}.txt"), Answer::ok(content))
        })
        .collect();
    let server = server(&database).start().await;
    let body = json!({ "sources": urls, "options": { "exact_length": true } });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    let length = header(&answer, "content-length").to_owned();
    let whole = rest(answer).await.expect("a clean end");
    assert_eq!(length, whole.len().to_string());
    assert_eq!(contents(&whole).len(), 20);
    is_sound(&whole, 20).await;
}

on_both!(a_promised_length_that_a_source_breaks_is_never_ended_cleanly);
async fn a_promised_length_that_a_source_breaks_is_never_ended_cleanly(database: TestDatabase) {
    let origin = Origin::start().await;
    let answer = |length| Answer::ok(Content::seeded(1, length));
    let changing = origin.put_in_turn("/changing.bin", [answer(5000), answer(4000)]);
    // Larger than what is gathered before anything goes out, so that the answer begins.
    let steady = origin.put("/steady.bin", Answer::ok(Content::seeded(2, 2_000_000)));
    let server = server(&database).start().await;
    let options = json!({ "exact_length": true, "order": "source" });
    let body = json!({ "sources": [steady, changing], "options": options });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    let length: usize = header(&answer, "content-length").parse().expect("a number");
    assert!(length > 2_005_000);
    let id = operation_of(&answer);
    let outcome = rest(answer).await;
    assert!(outcome.is_err(), "{:?}", outcome.map(|all| all.len()));
    let operation = in_state(&server, &id, &["failed", "succeeded", "cancelled"]).await;
    assert_eq!(
        operation["error"]["code"], "source-changed",
        "{operation:#}"
    );
}

on_both!(no_length_is_told_where_head_says_nothing_and_nothing_is_missing_for_it);
async fn no_length_is_told_where_head_says_nothing_and_nothing_is_missing_for_it(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 5000);
    // An address signed for GET alone answers HEAD with 403.
    let inner = content.clone();
    origin.answer_others(move |seen| match seen.method.as_str() {
        "HEAD" => Answer::status(403),
        _ => Answer::ok(inner.clone()),
    });
    let server = server(&database).start().await;
    let urls = [
        origin.url("/signed.bin"),
        "http://10.0.0.1/closed".to_owned(),
    ];
    let body = json!({ "sources": urls, "options": { "exact_length": true } });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().get("content-length").is_none());
    let whole = rest(answer).await.expect("a clean end");
    assert!(contents(&whole)["signed.bin"] == content.to_vec());
    assert_eq!(reasons(&whole).len(), 1);
}

on_both!(a_length_is_told_with_the_report_of_what_is_refused);
async fn a_length_is_told_with_the_report_of_what_is_refused(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 300_000)));
    let server = server(&database).start().await;
    let mut urls = vec![url];
    urls.extend((0..3000).map(|number| format!("http://10.0.0.1/{number}")));
    let body = json!({ "sources": urls, "options": { "exact_length": true } });
    let answer = streamed(&server, &body).await;
    let length = header(&answer, "content-length").to_owned();
    let whole = rest(answer).await.expect("a clean end");
    assert_eq!(length, whole.len().to_string());
    assert_eq!(reasons(&whole).len(), 3000);
    is_sound(&whole, 3).await;
}

on_both!(what_is_kept_is_not_asked_for_its_size_first);
async fn what_is_kept_is_not_asked_for_its_size_first(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server(&database).start().await;
    let body = json!({ "sources": [url], "options": { "exact_length": true } });
    made(&server, &body).await;
    assert!(origin.seen().iter().all(|seen| seen.method == "GET"));
}
