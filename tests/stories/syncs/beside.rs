//! `longshore sync` on the host and a server on the same data directory, whichever of them
//! begins first: neither locks the other out, and nothing is delivered twice.

use super::on_server::run;
use super::to_cloudflare::variables;
use super::world::in_world;
use crate::program::{BINARY, server, sharing_a_key};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use testing::{Cloudflare, Step, TestDatabase, TestServer, on_both, on_postgres, within};
use tokio::process::Command;

/// How every pass that the server knows of has ended.
async fn passes(server: &TestServer) -> Vec<Value> {
    let (_, found) = server.get("/api/v1/operations?kind=sync-pass").await;
    let found = found["items"].as_array().cloned().expect("a list");
    found.iter().map(|one| one["state"].clone()).collect()
}

/// The newest pass, as it is shown among the passes of the sync.
async fn newest(server: &TestServer) -> Value {
    let (_, found) = server.get("/api/v1/syncs/spaces/passes").await;
    found["items"][0].clone()
}

/// The same variables where nobody dies, and a machine that is busy takes no file from who
/// still has it.
pub(super) fn patient(mut variables: Vec<(String, String)>) -> Vec<(String, String)> {
    let lease = "LONGSHORE_SYNCS_LEASE";
    variables.retain(|(name, _)| name != lease);
    variables.push((lease.to_owned(), "10s".to_owned()));
    variables
}

/// Every eighth file is a film: the end of its name, and its type.
pub(super) fn kind(number: usize) -> (&'static str, &'static str) {
    if number.is_multiple_of(8) {
        ("mp4", "video/mp4")
    } else {
        ("png", "image/png")
    }
}

/// Of so many files nothing was sent or made twice, also in the place of the same.
pub(super) fn each_came_once(cloudflare: &Cloudflare, files: usize) {
    let films = (0..files).filter(|number| number.is_multiple_of(8)).count();
    let count = |step| cloudflare.count(step);
    assert_eq!(count(Step::ImageCreate), files - films, "pictures");
    let of_films = (count(Step::VideoCreate), count(Step::UploadPatch));
    assert_eq!(of_films, (films, films), "films");
    let there = (cloudflare.images().len(), cloudflare.videos().len());
    assert_eq!(there, (files - films, films));
}

on_both!(a_server_starts_while_a_pass_of_the_host_runs_and_the_other_way_round);
async fn a_server_starts_while_a_pass_of_the_host_runs_and_the_other_way_round(
    database: TestDatabase,
) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let mut server = server(world.ours()).start().await;
        server.terminate().await;
        world.add("p1", "a.png", "image/png", b"a picture").await;
        let data = server.data().to_owned();
        let run = || {
            Command::new(BINARY)
                .args(["sync", "run"])
                .envs(variables(&world, &cloudflare))
                .env("LONGSHORE_DATA", &data)
                .current_dir(world.folder())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .expect("it starts")
        };
        // The pass stands in the middle of a picture while the server starts.
        cloudflare.hold_at(1);
        let child = run();
        within("the pass to stand", cloudflare.holds()).await;
        server.start_again().await;
        assert_eq!(newest(&server).await["state"], "running");
        cloudflare.let_go();
        let ended = within("the pass", child.wait_with_output()).await;
        let ended = ended.expect("it ends");
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(passes(&server).await, ["succeeded"]);
        assert_eq!(newest(&server).await["state"], "done");
        // And another one works beside the server that runs.
        world.add("p2", "b.png", "image/png", b"another").await;
        let ended = within("the pass", run().wait_with_output()).await;
        let ended = ended.expect("it ends");
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(passes(&server).await, ["succeeded", "succeeded"]);
        assert!(world.rows().await.values().all(|row| row.copied));
        assert_eq!(cloudflare.images().len(), 2);
    })
    .await;
}

on_postgres!(two_replicas_and_a_cron_deliver_each_file_once);
async fn two_replicas_and_a_cron_deliver_each_file_once(database: TestDatabase) {
    const FILES: usize = 40;
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let of_all = patient(variables(&world, &cloudflare));
        let mut options = sharing_a_key(server(world.ours()));
        for (name, value) in &of_all {
            options = options.env(name, value);
        }
        let one = options.clone().start().await;
        let other = options.start().await;
        for number in 0..FILES {
            let (end, media_type) = kind(number);
            let (id, name) = (format!("id{number:03}"), format!("{number}.{end}"));
            world.add(&id, &name, media_type, id.as_bytes()).await;
        }
        let mut of_host = of_all;
        let data = one.data().display().to_string();
        of_host.push(("LONGSHORE_DATA".to_owned(), data));
        let (_, _, host) = tokio::join!(
            run(&one, "spaces"),
            run(&other, "spaces"),
            world.sync_with(of_host, &["run"]),
        );
        assert_eq!(host.code, Some(0), "{host:?}");
        // What one of them has in its hands may not be marked yet.
        within("every row to be marked", async {
            while !world.rows().await.values().all(|row| row.copied) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        let delivered = within("every pass to end", async {
            loop {
                let (_, found) = other.get("/api/v1/syncs/spaces/passes").await;
                let found = found["items"].as_array().cloned().expect("a list");
                if found.iter().all(|pass| pass["ended_at"].is_string()) {
                    let each = found.iter().map(|pass| pass["delivered"].as_u64());
                    return each.map(|files| files.expect("a number")).sum::<u64>();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert_eq!(delivered, FILES as u64, "each by one of them");
        each_came_once(&cloudflare, FILES);
    })
    .await;
}
