//! Where things are: the folder for what is made, the programs, the machine.

use crate::Result;
use std::path::{Path, PathBuf};

/// `target/bench/NAME` of the checkout, made when it is not there.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/bench")
        .join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

/// The binary that is measured.
pub(crate) fn longshore() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("LONGSHORE_BIN") {
        return Ok(PathBuf::from(chosen));
    }
    let beside = std::env::current_exe()?.with_file_name("longshore");
    if beside.is_file() {
        return Ok(beside);
    }
    Err(format!(
        "there is no {}; `cargo build --release` makes it, or name one in LONGSHORE_BIN",
        beside.display()
    )
    .into())
}

/// The machine's size.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!(
        "{cores} cores, {} GiB, load before {load}",
        (kibibytes + (1 << 19)) >> 20
    )
}

/// Whether a case is wanted, by `BENCH_ONLY`.
pub(crate) fn wanted(case: &str) -> bool {
    match std::env::var("BENCH_ONLY") {
        Ok(only) if !only.is_empty() => only.split(',').any(|part| case.contains(part)),
        _ => true,
    }
}

/// A size of which `BENCH_PART` leaves so small a part, but not less than `least`.
pub(crate) fn part(whole: u64, least: u64) -> u64 {
    let part = std::env::var("BENCH_PART").ok();
    let part = part.and_then(|part| part.parse::<u64>().ok()).unwrap_or(1);
    (whole / part.max(1)).max(least)
}

/// How often each case is measured, by `BENCH_ROUNDS`.
pub(crate) fn rounds(usual: usize) -> usize {
    number("BENCH_ROUNDS").unwrap_or(usual)
}

/// The number in a variable.
pub(crate) fn number<N: std::str::FromStr>(variable: &str) -> Option<N> {
    std::env::var(variable).ok()?.parse().ok()
}
