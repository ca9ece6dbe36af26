//! Taking an archive: by plain curl, streamed and kept, in parts, and while it grows.

mod curl;
mod lengths;

use crate::archive::{contents, is_sound, members, reasons, report};
use crate::desk::{
    accepted, archive, archive_path, ended, in_state, made, operation_of, rest, streamed,
};
use crate::program::{incoming, server, stored};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, within};

async fn asked(
    server: &TestServer,
    method: Method,
    id: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = server.request(method, &archive_path(id));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    let value = value.unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers()));
    value.to_str().expect("ASCII")
}

on_both!(a_kept_archive_has_an_exact_length_and_is_had_in_parts);
async fn a_kept_archive_has_an_exact_length_and_is_had_in_parts(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 50_000)));
    let server = server(&database).start().await;
    let (id, whole) = made(&server, &json!({ "name": "a b", "sources": [url] })).await;
    let length = whole.len().to_string();

    let head = asked(&server, Method::HEAD, &id, &[]).await;
    assert_eq!(head.status(), 200);
    assert_eq!(header(&head, "content-length"), length);
    assert_eq!(header(&head, "content-type"), "application/zip");
    assert_eq!(header(&head, "accept-ranges"), "bytes");
    assert!(header(&head, "content-disposition").contains("a b.zip"));
    let etag = header(&head, "etag").to_owned();

    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=49000-", 49_000, whole.len()),
        ("bytes=-7", whole.len() - 7, whole.len()),
    ] {
        let part = asked(
            &server,
            Method::GET,
            &id,
            &[("range", range), ("if-range", &etag)],
        )
        .await;
        assert_eq!(part.status(), 206, "{range}");
        let expected = format!("bytes {from}-{}/{length}", to - 1);
        assert_eq!(header(&part, "content-range"), expected);
        assert_eq!(
            part.bytes().await.expect("whole"),
            whole[from..to],
            "{range}"
        );
    }
    let stale = [("range", "bytes=0-9"), ("if-range", "\"another\"")];
    let all = asked(&server, Method::GET, &id, &stale).await;
    assert_eq!(all.status(), 200, "of another archive no part is of use");
    assert_eq!(all.bytes().await.expect("whole"), whole);
    let beyond = asked(&server, Method::GET, &id, &[("range", "bytes=9999999-")]).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(
        header(&beyond, "content-range"),
        format!("bytes */{length}")
    );
    let same = asked(&server, Method::GET, &id, &[("if-none-match", &etag)]).await;
    assert_eq!(same.status(), 304);
}

/// An origin with one source that comes at once and one that does not answer yet.
async fn half_ready() -> (Origin, Value) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 3000)));
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 3000)).held());
    (origin, json!({ "sources": [held, quick] }))
}

fn is_both(archive: &[u8]) {
    let members = members(archive);
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["quick.bin", "held.bin"], "in the order of arrival");
    has_both(archive);
}

fn has_both(archive: &[u8]) {
    let mut members = members(archive);
    members.sort_by(|one, other| other.name.cmp(&one.name));
    let found = members.iter();
    let found = found.map(|member| (member.name.as_str(), member.content.as_slice()));
    let quick = Content::seeded(1, 3000).to_vec();
    let held = Content::seeded(2, 3000).to_vec();
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("quick.bin", quick.as_slice()),
            ("held.bin", held.as_slice())
        ]
    );
}

