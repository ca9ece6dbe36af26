//! `longshore bundle`, as it goes well and as it goes wrong.

use super::wire::Wire;
use super::{Person, ended};
use crate::archive::members;
use crate::desk::in_state;
use crate::program::{Ended, server, stored};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both, within};
use tokio::io::AsyncReadExt;

/// What it says of a bundle on its way: its operation, each source as it ends, what is
/// missing, and the archive.
pub(super) const SAID: [&str; 5] = ["operation ", "] ", "Missing:", "http://", "out.zip: "];

/// So many sources with some latency; their addresses, a line each.
async fn sources(origin: &Origin, count: u64) -> String {
    let mut list = String::from("# what is wanted\n\n");
    for number in 0..count {
        let answer = Answer::ok(Content::seeded(number, 20_000)).after(Duration::from_millis(10));
        list += &origin.put(&format!("/{number}.bin"), answer);
        list.push('\n');
    }
    list
}

/// A source of which so many bytes come, and then nothing more.
pub(super) fn stalling(origin: &Origin, bytes: u64) -> String {
    let answer = Answer::ok(Content::seeded(99, 5_000_000)).stall_after(bytes);
    origin.put("/stalling.bin", answer)
}

/// The one operation that the server has of bundles.
pub(super) async fn the_operation(server: &TestServer) -> String {
    let (_, page) = server.get("/api/v1/operations?kind=bundle").await;
    let items = page["items"].as_array().expect("a page");
    assert_eq!(items.len(), 1, "{page}");
    items[0]["id"].as_str().expect("an id").to_owned()
}

