//! Large files, which go on where they broke off: by the line, the server or the command.

use super::done;
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::wire::Wire;
use crate::command_line::{Person, ended, signal};
use crate::program::server;
use rustix::process::Signal;
use std::fs;
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, within};

const LARGE: u64 = 40_000_000;

on_disk_and_in_store!(a_large_upload_goes_on_where_the_connection_broke);
async fn a_large_upload_goes_on_where_the_connection_broke(berth: Berth) {
    let server = berth.usual().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let content = Content::seeded(5, LARGE).to_vec();
    fs::write(person.folder().join("a.bin"), &content).expect("a file");
    let before = wire.taken();
    let child = person
        .command(&["put", "a.bin", ":a.bin"])
        .spawn()
        .expect("it starts");
    within("a part of the file", wire.takes(before + 25_000_000)).await;
    wire.cut();
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{}", came.ended.errors);
    // What was on its way may be lost, and no more.
    let taken = wire.taken() - before;
    assert!(taken < LARGE + 25_000_000, "{taken} bytes went");
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");
}

on_disk_and_in_store!(an_interrupted_upload_is_taken_back);
async fn an_interrupted_upload_is_taken_back(berth: Berth) {
    let server = berth.usual().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    fs::write(
        person.folder().join("a.bin"),
        Content::seeded(5, LARGE).to_vec(),
    )
    .expect("a file");
    let before = wire.taken();
    let child = person
        .command(&["put", "a.bin", ":a.bin"])
        .spawn()
        .expect("it starts");
    within("a part of the file", wire.takes(before + 1_000_000)).await;
    signal(&child, Signal::INT);
    let came = ended(child).await;
    came.ended.refused(130, &["interrupted"]);
    assert_eq!(done(&person, &["ls", ":"]).await, "");
    server.comes_to(0).await;
}

/// Somebody with a large file, whose commands go over a wire.
async fn with_a_file(server: &TestServer) -> (Person, Wire, Vec<u8>) {
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(server, &wire.url(), &[]).await;
    let content = Content::seeded(5, LARGE).to_vec();
    fs::write(person.folder().join("a.bin"), &content).expect("a file");
    (person, wire, content)
}

/// Starts a command, and kills it with -9 once it is under way.
async fn killed(person: &Person, arguments: &[&str], under_way: impl Future) {
    let child = person.command(arguments).spawn().expect("it starts");
    within("a part of the file", under_way).await;
    signal(&child, Signal::KILL);
    assert_eq!(ended(child).await.ended.code, None, "it was killed");
}

on_both!(an_upload_whose_command_was_killed_goes_on_where_it_was);
async fn an_upload_whose_command_was_killed_goes_on_where_it_was(database: TestDatabase) {
    let server = server(&database).start().await;
    let (person, wire, content) = with_a_file(&server).await;
    let before = wire.taken();
    let put = ["put", "a.bin", ":a.bin"];
    killed(&person, &put, wire.takes(before + 25_000_000)).await;
    done(&person, &put).await;
    // What was on its way is sent again, and no more: not all of it.
    let taken = wire.taken() - before;
    assert!(taken < LARGE + 30_000_000, "{taken} bytes went");
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");
    assert!(records(&person).is_empty());
}

on_both!(an_upload_of_a_file_that_changed_since_begins_anew);
async fn an_upload_of_a_file_that_changed_since_begins_anew(database: TestDatabase) {
    let server = server(&database).start().await;
    let (person, wire, _) = with_a_file(&server).await;
    let before = wire.taken();
    let put = ["put", "a.bin", ":a.bin"];
    killed(&person, &put, wire.takes(before + 25_000_000)).await;
    let other = Content::seeded(6, LARGE + 1).to_vec();
    fs::write(person.folder().join("a.bin"), &other).expect("a file");
    done(&person, &put).await;
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == other, "the content differs");
    // The one of before was taken back.
    let contents = crate::program::files_below(&server.data().join("files"));
    assert_eq!(contents.len(), 1, "{contents:?}");
}

