//! A thousand sockets that watch one operation, and see every line of it.

mod frames;
pub(crate) mod watcher;

use crate::client::Connection;
use crate::engine::Engine;
use crate::figures::{mebibytes, seconds, within};
use crate::program::PASSWORD;
use crate::table::Table;
use crate::{Error, Result, place, process};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
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
        "slow ones beside",
        "lines each",
        "median",
        "p99",
        "most",
        "every line",
        "and the slow",
        "promised p99",
        "kept",
        "server CPU",
        "client CPU",
        "server peak",
    ]);
    for (watchers, slow_ones, seconds_long) in
        [(1, 0, 10), (100, 0, 10), (100, 100, 30), (1000, 0, 30)]
    {
        if !place::wanted(&format!("live-{watchers}-{slow_ones}")) {
            continue;
        }
        let lines = seconds_long * PER_SECOND;
        let folder = tempfile::tempdir_in(place::folder("live")?)?;
        let mut engine = Engine::start(folder.path(), lines, PER_SECOND).await?;
        let slow = Arc::new(AtomicBool::new(true));
        let mut tasks = subscribe(&engine, watchers, lines, None).await?;
        let mut slow_tasks = subscribe(&engine, slow_ones, lines, Some(&slow)).await?;
        let own = std::process::id();
        let (server_before, own_before) = (
            process::processor(engine.process.id())?,
            process::processor(own)?,
        );
        let begun = Instant::now();
        engine.process.tell("go").await?;
        let (seen, whole) = all(&mut tasks, lines).await?;
        let took = begun.elapsed().as_secs_f64();
        let server = (process::processor(engine.process.id())? - server_before) / took;
        let client = (process::processor(own)? - own_before) / took;
        slow.store(false, Relaxed);
        let (_, whole_slow) = all(&mut slow_tasks, lines).await?;
        table.row([
            watchers.to_string(),
            slow_ones.to_string(),
            lines.to_string(),
            seconds(seen.quantile(0.5)),
            seconds(seen.quantile(0.99)),
            seconds(seen.quantile(1.0)),
            format!("{whole} of {watchers}"),
            format!("{whole_slow} of {slow_ones}"),
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

/// What all of them saw together, and how many saw every line.
async fn all(tasks: &mut JoinSet<Result<Seen>>, lines: u64) -> Result<(Seen, usize)> {
    let mut seen = Seen::default();
    let mut whole = 0;
    while let Some(task) = tasks.join_next().await {
        let one = task??;
        whole += usize::from(one.lines() == lines);
        seen.merge(&one);
    }
    Ok((seen, whole))
}

/// Opens every socket and waits until each is subscribed. Those of `slow` take little, for
/// as long as it says so.
async fn subscribe(
    engine: &Engine,
    watchers: usize,
    lines: u64,
    slow: Option<&Arc<AtomicBool>>,
) -> Result<JoinSet<Result<Seen>>> {
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
        let (places, address, operation, slow) = (
            Arc::clone(&places),
            engine.address,
            engine.operation.clone(),
            slow.cloned(),
        );
        opening.spawn(async move {
            let _place = places.acquire_owned().await?;
            let connection = match slow {
                Some(_) => Connection::open_narrow(address).await?,
                None => Connection::open(address).await?,
            };
            let connection = connection.basic("admin", PASSWORD);
            let watcher = Watcher::subscribe(connection, &operation).await?;
            Ok::<_, Error>(match slow {
                Some(slow) => watcher.slowed(slow),
                None => watcher,
            })
        });
    }
    let mut tasks = JoinSet::new();
    while let Some(opened) = opening.join_next().await {
        let watcher = opened??;
        tasks.spawn(watcher.watch(lines));
    }
    Ok(tasks)
}
