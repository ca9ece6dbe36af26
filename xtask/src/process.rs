//! Starting programs: arguments and never a shell line, a time limit each, output
//! passed on as it comes, its end kept for the summary.
//!
//! Children stay in this process's group, so that Ctrl-C ends them too; at its time
//! limit a child is killed with all its descendants, each by its id.

use std::collections::VecDeque;
use std::fmt;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How much of a program's last output is kept for its closing lines.
const TAIL: usize = 256 * 1024;
/// How often a running child is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long output may still flow after its program ended.
const LINGER: Duration = Duration::from_secs(2);

/// What went wrong and what to do about it, in words.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn about(path: &Path, what: &str, error: &std::io::Error) -> Self {
        Self(format!("{} {what}: {error}", path.display()))
    }
}

/// What lacks because of a failure, in a line.
pub(crate) fn lacking(what: &str, failure: &Failure) -> String {
    let why = failure.0.lines().next().unwrap_or_default();
    format!("{what} cannot be installed: {why}")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A program about to be started.
pub(crate) struct Run {
    command: Command,
    shown: String,
    limit: Duration,
}

impl Run {
    /// A program, by name or path, with a limit of ten minutes.
    pub(crate) fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        // What `cargo run` said of xtask is nothing to a nested cargo.
        for (name, _) in std::env::vars_os() {
            let about_xtask = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            });
            if about_xtask {
                command.env_remove(name);
            }
        }
        if std::io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let shown = program
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self {
            command,
            shown,
            limit: Duration::from_secs(600),
        }
    }

    /// Cargo, the one that runs this program.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        for argument in arguments {
            let argument = argument.as_ref();
            self.shown.push(' ');
            self.shown.push_str(&argument.to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    /// Sets the working directory.
    pub(crate) fn dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets several environment variables.
    pub(crate) fn envs(mut self, pairs: &[(String, String)]) -> Self {
        for (name, value) in pairs {
            self.command.env(name, value);
        }
        self
    }

    /// Sets the time limit, in minutes.
    pub(crate) fn minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes * 60);
        self
    }

    /// Starts it, passes its output on, and gives the end of that output back.
    pub(crate) fn stream(self) -> Result<String, Failure> {
        println!("\n$ {}", self.shown);
        self.finish(true)
    }

    /// Starts it and gives its output back; a failure shows it.
    pub(crate) fn capture(self) -> Result<String, Failure> {
        self.finish(false)
    }

    /// The command itself, for whoever keeps the child.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn finish(mut self, pass_on: bool) -> Result<String, Failure> {
        let limit = self.limit;
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::new(format!("`{}` cannot start: {error}", self.shown)))?;
        let (send, receive) = mpsc::sync_channel::<Vec<u8>>(64);
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let send = send.clone();
            std::thread::spawn(move || pump(stream, &send));
        }
        drop(send);
        let (status, tail) = attend(&mut child, &receive, limit, pass_on);
        let shown = &self.shown;
        match status {
            Some(status) if status.success() => Ok(tail),
            Some(status) if pass_on => Err(Failure::new(format!("`{shown}` failed: {status}"))),
            Some(status) => Err(Failure::new(format!("`{shown}` failed: {status}\n{tail}"))),
            None => Err(Failure::new(format!(
                "`{shown}` was ended after {} minutes, its limit",
                limit.as_secs() / 60
            ))),
        }
    }
}

/// Sends what a stream says, until its end.
fn pump(mut stream: Box<dyn Read + Send>, send: &mpsc::SyncSender<Vec<u8>>) {
    let mut buffer = [0_u8; 16 * 1024];
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 || send.send(buffer[..count].to_vec()).is_err() {
            return;
        }
    }
}

