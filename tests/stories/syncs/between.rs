//! From every kind of source that is not somebody's table to every kind of target that is
//! not a store or Cloudflare.

use super::mending::{time, waiting};
use super::on_server::{ended, put, run};
use crate::afloat::keep_secret;
use crate::program::server;
use crate::told::Listener;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime};
use testing::{S3Store, TestDatabase, TestServer, on_both, within};

/// The secret that [`keep_secret`] names.
const SECRET: &str = "harbour-key";

async fn made(server: &TestServer, name: &str, rule: &Value) {
    let (status, made) = server
        .post("/api/v1/syncs", &json!({ "name": name, "rule": rule }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

/// A store as rules name it, with the secret that [`keep_secret`] keeps.
fn named(store: &S3Store) -> Value {
    json!({
        "endpoint": store.endpoint(),
        "bucket": store.bucket(),
        "access_key": store.access_key(),
        "secret": SECRET,
    })
}

fn lay(store: &S3Store, key: &str, content: &[u8]) {
    let file = store.folder().join(key);
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(file, content).expect("written");
}

async fn only_delivery(server: &TestServer, sync: &str) -> Value {
    let (_, found) = server
        .get(&format!("/api/v1/syncs/{sync}/deliveries"))
        .await;
    let found = found["items"].as_array().cloned().expect("a list");
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

on_both!(a_webhook_is_told_of_each_file_signed_and_under_one_key);
async fn a_webhook_is_told_of_each_file_signed_and_under_one_key(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    keep_secret(&server, store.secret()).await;
    lay(&store, "films/a.png", b"a picture");
    // It is away for the first attempt, and is told again.
    let mut listener = Listener::start(&[503, 204]).await;
    let to = json!({ "kind": "webhook", "url": listener.url, "secret": SECRET });
    let rule = json!({
        "source": { "kind": "store", "store": named(&store) },
        "targets": [{ "name": "told", "to": to }],
        "report": { "url": listener.url, "secret": SECRET },
    });
    made(&server, "told", &rule).await;
    let operation = run(&server, "told").await;
    assert_eq!(operation["outcome"]["delivered"], 1, "{operation}");
    assert_eq!(operation["outcome"]["retried"], 1, "{operation}");
    let (first, second) = (listener.next().await, listener.next().await);
    assert_eq!(first.key, second.key, "it knows a repetition by it");
    for told in [&first, &second] {
        told.verify(store.secret());
        let body = told.json();
        assert_eq!(body["type"], "file.delivered", "{body}");
        assert_eq!(
            (&body["key"], &body["name"]),
            (&json!("films/a.png"), &json!("a.png"))
        );
        assert_eq!(
            (&body["media_type"], &body["size"]),
            (&json!("image/png"), &json!(9))
        );
        let link = body["url"].as_str().expect("the store gives one");
        let content = reqwest::get(link).await.expect("an answer").bytes().await;
        assert_eq!(content.expect("a content").as_ref(), b"a picture");
    }
    // The report of the pass, signed too.
    let report = listener.next().await;
    report.verify(store.secret());
    let body = report.json();
    assert_eq!(
        (&body["type"], &body["counts"]["delivered"]),
        (&json!("sync.pass"), &json!(1))
    );
    assert_eq!(body["operation"], operation["id"], "{body}");
    // Who asks for it once more has it told once more, under the same key.
    let delivery = only_delivery(&server, "told").await;
    assert_eq!(delivery["remote_id"], first.key.as_str(), "{delivery}");
    let id = delivery["id"].as_str().expect("an id");
    let again = format!("/api/v1/syncs/told/deliveries/{id}/deliver-again");
    let (status, again) = server.post(&again, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{again}");
    assert_eq!(listener.next().await.key, first.key);
}

on_both!(what_a_webhook_refuses_fails_and_is_reported_where_only_failures_are);
async fn what_a_webhook_refuses_fails_and_is_reported_where_only_failures_are(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    put(&server, "media/a.png", "image/png", b"a picture").await;
    let mut target = Listener::start(&[204, 422, 401]).await;
    let mut reports = Listener::start(&[204]).await;
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files" },
        "targets": [{ "name": "told", "to": { "kind": "webhook", "url": target.url } }],
        "report": { "url": reports.url, "failures_only": true },
    });
    made(&server, "told", &rule).await;
    run(&server, "told").await;
    let told = target.next().await;
    assert!(!told.is_signed(), "there is no secret for it");
    assert_eq!(
        told.json()["url"],
        Value::Null,
        "a bucket has no address for others"
    );
    put(&server, "media/b.png", "image/png", b"another").await;
    target.next().await;
    let report = reports.next().await.json();
    assert_eq!(
        report["counts"]["failed"], 1,
        "of the pass before nobody was told: {report}"
    );
    let failure = &report["failures"][0];
    assert_eq!(failure["item"], "media/b.png", "{report}");
    assert_eq!(failure["creator"], "user:admin", "{report}");
    assert_eq!(
        failure["reason"],
        "the webhook answered 422 Unprocessable Entity"
    );
    assert_eq!(report["creators"][0]["failed"], 1, "{report}");
    // It lets nobody in any more: one new file asks it, and the next one does not.
    put(&server, "media/c.png", "image/png", b"a third").await;
    target.next().await;
    let report = reports.next().await.json();
    let refused = "the webhook answered 401 Unauthorized";
    assert_eq!(report["failure"], refused, "{report}");
    put(&server, "media/d.png", "image/png", b"a fourth").await;
    let failed = failed_passes(&server, "told", 2).await;
    assert!(
        failed.iter().all(|pass| pass["failure"] == refused),
        "{failed:?}"
    );
    assert!(target.told.try_recv().is_err(), "it was asked again");
    // Somebody asks for both as soon as a minute is over, and not after ten.
    let asked = time(&failed[1], "started_at");
    within("a pass that asks again soon", async {
        loop {
            let waits = waiting(&server).await;
            let mut next = waits.iter().map(|one| time(one, "run_at").since(asked));
            if next.any(|wait| wait < Duration::from_secs(120)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// The passes of a sync that failed, the newest first, once there are so many.
async fn failed_passes(server: &TestServer, sync: &str, count: usize) -> Vec<Value> {
    within("passes to fail", async {
        loop {
            let (_, passes) = server.get(&format!("/api/v1/syncs/{sync}/passes")).await;
            let mut failed = passes["items"].as_array().cloned().expect("a list");
            failed.retain(|pass| pass["state"] == "failed");
            if failed.len() >= count {
                return failed;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

on_both!(files_go_from_one_bucket_to_another_with_what_is_said_of_them);
async fn files_go_from_one_bucket_to_another_with_what_is_said_of_them(database: TestDatabase) {
    let server = server(&database).start().await;
    let (status, bucket) = server
        .post("/api/v1/buckets", &json!({ "name": "served" }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{bucket}");
    put(&server, "media/a.png", "image/png", b"a picture").await;
    put(&server, "media/c.txt", "text/plain", b"words").await;
    put(&server, "media/m.png", "image/png", b"one that is edited").await;
    put(&server, "media/z.png", "image/png", b"one that stays").await;
    let to = json!({ "kind": "bucket", "bucket": "served", "key": "copies/{key}" });
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
        "targets": [{ "name": "copies", "when": { "types": ["image/*"] }, "to": to }],
        "remove": true,
    });
    made(&server, "copies", &rule).await;
    let served = async |name: &str| {
        let path = format!("/api/v1/buckets/served/files/copies/media/{name}");
        let answer = server
            .request(Method::GET, &path)
            .send()
            .await
            .expect("an answer");
        let kind = answer.headers().get("content-type").cloned();
        let kind = kind.map(|kind| kind.to_str().expect("a text").to_owned());
        let found = answer.status().is_success();
        let content = answer.bytes().await.expect("a content");
        found.then(|| (kind.unwrap_or_default(), content.to_vec()))
    };
    let picture = |content: &[u8]| Some(("image/png".to_owned(), content.to_vec()));
    let operation = run(&server, "copies").await;
    assert_eq!(operation["state"], "succeeded", "{operation}");
    assert_eq!(served("a.png").await, picture(b"a picture"));
    assert_eq!(served("c.txt").await, None);
    // What was delivered is there, and is known as such by whoever compares.
    let verify = json!({ "again": false });
    let (_, started) = server.post("/api/v1/syncs/copies/verify", &verify).await;
    let compared = ended(&server, started["operation"].as_str().expect("an id")).await;
    assert_eq!(compared["outcome"]["missing"], 0, "{compared}");
    // Another content takes its place, and what is deleted goes there, too.
    put(&server, "media/a.png", "image/png", b"another picture").await;
    run(&server, "copies").await;
    assert_eq!(served("a.png").await, picture(b"another picture"));
    // But what somebody else has put there by then stays.
    let edited = "/api/v1/buckets/served/files/copies/media/m.png";
    let edited = server.request(Method::PUT, edited);
    let edited = edited.header("content-type", "image/png").body("edited");
    let edited = edited.send().await.expect("an answer");
    assert!(edited.status().is_success(), "{edited:?}");
    for name in ["a.png", "m.png"] {
        let path = format!("/api/v1/buckets/files/files/media/{name}");
        let (status, _) = server.delete(&path).await;
        assert!(status.is_success(), "{status}");
    }
    let operation = run(&server, "copies").await;
    assert_eq!(operation["outcome"]["removed"], 1, "{operation}");
    assert_eq!(served("a.png").await, None);
    assert_eq!(served("m.png").await, picture(b"edited"));
    assert_eq!(served("z.png").await, picture(b"one that stays"));
}

on_both!(a_store_alone_is_a_source_of_what_was_not_delivered_yet);
async fn a_store_alone_is_a_source_of_what_was_not_delivered_yet(database: TestDatabase) {
    let (Some(source), Some(target)) = (S3Store::start().await, S3Store::start().await) else {
        return;
    };
    let server = server(&database).start().await;
    // Both stores have the same access key.
    keep_secret(&server, source.secret()).await;
    lay(&source, "a.png", b"a picture");
    lay(&source, "deep/b.mp4", b"a film");
    lay(&source, "c.txt", b"words");
    lay(&source, "README", b"more words");
    let rule = json!({
        "source": { "kind": "store", "store": named(&source) },
        "targets": [{
            "name": "other", "when": { "types": ["image/*", "video/*"] },
            "to": { "kind": "store", "store": named(&target) },
        }],
    });
    made(&server, "mirror", &rule).await;
    let (_, plan) = server
        .post("/api/v1/syncs/mirror/dry-run", &json!({}))
        .await;
    let planned = (&plan["deliver"], &plan["skip"], &plan["known"]);
    assert_eq!(planned, (&json!(3), &json!(1), &json!(0)), "{plan}");
    // What a name does not tell is looked at before it is skipped.
    let files = plan["files"].as_array().expect("a list");
    let nameless = files.iter().find(|file| file["item"] == "README");
    let nameless = nameless.expect("it is told of");
    let said = (&nameless["target"], &nameless["skipped"]);
    assert_eq!(said, (&Value::Null, &Value::Null), "{nameless}");
    let operation = run(&server, "mirror").await;
    assert_eq!(operation["outcome"]["delivered"], 2, "{operation}");
    assert_eq!(operation["outcome"]["skipped"], 2, "{operation}");
    assert_eq!(target.keys(), ["a.png", "deep/b.mp4"]);
    let (_, plan) = server
        .post("/api/v1/syncs/mirror/dry-run", &json!({}))
        .await;
    let planned = (&plan["deliver"], &plan["skip"], &plan["known"]);
    assert_eq!(planned, (&json!(0), &json!(0), &json!(4)), "{plan}");
    // Nothing of it comes again, and what is new does.
    let idle = run(&server, "mirror").await;
    assert_eq!(idle["outcome"]["delivered"], 0, "{idle}");
    lay(&source, "d.png", b"a third");
    let operation = run(&server, "mirror").await;
    assert_eq!(operation["outcome"]["delivered"], 1, "{operation}");
    assert_eq!(target.keys(), ["a.png", "d.png", "deep/b.mp4"]);
    let there = fs::read(target.folder().join("d.png")).expect("it is there");
    assert_eq!(there, b"a third");
}

on_both!(another_content_of_a_store_whose_list_names_no_etags_is_delivered);
async fn another_content_of_a_store_whose_list_names_no_etags_is_delivered(database: TestDatabase) {
    let (Some(source), Some(target)) = (S3Store::start().await, S3Store::start().await) else {
        return;
    };
    let server = server(&database).start().await;
    keep_secret(&server, source.secret()).await;
    let put_at = |content: &[u8], seconds: u64| {
        lay(&source, "a.png", content);
        let path = source.folder().join("a.png");
        let file = fs::File::options().append(true).open(path);
        let file = file.expect("opened");
        let at = SystemTime::now() + Duration::from_secs(seconds);
        file.set_modified(at).expect("its time is set");
    };
    let rule = json!({
        "source": { "kind": "store", "store": named(&source) },
        "targets": [{ "name": "other", "to": { "kind": "store", "store": named(&target) } }],
    });
    put_at(b"a picture", 0);
    made(&server, "mirror", &rule).await;
    run(&server, "mirror").await;
    let idle = run(&server, "mirror").await;
    assert_eq!(idle["outcome"]["delivered"], 0, "{idle}");
    // As long as the one before.
    put_at(b"b picture", 10);
    let changed = run(&server, "mirror").await;
    assert_eq!(changed["outcome"]["delivered"], 1, "{changed}");
    let there = || fs::read(target.folder().join("a.png")).expect("it is there");
    assert_eq!(there(), b"b picture");
    // The same once more is looked at, and not sent.
    put_at(b"b picture", 20);
    let touched = run(&server, "mirror").await;
    assert_eq!(touched["outcome"]["failed"], 0, "{touched}");
    assert_eq!(touched["outcome"]["bytes"], 0, "{touched}");
    assert_eq!(there(), b"b picture");
    let idle = run(&server, "mirror").await;
    assert_eq!(idle["outcome"]["delivered"], 0, "{idle}");
}