on_both!(an_upload_goes_on_over_a_server_that_was_killed);
async fn an_upload_goes_on_over_a_server_that_was_killed(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let (person, wire, content) = with_a_file(&server).await;
    let before = wire.taken();
    let child = person
        .command(&["put", "a.bin", ":a.bin"])
        .spawn()
        .expect("it starts");
    within("a part of the file", wire.takes(before + 25_000_000)).await;
    server.kill9().await;
    server.start_again().await;
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{}", came.ended.errors);
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");
}

/// What commands keep of transfers.
fn records(person: &Person) -> Vec<String> {
    let folder = person.folder().join("config/state/longshore/transfers");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.to_string_lossy().into_owned()
    };
    entries.map(name).collect()
}

/// Waits until this much of a file has come to lie beside its place.
async fn came(person: &Person, bytes: u64) {
    loop {
        let part = person.files().into_iter().find(|name| {
            let about = fs::metadata(person.folder().join(name));
            name.starts_with(".longshore-") && about.is_ok_and(|about| about.len() >= bytes)
        });
        if part.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Where a server has its one file.
const FILE: &str = "/api/v1/buckets/files/files/a.bin";

fn of_version(content: &Content, tag: &str) -> Answer {
    Answer::ok(content.clone()).header("ETag", tag).ranges()
}

/// A command of somebody who would take an origin for a server.
fn fooled(person: &Person, origin: &Origin) -> tokio::process::Command {
    let mut command = person.command(&["get", ":a.bin", "b.bin"]);
    command
        .env("LONGSHORE_URL", origin.url("").trim_end_matches('/'))
        .env("LONGSHORE_TOKEN", "ls_token");
    command
}

async fn get_killed_at(person: &Person, origin: &Origin, bytes: u64) {
    let child = fooled(person, origin).spawn().expect("it starts");
    within("a part of the file", came(person, bytes)).await;
    signal(&child, Signal::KILL);
    assert_eq!(ended(child).await.ended.code, None, "it was killed");
}

#[tokio::test]
async fn a_download_whose_command_was_killed_goes_on_where_it_was() {
    let (origin, person) = (Origin::start().await, Person::new());
    let content = Content::seeded(5, LARGE);
    let first = of_version(&content, "\"one\"").stall_after(30_000_000);
    origin.put_in_turn(FILE, [first, of_version(&content, "\"one\"")]);
    get_killed_at(&person, &origin, 25_000_000).await;
    assert_eq!(records(&person).len(), 1);
    let got = person.came(fooled(&person, &origin), "").await.ended;
    assert_eq!(got.code, Some(0), "{got:?}");
    let here = fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content.to_vec(), "the content differs");
    assert_eq!(person.files(), ["b.bin"], "no part is left");
    assert!(records(&person).is_empty());
    let asked = origin.seen_of(FILE);
    assert_eq!(asked.len(), 2);
    let range = asked[1].header("range").expect("a part was asked for");
    let from = range.trim_start_matches("bytes=").trim_end_matches('-');
    assert!(
        from.parse::<u64>().expect("a byte") >= 25_000_000,
        "{range}"
    );
}

#[tokio::test]
async fn what_a_killed_download_left_is_never_mixed_with_another_content() {
    let (old, new) = (Content::seeded(5, LARGE), Content::seeded(6, LARGE + 7));
    // Another version; and the same tag for another content, as no server should.
    for tag in ["\"two\"", "\"one\""] {
        let (origin, person) = (Origin::start().await, Person::new());
        let sum = of_sum(&new);
        let first = of_version(&old, "\"one\"").stall_after(30_000_000);
        let then = of_version(&new, tag).header("Repr-Digest", &sum);
        origin.put_in_turn(FILE, [first, then]);
        get_killed_at(&person, &origin, 25_000_000).await;
        let got = person.came(fooled(&person, &origin), "").await.ended;
        assert_eq!(got.code, Some(0), "{tag}: {got:?}");
        let here = fs::read(person.folder().join("b.bin")).expect("it is there");
        assert!(here == new.to_vec(), "{tag}: the content differs");
        assert_eq!(person.files(), ["b.bin"], "no part is left");
    }
}

fn of_sum(content: &Content) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(content.to_vec());
    format!("sha-256=:{}:", data_encoding::BASE64.encode(&digest))
}
