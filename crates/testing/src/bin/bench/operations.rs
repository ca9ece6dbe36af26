//! Pages of ten million operations, through HTTP, from the shipped binary on SQLite.

mod fill;

use crate::client::Connection;
use crate::figures::{Figures, seconds, within};
use crate::paging::{PAGES, walk};
use crate::table::Table;
use crate::{Result, place};

const LIMIT: f64 = 0.020;
const SORTS: [&str; 7] = [
    "created_at",
    "kind",
    "state",
    "subject",
    "server",
    "actor",
    "trigger",
];

pub(crate) async fn run() -> Result {
    let count: u64 = match std::env::var("BENCH_OPERATIONS") {
        Ok(count) => count.parse()?,
        Err(_) => 10_000_000,
    };
    let data = place::folder("operations")?.join(format!("data-{count}"));
    let (program, took) = fill::start(&data, count).await?;
    println!(
        "## Pages of {count} operations (ready after {})\n",
        seconds(took.as_secs_f64())
    );
    let mut connection = program.connect().await?;
    // The first request pays for the password.
    connection.get("/api/v1/about").await?.json()?;
    let mut table = Table::new([
        "filter",
        "sort",
        "order",
        "rows on the way",
        "first page",
        "p99",
        "page 1000",
        "p99",
        "slowest page of 200",
        "within 20 ms",
    ]);
    let mut all = Figures::default();
    let (mut combinations, mut kept) = (0, 0);
    let mut worst: Vec<(f64, String)> = Vec::new();
    for (filter, query) in filters(&mut connection).await? {
        for sort in SORTS {
            for order in ["asc", "desc"] {
                let name = format!("{filter}/{sort}/{order}");
                if !place::wanted(&name) {
                    continue;
                }
                let query = format!("sort={sort}&order={order}{query}");
                let walked = walk(&mut connection, "/api/v1/operations", &query).await?;
                combinations += 1;
                let slowest = walked.first.quantile(0.99).max(walked.last.quantile(0.99));
                kept += usize::from(slowest <= LIMIT);
                worst.push((slowest, name));
                all.add(slowest);
                let reached = match walked.pages {
                    PAGES => format!("{} and more", walked.items),
                    _ if walked.gave_up => format!("{}, then no further", walked.items),
                    _ => walked.items.to_string(),
                };
                eprint!(
                    "\r{combinations} combinations, the last {}    ",
                    seconds(slowest)
                );
                table.row([
                    filter.clone(),
                    sort.to_owned(),
                    order.to_owned(),
                    reached,
                    seconds(walked.first.median()),
                    seconds(walked.first.quantile(0.99)),
                    seconds(walked.last.median()),
                    seconds(walked.last.quantile(0.99)),
                    seconds(walked.way.most()),
                    within(slowest, LIMIT),
                ]);
            }
        }
    }
    println!("{table}");
    println!(
        "{kept} of {combinations} combinations within {}; the p99 of the median combination is {}.",
        seconds(LIMIT),
        seconds(all.median())
    );
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (slowest, name) in worst.iter().take(10) {
        println!("- {name}: {}", seconds(*slowest));
    }
    println!();
    program.stop().await
}

/// Every filter that the list has, with values that are frequent and that are rare.
async fn filters(connection: &mut Connection) -> Result<Vec<(String, String)>> {
    let newest = connection
        .get("/api/v1/operations?limit=1&trigger=operation")
        .await?
        .json()?;
    let parent = newest["items"][0]["parent"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut filters: Vec<(String, String)> = [
        ("none", ""),
        ("kind (30 %)", "&kind=build"),
        ("kind (rare)", "&kind=format-disk"),
        ("state (93 %)", "&state=succeeded"),
        ("state (4 %)", "&state=failed"),
        ("state (50 rows)", "&state=queued"),
        ("subject", "&subject=stack:app-7"),
        ("server", "&server=dock-3"),
        ("actor", "&actor=user:anna-5"),
        ("trigger", "&trigger=push"),
        (
            "a day",
            "&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z",
        ),
        ("from", "&from=2026-06-01T00:00:00Z"),
        ("to", "&to=2025-06-01T00:00:00Z"),
        ("kind and state", "&kind=deploy&state=failed"),
        (
            "server, actor and trigger",
            "&server=dock-3&actor=user:anna-5&trigger=push",
        ),
        ("text (frequent)", "&text=release"),
        ("text (of one)", "&text=%23777777%20"),
        ("text and state", "&state=failed&text=registry"),
    ]
    .map(|(name, query)| (name.to_owned(), query.to_owned()))
    .to_vec();
    filters.push(("parent".to_owned(), format!("&parent={parent}")));
    Ok(filters)
}
