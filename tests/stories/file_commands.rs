//! `longshore put`, `get`, `ls`, `rm`, `mv`, `cp`, `bucket` and `probe`, run as a person
//! or a script runs them. What counts is what lies on either side afterwards, byte for
//! byte, and the exit codes.

mod broken;
mod hostile;
mod moving;
mod probing;
mod resuming;
mod sharing;
mod trees;

use crate::command_line::Person;
use reqwest::Method;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use testing::TestServer;

/// Every file below a folder, with its content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    crate::program::files_below(folder)
        .into_iter()
        .map(|path| {
            let content = fs::read(folder.join(&path)).expect("a file can be read");
            (path, content)
        })
        .collect()
}

/// Puts a file by way of the API, whatever it is called.
async fn stored(server: &TestServer, path: &str, content: &str) {
    let path = path.parse::<files::FilePath>().expect("a path").encode();
    let put = server
        .request(Method::PUT, &format!("/api/v1/buckets/files/files/{path}"))
        .body(content.to_owned())
        .send()
        .await
        .expect("an answer");
    assert!(put.status().is_success(), "{path}: {}", put.status());
}

/// Runs a command that goes well; what it wrote to standard output.
async fn done(person: &Person, arguments: &[&str]) -> String {
    let ended = person.run(arguments).await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended.output
}

#[tokio::test]
async fn completions_know_the_commands_of_files() {
    let person = Person::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = done(&person, &["completions", shell]).await;
        for command in ["put", "get", "rm", "mv", "cp", "bucket", "share", "probe"] {
            assert!(script.contains(command), "{command} in {shell}");
        }
        for argument in ["skip-same", "no-clobber", "password-stdin", "trash"] {
            assert!(script.contains(argument), "{argument} in {shell}");
        }
    }
}
