//! A real Redis on a free port, which can be killed, held still, and started again.

use crate::peers;
use crate::ports;
use crate::server::{Captured, Running};
use rustix::process::Signal;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
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
    encrypted: Option<Encrypted>,
    folder: TempDir,
}

/// How a Redis is spoken to over TLS.
struct Encrypted {
    port: u16,
    certificate: PathBuf,
    key: PathBuf,
}

impl Encrypted {
    /// A certificate of its own, for 127.0.0.1.
    fn in_folder(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .expect("a certificate can be made");
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let write = |path: &Path, text: String| {
            std::fs::write(path, text).expect("a temporary folder takes files");
        };
        write(&certificate, pem("CERTIFICATE", made.cert.der()));
        write(&key, pem("PRIVATE KEY", &made.signing_key.serialize_der()));
        Self {
            port: ports::free(),
            certificate,
            key,
        }
    }
}

impl Redis {
    /// Starts one. Nothing, after saying so, when it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        Self::begun(false).await
    }

    /// Starts another program that is spoken to as Redis is, such as Valkey.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_as(program: PathBuf) -> Self {
        Self::of(program, false).await
    }

    /// Starts one that is spoken to over TLS, with a [certificate](Self::certificate) of
    /// its own.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_encrypted() -> Option<Self> {
        Self::begun(true).await
    }

    async fn begun(encrypted: bool) -> Option<Self> {
        Some(Self::of(peers::installed("redis-server")?, encrypted).await)
    }

    async fn of(program: PathBuf, encrypted: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut redis = Self {
            program,
            running: None,
            captured: Captured::default(),
            port: ports::free(),
            encrypted: encrypted.then(|| Encrypted::in_folder(folder.path())),
            folder,
        };
        redis.start_again().await;
        redis
    }

    /// Its address, with its password.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.encrypted {
            None => format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port),
            Some(encrypted) => format!("rediss://:{PASSWORD}@127.0.0.1:{}", encrypted.port),
        }
    }

    /// The certificate to be trusted, of one that is spoken to over TLS.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        let encrypted = self.encrypted.as_ref().expect("it has a certificate");
        &encrypted.certificate
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
        if let Some(encrypted) = &self.encrypted {
            command
                .args(["--tls-port", &encrypted.port.to_string()])
                .args(["--tls-auth-clients", "no", "--tls-cert-file"])
                .arg(&encrypted.certificate)
                .arg("--tls-key-file")
                .arg(&encrypted.key);
        }
        let mut running = Running::spawn(command, &self.captured);
        let name = "redis-server";
        running.listens(name, self.port, &self.captured).await;
        if let Some(encrypted) = &self.encrypted {
            running.listens(name, encrypted.port, &self.captured).await;
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

/// As OpenSSL reads keys and certificates.
fn pem(what: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {what}-----\n");
    for line in der.chunks(48) {
        text.push_str(&data_encoding::BASE64.encode(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {what}-----\n"));
    text
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
