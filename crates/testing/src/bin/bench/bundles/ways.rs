//! The ways of making an archive that are compared.

use super::cases::{Case, Clock};
use super::origin::FIRST;
use crate::client::{Connection, Drained};
use crate::process::Process;
use crate::program::{PASSWORD, Program};
use crate::{Result, place, process};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::process::Command;

/// Sources of the archive that warms up.
const WARM: usize = 32;
/// The version of the library of another ecosystem.
const ARCHIVER: &str = "archiver@7.0.1";

/// What one round gave. What a way has not is NaN.
pub(super) struct Measured {
    pub(super) wall: f64,
    pub(super) first_byte: f64,
    /// From the first byte of a source to the first byte of the archive.
    pub(super) after_source: f64,
    pub(super) processor: f64,
    pub(super) peak: f64,
    pub(super) bytes: f64,
}

pub(super) enum Way {
    Longshore {
        program: Program,
        _folder: TempDir,
    },
    Archiver {
        process: Process,
        address: SocketAddr,
    },
    Away {
        process: Process,
        at_once: usize,
    },
    Passed {
        process: Process,
        address: SocketAddr,
    },
    Wget {
        folder: PathBuf,
    },
}

impl Way {
    pub(super) async fn all(case: &Case) -> Result<Vec<Self>> {
        let folder = place::folder("bundles")?;
        let list = folder.join("list");
        std::fs::write(&list, case.urls.join("\n"))?;
        let mut ways = vec![Self::longshore(case).await?];
        for at_once in [16, 32] {
            let arguments = [list.to_string_lossy().into_owned(), at_once.to_string()];
            let mut process = Process::role("role-away", &arguments)?;
            process.says("ready").await?;
            process.tell("warm").await?;
            process.says("round").await?;
            ways.push(Self::Away { process, at_once });
        }
        let list = list.to_string_lossy().into_owned();
        let mut process = Process::role("role-pass", &[list])?;
        let address = process.says("ready").await?.parse()?;
        let passed = Self::Passed { process, address };
        ways.push(passed);
        if case.compared {
            ways.extend(Self::archiver(case).await?);
            ways.push(Self::Wget { folder });
        }
        Ok(ways)
    }

    async fn longshore(case: &Case) -> Result<Self> {
        let folder = tempfile::tempdir_in(place::folder("bundles")?)?;
        let (program, _) = Program::start(&folder.path().join("data")).await?;
        let connection = program.connect().await?;
        connection
            .post_and_drain(
                "/api/v1/bundles?stream=1",
                &body(&case.urls[..case.urls.len().min(WARM)]),
            )
            .await?;
        Ok(Self::Longshore {
            program,
            _folder: folder,
        })
    }

    /// Nothing, after saying so, when it cannot be had.
    async fn archiver(case: &Case) -> Result<Option<Self>> {
        let folder = place::folder("node")?;
        if !folder.join("node_modules/archiver").is_dir() {
            std::fs::write(folder.join("package.json"), "{\"private\":true}")?;
            let installed = Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", ARCHIVER])
                .current_dir(&folder)
                .status()
                .await;
            if !installed.is_ok_and(|status| status.success()) {
                println!("left out: npm cannot install {ARCHIVER}\n");
                return Ok(None);
            }
        }
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/bench/bundles/archiver.mjs");
        let mut process = Process::start(Command::new("node").arg(script).arg(&folder))?;
        let address = process.says("ready").await?.parse()?;
        let connection = Connection::open(address).await?;
        connection
            .post_and_drain("/", &body(&case.urls[..case.urls.len().min(WARM)]))
            .await?;
        Ok(Some(Self::Archiver { process, address }))
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Longshore { .. } => "Longshore".to_owned(),
            Self::Archiver { .. } => "npm archiver, 16 at once".to_owned(),
            Self::Away { at_once, .. } => format!("fetched and thrown away, {at_once} at once"),
            Self::Passed { .. } => "fetched and passed on, 16 at once".to_owned(),
            Self::Wget { .. } => "the way of 2020 (wget, zip, read)".to_owned(),
        }
    }

    pub(super) const fn most_rounds(&self, case: &Case) -> usize {
        match self {
            Self::Wget { .. } => case.slow_rounds,
            _ => usize::MAX,
        }
    }

    pub(super) async fn measure(&mut self, case: &Case) -> Result<Measured> {
        match self {
            Self::Longshore { program, .. } => {
                let connection = program.connect().await?;
                let path = "/api/v1/bundles?stream=1";
                let (mut measured, drained) = archive(connection, path, program.id(), case).await?;
                expect_whole(program, &drained, case).await?;
                measured.peak = process::peak(program.id())?;
                Ok(measured)
            }
            Self::Archiver { process, address } | Self::Passed { process, address } => {
                let connection = Connection::open(*address).await?;
                Ok(archive(connection, "/", process.id(), case).await?.0)
            }
            Self::Away { process, .. } => {
                process.tell("go").await?;
                let round = process.says("round").await?;
                let [wall, first_byte, processor] = numbers(&round)?;
                Ok(Measured {
                    wall,
                    first_byte,
                    after_source: f64::NAN,
                    processor,
                    peak: process::peak(process.id())?,
                    bytes: f64::NAN,
                })
            }
            Self::Wget { folder } => wget(folder).await,
        }
    }

    /// Fetches what has a clock where the sources have none: from the first byte of a
    /// source to the first byte of the archive.
    pub(super) async fn after_source(&self, case: &Case) -> Result<Option<f64>> {
        let (Self::Longshore { program, .. }, Clock::Twins(clock, urls)) = (self, &case.clock)
        else {
            return Ok(None);
        };
        let connection = program.connect().await?;
        let body = body(urls);
        let path = "/api/v1/bundles?stream=1";
        let (drained, _, after) = clocked(connection, path, &body, Some(*clock)).await?;
        expect_whole(program, &drained, case).await?;
        Ok(Some(after))
    }

    /// One archive more, kept and read by unzip: what was wrong with it, or nothing.
    pub(super) async fn verify(&self, case: &Case) -> Result<Option<String>> {
        let Self::Longshore { program, .. } = self else {
            return Ok(None);
        };
        let file = place::folder("bundles")?.join("verified.zip");
        let mut answer = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .post(format!(
                "http://{}/api/v1/bundles?stream=1",
                program.address()
            ))
            .basic_auth("admin", Some(PASSWORD))
            .header("Content-Type", "application/json")
            .body(body(&case.urls))
            .send()
            .await?
            .error_for_status()?;
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
        while let Some(chunk) = answer.chunk().await? {
            std::io::Write::write_all(&mut out, &chunk)?;
        }
        std::io::Write::flush(&mut out)?;
        let Some(unzip) = longshore_testing::installed("unzip") else {
            return Ok(None);
        };
        let tested = Command::new(unzip).arg("-tq").arg(&file).output().await?;
        std::fs::remove_file(&file)?;
        let said = String::from_utf8_lossy(&tested.stdout).into_owned();
        Ok((!tested.status.success()).then_some(said))
    }

    pub(super) async fn end(self) -> Result {
        match self {
            Self::Longshore { program, .. } => program.stop().await,
            Self::Archiver { process, .. }
            | Self::Away { process, .. }
            | Self::Passed { process, .. } => process.end().await,
            Self::Wget { .. } => Ok(()),
        }
    }
}

