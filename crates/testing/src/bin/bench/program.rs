//! The release binary as it is shipped, on data of its own.

use crate::client::Connection;
use crate::process::Process;
use crate::{Result, place};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Known to the benchmarks alone, which make and remove the users that have it.
pub(crate) const PASSWORD: &str = "bench-01-longshore-password";
const READY: Duration = Duration::from_secs(120);

/// It ended before it was ready.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What it said last.
    said: String,
}

impl Ended {
    /// Whether it does not know the schema of its database: that is of another version.
    pub(crate) fn is_of_another_version(&self) -> bool {
        ["schema version", "could not be brought up to date"]
            .iter()
            .any(|words| self.said.contains(words))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "longshore ended before it was ready: {}", self.said)
    }
}

impl std::error::Error for Ended {}

/// A running Longshore.
pub(crate) struct Program {
    process: Process,
    address: SocketAddr,
    s3_address: SocketAddr,
}

impl Program {
    /// Starts it on `data`, and gives the time until `/readyz` answered.
    pub(crate) async fn start(data: &Path) -> Result<(Self, Duration)> {
        let (address, s3_address) = (free_address()?, free_address()?);
        let said = data.with_extension("log");
        let log = std::fs::File::create(&said)?;
        let mut command = Command::new(place::longshore()?);
        command
            .env_clear()
            .env("LONGSHORE_ADMIN_PASSWORD", PASSWORD)
            .env("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8")
            .env("LONGSHORE_LOG_FILTER", "warn")
            // What was made up for measuring is older and more than is usually kept.
            .env("LONGSHORE_OPERATIONS_RETENTION_AGE", "36500d")
            .env("LONGSHORE_OPERATIONS_RETENTION_COUNT", "1000000000")
            .current_dir(data.parent().unwrap_or(data))
            .arg("serve")
            .args(["--listen", &address.to_string()])
            .args(["--s3-listen", &s3_address.to_string(), "--data"])
            .arg(data)
            .stderr(log);
        for (name, value) in
            std::env::vars().filter(|(name, _)| name.starts_with("BENCH_LONGSHORE_"))
        {
            command.env(name.trim_start_matches("BENCH_"), value);
        }
        let begun = Instant::now();
        let process = Process::start(&mut command)?;
        let mut program = Self {
            process,
            address,
            s3_address,
        };
        while !program.is_ready().await {
            if program.process.has_ended()? {
                let said = std::fs::read_to_string(&said).unwrap_or_default();
                let said = said.trim_end().lines().last().unwrap_or("nothing");
                let said = said.trim_start_matches("longshore: ");
                return Err(Ended {
                    said: said.to_owned(),
                }
                .into());
            }
            if begun.elapsed() > READY {
                return Err("longshore is not ready after two minutes".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((program, begun.elapsed()))
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else {
            return false;
        };
        connection
            .get("/readyz")
            .await
            .is_ok_and(|answer| answer.status == 200)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it speaks S3.
    pub(crate) const fn s3_address(&self) -> SocketAddr {
        self.s3_address
    }

    pub(crate) const fn id(&self) -> u32 {
        self.process.id()
    }

    /// A connection of `admin`.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Ok(Connection::open(self.address)
            .await?
            .basic("admin", PASSWORD))
    }

    pub(crate) async fn stop(self) -> Result {
        self.process.terminate().await
    }
}

/// An address on which nobody listens now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_another_version_is_told_from_other_reasons_to_end() {
        let ended = |said: &storage::Error| Ended {
            said: format!("error: {said}"),
        };
        let edited = sqlx::migrate::MigrateError::VersionMismatch(4);
        for other in [
            storage::Error::NewerSchema { found: 2, known: 1 },
            storage::Error::OlderSchema { found: 1, known: 2 },
            storage::Error::Migration(edited),
        ] {
            assert!(ended(&other).is_of_another_version(), "{other}");
        }
        assert!(!ended(&storage::Error::Busy).is_of_another_version());
    }
}
