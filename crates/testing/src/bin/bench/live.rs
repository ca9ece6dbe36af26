//! A thousand sockets that watch one operation, and see every line of it.

mod frames;
pub(crate) mod watcher;

use crate::client::Connection;
use crate::engine::Engine;
use crate::figures::{mebibytes, seconds, within};
use crate::program::PASSWORD;
use crate::table::Table;
use crate::{Result, place, process};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use watcher::{Seen, Watcher};

const PER_SECOND: u64 = 1000;
/// Log-ins and subscriptions at once, below what the system's queue of connections takes.
const AT_ONCE: usize = 32;

pub(crate) async fn run() -> Result {
    let mut table = Table::new([
        "watchers",
        "lines each",
        "median",
        "p99",
        "most",
        "every line",
        "promised p99",
        "kept",
        "server CPU",
        "client CPU",
        "server peak",
    ]);
    for (watchers, seconds_long) in [(1, 10), (100, 10), (1000, 30)] {
        if !place::wanted(&format!("live-{watchers}")) {
            continue;
        }
        let lines = seconds_long * PER_SECOND;
        let folder = tempfile::tempdir_in(place::folder("live")?)?;
        let mut engine = Engine::start(folder.path(), lines, PER_SECOND).await?;
        let mut tasks = subscribe(&engine, watchers, lines).await?;
        let own = std::process::id();
        let (server_before, own_before) = (
            process::processor(engine.process.id())?,
            process::processor(own)?,
        );
        let begun = Instant::now();
        engine.process.tell("go").await?;
        let mut seen = Seen::default();
        let mut whole = 0;
        while let Some(task) = tasks.join_next().await {
            let one = task??;
            whole += usize::from(one.lines() == lines);
            seen.merge(&one);
        }
        let took = begun.elapsed().as_secs_f64();
        let server = (process::processor(engine.process.id())? - server_before) / took;
        let client = (process::processor(own)? - own_before) / took;
        table.row([
            watchers.to_string(),
            lines.to_string(),
            seconds(seen.quantile(0.5)),
            seconds(seen.quantile(0.99)),
            seconds(seen.quantile(1.0)),
            format!("{whole} of {watchers}"),
            "< 100 ms".to_owned(),
            within(seen.quantile(0.99), 0.1),
            format!("{server:.2} cores"),
            format!("{client:.2} cores"),
            mebibytes(process::peak(engine.process.id())?),
        ]);
        engine.process.end().await?;
    }
    println!("{table}");
    Ok(())
}

/// Opens every socket and waits until each is subscribed.
async fn subscribe(engine: &Engine, watchers: usize, lines: u64) -> Result<JoinSet<Result<Seen>>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut opening = JoinSet::new();
    // The first log-in is verified; the others find it verified already.
    let first = Connection::open(engine.address).await?;
    first
        .basic("admin", PASSWORD)
        .get("/api/v1/operation-kinds")
        .await?
        .json()?;
    for _ in 0..watchers {
        let (places, address, operation) = (
            Arc::clone(&places),
            engine.address,
            engine.operation.clone(),
        );
        opening.spawn(async move {
            let _place = places.acquire_owned().await?;
            let connection = Connection::open(address).await?.basic("admin", PASSWORD);
            Watcher::subscribe(connection, &operation).await
        });
    }
    let mut tasks = JoinSet::new();
    while let Some(opened) = opening.join_next().await {
        let watcher = opened??;
        tasks.spawn(watcher.watch(lines));
    }
    Ok(tasks)
}
