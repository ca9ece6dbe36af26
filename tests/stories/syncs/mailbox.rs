//! A real mail server, which takes what is sent to it: aiosmtpd, with STARTTLS, a
//! certificate of its own and a log-in.

use crate::tus::peers::folder;
use data_encoding::BASE64_MIME;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testing::within;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const SERVER: &str = "aiosmtpd-1.4.6";
pub(super) const PASSWORD: &str = "of-this-mailbox-alone";

/// A running mail server; ended when dropped.
pub(super) struct Mailbox {
    port: u16,
    certificate: PathBuf,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Mailbox {
    /// Starts one. Nothing, after saying so, when it is not installed.
    pub(super) async fn start() -> Option<Self> {
        let python = folder(SERVER, "bin/python")?.join("bin/python");
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
        let write = |name: &str, kind: &str, der: &[u8]| {
            let file = folder.path().join(name);
            let body = BASE64_MIME.encode(der);
            let text = format!(
                "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
                body.trim_end()
            );
            std::fs::write(&file, text).expect("written");
            file
        };
        let certificate = write("certificate.pem", "CERTIFICATE", made.cert.der());
        let key = write("key.pem", "PRIVATE KEY", &made.signing_key.serialize_der());
        let options = json!({
            "certificate": certificate, "key": key, "user": "anna", "password": PASSWORD,
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/syncs/mailbox.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(options.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = within("the mail server", lines.next_line()).await;
        let port = first.expect("text").expect("its port").parse();
        Some(Self {
            port: port.expect("a number"),
            certificate,
            lines,
            _child: child,
            _folder: folder,
        })
    }

    /// What Longshore is told of it.
    pub(super) fn variables(&self, password: &str) -> Vec<(String, String)> {
        [
            (
                "LONGSHORE_MAIL_SMTP",
                format!("smtp://127.0.0.1:{}", self.port),
            ),
            (
                "LONGSHORE_MAIL_FROM",
                "Longshore <longshore@example.org>".to_owned(),
            ),
            ("LONGSHORE_MAIL_USER", "anna".to_owned()),
            ("LONGSHORE_MAIL_PASSWORD", password.to_owned()),
            (
                "LONGSHORE_PUBLIC_URL",
                "https://longshore.example.org".to_owned(),
            ),
            ("SSL_CERT_FILE", self.certificate.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Value {
        let line = within("a message", self.lines.next_line()).await;
        let line = line.expect("text").expect("the mail server lives");
        serde_json::from_str(&line).expect("JSON")
    }
}
