//! One boto3 that a story asks one thing after the other, with as many keys as it likes.

use super::{Key, long, of_endpoint};
use crate::afloat::Afloat;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::process::Stdio;
use tempfile::TempDir;
use testing::s3_client;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// What it complains of, in its folder.
const COMPLAINTS: &str = "complaints";

/// A running Python with boto3; ended when dropped.
pub(crate) struct Boto {
    /// Before the folder, so that it is ended first.
    _running: Child,
    told: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    home: TempDir,
}

impl Boto {
    /// Starts one that asks a server, and once only. Nothing, after saying so, when it is not
    /// installed.
    pub(crate) fn start(server: &Afloat) -> Option<Self> {
        let once = json!({ "retries": { "total_max_attempts": 1 } });
        Self::at(&server.s3_url(), &once)
    }

    /// Starts one that asks whoever speaks S3 there, with clients of this configuration.
    pub(crate) fn at(endpoint: &str, config: &Value) -> Option<Self> {
        let python = s3_client("python")?;
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("asked.py");
        fs::write(&file, include_str!("asked.py")).expect("a script");
        let complaints = File::create(home.path().join(COMPLAINTS)).expect("a file");
        let mut command = of_endpoint(&python, endpoint, home.path());
        command
            .arg(&file)
            .env("CONFIG", config.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints);
        let mut running = command.spawn().expect("it can be started");
        let told = running.stdin.take().expect("it is piped");
        let said = running.stdout.take().expect("it is piped");
        Some(Self {
            _running: running,
            told,
            said: BufReader::new(said).lines(),
            home,
        })
    }

    /// Runs a script, which has a client of this key and secret as `s3`, to its end, which must
    /// be a good one; what it printed.
    pub(crate) async fn run(&mut self, (key, secret): (&str, &str), script: &str) -> String {
        let line = json!({ "key": key, "secret": secret, "script": script });
        let answer = tokio::time::timeout(long(), self.answer(format!("{line}\n"))).await;
        let Ok(Ok(Some(printed))) = &answer else {
            let complaints = fs::read(self.home.path().join(COMPLAINTS)).unwrap_or_default();
            let complaints = String::from_utf8_lossy(&complaints);
            panic!("{answer:?} to:\n{script}\n{complaints}");
        };
        serde_json::from_str(printed).expect("a text")
    }

    async fn answer(&mut self, line: String) -> std::io::Result<Option<String>> {
        self.told.write_all(line.as_bytes()).await?;
        self.said.next_line().await
    }

    /// What it gets when it asks for one thing: the word of the error, or `fine`.
    pub(crate) async fn asked(&mut self, key: &Key, what: &str) -> String {
        let script = format!(
            "try:\n    {what}\n    print('fine')\n\
             except ClientError as error:\n    print(error.response['Error']['Code'])\n"
        );
        let said = self.run((&key.key, &key.secret), &script).await;
        said.trim().to_owned()
    }
}
