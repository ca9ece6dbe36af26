//! Many bundles at once whose takers are slow: what they hold in memory.

use super::cases::{MEDIUM, medium_files};
use crate::figures::{mebibytes, seconds, within};
use crate::program::Program;
use crate::table::Table;
use crate::{Error, Result, place, process};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// By `BENCH_ONLY`.
pub(super) const NAME: &str = "takers";
/// Bundles at once, and the files of 200 KiB in each.
const BUNDLES: u64 = 16;
const FILES: u64 = 2000;
/// What each taker takes in a second.
const RATE: u64 = 3_000_000;
/// Within which the server shall stay.
const MEMORY: f64 = 96.0 * 1_048_576.0;
/// How long after the last was taken it is looked at again.
const LATER: Duration = Duration::from_secs(5);

pub(super) async fn run() -> Result {
    let bundles = place::number("BENCH_TAKERS").unwrap_or(BUNDLES);
    let files = place::number("BENCH_FILES").unwrap_or(FILES);
    let Some(nginx) = medium_files().await? else {
        println!("left out: slow takers want nginx\n");
        return Ok(());
    };
    println!(
        "## {bundles} bundles of {files} × 200 KiB, each taken at {} a second\n",
        mebibytes(as_float(RATE))
    );
    let folder = tempfile::tempdir_in(place::folder("bundles")?)?;
    let (program, _) = Program::start(&folder.path().join("data")).await?;
    let idle = process::resident(program.id())?;
    // The query makes them different sources of the same files.
    let urls: Vec<String> = (0..files)
        .map(|number| format!("{}/medium/{}.jpg?{number}", nginx.url(), number % MEDIUM))
        .collect();
    let body = serde_json::json!({ "sources": urls }).to_string();
    let begun = Instant::now();
    let mut takers = JoinSet::new();
    for _ in 0..bundles {
        let (connection, body) = (program.connect().await?, body.clone());
        takers.spawn(async move {
            let path = "/api/v1/bundles?stream=1";
            connection.post_and_take(path, body.as_bytes(), RATE).await
        });
    }
    let mut taken = 0;
    while let Some(taker) = takers.join_next().await {
        taken += taker.map_err(Error::from)??;
    }
    if taken < bundles * files * (200 << 10) {
        return Err("an archive broke off".into());
    }
    let took = begun.elapsed().as_secs_f64();
    let peak = process::peak(program.id())?;
    tokio::time::sleep(LATER).await;
    let later = process::resident(program.id())?;

    let mut table = Table::new([
        "taken",
        "in",
        "resident before",
        "most",
        "5 s later",
        "promised",
        "kept",
    ]);
    table.row([
        mebibytes(as_float(taken)),
        seconds(took),
        mebibytes(idle),
        mebibytes(peak),
        mebibytes(later),
        mebibytes(MEMORY),
        within(peak, MEMORY),
    ]);
    println!("{table}");
    program.stop().await
}

#[expect(clippy::cast_precision_loss)]
const fn as_float(bytes: u64) -> f64 {
    bytes as f64
}
