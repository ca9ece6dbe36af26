//! Best effort: what cannot be had does not fail the rest, and is listed.

use crate::archive::{contents, is_sound, reasons, report};
use crate::desk::{
    accepted, archive, archive_path, ended, id_of, in_state, log_lines, made, streamed,
};
use crate::program::{incoming, server, stored};
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, on_both};

/// An origin where a good file lies, and where everything else goes wrong.
async fn origin() -> Origin {
    let origin = Origin::start().await;
    origin.put("/good.bin", Answer::ok(Content::seeded(1, 1000)));
    origin.put("/cut", Answer::ok(Content::seeded(2, 1000)).cut_after(400));
    origin.put("/loop", Answer::redirect("/loop"));
    origin.put("/inward", Answer::redirect("http://10.0.0.1/"));
    origin.put("/silent", Answer::ok(Content::seeded(3, 1000)).held());
    origin.put(
        "/stalled",
        Answer::ok(Content::seeded(4, 1000)).stall_after(10),
    );
    origin.put("/rubbish", Answer::raw("this is no answer\r\n\r\n"));
    origin.put("/failing", Answer::status(503));
    origin.put("/gone", Answer::status(410));
    origin
}

on_both!(what_cannot_be_had_is_listed_with_its_reason_and_the_rest_is_there);
async fn what_cannot_be_had_is_listed_with_its_reason_and_the_rest_is_there(
    database: TestDatabase,
) {
    let origin = origin().await;
    let quick = [
        "ATTEMPTS",
        "FIRST_BYTE_TIMEOUT",
        "SILENCE_TIMEOUT",
        "CONNECT_TIMEOUT",
    ];
    let options = quick.iter().fold(server(&database), |options, name| {
        let value = if *name == "ATTEMPTS" { "1" } else { "1s" };
        options.env(&format!("LONGSHORE_FETCH_{name}"), value)
    });
    let server = options.start().await;
    let asked = [
        (origin.url("/good.bin"), "", ""),
        (origin.url("/nowhere"), "http-status", "failed"),
        (
            "http://10.0.0.1/private".to_owned(),
            "refused-address",
            "refused",
        ),
        ("not an address".to_owned(), "invalid-url", "refused"),
        ("ftp://127.0.0.1/a".to_owned(), "refused-scheme", "refused"),
        (
            "http://me:geheim@127.0.0.1/a".to_owned(),
            "refused-credentials",
            "refused",
        ),
        (
            "http://[::ffff:169.254.169.254]/latest".to_owned(),
            "refused-address",
            "refused",
        ),
        (origin.url("/inward"), "refused-address", "refused"),
        (origin.url("/cut"), "truncated", "failed"),
        (origin.url("/loop"), "too-many-redirects", "failed"),
        (origin.url("/silent"), "timeout-first-byte", "failed"),
        (origin.url("/stalled"), "timeout-silence", "failed"),
        (origin.url("/rubbish"), "protocol", "failed"),
        (origin.url("/failing"), "http-status", "failed"),
        (server.url(), "refused-address", "refused"),
    ];
    let urls: Vec<&String> = asked.iter().map(|(url, ..)| url).collect();
    let (id, archive) = made(&server, &json!({ "sources": urls })).await;

    let expected = asked.iter().enumerate().skip(1);
    let expected = expected.map(|(at, (_, code, _))| (at as u64, (*code).to_owned()));
    assert_eq!(reasons(&archive), expected.collect());
    let report = report(&archive).expect("a report");
    let missing = report["missing"].as_array().expect("a list");
    for row in missing {
        let at = usize::try_from(row["source"].as_u64().expect("a number")).expect("small");
        assert_eq!(row["state"], asked[at].2, "{row}");
        let message = row["reason"]["message"].as_str().expect("a sentence");
        assert!(message.len() > 10 && !message.contains("geheim"), "{row}");
    }
    assert!(
        !report.to_string().contains("geheim"),
        "no password is repeated"
    );
    assert_eq!(report["totals"]["missing"], asked.len() - 1);
    assert_eq!(contents(&archive).len(), 1);
    is_sound(&archive, 3).await;

    let bundle = ended(&server, &id).await;
    assert_eq!(
        (&bundle["done"], &bundle["failed"]),
        (&json!(1), &json!(asked.len() - 1))
    );
    let lines = log_lines(&server, &id).await;
    for (at, (_, code, state)) in asked.iter().enumerate() {
        let told = lines
            .iter()
            .map(|line| &line["data"])
            .find(|data| data["source"] == at && data["state"] != "fetching");
        let told = told.unwrap_or_else(|| panic!("nothing is logged of source {at}: {lines:#?}"));
        let state = if state.is_empty() { "done" } else { state };
        assert_eq!(told["state"], state, "{told}");
        assert_eq!(
            told["reason"]["code"].as_str().unwrap_or(""),
            *code,
            "{told}"
        );
    }
    assert!(!format!("{lines:?}").contains("geheim"));
}

