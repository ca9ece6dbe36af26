//! From an empty directory to answering, and the memory of one that idles.

use crate::figures::{Figures, mebibytes, seconds, within};
use crate::program::Program;
use crate::table::Table;
use crate::{Result, place, process};
use std::time::Duration;

/// After this long, what the start needed has been given back as far as it will be.
const SETTLED: Duration = Duration::from_secs(3);
const MEBIBYTE: f64 = 1_048_576.0;

pub(crate) async fn run() -> Result {
    let (mut first, mut second, mut idle, mut peak) = (
        Figures::default(),
        Figures::default(),
        Figures::default(),
        Figures::default(),
    );
    for _ in 0..place::rounds(10) {
        let folder = tempfile::tempdir_in(place::folder("start")?)?;
        let data = folder.path().join("data");
        let (program, took) = Program::start(&data).await?;
        first.add_time(took);
        tokio::time::sleep(SETTLED).await;
        idle.add(process::resident(program.id())?);
        peak.add(process::peak(program.id())?);
        program.stop().await?;
        let (program, took) = Program::start(&data).await?;
        second.add_time(took);
        program.stop().await?;
    }
    let mut table = Table::new(["", "median", "most", "promised", "kept"]);
    for (name, figures, limit) in [
        ("empty directory to /readyz", &first, Some(1.0)),
        ("second start to /readyz", &second, None),
    ] {
        table.row([
            name.to_owned(),
            seconds(figures.median()),
            seconds(figures.most()),
            limit.map_or("–".to_owned(), |limit| format!("< {}", seconds(limit))),
            limit.map_or("–".to_owned(), |limit| within(figures.most(), limit)),
        ]);
    }
    for (name, figures, limit) in [
        ("resident when idle", &idle, Some(40.0 * MEBIBYTE)),
        ("most resident while starting", &peak, None),
    ] {
        table.row([
            name.to_owned(),
            mebibytes(figures.median()),
            mebibytes(figures.most()),
            limit.map_or("–".to_owned(), |limit| format!("< {}", mebibytes(limit))),
            limit.map_or("–".to_owned(), |limit| within(figures.most(), limit)),
        ]);
    }
    println!("{table}");
    Ok(())
}
