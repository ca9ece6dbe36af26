//! The clients, as `cargo xtask setup` installs them below the target directory.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testing::{REQUIRE_PEERS, size, within};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const JS: &str = "tus-js-client-4.3.1";
const PYTHON: &str = "tuspy-1.1.0";

/// The folder of a client, or nothing, after saying that the story is skipped.
pub(crate) fn folder(name: &str, holds: &str) -> Option<PathBuf> {
    let binary = Path::new(env!("CARGO_BIN_EXE_longshore"));
    let target = binary.ancestors().nth(2).unwrap_or(Path::new("."));
    let folder = target.join("tools").join(name);
    if folder.join(holds).exists() {
        return Some(folder);
    }
    let required = std::env::var(REQUIRE_PEERS).is_ok_and(|value| !matches!(&*value, "" | "0"));
    assert!(
        !required,
        "{name} is required here ({REQUIRE_PEERS}): `cargo xtask setup`"
    );
    eprintln!("skipped, {name} is missing: `cargo xtask setup` installs it");
    None
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/stories/tus")
        .join(name)
}

/// tus-js-client in Node.
pub(crate) struct Js(PathBuf);

impl Js {
    pub(crate) fn installed() -> Option<Self> {
        testing::installed("node")?;
        folder(JS, "node_modules/tus-js-client").map(Self)
    }

    /// Begins to upload a file, and stands still after so many bytes each.
    pub(crate) fn upload(&self, options: &Value, file: &Path, stops: &[u64]) -> Uploading {
        let mut command = Command::new("node");
        command.arg(script("upload.mjs")).arg(&self.0);
        Uploading::begin(command, options, file, stops)
    }
}

/// tuspy.
pub(crate) struct Python(PathBuf);

impl Python {
    pub(crate) fn installed() -> Option<Self> {
        folder(PYTHON, "bin/python").map(Self)
    }

    /// The same.
    pub(crate) fn upload(&self, options: &Value, file: &Path, stops: &[u64]) -> Uploading {
        let mut command = Command::new(self.0.join("bin/python"));
        command.arg(script("upload.py"));
        Uploading::begin(command, options, file, stops)
    }
}

/// A client at work; ended when dropped.
pub(crate) struct Uploading {
    _child: Child,
    line: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
}

impl Uploading {
    fn begin(mut command: Command, options: &Value, file: &Path, stops: &[u64]) -> Self {
        let mut child = command
            .arg(options.to_string())
            .arg(file)
            .args(stops.iter().map(u64::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the client can be started");
        let out = child.stdout.take().expect("it is piped");
        Self {
            line: child.stdin.take().expect("it is piped"),
            events: BufReader::new(out).lines(),
            _child: child,
        }
    }

    async fn next(&mut self) -> String {
        let mut next = None;
        // A large file takes its time on a machine that does much else, and the promised size
        // much more where it goes into a store.
        for _ in 0..size(5, 30) {
            let waited = tokio::time::timeout(testing::PATIENCE, self.events.next_line());
            if let Ok(event) = waited.await {
                next = event.expect("its output is text");
                break;
            }
        }
        next.expect("the client tells how it goes")
    }

    /// Waits until it stands still.
    pub(crate) async fn stands_still(&mut self) {
        let event = self.next().await;
        assert!(event.starts_with("at "), "{event}");
    }

    /// Lets it go on.
    pub(crate) async fn goes_on(&mut self) {
        let written = self.line.write_all(b"\n");
        within("the client to read", written)
            .await
            .expect("it reads");
    }

    /// Waits until all is uploaded.
    pub(crate) async fn is_done(&mut self) {
        let event = self.next().await;
        assert!(event.starts_with("done "), "{event}");
    }
}
