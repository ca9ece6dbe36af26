//! Lists: pages of 200 over HTTP in every order, and a thousand keys over S3.

use super::servers::{self, BUCKET};
use crate::client::Connection;
use crate::figures::{Figures, seconds, within};
use crate::fill::{self, Filling};
use crate::paging::walk;
use crate::process::Process;
use crate::program::{Program, free_address};
use crate::table::Table;
use crate::{Result, place};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Files in the catalogue whose pages are timed, and of those whose keys are compared.
const MANY: u64 = 5_000_000;
const COMPARED: u64 = 1_000_000;
/// What a page may take.
const LIMIT: f64 = 0.020;
const ROUNDS: usize = 5;
const SCRIPT: &str = include_str!("listing.py");

/// Folders of 10,000, within folders of ten of those; sizes and dates independent of names.
const ROWS: &str = "
INSERT INTO file (id, bucket, path, folder, standing, size, type, sniffed, etag, created_at,
    modified_at, uploader)
WITH RECURSIVE
numbers(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2),
spread AS (SELECT n,
    printf('photos/%03d/%04d/', n / 100000, n / 10000) AS folder,
    (n * 2654435761) % 4294967296 AS a,
    (n * 2246822519 + 7) % 4294967296 AS b
    FROM numbers)
SELECT unhex(printf('%012x7%03x8%015x', n / 1000, n % 4096, n)),
    (SELECT id FROM bucket WHERE name = 'files'),
    folder || printf('img-%07d.jpg', n), folder, 'current', a % 9000000, 'image/jpeg',
    'image/jpeg', printf('%032x', n), 1733011200000000, 1733011200000000 + b * 14000,
    'user:anna-' || (n % 30)
FROM spread WHERE n <= $3";

/// One word that is a file's own, and one that many have.
const WORDS: &str = "
INSERT INTO file_word (bucket, word, path)
WITH RECURSIVE
numbers(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2),
kinds(own) AS (VALUES (1), (0))
SELECT (SELECT id FROM bucket WHERE name = 'files'),
    CASE own WHEN 1 THEN printf('%07d', n) ELSE 'photos' END,
    printf('photos/%03d/%04d/img-%07d.jpg', n / 100000, n / 10000, n)
FROM kinds, numbers WHERE n <= $3";

const FILES: Filling = Filling {
    tables: &[("file", ROWS), ("file_word", WORDS)],
    after: None,
};

pub(super) async fn run() -> Result {
    let count = match std::env::var("BENCH_FILES") {
        Ok(count) => count.parse()?,
        Err(_) => MANY,
    };
    if place::wanted("list pages") {
        pages(count).await?;
    }
    if place::wanted("list keys") {
        keys(count.min(COMPARED)).await?;
    }
    Ok(())
}

async fn filled(count: u64) -> Result<Program> {
    let data = place::folder("files")?.join(format!("catalogue-{count}"));
    Ok(fill::start(&data, count, &FILES).await?.0)
}

async fn pages(count: u64) -> Result {
    let program = filled(count).await?;
    println!("## Lists of {count} files: the first page of 50 and the thousandth\n");
    let mut connection = program.connect().await?;
    connection.get("/api/v1/about").await?.json()?;
    let mut table = Table::new([
        "what",
        "sort",
        "order",
        "first page",
        "p99",
        "page 1000",
        "p99",
        "within 20 ms",
    ]);
    for (what, query) in [
        ("all files", ""),
        ("a folder", "&delimiter=/&prefix=photos/003/0031/"),
        ("folders", "&delimiter=/&prefix=photos/003/"),
        ("below a prefix", "&prefix=photos/00"),
    ] {
        for sort in ["name", "size", "date"] {
            for order in ["asc", "desc"] {
                let query = format!("sort={sort}&order={order}{query}");
                row(&mut connection, &mut table, (what, sort, order), &query).await?;
            }
        }
    }
    for (what, query) in [
        ("a word of one", "q=0777777"),
        ("a word of all", "q=photos"),
        ("two words", "q=photos%20007777"),
    ] {
        row(&mut connection, &mut table, (what, "–", "–"), query).await?;
    }
    println!("{table}");
    program.stop().await
}

