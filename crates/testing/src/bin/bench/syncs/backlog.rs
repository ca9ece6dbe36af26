//! A table of a million rows: memory does not grow with it.

use super::MEMORY;
use super::double::Double;
use super::measured::Measured;
use super::served::rule;
use super::world::{Files, World, table};
use crate::figures::{mebibytes, seconds, within};
use crate::table::Table;
use crate::{Result, place};
use std::collections::BTreeMap;
use storage::values;

/// Rows that are delivered at the end.
const LAST: u64 = 100;

pub(super) async fn run(world: &World) -> Result {
    let rows = place::part(1_000_000, 2000);
    println!("## A table of {rows} rows\n");
    let mut figures = Table::new(["what", "time", "CPU", "peak memory", "promised", "kept"]);
    let mut add = |what: String, measured: Measured| {
        figures.row([
            what,
            seconds(measured.wall),
            seconds(measured.processor),
            mebibytes(measured.peak),
            format!("< {}", mebibytes(MEMORY)),
            within(measured.peak, MEMORY),
        ]);
    };
    let mut double = Double::start().await?;
    let files = Files {
        count: rows,
        ..Files::pictures()
    };
    let pictures = Files {
        count: LAST,
        size: 1 << 10,
        ..Files::pictures()
    };
    let mut digests = BTreeMap::new();
    for (number, digest) in world
        .objects_of(&small(pictures))?
        .into_values()
        .enumerate()
    {
        digests.insert(files.id(rows - LAST + number as u64), digest);
    }
    world.rows_of(&files).await?;
    let first = files.id(rows - LAST);
    mark_before(world, &first).await?;
    let measured = world.pass(&double, &rule(&double, 8)).await?;
    double.holds(&digests).await?;
    world.all_marked(rows).await?;
    add(
        format!("all but the last {LAST} are delivered already"),
        measured,
    );
    double.clear().await?;
    world.rows_of(&files).await?;
    nobody_takes_before(world, &first).await?;
    let measured = world.pass(&double, &rule(&double, 8)).await?;
    double.holds(&digests).await?;
    world.all_marked(LAST).await?;
    add(
        format!("all but the last {LAST} are of a type that no target takes"),
        measured,
    );
    println!("{figures}");
    double.end().await
}

/// Small pictures in a folder of their own.
const fn small(files: Files) -> Files {
    Files {
        kind: "small",
        ..files
    }
}

/// The last rows have the small pictures as their contents; of the others all are marked.
async fn mark_before(world: &World, first: &str) -> Result {
    let sql = format!(
        r#"UPDATE {} SET "copiedToCloudflare" = TRUE, status = 'ready', "cloudflareId" = id
        WHERE id < $1"#,
        table()
    );
    world.db.execute(sql, values![first]).await?;
    point_at_small(world, first).await
}

/// The same, and of the others none can go anywhere.
async fn nobody_takes_before(world: &World, first: &str) -> Result {
    let sql = format!(
        r#"UPDATE {} SET "fileType" = 'text/plain' WHERE id < $1"#,
        table()
    );
    world.db.execute(sql, values![first]).await?;
    point_at_small(world, first).await
}

async fn point_at_small(world: &World, first: &str) -> Result {
    let sql = format!(
        r#"UPDATE {table} SET path = 'small/small-' || lpad(CAST(placed.place AS text), 7, '0') || '.jpg'
        FROM (SELECT id AS row_id, row_number() OVER (ORDER BY id) - 1 AS place
              FROM {table} WHERE id >= $1) AS placed
        WHERE id = placed.row_id"#,
        table = table()
    );
    world.db.execute(sql, values![first]).await?;
    Ok(())
}
