//! Connections that break, contents that change or lie, and interruptions.

use super::{done, tree};
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::wire::Wire;
use crate::command_line::{Person, ended, signal};
use crate::program::server;
use rustix::process::Signal;
use std::fs;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

/// Where a server has its one file.
const FILE: &str = "/api/v1/buckets/files/files/a.bin";

/// A person who would take an origin for a server.
async fn fooled(person: &Person, origin: &Origin, arguments: &[&str]) -> crate::program::Ended {
    let mut command = person.command(arguments);
    command
        .env("LONGSHORE_URL", origin.url("").trim_end_matches('/'))
        .env("LONGSHORE_TOKEN", "ls_token");
    person.came(command, "").await.ended
}

on_disk_and_in_store!(a_download_goes_on_where_the_connection_broke);
async fn a_download_goes_on_where_the_connection_broke(berth: Berth) {
    let server = berth.usual().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let content = Content::seeded(3, 6_000_000).to_vec();
    fs::write(person.folder().join("a.bin"), &content).expect("a file");
    done(&person, &["put", "a.bin", ":a.bin"]).await;
    let before = wire.brought();
    wire.cut_after(4_000_000);
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    assert!(!wire.is_whole(), "it was cut");
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");
    // Nothing of it came twice but what was on its way when the wire was cut.
    let brought = wire.brought() - before;
    assert!(brought < 8_000_000, "{brought} bytes came");
    assert_eq!(person.files(), ["a.bin", "b.bin"], "no part is left");
}

on_disk_and_in_store!(a_tree_comes_whole_over_a_wire_that_breaks);
async fn a_tree_comes_whole_over_a_wire_that_breaks(berth: Berth) {
    let server = berth.usual().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let here = person.folder().join("here");
    fs::create_dir(&here).expect("a folder");
    for number in 0..450 {
        let content = Content::seeded(number, 500).to_vec();
        fs::write(here.join(format!("{number}")), content).expect("a file");
    }
    done(&person, &["put", "-r", "here/", ":t/"]).await;
    // In the first list, in the middle of the files, in a later list.
    for bytes in [30_000, 150_000, 250_000] {
        wire.cut_after(bytes);
        done(&person, &["get", "-r", ":t/", "back"]).await;
        assert!(!wire.is_whole(), "it was cut");
        assert!(
            tree(&person.folder().join("back")) == tree(&here),
            "the trees differ"
        );
        fs::remove_dir_all(person.folder().join("back")).expect("removed");
    }
}

on_disk_and_in_store!(an_upload_whose_answer_is_lost_is_sent_again);
async fn an_upload_whose_answer_is_lost_is_sent_again(berth: Berth) {
    let server = berth.usual().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let content = Content::seeded(4, 2_000_000).to_vec();
    fs::write(person.folder().join("a.bin"), &content).expect("a file");
    wire.cut_after(1);
    done(&person, &["put", "a.bin", ":a.bin"]).await;
    assert!(!wire.is_whole(), "it was cut");
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");
}

#[tokio::test]
async fn a_content_that_changes_meanwhile_is_never_mixed() {
    let (origin, person) = (Origin::start().await, Person::new());
    let (old, new) = (Content::seeded(1, 900_000), Content::seeded(2, 700_000));
    let answer =
        |content: &Content, tag: &str| Answer::ok(content.clone()).header("ETag", tag).ranges();
    let first = answer(&old, "\"old\"").cut_after(400_000);
    origin.put_in_turn(FILE, [first, answer(&new, "\"new\"")]);
    let got = fooled(&person, &origin, &["get", ":a.bin", "b.bin"]).await;
    assert_eq!(got.code, Some(0), "{got:?}");
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == new.to_vec(), "the content differs");

    // What flowed on already cannot be taken back.
    let first = answer(&old, "\"old\"").cut_after(400_000);
    origin.put_in_turn(FILE, [first, answer(&new, "\"new\"")]);
    let got = fooled(&person, &origin, &["get", "-q", ":a.bin", "-"]).await;
    assert_eq!(got.code, Some(1), "{}", got.errors);
    assert!(
        got.errors.contains("changed while it was read"),
        "{}",
        got.errors
    );
}