async fn row(
    connection: &mut Connection,
    table: &mut Table,
    (what, sort, order): (&str, &str, &str),
    query: &str,
) -> Result {
    let walked = walk(connection, "/api/v1/buckets/files/files", query).await?;
    let slowest = walked.first.quantile(0.99).max(walked.last.quantile(0.99));
    table.row([
        what.to_owned(),
        sort.to_owned(),
        order.to_owned(),
        seconds(walked.first.median()),
        seconds(walked.first.quantile(0.99)),
        seconds(walked.last.median()),
        seconds(walked.last.quantile(0.99)),
        within(slowest, LIMIT),
    ]);
    Ok(())
}

/// A thousand keys of so many by S3, beside s3s-fs, which has them as files on the disk.
async fn keys(count: u64) -> Result {
    let Some(python) = super::s3::python() else {
        println!("Listing by S3 is left out: boto3 is not installed.\n");
        return Ok(());
    };
    println!("## 1,000 of {count} keys by boto3 (ListObjectsV2)\n");
    let program = filled(count).await?;
    let (key, secret) = servers::access_key(&program).await?;
    let mut table = Table::new(["server", "first 1,000", "1,000 behind the half"]);
    let mut ours = [Figures::default(), Figures::default()];
    let asked = (program.s3_address(), "files", key.as_str(), secret.as_str());
    for _ in 0..place::rounds(ROUNDS) {
        list(&python, asked, count, &mut ours).await?;
    }
    let [first, second] = &ours;
    let cells = [first, second].map(|figures| seconds(figures.median()));
    let [first, second] = cells;
    table.row(["Longshore".to_owned(), first, second]);
    program.stop().await?;
    if let Some(peer) = Peer::start(count).await? {
        let mut theirs = [Figures::default(), Figures::default()];
        let asked = (peer.address, BUCKET, servers::KEY, servers::SECRET);
        // It reads the whole tree for each answer: once is enough to say so.
        list(&python, asked, count, &mut theirs).await?;
        let [first, second] = theirs.map(|figures| seconds(figures.median()));
        table.row(["s3s-fs (once)".to_owned(), first, second]);
        peer.process.end().await?;
    }
    println!("{table}");
    Ok(())
}

async fn list(
    python: &Path,
    (address, bucket, key, secret): (SocketAddr, &str, &str, &str),
    count: u64,
    figures: &mut [Figures; 2],
) -> Result {
    let half = count / 2;
    let half = format!(
        "photos/{:03}/{:04}/img-{half:07}.jpg",
        half / 100_000,
        half / 10_000
    );
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args([&format!("http://{address}"), bucket, &half])
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .output()
        .await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("boto3 failed:\n{said}").into());
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (figure, word) in figures.iter_mut().zip(said.split_whitespace()) {
        figure.add(word.parse()?);
    }
    Ok(())
}

/// s3s-fs with as many files.
struct Peer {
    process: Process,
    address: SocketAddr,
}

impl Peer {
    async fn start(count: u64) -> Result<Option<Self>> {
        let Some(program) = servers::tool("s3s-fs") else {
            return Ok(None);
        };
        let root = place::folder("files")?.join(format!("keys-{count}"));
        let bucket = root.join(BUCKET);
        if !root.join("whole").exists() {
            tokio::task::spawn_blocking(move || tree(&bucket, count)).await??;
            std::fs::write(root.join("whole"), "")?;
        }
        let address = free_address()?;
        let mut command = servers::s3s_fs(&program, &root, address);
        let process = Process::start(&mut command)?;
        let begun = Instant::now();
        while Connection::open(address).await.is_err() {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err("s3s-fs does not listen".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Some(Self { process, address }))
    }
}

/// The same names on the disk, without content.
fn tree(bucket: &Path, count: u64) -> Result {
    for number in 1..=count {
        let folder = bucket.join(format!(
            "photos/{:03}/{:04}",
            number / 100_000,
            number / 10_000
        ));
        if number == 1 || number % 10_000 == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        std::fs::File::create(folder.join(format!("img-{number:07}.jpg")))?;
    }
    Ok(())
}
