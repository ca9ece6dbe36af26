//! The real binary, started as a person would start it, on data of its own.
//!
//! Never a server in the test's own process: what is tested is what is shipped,
//! signals, exit codes and files included.

mod captured;
mod http;
mod options;
mod running;

pub use captured::Captured;
pub use http::Session;
pub use options::ServerOptions;

pub(crate) use http::client;
pub(crate) use running::{Running, command};

use crate::databases::admin;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tempfile::TempDir;

/// How every start begins.
const GREETING: &str = "  Console   ";

/// A running Longshore. Killed with everything that it started, and its data
/// removed, when dropped.
pub struct TestServer {
    options: ServerOptions,
    running: Option<Running>,
    /// How often it had greeted before it was started.
    greeted: usize,
    captured: Captured,
    port: u16,
    s3_port: Option<u16>,
    /// Held for its end.
    _folder: TempDir,
    data: PathBuf,
}

impl TestServer {
    /// Starts the binary on SQLite and a data directory of its own, and waits until it is
    /// ready. Give it `env!("CARGO_BIN_EXE_longshore")`; `LONGSHORE_BIN` overrides it.
    ///
    /// # Panics
    /// When it does not start, with everything it said.
    pub async fn start(binary: &str) -> Self {
        ServerOptions::new(binary).start().await
    }

    async fn start_with(options: ServerOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = folder.path().join("data");
        options.fill(&data).await;
        let mut server = Self {
            options,
            running: None,
            greeted: 0,
            captured: Captured::default(),
            port: 0,
            s3_port: None,
            _folder: folder,
            data,
        };
        server.run_on_some_port().await;
        server
    }

    /// `http://127.0.0.1:PORT`, the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it answers S3 clients, for one that was started [`with_s3`]: the same after
    /// a restart.
    ///
    /// [`with_s3`]: ServerOptions::with_s3
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn s3_url(&self) -> String {
        let port = self.s3_port.expect("it was started with S3");
        format!("http://127.0.0.1:{port}")
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The password of the user `admin`.
    #[must_use]
    pub const fn admin_password(&self) -> &str {
        admin::PASSWORD
    }

    /// What it wrote to standard output and standard error so far, over all restarts.
    #[must_use]
    pub const fn captured(&self) -> &Captured {
        &self.captured
    }

    /// The id of its process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.running().id()
    }

    /// The most memory that it held resident so far, in bytes (Linux).
    ///
    /// # Panics
    /// When it does not run, or this is not Linux.
    #[must_use]
    pub fn peak_resident_bytes(&self) -> u64 {
        self.running().status_bytes("VmHWM:")
    }

    /// The memory that it holds resident now, in bytes (Linux).
    ///
    /// # Panics
    /// When it does not run, or this is not Linux.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.running().status_bytes("VmRSS:")
    }

    /// Kills it as `kill -9` does, and waits until it is gone. Its data stay.
    pub async fn kill9(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill().await;
        }
    }

    /// Asks it to stop (SIGTERM) and waits until it has; its exit status.
    ///
    /// # Panics
    /// When it does not run, or does not stop in a minute.
    pub async fn terminate(&mut self) -> ExitStatus {
        let running = self.running.take().expect("the server runs");
        running.signal_process(rustix::process::Signal::TERM);
        running.ended(&self.captured).await
    }

    /// Sends it a signal, such as `rustix::process::Signal::HUP`, and goes on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: rustix::process::Signal) {
        self.running().signal_process(signal);
    }

    /// Waits until it ends by itself; its exit status.
    ///
    /// # Panics
    /// When it does not run, or goes on for a minute.
    pub async fn ended(&mut self) -> ExitStatus {
        let running = self.running.take().expect("the server runs");
        running.ended(&self.captured).await
    }

    /// Starts it again on the same data and port, after [`Self::kill9`] or
    /// [`Self::terminate`], and waits until it is ready.
    ///
    /// # Panics
    /// When it still runs, or does not start.
    pub async fn start_again(&mut self) {
        self.begin_again();
        self.ready().await;
    }

    /// Starts it again and does not wait: for what happens before it is ready.
    ///
    /// # Panics
    /// When it still runs.
    pub fn begin_again(&mut self) {
        assert!(self.running.is_none(), "the server still runs");
        self.begin();
    }

    /// Waits until it is ready, after [`Self::begin_again`].
    ///
    /// # Panics
    /// When it does not start.
    pub async fn ready(&mut self) {
        if let Err(why) = self.become_ready().await {
            panic!(
                "longshore does not start again, {why}:\n{}",
                self.captured.text()
            );
        }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    /// Runs it on a free port; another one when somebody else was quicker.
    async fn run_on_some_port(&mut self) {
        for _ in 0..3 {
            self.port = crate::ports::free();
            self.s3_port = self.options.s3.then(crate::ports::free);
            self.begin();
            let Err(why) = self.become_ready().await else {
                return;
            };
            let said = self.captured.text();
            let taken = said.contains("in use") || said.contains("taken");
            assert!(taken, "longshore does not start, {why}:\n{said}");
        }
        panic!("longshore found no free port:\n{}", self.captured.text());
    }

    fn begin(&mut self) {
        self.greeted = self.greetings();
        let running = Running::start(
            &self.options,
            self.port,
            self.s3_port,
            &self.data,
            &self.captured,
        );
        self.running = Some(running);
    }

    async fn become_ready(&mut self) -> Result<(), String> {
        let mut running = self.running.take().expect("the server was started");
        // It says where it listens once it has the port: until then, whoever answers
        // there is another test's server.
        let own = || self.greetings() > self.greeted;
        running.ready(&self.url(), own).await?;
        self.running = Some(running);
        Ok(())
    }

    fn greetings(&self) -> usize {
        self.captured.text().matches(GREETING).count()
    }
}
