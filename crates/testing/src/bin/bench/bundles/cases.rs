//! What is fetched, and from where.

use crate::process::Process;
use crate::{Result, place};
use longshore_testing::{Content, Nginx};
use std::net::SocketAddr;
use std::path::Path;

/// Files of 200 KiB.
pub(crate) const MEDIUM: u64 = 500;

/// The servers of the sources.
pub(crate) struct Sources {
    /// Serves files without any delay.
    nginx: Option<Nginx>,
    /// Waits 20 ms before the first byte.
    distant: Clocked,
    /// Waits for nothing. It has what nginx has not: a clock.
    near: Clocked,
}

/// A server that tells when the first byte of a source went out.
struct Clocked {
    address: SocketAddr,
    /// Held for its end.
    _process: Process,
}

impl Clocked {
    async fn after(milliseconds: u32) -> Result<Self> {
        let mut process = Process::role("role-origin", &[milliseconds.to_string()])?;
        let address = process.says("ready").await?.parse()?;
        Ok(Self {
            address,
            _process: process,
        })
    }
}

impl Sources {
    pub(crate) async fn start() -> Result<Self> {
        let files = place::folder("files")?;
        make_files(&files, "medium", MEDIUM, 200 << 10)?;
        make_files(&files, "large", 20, 50 << 20)?;
        make_files(&files, "small", 20_000, 1 << 10)?;
        let nginx = Nginx::serving(&files).await;
        Ok(Self {
            nginx,
            distant: Clocked::after(20).await?,
            near: Clocked::after(0).await?,
        })
    }
}

/// An nginx with the files of 200 KiB, [`MEDIUM`] of them; nothing where there is none.
pub(crate) async fn medium_files() -> Result<Option<Nginx>> {
    let files = place::folder("files")?;
    make_files(&files, "medium", MEDIUM, 200 << 10)?;
    Ok(Nginx::serving(&files).await)
}

fn make_files(folder: &Path, set: &str, count: u64, size: u64) -> Result {
    let folder = folder.join(set);
    if folder.join("made").is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    for number in 0..count {
        let content = Content::seeded(number + size, size).to_vec();
        std::fs::write(folder.join(format!("{number}.jpg")), content)?;
    }
    Ok(std::fs::write(folder.join("made"), [])?)
}

/// One comparison.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) urls: Vec<String>,
    pub(crate) bytes: u64,
    pub(crate) rounds: usize,
    /// Rounds of the way of 2020, which takes its time.
    pub(crate) slow_rounds: usize,
    /// Whether others than Longshore and the baseline take part.
    pub(crate) compared: bool,
    /// Seconds within which Longshore shall be done.
    pub(crate) gate: Option<f64>,
    /// Whether the sources are far away, which is what fetching them at once is for.
    pub(crate) distant: bool,
    /// Tells when the first source's first byte went out.
    pub(crate) clock: Clock,
}

/// Where the clock of a case is.
pub(crate) enum Clock {
    /// At the sources themselves.
    Sources(SocketAddr),
    /// At others of the same number and size: these are fetched for the clock alone.
    Twins(SocketAddr, Vec<String>),
}

impl Case {
    /// By `BENCH_ONLY`.
    pub(crate) const NAMES: [&'static str; 5] = ["latency", "medium", "large", "small", "many"];

    pub(crate) fn all(sources: &Sources) -> Vec<Self> {
        let distant = sources.distant.address;
        let mut cases = vec![Self {
            name: "latency",
            title: "500 × 200 KiB, 20 ms before the first byte",
            urls: urls(500, |number| {
                format!("http://{distant}/204800/{number}.jpg")
            }),
            bytes: 500 * (200 << 10),
            rounds: 7,
            slow_rounds: 2,
            compared: true,
            gate: Some(0.75),
            distant: true,
            clock: Clock::Sources(distant),
        }];
        let Some(nginx) = &sources.nginx else {
            return cases;
        };
        let url = nginx.url();
        let near = sources.near.address;
        let twins = |count: u64, size: u64| {
            let twin = |number| format!("http://{near}/{size}/{number}.jpg");
            Clock::Twins(near, urls(count, twin))
        };
        cases.push(Self {
            name: "medium",
            title: "500 × 200 KiB, without latency",
            urls: urls(500, |number| format!("{url}/medium/{number}.jpg")),
            bytes: 500 * (200 << 10),
            rounds: 11,
            slow_rounds: 2,
            compared: true,
            gate: Some(0.13),
            distant: false,
            clock: twins(500, 200 << 10),
        });
        cases.push(Self {
            name: "large",
            title: "20 × 50 MiB, without latency",
            urls: urls(20, |number| format!("{url}/large/{number}.jpg")),
            bytes: 20 * (50 << 20),
            rounds: 5,
            slow_rounds: 1,
            compared: true,
            gate: Some(1.1),
            distant: false,
            clock: twins(20, 50 << 20),
        });
        cases.push(Self {
            name: "small",
            title: "20,000 × 1 KiB, without latency",
            urls: urls(20_000, |number| format!("{url}/small/{number}.jpg")),
            bytes: 20_000 << 10,
            rounds: 5,
            slow_rounds: 1,
            compared: true,
            gate: None,
            distant: false,
            clock: twins(20_000, 1 << 10),
        });
        cases.push(Self {
            name: "many",
            title: "100,000 × 1 KiB, without latency (memory)",
            // The query makes them different sources of the same files.
            urls: urls(100_000, |number| {
                format!("{url}/small/{}.jpg?{number}", number % 20_000)
            }),
            bytes: 100_000 << 10,
            rounds: 2,
            slow_rounds: 0,
            compared: false,
            gate: None,
            distant: false,
            clock: twins(100_000, 1 << 10),
        });
        cases
    }
}

fn urls(count: u64, url: impl Fn(u64) -> String) -> Vec<String> {
    (0..count).map(url).collect()
}
