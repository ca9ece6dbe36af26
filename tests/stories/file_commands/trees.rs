//! Trees and pipes, both ways.

use super::{done, tree};
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::Person;
use crate::program::server;
use std::fs;
use std::path::Path;
use testing::{Content, TestDatabase, on_both};

/// Names that somebody has given to a file.
const ODD: [&str; 24] = [
    "a b",
    " leading and trailing ",
    "a+b%2Fc%41",
    "ä ö ü",
    "a\u{308} in two parts",
    "日本語.txt",
    "🚢.png",
    "a\nb",
    "a\tb\u{7}",
    "a\\b",
    "C:\\x",
    "files:a",
    "-rf",
    ".hidden",
    "...",
    "a.",
    "?q=1#x&y;z",
    "'\"`$(x)",
    "*",
    "~",
    "CON",
    "{braces}",
    "a:b@c,d",
    "%00",
];

/// A tree of some hundred files with such names and in such folders, and with one of the
/// `longest` name.
fn plant(root: &Path, longest: usize) {
    let write = |path: &str, content: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    for (number, name) in ODD.iter().enumerate() {
        let content = Content::seeded(number as u64, number as u64 * 997).to_vec();
        write(name, &content);
        write(&format!("folder {name}/{name}"), &content);
        write(&format!("deep/a/b/c/d/e/f/{name}/x"), name.as_bytes());
    }
    write(&"n".repeat(longest), b"the longest name");
    write("empty", b"");
    write("large.bin", &Content::seeded(7, 3_000_000).to_vec());
    for number in 0..200 {
        write(
            &format!("many/{number:03}.txt"),
            format!("{number}").as_bytes(),
        );
    }
}