/// Watches a child to its end or its limit; its status and its last output.
fn attend(
    child: &mut Child,
    output: &mpsc::Receiver<Vec<u8>>,
    limit: Duration,
    pass_on: bool,
) -> (Option<ExitStatus>, String) {
    let mut tail: VecDeque<u8> = VecDeque::new();
    let begun = Instant::now();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    let mut timed_out = false;
    loop {
        match output.recv_timeout(LOOK) {
            Ok(bytes) => {
                if pass_on {
                    let mut stdout = std::io::stdout().lock();
                    // Nobody reading is no reason to stop the work.
                    let _ = stdout.write_all(&bytes).and_then(|()| stdout.flush());
                }
                tail.extend(bytes);
                while tail.len() > TAIL {
                    tail.pop_front();
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) if ended.is_some() => break,
            Err(mpsc::RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        match &ended {
            Some((_, at)) if at.elapsed() > LINGER => break,
            Some(_) => {}
            None => {
                ended = child
                    .try_wait()
                    .ok()
                    .flatten()
                    .map(|status| (status, Instant::now()))
            }
        }
        if ended.is_none() && !timed_out && begun.elapsed() > limit {
            timed_out = true;
            kill_with_descendants(child);
        }
    }
    let text = String::from_utf8_lossy(tail.make_contiguous()).into_owned();
    let status = ended.map(|(status, _)| status).filter(|_| !timed_out);
    (status, text)
}

/// Ends a child and everything that it started, each by its id.
fn kill_with_descendants(child: &mut Child) {
    let family = descendants(child.id());
    let _ = child.kill();
    for id in family {
        signal(id, "KILL");
    }
}

/// The processes below `root`, as far as this system tells (Linux does).
fn descendants(root: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parents: Vec<(u32, u32)> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|id| Some((id, parent_of(id)?)))
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(id, _)| *id),
        );
        next += 1;
    }
    family.split_off(1)
}

/// The parent of a process: the second word after its name's closing bracket.
fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// Sends a signal to one process.
pub(crate) fn signal(id: u32, name: &str) {
    // `kill` is a program because the standard library has no call for it and
    // this workspace forbids unsafe code.
    let _ = Command::new("kill")
        .args([format!("-{name}"), id.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Waits for a child to end, at most `limit`; whether it did.
pub(crate) fn ended_within(child: &mut Child, limit: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Run {
        Run::new("sh").args(["-c", script])
    }

    #[test]
    fn output_of_both_streams_is_given_back() {
        let text = sh("echo one; echo two >&2").capture().expect("runs");
        assert!(text.contains("one\n") && text.contains("two\n"), "{text}");
    }

    #[test]
    fn a_failing_program_fails_with_what_it_said() {
        let failure = sh("echo because; exit 3").capture().expect_err("fails");
        assert!(failure.to_string().contains("because"), "{failure}");
    }

    #[test]
    fn what_cannot_be_installed_is_said_in_a_line() {
        let failure = sh("echo because; exit 3").capture().expect_err("fails");
        let said = lacking("tuspy", &failure);
        assert!(
            said.starts_with("tuspy cannot be installed: `sh "),
            "{said}"
        );
        assert!(said.contains("exit status: 3"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn a_program_over_its_limit_is_killed_with_what_it_started() {
        let note = std::env::temp_dir().join(format!("longshore-xtask-{}", std::process::id()));
        let mut run = sh(&format!("sleep 300 & echo $! >'{}'; wait", note.display()));
        run.limit = Duration::from_millis(500);
        let failure = run.capture().expect_err("too slow");
        assert!(failure.to_string().contains("limit"), "{failure}");
        let id = std::fs::read_to_string(&note).expect("the child wrote its id");
        std::fs::remove_file(&note).expect("the note goes");
        let runs = Path::new("/proc").join(id.trim()).exists() && !zombie(id.trim());
        assert!(!runs, "process {id} still runs");
    }

    /// Whether a process has ended and merely waits for its parent to notice.
    fn zombie(id: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{id}/stat"))
            .is_ok_and(|stat| stat.contains(") Z ") || stat.contains(") X "))
    }

    #[test]
    fn a_program_that_leaves_one_behind_does_not_hang_its_caller() {
        let begun = Instant::now();
        let text = sh("sleep 20 & echo started").capture().expect("runs");
        assert!(text.contains("started"));
        assert!(begun.elapsed() < Duration::from_secs(15));
    }
}
