//! A log of a million lines: written, followed, searched, in bounded memory.

use crate::client::Connection;
use crate::engine::{Engine, NEEDLE};
use crate::figures::{mebibytes, seconds, within};
use crate::live::watcher::Watcher;
use crate::program::PASSWORD;
use crate::table::Table;
use crate::{Result, place, process};
use std::time::Instant;
use tokio::task::JoinSet;

const LINES: u64 = 1_000_000;
const WATCHERS: usize = 10;
const LIMIT: f64 = 150.0 * 1_048_576.0;

pub(crate) async fn run() -> Result {
    if !place::wanted("lines") {
        return Ok(());
    }
    println!("## One operation with {LINES} lines, {WATCHERS} sockets following it\n");
    let folder = tempfile::tempdir_in(place::folder("lines")?)?;
    let mut engine = Engine::start(folder.path(), LINES, 0).await?;
    let id = engine.process.id();
    let mut table = Table::new(["", "time", "peak resident so far", "promised", "kept"]);
    let mut row = |name: String, time: f64| -> Result {
        let peak = process::peak(id)?;
        table.row([
            name,
            seconds(time),
            mebibytes(peak),
            format!("< {}", mebibytes(LIMIT)),
            within(peak, LIMIT),
        ]);
        Ok(())
    };
    let mut following = follow(&engine).await?;
    let begun = Instant::now();
    engine.process.tell("go").await?;
    let wrote: f64 = engine.process.says("wrote").await?.parse()?;
    row("written".to_owned(), wrote)?;
    ended(&mut following).await?;
    row(
        format!("followed by {WATCHERS} to the end"),
        begun.elapsed().as_secs_f64(),
    )?;

    let begun = Instant::now();
    let mut late = follow(&engine).await?;
    ended(&mut late).await?;
    row(
        format!("followed by {WATCHERS} afterwards, from storage"),
        begun.elapsed().as_secs_f64(),
    )?;

    let mut connection = Connection::open(engine.address)
        .await?
        .basic("admin", PASSWORD);
    for (name, query, expected) in [
        ("searched for a word", format!("q={NEEDLE}"), LINES / 10_000),
        (
            "searched by a regular expression",
            format!("q={NEEDLE}%20[0-9]%2B0000%20&regex=true&case=true"),
            LINES / 10_000,
        ),
        (
            "searched for what every line has",
            "q=compiling".to_owned(),
            LINES,
        ),
    ] {
        let begun = Instant::now();
        let path = format!("/api/v1/operations/{}/log/search?{query}", engine.operation);
        let found = connection.get(&path).await?.json()?;
        if found["total"] != expected {
            return Err(format!("{expected} lines should match, and {} do", found["total"]).into());
        }
        row(name.to_owned(), begun.elapsed().as_secs_f64())?;
    }
    println!("{table}");
    engine.process.end().await
}

async fn follow(engine: &Engine) -> Result<JoinSet<Result<u64>>> {
    let mut following = JoinSet::new();
    for _ in 0..WATCHERS {
        let connection = Connection::open(engine.address)
            .await?
            .basic("admin", PASSWORD);
        let watcher = Watcher::subscribe(connection, &engine.operation).await?;
        following.spawn(async move { Ok(watcher.watch(LINES).await?.lines()) });
    }
    Ok(following)
}

async fn ended(following: &mut JoinSet<Result<u64>>) -> Result {
    while let Some(one) = following.join_next().await {
        let lines = one??;
        if lines != LINES {
            return Err(format!("a socket saw {lines} of {LINES} lines").into());
        }
    }
    Ok(())
}
