//! A comparison that is broken off in its middle, by a restart or by a person, and one that
//! runs by the clock.

use super::{ENDED, MEDIA, Pair};
use crate::command_line::{self, Person, signal};
use crate::desk::{id_of, in_state};
use crate::program::server;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use testing::{Answer, Content, Origin, Seen, TestDatabase, TestServer, on_both, within};

/// Objects of the first page, and of the second. A store decides how many a page has.
const FIRST: usize = 200;
const SECOND: usize = 50;

/// A store that answers what comparing asks, and whose second page can be held back.
struct Shelf {
    origin: Origin,
    holds: Arc<AtomicBool>,
}

impl Shelf {
    async fn start() -> Self {
        let origin = Origin::start().await;
        let holds = Arc::new(AtomicBool::new(true));
        let held = Arc::clone(&holds);
        origin.answer_others(move |seen| {
            if seen.method == "HEAD" {
                return Answer::ok(Content::bytes("x"))
                    .header("ETag", "\"x\"")
                    .header("Content-Type", "text/plain")
                    .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
            }
            if !is_second(seen) {
                return Answer::ok(Content::bytes(page(0..FIRST, true)));
            }
            let page = Answer::ok(Content::bytes(page(FIRST..FIRST + SECOND, false)));
            if held.load(SeqCst) {
                page.stall_after(0)
            } else {
                page
            }
        });
        Self { origin, holds }
    }

    fn hold(&self, holds: bool) {
        self.holds.store(holds, SeqCst);
    }

    fn count(&self, wanted: impl Fn(&Seen) -> bool) -> usize {
        self.origin
            .seen()
            .iter()
            .filter(|seen| wanted(seen))
            .count()
    }

    /// Waits until the second page was asked for so often.
    async fn second_page_is_asked_for(&self, times: usize) {
        within("the second page to be asked for", async {
            while self.count(is_second) < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// A bucket in it.
    async fn moor(&self, server: &TestServer) {
        let secret = server
            .request(Method::PUT, "/api/v1/secrets/store-key")
            .header("Content-Type", "application/json")
            .body(json!({ "value": "secret" }).to_string());
        assert_eq!(secret.send().await.expect("an answer").status(), 204);
        let made = json!({
            "name": MEDIA,
            "storage": {
                "kind": "s3", "endpoint": self.origin.url(""), "bucket": "cargo",
                "region": "us-east-1", "path_style": true,
                "access_key": "key", "secret": "store-key",
            },
        });
        let (status, made) = server.post("/api/v1/buckets", &made).await;
        assert_eq!(status, 201, "{made}");
    }
}

fn is_second(seen: &Seen) -> bool {
    seen.method == "GET" && seen.path.contains("start-after=")
}

fn key(number: usize) -> String {
    format!("file-{number:04}")
}

fn page(numbers: std::ops::Range<usize>, more: bool) -> String {
    let objects: String = numbers
        .map(|number| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>\
                 <ETag>&quot;x&quot;</ETag><Size>1</Size></Contents>",
                key(number)
            )
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{objects}</ListBucketResult>")
}

async fn begun(server: &TestServer) -> String {
    let path = format!("/api/v1/buckets/{MEDIA}/reconcile");
    let (status, answer) = server.post(&path, &json!({})).await;
    assert_eq!(status, 202, "{answer}");
    answer["operation"].as_str().expect("an id").to_owned()
}

async fn ended(server: &TestServer, id: &str) -> Value {
    in_state(server, id, &ENDED).await
}

on_both!(a_comparison_goes_on_after_a_restart_where_it_was);
async fn a_comparison_goes_on_after_a_restart_where_it_was(database: TestDatabase) {
    let shelf = Shelf::start().await;
    let mut server = server(&database).start().await;
    shelf.moor(&server).await;
    let id = begun(&server).await;
    shelf.second_page_is_asked_for(1).await;
    assert!(server.terminate().await.success());
    shelf.hold(false);
    server.start_again().await;
    let ended = ended(&server, &id).await;
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert_eq!(ended["outcome"]["added"], FIRST + SECOND, "{ended:#}");
    // What was done before is not done again.
    let looks = shelf.count(|seen| seen.method == "HEAD");
    assert_eq!(looks, FIRST + SECOND);
}

on_both!(a_cancelled_comparison_keeps_what_it_found_and_can_be_run_again);
async fn a_cancelled_comparison_keeps_what_it_found_and_can_be_run_again(database: TestDatabase) {
    let shelf = Shelf::start().await;
    let server = server(&database).start().await;
    shelf.moor(&server).await;
    let id = begun(&server).await;
    shelf.second_page_is_asked_for(1).await;
    let cancel = format!("/api/v1/operations/{id}/cancel");
    let (status, answer) = server.post(&cancel, &json!({})).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(ended(&server, &id).await["state"], "cancelled");
    let (_, bucket) = server.get(&format!("/api/v1/buckets/{MEDIA}")).await;
    assert_eq!(bucket["usage"]["files"], FIRST, "{bucket}");
    ctrl_c_cancels_what_the_command_began(&server, &shelf).await;
    shelf.hold(false);
    let retry = format!("/api/v1/operations/{id}/retry");
    let (status, again) = server.post(&retry, &json!({})).await;
    assert_eq!(status, 201, "{again}");
    let ended = ended(&server, &id_of(&again)).await;
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    let outcome = &ended["outcome"];
    assert_eq!(
        (&outcome["added"], &outcome["unchanged"]),
        (&json!(SECOND), &json!(FIRST)),
        "{ended:#}"
    );
}

/// The second comparison of a server, by the command line.
async fn ctrl_c_cancels_what_the_command_began(server: &TestServer, shelf: &Shelf) {
    let person = Person::logged_in(server).await;
    let child = person.start(&["bucket", "reconcile", MEDIA], "").await;
    shelf.second_page_is_asked_for(2).await;
    signal(&child, Signal::INT);
    let came = command_line::ended(child).await.ended;
    assert_eq!(came.code, Some(130), "{came:?}");
    let (_, page) = server.get("/api/v1/operations?kind=reconcile").await;
    let found = page["items"].as_array().expect("a page");
    assert_eq!(found.len(), 2, "{page}");
    let begun = &found[0];
    assert_eq!(begun["state"], "cancelled", "{begun:#}");
    let said = format!("operation {} is cancelled", id_of(begun));
    assert!(came.errors.contains(&said), "{came:?}");
}

on_both!(a_comparison_runs_by_its_schedule);
async fn a_comparison_runs_by_its_schedule(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    pair.put("a", "one").await;
    let every_second = json!({
        "name": "compare", "kind": "reconcile", "input": { "bucket": MEDIA },
        "cron": "* * * * * *", "zone": "UTC", "missed": "skip",
    });
    let (status, made) = pair.server.post("/api/v1/schedules", &every_second).await;
    assert_eq!(status, 201, "{made}");
    within("what was put to be found", async {
        while pair.known("a").await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let path = format!("/api/v1/schedules/{}", id_of(&made));
    assert_eq!(pair.server.delete(&path).await.0, 204);
    let path = "/api/v1/operations?kind=reconcile&sort=created_at&order=asc&limit=1";
    let (status, page) = pair.server.get(path).await;
    assert_eq!(status, 200, "{page}");
    let first = ended(&pair.server, &id_of(&page["items"][0])).await;
    assert_eq!(first["trigger"], "schedule", "{first:#}");
    assert_eq!(first["outcome"]["added"], 1, "{first:#}");
}
