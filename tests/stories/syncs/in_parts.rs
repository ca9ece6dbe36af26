//! Files that go to a store in parts: killed in the middle they go on from there, and what
//! never will be whole is given up.

use super::world::{World, in_world, served};
use crate::program::{BINARY, a_store_of_others};
use crate::s3::Boto;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use storage::{Db, DbLimits, values};
use testing::{Content, TestDatabase, on_both, on_postgres, within};
use tokio::process::{Child, Command};

/// As many parts that one of them is not done before the next look.
const LENGTH: u64 = 50 << 20;

fn variables(world: &World) -> Vec<(String, String)> {
    let mut variables = world.variables(&world.rule());
    variables.push((
        "LONGSHORE_SYNCS_IN_PARTS_FROM".to_owned(),
        "5MiB".to_owned(),
    ));
    variables
}

/// The parts that the target has of uploads.
fn parts(world: &World) -> usize {
    let folder = world.target.folder();
    let root = folder.parent().expect("it has one");
    let entries = std::fs::read_dir(root).expect("it is there");
    let names = entries.map(|entry| entry.expect("it is read").file_name());
    names
        .filter(|name| name.to_string_lossy().contains(".part-"))
        .count()
}

fn begun(world: &World, variables: Vec<(String, String)>) -> Child {
    Command::new(BINARY)
        .args(["sync", "run"])
        .envs(variables)
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts")
}

