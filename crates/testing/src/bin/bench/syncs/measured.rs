//! A program that is run to its end: how long it took, its processor time, its memory.

use crate::{Result, process};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often its memory is looked at. Linux keeps the most of it while it lives.
const LOOK: Duration = Duration::from_millis(5);
/// The longest that one may take.
const LIMIT: Duration = Duration::from_secs(3000);
/// How much of what it said is shown when it fails.
const SHOWN: usize = 4000;

/// What a program took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) wall: f64,
    pub(super) processor: f64,
    pub(super) peak: f64,
}

impl Measured {
    pub(super) const NOTHING: Self = Self {
        wall: f64::NAN,
        processor: f64::NAN,
        peak: f64::NAN,
    };
}

/// Medians of time, and the most memory.
pub(super) fn median(all: &[Measured]) -> Measured {
    let middle = |of: fn(&Measured) -> f64| {
        let mut figures = crate::figures::Figures::default();
        all.iter().for_each(|one| figures.add(of(one)));
        figures
    };
    Measured {
        wall: middle(|one| one.wall).median(),
        processor: middle(|one| one.processor).median(),
        peak: middle(|one| one.peak).most(),
    }
}

/// Runs a command to its end. What it says goes to the file `log`.
pub(super) async fn measure(mut command: Command, log: &Path) -> Result<Measured> {
    let said = log.to_owned();
    tokio::task::spawn_blocking(move || {
        let output = File::create(&said)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        run(&mut command, &said)
    })
    .await?
}

fn run(command: &mut Command, said: &Path) -> Result<Measured> {
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let id = child.id();
    let pid = Pid::from_raw(i32::try_from(id)?).ok_or("no process")?;
    let mut peak = 0.0_f64;
    // It is looked whether it has ended without letting it go: its times can be read until
    // somebody has waited for it.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(pid), options)?.is_none() {
        // One that is ending has no memory any more.
        peak = process::peak(id).map_or(peak, |now| peak.max(now));
        if begun.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Err(failed(command, "takes too long", said));
        }
        std::thread::sleep(LOOK);
    }
    let wall = begun.elapsed().as_secs_f64();
    let processor = process::processor(id)?;
    let status = child.wait()?;
    if !status.success() {
        return Err(failed(command, &format!("ended with {status}"), said));
    }
    Ok(Measured {
        wall,
        processor,
        peak,
    })
}

fn failed(command: &Command, how: &str, said: &Path) -> crate::Error {
    let text = std::fs::read_to_string(said).unwrap_or_default();
    let tail: Vec<char> = text.chars().rev().take(SHOWN).collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("{:?} {how}:\n{tail}", command.get_program()).into()
}