on_disk_and_in_store!(a_tree_of_odd_names_goes_there_and_back_byte_for_byte);
async fn a_tree_of_odd_names_goes_there_and_back_byte_for_byte(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    let (here, back) = (person.folder().join("tree"), person.folder().join("back"));
    // The store of these stories makes longer names of names.
    plant(&here, if server.is_in_store() { 100 } else { 255 });
    let planted = tree(&here);
    let count = planted.len();
    assert!(count > 270, "{count}");

    let ended = person.run(&["put", "-r", "tree", "files:kept/"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.errors.contains(&format!("{count} files uploaded")),
        "{ended:?}"
    );
    let listed = done(&person, &["ls", "-r", "--json", "files:kept/"]).await;
    assert_eq!(listed.lines().count(), count);

    done(&person, &["get", "-r", "files:kept/tree/", "back"]).await;
    assert!(tree(&back) == planted, "the trees differ");

    // Once more, and nothing has to move.
    let summary = |output: &str| -> serde_json::Value {
        let last = output.lines().last().expect("a summary");
        serde_json::from_str(last).expect("JSON")
    };
    let put = [
        "put",
        "-r",
        "--skip-same",
        "--json",
        "tree/",
        "files:kept/tree",
    ];
    let put = summary(&done(&person, &put).await);
    assert_eq!((&put["done"], &put["skipped"]), (&0.into(), &count.into()));
    fs::write(back.join("empty"), "no more").expect("written");
    fs::remove_file(back.join("many/007.txt")).expect("removed");
    let get = [
        "get",
        "-r",
        "--skip-same",
        "--json",
        "-j",
        "9",
        "files:kept/tree/",
        "back/",
    ];
    let get = summary(&done(&person, &get).await);
    assert_eq!(
        (&get["done"], &get["skipped"]),
        (&2.into(), &(count - 2).into())
    );
    assert!(tree(&back) == planted, "the trees differ");
}

// A folder is asked for as a file is, and the store of other stories takes it for one.
on_both!(places_mean_the_same_whatever_lies_there);
async fn places_mean_the_same_whatever_lies_there(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    fs::create_dir_all(person.folder().join("d/e")).expect("folders");
    person.write("a.txt", "A");
    person.write("d/b.txt", "B");
    person.write("d/e/c.txt", "C");
    for arguments in [
        &["put", "a.txt", "files:one"][..],
        &["put", "a.txt", "files:into/"],
        &["put", "a.txt", ":"],
        &["put", "-r", "d", "files:as"],
        &["put", "-r", "d", "files:in/"],
        &["put", "-r", "d/", "files:of/"],
        &["put", "a.txt", "d/b.txt", "files:both/"],
    ] {
        done(&person, arguments).await;
    }
    let listed = done(&person, &["ls", "-r", "files:"]).await;
    let expected = [
        "a.txt",
        "as/b.txt",
        "as/e/c.txt",
        "both/a.txt",
        "both/b.txt",
        "in/d/b.txt",
        "in/d/e/c.txt",
        "into/a.txt",
        "of/b.txt",
        "of/e/c.txt",
        "one",
    ];
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    assert_eq!(done(&person, &["ls", "files:in"]).await, "d/\n");
    assert_eq!(done(&person, &["ls", "files:in/d"]).await, "e/\nb.txt\n");
    assert_eq!(done(&person, &["ls", "files:one"]).await, "one\n");
    let sum = done(&person, &["ls", "--sum", "files:in/d/"]).await;
    assert_eq!(sum, "2 files, 2 B\n");
    let sum = done(&person, &["ls", "--sum", "--json", "files:none/"]).await;
    assert_eq!(
        sum,
        "{\"bucket\":\"files\",\"bytes\":0,\"files\":0,\"more\":false,\"prefix\":\"none/\"}\n"
    );
    let long = done(&person, &["ls", "-l", "files:in/d/"]).await;
    assert!(
        long.lines()
            .nth(1)
            .is_some_and(|line| line.trim_start().starts_with("1  20")),
        "{long}"
    );

    person.run(&["get", ":in"]).await.refused(2, &["-r"]);
    person.run(&["put", "d", ":x"]).await.refused(2, &["-r"]);
    person
        .run(&["put", "d/b.txt", "d/e/../b.txt", ":x/"])
        .await
        .refused(2, &["b.txt"]);
    person
        .run(&["put", "a.txt", "d"])
        .await
        .refused(2, &["BUCKET:PATH"]);
    let there = |path: &str| person.folder().join(path).exists();
    fs::create_dir(person.folder().join("g")).expect("a folder");
    for (arguments, path) in [
        (&["get", "files:into/a.txt", "g"][..], "g/a.txt"),
        (&["get", "files:into/a.txt", "x.txt"], "x.txt"),
        (&["get", "files:one"], "one"),
        (&["get", "-r", "files:in", "g"], "g/in/d/e/c.txt"),
        (&["get", "-r", "files:in", "new"], "new/d/e/c.txt"),
        (&["get", "-r", "files:in/", "g"], "g/d/e/c.txt"),
        (&["get", "-r", ":", "all/"], "all/of/e/c.txt"),
    ] {
        done(&person, arguments).await;
        assert!(there(path), "{arguments:?} makes {path}");
    }
}

on_disk_and_in_store!(nothing_is_replaced_that_was_to_stay);
async fn nothing_is_replaced_that_was_to_stay(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    person.write("a.txt", "first");
    done(&person, &["put", "a.txt", ":a.txt"]).await;
    person.write("a.txt", "second");
    let kept = person.run(&["put", "-n", "a.txt", ":a.txt"]).await;
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert!(kept.errors.contains("there already"), "{kept:?}");
    assert_eq!(done(&person, &["get", ":a.txt", "-"]).await, "first");
    done(&person, &["get", "-n", ":a.txt"]).await;
    let here = fs::read_to_string(person.folder().join("a.txt"));
    assert_eq!(here.expect("a file"), "second");
    done(&person, &["get", ":a.txt"]).await;
    let here = fs::read_to_string(person.folder().join("a.txt"));
    assert_eq!(here.expect("a file"), "first");
}

on_disk_and_in_store!(pipes_flow_both_ways_and_hold_nothing_else);
async fn pipes_flow_both_ways_and_hold_nothing_else(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    let text = "a line\n".repeat(300_000);
    let put = person
        .run_with(&["put", "-", "files:piped.txt"], &text)
        .await;
    assert_eq!(put.code, Some(0), "{put:?}");
    assert_eq!(put.output, "", "what it says is no data");
    let came = person
        .came(person.command(&["get", "files:piped.txt", "-"]), "")
        .await;
    assert_eq!(came.ended.code, Some(0), "{}", came.ended.errors);
    assert!(came.out == text.as_bytes(), "the content differs");
    let came = person
        .came(
            person.command(&["get", "--json", "files:piped.txt", "-"]),
            "",
        )
        .await;
    assert!(came.out == text.as_bytes(), "events go elsewhere");
    assert!(
        came.ended.errors.contains("\"summary\""),
        "{}",
        came.ended.errors
    );
    for wrong in [
        &["put", "-", "files:folder/"][..],
        &["get", "-r", "files:", "-"],
        &["get", ":a", ":b", "-"],
    ] {
        let ended = person.run_with(wrong, "x").await;
        ended.refused(2, &[]);
    }
}

on_disk_and_in_store!(a_full_disk_and_a_closed_pipe_are_told_apart);
async fn a_full_disk_and_a_closed_pipe_are_told_apart(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    fs::write(
        person.folder().join("a.bin"),
        Content::seeded(1, 2_000_000).to_vec(),
    )
    .expect("a file");
    done(&person, &["put", "a.bin", ":"]).await;
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let mut command = person.command(&["get", ":a.bin", "-"]);
    let ended = crate::command_line::ended(command.stdout(full).spawn().expect("it starts")).await;
    assert_eq!(ended.ended.code, Some(1), "{}", ended.ended.errors);
    assert!(
        ended
            .ended
            .errors
            .contains("standard output takes nothing more")
    );
    let mut child = person
        .command(&["get", ":a.bin", "-"])
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    assert_eq!(
        crate::command_line::ended(child).await.ended.code,
        Some(141)
    );
}

on_disk_and_in_store!(a_tree_is_sent_as_far_as_it_goes_and_the_rest_is_told);
async fn a_tree_is_sent_as_far_as_it_goes_and_the_rest_is_told(berth: Berth) {
    use std::os::unix::ffi::OsStrExt;
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    let root = person.folder().join("t");
    fs::create_dir_all(root.join("empty")).expect("a folder");
    fs::write(root.join("good"), "1").expect("a file");
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"bad\xff")), "2").expect("a file");
    std::os::unix::fs::symlink("/etc", root.join("link")).expect("a link");
    let ended = person.run(&["put", "-r", "t", "files:"]).await;
    assert_eq!(ended.code, Some(10), "{ended:?}");
    assert!(ended.errors.contains("1 of 2 files failed"), "{ended:?}");
    assert!(ended.errors.contains("not UTF-8"), "{ended:?}");
    assert!(
        ended.errors.contains("link: a link, passed over"),
        "{ended:?}"
    );
    assert_eq!(done(&person, &["ls", "-r", ":"]).await, "t/good\n");
}