/// Begins a pass, and kills it as `kill -9` does once the target has so many parts.
async fn killed_at(world: &World, wanted: usize) {
    let mut child = begun(world, variables(world));
    within("parts of the file", async {
        while parts(world) < wanted {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    child.kill().await.expect("killed");
    assert_eq!(
        world.target.keys(),
        Vec::<String>::new(),
        "nothing is whole"
    );
    assert!(world.target.unfinished() > 0, "it was killed in the middle");
}

fn there(world: &World, id: &str) -> Vec<u8> {
    std::fs::read(world.target.folder().join("served").join(id)).expect("there")
}

on_both!(a_large_file_goes_on_after_the_part_at_which_it_was_killed);
async fn a_large_file_goes_on_after_the_part_at_which_it_was_killed(database: TestDatabase) {
    in_world(database, |world| async move {
        let film = Content::seeded(5, LENGTH).to_vec();
        world.add("film", "film.mp4", "video/mp4", &film).await;
        killed_at(&world, 3).await;
        let before = parts(&world);
        killed_at(&world, before + 3).await;
        let pass = world.sync_with(variables(&world), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let goes_on = pass.output.contains("it goes on after ");
        assert!(
            goes_on && pass.output.contains(&format!(" of {LENGTH} bytes")),
            "{pass:?}"
        );
        assert_eq!(world.rows().await["film"], served("film"));
        assert_eq!(world.target.keys(), ["served/film"]);
        assert!(there(&world, "film") == film, "all of it, in its order");
        assert_eq!(world.target.unfinished(), 0, "nothing is left behind");
        // It is known, and not sent again.
        let idle = world.sync_with(variables(&world), &["run"]).await;
        assert!(idle.output.contains("0 delivered; 0 bytes"), "{idle:?}");
    })
    .await;
}

on_both!(what_never_will_be_whole_is_given_up_in_the_store);
async fn what_never_will_be_whole_is_given_up_in_the_store(database: TestDatabase) {
    in_world(database, |world| async move {
        let film = Content::seeded(5, LENGTH).to_vec();
        world.add("film", "film.mp4", "video/mp4", &film).await;
        // Its content is another one by now.
        killed_at(&world, 3).await;
        let other = Content::seeded(6, 11 << 20).to_vec();
        world.put("2024/film.mp4", &other);
        let pass = world.sync_with(variables(&world), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert!(there(&world, "film") == other, "the new content");
        assert_eq!(world.target.unfinished(), 0, "nothing is left behind");
        std::fs::remove_file(world.target.folder().join("served/film")).expect("removed");
        // It is not there any more.
        world.add("gone", "gone.mp4", "video/mp4", &film).await;
        killed_at(&world, 3).await;
        let source = world.source.folder().join("files/2024/gone.mp4");
        std::fs::remove_file(source).expect("removed");
        let pass = world.sync_with(variables(&world), &["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        assert!(pass.output.contains("not in the store"), "{pass:?}");
        assert_eq!(world.target.unfinished(), 0, "nothing is left behind");
    })
    .await;
}

/// The keys of the uploads that are begun in the store and not together, as boto3 lists them.
async fn unfinished(boto: &mut Boto, key: &Value) -> String {
    const SCRIPT: &str = r#"
for upload in s3.list_multipart_uploads(Bucket="files").get("Uploads", []):
    print(upload["Key"])
"#;
    let text = |name: &str| key[name].as_str().expect("a text");
    boto.run((text("key"), text("secret")), SCRIPT).await
}

/// Nothing is recorded of an upload that is begun: whoever does so waits.
const WAITS: [&str; 2] = [
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_sleep(3600); RETURN NEW; END$$",
    "CREATE TRIGGER wait BEFORE UPDATE ON delivery FOR EACH ROW
        WHEN (NEW.reached = 'created') EXECUTE FUNCTION wait()",
];

// Another Longshore is the store: it lists what was begun in parts.
on_postgres!(an_upload_that_began_and_was_not_recorded_is_given_up_by_the_next_pass);
async fn an_upload_that_began_and_was_not_recorded_is_given_up_by_the_next_pass(
    database: TestDatabase,
) {
    in_world(database, |world| async move {
        let other = a_store_of_others().start().await;
        let config = json!({ "s3": { "addressing_style": "path" } });
        let Some(mut boto) = Boto::at(&other.s3_url(), &config) else {
            return;
        };
        let wanted = json!({ "name": "boxes", "scopes": ["files:read", "files:write"] });
        let (_, key) = other.post("/api/v1/access-keys", &wanted).await;
        let mut rule = world.rule();
        rule["targets"][0]["to"]["store"] = json!({
            "endpoint": other.s3_url(),
            "bucket": "files",
            "access_key": key["key"],
            // The name of a secret of the environment that nothing else needs here.
            "secret": "CLOUDFLARE_API_TOKEN",
        });
        let mut variables = variables(&world);
        let secret = key["secret"].as_str().expect("a secret").to_owned();
        for (name, value) in [
            ("SYNC_RULE", rule.to_string()),
            ("CLOUDFLARE_API_TOKEN", secret),
        ] {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_owned(), value));
        }
        let film = Content::seeded(5, 11 << 20).to_vec();
        world.add("f+1", "film.mp4", "video/mp4", &film).await;
        let status = world.sync_with(variables.clone(), &["status"]).await;
        assert_eq!(status.code, Some(0), "{status:?}");
        let url = world.ours().postgres_url().expect("it is one").to_owned();
        let (ours, _) = Db::foreign(&url, &DbLimits::default()).expect("an address");
        for sql in WAITS {
            ours.execute(sql, values![]).await.expect("made");
        }
        let mut child = begun(&world, variables.clone());
        let waiting = "SELECT pid FROM pg_stat_activity
            WHERE wait_event = 'PgSleep' AND datname = current_database()";
        within("the record to be waited for", async {
            while ours.one(waiting, values![]).await.expect("read").is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        child.kill().await.expect("killed");
        let ended = format!("SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waiting");
        ours.all(ended, values![]).await.expect("ended");
        let dropped = "DROP TRIGGER wait ON delivery";
        ours.execute(dropped, values![]).await.expect("dropped");
        ours.close().await;
        assert_eq!(unfinished(&mut boto, &key).await, "served/f+1\n");
        let pass = world.sync_with(variables, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["f+1"], served("f+1"));
        assert_eq!(
            unfinished(&mut boto, &key).await,
            "",
            "nothing is left behind"
        );
        let path = "/api/v1/buckets/files/files/served/f%2B1";
        let there = other.request(reqwest::Method::GET, path).send().await;
        let there = there.expect("an answer").bytes().await.expect("whole");
        assert!(there == film, "all of it");
    })
    .await;
}
