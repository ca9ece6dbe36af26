//! What a bundle shows of itself: what it was asked to hold, and what can be done.

use crate::archive::contents;
use crate::desk::{
    accepted, archive, ended, id_of, in_state, log_lines, made, operation_of, rest, streamed,
};
use crate::program::server;
use reqwest::Method;
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both};

const PASSWORD: &str = "long-enough-for-vera";

/// Makes a viewer.
async fn viewer(server: &TestServer) {
    let body = json!({ "name": "vera", "role": "viewer", "password": PASSWORD });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
}

async fn seen_by_viewer(server: &TestServer, path: &str) -> Value {
    let answer = server
        .request_as("vera", PASSWORD, Method::GET, path)
        .send();
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.expect("JSON")
}

on_both!(the_sources_are_named_without_what_is_secret_a_page_at_a_time);
async fn the_sources_are_named_without_what_is_secret_a_page_at_a_time(database: TestDatabase) {
    let server = server(&database).start().await;
    viewer(&server).await;
    let mut sources = vec![json!({
        "url": "http://anna:geheim@10.0.0.1/a.jpg?key=geheim",
        "path": "covers/a.jpg",
        "headers": { "authorization": "Bearer geheim" },
    })];
    sources.extend((1..1500).map(|number| json!(format!("http://10.0.0.1/{number}.jpg"))));
    let id = accepted(&server, &json!({ "sources": sources })).await;
    let path = format!("/api/v1/bundles/{id}/sources");

    let page = seen_by_viewer(&server, &path).await;
    assert_eq!(page["next"], 1000);
    let items = page["items"].as_array().expect("a list");
    let first = json!({ "source": 0, "url": "http://10.0.0.1/a.jpg?…", "path": "covers/a.jpg" });
    assert_eq!((items.len(), &items[0]), (1000, &first));
    assert_eq!(
        items[7],
        json!({ "source": 7, "url": "http://10.0.0.1/7.jpg" })
    );
    let page = seen_by_viewer(&server, &format!("{path}?from=1000")).await;
    let items = page["items"].as_array().expect("a list");
    assert_eq!((items.len(), &page["next"]), (500, &Value::Null));
    assert_eq!(items[499]["source"], 1499);
    let page = seen_by_viewer(&server, &format!("{path}?from=3&limit=2")).await;
    assert_eq!(page["next"], 5);
    let page = seen_by_viewer(&server, &format!("{path}?from=5000")).await;
    assert_eq!(page, json!({ "items": [], "next": null }));
    for query in ["limit=0", "limit=5001", "from=-1", "colour=red"] {
        assert_eq!(
            server.get(&format!("{path}?{query}")).await.0,
            400,
            "{query}"
        );
    }
    ended(&server, &id).await;
    let all = server.get(&format!("{path}?limit=5000")).await.1;
    assert!(!all.to_string().contains("geheim"));
    let nowhere = "/api/v1/bundles/0190a6e0-c7a1-7000-8000-00000000000a/sources";
    assert_eq!(server.get(nowhere).await.0, 404);
}

on_both!(what_can_be_done_depends_on_who_looks);
async fn what_can_be_done_depends_on_who_looks(database: TestDatabase) {
    let origin = Origin::start().await;
    let good = origin.put("/good.bin", Answer::ok(Content::seeded(1, 100)));
    let server = server(&database).start().await;
    viewer(&server).await;
    let body = json!({ "sources": [good, origin.url("/nowhere")] });
    let (id, _) = made(&server, &body).await;
    let path = format!("/api/v1/bundles/{id}");
    let (_, bundle) = server.get(&path).await;
    let all = json!(["link", "retry_failed", "again", "delete"]);
    assert_eq!(bundle["actions"], all, "{bundle:#}");
    let seen = seen_by_viewer(&server, &path).await;
    assert_eq!(seen["actions"], json!([]), "{seen:#}");
    assert_eq!(
        seen["archive_url"], bundle["archive_url"],
        "a viewer fetches"
    );
    let list = seen_by_viewer(&server, "/api/v1/bundles").await;
    assert_eq!(list["items"][0]["actions"], json!([]), "{list:#}");
}

on_both!(a_streamed_bundle_offers_its_stream_once_and_is_kept_when_it_is_made_again);
async fn a_streamed_bundle_offers_its_stream_once_and_is_kept_when_it_is_made_again(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(1, 100)).held());
    let server = server(&database).start().await;
    let body = json!({ "sources": [held], "options": { "keep": false } });
    let id = accepted(&server, &body).await;
    let path = format!("/api/v1/bundles/{id}");
    let (_, bundle) = server.get(&path).await;
    assert_ne!(bundle["archive_url"], Value::Null, "nobody took it yet");
    origin.release();
    archive(&server, &id).await;
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["archive_url"], Value::Null, "{bundle:#}");
    assert_eq!(bundle["actions"], json!(["again", "delete"]), "{bundle:#}");

    let again = format!("/api/v1/operations/{id}/retry");
    let (status, operation) = server.post(&again, &json!({})).await;
    assert_eq!(status, 201, "{operation}");
    let again = id_of(&operation);
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{again}")).await;
    assert_eq!(bundle["kept"], true, "{bundle:#}");
    in_state(&server, &again, &["succeeded", "failed"]).await;
    let archive = archive(&server, &again).await;
    assert_eq!(
        contents(&archive)["held.bin"],
        Content::seeded(1, 100).to_vec()
    );
}

on_both!(the_stream_of_a_taken_bundle_is_not_offered);
async fn the_stream_of_a_taken_bundle_is_not_offered(database: TestDatabase) {
    let origin = Origin::start().await;
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 5000)));
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 100)).held());
    let server = server(&database).start().await;
    let answer = streamed(&server, &json!({ "sources": [quick, held] })).await;
    let id = operation_of(&answer);
    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(bundle["archive_url"], Value::Null, "{bundle:#}");
    origin.release();
    rest(answer).await.expect("a clean end");
}

on_both!(a_log_is_a_text_from_any_of_its_lines_on);
async fn a_log_is_a_text_from_any_of_its_lines_on(database: TestDatabase) {
    let server = server(&database).start().await;
    let origin = Origin::start().await;
    let sources: Vec<String> = (0..100)
        .map(|number| {
            origin.put(
                &format!("/{number}"),
                Answer::ok(Content::seeded(number, 30)),
            )
        })
        .collect();
    let (id, _) = made(&server, &json!({ "sources": sources })).await;
    let lines = log_lines(&server, &id).await;
    let text = async |query: &str| {
        let path = format!("/api/v1/operations/{id}/log.txt{query}");
        let answer = server.request(Method::GET, &path).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{query}");
        answer.text().await.expect("a text")
    };
    let whole = text("").await;
    let whole: Vec<&str> = whole.lines().collect();
    assert_eq!(whole.len(), lines.len());
    // So few lines are one segment.
    for from in [1, 2, lines.len() / 2, lines.len()] {
        let text = text(&format!("?from={from}")).await;
        assert!(text.lines().eq(whole[from - 1..].iter().copied()), "{from}");
        let first = lines[from - 1]["text"].as_str().expect("a text");
        assert!(text.lines().next().expect("a line").ends_with(first));
    }
    assert_eq!(text(&format!("?from={}", lines.len() + 1)).await, "");
    let kept = text("?colours=true").await;
    assert!(kept.lines().eq(whole.iter().copied()), "none has colours");
    for query in ["from=0", "from=-1", "from=x", "colours=blue", "limit=5"] {
        let path = format!("/api/v1/operations/{id}/log.txt?{query}");
        assert_eq!(server.get(&path).await.0, 400, "{query}");
    }
}