on_both!(a_streamed_archive_flows_before_the_last_source_answers_and_leaves_nothing);
async fn a_streamed_archive_flows_before_the_last_source_answers_and_leaves_nothing(
    database: TestDatabase,
) {
    let (origin, body) = half_ready().await;
    let server = server(&database).start().await;
    let mut answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), "application/zip");
    let id = operation_of(&answer);
    let mut whole = Vec::new();
    while whole.len() < 3000 {
        let part = within("the first source", answer.chunk())
            .await
            .expect("flows");
        whole.extend_from_slice(&part.expect("not the end"));
    }
    assert_eq!(&whole[..4], b"PK\x03\x04");
    // Which of the two is asked first is the scheduler's: the held one may come after.
    origin
        .when("the other source to be held", |counts| {
            counts.requests_in_all == 2 && counts.requests == 1
        })
        .await;
    for lying in [incoming(server.data()), stored(server.data())] {
        assert!(lying.is_empty(), "it flows past the disk: {lying:?}");
    }
    origin.release();
    whole.extend(rest(answer).await.expect("a clean end"));
    is_both(&whole);
    is_sound(&whole, 2).await;
    in_state(&server, &id, &["succeeded"]).await;
    assert!(stored(server.data()).is_empty() && incoming(server.data()).is_empty());
    let again = asked(&server, Method::GET, &id, &[]).await;
    assert!(
        [409, 410].contains(&again.status().as_u16()),
        "{}",
        again.status()
    );
}

on_both!(a_kept_archive_flows_to_several_while_it_is_made_and_is_the_same_afterwards);
async fn a_kept_archive_flows_to_several_while_it_is_made_and_is_the_same_afterwards(
    database: TestDatabase,
) {
    let (origin, body) = half_ready().await;
    let server = server(&database).start().await;
    let id = accepted(&server, &body).await;
    origin
        .when("the quick one to be given", |counts| {
            counts.requests_in_all == 2 && counts.requests == 1
        })
        .await;
    let mut takers = Vec::new();
    for _ in 0..3 {
        let mut taker = asked(&server, Method::GET, &id, &[]).await;
        assert_eq!(taker.status(), 200);
        let first = within("the first source", taker.chunk())
            .await
            .expect("flows");
        takers.push((first.expect("not the end").to_vec(), taker));
    }
    origin.release();
    let mut archives = Vec::new();
    for (mut first, taker) in takers {
        first.extend(rest(taker).await.expect("a clean end"));
        archives.push(first);
    }
    in_state(&server, &id, &["succeeded"]).await;
    let kept = archive(&server, &id).await;
    is_both(&kept);
    assert!(archives.iter().all(|archive| *archive == kept));
}

on_both!(what_a_large_source_has_given_flows_while_it_is_silent);
async fn what_a_large_source_has_given_flows_while_it_is_silent(database: TestDatabase) {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 3_000_000);
    let stalls = Answer::ok(content.clone()).stall_after(10_000);
    let body = json!({ "sources": [origin.put("/large.bin", stalls)] });
    let server = server(&database).start().await;
    let id = accepted(&server, &body).await;
    let kept = asked(&server, Method::GET, &id, &[]).await;
    let streamed = streamed(&server, &body).await;
    let mut takers = Vec::new();
    for mut taker in [kept, streamed] {
        let mut whole = Vec::new();
        while whole.len() < 10_000 {
            let part = within("what was given", taker.chunk()).await;
            whole.extend_from_slice(&part.expect("flows").expect("not the end"));
        }
        takers.push((whole, taker));
    }
    origin.release();
    for (mut whole, taker) in takers {
        whole.extend(rest(taker).await.expect("a clean end"));
        assert!(contents(&whole)["large.bin"] == content.to_vec());
    }
}

on_both!(a_bundle_that_is_not_kept_is_taken_once_from_its_own_address);
async fn a_bundle_that_is_not_kept_is_taken_once_from_its_own_address(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server(&database).start().await;
    let body = json!({ "sources": [url], "options": { "keep": false } });
    let id = accepted(&server, &body).await;
    let taken = archive(&server, &id).await;
    assert_eq!(contents(&taken)["a.bin"], Content::seeded(1, 100).to_vec());
    let again = asked(&server, Method::GET, &id, &[]).await;
    assert!(
        [409, 410].contains(&again.status().as_u16()),
        "{}",
        again.status()
    );
}

