//! Large uploads, which go on where they broke off.

use super::done;
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::wire::Wire;
use crate::command_line::{Person, ended, signal};
use rustix::process::Signal;
use std::fs;
use testing::{Content, within};

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
