//! Links that need no password, and how long archives are kept.

use crate::desk::{archive_path, ended, in_state, made, operation_of, rest, streamed};
use crate::program::{files_below, incoming, opened, server, stored};
use base::{Clock, SystemClock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime};
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both};

async fn kept(server: &TestServer) -> (Origin, String, Vec<u8>) {
    let origin = Origin::start().await;
    let url = origin.put("/a.bin", Answer::ok(Content::seeded(1, 5000)));
    let (id, archive) = made(server, &json!({ "sources": [url] })).await;
    (origin, id, archive)
}

/// A signed link's path and query.
async fn link(server: &TestServer, id: &str, expires_in: u64) -> (String, Value) {
    let body = json!({ "expires_in": expires_in });
    let (status, link) = server
        .post(&format!("/api/v1/bundles/{id}/link"), &body)
        .await;
    assert_eq!(status, 201, "{link}");
    let url = link["url"].as_str().expect("an address");
    let path = url
        .strip_prefix(&server.url())
        .expect("an address of this server");
    (path.to_owned(), link)
}

async fn status(server: &TestServer, method: Method, path: &str) -> u16 {
    let answer = server.anonymous(method, path).send().await;
    answer.expect("an answer").status().as_u16()
}

on_both!(a_signed_link_gives_the_archive_without_a_password_and_nothing_else);
async fn a_signed_link_gives_the_archive_without_a_password_and_nothing_else(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let (_origin, id, archive) = kept(&server).await;
    let (_other_origin, other, _) = kept(&server).await;
    let (path, _) = link(&server, &id, 600).await;
    let answer = server
        .anonymous(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.expect("whole"), archive);
    let part = server
        .anonymous(Method::GET, &path)
        .header("Range", "bytes=5-9");
    let part = part.send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.expect("whole"), archive[5..10]);
    assert_eq!(status(&server, Method::HEAD, &path).await, 200);

    let query = path.split_once('?').expect("a query").1;
    let (before, last) = path.split_at(path.len() - 1);
    let altered = format!("{before}{}", if last == "A" { "B" } else { "A" });
    let later = path.replacen("expires=1", "expires=2", 1);
    for (what, refused) in [
        ("another signature", altered),
        ("a later end", later),
        (
            "another archive",
            format!("{}?{query}", archive_path(&other)),
        ),
    ] {
        assert_eq!(
            status(&server, Method::GET, &refused).await,
            403,
            "{what}: {refused}"
        );
    }
    assert_eq!(
        status(&server, Method::GET, &archive_path(&id)).await,
        401,
        "without it"
    );
    assert_eq!(status(&server, Method::POST, &path).await, 405);
    let bundle = format!("/api/v1/bundles/{id}");
    for (method, path) in [
        (Method::GET, format!("{bundle}?{query}")),
        (Method::DELETE, format!("{bundle}?{query}")),
        (Method::POST, format!("{bundle}/link?{query}")),
    ] {
        let answer = status(&server, method.clone(), &path).await;
        assert_eq!(answer, 401, "{method} {path}");
    }
}

/// Waits until a moment that the server named is over, by the clock that both share.
/// Time is the event here.
async fn over(moment: &Value) {
    let moment: Timestamp = serde_json::from_value(moment.clone()).expect("a time");
    tokio::time::sleep(moment.since(SystemClock.now())).await;
}

on_both!(a_signed_link_ends_with_its_time_and_never_outlives_the_archive);
async fn a_signed_link_ends_with_its_time_and_never_outlives_the_archive(database: TestDatabase) {
    let server = server(&database).start().await;
    let (_origin, id, _) = kept(&server).await;
    let (path, shown) = link(&server, &id, 3).await;
    assert_eq!(status(&server, Method::GET, &path).await, 200, "{shown}");
    over(&shown["expires_at"]).await;
    let answer = server.anonymous(Method::GET, &path).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 403);
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "link-expired", "{problem}");

    let (_, bundle) = server.get(&format!("/api/v1/bundles/{id}")).await;
    let (_, shown) = link(&server, &id, 31_536_000).await;
    assert_eq!(
        shown["expires_at"], bundle["expires_at"],
        "{shown} {bundle:#}"
    );
}

on_both!(a_time_to_be_kept_or_good_for_is_between_a_second_and_a_year);
async fn a_time_to_be_kept_or_good_for_is_between_a_second_and_a_year(database: TestDatabase) {
    let server = server(&database).start().await;
    let (_origin, id, _) = kept(&server).await;
    for seconds in [0, 31_536_001, u64::MAX] {
        let body = json!({ "expires_in": seconds });
        let path = format!("/api/v1/bundles/{id}/link");
        let (status, problem) = server.post(&path, &body).await;
        assert_eq!(status, 400, "{problem}");
        assert_eq!(problem["errors"][0]["field"], "expires_in", "{problem}");
        let body = json!({ "sources": ["http://a/"], "options": body });
        let (status, problem) = server.post("/api/v1/bundles", &body).await;
        assert_eq!(status, 400, "{problem}");
        let field = &problem["errors"][0]["field"];
        assert_eq!(field, "options.expires_in", "{problem}");
    }
}