on_both!(a_source_larger_than_one_may_be_is_missing_and_the_limit_is_told);
async fn a_source_larger_than_one_may_be_is_missing_and_the_limit_is_told(database: TestDatabase) {
    let origin = Origin::start().await;
    let of_length = |number, length| Answer::ok(Content::seeded(number, length));
    let urls = [
        origin.put("/fits.bin", of_length(1, 2000)),
        origin.put("/told.bin", of_length(2, 2001)),
        // Nobody knows how long it is before it is.
        origin.put("/untold.bin", of_length(3, 200_000).chunked()),
    ];
    let server = server(&database)
        .env("LONGSHORE_FETCH_MAX_BYTES_PER_SOURCE", "2000B")
        .start()
        .await;
    let (id, archive) = made(&server, &json!({ "sources": urls })).await;
    let too_large = || "too-large".to_owned();
    assert_eq!(
        reasons(&archive),
        [(1, too_large()), (2, too_large())].into()
    );
    let report = report(&archive).expect("a report");
    for row in report["missing"].as_array().expect("a list") {
        let message = row["reason"]["message"].as_str().expect("a sentence");
        assert!(message.contains("2000 bytes"), "{row}");
    }
    let names: Vec<String> = contents(&archive).into_keys().collect();
    assert_eq!(names, ["fits.bin"]);
    assert_eq!(ended(&server, &id).await["bytes"], 2000);
}

on_both!(a_whole_bundle_has_no_report);
async fn a_whole_bundle_has_no_report(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let body = json!({ "sources": [origin.url("/good.bin")] });
    let (id, archive) = made(&server, &body).await;
    assert_eq!(report(&archive), None);
    let path = format!("/api/v1/bundles/{id}/retry");
    let (status, problem) = server.post(&path, &json!({})).await;
    assert_eq!(status, 409, "nothing failed: {problem}");
}

on_both!(those_that_failed_are_fetched_again_and_no_others);
async fn those_that_failed_are_fetched_again_and_no_others(database: TestDatabase) {
    let origin = origin().await;
    origin.put_in_turn(
        "/late",
        [Answer::status(404), Answer::ok(Content::bytes("there"))],
    );
    let server = server(&database).start().await;
    let urls = [
        origin.url("/good.bin"),
        origin.url("/late"),
        origin.url("/gone"),
    ];
    let (id, archive_) = made(&server, &json!({ "sources": urls })).await;
    assert_eq!(reasons(&archive_).len(), 2);
    let actions = ended(&server, &id).await["actions"].clone();
    assert!(
        actions
            .as_array()
            .expect("a list")
            .contains(&json!("retry_failed")),
        "{actions}"
    );

    let path = format!("/api/v1/bundles/{id}/retry");
    let (status, again) = server.post(&path, &json!({})).await;
    assert_eq!(status, 201, "{again}");
    let again = ended(&server, &id_of(&again)).await;
    assert_eq!(
        (&again["sources"], &again["done"]),
        (&json!(2), &json!(1)),
        "{again:#}"
    );
    let archive_ = archive(&server, &id_of(&again)).await;
    assert_eq!(contents(&archive_)["late"], b"there");
    assert_eq!(origin.seen_of("/good.bin").len(), 1);

    let (status, _) = server.post(&path, &json!({ "sources": [99] })).await;
    assert_eq!(status, 400, "there is no source 99");
    let (status, one) = server.post(&path, &json!({ "sources": [0] })).await;
    assert_eq!(status, 201, "{one}");
    assert_eq!(ended(&server, &id_of(&one)).await["done"], 1);
}

on_both!(a_strict_bundle_fails_when_anything_is_missing_and_keeps_nothing);
async fn a_strict_bundle_fails_when_anything_is_missing_and_keeps_nothing(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let urls = [origin.url("/good.bin"), origin.url("/gone")];
    let body = json!({ "sources": urls, "options": { "strict": true } });
    let id = accepted(&server, &body).await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "failed", "{bundle:#}");
    assert_eq!(
        bundle["operation"]["error"]["code"], "source-missing",
        "{bundle:#}"
    );
    assert!(stored(server.data()).is_empty() && incoming(server.data()).is_empty());
    assert_eq!(server.get(&archive_path(&id)).await.0, 410);
    let body = json!({ "sources": [origin.url("/good.bin")], "options": { "strict": true } });
    made(&server, &body).await;
}

on_both!(nothing_usable_is_an_error_and_never_an_archive);
async fn nothing_usable_is_an_error_and_never_an_archive(database: TestDatabase) {
    let origin = origin().await;
    let server = server(&database).start().await;
    let body = json!({ "sources": [origin.url("/gone"), "rubbish", "http://10.1.2.3/"] });
    let answer = streamed(&server, &body).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "nothing-usable", "{problem}");

    let id = accepted(&server, &body).await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "failed", "{bundle:#}");
    assert_eq!(
        bundle["operation"]["error"]["code"], "nothing-usable",
        "{bundle:#}"
    );
    assert_eq!(bundle["archive_url"], Value::Null);
    assert_eq!(server.get(&archive_path(&id)).await.0, 410);
    assert!(stored(server.data()).is_empty() && incoming(server.data()).is_empty());
}

