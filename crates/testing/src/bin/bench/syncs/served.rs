//! Pictures to Cloudflare Images and films to Stream, beside the way of 2024.

use super::double::{Double, HANDSHAKE, LATENCY, READY_AFTER};
use super::measured::{Measured, measure};
use super::way_of_2024;
use super::world::{Files, World};
use super::{Ways, promise_at_least, promise_memory, promises};
use crate::figures::{mebibytes, seconds};
use crate::{Result, place};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// How soon after a pass there is another, while films are not ready.
const NEXT: Duration = Duration::from_secs(1);
/// How often there is another at most.
const MOST_PASSES: usize = 120;
const ROUNDS: usize = 3;
const OLD: &str = "one after the other, the way of 2024";
/// How many times as fast as the old way it shall be.
const PROMISED: f64 = 20.0;

pub(super) async fn images(world: &World) -> Result {
    let files = Files::pictures();
    println!(
        "## {} pictures of {} KiB to Cloudflare Images\n",
        files.count,
        files.size >> 10
    );
    against_the_old_way(world, &files, &[8, 32]).await
}

pub(super) async fn films(world: &World) -> Result {
    let files = Files::films();
    println!(
        "## {} films of {} to Cloudflare Stream\n",
        files.count,
        size(files.size)
    );
    println!(
        "A film is ready {} after its last byte; the old way looks every {}.\n",
        seconds(READY_AFTER.as_secs_f64()),
        seconds(way_of_2024::LOOK.as_secs_f64())
    );
    against_the_old_way(world, &files, &[8]).await
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn size(bytes: u64) -> String {
    mebibytes(bytes as f64)
}

/// A rule with both targets, the API for many images included.
pub(super) fn rule(double: &Double, at_once: u32) -> Value {
    let to = |kind: &str| {
        json!({
            "kind": kind,
            "account": double.account,
            "token": "CLOUDFLARE_API_TOKEN",
            "api": double.api,
        })
    };
    let mut images = to("cloudflare_images");
    images["batch"] = json!(double.batch);
    json!({
        "at_once": at_once,
        "targets": [
            {"name": "images", "when": {"types": ["image/*"]}, "to": images},
            {"name": "videos", "when": {"types": ["video/*"]}, "to": to("cloudflare_stream")},
        ],
    })
}

/// Further passes until every row is marked as ready: a pass does not wait for films.
async fn until_ready(
    world: &World,
    double: &Double,
    rule: &Value,
    (count, begun): (u64, Instant),
    mut measured: Measured,
) -> Result<Measured> {
    let mut passes = 0;
    while world.marked().await? < count && passes < MOST_PASSES {
        tokio::time::sleep(NEXT).await;
        let next = world.next_pass(double, rule).await?;
        measured.wall = begun.elapsed().as_secs_f64();
        measured.processor += next.processor;
        measured.peak = measured.peak.max(next.peak);
        passes += 1;
    }
    world.all_marked(count).await?;
    Ok(measured)
}

async fn against_the_old_way(world: &World, files: &Files, at_once: &[u32]) -> Result {
    let digests = world.objects_of(files)?;
    let mut double = Double::start().await?;
    println!(
        "Every answer takes {}, and a new connection {} before its first request.\n",
        seconds(LATENCY.as_secs_f64()),
        seconds(HANDSHAKE.as_secs_f64())
    );
    let mut ways = Ways::new(files.count, files.bytes());
    for _ in 0..place::rounds(ROUNDS) {
        for at_once in at_once {
            double.clear().await?;
            world.rows_of(files).await?;
            let way = format!("Longshore, {at_once} at once");
            let rule = rule(&double, *at_once);
            let begun = Instant::now();
            let measured = world.pass(&double, &rule).await?;
            double.holds(&digests).await?;
            if world.marked().await? < files.count {
                ways.add(&format!("{way}: until all are there"), measured);
            }
            let measured =
                until_ready(world, &double, &rule, (files.count, begun), measured).await?;
            ways.add(&way, measured);
        }
    }
    // Once: most of it is waiting.
    double.clear().await?;
    world.rows_of(files).await?;
    let mut old = Command::new(std::env::current_exe()?);
    old.arg("role-2024").envs(world.variables(&double));
    let measured = measure(old, &world.folder.join("2024.log")).await?;
    double.holds(&digests).await?;
    world.all_marked(files.count).await?;
    ways.add(OLD, measured);
    ways.print(OLD);
    let usual = ways.of("Longshore, 8 at once");
    let mut table = promises();
    let faster = ways.of(OLD).wall / usual.wall;
    promise_at_least(
        &mut table,
        "faster than one after the other",
        faster,
        PROMISED,
    );
    promise_memory(&mut table, usual.peak);
    println!("{table}");
    println!(
        "The double held {} at the most.\n",
        mebibytes(double.peak()?)
    );
    double.end().await
}
