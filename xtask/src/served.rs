//! The real binary, serving on a free port for as long as this value lives.

use crate::database::Database;
use crate::place::Place;
use crate::postgres::{free_port, random_word};
use crate::process::{self, Failure, Run};
use crate::program::{self, Profile};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to answer, unoptimised.
const START: Duration = Duration::from_secs(30);
/// How long it may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(15);

/// A server with data of its own; stopped when dropped, its data removed.
pub(crate) struct Served {
    child: Child,
    folder: PathBuf,
    port: u16,
    password: String,
    /// Held for its end, which comes after the server's.
    database: Option<Database>,
}

impl Served {
    /// Starts the debug binary on an empty data directory and waits until it is ready: on a
    /// database of its own in this PostgreSQL, or on SQLite. Two at a time need two names.
    pub(crate) fn start(
        place: &Place,
        name: &str,
        postgres: Option<&str>,
    ) -> Result<Self, Failure> {
        let database = postgres.map(Database::make).transpose()?;
        let folder = place.scratch(name)?;
        let port = free_port()?;
        let password = random_word()?;
        let log = folder.join("log");
        let output = std::fs::File::create(&log)
            .map_err(|error| Failure::about(&log, "cannot be written", &error))?;
        let run = Run::new(program::binary(place, Profile::Debug));
        let run = match &database {
            Some(database) => run.env("LONGSHORE_DATABASE", database.url()),
            None => run,
        };
        let child = run
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .args(["--s3-listen", "off", "--data"])
            .args([folder.join("data")])
            .env("LONGSHORE_ADMIN_PASSWORD", &password)
            // Made-up credentials are no attack here.
            .env("LONGSHORE_ACCESS_ATTEMPTS_PER_ACCOUNT", "10000")
            .env("LONGSHORE_ACCESS_ATTEMPTS_PER_ADDRESS", "1000000")
            .dir(&folder)
            .into_command()
            .stdout(Stdio::null())
            .stderr(Stdio::from(output))
            .spawn()
            .map_err(|error| Failure::new(format!("longshore cannot start: {error}")))?;
        let mut served = Self {
            child,
            folder,
            port,
            password,
            database,
        };
        served.wait_until_ready()?;
        Ok(served)
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it keeps its rows in.
    pub(crate) fn on(&self) -> &'static str {
        match self.database {
            Some(_) => "Postgres",
            None => "SQLite",
        }
    }

    /// The password of `admin`.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// Fails when it has ended, with what it said.
    pub(crate) fn still_runs(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failed(&format!("ended ({status})"))),
            Err(error) => Err(self.failed(&format!("cannot be looked at ({error})"))),
        }
    }

    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        while !self.is_ready() {
            self.still_runs()?;
            if begun.elapsed() > START {
                return Err(self.failed("is not ready"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let limit = Some(Duration::from_secs(2));
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else {
            return false;
        };
        let mut answer = String::new();
        stream.set_read_timeout(limit).is_ok()
            && stream
                .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    fn failed(&self, how: &str) -> Failure {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let on = self.on();
        Failure::new(format!("longshore on {on} {how}; what it said:\n{log}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        process::signal(self.child.id(), "TERM");
        if !process::ended_within(&mut self.child, STOP) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
