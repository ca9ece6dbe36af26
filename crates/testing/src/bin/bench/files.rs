//! Files, got, put and listed: Longshore beside nginx, dufs and s3s-fs, in one run.
//!
//! All of them hold the same contents, ask for the same name and password, and share the
//! machine with the clients: `wrk` gets, a driver of ours puts, boto3 speaks S3. They take
//! turns, round by round; a figure is the median of the rounds.

mod gets;
mod listing;
mod puts;
mod s3;
pub(crate) mod servers;

use crate::figures::{mebibytes, within};
use crate::table::Table;
use crate::{Result, process};
use servers::{Server, Servers};

/// What memory is promised to stay below, whatever the size of a file.
const MEMORY: f64 = 64.0 * 1024.0 * 1024.0;
/// The contents, by name and length in bytes.
const CONTENTS: [(&str, usize); 3] = [
    ("4-KiB", 4 << 10),
    ("1-MiB", 1 << 20),
    ("256-MiB", 256 << 20),
];

pub(crate) async fn run() -> Result {
    let servers = Servers::start().await?;
    gets::run(&servers).await?;
    puts::run(&servers).await?;
    s3::run(&servers).await?;
    memory(&servers.all)?;
    servers.stop().await?;
    listing::run().await
}

fn memory(servers: &[Server]) -> Result {
    println!("## The most memory over all of the above\n");
    let mut table = Table::new(["server", "peak", "promised", "kept"]);
    for server in servers {
        let peak = process::peak(server.id)?;
        let (promised, kept) = if server.is_ours() {
            (format!("< {}", mebibytes(MEMORY)), within(peak, MEMORY))
        } else {
            ("–".to_owned(), "–".to_owned())
        };
        table.row([server.name.to_owned(), mebibytes(peak), promised, kept]);
    }
    println!("{table}");
    Ok(())
}
