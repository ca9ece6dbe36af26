//! No more than may be: the sources of a bundle, and the archives that are kept, however a
//! bundle is asked for.

use crate::desk::{ended, made, operation_of, rest, streamed};
use crate::program::{server, stored};
use rustix::process::Signal;
use serde_json::json;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

on_both!(no_more_sources_are_asked_for_than_may_be_nor_kept_where_there_is_no_room);
async fn no_more_sources_are_asked_for_than_may_be_nor_kept_where_there_is_no_room(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let good = origin.put("/good.bin", Answer::ok(Content::seeded(1, 1000)));
    let gone = origin.put("/gone", Answer::status(410));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("longshore.toml");
    let limits = |text: &str| std::fs::write(&file, text).expect("it takes files");
    limits("[bundles]\nmax_sources = 3\nmax_kept = 2\n");
    let options = server(&database).env("LONGSHORE_CONFIG", &file.to_string_lossy());
    let server = options.start().await;
    let urls = [&gone; 4];
    let body = json!({ "sources": urls });
    let (status, problem) = server.post("/api/v1/bundles", &body).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["code"], "out-of-range", "{problem}");

    let body = json!({ "sources": [&good, &gone] });
    let (id, _) = made(&server, &body).await;
    let path = format!("/api/v1/bundles/{id}/retry");
    let many = json!({ "sources": [0, 1, 2, 3] });
    let (status, problem) = server.post(&path, &many).await;
    assert_eq!(status, 400, "{problem}");
    made(&server, &body).await;
    let (status, problem) = server.post(&path, &json!({})).await;
    assert_eq!(status, 409, "two are kept already: {problem}");

    // Neither does one go around it that repeats another, which is kept however that was.
    let one = json!({ "sources": [&good] });
    let answer = streamed(&server, &one).await;
    let flowed = operation_of(&answer);
    rest(answer).await.expect("whole");
    ended(&server, &flowed).await;
    let repeats = |id: &str| format!("/api/v1/operations/{id}/retry");
    for id in [&flowed, &id] {
        let (status, problem) = server.post(&repeats(id), &json!({})).await;
        assert_eq!(status, 409, "two are kept already: {problem}");
        assert_eq!(problem["code"], "conflict", "{problem}");
    }

    // That it is no kind for a schedule is said, however much room there is.
    let input = json!({ "name": "a.zip", "maker": null, "sources": [], "options": {} });
    let schedule =
        json!({ "name": "nightly", "kind": "bundle", "cron": "0 3 * * *", "input": input });
    let (status, problem) = server.post("/api/v1/schedules", &schedule).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["errors"][0]["code"], "not-schedulable", "{problem}");

    // The limits are those of now.
    limits("[bundles]\nmax_sources = 1\nmax_kept = 10\nmax_kept_bytes = \"1KiB\"\n");
    server.signal(Signal::HUP);
    server.captured().contains("applied settings=[").await;
    let (status, problem) = server.post(&repeats(&id), &json!({})).await;
    assert_eq!(status, 400, "of two sources: {problem}");
    assert_eq!(problem["errors"][0]["code"], "out-of-range", "{problem}");
    let (status, problem) = server.post(&repeats(&flowed), &json!({})).await;
    assert_eq!(status, 409, "more bytes are kept than may be: {problem}");
    assert_eq!(stored(server.data()).len(), 2);
}
