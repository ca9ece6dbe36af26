//! The real binary: as a server that stays, and run to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use storage::{Db, DbSettings};
use testing::{ServerOptions, TestDatabase, TestServer, within};
use tokio::process::Command;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_longshore");

/// A server about to be started. Every story that has one says on which database, so
/// that none is left out on the other.
pub(crate) fn server(database: &TestDatabase) -> ServerOptions {
    ServerOptions::new(BINARY).on(database)
}

/// Another Longshore, on a database of its own, that stands for a store of somebody else.
pub(crate) fn a_store_of_others() -> ServerOptions {
    ServerOptions::new(BINARY).with_s3()
}

/// A tool for S3 that knows nothing of the machine's own accounts.
pub(crate) fn s3_tool(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Several servers on one database: they share its master key.
pub(crate) fn sharing_a_key(options: ServerOptions) -> ServerOptions {
    options.data_file("master.key", &access::MasterKeys::generate().file())
}

/// What a command that opens the database of a server itself has to be told.
pub(crate) fn variables(database: &TestDatabase) -> Vec<(&str, &str)> {
    let url = database.postgres_url();
    url.map(|url| ("LONGSHORE_DATABASE", url))
        .into_iter()
        .collect()
}

/// The database of a server, which need not run.
pub(crate) async fn opened(server: &TestServer, database: &TestDatabase) -> Db {
    let settings = match database.postgres_url() {
        Some(url) => DbSettings::Postgres(url.to_owned()),
        None => DbSettings::Sqlite(server.data().join("longshore.db")),
    };
    Db::open(&settings).await.expect("the schema is ours")
}

/// What a machine that is busy may have the program log.
const ANY_TIME: [&str; 1] = ["a slow statement"];

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    /// Ended with `code`, saying one line on standard error, which has all of `words`, and
    /// nothing else.
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        self.refused_after(code, words, &[]);
    }

    /// The same, after lines that are said on purpose: each has one of these in it.
    pub(crate) fn refused_after(&self, code: i32, words: &[&str], said: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.output, "", "standard output is for what was asked for");
        let (why, other): (Vec<&str>, Vec<&str>) = self
            .errors
            .lines()
            .partition(|line| line.starts_with("longshore: "));
        assert_eq!(why.len(), 1, "one line says why: {self:?}");
        for word in words {
            assert!(why[0].contains(word), "{word:?} is not in {:?}", why[0]);
        }
        for line in other {
            let meant = said.iter().chain(&ANY_TIME).any(|word| line.contains(word));
            assert!(meant, "nobody asked for {line:?} in {self:?}");
        }
    }
}

/// Runs the binary with these arguments and variables, and waits for its end.
pub(crate) async fn ends(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Ended {
    let chosen = std::env::var_os("LONGSHORE_BIN").map(PathBuf::from);
    let mut command = Command::new(chosen.unwrap_or_else(|| PathBuf::from(BINARY)));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LONGSHORE_") {
            command.env_remove(name);
        }
    }
    let ended = command
        .args(arguments)
        // Its usual port is one for all tests.
        .env("LONGSHORE_S3_LISTEN", "off")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = within("longshore to end", ended)
        .await
        .expect("longshore can be started");
    Ended {
        code: ended.status.code(),
        output: String::from_utf8_lossy(&ended.stdout).into_owned(),
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

/// The files below a folder, with their paths from there on, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_none_or(|end| end != "lock") {
                // Locks of processes are nothing that anybody stored.
                found.push(path.strip_prefix(root).unwrap_or(&path).to_path_buf());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// Where half-written archives lie.
pub(crate) fn incoming(data: &Path) -> Vec<PathBuf> {
    files_below(&data.join("blobs/incoming"))
}

/// The archives that are stored.
pub(crate) fn stored(data: &Path) -> Vec<PathBuf> {
    let mut found = files_below(&data.join("blobs"));
    found.retain(|path| !path.starts_with("incoming"));
    found
}
