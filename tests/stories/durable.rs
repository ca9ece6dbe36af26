//! What is acknowledged is on the disk, as the kernel was asked: the bytes, their name, and
//! the row that says of them, before the answer goes out. By every way in.

use crate::desk::accepted;
use crate::program::server;
use crate::s3::access_key;
use crate::stored::{answered, path_of};
use reqwest::Method;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use storage::{ObjectHeaders, ObjectSettings, ObjectStore};
use testing::{Content, TestDatabase, TestServer, installed, missing, on_sqlite, within};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio_util::task::TaskTracker;

const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64,recvfrom,\
                     sendto,sendmsg,writev";
/// So much of what is written or sent is told: a page of the database as a whole.
const TOLD: &str = "4200";

const SYNCS: [&str; 2] = ["fsync", "fdatasync"];
const WRITES: [&str; 2] = ["write", "pwrite64"];
const RENAMES: [&str; 3] = ["rename", "renameat", "renameat2"];
const SENDS: [&str; 3] = ["sendto", "sendmsg", "writev"];
/// Where rows are written to.
const LOG: &str = "longshore.db-wal>";

/// A tracer at work.
struct Tracer {
    child: Child,
    output: PathBuf,
    /// Kept open: it also tells of every thread that begins, and would die of a closed pipe.
    _says: Lines<BufReader<ChildStderr>>,
}

impl Tracer {
    /// Looks at a server from now on; nothing where that is not allowed, which is said, or
    /// fails where peers are required.
    async fn attach(strace: &Path, server: &TestServer, output: PathBuf) -> Option<Self> {
        let mut child = Command::new(strace)
            .args(["-f", "-y", "-s", TOLD, "-e", CALLS, "-o"])
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
        missing(
            "strace's right to look at another process",
            "allow ptrace (CAP_SYS_PTRACE, kernel.yama.ptrace_scope)",
        );
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

impl Call {
    fn name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default()
    }

    /// The file that it is about.
    fn file(&self) -> &str {
        let file = self
            .text
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        file.unwrap_or_else(|| panic!("no file in {self:?}")).0
    }

    /// Its beginning, for who has to find out why a test fails.
    fn beginning(&self) -> String {
        let text: String = self.text.chars().take(160).collect();
        format!("{}-{} {text}", self.begun, self.ended)
    }
}

/// The first call after line `after` that has one of these names and all of these words.
fn next<'a>(calls: &'a [Call], after: usize, names: &[&str], words: &[&str]) -> &'a Call {
    let found = calls.iter().find(|call| {
        call.begun >= after
            && names.contains(&call.name())
            && words.iter().all(|word| call.text.contains(word))
    });
    found.unwrap_or_else(|| {
        let all: Vec<String> = calls.iter().map(Call::beginning).collect();
        panic!(
            "no {names:?} of {words:?} after line {after} of\n{}",
            all.join("\n")
        )
    })
}

/// The first sync of these words after line `after`, which succeeded.
fn synced<'a>(calls: &'a [Call], after: usize, words: &[&str]) -> &'a Call {
    let synced = next(calls, after, &SYNCS, words);
    assert!(synced.text.ends_with("= 0"), "{}", synced.beginning());
    synced
}

fn folder_of(file: &str) -> String {
    let folder = Path::new(file).parent().expect("a folder");
    format!("<{}>", folder.display())
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
    let Some(tracer) = Tracer::attach(&strace, &server, output).await else {
        return;
    };
    // Too large for one piece, so that it is written before it has its name.
    let content = Content::seeded(1, 3 << 20).to_vec();
    let put = server.request(Method::PUT, "/api/v1/buckets/files/files/kept");
    assert_eq!(answered(put.body(content)).await.0, 201);
    let calls = tracer.calls().await;

    let renamed = next(&calls, 0, &RENAMES, &["/files/incoming/"]);
    let paths: Vec<&str> = renamed.text.split('"').skip(1).step_by(2).collect();
    let [from, to] = paths[..] else {
        panic!("from one to the other: {}", renamed.beginning());
    };
    let written = synced(&calls, 0, &[&format!("<{from}>")]);
    assert!(written.ended < renamed.begun, "{written:?} {renamed:?}");
    let named = synced(&calls, renamed.ended, &[&folder_of(to)]);
    let row = synced(&calls, named.ended, &["longshore.db"]);
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
    let Some(tracer) = Tracer::attach(&strace, &server, output).await else {
        return;
    };
    // Nothing answers there: what is accepted need not succeed.
    let body = json!({ "name": "kept-from-now-on", "sources": ["http://127.0.0.1:9/a.jpg"] });
    accepted(&server, &body).await;
    let calls = tracer.calls().await;

    let asked = next(&calls, 0, &["recvfrom"], &["\"POST /api/v1/bundles "]);
    // The first page with its name in it is of the transaction that stores it, which ends
    // with a sync of the log.
    let row = next(&calls, asked.ended, &WRITES, &[LOG, "kept-from-now-on"]);
    let log = synced(&calls, row.ended, &[LOG]);
    let answer = next(&calls, asked.ended, &SENDS, &["HTTP/1.1 201"]);
    assert!(log.ended < answer.begun, "{log:?} {answer:?}");
}

/// A small content that was put by one request.
struct Put {
    /// What shows the request. Of one, its first 24 bytes come by themselves.
    asked: &'static str,
    content: &'static str,
    /// What the row says of it.
    row: &'static str,
    /// How the answer begins.
    answer: &'static str,
    comes: Comes,
}

