//! Taking an archive: by plain curl, streamed and kept, in parts, and while it grows.

use crate::archive::{contents, is_sound, members, run};
use crate::desk::{
    accepted, archive, archive_path, ended, id_of, in_state, made, operation_of, rest, streamed,
};
use crate::program::{incoming, server, stored};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::fs;
use testing::{Answer, Content, Nginx, Origin, TestServer, installed, on_both, within};

/// As many files as the README promises.
const FILES: u64 = 500;

fn content(number: u64) -> Vec<u8> {
    Content::seeded(number, 100 + number * 13 % 4000).to_vec()
}

/// A folder of files behind a real nginx, and the list of their addresses as JSON.
async fn served() -> Option<(Nginx, tempfile::TempDir, Value)> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for number in 0..FILES {
        let file = folder.path().join(format!("{number}.jpg"));
        fs::write(file, content(number)).expect("a temporary folder takes files");
    }
    let nginx = Nginx::serving(folder.path()).await?;
    let urls: Vec<String> = (0..FILES)
        .map(|number| format!("{}/{number}.jpg", nginx.url()))
        .collect();
    Some((nginx, folder, json!({ "name": "covers", "sources": urls })))
}

/// The options with which everybody calls curl.
fn curl<'a>(user: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let always = [
        "--silent",
        "--show-error",
        "--fail",
        "--max-time",
        "60",
        "--user",
        user,
    ];
    always.iter().copied().chain(more.iter().copied()).collect()
}

fn is_all_of_it(archive: &[u8]) {
    let contents = contents(archive);
    assert_eq!(contents.len() as u64, FILES);
    for number in 0..FILES {
        assert!(
            contents[&format!("{number}.jpg")] == self::content(number),
            "{number}"
        );
    }
}

#[tokio::test]
async fn plain_curl_saves_the_zip_of_500_files_of_a_real_nginx() {
    let Some(program) = installed("curl") else {
        return;
    };
    let Some((_nginx, folder, list)) = served().await else {
        return;
    };
    let server = server().start().await;
    let user = format!("admin:{}", server.admin_password());
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(file("list.json"), list.to_string()).expect("it takes files");
    let (post, kind) = (
        format!("@{}", file("list.json")),
        "Content-Type: application/json",
    );
    let bundles = format!("{}/api/v1/bundles", server.url());

    let stream = format!("{bundles}?stream=1");
    let saved = file("streamed.zip");
    let arguments = [
        "--header", kind, "--data", &post, "--output", &saved, &stream,
    ];
    run(program.clone(), &curl(&user, &arguments)).await;
    let archive = fs::read(&saved).expect("curl saved it");
    is_all_of_it(&archive);
    is_sound(&archive, 500).await;
    assert!(
        stored(server.data()).is_empty(),
        "a streamed one is not kept"
    );

    let said = run(
        program.clone(),
        &curl(&user, &["--header", kind, "--data", &post, &bundles]),
    )
    .await;
    let bundle: Value = serde_json::from_str(&said).expect("JSON");
    let url = format!(
        "{bundles}/{}/archive",
        bundle["id"].as_str().expect("an id")
    );
    let saved = file("kept.zip");
    run(program.clone(), &curl(&user, &["--output", &saved, &url])).await;
    let archive = fs::read(&saved).expect("curl saved it");
    is_all_of_it(&archive);
    is_sound(&archive, 500).await;
    let bundle = ended(&server, &id_of(&bundle)).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["done"], 500);

    // A download that broke off is gone on with, as people do.
    let part = file("resumed.zip");
    fs::write(&part, &archive[..archive.len() / 3]).expect("it takes files");
    run(
        program,
        &curl(&user, &["--continue-at", "-", "--output", &part, &url]),
    )
    .await;
    assert!(fs::read(&part).expect("there") == archive, "byte for byte");
}

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

#[tokio::test]
async fn a_kept_archive_has_an_exact_length_and_is_had_in_parts() {
    on_both(|database| async move {
        let origin = Origin::start().await;
        let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 50_000)));
        let server = server().on(&database).start().await;
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
    })
    .await;
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
    assert_eq!(members[0].content, Content::seeded(1, 3000).to_vec());
    assert_eq!(members[1].content, Content::seeded(2, 3000).to_vec());
}