fn body(urls: &[String]) -> Vec<u8> {
    serde_json::json!({ "sources": urls })
        .to_string()
        .into_bytes()
}

/// Has a server make the archive, and measures both.
async fn archive(
    connection: Connection,
    path: &str,
    server: u32,
    case: &Case,
) -> Result<(Measured, Drained)> {
    let body = body(&case.urls);
    let clock = match case.clock {
        Clock::Sources(clock) => Some(clock),
        Clock::Twins(..) => None,
    };
    let before = process::processor(server)?;
    let (drained, begun, after_source) = clocked(connection, path, &body, clock).await?;
    let first_byte = drained.first_byte.duration_since(begun).as_secs_f64();
    let measured = Measured {
        wall: drained.end.duration_since(begun).as_secs_f64(),
        first_byte,
        after_source,
        processor: process::processor(server)? - before,
        peak: process::peak(server)?,
        #[expect(clippy::cast_precision_loss)]
        bytes: drained.bytes as f64,
    };
    Ok((measured, drained))
}

/// Has the archive made; when that began, and how long after the first byte of a source
/// its first byte came, where there is a clock.
async fn clocked(
    connection: Connection,
    path: &str,
    body: &[u8],
    clock: Option<SocketAddr>,
) -> Result<(Drained, Instant, f64)> {
    if let Some(clock) = clock {
        first_of(clock).await?;
    }
    let (begun, begun_at) = (Instant::now(), SystemTime::now());
    let drained = connection.post_and_drain(path, body).await?;
    let Some(clock) = clock else {
        return Ok((drained, begun, f64::NAN));
    };
    let begun_at = begun_at.duration_since(UNIX_EPOCH)?.as_secs_f64();
    let first_byte = drained.first_byte.duration_since(begun).as_secs_f64();
    let after = begun_at + first_byte - first_of(clock).await?;
    Ok((drained, begun, after))
}

/// When the origin's first byte since the last asking went out, in seconds since 1970.
async fn first_of(clock: SocketAddr) -> Result<f64> {
    let answer = Connection::open(clock).await?.get(FIRST).await?;
    let micros: f64 = String::from_utf8(answer.body)?.parse()?;
    Ok(micros / 1e6)
}

/// Every source is in the archive, by the bundle's own record.
async fn expect_whole(program: &Program, drained: &Drained, case: &Case) -> Result {
    let id = drained
        .head
        .lines()
        .find_map(|line| line.strip_prefix("longshore-operation:"))
        .ok_or("the answer names no operation")?
        .trim()
        .to_owned();
    let mut connection = program.connect().await?;
    loop {
        let bundle = connection
            .get(&format!("/api/v1/bundles/{id}"))
            .await?
            .json()?;
        match bundle["state"].as_str() {
            Some("succeeded") if bundle["done"] == case.urls.len() => return Ok(()),
            Some("queued" | "running") => {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            _ => return Err(format!("the archive is not whole: {bundle}").into()),
        }
    }
}

async fn wget(folder: &Path) -> Result<Measured> {
    let own = tempfile::tempdir_in(folder)?;
    let arguments = [
        folder.join("list").to_string_lossy().into_owned(),
        own.path().to_string_lossy().into_owned(),
    ];
    let mut process = Process::role("role-wget", &arguments)?;
    let round = process.says("round").await?;
    let [wall, processor, peak, bytes] = numbers(&round)?;
    Ok(Measured {
        wall,
        // Nothing is to be had before all of it is.
        first_byte: wall,
        after_source: f64::NAN,
        processor,
        peak,
        bytes,
    })
}

fn numbers<const N: usize>(text: &str) -> Result<[f64; N]> {
    let numbers: std::result::Result<Vec<f64>, _> = text.split(' ').map(str::parse).collect();
    numbers?
        .try_into()
        .map_err(|_| format!("not {N} numbers: {text}").into())
}
