//! Processes that are measured: started, told apart by their id, ended when dropped.

use crate::{Error, Result};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

/// Linux counts the time of processes in hundredths of a second towards programs.
const TICKS: f64 = 100.0;

/// A child whose standard output says when it is ready, and what it found.
pub(crate) struct Process {
    child: Child,
    id: u32,
    said: Lines<BufReader<ChildStdout>>,
    told: ChildStdin,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                format!("{:?} cannot start: {error}", command.as_std().get_program())
            })?;
        let id = child.id().ok_or("a process ended at once")?;
        let output = child.stdout.take().ok_or("a process has no output")?;
        let told = child.stdin.take().ok_or("a process has no input")?;
        Ok(Self {
            child,
            id,
            said: BufReader::new(output).lines(),
            told,
        })
    }

    /// This program in another role.
    pub(crate) fn role(role: &str, arguments: &[String]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::start(command.arg(role).args(arguments))
    }

    /// The rest of the next line that begins with `word`.
    pub(crate) async fn says(&mut self, word: &str) -> Result<String> {
        while let Some(line) = self.said.next_line().await? {
            if let Some(rest) = line.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
        Err(format!("a process ended without saying `{word}`").into())
    }

    /// Tells it a line.
    pub(crate) async fn tell(&mut self, line: &str) -> Result {
        self.told.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.told.flush().await?)
    }

    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends it and waits until it is gone.
    pub(crate) async fn end(mut self) -> Result {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, as a service manager does, and waits.
    pub(crate) async fn terminate(mut self) -> Result {
        let id = i32::try_from(self.id)?;
        let id = rustix::process::Pid::from_raw(id).ok_or("no process")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        self.child.wait().await?;
        Ok(())
    }
}

/// What a role is told: a line each. It ends when who started it is gone.
pub(crate) fn told() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(4);
    // A thread of its own: a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Memory held resident now, in bytes.
pub(crate) fn resident(id: u32) -> Result<f64> {
    status(id, "VmRSS:")
}

/// The most memory that was held resident, in bytes.
pub(crate) fn peak(id: u32) -> Result<f64> {
    status(id, "VmHWM:")
}

fn status(id: u32, name: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| Error::from(format!("no {name} of a process that is gone")))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0)
}

/// Seconds of processor time so far, its own and that of children it waited for.
pub(crate) fn processor(id: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in parentheses, may hold anything; the state follows it.
    let (_, rest) = stat.rsplit_once(") ").ok_or("no such process")?;
    let mut ticks = 0.0;
    for field in rest.split(' ').skip(11).take(4) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / TICKS)
}
