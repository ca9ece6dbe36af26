//! Commands that are interrupted: what they began ends, nothing half-written stays, and what
//! they say of it is so.

use super::bundling::{SAID, part_of, stalling, the_operation};
use super::wire::Wire;
use super::{Person, ended, signal};
use crate::desk::in_state;
use crate::program::{incoming, server, stored};
use rustix::process::Signal;
use std::time::Duration;
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, on_sqlite, within};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

/// The newest of so many operations that the server has of bundles.
async fn the_newest(server: &TestServer, count: usize) -> String {
    let (_, page) = server.get("/api/v1/operations?kind=bundle").await;
    let items = page["items"].as_array().expect("a page");
    assert_eq!(items.len(), count, "{page}");
    items[0]["id"].as_str().expect("an id").to_owned()
}

/// What a command says, line by line.
struct Said(Lines<BufReader<ChildStderr>>);

impl Said {
    fn by(child: &mut Child) -> Self {
        let errors = child.stderr.take().expect("it is piped");
        Self(BufReader::new(errors).lines())
    }

    /// Waits for a line with these words.
    async fn has(&mut self, words: &str) -> String {
        loop {
            let line = within(words, self.0.next_line()).await.expect("it reads");
            let line = line.unwrap_or_else(|| panic!("it has ended without {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

on_both!(ctrl_c_before_the_first_byte_cancels_the_operation_and_leaves_no_file);
async fn ctrl_c_before_the_first_byte_cancels_the_operation_and_leaves_no_file(
    database: TestDatabase,
) {
    is_cancelled_by(&database, &[Signal::INT], 0).await;
}

on_both!(ctrl_c_and_sigterm_in_the_middle_cancel_the_operation_and_leave_no_file);
async fn ctrl_c_and_sigterm_in_the_middle_cancel_the_operation_and_leave_no_file(
    database: TestDatabase,
) {
    is_cancelled_by(&database, &[Signal::INT, Signal::TERM], 1_000_000).await;
}

/// Each of these signals, after so many bytes were given.
async fn is_cancelled_by(database: &TestDatabase, signals: &[Signal], before: u64) {
    let (server, origin) = (server(database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let list = stalling(&origin, before);
    for (round, by) in signals.iter().enumerate() {
        let child = person.start(&["bundle", "-o", "out.zip"], &list).await;
        origin
            .when("the fetching to begin", |counts| counts.requests == 1)
            .await;
        if before > 0 {
            part_of(&person, 200_000).await;
        }
        let id = the_newest(&server, round + 1).await;
        signal(&child, *by);
        let came = ended(child).await;
        let words = ["is cancelled, and nothing is left", id.as_str()];
        came.ended.refused_after(130, &words, &SAID);
        assert!(person.files().is_empty(), "{:?}", person.files());
        let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
        assert_eq!(operation["state"], "cancelled");
        origin
            .when("the fetching to end", |counts| {
                (counts.connections, counts.requests) == (0, 0)
            })
            .await;
        assert!(incoming(server.data()).is_empty());
    }
}

on_sqlite!(a_second_signal_ends_a_command_at_once_and_leaves_no_file);
async fn a_second_signal_ends_a_command_at_once_and_leaves_no_file(database: TestDatabase) {
    let server = server(&database).start().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    // Who was interrupted waits for the server's answer, which never comes.
    wire.hold_after(0);
    let list = "http://127.0.0.1:1/a";
    let child = person.start(&["bundle", "-o", "out.zip"], list).await;
    part_of(&person, 0).await;
    signal(&child, Signal::INT);
    // Two of one kind that come together are one.
    signal(&child, Signal::TERM);
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(130), "{:?}", came.ended);
    assert_eq!(came.ended.errors, "", "it waited for nothing");
    assert!(person.files().is_empty(), "{:?}", person.files());
}

on_sqlite!(signals_that_were_ignored_from_the_start_stay_ignored);
async fn signals_that_were_ignored_from_the_start_stay_ignored(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    person.write("list.txt", &stalling(&origin, 1_000_000));
    let bundle = ["bundle", "list.txt", "-o", "out.zip"];
    let mut command = person.command_ignoring("HUP INT", &bundle);
    let child = command.spawn().expect("a shell can be started");
    part_of(&person, 200_000).await;
    signal(&child, Signal::HUP);
    signal(&child, Signal::INT);
    let id = the_operation(&server).await;
    in_state(&server, &id, &["running"]).await;
    origin.release();
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(0), "{:?}", came.ended);
    assert_eq!(person.files(), ["list.txt", "out.zip"]);
}

on_sqlite!(what_ctrl_c_says_of_a_kept_one_is_so);
async fn what_ctrl_c_says_of_a_kept_one_is_so(database: TestDatabase) {
    let (mut server, origin) = (server(&database).start().await, Origin::start().await);
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let bundle = ["bundle", "-o", "out.zip", "--keep"];

    // While it is made.
    let child = person.start(&bundle, &stalling(&origin, 1_000_000)).await;
    origin
        .when("the fetching to begin", |counts| counts.requests == 1)
        .await;
    let id = the_newest(&server, 1).await;
    signal(&child, Signal::INT);
    let words = ["is cancelled, and nothing is left", id.as_str()];
    ended(child).await.ended.refused_after(130, &words, &SAID);
    assert!(stored(server.data()).is_empty());

    // While it is made, by a terminal that closes: its shell sends a signal, and the kernel
    // another, before the server has heard of the first.
    let quick = origin.put("/quick.bin", Answer::ok(Content::seeded(1, 10)));
    // It has not answered, so it stands in nobody's way.
    let waiting = origin.put("/waiting.bin", Answer::ok(Content::seeded(3, 10)).held());
    let list = format!("{quick}\n{waiting}");
    let mut child = person.start(&bundle, &list).await;
    let mut said = Said::by(&mut child);
    said.has("[1/2]").await;
    let id = the_newest(&server, 2).await;
    wire.hold_after(0);
    signal(&child, Signal::HUP);
    wire.holds().await;
    signal(&child, Signal::HUP);
    wire.let_go();
    let why = said.has("longshore: ").await;
    let words = format!("operation {id} is cancelled, and nothing is left");
    assert!(why.contains(&words), "{why}");
    assert_eq!(ended(child).await.ended.code, Some(130));
    let operation = in_state(&server, &id, &["cancelled", "failed", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled");

    // When it is made, and on its way here.
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(2, 10)).held());
    let list = format!("{quick}\n{held}");
    let mut child = person.start(&bundle, &list).await;
    let mut said = Said::by(&mut child);
    said.has("[1/2]").await;
    // It hears of its operation by now, and cannot ask for anything more.
    wire.hold_after(0);
    origin.release();
    said.has("made; fetching the archive").await;
    let id = the_newest(&server, 3).await;
    signal(&child, Signal::INT);
    let why = said.has("longshore: ").await;
    let page = format!("kept at {}/bundles/{id}", wire.url());
    assert!(why.contains(&page), "{why}");
    assert_eq!(ended(child).await.ended.code, Some(130));
    assert!(person.files().is_empty(), "{:?}", person.files());
    let (_, kept) = server.get(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(kept["state"], "succeeded", "{kept}");
    assert_eq!(stored(server.data()).len(), 1);

    // When nobody is there to be told.
    wire.let_go();
    let endless = Answer::ok(Content::endless(3)).slowly(1000, Duration::from_millis(20));
    let list = origin.put("/endless.bin", endless.chunked());
    let mut child = person.start(&bundle, &list).await;
    let mut said = Said::by(&mut child);
    said.has("operation ").await;
    let id = the_newest(&server, 4).await;
    server.kill9().await;
    signal(&child, Signal::INT);
    let why = said.has("longshore: ").await;
    assert!(why.contains(&format!("operation {id} may go on")), "{why}");
    assert_eq!(ended(child).await.ended.code, Some(130));
}