on_both!(an_address_with_more_than_its_signature_is_refused);
async fn an_address_with_more_than_its_signature_is_refused(database: TestDatabase) {
    let server = server(&database).start().await;
    let (_origin, id, _) = kept(&server).await;
    let (path, _) = link(&server, &id, 600).await;
    let more = format!("{path}&stream=1");
    assert_eq!(status(&server, Method::GET, &more).await, 400, "by a link");
    let (answer, problem) = server.get(&format!("{}?stream=1", archive_path(&id))).await;
    assert_eq!(answer, 400, "and by a user: {problem}");
}

on_both!(a_link_is_made_by_who_may_share_and_is_on_record_like_a_deletion);
async fn a_link_is_made_by_who_may_share_and_is_on_record_like_a_deletion(database: TestDatabase) {
    let server = server(&database).start().await;
    let (_origin, id, archive) = kept(&server).await;
    let password = "long-enough-for-vera";
    let body = json!({ "name": "vera", "role": "viewer", "password": password });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    let refused = server
        .request_as(
            "vera",
            password,
            Method::POST,
            &format!("/api/v1/bundles/{id}/link"),
        )
        .header("Content-Type", "application/json")
        .body("{}")
        .send()
        .await;
    assert_eq!(refused.expect("an answer").status(), 403);

    let (_, shown) = link(&server, &id, 600).await;
    server.delete(&format!("/api/v1/bundles/{id}")).await;
    let path = format!("/api/v1/audit?subject=bundle:{id}");
    let (status, page) = server.get(&path).await;
    assert_eq!(status, 200, "{page}");
    let entries = page["items"].as_array().expect("a list");
    assert_eq!(entries.len(), 2, "{page:#}");
    let [deleted, linked] = [&entries[0], &entries[1]];
    assert_eq!(deleted["action"], "bundle.deleted", "{page:#}");
    assert_eq!(deleted["before"]["size"], archive.len(), "{page:#}");
    assert_eq!(linked["action"], "bundle.linked", "{page:#}");
    assert_eq!(linked["actor"], "user:admin", "{page:#}");
    assert_eq!(
        linked["after"]["expires_at"], shown["expires_at"],
        "{page:#}"
    );
    let signature = shown["url"].as_str().and_then(|url| url.rsplit_once('='));
    let signature = signature.expect("a signature").1;
    assert!(
        !page.to_string().contains(signature),
        "the link itself is not"
    );
}