/// How a content comes to its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// Written where it stays.
    AtOnce,
    /// Appended to what may become a file later.
    InPart,
    /// Appended, and in its place with that.
    AsLastPart,
}

impl Put {
    /// Looks whether all of it was on the disk before the answer, which begins after line
    /// `after`; where it ends.
    fn was_kept(&self, calls: &[Call], after: usize) -> usize {
        let asked = next(calls, after, &["recvfrom"], &[self.asked]);
        let written = next(calls, asked.ended, &WRITES, &["/files/", self.content]);
        let bytes = synced(calls, written.ended, &[&format!("<{}>", written.file())]);
        let named = match self.comes {
            Comes::AtOnce => synced(calls, bytes.ended, &[&folder_of(written.file())]).ended,
            Comes::InPart => bytes.ended,
            Comes::AsLastPart => {
                let renamed = next(calls, bytes.ended, &RENAMES, &[written.file()]);
                let to = renamed.text.split('"').nth(3).expect("to where");
                synced(calls, renamed.ended, &[&folder_of(to)]).ended
            }
        };
        let row = next(calls, named, &WRITES, &[LOG, self.row]);
        let log = synced(calls, row.ended, &[LOG]);
        let answer = next(calls, asked.ended, &SENDS, &[self.answer]);
        assert!(
            log.ended < answer.begun,
            "{} is answered before it is kept: {} {}",
            self.asked,
            log.beginning(),
            answer.beginning()
        );
        answer.ended
    }
}

on_sqlite!(by_every_way_in_a_small_content_is_on_the_disk_before_the_answer);
async fn by_every_way_in_a_small_content_is_on_the_disk_before_the_answer(database: TestDatabase) {
    let Some(strace) = installed("strace") else {
        return;
    };
    let server = server(&database).with_s3().start().await;
    let s3 = s3_client_of(&server).await;
    let tus = |method: &str, at: &str| {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = server.request(method, at);
        request.header("Tus-Resumable", "1.0.0")
    };
    let begin = tus("POST", "/tus")
        .header("Upload-Length", "18")
        // "filename by-tus"
        .header("Upload-Metadata", "filename YnktdHVz");
    let begun = begin.send().await.expect("an answer");
    assert_eq!(begun.status(), 201);
    let upload = begun.headers().get("location").expect("it is told");
    let upload = path_of(&server, upload.to_str().expect("an address"));
    let append = |offset: &str, bytes: &'static str| {
        tus("PATCH", &upload)
            .header("Upload-Offset", offset.to_owned())
            .header("Content-Type", "application/offset+octet-stream")
            .body(bytes)
    };

    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("calls");
    let Some(tracer) = Tracer::attach(&strace, &server, output).await else {
        return;
    };
    let put = server.request(Method::PUT, "/api/v1/buckets/files/files/by-put");
    assert_eq!(answered(put.body("put as it is")).await.0, 201);
    assert_eq!(answered(append("0", "one half,")).await.0, 204);
    assert_eq!(answered(append("9", "the other")).await.0, 204);
    let headers = ObjectHeaders::default();
    let put = s3.put("by-s3", "put as an object".into(), &headers).await;
    put.expect("it is taken");
    let form = "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; \
                filename=\"by-form\"\r\n\r\nput as a part\r\n--b0undary--\r\n";
    let form = server
        .request(Method::POST, "/api/v1/buckets/files/files")
        .header("Content-Type", "multipart/form-data; boundary=b0undary")
        .body(form);
    assert_eq!(answered(form).await.0, 201);
    let calls = tracer.calls().await;

    let mut after = 0;
    for put in [
        Put {
            asked: "/by-put HTTP/1.1",
            content: "\"put as it is\"",
            row: "by-put",
            answer: "\"HTTP/1.1 201 ",
            comes: Comes::AtOnce,
        },
        Put {
            asked: "\"PATCH /tus/",
            content: "\"one half,\"",
            row: "by-tus",
            answer: "\"HTTP/1.1 204 ",
            comes: Comes::InPart,
        },
        Put {
            asked: "\"PATCH /tus/",
            content: "\"the other\"",
            row: "by-tus",
            answer: "\"HTTP/1.1 204 ",
            comes: Comes::AsLastPart,
        },
        Put {
            asked: "\"PUT /files/by-s3",
            content: "\"put as an object\"",
            row: "by-s3",
            answer: "\"HTTP/1.1 200 ",
            comes: Comes::AtOnce,
        },
        Put {
            asked: "\"POST /api/v1/buckets/",
            content: "\"put as a part\"",
            row: "by-form",
            answer: "\"HTTP/1.1 201 ",
            comes: Comes::AtOnce,
        },
    ] {
        after = put.was_kept(&calls, after);
    }
}

/// A client of the server's own bucket over S3.
async fn s3_client_of(server: &TestServer) -> ObjectStore {
    let key = access_key(server, "objects", &["files:read", "files:write"]).await;
    let settings = ObjectSettings {
        endpoint: server.s3_url(),
        public_endpoint: None,
        region: "us-east-1".to_owned(),
        bucket: "files".to_owned(),
        prefix: String::new(),
        path_style: true,
        access_key: key.key,
        secret: key.secret.into(),
    };
    let here = fetch::parse_networks("127.0.0.0/8").expect("a network");
    let client = fetch::Client::new(fetch::Policy::allowing(here), fetch::Limits::default());
    ObjectStore::new(settings, &client, TaskTracker::new()).expect("it can be asked")
}