#[tokio::test]
async fn a_streamed_archive_flows_before_the_last_source_answers_and_leaves_nothing() {
    let (origin, body) = half_ready().await;
    let server = server().start().await;
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

#[tokio::test]
async fn a_kept_archive_flows_to_several_while_it_is_made_and_is_the_same_afterwards() {
    let (origin, body) = half_ready().await;
    let server = server().start().await;
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

#[tokio::test]
async fn what_a_large_source_has_given_flows_while_it_is_silent() {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 3_000_000);
    let stalls = Answer::ok(content.clone()).stall_after(10_000);
    let body = json!({ "sources": [origin.put("/large.bin", stalls)] });
    let server = server().start().await;
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

#[tokio::test]
async fn a_bundle_that_is_not_kept_is_taken_once_from_its_own_address() {
    on_both(|database| async move {
        let origin = Origin::start().await;
        let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
        let server = server().on(&database).start().await;
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
    })
    .await;
}

#[tokio::test]
async fn head_takes_no_stream_and_waits_for_nothing() {
    on_both(|database| async move {
        let (origin, body) = half_ready().await;
        let server = server().on(&database).start().await;
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
        origin.release();
        is_both(&archive(&server, &streamed).await);
        let head = asked(&server, Method::HEAD, &streamed, &[]).await;
        assert!([409, 410].contains(&head.status().as_u16()));
        in_state(&server, &kept, &["succeeded"]).await;
        is_both(&archive(&server, &kept).await);
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_an_archive_takes_no_place_of_others() {
    let origin = Origin::start().await;
    let url = origin.put("/held.bin", Answer::ok(Content::seeded(1, 100)).held());
    let options = server().arg("--set").arg("http.concurrency=1");
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

#[tokio::test]
async fn a_streamed_archive_tells_its_length_ahead_where_that_is_asked_for() {
    let origin = Origin::start().await;
    let urls: Vec<String> = (0..20)
        .map(|number| {
            let content = Content::seeded(number, 1000 + number * 40_000);
            origin.put(&format!("/{number}.txt"), Answer::ok(content))
        })
        .collect();
    let server = server().start().await;
    let body = json!({ "sources": urls, "options": { "exact_length": true } });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 200);
    let length = header(&answer, "content-length").to_owned();
    let whole = rest(answer).await.expect("a clean end");
    assert_eq!(length, whole.len().to_string());
    assert_eq!(contents(&whole).len(), 20);
    is_sound(&whole, 20).await;
}

#[tokio::test]
async fn a_promised_length_that_a_source_breaks_is_never_ended_cleanly() {
    let origin = Origin::start().await;
    let answer = |length| Answer::ok(Content::seeded(1, length));
    let changing = origin.put_in_turn("/changing.bin", [answer(5000), answer(4000)]);
    // Larger than what is gathered before anything goes out, so that the answer begins.
    let steady = origin.put("/steady.bin", Answer::ok(Content::seeded(2, 2_000_000)));
    let server = server().start().await;
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

#[tokio::test]
async fn no_length_is_told_where_head_says_nothing_and_nothing_is_missing_for_it() {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 5000);
    // An address signed for GET alone answers HEAD with 403.
    let inner = content.clone();
    origin.answer_others(move |seen| match seen.method.as_str() {
        "HEAD" => Answer::status(403),
        _ => Answer::ok(inner.clone()),
    });
    let server = server().start().await;
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
    assert_eq!(crate::archive::reasons(&whole).len(), 1);
}

#[tokio::test]
async fn a_length_is_told_with_the_report_of_what_is_refused() {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 300_000)));
    let server = server().start().await;
    let mut urls = vec![url];
    urls.extend((0..3000).map(|number| format!("http://10.0.0.1/{number}")));
    let body = json!({ "sources": urls, "options": { "exact_length": true } });
    let answer = streamed(&server, &body).await;
    let length = header(&answer, "content-length").to_owned();
    let whole = rest(answer).await.expect("a clean end");
    assert_eq!(length, whole.len().to_string());
    assert_eq!(crate::archive::reasons(&whole).len(), 3000);
    is_sound(&whole, 3).await;
}

#[tokio::test]
async fn what_is_kept_is_not_asked_for_its_size_first() {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server().start().await;
    let body = json!({ "sources": [url], "options": { "exact_length": true } });
    made(&server, &body).await;
    assert!(origin.seen().iter().all(|seen| seen.method == "GET"));
}

#[tokio::test]
async fn a_bundle_grows_to_its_limit_and_no_further() {
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
    let options = server().env("LONGSHORE_BUNDLES_MAX_BYTES", "420000B");
    let server = options.start().await;
    let body = json!({ "sources": urls, "options": { "order": "source" } });
    let (id, archive) = made(&server, &body).await;
    let reasons = crate::archive::reasons(&archive);
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        [(3, "too-large".to_owned())]
    );
    assert_eq!(contents(&archive).len(), 4);
    let report = crate::archive::report(&archive).expect("a report");
    assert!(
        report["missing"][0]["reason"]["message"]
            .to_string()
            .contains("420000 bytes"),
        "the limit, not what is left of it: {report:#}"
    );
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["bytes"], 400_000);
}

#[tokio::test]
async fn no_more_is_kept_than_may_be_and_streaming_goes_on() {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server()
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
