//! Syncs: rows and objects delivered, beside the way of 2024 (one row after the other) and
//! beside `rclone copy`.
//!
//! Cloudflare is the project's double in a process of its own, which keeps of what comes no
//! more than lengths and digests; stores are s3s-fs; rows lie in a schema of their own in
//! the Postgres that `LONGSHORE_TEST_POSTGRES` names. After every pass it is looked whether
//! everything is there, whole and marked.

mod backlog;
mod bucket;
pub(crate) mod double;
mod large;
mod measured;
mod served;
mod stores;
pub(crate) mod way_of_2024;
mod world;

use crate::table::Table;
use crate::{Result, place};
use measured::Measured;
use world::World;

/// What memory is promised to stay below, whatever the size of a file.
const MEMORY: f64 = 64.0 * 1024.0 * 1024.0;

pub(crate) async fn run() -> Result {
    let world = World::open().await?;
    let done = cases(&world).await;
    world.close().await?;
    done
}

async fn cases(world: &World) -> Result {
    if place::wanted("syncs images") {
        served::images(world).await?;
    }
    if place::wanted("syncs films") {
        served::films(world).await?;
    }
    if place::wanted("syncs bucket") {
        bucket::run(world).await?;
    }
    if place::wanted("syncs large") {
        large::run(world).await?;
    }
    if place::wanted("syncs backlog") {
        backlog::run(world).await?;
    }
    Ok(())
}

/// How several ways of delivering the same files compare; the last one is what the others
/// are held against.
struct Ways {
    files: u64,
    bytes: u64,
    ways: Vec<(String, Vec<Measured>)>,
}

impl Ways {
    const fn new(files: u64, bytes: u64) -> Self {
        Self {
            files,
            bytes,
            ways: Vec::new(),
        }
    }

    fn add(&mut self, way: &str, measured: Measured) {
        match self.ways.iter_mut().find(|(known, _)| known == way) {
            Some((_, all)) => all.push(measured),
            None => self.ways.push((way.to_owned(), vec![measured])),
        }
    }

    /// The medians of a way: time, processor, and the most of its memory.
    fn of(&self, way: &str) -> Measured {
        let found = self.ways.iter().find(|(known, _)| known == way);
        found.map_or(Measured::NOTHING, |(_, all)| measured::median(all))
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn print(&self, against: &str) {
        let mut table = Table::new([
            "way",
            "time",
            "files/s",
            "MiB/s",
            "CPU",
            "peak memory",
            "times as fast",
        ]);
        let slow = self.of(against).wall;
        for (way, all) in &self.ways {
            let one = measured::median(all);
            table.row([
                way.clone(),
                crate::figures::seconds(one.wall),
                format!("{:.1}", self.files as f64 / one.wall),
                format!("{:.1}", self.bytes as f64 / one.wall / f64::from(1 << 20)),
                crate::figures::seconds(one.processor),
                crate::figures::mebibytes(one.peak),
                format!("{:.2}", slow / one.wall),
            ]);
        }
        println!("{table}");
    }
}

/// Prints what was promised of a figure that shall be at least `least`.
fn promise_at_least(table: &mut Table, promise: &str, measured: f64, least: f64) {
    table.row([
        promise.to_owned(),
        format!("> {least:.0} ×"),
        format!("{measured:.1} ×"),
        crate::figures::within(least / measured, 1.0),
    ]);
}

/// Prints what was promised of memory.
fn promise_memory(table: &mut Table, peak: f64) {
    table.row([
        "peak memory".to_owned(),
        format!("< {}", crate::figures::mebibytes(MEMORY)),
        crate::figures::mebibytes(peak),
        crate::figures::within(peak, MEMORY),
    ]);
}

fn promises() -> Table {
    Table::new(["promise", "limit", "measured", "kept"])
}