on_both!(who_waits_for_an_archive_of_nothing_is_told_so_instead);
async fn who_waits_for_an_archive_of_nothing_is_told_so_instead(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/gone", Answer::status(410).held());
    let server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": [url] })).await;
    let path = archive_path(&id);
    let (answer, ()) = tokio::join!(server.get(&path), async {
        origin
            .when("the source to be asked", |counts| counts.requests == 1)
            .await;
        in_state(&server, &id, &["running"]).await;
        origin.release();
    });
    // Asked a moment too late, it would be gone already.
    let expected = [(422, "nothing-usable"), (410, "gone")];
    let code = answer.1["code"].as_str().expect("a problem");
    assert!(expected.contains(&(answer.0.as_u16(), code)), "{answer:?}");
}

on_both!(a_request_that_no_bundle_can_come_of_is_refused_with_the_field);
async fn a_request_that_no_bundle_can_come_of_is_refused_with_the_field(database: TestDatabase) {
    let server = server(&database).start().await;
    for (body, field) in [
        (json!({ "sources": [] }), "sources"),
        (json!({ "sources": ["http://a/"], "name": "a/b" }), "name"),
        (json!({ "sources": [7] }), "sources"),
        (
            json!({ "sources": ["http://a/"], "options": { "order": "none" } }),
            "options.order",
        ),
        (
            json!({ "sources": ["http://a/"], "colour": "red" }),
            "colour",
        ),
    ] {
        let (status, problem) = server.post("/api/v1/bundles", &body).await;
        assert_eq!(status, 400, "{body}: {problem}");
        let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
        assert!(named.starts_with(field), "{body}: {problem}");
    }
    let (_, page) = server.get("/api/v1/bundles").await;
    assert_eq!(page["items"], json!([]), "none of them is there");
}

on_both!(a_log_hides_what_headers_hold_and_stays_readable);
async fn a_log_hides_what_headers_hold_and_stays_readable(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/1000.bin", Answer::ok(Content::seeded(1, 1000)));
    let telling = origin.put("/geheimnis/a.bin", Answer::status(404));
    let headers = json!({
        "Referer": origin.url("/"),
        "X-User-Id": "1000",
        "Authorization": "Bearer geheimnis",
        "X-Number": "1000000",
    });
    let large = origin.put("/large.bin", Answer::ok(Content::seeded(2, 1_000_000)));
    let server = server(&database).start().await;
    let sources = [&url, &telling, &large].map(|url| json!({ "url": url, "headers": headers }));
    let (id, archive) = made(&server, &json!({ "sources": sources })).await;
    let lines = log_lines(&server, &id).await;
    let told: Vec<&Value> = lines
        .iter()
        .map(|line| &line["data"])
        .filter(|data| data["source"].is_u64())
        .collect();
    assert_eq!(told.len(), 3, "a line for programs of each: {lines:#?}");
    let of = |source: u64| {
        let found = told.iter().find(|data| data["source"] == source);
        (*found.expect("it is told")).clone()
    };
    assert_eq!(
        (&of(0)["url"], &of(0)["bytes"]),
        (&json!(url), &json!(1000))
    );
    assert_eq!(of(2)["bytes"], 1_000_000);
    let report = report(&archive).expect("a report");
    for text in [format!("{lines:?}"), report.to_string()] {
        assert!(!text.contains("geheimnis"), "{text}");
        assert!(text.contains("/[redacted]/a.bin"), "{text}");
    }
}

on_both!(this_server_is_not_asked_by_any_of_its_addresses);
async fn this_server_is_not_asked_by_any_of_its_addresses(database: TestDatabase) {
    let origin = Origin::start().await;
    let good = origin.put("/good.bin", Answer::ok(Content::seeded(1, 100)));
    let options = server(&database)
        .env("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8")
        .env("LONGSHORE_PUBLIC_URL", "http://longshore.example:81")
        .env("LONGSHORE_FETCH_PORTS", "81")
        .with_s3();
    let server = options.start().await;
    let port = server.port();
    let asked = [
        good,
        format!("http://127.0.0.1:{port}/healthz"),
        format!("http://localhost:{port}/healthz"),
        format!("http://2130706433:{port}/healthz"),
        format!("{}/", server.s3_url()),
        "http://longshore.example:81/healthz".to_owned(),
        "http://Longshore.Example.:81/healthz".to_owned(),
    ];
    let (_, archive) = made(&server, &json!({ "sources": asked })).await;
    let reasons = reasons(&archive);
    assert_eq!(reasons.len(), 6, "{reasons:?}");
    assert!(
        reasons.values().all(|code| code == "refused-address"),
        "{reasons:?}"
    );
}
