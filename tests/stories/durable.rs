//! What is acknowledged is on the disk, as the kernel was asked: the bytes, their name, and
//! the row that says of them, before the answer goes out.

use crate::desk::accepted;
use crate::program::server;
use crate::stored::answered;
use reqwest::Method;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testing::{Content, TestDatabase, TestServer, installed, on_sqlite, within};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

const SYNCS: [&str; 2] = ["fsync", "fdatasync"];
const SENDS: [&str; 3] = ["sendto", "sendmsg", "writev"];

/// What a tracer looks at.
struct Look {
    calls: &'static str,
    /// How many bytes of each string.
    bytes: &'static str,
}

/// How a file is kept.
const FILES: Look = Look {
    calls: "fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,writev",
    bytes: "64",
};

/// How a row is kept: whole pages of the database, too, to find the row in them.
const ROWS: Look = Look {
    calls: "fsync,fdatasync,write,pwrite64,recvfrom,read,sendto,sendmsg,writev",
    bytes: "5000",
};

/// A tracer at work.
struct Tracer {
    child: Child,
    output: PathBuf,
    /// Kept open: it also tells of every thread that begins, and would die of a closed pipe.
    _says: Lines<BufReader<ChildStderr>>,
}

impl Tracer {
    /// Looks at a server from now on; nothing where that is not allowed, which is said.
    async fn attach(strace: &Path, server: &TestServer, output: PathBuf, at: Look) -> Option<Self> {
        let mut child = Command::new(strace)
            .args(["-f", "-y", "-s", at.bytes, "-e"])
            .args([&format!("trace={}", at.calls), "-o"])
            .arg(&output)
            .args(["-p", &server.process_id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("strace can be started");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let attached = within("strace to look", async {
            loop {
                match lines.next_line().await.expect("text") {
                    Some(line) if line.contains("attached") => break true,
                    Some(line) if line.contains("not permitted") => break false,
                    Some(_) => {}
                    None => break false,
                }
            }
        });
        if attached.await {
            return Some(Self {
                child,
                output,
                _says: lines,
            });
        }
        eprintln!("skipped, strace may not look at another process here");
        None
    }

    /// What was called until now.
    async fn calls(mut self) -> Vec<Call> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.expect("it runs");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is told");
        let ended = within("strace to end", self.child.wait()).await;
        ended.expect("its end is known");
        let text = std::fs::read_to_string(&self.output).expect("it wrote");
        calls(&text)
    }
}

/// A call: between which lines, and what it says.
#[derive(Debug)]
struct Call {
    begun: usize,
    ended: usize,
    text: String,
}

/// The calls of an output, where several threads talk at once.
fn calls(text: &str) -> Vec<Call> {
    let mut unfinished = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(call) = call.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread.to_owned(), (number, call.to_owned()));
            continue;
        }
        let (begun, text) = match call.strip_prefix("<... ") {
            Some(_) => match unfinished.remove(thread) {
                Some((begun, text)) => (begun, format!("{text} {call}")),
                None => continue,
            },
            None => (number, call.to_owned()),
        };
        calls.push(Call {
            begun,
            ended: number,
            text,
        });
    }
    // Who gets the answer may end the tracer before that has seen the end of sending it.
    let ended = text.lines().count();
    let unended = unfinished
        .into_values()
        .map(|(begun, text)| Call { begun, ended, text });
    calls.extend(unended);
    calls
}

/// The first call after line `after` that has one of these names and all of these words.
fn next<'a>(calls: &'a [Call], after: usize, names: &[&str], words: &[&str]) -> &'a Call {
    let found = calls.iter().find(|call| {
        let name = call.text.split('(').next().unwrap_or_default();
        call.begun >= after
            && names.contains(&name)
            && words.iter().all(|word| call.text.contains(word))
    });
    found.unwrap_or_else(|| {
        let seen = calls.iter().map(|call| {
            let text = call.text.get(..160).unwrap_or(&call.text);
            format!("{}-{} {text}\n", call.begun, call.ended)
        });
        let seen: String = seen.collect();
        panic!("no {names:?} of {words:?} after line {after} of\n{seen}")
    })
}

on_sqlite!(the_bytes_their_name_and_their_row_are_on_the_disk_before_the_answer);
async fn the_bytes_their_name_and_their_row_are_on_the_disk_before_the_answer(
    database: TestDatabase,
) {
    let Some(strace) = installed("strace") else {
        return;
    };
    let server = server(&database).start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("calls");
    let Some(tracer) = Tracer::attach(&strace, &server, output, FILES).await else {
        return;
    };
    // Too large for one piece, so that it is written before it has its name.
    let content = Content::seeded(1, 3 << 20).to_vec();
    let put = server.request(Method::PUT, "/api/v1/buckets/files/files/kept");
    assert_eq!(answered(put.body(content)).await.0, 201);
    let calls = tracer.calls().await;

    let renames = ["rename", "renameat", "renameat2"];
    let renamed = next(&calls, 0, &renames, &["/files/incoming/"]);
    let paths: Vec<&str> = renamed.text.split('"').skip(1).step_by(2).collect();
    let [from, to] = paths[..] else {
        panic!("from one to the other: {renamed:?}");
    };
    let shard = Path::new(to).parent().expect("a folder");
    let shard = format!("<{}>", shard.display());
    let written = next(&calls, 0, &SYNCS, &[&format!("<{from}>")]);
    assert!(written.text.ends_with("= 0"), "{written:?}");
    assert!(written.ended < renamed.begun, "{written:?} {renamed:?}");
    let named = next(&calls, renamed.ended, &SYNCS, &[&shard]);
    assert!(named.text.ends_with("= 0"), "{named:?}");
    let row = next(&calls, named.ended, &SYNCS, &["longshore.db"]);
    assert!(row.text.ends_with("= 0"), "{row:?}");
    let answer = next(&calls, 0, &SENDS, &["HTTP/1.1 201"]);
    assert!(row.ended < answer.begun, "{row:?} {answer:?}");
}

on_sqlite!(an_operation_is_on_the_disk_before_it_is_said_to_be_accepted);
async fn an_operation_is_on_the_disk_before_it_is_said_to_be_accepted(database: TestDatabase) {
    let Some(strace) = installed("strace") else {
        return;
    };
    let server = server(&database).start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("calls");
    let Some(tracer) = Tracer::attach(&strace, &server, output, ROWS).await else {
        return;
    };
    // Nothing answers there: what is accepted need not succeed.
    let body = json!({ "name": "kept-from-now-on", "sources": ["http://127.0.0.1:9/a.jpg"] });
    accepted(&server, &body).await;
    let calls = tracer.calls().await;

    let log = "/longshore.db-wal>";
    let asked = next(
        &calls,
        0,
        &["recvfrom", "read"],
        &["\"POST /api/v1/bundles "],
    );
    // The first page with its name in it is of the transaction that stores it, which ends
    // with a sync of the log.
    let writes = ["write", "pwrite64"];
    let row = next(&calls, asked.ended, &writes, &[log, "kept-from-now-on"]);
    let synced = next(&calls, row.ended, &SYNCS, &[log]);
    assert!(synced.text.ends_with("= 0"), "{synced:?}");
    let answer = next(&calls, asked.ended, &SENDS, &["HTTP/1.1 201"]);
    assert!(synced.ended < answer.begun, "{synced:?} {answer:?}");
}