on_both!(head_takes_no_stream_and_waits_for_nothing);
async fn head_takes_no_stream_and_waits_for_nothing(database: TestDatabase) {
    let (origin, body) = half_ready().await;
    let server = server(&database).start().await;
    let kept = accepted(&server, &body).await;
    let mut streamed = body.clone();
    streamed["options"] = json!({ "keep": false });
    let streamed = accepted(&server, &streamed).await;
    for id in [&kept, &streamed] {
        let head = within("headers", asked(&server, Method::HEAD, id, &[])).await;
        assert_eq!(head.status(), 200);
        assert_eq!(header(&head, "content-type"), "application/zip");
        assert_eq!(header(&head, "longshore-operation"), id);
        assert!(!head.headers().contains_key("content-length"));
    }
    // The quick one may not have come by now, so that either may be the first.
    origin.release();
    has_both(&archive(&server, &streamed).await);
    let head = asked(&server, Method::HEAD, &streamed, &[]).await;
    assert!([409, 410].contains(&head.status().as_u16()));
    in_state(&server, &kept, &["succeeded"]).await;
    has_both(&archive(&server, &kept).await);
}

on_both!(who_waits_for_an_archive_takes_no_place_of_others);
async fn who_waits_for_an_archive_takes_no_place_of_others(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/held.bin", Answer::ok(Content::seeded(1, 100)).held());
    let options = server(&database).arg("--set").arg("http.concurrency=1");
    let server = options.start().await;
    let id = accepted(&server, &json!({ "sources": [url] })).await;
    let waiting = async {
        loop {
            let answer = asked(&server, Method::GET, &id, &[]).await;
            if answer.status() != 503 {
                break rest(answer).await.expect("a clean end");
            }
        }
    };
    let others = async {
        origin
            .when("the source to be asked", |counts| counts.requests == 1)
            .await;
        // The one place may be taken for a moment, but not for as long as the archive.
        let mut answers = 0;
        while answers < 3 {
            let (status, _) = server.get(&format!("/api/v1/bundles/{id}")).await;
            answers += u32::from(status == 200);
        }
        origin.release();
    };
    let (taken, ()) = tokio::join!(waiting, within("other answers", others));
    assert_eq!(contents(&taken).len(), 1);
}

on_both!(a_bundle_grows_to_its_limit_and_no_further);
async fn a_bundle_grows_to_its_limit_and_no_further(database: TestDatabase) {
    let origin = Origin::start().await;
    let length = |number: u64| if number == 3 { 900_000 } else { 100_000 };
    let urls: Vec<String> = (0..5)
        .map(|number| {
            let answer = Answer::ok(Content::seeded(number, length(number)));
            let answer = if number == 3 {
                answer.chunked()
            } else {
                answer
            };
            origin.put(&format!("/{number}.bin"), answer)
        })
        .collect();
    let options = server(&database).env("LONGSHORE_BUNDLES_MAX_BYTES", "420000B");
    let server = options.start().await;
    let body = json!({ "sources": urls, "options": { "order": "source" } });
    let (id, archive) = made(&server, &body).await;
    let missing = reasons(&archive);
    assert_eq!(
        missing.into_iter().collect::<Vec<_>>(),
        [(3, "too-large".to_owned())]
    );
    assert_eq!(contents(&archive).len(), 4);
    let told = report(&archive).expect("a report");
    assert!(
        told["missing"][0]["reason"]["message"]
            .to_string()
            .contains("420000 bytes"),
        "the limit, not what is left of it: {told:#}"
    );
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["bytes"], 400_000);
}

on_both!(no_more_is_kept_than_may_be_and_streaming_goes_on);
async fn no_more_is_kept_than_may_be_and_streaming_goes_on(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server(&database)
        .env("LONGSHORE_BUNDLES_MAX_KEPT", "1")
        .start()
        .await;
    let body = json!({ "sources": [url] });
    let (id, _) = made(&server, &body).await;
    let (status, problem) = server.post("/api/v1/bundles", &body).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(streamed(&server, &body).await.status(), 200);
    server.delete(&format!("/api/v1/bundles/{id}")).await;
    made(&server, &body).await;
}
