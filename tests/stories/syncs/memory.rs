//! What a pass takes of memory: no more for large files and for many rows. The process is
//! the debug build, which holds more than the shipped one when it does nothing, so every
//! bound is on top of what it held before.

use super::to_cloudflare::variables;
use super::world::{World, in_world};
use crate::program::server;
use serde_json::{Value, json};
use std::time::Duration;
use storage::values;
use testing::{Cloudflare, TestDatabase, TestServer, on_sqlite};

const MIB: u64 = 1 << 20;
/// Files that are delivered at once, and how long each is.
const FILES: u64 = 8;
const LENGTH: u64 = 36 * MIB;
/// What streams of eight files and their connections may hold, and the log and the database
/// beside them: less than one of the files has.
const STREAMS: u64 = 32 * MIB;

/// How long a pass may take here.
const LIMIT: Duration = Duration::from_secs(120);

/// Makes a pass, and waits for its end; its operation.
async fn run(server: &TestServer) -> Value {
    let (_, started) = server.post("/api/v1/syncs/spaces/run", &json!({})).await;
    let id = started["operation"].as_str().expect("an id");
    let path = format!("/api/v1/operations/{id}");
    let ended = tokio::time::timeout(LIMIT, async {
        loop {
            let (_, operation) = server.get(&path).await;
            if operation["ended_at"].is_string() {
                return operation;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    ended.await.expect("the pass ends")
}

async fn started(world: &World, variables: Vec<(String, String)>) -> TestServer {
    // A pass by the clock would do what the one that is looked at has to.
    let mut options = server(world.ours()).env("SYNC_SCHEDULE", "0 0 1 1 *");
    for (name, value) in variables {
        options = options.env(&name, &value);
    }
    options.start().await
}

/// Delivers eight large files by these variables; fails when that takes more memory.
async fn delivers(world: &World, variables: Vec<(String, String)>, bound: u64) {
    for number in 0..FILES {
        let id = format!("large{number}");
        world.add_hole(&id, "video/mp4", LENGTH).await;
    }
    let server = started(world, variables).await;
    let before = server.peak_resident_bytes();
    let pass = run(&server).await;
    assert_eq!(pass["outcome"]["delivered"], FILES, "{pass}");
    let more = server.peak_resident_bytes() - before;
    assert!(more < bound, "{} MiB more", more / MIB);
}

on_sqlite!(large_films_go_to_stream_without_more_memory);
async fn large_films_go_to_stream_without_more_memory(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let variables = variables(&world, &cloudflare);
        delivers(&world, variables, STREAMS).await;
        let films = cloudflare.videos();
        assert_eq!(films.len() as u64, FILES);
        assert!(films.iter().all(|film| film.received == LENGTH));
    })
    .await;
}

on_sqlite!(large_files_go_to_a_store_without_more_memory);
async fn large_files_go_to_a_store_without_more_memory(database: TestDatabase) {
    in_world(database, |world| async move {
        let variables = world.variables(&world.rule());
        delivers(&world, variables, STREAMS).await;
        for number in 0..FILES {
            let file = world.target.folder().join(format!("served/large{number}"));
            let there = std::fs::metadata(file).expect("there").len();
            assert_eq!(there, LENGTH);
        }
    })
    .await;
}

on_sqlite!(large_files_go_to_a_store_in_parts_without_more_memory);
async fn large_files_go_to_a_store_in_parts_without_more_memory(database: TestDatabase) {
    in_world(database, |world| async move {
        let mut variables = world.variables(&world.rule());
        let parts = ("LONGSHORE_SYNCS_IN_PARTS_FROM", "16MiB");
        variables.push((parts.0.to_owned(), parts.1.to_owned()));
        delivers(&world, variables, STREAMS).await;
        for number in 0..FILES {
            let file = world.target.folder().join(format!("served/large{number}"));
            let there = std::fs::metadata(file).expect("there").len();
            assert_eq!(there, LENGTH);
        }
        assert_eq!(world.target.unfinished(), 0);
    })
    .await;
}

on_sqlite!(a_long_backlog_takes_no_more_memory_than_a_page_of_it);
async fn a_long_backlog_takes_no_more_memory_than_a_page_of_it(database: TestDatabase) {
    /// A page has 1,000 rows.
    const FEW: i64 = 1_000;
    const MANY: i64 = 10_000;
    /// The rows alone are more than twice as much.
    const MORE: u64 = 24 * MIB;
    in_world(database, |world| async move {
        // Rows of 6 KiB, which no target takes.
        let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path)
            SELECT 'row' || lpad(CAST(n AS text), 7, '0'), repeat('n', 500) || n || '.txt',
                'text/plain', repeat('p', 5500) || n || '.txt'
            FROM generate_series(CAST($1 AS bigint), CAST($2 AS bigint)) AS n"#;
        let server = started(&world, world.variables(&world.rule())).await;
        let add = async |from: i64, to: i64| {
            let added = world.db.execute(sql, values![from, to]).await;
            added.expect("added");
        };
        add(1, FEW).await;
        let pass = run(&server).await;
        assert_eq!(pass["outcome"]["skipped"], FEW, "{pass}");
        let before = server.peak_resident_bytes();
        add(FEW + 1, FEW + MANY).await;
        world
            .add("row9999999", "last.png", "image/png", b"the last")
            .await;
        let pass = run(&server).await;
        assert_eq!(
            (&pass["outcome"]["skipped"], &pass["outcome"]["delivered"]),
            (&json!(MANY), &json!(1)),
            "{pass}"
        );
        let more = server.peak_resident_bytes() - before;
        assert!(more < MORE, "{} MiB more", more / MIB);
    })
    .await;
}