on_both!(deleting_a_bundle_frees_its_bytes);
async fn deleting_a_bundle_frees_its_bytes(database: TestDatabase) {
    let server = server(&database).start().await;
    let (_origin, id, archive) = kept(&server).await;
    let (path, _) = link(&server, &id, 600).await;
    assert_eq!(stored(server.data()).len(), 1);
    let (status_, freed) = server.delete(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(
        (status_.as_u16(), &freed),
        (200, &json!({ "freed": archive.len() }))
    );
    assert!(stored(server.data()).is_empty());
    assert_eq!(server.get(&format!("/api/v1/bundles/{id}")).await.0, 404);
    assert_eq!(server.get(&archive_path(&id)).await.0, 404);
    assert_eq!(
        status(&server, Method::GET, &path).await,
        404,
        "nor by a link"
    );
    assert_eq!(server.delete(&format!("/api/v1/bundles/{id}")).await.0, 404);
}

/// Changes the database of a server that is stopped.
async fn change(server: &TestServer, database: &TestDatabase, statements: &[&'static str]) {
    let db = opened(server, database).await;
    for statement in statements {
        let changed = db.execute(*statement, vec![]).await.expect("it changes");
        assert_eq!(changed, 1, "{statement}");
    }
    db.close().await;
}

on_both!(what_has_expired_is_refused_and_removed_and_what_a_crash_left_is_swept);
async fn what_has_expired_is_refused_and_removed_and_what_a_crash_left_is_swept(
    database: TestDatabase,
) {
    let mut server = server(&database).start().await;
    let (_origin, id, _) = kept(&server).await;
    let (_young_origin, young, archive) = kept_for(&server, 3600).await;
    server.terminate().await;
    let old = SystemTime::now() - Duration::from_secs(48 * 3600);
    let left = server
        .data()
        .join("blobs/incoming/0190a6e0c7a17000800000000000000a");
    fs::write(&left, "half").expect("the data directory takes files");
    let file = fs::File::options().write(true).open(&left).expect("there");
    file.set_modified(old).expect("its time can be set");
    // A name of 2024 that no bundle knows.
    let orphan = server
        .data()
        .join("blobs/0a/0190a6e0c7a17000800000000000000a");
    fs::create_dir_all(orphan.parent().expect("a shard")).expect("it takes folders");
    fs::write(&orphan, "whole").expect("it takes files");
    let expired = "UPDATE bundle SET expires_at = 1 WHERE expires_at =
        (SELECT max(expires_at) FROM bundle)";
    let due = "UPDATE schedule SET next_run = 1 WHERE kind = 'bundle-expiry'";
    change(&server, &database, &[expired, due]).await;

    server.start_again().await;
    let (status_, page) = server.get("/api/v1/operations?kind=bundle-expiry").await;
    assert_eq!(status_, 200, "{page}");
    let swept = sweep_of(&server).await;
    let swept = in_state(&server, &swept, &["succeeded", "failed"]).await;
    assert_eq!(swept["outcome"]["expired"], 1, "{swept:#}");
    assert_eq!(swept["outcome"]["orphans"], 1, "{swept:#}");
    assert!(
        incoming(server.data()).is_empty(),
        "{:?}",
        files_below(server.data())
    );
    assert_eq!(stored(server.data()).len(), 1, "the young one stays");
    assert_eq!(server.get(&archive_path(&id)).await.0, 410);
    assert_eq!(crate::desk::archive(&server, &young).await, archive);
    let bundle = ended(&server, &id).await;
    assert_eq!(bundle["state"], "succeeded", "what it was stays on record");
    assert_eq!(bundle["archive_url"], Value::Null, "{bundle:#}");
}

on_both!(a_bundle_goes_with_the_record_of_its_operation_unless_its_archive_is_kept);
async fn a_bundle_goes_with_the_record_of_its_operation_unless_its_archive_is_kept(
    database: TestDatabase,
) {
    let mut server = server(&database).start().await;
    let (origin, kept, _) = kept(&server).await;
    let body = json!({ "sources": [origin.url("/a.bin")] });
    let answer = streamed(&server, &body).await;
    let gone = operation_of(&answer);
    rest(answer).await.expect("a clean end");
    in_state(&server, &gone, &["succeeded"]).await;
    server.terminate().await;
    let due = "UPDATE schedule SET next_run = 1 WHERE kind = 'bundle-expiry'";
    forget_operations(&server, &database).await;
    change(&server, &database, &[due]).await;
    server.start_again().await;
    let swept = sweep_of(&server).await;
    in_state(&server, &swept, &["succeeded"]).await;
    assert_eq!(server.get(&format!("/api/v1/bundles/{gone}")).await.0, 404);
    let (status_, bundle) = server.get(&format!("/api/v1/bundles/{kept}")).await;
    assert_eq!(status_, 200, "{bundle}");
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["actions"], json!(["link", "delete"]), "{bundle:#}");
    let sources = format!("/api/v1/bundles/{kept}/sources");
    assert_eq!(server.get(&sources).await.0, 410);
}

/// Removes the records of all operations that made bundles, as time does.
async fn forget_operations(server: &TestServer, database: &TestDatabase) {
    let db = opened(server, database).await;
    let of_bundles = "(SELECT id FROM operation WHERE kind = 'bundle')";
    for table in [
        "operation_input",
        "operation_transition",
        "operation_log",
        "operation_checkpoint",
    ] {
        let forget = format!("DELETE FROM {table} WHERE operation IN {of_bundles}");
        db.execute(forget, vec![]).await.expect("it changes");
    }
    let forget = "DELETE FROM operation WHERE kind = 'bundle'";
    assert_eq!(db.execute(forget, vec![]).await.expect("it changes"), 2);
    db.close().await;
}

/// A bundle that is kept for so many seconds.
async fn kept_for(server: &TestServer, seconds: u64) -> (Origin, String, Vec<u8>) {
    let origin = Origin::start().await;
    let url = origin.put("/b.bin", Answer::ok(Content::seeded(2, 5000)));
    let body = json!({ "sources": [url], "options": { "expires_in": seconds } });
    let (id, archive) = made(server, &body).await;
    (origin, id, archive)
}

/// The operation of the sweep that was due, once there is one.
async fn sweep_of(server: &TestServer) -> String {
    let mut live = testing::Live::connect(server).await;
    let filter = json!({ "kind": "bundle-expiry" });
    live.subscribe(json!({ "kind": "operations", "filter": filter, "since": 0 }))
        .await;
    loop {
        let message = live.next().await;
        if message["type"] == "operation" {
            return crate::desk::id_of(&message["operation"]);
        }
    }
}

on_both!(an_expired_archive_is_refused_before_it_is_swept);
async fn an_expired_archive_is_refused_before_it_is_swept(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let (_origin, id, _) = kept(&server).await;
    let (path, _) = link(&server, &id, 600).await;
    server.terminate().await;
    let expired = "UPDATE bundle SET expires_at = 1";
    change(&server, &database, &[expired]).await;
    server.start_again().await;
    assert_eq!(
        server.get(&archive_path(&id)).await.0,
        410,
        "its time is over"
    );
    assert_eq!(
        status(&server, Method::GET, &path).await,
        410,
        "by a link, too"
    );
}
