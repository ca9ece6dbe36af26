//! Archives of many sources, beside other ways of making them, from the same servers.
//!
//! The ways take turns within a round, so that what disturbs the machine disturbs all
//! of them. Each is a process of its own, fresh for every case, warmed up with a
//! small archive; its peak of memory is over all rounds of the case. Where nginx serves the
//! sources, as many of the same size from a server with a clock tell after each round how
//! late the first byte of an archive is.

pub(crate) mod away;
mod cancel;
mod cases;
pub(crate) mod origin;
pub(crate) mod pass;
mod report;
mod takers;
mod ways;
pub(crate) mod wget;

use crate::{Result, place};
use cases::{Case, Sources};
use report::Report;
use ways::Way;

pub(crate) async fn run() -> Result {
    if Case::NAMES.iter().any(|name| place::wanted(name)) {
        compare().await?;
    }
    if place::wanted(cancel::NAME) {
        cancel::run().await?;
    }
    if place::wanted(takers::NAME) {
        takers::run().await?;
    }
    Ok(())
}

async fn compare() -> Result {
    let sources = Sources::start().await?;
    let cases = Case::all(&sources);
    for case in cases.iter().filter(|case| place::wanted(case.name)) {
        println!("## {}\n", case.title);
        let report = measure(case).await?;
        println!("{report}");
    }
    Ok(())
}

async fn measure(case: &Case) -> Result<Report> {
    let mut ways = Way::all(case).await?;
    let mut report = Report::new(case);
    for round in 0..place::rounds(case.rounds) {
        for way in &mut ways {
            if round < way.most_rounds(case) {
                let measured = way.measure(case).await?;
                report.add(way.name(), &measured);
            }
        }
        for way in &ways {
            if let Some(after) = way.after_source(case).await? {
                report.add_after_source(&way.name(), after);
            }
        }
    }
    for way in ways {
        report.verify(way.verify(case).await?);
        way.end().await?;
    }
    Ok(report)
}
