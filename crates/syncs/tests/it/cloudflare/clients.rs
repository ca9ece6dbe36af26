//! Cloudflare's own clients at its double, unchanged: what they take for Cloudflare is a
//! good double.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use testing::{Cloudflare, cloudflare_peer, within};
use tokio::process::Command;

const SCRIPT: &str = include_str!("clients.mjs");
const PYTHON: &str = include_str!("clients.py");

/// What a client says at the end: a JSON document.
async fn said(mut command: Command, folder: &Path, cloudflare: &Cloudflare) -> Value {
    command
        .args([&cloudflare.api(), cloudflare.account(), cloudflare.token()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    // Starting one takes its time on a machine that does much else.
    let running = async {
        let mut output = Box::pin(command.output());
        for _ in 0..4 {
            let waited = tokio::time::timeout(testing::PATIENCE, &mut output);
            if let Ok(output) = waited.await {
                return output.unwrap();
            }
        }
        within("the client", output).await.unwrap()
    };
    let output = running.await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn expected(by: &str) -> Value {
    json!({
        "token": "active",
        "made": format!("file/{by}"),
        "again": 5409,
        "got": { "id": format!("file/{by}"), "filename": "a.png", "by": by },
        "listed": [format!("file/{by}")],
        "count": 1,
        "gone": 404,
        "films": [{ "name": by, "state": "pendingupload", "size": 0 }],
        "film": by,
        "films_after": [],
    })
}

#[tokio::test]
async fn cloudflares_client_of_npm_takes_the_double_for_cloudflare() {
    let (Some(folder), Some(node)) = (cloudflare_peer(), testing::installed("node")) else {
        return;
    };
    let cloudflare = Cloudflare::start().await;
    let mut command = Command::new(node);
    command.args(["--input-type=module", "--eval", SCRIPT]);
    let said = said(command, &folder, &cloudflare).await;
    assert_eq!(said, expected("npm"));
}

#[tokio::test]
async fn cloudflares_client_of_pypi_takes_the_double_for_cloudflare() {
    let Some(folder) = cloudflare_peer() else {
        return;
    };
    let cloudflare = Cloudflare::start().await;
    let mut command = Command::new(folder.join("bin/python"));
    command.args(["-c", PYTHON]);
    let said = said(command, &folder, &cloudflare).await;
    assert_eq!(said, expected("pypi"));
}
