//! How fast a pass goes and how long it still takes, as programs and people read it while
//! it runs.

use super::on_server::ended;
use super::to_cloudflare::variables;
use super::world::{World, in_world};
use crate::command_line::Person;
use crate::program::server;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use storage::values;
use testing::{Cloudflare, Content, TestDatabase, TestServer, on_both, within};

/// The moment at which the second picture comes: one that is sent whole has three.
const SECOND: usize = 4;

/// A server that sends one file after the other, when it is told to.
async fn one_by_one(world: &World, cloudflare: &Cloudflare) -> TestServer {
    let mut options = server(world.ours())
        .env("SYNC_RULE", r#"{"at_once": 1}"#)
        .env("SYNC_SCHEDULE", "0 0 1 1 *");
    for (name, value) in variables(world, cloudflare) {
        options = options.env(&name, &value);
    }
    options.start().await
}

on_both!(a_pass_says_how_fast_it_goes_and_how_long_it_still_takes);
async fn a_pass_says_how_fast_it_goes_and_how_long_it_still_takes(database: TestDatabase) {
    const SIZE: u64 = 300_000;
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let server = one_by_one(&world, &cloudflare).await;
        for id in ["p1", "p2"] {
            let picture = Content::seeded(5, SIZE).to_vec();
            world
                .add(id, &format!("{id}.png"), "image/png", &picture)
                .await;
        }
        // The pass stands between the two.
        cloudflare.hold_at(SECOND);
        let (status, started) = server.post("/api/v1/syncs/spaces/run", &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{started}");
        let id = started["operation"].as_str().expect("an id");
        cloudflare.holds().await;
        let path = format!("/api/v1/operations/{id}");
        let progress = within("the second to move", async {
            loop {
                let (_, operation) = server.get(&path).await;
                let progress = &operation["progress"];
                if progress["done"] == 1 && progress["transfers"][0]["name"] == "p2.png" {
                    return progress.clone();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        let number = |field: &str| progress[field].as_u64();
        assert_eq!(progress["unit"], "files", "{progress}");
        assert_eq!(
            (number("total"), &progress["total_grows"]),
            (Some(2), &json!(false))
        );
        assert!(number("bytes") >= Some(SIZE), "{progress}");
        assert!(number("bytes_per_second") > Some(0), "{progress}");
        assert!(number("seconds_left").is_some(), "{progress}");
        assert_eq!(progress["transfers"][0]["total"], SIZE, "{progress}");
        let person = Person::logged_in(&server).await;
        let shown = person
            .run(&["ops", "show", id, "--url", &server.url()])
            .await;
        for words in ["Progress   1/2 files", "Bytes  ", "Rate  ", "Time left  "] {
            assert!(shown.output.contains(words), "{words:?} {shown:?}");
        }
        cloudflare.let_go();
        let operation = ended(&server, id).await;
        assert_eq!(operation["outcome"]["delivered"], 2, "{operation}");
        // What has ended goes at no pace, and has a line for each file.
        let progress = &operation["progress"];
        for field in ["bytes_per_second", "seconds_left"] {
            assert_eq!(progress[field], Value::Null, "{progress}");
        }
        let (_, log) = server.get(&format!("{path}/log")).await;
        let lines = log["lines"].as_array().expect("lines");
        for file in ["p1.png", "p2.png"] {
            let says = format!("{file} (");
            let line = |line: &&Value| {
                let text = line["text"].as_str().unwrap_or_default();
                text.starts_with(&says) && text.ends_with("is delivered.")
            };
            assert_eq!(lines.iter().filter(line).count(), 1, "{file}: {log}");
        }
    })
    .await;
}

on_both!(while_a_mark_waits_for_its_row_the_next_file_is_sent);
async fn while_a_mark_waits_for_its_row_the_next_file_is_sent(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let server = one_by_one(&world, &cloudflare).await;
        for id in ["p1", "p2"] {
            let picture = Content::seeded(6, 3_000).to_vec();
            world
                .add(id, &format!("{id}.png"), "image/png", &picture)
                .await;
        }
        // Somebody else is at the row of the first, which can be read and not be changed.
        let mut theirs = world.db.begin().await.expect("begun");
        let lock = r#"SELECT id FROM "File" WHERE id = 'p1' FOR UPDATE"#;
        assert!(theirs.one(lock, values![]).await.expect("locked").is_some());
        let (status, started) = server.post("/api/v1/syncs/spaces/run", &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{started}");
        within("both to be at the target", async {
            while cloudflare.images().len() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        assert!(!world.rows().await["p1"].copied);
        theirs.commit().await.expect("let go");
        let operation = ended(&server, started["operation"].as_str().expect("an id")).await;
        assert_eq!(operation["outcome"]["delivered"], 2, "{operation}");
        assert!(world.rows().await.values().all(|row| row.copied));
    })
    .await;
}
