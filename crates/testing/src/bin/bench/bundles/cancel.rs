//! Cancelling a bundle that runs at its widest: how long until its last connection is
//! closed, seen from the origins, and what is left behind.

use crate::client::Connection;
use crate::figures::{Figures, seconds, within};
use crate::program::Program;
use crate::table::Table;
use crate::{Result, place};
use longshore_testing::{Answer, Content, Origin};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

/// By `BENCH_ONLY`.
pub(super) const NAME: &str = "cancel";
const ROUNDS: usize = 20;
/// Under way at once: as many as may be of one host, from two of them.
const SOURCES: usize = 32;
const PER_HOST: usize = SOURCES / 2;
/// Within which all fetching shall have stopped, in seconds.
const LIMIT: f64 = 0.1;
/// How long the record of the operation may take to say so.
const ENDED: Duration = Duration::from_secs(20);

/// How it is cancelled.
#[derive(Clone, Copy)]
enum How {
    Cancel,
    Delete,
}

impl How {
    const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "the operation is cancelled",
            Self::Delete => "the bundle is deleted",
        }
    }

    async fn ask(self, connection: &mut Connection, id: &str) -> Result {
        let answer = match self {
            Self::Cancel => {
                let path = format!("/api/v1/operations/{id}/cancel");
                connection.send("POST", &path, b"{}").await?
            }
            Self::Delete => {
                let path = format!("/api/v1/bundles/{id}");
                connection.send("DELETE", &path, b"").await?
            }
        };
        answer.json().map(drop)
    }
}

/// Two hosts whose sources do not come to an end.
struct Origins([Origin; 2]);

impl Origins {
    async fn start() -> Self {
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let origins = [Origin::start().await, Origin::start_on(second).await];
        for origin in &origins {
            // A few KiB at a time, as from far away.
            origin.answer_others(|_| {
                Answer::ok(Content::endless(1))
                    .chunked()
                    .slowly(4 << 10, Duration::from_millis(20))
            });
        }
        Self(origins)
    }

    /// Twice as many as are under way at once, of each host in turn: the others wait.
    fn sources(&self, round: usize) -> Vec<String> {
        let each = |number: usize| {
            let path = format!("/{round}-{number}.jpg");
            self.0.iter().map(move |origin| origin.url(&path))
        };
        (0..SOURCES).flat_map(each).collect()
    }

    async fn all_under_way(&self) {
        for origin in &self.0 {
            origin
                .when("every slot to be taken", |counts| {
                    counts.requests == PER_HOST
                })
                .await;
        }
    }

    /// Waits until nobody is connected any more; when that was.
    async fn left_alone(&self) -> Instant {
        for origin in &self.0 {
            origin
                .when("every connection to be closed", |counts| {
                    counts.connections == 0
                })
                .await;
        }
        Instant::now()
    }

    /// Requests that there ever were.
    fn asked(&self) -> usize {
        let of = |origin: &Origin| origin.counts().requests_in_all;
        self.0.iter().map(of).sum()
    }
}

/// What the rounds of one way of cancelling gave.
#[derive(Default)]
struct Found {
    closed: Figures,
    answered: Figures,
    asked_afterwards: usize,
    left: usize,
}

pub(super) async fn run() -> Result {
    println!(
        "## Cancelling, with {SOURCES} of {} slow sources under way ({} rounds)\n",
        SOURCES * 2,
        place::rounds(ROUNDS)
    );
    let folder = tempfile::tempdir_in(place::folder("bundles")?)?;
    let data = folder.path().join("data");
    let (program, _) = Program::start(&data).await?;
    let origins = Origins::start().await;
    let mut table = Table::new([
        "how",
        "last connection closed (median)",
        "most",
        "promised",
        "kept",
        "answered (median)",
        "asked for afterwards",
        "files left",
    ]);
    for how in [How::Cancel, How::Delete] {
        let found = measure(how, &program, &origins, &data).await?;
        table.row([
            how.name().to_owned(),
            seconds(found.closed.median()),
            seconds(found.closed.most()),
            format!("< {}", seconds(LIMIT)),
            within(found.closed.most(), LIMIT),
            seconds(found.answered.median()),
            found.asked_afterwards.to_string(),
            found.left.to_string(),
        ]);
    }
    println!("{table}");
    program.stop().await
}

async fn measure(how: How, program: &Program, origins: &Origins, data: &Path) -> Result<Found> {
    let mut found = Found::default();
    for round in 0..place::rounds(ROUNDS) {
        // A connection that idles between rounds may be closed meanwhile.
        let mut connection = program.connect().await?;
        let body = serde_json::json!({ "sources": origins.sources(round) }).to_string();
        let made = connection.send("POST", "/api/v1/bundles", body.as_bytes());
        let made = made.await?.json()?;
        let id = made["id"].as_str().ok_or("a bundle without an id")?;
        origins.all_under_way().await;

        let begun = Instant::now();
        let answering = async {
            how.ask(&mut connection, id).await?;
            Ok::<_, crate::Error>(begun.elapsed())
        };
        let (closed, answered) = tokio::join!(origins.left_alone(), answering);
        found.closed.add_time(closed.duration_since(begun));
        found.answered.add_time(answered?);

        let asked = origins.asked();
        has_ended(&mut connection, id).await?;
        found.asked_afterwards += origins.asked() - asked;
        found.left += files_below(&data.join("blobs"))?;
    }
    Ok(found)
}

/// Waits until the operation is on record as cancelled.
async fn has_ended(connection: &mut Connection, id: &str) -> Result {
    let begun = Instant::now();
    loop {
        let operation = connection.get(&format!("/api/v1/operations/{id}")).await?;
        let operation = operation.json()?;
        match operation["state"].as_str() {
            Some("cancelled") => return Ok(()),
            Some("running") if begun.elapsed() < ENDED => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            _ => return Err(format!("it was not cancelled: {operation}").into()),
        }
    }
}

fn files_below(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        count += if path.is_dir() {
            files_below(&path)?
        } else {
            // Each process has a lock beside its folder, and nothing in it.
            usize::from(path.extension().is_none_or(|extension| extension != "lock"))
        };
    }
    Ok(count)
}
