//! `longshore sync` on the host and a server on the same data directory, whichever of them
//! begins first: neither locks the other out, and nothing is delivered twice.

use super::to_cloudflare::variables;
use super::world::in_world;
use crate::program::{BINARY, server};
use serde_json::Value;
use std::process::Stdio;
use testing::{Cloudflare, TestDatabase, TestServer, on_both, within};
use tokio::process::Command;

/// How every pass that the server knows of has ended.
async fn passes(server: &TestServer) -> Vec<Value> {
    let (_, found) = server.get("/api/v1/operations?kind=sync-pass").await;
    let found = found["items"].as_array().cloned().expect("a list");
    found.iter().map(|one| one["state"].clone()).collect()
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
        cloudflare.let_go();
        let ended = within("the pass", child.wait_with_output()).await;
        let ended = ended.expect("it ends");
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(passes(&server).await, ["succeeded"]);
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
