//! One process: started in a group of its own, watched, ended with its group.

use super::{Captured, ServerOptions};
use crate::databases::admin;
use crate::deadline::PATIENCE;
use crate::peers;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// How often a starting server is asked whether it is ready. There is nothing to
/// await before it listens.
const ASK: Duration = Duration::from_millis(15);
/// How long a dropped process may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// A process of ours, and the leader of its group.
pub(crate) struct Running {
    child: Child,
    id: Pid,
    output: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts the server of `options`.
    pub(super) fn start(
        options: &ServerOptions,
        port: u16,
        s3_port: Option<u16>,
        data: &Path,
        captured: &Captured,
    ) -> Self {
        let s3 = s3_port.map_or("off".to_owned(), |port| format!("127.0.0.1:{port}"));
        let mut command = match options.launcher.split_first() {
            Some((launcher, arguments)) => {
                let mut command = command(Path::new(launcher));
                command.args(arguments).arg(&options.binary);
                command
            }
            None => command(&options.binary),
        };
        // Settings of the test's own environment are none of the server's.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LONGSHORE_") {
                command.env_remove(name);
            }
        }
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--s3-listen", &s3, "--data"])
            .arg(data)
            .args(&options.arguments)
            .env("LONGSHORE_ADMIN_PASSWORD", admin::PASSWORD)
            .envs(
                options
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            // Away from the checkout, where a longshore.toml might lie.
            .current_dir(data.parent().unwrap_or(data));
        Self::spawn(command, captured)
    }

    /// Starts a command in a process group of its own, its output captured.
    pub(crate) fn spawn(mut command: Command, captured: &Captured) -> Self {
        let program = command
            .as_std()
            .get_args()
            .chain([command.as_std().get_program()])
            .last();
        let program = program.map(|name| name.to_string_lossy().into_owned());
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot start: {error}", program.unwrap_or_default())
            });
        let id = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .expect("a process that was just started has an id");
        let mut output = Vec::new();
        if let Some(stream) = child.stdout.take() {
            output.push(tokio::spawn(captured.clone().take_in(stream)));
        }
        if let Some(stream) = child.stderr.take() {
            output.push(tokio::spawn(captured.clone().take_in(stream)));
        }
        Self { child, id, output }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits until it has the port (`own`) and `/readyz` answers 200; why not, when it
    /// ends or takes too long.
    pub(super) async fn ready(&mut self, url: &str, own: impl Fn() -> bool) -> Result<(), String> {
        let url = format!("{url}/readyz");
        self.answers(|| async {
            if !own() {
                return false;
            }
            let answer = super::client().get(&url).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await
    }

    /// Waits until `asked` says yes; why not, when the process ends or takes too long.
    pub(crate) async fn answers<Fut>(&mut self, asked: impl Fn() -> Fut) -> Result<(), String>
    where
        Fut: Future<Output = bool>,
    {
        let begun = Instant::now();
        while !asked().await {
            if let Ok(Some(status)) = self.child.try_wait() {
                Captured::complete(std::mem::take(&mut self.output)).await;
                return Err(format!("it ended ({status})"));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!(
                    "it is not ready after {} seconds",
                    PATIENCE.as_secs()
                ));
            }
            tokio::time::sleep(ASK).await;
        }
        Ok(())
    }

    /// Waits until it takes connections at this port of 127.0.0.1.
    ///
    /// # Panics
    /// When it ends or takes too long, with everything it said.
    pub(crate) async fn listens(&mut self, name: &str, port: u16, captured: &Captured) {
        let asked = || async {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                .await
                .is_ok()
        };
        if let Err(why) = self.answers(asked).await {
            panic!("{name} does not start, {why}:\n{}", captured.text());
        }
    }

    /// A line of /proc/PID/status that counts in KiB, in bytes.
    pub(super) fn status_bytes(&self, line: &str) -> u64 {
        let file = format!("/proc/{}/status", self.id());
        std::fs::read_to_string(file)
            .ok()
            .and_then(|status| {
                let rest = status
                    .lines()
                    .find_map(|known| known.strip_prefix(line))?
                    .to_owned();
                rest.trim()
                    .trim_end_matches("kB")
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
            .map(|kibibytes| kibibytes * 1024)
            .expect("Linux tells the memory of a running process")
    }

    /// Sends a signal to the process alone.
    pub(crate) fn signal_process(&self, signal: Signal) {
        kill_process(self.id, signal).expect("a process that was not waited for takes signals");
    }

    /// Kills the process and its group, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        let _ = kill_process_group(self.id, Signal::KILL);
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        assert!(ended.is_ok(), "a killed process is gone in time");
        Captured::complete(std::mem::take(&mut self.output)).await;
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(mut self, captured: &Captured) -> ExitStatus {
        let Ok(ended) = tokio::time::timeout(PATIENCE, self.child.wait()).await else {
            panic!(
                "longshore still runs after {} seconds:\n{}",
                PATIENCE.as_secs(),
                captured.text()
            );
        };
        let status = ended.expect("a child can be waited for");
        Captured::complete(std::mem::take(&mut self.output)).await;
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only while the leader was not waited for is the group's id surely still ours.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.id, Signal::KILL);
        }
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < GONE {
            std::thread::sleep(Duration::from_millis(2));
        }
        for task in &self.output {
            task.abort();
        }
    }
}

/// A command that dies with the test, even when the test itself is killed (Linux).
pub(crate) fn command(program: &Path) -> Command {
    match peers::find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> (Running, Captured) {
        let captured = Captured::default();
        let mut command = command(Path::new("/bin/sh"));
        command.arg("-c").arg(script);
        (Running::spawn(command, &captured), captured)
    }

    /// Whether a process is there and not merely waiting to be noticed by its parent.
    fn runs(id: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{id}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
    }

    #[tokio::test]
    async fn a_dropped_process_takes_what_it_started_along() {
        let (running, captured) = sh("sleep 300 & echo child $! .; wait");
        captured.contains(" .").await;
        let said = captured.text();
        let child = said
            .split(' ')
            .nth(1)
            .expect("the script says the id of its child");
        assert!(runs(child));
        drop(running);
        crate::within("the child to go", async {
            while runs(child) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_signal_reaches_the_process_and_its_status_is_told() {
        let (running, captured) =
            sh("trap 'echo asked >&2; exit 7' TERM; echo up; while :; do sleep 0.01; done");
        captured.contains("up").await;
        running.signal_process(Signal::TERM);
        let status = running.ended(&captured).await;
        assert_eq!(status.code(), Some(7));
        assert!(
            captured.text().contains("asked"),
            "both streams are captured"
        );
    }

    #[tokio::test]
    async fn a_process_that_ends_is_never_ready_and_says_why() {
        let (mut running, captured) = sh("echo port taken >&2; exit 3");
        let why = running
            .answers(|| async { false })
            .await
            .expect_err("it ended");
        assert!(why.contains("exit status: 3"), "{why}");
        assert!(captured.text().contains("port taken"));
    }
}
