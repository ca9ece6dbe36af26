//! Paths that would lead elsewhere, and paths that find no place of their own.

use super::{done, stored, tree};
use crate::command_line::Person;
use crate::program::server;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

on_both!(every_path_of_a_bucket_lands_in_the_folder_or_is_told);
async fn every_path_of_a_bucket_lands_in_the_folder_or_is_told(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    for (path, content) in [
        ("/etc/absolute", "absolute"),
        ("//twice", "twice"),
        ("a//b", "between"),
        ("C:\\x", "drive"),
        ("..\\up", "backslash"),
        ("marker/", ""),
        ("marker/in", "in"),
        ("full/", "a marker with a content"),
        // Two for one place.
        ("one//two", "odd"),
        ("one/two", "plain"),
        ("/same", "first"),
        ("//same", "second"),
        // A file where a folder is.
        ("both", "a file"),
        ("both/x", "in a folder"),
    ] {
        stored(&server, path, content).await;
    }
    let ended = person
        .run(&["get", "-r", "-j", "1", "files:", "down"])
        .await;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    assert!(ended.errors.contains("4 of 14 files failed"), "{ended:?}");
    for told in [
        "files:full/: failed",
        "files:one//two: failed",
        "files:both/x: failed",
    ] {
        assert!(ended.errors.contains(told), "{told}: {ended:?}");
    }
    let down = tree(&person.folder().join("down"));
    let mut expected = vec![
        ("etc/absolute", "absolute"),
        ("twice", "twice"),
        ("a/b", "between"),
        ("C:\\x", "drive"),
        ("..\\up", "backslash"),
        ("marker/in", "in"),
        ("one/two", "plain"),
        ("both", "a file"),
        // Paths come in their order, and `//` is before `/s`.
        ("same", "second"),
    ];
    expected.sort_unstable();
    let down: Vec<(PathBuf, String)> = down
        .into_iter()
        .map(|(path, content)| (path, String::from_utf8_lossy(&content).into_owned()))
        .collect();
    let expected: Vec<(PathBuf, String)> = expected
        .into_iter()
        .map(|(path, content)| (PathBuf::from(path), content.to_owned()))
        .collect();
    assert_eq!(down, expected);

    // What failed can be had by itself.
    done(&person, &["get", "files:one//two", "odd"]).await;
    let odd = fs::read_to_string(person.folder().join("odd"));
    assert_eq!(odd.expect("a file"), "odd");
}

on_both!(a_link_below_the_folder_is_not_followed);
async fn a_link_below_the_folder_is_not_followed(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    stored(&server, "t/link/passwd", "x").await;
    stored(&server, "t/file", "new").await;
    fs::create_dir(person.folder().join("t")).expect("a folder");
    fs::create_dir(person.folder().join("elsewhere")).expect("a folder");
    person.write("elsewhere/file", "old");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(person.folder().join(to), person.folder().join(name))
            .expect("a link");
    };
    link("elsewhere", "t/link");
    link("elsewhere/file", "t/file");
    let ended = person.run(&["get", "-r", "files:t", "."]).await;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    assert!(ended.errors.contains("a link is not followed"), "{ended:?}");
    let elsewhere = tree(&person.folder().join("elsewhere"));
    assert_eq!(elsewhere.len(), 1);
    assert_eq!(elsewhere[&PathBuf::from("file")], b"old");
    let file = fs::read_to_string(person.folder().join("t/file"));
    assert_eq!(file.expect("a file"), "new");
}

#[tokio::test]
async fn a_server_that_lies_writes_nothing_outside() {
    let (origin, person) = (Origin::start().await, Person::new());
    let paths = [
        "t/../../evil",
        "t/./x",
        "../evil",
        "/evil",
        "t/\0",
        "t/good",
    ];
    let items: Vec<_> = paths
        .iter()
        .map(|path| {
            json!({
                "id": "1", "path": path, "size": 4, "etag": "x",
                "modified_at": "2026-11-26T08:00:00Z",
            })
        })
        .collect();
    let page = json!({ "folders": [], "items": items, "next": null }).to_string();
    origin.answer_others(move |seen| {
        if format!("{seen:?}").contains("prefix=") {
            Answer::ok(Content::bytes(&page))
        } else {
            Answer::ok(Content::bytes("evil"))
        }
    });
    fs::create_dir(person.folder().join("down")).expect("a folder");
    let mut command = person.command(&["get", "-r", "files:t", "down"]);
    command
        .env("LONGSHORE_URL", origin.url("").trim_end_matches('/'))
        .env("LONGSHORE_TOKEN", "ls_token");
    let ended = person.came(command, "").await.ended;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    let there: Vec<PathBuf> = tree(person.folder()).into_keys().collect();
    assert_eq!(there, [PathBuf::from("down/t/good")]);
}
