//! Getting: `wrk` with keep-alive and Basic.

use super::servers::{Server, Servers};
use super::{CONTENTS, process};
use crate::figures::{Figures, within};
use crate::program::PASSWORD;
use crate::table::Table;
use crate::{Error, Result, place};
use tokio::process::Command;

const ROUNDS: usize = 5;
/// Connections at once for small contents, and for large ones.
const MANY: usize = 32;
const FEW: usize = 4;

/// What one run of `wrk` came to.
struct Ran {
    requests: f64,
    bytes: f64,
    seconds: f64,
    processor: f64,
}

#[derive(Default)]
struct Row {
    rate: Figures,
    flow: Figures,
    processor: Figures,
}

pub(super) async fn run(servers: &Servers) -> Result {
    for (name, length) in CONTENTS {
        if place::wanted(&format!("get {name}")) {
            one(servers, name, length).await?;
        }
    }
    Ok(())
}

async fn one(servers: &Servers, name: &str, length: usize) -> Result {
    let connections = if length < (1 << 20) { MANY } else { FEW };
    println!("## GET of {name}, authenticated, {connections} connections\n");
    let measured: Vec<&Server> = servers
        .all
        .iter()
        .filter(|server| server.http.is_some())
        .collect();
    let mut rows: Vec<Row> = measured.iter().map(|_| Row::default()).collect();
    for _ in 0..place::rounds(ROUNDS) {
        for (server, row) in measured.iter().zip(&mut rows) {
            let ran = wrk(server, name, connections).await?;
            row.rate.add(ran.requests / ran.seconds);
            row.flow.add(ran.bytes / ran.seconds / f64::from(1 << 20));
            row.processor.add(ran.processor / ran.seconds);
        }
    }
    let mut table = Table::new(["server", "requests/s", "MiB/s", "cores", "× Longshore"]);
    let ours = rows[0].flow.median();
    for (server, row) in measured.iter().zip(&rows) {
        table.row([
            server.name.to_owned(),
            format!("{:.0}", row.rate.median()),
            format!("{:.0}", row.flow.median()),
            format!("{:.2}", row.processor.median()),
            format!("{:.2}", row.flow.median() / ours),
        ]);
    }
    println!("{table}");
    promise(&measured, &rows, length);
    Ok(())
}

/// What was promised of it.
fn promise(measured: &[&Server], rows: &[Row], length: usize) {
    let flow_of = |name: &str| {
        let at = measured.iter().position(|server| server.name == name);
        at.map_or(f64::NAN, |at| rows[at].flow.median())
    };
    let ours = rows[0].flow.median();
    if length < (1 << 20) {
        let plain = within(flow_of("nginx, sendfile, {PLAIN}") / ours, 1.0);
        let hashed = within(flow_of("nginx, sendfile, apr1") / ours, 1.0);
        println!(
            "At least nginx's rate with the same password: apr1 {hashed}; {{PLAIN}} {plain}\n"
        );
    } else {
        let kept = within(flow_of("nginx, no sendfile, {PLAIN}") / ours, 1.1);
        println!("Within 10 % of nginx without sendfile: {kept}\n");
    }
}

async fn wrk(server: &Server, name: &str, connections: usize) -> Result<Ran> {
    let (address, before) = server.http.ok_or("it speaks no HTTP")?;
    let pair = data_encoding::BASE64.encode(format!("admin:{PASSWORD}").as_bytes());
    let busy = process::processor(server.id)?;
    let output = Command::new("wrk")
        .args(["-t", "1", "-d", "2s", "--timeout", "20s"])
        .args(["-c", &connections.to_string()])
        .args(["-H", &format!("Authorization: Basic {pair}")])
        .arg(format!("http://{address}{before}{name}"))
        .output()
        .await
        .map_err(|error| format!("wrk cannot be run: {error}"))?;
    let processor = process::processor(server.id)? - busy;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("{} did not answer well:\n{text}", server.name).into());
    }
    let read = |wanted: &str| Error::from(format!("wrk did not say {wanted}:\n{text}"));
    // `N requests in 2.10s, 1.23GB read`
    let line = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .ok_or_else(|| read("how much"))?;
    let mut words = line.split_whitespace();
    let requests = words.next().ok_or_else(|| read("how many"))?.parse()?;
    let time = words.nth(2).ok_or_else(|| read("how long"))?;
    let bytes = words.next().ok_or_else(|| read("how much"))?;
    Ok(Ran {
        requests,
        bytes: sized(bytes)?,
        seconds: timed(time)?,
        processor,
    })
}

/// `1.23GB` in bytes; wrk counts in powers of 1,024.
fn sized(text: &str) -> Result<f64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let factor = match unit {
        "B" => 1.0,
        "KB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => 1024.0 * 1024.0 * 1024.0,
        "TB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        other => return Err(format!("wrk counts in {other}").into()),
    };
    Ok(number.parse::<f64>()? * factor)
}

/// `2.10s,` or `1.50m,` in seconds.
fn timed(text: &str) -> Result<f64> {
    let text = text.trim_end_matches(',');
    if let Some(minutes) = text.strip_suffix('m') {
        return Ok(minutes.parse::<f64>()? * 60.0);
    }
    Ok(text.trim_end_matches('s').parse()?)
}
