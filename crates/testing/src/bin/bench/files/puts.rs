//! Putting: a driver of ours, whole bodies over kept connections.

use super::servers::{Server, Servers, noise};
use crate::client::Connection;
use crate::figures::{Figures, within};
use crate::program::PASSWORD;
use crate::table::Table;
use crate::{Result, place, process};
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 5;

/// What is put: name, length in bytes, connections, files a connection.
const CASES: [(&str, usize, usize, usize); 2] =
    [("4 KiB", 4 << 10, 16, 50), ("256 MiB", 256 << 20, 1, 2)];

#[derive(Default)]
struct Row {
    rate: Figures,
    processor: Figures,
}

pub(super) async fn run(servers: &Servers) -> Result {
    let measured: Vec<&Server> = servers
        .all
        .iter()
        .filter(|server| server.takes_puts)
        .collect();
    for (name, length, connections, each) in CASES {
        if !place::wanted(&format!("put {name}")) {
            continue;
        }
        println!("## PUT of {name}, authenticated, {connections} connections\n");
        let body: Arc<[u8]> = noise(length).into();
        let mut rows: Vec<Row> = measured.iter().map(|_| Row::default()).collect();
        for round in 0..place::rounds(ROUNDS) {
            for (server, row) in measured.iter().zip(&mut rows) {
                let busy = process::processor(server.id)?;
                let begun = Instant::now();
                all(server, &body, round, connections, each).await?;
                let seconds = begun.elapsed().as_secs_f64();
                #[expect(clippy::cast_precision_loss, reason = "some thousands")]
                let puts = (connections * each) as f64;
                row.rate.add(puts / seconds);
                let processor = process::processor(server.id)? - busy;
                row.processor.add(processor / seconds);
            }
        }
        report(&measured, &rows, length);
    }
    Ok(())
}

fn report(measured: &[&Server], rows: &[Row], length: usize) {
    let mut table = Table::new([
        "server",
        "files/s",
        "MiB/s",
        "cores",
        "× Longshore",
        "ahead",
    ]);
    let ours = rows[0].rate.median();
    for (server, row) in measured.iter().zip(rows) {
        let rate = row.rate.median();
        #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
        let flow = rate * length as f64 / f64::from(1 << 20);
        let ahead = if server.is_ours() {
            "–".to_owned()
        } else {
            within(rate / ours, 1.0)
        };
        table.row([
            server.name.to_owned(),
            format!("{rate:.1}"),
            format!("{flow:.1}"),
            format!("{:.2}", row.processor.median()),
            format!("{:.2}", rate / ours),
            ahead,
        ]);
    }
    println!("{table}");
    println!(
        "Longshore answers when the file and its folder are on the disk for good, hashed; dufs \
         does neither.\n"
    );
}

async fn all(
    server: &Server,
    body: &Arc<[u8]>,
    round: usize,
    connections: usize,
    each: usize,
) -> Result {
    let (address, before) = server.http.ok_or("it speaks no HTTP")?;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..connections {
        let body = Arc::clone(body);
        tasks.spawn(async move {
            let connection = Connection::open(address).await?;
            let mut connection = connection.basic("admin", PASSWORD);
            for file in 0..each {
                let path = format!("{before}put-{}-{round}-{number}-{file}", body.len());
                let status = connection.put(&path, &body).await?;
                if status / 100 != 2 {
                    return Err(format!("{status} for a PUT").into());
                }
            }
            crate::Result::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