#[tokio::test]
async fn what_is_not_as_the_server_says_is_not_kept() {
    let (origin, person) = (Origin::start().await, Person::new());
    let wrong = Answer::ok(Content::bytes("another")).header(
        "Repr-Digest",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    );
    origin.put(FILE, wrong);
    person.write("b.bin", "what was there");
    let got = fooled(&person, &origin, &["get", ":a.bin", "b.bin"]).await;
    got.refused(9, &["not what the server says"]);
    let wrong = Answer::ok(Content::bytes("another"))
        .header("ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"");
    origin.put(FILE, wrong);
    let got = fooled(&person, &origin, &["get", ":a.bin", "b.bin"]).await;
    got.refused(9, &["not what the server says"]);
    let here = fs::read_to_string(person.folder().join("b.bin")).expect("it is there");
    assert_eq!(here, "what was there");
    assert_eq!(person.files(), ["b.bin"]);
}

#[tokio::test]
async fn a_signed_address_is_followed_without_the_token() {
    let (origin, store, person) = (Origin::start().await, Origin::start().await, Person::new());
    let signed = store.put("/a.bin?signature=x", Answer::ok(Content::bytes("stored")));
    origin.put(FILE, Answer::status(307).header("Location", &signed));
    let got = fooled(&person, &origin, &["get", ":a.bin", "b.bin"]).await;
    assert_eq!(got.code, Some(0), "{got:?}");
    let here = fs::read_to_string(person.folder().join("b.bin")).expect("it is there");
    assert_eq!(here, "stored");
    let asked = store.seen();
    assert_eq!(asked.len(), 1);
    assert!(
        !format!("{asked:?}").contains("ls_token"),
        "the token stays here"
    );
}

#[tokio::test]
async fn an_interruption_leaves_nothing_half_written() {
    let (origin, person) = (Origin::start().await, Person::new());
    origin.put(
        FILE,
        Answer::ok(Content::seeded(1, 900_000)).stall_after(400_000),
    );
    let mut command = person.command(&["get", ":a.bin", "b.bin"]);
    command
        .env("LONGSHORE_URL", origin.url("").trim_end_matches('/'))
        .env("LONGSHORE_TOKEN", "ls_token");
    let child = command.spawn().expect("it starts");
    testing::within("a part of the file", async {
        while person.files().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    signal(&child, Signal::INT);
    let ended = ended(child).await.ended;
    ended.refused(130, &["nothing half-written"]);
    assert!(tree(person.folder()).is_empty(), "{:?}", person.files());
}

on_both!(a_server_that_is_gone_ends_it_once_and_not_for_every_file);
async fn a_server_that_is_gone_ends_it_once_and_not_for_every_file(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    fs::create_dir(person.folder().join("t")).expect("a folder");
    for number in 0..50 {
        person.write(&format!("t/{number}"), "x");
    }
    server.kill9().await;
    let ended = person.run(&["put", "-r", "-j", "2", "t", ":"]).await;
    assert_eq!(ended.code, Some(9), "{ended:?}");
    assert!(ended.errors.matches("failed").count() <= 2, "{ended:?}");
}

fn file() -> Answer {
    let body = r#"{"id":"1","path":"a.bin","size":7,"etag":"e","sha256":null,"modified_at":"2026-01-01T00:00:00Z"}"#;
    Answer::ok(Content::bytes(body))
}

#[tokio::test]
async fn deleting_moving_and_copying_wait_for_a_server_that_is_busy() {
    let (origin, person) = (Origin::start().await, Person::new());
    let bucket = Answer::ok(Content::bytes(r#"{"trash_seconds":0,"versions":false}"#));
    origin.put_in_turn(
        "/api/v1/buckets/files",
        [Answer::problem(503, "unavailable"), bucket],
    );
    origin.put_in_turn(
        FILE,
        [
            Answer::problem(503, "unavailable"),
            Answer::problem(429, "too-many-requests"),
            file(),
        ],
    );
    let gone = fooled(&person, &origin, &["rm", "--yes", ":a.bin"]).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    assert_eq!(origin.seen_of(FILE).len(), 3);
    for (verb, path) in [("mv", "move"), ("cp", "copy")] {
        let path = format!("/api/v1/buckets/files/{path}");
        origin.put_in_turn(&path, [Answer::problem(503, "unavailable"), file()]);
        let done = fooled(&person, &origin, &[verb, ":a.bin", ":b.bin"]).await;
        assert_eq!(done.code, Some(0), "{verb}: {done:?}");
        assert_eq!(origin.seen_of(&path).len(), 2, "{verb}");
    }
}

on_both!(what_was_done_when_its_answer_was_lost_is_not_an_error);
async fn what_was_done_when_its_answer_was_lost_is_not_an_error(database: TestDatabase) {
    let server = server(&database).start().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    for path in ["a", "b", "c"] {
        super::stored(&server, path, path).await;
    }
    wire.cut_after(1);
    done(&person, &["mv", "-n", ":a", ":moved"]).await;
    assert!(!wire.is_whole(), "it was cut");
    wire.cut_after(1);
    done(&person, &["cp", "-n", ":b", ":copied"]).await;
    assert!(!wire.is_whole(), "it was cut");
    let listed = done(&person, &["ls", ":"]).await;
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        ["b", "c", "copied", "moved"]
    );
}
