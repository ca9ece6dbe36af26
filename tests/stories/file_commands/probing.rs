//! `longshore probe`, as a monitor runs it.

use super::done;
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::Person;
use crate::program::server;
use serde_json::Value;
use testing::{TestDatabase, on_both};

on_disk_and_in_store!(a_probe_tells_how_long_each_step_took_and_leaves_nothing);
async fn a_probe_tells_how_long_each_step_took_and_leaves_nothing(berth: Berth) {
    let server = berth.usual().await;
    // Nobody has logged in here.
    let person = Person::new();
    let url = server.url();
    let probe = ["probe", &url, "--user", "admin", "--password-stdin"];
    let ended = person.run_with(&probe, server.admin_password()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for step in ["upload", "list", "download", "delete", "total"] {
        let line = ended.output.lines().find(|line| line.starts_with(step));
        assert!(line.is_some_and(|line| line.ends_with(" ms")), "{ended:?}");
    }
    let mut json = probe.to_vec();
    json.extend(["--json", "--size", "1MiB"]);
    let ended = person.run_with(&json, server.admin_password()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.output).expect("JSON");
    assert_eq!(
        (&report["ok"], &report["bytes"]),
        (&true.into(), &1_048_576.into())
    );
    let steps = report["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 5, "{report}");
    assert!(
        steps.iter().all(|step| step["milliseconds"].is_number()),
        "{report}"
    );
    let went: Vec<(&str, &str)> = steps
        .iter()
        .map(|step| {
            let text = |field: &str| step[field].as_str().expect("a text");
            (text("step"), text("state"))
        })
        .collect();
    // By both ways: a signed address that is "not offered" would be passed over.
    let names = ["upload", "list", "download", "presigned download", "delete"];
    assert_eq!(went, names.map(|name| (name, "ok")), "{report}");

    let (_, bucket) = server.get("/api/v1/buckets/files").await;
    assert_eq!(
        bucket["usage"]["files"], 0,
        "nothing is left, in the trash neither"
    );
    assert_eq!(server.contents(), 0);
}

on_both!(a_probe_that_fails_names_the_step);
async fn a_probe_that_fails_names_the_step(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::admin(&server).await;
    done(
        &person,
        &["bucket", "add", "full", "--quota", "10KiB", "--trash", "0s"],
    )
    .await;
    let probe = ["probe", "--bucket", "full", "--json"];
    let ended = person.run(&probe).await;
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.errors.contains("`upload` failed"), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.output).expect("JSON");
    assert_eq!(
        (&report["ok"], &report["failed"]),
        (&false.into(), &"upload".into())
    );

    let url = server.url();
    let probe = ["probe", &url, "--user", "admin", "--password-stdin"];
    let ended = person.run_with(&probe, "wrong").await;
    assert_eq!(ended.code, Some(9), "{ended:?}");
    let nobody = Person::new();
    nobody
        .run(&["probe", "--size", "1GiB", &url])
        .await
        .refused(2, &["64MiB"]);
    let ended = nobody
        .run(&["probe", "http://127.0.0.1:9", "--timeout", "5s"])
        .await;
    assert_eq!(ended.code, Some(9), "{ended:?}");
}
