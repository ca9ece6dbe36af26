//! Files that go to a store in parts: killed in the middle they go on from there, and what
//! never will be whole is given up.

use super::world::{World, in_world, served};
use crate::program::BINARY;
use std::process::Stdio;
use std::time::Duration;
use testing::{Content, TestDatabase, on_both, within};
use tokio::process::Command;

/// As many parts that one of them is not done before the next look.
const LENGTH: u64 = 80 << 20;

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

/// Begins a pass, and kills it as `kill -9` does once the target has so many parts.
async fn killed_at(world: &World, wanted: usize) {
    let mut child = Command::new(BINARY)
        .args(["sync", "run"])
        .envs(variables(world))
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
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
            goes_on && pass.output.contains(" of 83886080 bytes"),
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
