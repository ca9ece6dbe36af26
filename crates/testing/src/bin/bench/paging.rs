//! Going through a list page by page, and how long its pages take.

use crate::client::Connection;
use crate::figures::Figures;
use crate::{Result, place};
use std::time::{Duration, Instant};

/// The way to the thousandth page of 50 is gone in pages of 200.
pub(crate) const PAGES: usize = 250;
/// A walk to the thousandth page that takes longer ends where it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a walk found.
pub(crate) struct Walked {
    pub(crate) first: Figures,
    /// The thousandth page, or the last where there are fewer.
    pub(crate) last: Figures,
    /// Every page on the way.
    pub(crate) way: Figures,
    pub(crate) pages: usize,
    pub(crate) items: usize,
    pub(crate) gave_up: bool,
}

/// Goes through a list page by page.
pub(crate) async fn walk(connection: &mut Connection, list: &str, query: &str) -> Result<Walked> {
    let mut walked = Walked {
        first: Figures::default(),
        last: Figures::default(),
        way: Figures::default(),
        pages: 0,
        items: 0,
        gave_up: false,
    };
    let begun = Instant::now();
    let mut cursor = String::new();
    while walked.pages < PAGES {
        let path = format!("{list}?limit=200&{query}{cursor}");
        let (took, page) = timed(connection, &path).await?;
        walked.way.add(took);
        let Some(page) = page else {
            // The server gave the answer up.
            walked.gave_up = true;
            walked.first.add(took);
            walked.last.add(took);
            return Ok(walked);
        };
        walked.pages += 1;
        walked.items += page["items"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
        if begun.elapsed() > PATIENCE {
            walked.gave_up = true;
            break;
        }
    }
    let first = format!("{list}?limit=50&{query}");
    repeat(connection, &first, &mut walked.first).await?;
    repeat(connection, &format!("{first}{cursor}"), &mut walked.last).await?;
    Ok(walked)
}

/// Asks for the same page many times, unless it is slow: then often enough to say so.
async fn repeat(connection: &mut Connection, path: &str, figures: &mut Figures) -> Result {
    let begun = Instant::now();
    for _ in 0..place::rounds(100) {
        figures.add(timed(connection, path).await?.0);
        if begun.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    Ok(())
}

/// How long a page took, and the page, unless the server gave it up.
async fn timed(
    connection: &mut Connection,
    path: &str,
) -> Result<(f64, Option<serde_json::Value>)> {
    let begun = Instant::now();
    let answer = connection.get(path).await?;
    let took = begun.elapsed().as_secs_f64();
    if answer.status == 503 {
        return Ok((took, None));
    }
    Ok((took, Some(answer.json()?)))
}
