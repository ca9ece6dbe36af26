//! The client commands, run as a person or a script runs them: real processes, against
//! the real server. What counts is what a script sees: exit codes, standard output,
//! and the files that are there afterwards.

mod bundling;
mod following;
mod host;
mod interrupting;
mod people;
mod terminal;
pub(crate) mod wire;

use crate::program::Ended;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use testing::{TestServer, within};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

const BINARY: &str = env!("CARGO_BIN_EXE_longshore");

/// Somebody with a folder and a configuration of their own.
pub(crate) struct Person {
    folder: TempDir,
}

/// What a command came to, its standard output as it was.
pub(crate) struct Came {
    pub(crate) out: Vec<u8>,
    pub(crate) ended: Ended,
}

impl Person {
    /// Who is logged in nowhere.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    /// Who has logged in to the server as its admin, by way of `url`.
    pub(crate) async fn logged_in_by(server: &TestServer, url: &str, more: &[&str]) -> Self {
        let person = Self::new();
        let mut arguments = vec!["login", url, "--user", "admin", "--password-stdin"];
        arguments.extend(more);
        let ended = person.run_with(&arguments, server.admin_password()).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.output, "", "what it says is no data");
        person
    }

    /// Who has logged in to the server as its admin.
    pub(crate) async fn logged_in(server: &TestServer) -> Self {
        Self::logged_in_by(server, &server.url(), &[]).await
    }

    /// Who may also change users and tokens.
    pub(crate) async fn admin(server: &TestServer) -> Self {
        Self::logged_in_by(server, &server.url(), &["--admin"]).await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its log-ins are kept.
    pub(crate) fn servers_file(&self) -> PathBuf {
        self.folder().join("config/longshore/servers.toml")
    }

    /// The names in its folder, but for its configuration.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).expect("its folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name != "config")
            .collect();
        names.sort();
        names
    }

    /// A file in its folder.
    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.folder().join(name), content).expect("a file can be written");
    }

    /// A command about to be started, in its folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments);
        self.own(command)
    }

    /// The same, with these signals ignored from the start, as by `nohup` and in the
    /// background of a script.
    pub(crate) fn command_ignoring(&self, signals: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' {signals}; exec \"$0\" \"$@\"")])
            .arg(program())
            .args(arguments);
        self.own(command)
    }

    /// A command with this one's folder and configuration.
    fn own(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LONGSHORE_") {
                command.env_remove(name);
            }
        }
        command
            .env("XDG_CONFIG_HOME", self.folder().join("config"))
            .env("XDG_STATE_HOME", self.folder().join("config/state"))
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "").await
    }

    /// Runs a command to its end, with this on its standard input.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        self.came(self.command(arguments), input).await.ended
    }

    /// Runs a command to its end.
    pub(crate) async fn came(&self, mut command: Command, input: &str) -> Came {
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("longshore can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        // It may end without having read it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        ended(child).await
    }

    /// Starts a command and gives it this on its standard input.
    pub(crate) async fn start(&self, arguments: &[&str], input: &str) -> Child {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("longshore can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin
            .write_all(input.as_bytes())
            .await
            .expect("it reads its input");
        child
    }
}

/// The program that is tried.
fn program() -> PathBuf {
    let chosen = std::env::var_os("LONGSHORE_BIN").map(PathBuf::from);
    chosen.unwrap_or_else(|| PathBuf::from(BINARY))
}

/// Waits until a command has ended.
pub(crate) async fn ended(child: Child) -> Came {
    let output = within("longshore to end", child.wait_with_output())
        .await
        .expect("a child can be waited for");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    Came {
        ended: Ended {
            code: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors,
        },
        out: output.stdout,
    }
}

/// Sends a signal to a command.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let id = id.and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(id.expect("it runs"), signal).expect("it takes signals");
}

/// Runs another program with this on its standard input; whether it is content, and
/// nothing where it is not installed.
pub(crate) async fn satisfies(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    input: &str,
) -> Option<bool> {
    let program = testing::installed(program)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("an installed program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let status = within("the program to end", child.wait()).await;
    Some(status.expect("a child can be waited for").success())
}
