//! Syncs that a server runs.

use super::world::{in_world, served, waiting};
use crate::afloat::keep_secret;
use crate::program::{opened, server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use testing::{S3Store, TestDatabase, TestServer, on_both, within};

/// Waits until an operation has ended; as it is then.
pub(super) async fn ended(server: &TestServer, id: &str) -> Value {
    let path = format!("/api/v1/operations/{id}");
    within("the operation to end", async {
        loop {
            let (_, operation) = server.get(&path).await;
            if operation["ended_at"].is_string() {
                return operation;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

pub(super) async fn run(server: &TestServer, sync: &str) -> Value {
    let (status, started) = server
        .post(&format!("/api/v1/syncs/{sync}/run"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    ended(server, started["operation"].as_str().expect("an id")).await
}

on_both!(a_server_with_the_variables_has_the_sync_on_its_schedule);
async fn a_server_with_the_variables_has_the_sync_on_its_schedule(database: TestDatabase) {
    in_world(database, |world| async move {
        let mut options = server(world.ours());
        for (name, value) in world.variables(&world.rule()) {
            options = options.env(&name, &value);
        }
        let server = options.start().await;
        world.add("a1", "a.png", "image/png", b"a picture").await;
        let (_, schedules) = server.get("/api/v1/schedules").await;
        let schedules = schedules["items"].as_array().expect("a list");
        let ours = schedules.iter().find(|one| one["name"] == "sync-spaces");
        let ours = ours.expect("it is there");
        assert_eq!(
            (&ours["cron"], &ours["enabled"]),
            (&json!("*/10 * * * *"), &json!(true))
        );
        let operation = run(&server, "spaces").await;
        assert_eq!(operation["state"], "succeeded", "{operation}");
        // Where the tenth minute came just now, another pass has delivered it.
        let (_, passes) = server.get("/api/v1/syncs/spaces/passes").await;
        let passes = passes["items"].as_array().expect("a list");
        let delivered = passes.iter().map(|pass| pass["delivered"].as_u64());
        assert_eq!(delivered.sum::<Option<u64>>(), Some(1), "{passes:?}");
        assert_eq!(world.rows().await["a1"], served("a1"));
        // Nobody changes what the environment says, but anybody may pause it.
        let (status, _) = server.delete("/api/v1/syncs/spaces").await;
        assert_eq!(status, StatusCode::CONFLICT);
        let (_, shown) = server.get("/api/v1/syncs/spaces").await;
        assert!(!offers_its_end(&shown), "{shown}");
        let (status, paused) = server.post("/api/v1/syncs/spaces/pause", &json!({})).await;
        assert_eq!((status.as_u16(), &paused["paused"]), (200, &json!(true)));
        let (status, refused) = server.post("/api/v1/syncs/spaces/run", &json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        world.add("b2", "b.png", "image/png", b"another").await;
        // A cron beside the server shares its database, and with it the pause.
        assert_eq!(world.rows().await["b2"], waiting());
    })
    .await;
}

/// Whether a server says that people may delete this sync.
fn offers_its_end(sync: &Value) -> bool {
    let actions = sync["actions"].as_array().expect("a list");
    actions.contains(&json!("delete"))
}

on_both!(what_the_environment_says_no_more_is_offered_to_be_deleted);
async fn what_the_environment_says_no_more_is_offered_to_be_deleted(database: TestDatabase) {
    let server = server(&database).start().await;
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files" },
        "targets": [{ "name": "all", "to": { "kind": "bucket", "bucket": "files" } }],
    });
    let new = json!({ "name": "spaces", "rule": rule, "paused": true });
    let (status, made) = server.post("/api/v1/syncs", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(offers_its_end(&made), "{made}");
    // As an earlier server, with the variables, has left it.
    let db = opened(&server, &database).await;
    let left = "UPDATE sync SET origin = 'environment' WHERE name = 'spaces'";
    assert_eq!(db.execute(left, vec![]).await.expect("it changes"), 1);
    db.close().await;
    let (_, shown) = server.get("/api/v1/syncs/spaces").await;
    assert_eq!(shown["origin"], "environment", "{shown}");
    assert!(offers_its_end(&shown), "{shown}");
    let (status, _) = server.delete("/api/v1/syncs/spaces").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

/// Files of a bucket to a store of others, made through the API.
async fn mirrored(server: &TestServer, store: &S3Store, change: Value) -> Value {
    keep_secret(server, store.secret()).await;
    let mut rule = json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
        "targets": [{
            "name": "mirror",
            "when": { "types": ["image/*"] },
            "to": {
                "kind": "store",
                "store": {
                    "endpoint": store.endpoint(),
                    "bucket": store.bucket(),
                    "access_key": store.access_key(),
                    "secret": "harbour-key",
                },
            },
        }],
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        rule[name] = value.clone();
    }
    let (status, made) = server
        .post("/api/v1/syncs", &json!({ "name": "mirror", "rule": rule }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made
}

pub(super) async fn put(server: &TestServer, path: &str, kind: &str, content: &'static [u8]) {
    let path = format!("/api/v1/buckets/files/files/{path}");
    let put = server
        .request(Method::PUT, &path)
        .header("Content-Type", kind)
        .body(content);
    assert!(put.send().await.expect("an answer").status().is_success());
}

/// Waits until the store holds these keys.
async fn holds(store: &S3Store, keys: &[&str]) {
    within("the store to hold what was delivered", async {
        while store.keys() != keys {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

on_both!(new_files_of_a_bucket_start_at_once);
async fn new_files_of_a_bucket_start_at_once(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    mirrored(&server, &store, json!({})).await;
    put(&server, "media/a.png", "image/png", b"a picture").await;
    put(&server, "other/b.png", "image/png", b"not meant").await;
    put(&server, "media/c.txt", "text/plain", b"words").await;
    holds(&store, &["media/a.png"]).await;
    // Another content takes the place of the one before.
    put(&server, "media/a.png", "image/png", b"another picture").await;
    within("the new content", async {
        let file = store.folder().join("media/a.png");
        while std::fs::read(&file).unwrap_or_default() != b"another picture" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let path = "/api/v1/syncs/mirror/deliveries?state=skipped";
    let (_, skipped) = server.get(path).await;
    assert_eq!(skipped["items"][0]["item"], "media/c.txt", "{skipped}");
    assert_eq!(
        skipped["items"].as_array().map(Vec::len),
        Some(1),
        "{skipped}"
    );
}

on_both!(what_is_deleted_at_the_source_is_removed_where_that_is_wanted);
async fn what_is_deleted_at_the_source_is_removed_where_that_is_wanted(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    put(&server, "media/a.png", "image/png", b"a picture").await;
    put(&server, "media/b.png", "image/png", b"another").await;
    mirrored(&server, &store, json!({ "remove": true })).await;
    let operation = run(&server, "mirror").await;
    assert_eq!(operation["outcome"]["delivered"], 2, "{operation}");
    let (status, _) = server
        .delete("/api/v1/buckets/files/files/media/a.png")
        .await;
    assert!(status.is_success(), "{status}");
    let operation = run(&server, "mirror").await;
    assert_eq!(operation["outcome"]["removed"], 1, "{operation}");
    assert_eq!(store.keys(), ["media/b.png"]);
    // What somebody took away at the target is seen by comparing, and delivered again.
    std::fs::remove_file(store.folder().join("media/b.png")).expect("removed");
    let (status, started) = server
        .post("/api/v1/syncs/mirror/verify", &json!({ "again": true }))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    let compared = ended(&server, started["operation"].as_str().expect("an id")).await;
    assert_eq!(compared["outcome"]["missing"], 1, "{compared}");
    run(&server, "mirror").await;
    assert_eq!(store.keys(), ["media/b.png"]);
}

on_both!(a_rule_that_cannot_be_is_refused_by_its_place);
async fn a_rule_that_cannot_be_is_refused_by_its_place(database: TestDatabase) {
    let server = server(&database).start().await;
    let rule = json!({
        "source": { "kind": "bucket", "bucket": "files" },
        "targets": [{ "name": "a", "to": { "kind": "webhook", "url": "https://a.example/", "secret": "nowhere" } }],
    });
    let (status, refused) = server
        .post("/api/v1/syncs", &json!({ "name": "x", "rule": rule }))
        .await;
    assert_eq!(status, 400, "{refused}");
    assert_eq!(refused["errors"][0]["code"], "no-secret", "{refused}");
    let field = &refused["errors"][0]["field"];
    assert_eq!(field, "targets[0].to.secret", "{refused}");
    let (status, refused) = server
        .post(
            "/api/v1/syncs",
            &json!({ "name": "x", "rule": { "source": {} } }),
        )
        .await;
    assert_eq!(status, 400, "{refused}");
    let (status, _) = server.get("/api/v1/syncs/x").await;
    assert_eq!(status, 404);
}

/// What a pass would do by a rule that is not stored: how many files it delivers, skips and
/// knows.
async fn tried(server: &TestServer, trial: &Value) -> [u64; 3] {
    let (status, plan) = server.post("/api/v1/sync-dry-run", trial).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    ["deliver", "skip", "known"].map(|field| plan[field].as_u64().expect("a number"))
}

on_both!(a_rule_is_tried_before_it_is_stored);
async fn a_rule_is_tried_before_it_is_stored(database: TestDatabase) {
    let server = server(&database).start().await;
    put(&server, "media/a.png", "image/png", b"a picture").await;
    put(&server, "media/c.txt", "text/plain", b"words").await;
    let rule = |types: &[&str]| {
        json!({
            "source": { "kind": "bucket", "bucket": "files", "prefix": "media/" },
            "targets": [{
                "name": "copies",
                "when": { "types": types },
                "to": { "kind": "bucket", "bucket": "files", "key": "copies/{key}" },
            }],
        })
    };
    let pictures = rule(&["image/*"]);
    assert_eq!(
        tried(&server, &json!({ "rule": pictures })).await,
        [1, 1, 0]
    );
    let (_, syncs) = server.get("/api/v1/syncs").await;
    assert_eq!(syncs["items"], json!([]), "nothing was stored");
    let new = json!({ "name": "copies", "rule": pictures });
    let (status, made) = server.post("/api/v1/syncs", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    run(&server, "copies").await;
    // By another rule what no target took is looked at anew, and what was delivered is not.
    let other = json!({ "rule": rule(&[]), "sync": "copies" });
    assert_eq!(tried(&server, &other).await, [1, 0, 1]);
    let mut wrong = other;
    wrong["rule"]["targets"][0]["to"]["key"] = json!("{name}");
    let (status, refused) = server.post("/api/v1/sync-dry-run", &wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    let field = &refused["errors"][0]["field"];
    assert_eq!(field, "targets[0].to.key", "{refused}");
}
