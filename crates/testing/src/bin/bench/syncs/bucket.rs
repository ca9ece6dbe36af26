//! From one store to another, beside `rclone copy`.

use super::double::Double;
use super::measured::{Measured, measure};
use super::stores::{BUCKET, Store};
use super::world::{Files, PREFIX, World, sha256};
use super::{Ways, promise_at_least, promise_memory, promises};
use crate::{Result, place};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const ROUNDS: usize = 3;
const OURS: &str = "Longshore, 8 at once";
const RCLONE: &str = "rclone copy --transfers 8";
const RCLONE_USUAL: &str = "rclone copy, as it is (4 at once)";

pub(super) async fn run(world: &World) -> Result {
    let (pictures, films) = (Files::pictures(), Files::films());
    println!(
        "## {} pictures and {} films from one store to another\n",
        pictures.count, films.count
    );
    let mut expected = BTreeMap::new();
    for files in [&pictures, &films] {
        let digests = world.objects_of(files)?;
        for number in 0..files.count {
            let digest = digests.get(&files.id(number)).cloned();
            expected.insert(files.key(number), digest.unwrap_or_default());
        }
    }
    others_away(world, &expected)?;
    let has_rclone = longshore_testing::installed("rclone").is_some();
    let double = Double::start().await?;
    let mut ways = Ways::new(
        pictures.count + films.count,
        pictures.bytes() + films.bytes(),
    );
    for _ in 0..place::rounds(ROUNDS) {
        for way in [OURS, RCLONE, RCLONE_USUAL] {
            if way != OURS && !has_rclone {
                continue;
            }
            let folder = world.folder.join("target");
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            let target = Store::start(&folder).await?;
            let measured = match way {
                OURS => world.pass(&double, &rule(world, &target)).await?,
                RCLONE => rclone(world, &target, &["--transfers", "8"]).await?,
                _ => rclone(world, &target, &[]).await?,
            };
            for (key, digest) in &expected {
                if sha256(&target.file(key))? != *digest {
                    return Err(format!("{way}: {key} is another at the target").into());
                }
            }
            target.end().await?;
            ways.add(way, measured);
        }
    }
    ways.print(if has_rclone { RCLONE } else { OURS });
    let mut table = promises();
    for way in [RCLONE, RCLONE_USUAL] {
        let faster = ways.of(way).wall / ways.of(OURS).wall;
        promise_at_least(&mut table, &format!("ahead of {way}"), faster, 1.0);
    }
    promise_memory(&mut table, ways.of(OURS).peak);
    println!("{table}");
    double.end().await
}

/// A rule with a store on either side; without a table.
fn rule(world: &World, target: &Store) -> Value {
    json!({
        "at_once": 8,
        "source": {
            "kind": "store",
            "database": null,
            "table": null,
            "key_prefix": null,
            "store": world.source.rule(""),
        },
        "targets": [{"name": "other", "to": {"kind": "store", "store": target.rule("")}}],
    })
}

async fn rclone(world: &World, target: &Store, how: &[&str]) -> Result<Measured> {
    let mut command = Command::new("rclone");
    command
        .args(["copy", "--config", ""])
        .args(how)
        .arg(format!("ours:{BUCKET}/{PREFIX}"))
        .arg(format!("theirs:{BUCKET}/{PREFIX}"))
        // A bundle of certificates of the machine's own, which it stumbles over.
        .env_remove("AWS_CA_BUNDLE")
        .envs(world.source.remote("OURS"))
        .envs(target.remote("THEIRS"));
    measure(command, &world.folder.join("rclone.log")).await
}

/// Takes away what another case has left in the source.
fn others_away(world: &World, expected: &BTreeMap<String, String>) -> Result {
    let root = world.source.file(PREFIX);
    for folder in fs::read_dir(&root)? {
        let folder = folder?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        for file in fs::read_dir(&folder)? {
            let file = file?;
            let key = format!("{PREFIX}{name}/{}", file.file_name().to_string_lossy());
            if !expected.contains_key(&key) {
                fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}
