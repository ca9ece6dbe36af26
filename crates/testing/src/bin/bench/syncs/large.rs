//! Memory: one file that is larger than any memory that is promised, and others beside it.

use super::MEMORY;
use super::double::Double;
use super::served::{rule, size};
use super::stores::Store;
use super::world::{Files, World, sha256};
use crate::figures::{mebibytes, seconds};
use crate::table::Table;
use crate::{Result, place};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};

const KIND: &str = "large";
/// Files that go at once: one of the largest, the others a part of it.
const FILES: u64 = 8;
const OTHERS: u64 = 8;

pub(super) async fn run(world: &World) -> Result {
    let largest = place::part(2 << 30, 24 << 20);
    println!(
        "## One film of {} and {} of {}, 8 at once: memory\n",
        size(largest),
        FILES - 1,
        size(largest / OTHERS)
    );
    let files = Files {
        kind: KIND,
        media_type: "video/mp4",
        end: "mp4",
        count: FILES,
        size: largest,
    };
    let mut digests = BTreeMap::new();
    for number in 0..FILES {
        let path = world.source.file(&files.key(number));
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        // Holes in the file: zeros that take no room.
        let length = if number == 0 {
            largest
        } else {
            largest / OTHERS
        };
        File::create(&path)?.set_len(length)?;
        digests.insert(files.id(number), sha256(&path)?);
    }
    let mut table = Table::new(["to", "time", "CPU", "peak memory", "promised", "kept"]);
    let mut double = Double::start().await?;
    world.rows_of(&files).await?;
    let stream = world.pass(&double, &rule(&double, 8)).await?;
    double.holds(&digests).await?;
    let folder = world.folder.join("target");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let target = Store::start(&folder).await?;
    world.rows_of(&files).await?;
    let to = json!({"kind": "store", "store": target.rule("")});
    let to_store = json!({"at_once": 8, "targets": [{"name": "other", "to": to}]});
    let store = world.pass(&double, &to_store).await?;
    world.all_marked(FILES).await?;
    for (id, digest) in &digests {
        if sha256(&target.file(id))? != *digest {
            return Err(format!("{id} is another at the target").into());
        }
    }
    for (name, measured) in [
        ("Stream, by tus", stream),
        ("an S3-compatible store", store),
    ] {
        table.row([
            name.to_owned(),
            seconds(measured.wall),
            seconds(measured.processor),
            mebibytes(measured.peak),
            format!("< {}", mebibytes(MEMORY)),
            crate::figures::within(measured.peak, MEMORY),
        ]);
    }
    println!("{table}");
    target.end().await?;
    double.end().await?;
    fs::remove_dir_all(&folder)?;
    Ok(fs::remove_dir_all(
        world.source.file(&format!("files/{KIND}")),
    )?)
}
