//! A throw-away PostgreSQL: a cluster of its own, on a free port of the loopback
//! address, gone with the process that started it.
//!
//! It never touches a system cluster. Nothing in it outlives a power cut (`fsync` is
//! off): what tests kill is Longshore, not the machine.

use crate::memory;
use crate::place::{self, Place};
use crate::process::{self, Failure, Run};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to answer after its start.
const START: Duration = Duration::from_secs(30);
/// How long it may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(10);
/// The system user that PostgreSQL runs as when we are root, which it refuses to be.
const USER: &str = "postgres";
/// What all databases of a whole run need at the most, with room to spare.
const ENOUGH_MEMORY: u64 = 3 << 30;

/// A running cluster; stopped and removed when dropped.
pub(crate) struct Postgres {
    server: Child,
    folder: PathBuf,
    url: String,
    /// Where its folder lies, if that is memory. It goes last.
    _memory: Option<memory::Folder>,
}

/// The folder of the newest installed server's programs.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file())
        .max_by_key(|folder| version_of(folder))
        .or_else(|| Some(place::program("initdb")?.parent()?.to_path_buf()))
}

/// 15 of `/usr/lib/postgresql/15/bin`.
fn version_of(programs: &Path) -> u32 {
    programs
        .parent()
        .and_then(|folder| folder.file_name()?.to_str()?.parse().ok())
        .unwrap_or(0)
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) fn start(place: &Place) -> Result<Self, Failure> {
        let programs = programs()
            .ok_or_else(|| Failure::new("PostgreSQL is not installed; see `cargo xtask setup`"))?;
        // Each test makes a database, and each database some three hundred files.
        let memory = memory::Folder::of("postgres", ENOUGH_MEMORY);
        let folder = folder_for(place, memory.as_ref())?;
        let password = random_word()?;
        let data = folder.join("data");
        let secret = folder.join("password");
        write_for_owner(&secret, &password)?;
        as_postgres(&programs.join("initdb"))
            .args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--username=longshore",
            ])
            // SCRAM hashes 4096 times on both sides for each connection, of which the tests
            // make tens of thousands. One of them shows that it works.
            .args(["--auth=md5", "--pwfile"])
            .args([&secret])
            .args(["--pgdata"])
            .args([&data])
            .dir(&folder)
            .minutes(2)
            .capture()?;
        let port = free_port()?;
        let log = std::fs::File::create(folder.join("log"))
            .map_err(|error| Failure::about(&folder, "cannot hold a log", &error))?;
        let errors = log
            .try_clone()
            .map_err(|error| Failure::about(&folder, "cannot hold a log", &error))?;
        let server = as_postgres(&programs.join("postgres"))
            .args([Path::new("-D"), &data])
            .args(["-p", &port.to_string()])
            .args(settings())
            .dir(&folder)
            .into_command()
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(errors))
            .spawn()
            .map_err(|error| Failure::new(format!("PostgreSQL cannot start: {error}")))?;
        let mut started = Self {
            server,
            url: format!("postgres://longshore:{password}@127.0.0.1:{port}/postgres"),
            folder,
            _memory: memory,
        };
        started.wait_until_it_answers(port)?;
        Ok(started)
    }

    /// The address of its maintenance database, as a superuser; may be shown, for
    /// the password goes with the cluster.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn wait_until_it_answers(&mut self, port: u16) -> Result<(), Failure> {
        let begun = Instant::now();
        let ready = self.folder.join("data/postmaster.pid");
        loop {
            if let Ok(Some(status)) = self.server.try_wait() {
                return Err(self.failed(&format!("ended at its start ({status})")));
            }
            // The eighth line turns to `ready` once connections are accepted.
            let says = std::fs::read_to_string(&ready).unwrap_or_default();
            let accepts = says
                .lines()
                .nth(7)
                .is_some_and(|word| word.trim() == "ready");
            if accepts && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(());
            }
            if begun.elapsed() > START {
                return Err(self.failed("does not answer"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn failed(&self, how: &str) -> Failure {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Failure::new(format!("the throw-away PostgreSQL {how}; its log:\n{log}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT asks PostgreSQL for a fast shutdown: sessions end, files are closed.
        process::signal(self.server.id(), "INT");
        if !process::ended_within(&mut self.server, STOP) {
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What differs from PostgreSQL's own settings.
fn settings() -> impl Iterator<Item = String> {
    [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=128MB",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_wal_size=256MB",
        "log_min_messages=warning",
    ]
    .into_iter()
    .flat_map(|setting| ["-c".to_owned(), setting.to_owned()])
}

/// A command that runs as a user whom PostgreSQL accepts, and dies with us.
fn as_postgres(program: &Path) -> Run {
    let Some(setpriv) = place::program("setpriv") else {
        return Run::new(program);
    };
    let run = Run::new(setpriv).args(["--pdeathsig", "INT"]);
    let run = if place::is_root() {
        run.args(["--reuid", USER, "--regid", USER, "--init-groups"])
    } else {
        run
    };
    run.args([program])
}

/// An empty folder that belongs to the server's user: in memory where there is enough,
/// else below `target`, or in the system's temporary folder when that user may not walk
/// to the checkout.
fn folder_for(place: &Place, memory: Option<&memory::Folder>) -> Result<PathBuf, Failure> {
    sweep(&place.target.join("xtask"));
    if let Some(memory) = memory
        && hand_over(memory.path())?
    {
        return Ok(memory.path().to_path_buf());
    }
    let name = format!("postgres-{}", std::process::id());
    let below_target = place.scratch(&name)?;
    if hand_over(&below_target)? {
        return Ok(below_target);
    }
    let _ = std::fs::remove_dir_all(&below_target);
    let elsewhere = std::env::temp_dir().join(format!("longshore-{name}-{}", random_word()?));
    std::fs::create_dir(&elsewhere)
        .map_err(|error| Failure::about(&elsewhere, "cannot be made", &error))?;
    if hand_over(&elsewhere)? {
        return Ok(elsewhere);
    }
    Err(Failure::new(format!(
        "the user `{USER}` may write neither below {} nor in {}",
        place.target.display(),
        elsewhere.display()
    )))
}

/// Removes what processes that were killed left behind.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix("postgres-"));
        if owner.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Gives a folder to the server's user; whether that user can work in it.
fn hand_over(folder: &Path) -> Result<bool, Failure> {
    if place::is_root() {
        Run::new("chown")
            .args([Path::new(USER), folder])
            .capture()?;
    }
    Ok(as_postgres(Path::new("/bin/sh"))
        .args(["-c", "cd \"$0\" && touch probe && rm probe"])
        .args([folder])
        .capture()
        .is_ok())
}

/// Writes a secret that only its owner reads, who is the server's user when we are root.
fn write_for_owner(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::about(path, "cannot be written", &error))?;
    if place::is_root() {
        Run::new("chown").args([Path::new(USER), path]).capture()?;
    }
    Ok(())
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("no port of 127.0.0.1 is to be had: {error}")))
}

/// Sixteen random bytes as hexadecimal digits.
pub(crate) fn random_word() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| Failure::about(Path::new("/dev/urandom"), "cannot be read", &error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