fn events(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// Waits until a part of an archive lies in the person's folder.
pub(super) async fn part_of(person: &Person, bytes: u64) {
    let there = || {
        person.files().iter().any(|name| {
            let file = std::fs::metadata(person.folder().join(name));
            name.ends_with(".part") && file.is_ok_and(|file| file.len() >= bytes)
        })
    };
    // The file system tells nobody.
    within("a part of the archive", async {
        while !there() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

on_both!(a_list_becomes_a_file_and_what_is_missing_is_told);
async fn a_list_becomes_a_file_and_what_is_missing_is_told(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let flaky = origin.put_in_turn(
        "/flaky.bin",
        [Answer::status(503), Answer::ok(Content::bytes("at last"))],
    );
    let missing = origin.put("/missing.bin", Answer::status(404));
    let list = format!(
        "{}{flaky}\n{missing}\nno address at all\n",
        sources(&origin, 30).await
    );
    person.write("list.txt", &list);

    let ended = person.run(&["bundle", "list.txt", "-o", "out.zip"]).await;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    assert_eq!(ended.output, "", "what it says is no data");
    assert!(
        ended.errors.contains("2 of 33 sources are missing"),
        "{ended:?}"
    );
    let listed = ended
        .errors
        .split("Missing:")
        .nth(1)
        .expect("a list at the end");
    assert!(
        listed.contains("32. ") && listed.contains("404"),
        "{listed}"
    );
    assert!(
        listed.contains("33. ") && listed.contains("refused"),
        "{listed}"
    );
    assert!(ended.errors.contains("[33/33]"), "{ended:?}");

    assert_eq!(person.files(), ["list.txt", "out.zip"], "no part is left");
    let archive = std::fs::read(person.folder().join("out.zip")).expect("it is there");
    let mut members = members(&archive);
    members.retain(|member| !member.name.starts_with("_longshore"));
    assert_eq!(members.len(), 31);
    for member in members.iter().filter(|member| member.name != "flaky.bin") {
        let number = member
            .name
            .trim_end_matches(".bin")
            .parse()
            .expect("a number");
        assert!(
            member.content == Content::seeded(number, 20_000).to_vec(),
            "{number}"
        );
    }
    assert!(stored(server.data()).is_empty(), "the server keeps nothing");
    let file = person.folder().join("out.zip");
    let tested = super::satisfies(
        "unzip",
        &[std::ffi::OsStr::new("-tq"), file.as_os_str()],
        "",
    )
    .await;
    assert_ne!(tested, Some(false), "unzip finds a fault");
}

on_both!(an_archive_flows_to_standard_output_and_nothing_else_does);
async fn an_archive_flows_to_standard_output_and_nothing_else_does(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let list = sources(&origin, 5).await;
    let array: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("http"))
        .collect();
    let input = json!(array).to_string();
    let command = person.command(&[
        "bundle",
        "-o",
        "-",
        "--json",
        "--order",
        "source",
        "--no-compress",
    ]);
    let came = person.came(command, &input).await;
    assert_eq!(came.ended.code, Some(0), "{}", came.ended.errors);
    let names: Vec<String> = members(&came.out)
        .into_iter()
        .map(|member| member.name)
        .collect();
    assert_eq!(names, ["0.bin", "1.bin", "2.bin", "3.bin", "4.bin"]);

    let events = events(&came.ended.errors);
    assert_eq!(events[0]["event"], "accepted");
    assert_eq!(events[0]["sources"], 5);
    let done = events.iter().filter(|event| event["event"] == "source");
    assert_eq!(done.filter(|event| event["state"] == "done").count(), 5);
    let summary = events.last().expect("a last event");
    assert_eq!(
        (&summary["event"], &summary["result"]),
        (&json!("summary"), &json!("complete"))
    );
    assert_eq!(summary["bytes"], 100_000);
    assert!(person.files().is_empty());
}

on_both!(json_names_the_missing_on_standard_output);
async fn json_names_the_missing_on_standard_output(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let missing = origin.put("/gone", Answer::status(410));
    let list = format!("{}{missing}", sources(&origin, 1).await);
    let ended = person
        .run_with(
            &["bundle", "-", "-o", "a.zip", "--json", "--name", "mine"],
            &list,
        )
        .await;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    let events = events(&ended.output);
    assert_eq!(events[0]["name"], "mine.zip");
    let summary = events.last().expect("a last event");
    assert_eq!(summary["result"], "incomplete");
    assert_eq!(summary["missing"][0]["source"], 1);
    assert_eq!(summary["missing"][0]["url"], missing);
    assert!(
        summary["missing"][0]["reason"]["code"].is_string(),
        "{summary}"
    );
}

on_both!(a_strict_one_and_one_of_nothing_leave_no_file);
async fn a_strict_one_and_one_of_nothing_leave_no_file(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    person.write("out.zip", "what was there before");
    let missing = origin.put(
        "/missing",
        Answer::status(404).after(Duration::from_millis(50)),
    );
    let list = format!("{}{missing}", sources(&origin, 2).await);
    let strict = person
        .run_with(&["bundle", "-o", "out.zip", "--strict"], &list)
        .await;
    strict.refused_after(11, &["strict", "404"], &SAID);
    let nothing = person
        .run_with(&["bundle", "-o", "out.zip"], &missing)
        .await;
    nothing.refused_after(11, &["404"], &SAID);
    assert_eq!(person.files(), ["out.zip"]);
    let before = std::fs::read_to_string(person.folder().join("out.zip"));
    assert_eq!(before.expect("it is there"), "what was there before");
}

/// That its only event is the last one, and says that nothing began.
fn nothing_began(ended: &Ended, code: i32) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let events = events(&ended.output);
    assert_eq!(events.len(), 1, "{ended:?}");
    let summary = &events[0];
    assert_eq!(summary["event"], "summary", "{summary}");
    assert_eq!(summary["result"], "failed", "{summary}");
    assert_eq!(summary["operation"], Value::Null, "{summary}");
    let error = summary["error"].as_str().expect("why");
    assert!(ended.errors.contains(error), "{ended:?}");
}

on_both!(what_cannot_be_written_or_read_is_refused_before_the_server_is_asked);
async fn what_cannot_be_written_or_read_is_refused_before_the_server_is_asked(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    let list = "http://127.0.0.1:1/a";
    let ended = person
        .run_with(&["bundle", "-o", "no/folder/a.zip"], list)
        .await;
    ended.refused(1, &["no/folder/a.zip", "cannot be written"]);
    let ended = person.run(&["bundle", "none.txt", "-o", "a.zip"]).await;
    ended.refused(2, &["none.txt"]);
    let ended = person
        .run_with(&["bundle", "-o", "a.zip"], "# nothing\n\n")
        .await;
    ended.refused(2, &["empty"]);
    let ended = person
        .run_with(&["bundle", "-o", "a.zip"], "[\"http://a\"")
        .await;
    ended.refused(2, &["JSON"]);
    // A program hears of it, too.
    let ended = person
        .run_with(&["bundle", "-o", "no/folder/a.zip", "--json"], list)
        .await;
    nothing_began(&ended, 1);
    let ended = person
        .run(&["bundle", "none.txt", "-o", "a.zip", "--json"])
        .await;
    nothing_began(&ended, 2);
    let bundle = ["bundle", "-o", "a.zip", "--json"];
    let mut refused = person.command(&bundle);
    refused.env("LONGSHORE_TOKEN", "lsh_wrong");
    nothing_began(&person.came(refused, list).await.ended, 9);
    let mut nobody = person.command(&bundle);
    nobody.env("LONGSHORE_URL", "http://127.0.0.1:1");
    nothing_began(&person.came(nobody, list).await.ended, 9);
    assert!(person.files().is_empty());
    let (_, page) = server.get("/api/v1/operations?kind=bundle").await;
    assert_eq!(page["items"], json!([]));
}

on_both!(a_server_killed_in_mid_stream_leaves_no_file_and_no_success);
async fn a_server_killed_in_mid_stream_leaves_no_file_and_no_success(database: TestDatabase) {
    let (mut server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    person.write("out.zip", "what was there before");
    let list = stalling(&origin, 1_000_000);
    let child = person.start(&["bundle", "-o", "out.zip"], &list).await;
    part_of(&person, 200_000).await;
    server.kill9().await;
    let came = ended(child).await;
    came.ended
        .refused_after(9, &["broke off", "not kept"], &SAID);
    assert_eq!(person.files(), ["out.zip"]);
    let before = std::fs::read_to_string(person.folder().join("out.zip"));
    assert_eq!(before.expect("it is there"), "what was there before");
}

on_both!(one_cancelled_by_somebody_else_is_told_so);
async fn one_cancelled_by_somebody_else_is_told_so(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let list = stalling(&origin, 1_000_000);
    let child = person.start(&["bundle", "-o", "out.zip"], &list).await;
    part_of(&person, 200_000).await;
    let id = the_operation(&server).await;
    let cancelled = person.run(&["ops", "cancel", &id]).await;
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    let came = ended(child).await;
    came.ended.refused_after(130, &["cancelled", &id], &SAID);
    assert!(person.files().is_empty());
}

on_both!(a_reader_that_goes_away_ends_the_operation_too);
async fn a_reader_that_goes_away_ends_the_operation_too(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let list = origin.put("/endless.bin", Answer::ok(Content::endless(1)).chunked());
    let mut child = person
        .start(&["bundle", "-o", "-", "--no-compress"], &list)
        .await;
    let mut out = child.stdout.take().expect("it is piped");
    let mut begin = [0; 4];
    within("the first bytes", out.read_exact(&mut begin))
        .await
        .expect("an archive begins");
    assert_eq!(&begin, b"PK\x03\x04");
    drop(out);
    let came = ended(child).await;
    assert_eq!(came.ended.code, Some(141), "{:?}", came.ended);
    let id = the_operation(&server).await;
    in_state(&server, &id, &["cancelled"]).await;
}

on_both!(a_kept_one_is_gone_on_with_where_it_broke_off_and_has_a_link);
async fn a_kept_one_is_gone_on_with_where_it_broke_off_and_has_a_link(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let list = origin.put("/large.bin", Answer::ok(Content::seeded(7, 6_000_000)));
    // The log and the progress of one source are a few thousand bytes.
    wire.cut_after(3_000_000);
    let ended = person
        .run_with(&["bundle", "-o", "out.zip", "--keep"], &list)
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!wire.is_whole(), "it was cut");
    let archive = std::fs::read(person.folder().join("out.zip")).expect("it is there");
    let members = members(&archive);
    assert!(members[0].content == Content::seeded(7, 6_000_000).to_vec());

    let link = ended.output.trim();
    let path = link
        .strip_prefix(&wire.url())
        .expect("a link to the server");
    let answer = server.anonymous(Method::GET, path).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    let linked = answer.bytes().await.expect("an archive");
    assert!(linked == archive, "the link gives the same");
}

on_both!(without_a_file_a_kept_one_stays_on_the_server);
async fn without_a_file_a_kept_one_stays_on_the_server(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let list = sources(&origin, 2).await;
    let ended = person.run_with(&["bundle", "--keep", "-q"], &list).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.errors, "");
    assert!(ended.output.contains("signature="), "{ended:?}");
    assert!(person.files().is_empty());
    assert_eq!(stored(server.data()).len(), 1);
}

on_both!(without_websockets_on_the_way_it_works_all_the_same);
async fn without_websockets_on_the_way_it_works_all_the_same(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let wire = Wire::to(server.port()).await;
    wire.refuse_sockets();
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    let missing = origin.put("/missing", Answer::status(404));
    let list = format!("{}{missing}", sources(&origin, 3).await);
    let ended = person.run_with(&["bundle", "-o", "out.zip"], &list).await;
    ended.refused_after(10, &["1 of 4 sources is missing"], &SAID);
    assert!(ended.errors.contains("404"), "{ended:?}");
    assert_eq!(person.files(), ["out.zip"]);
}
