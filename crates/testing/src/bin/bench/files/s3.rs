//! S3 as people speak it: boto3, one request after the other and eight at once.

use super::servers::{BUCKET, Server, Servers};
use crate::figures::{Figures, within};
use crate::table::Table;
use crate::{Result, place, process};
use std::path::{Path, PathBuf};
use tokio::process::Command;

const ROUNDS: usize = 3;
const SCRIPT: &str = include_str!("s3.py");

#[derive(Default)]
struct Row {
    time: Figures,
    processor: Figures,
}

pub(super) async fn run(servers: &Servers) -> Result {
    let Some(python) = python() else {
        println!("S3 is left out: boto3 is not installed.\n");
        return Ok(());
    };
    println!("## S3 by boto3\n");
    let measured: Vec<&Server> = servers
        .all
        .iter()
        .filter(|server| server.s3.is_some())
        .collect();
    let cases = [
        ("PUT of 4 KiB, 200 in turn", "put", 4 << 10, 200),
        ("GET of 4 KiB, 200 in turn", "get", 4 << 10, 200),
        ("PUT of 64 MiB in parts, 2 in turn", "put", 64 << 20, 2),
        ("GET of 64 MiB, 4 in turn", "get", 64 << 20, 4),
    ];
    let mut table = Table::new([
        "what",
        "server",
        "time",
        "server CPU",
        "× Longshore",
        "ahead",
    ]);
    for (name, what, length, count) in cases {
        if !place::wanted(&format!("s3 {name}")) {
            continue;
        }
        let mut rows: Vec<Row> = measured.iter().map(|_| Row::default()).collect();
        for _ in 0..place::rounds(ROUNDS) {
            for (server, row) in measured.iter().zip(&mut rows) {
                let busy = process::processor(server.id)?;
                row.time
                    .add(ask(&python, server, what, length, count).await?);
                row.processor.add(process::processor(server.id)? - busy);
            }
        }
        let ours = rows[0].time.median();
        for (server, row) in measured.iter().zip(&rows) {
            let time = row.time.median();
            let ahead = if server.is_ours() {
                "–".to_owned()
            } else {
                within(ours / time, 1.0)
            };
            table.row([
                name.to_owned(),
                server.name.to_owned(),
                crate::figures::seconds(time),
                crate::figures::seconds(row.processor.median()),
                format!("{:.2}", time / ours),
                ahead,
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

/// Seconds that boto3 took, its start and connecting left out.
async fn ask(python: &Path, server: &Server, what: &str, length: u64, count: u64) -> Result<f64> {
    let (address, key, secret) = server.s3.as_ref().ok_or("it speaks no S3")?;
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args([&format!("http://{address}"), BUCKET, what])
        .args([length.to_string(), count.to_string()])
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .output()
        .await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("boto3 failed at {}:\n{said}", server.name).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

/// The Python that `xtask` gave boto3 to.
pub(super) fn python() -> Option<PathBuf> {
    let folder = std::env::var_os("LONGSHORE_TEST_S3_CLIENTS")?;
    Some(Path::new(&folder).join("python"))
}
