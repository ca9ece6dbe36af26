//! A real Redis on a free port, which can be killed, held still, and started again.

use crate::peers;
use crate::ports;
use crate::server::{Captured, Running};
use rustix::process::Signal;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the servers of a test are protected with, to show that it is never told.
const PASSWORD: &str = "of-this-test-alone";

/// A running Redis; ended when dropped.
pub struct Redis {
    program: PathBuf,
    running: Option<Running>,
    captured: Captured,
    port: u16,
    folder: TempDir,
}

impl Redis {
    /// Starts one. Nothing, after saying so, when it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let mut redis = Self {
            program: peers::installed("redis-server")?,
            running: None,
            captured: Captured::default(),
            port: ports::free(),
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        };
        redis.start_again().await;
        Some(redis)
    }

    /// Its address, with its password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Its password.
    #[must_use]
    pub const fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Kills it as `kill -9` does. What it had is lost, unless it was [saved](Self::save).
    pub async fn kill9(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill().await;
        }
    }

    /// Starts it again at the same address, with what was saved.
    ///
    /// # Panics
    /// When it still runs, or does not start.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "this Redis still runs");
        let mut command = crate::server::command(&self.program);
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--requirepass", PASSWORD, "--save", "", "--dir"])
            .arg(self.folder.path());
        let mut running = Running::spawn(command, &self.captured);
        let port = self.port;
        let answers = running
            .answers(|| async { say(port, "PING").await.is_some_and(|said| said == "+PONG") })
            .await;
        if let Err(why) = answers {
            panic!(
                "redis-server does not start, {why}:\n{}",
                self.captured.text()
            );
        }
        self.running = Some(running);
    }

    /// It holds still from now on: it takes connections and answers nothing (SIGSTOP).
    ///
    /// # Panics
    /// When it does not run.
    pub fn hold(&self) {
        self.running().signal_process(Signal::STOP);
    }

    /// It goes on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn go_on(&self) {
        self.running().signal_process(Signal::CONT);
    }

    /// Forgets everything.
    ///
    /// # Panics
    /// When it does not.
    pub async fn forget(&self) {
        assert_eq!(say(self.port, "FLUSHALL").await.as_deref(), Some("+OK"));
    }

    /// Writes what it has to its disk, from where it has it when it is started again.
    ///
    /// # Panics
    /// When it does not.
    pub async fn save(&self) {
        assert_eq!(say(self.port, "SAVE").await.as_deref(), Some("+OK"));
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("this Redis runs")
    }
}

/// The first line that it answers to a word.
async fn say(port: u16, word: &str) -> Option<String> {
    let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let said = format!("AUTH {PASSWORD}\r\n{word}\r\n");
    line.write_all(said.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while answer.iter().filter(|byte| **byte == b'\n').count() < 2 && answer.len() < 1000 {
        line.read_exact(&mut byte).await.ok()?;
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).ok()?;
    answer.lines().nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_killed_and_started_again_at_the_same_address() {
        let Some(mut redis) = Redis::start().await else {
            return;
        };
        let url = redis.url();
        redis.kill9().await;
        assert_eq!(say(redis.port, "PING").await, None);
        redis.start_again().await;
        assert_eq!(redis.url(), url);
    }
}
