//! Deleting, moving and copying on the server, and its buckets.

use super::{done, stored};
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::Person;
use crate::program::server;
use serde_json::Value;
use testing::{TestDatabase, on_both};

async fn listed(person: &Person, place: &str) -> Vec<String> {
    let output = done(person, &["ls", "-r", place]).await;
    output.lines().map(str::to_owned).collect()
}

// With a file where a folder is, which the store of other stories has not.
on_both!(files_are_deleted_when_it_was_meant);
async fn files_are_deleted_when_it_was_meant(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    for path in ["a", "t", "t/b", "t/c/d", "tt"] {
        stored(&server, path, path).await;
    }
    person
        .run(&["rm", ":a"])
        .await
        .refused(2, &["--yes", "nothing was changed"]);
    person
        .run(&["rm", "--yes", ":t/"])
        .await
        .refused(2, &["-r"]);
    person
        .run(&["rm", "--yes", "./a"])
        .await
        .refused(2, &["BUCKET:PATH"]);
    assert_eq!(listed(&person, ":").await.len(), 5);

    let ended = person.run(&["rm", "--yes", ":a"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.errors.contains("stays in the trash for 7d"),
        "{ended:?}"
    );
    let gone = person.run(&["rm", "--yes", ":a"]).await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
    done(&person, &["rm", "-r", "--yes", ":t"]).await;
    assert_eq!(listed(&person, ":").await, ["tt"]);
    let some = person.run(&["rm", "--yes", ":none", ":tt"]).await;
    assert_eq!(some.code, Some(10), "{some:?}");
    assert!(listed(&person, ":").await.is_empty());
    person
        .run(&["ls", ":t"])
        .await
        .refused(1, &["nothing at files:t"]);
    person.run(&["rm", "-r", "--yes", ":t"]).await;
}

on_disk_and_in_store!(files_move_and_are_copied_without_coming_here);
async fn files_move_and_are_copied_without_coming_here(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::admin(&server).await;
    for path in ["a", "t/b", "t/c/d"] {
        stored(&server, path, path).await;
    }
    done(&person, &["bucket", "add", "other"]).await;
    for arguments in [
        &["cp", ":a", "other:"][..],
        &["cp", ":a", ":copy"],
        &["cp", "-r", ":t", "other:in/"],
        &["mv", "-r", ":t/", "other:of"],
        &["mv", ":a", ":moved/"],
    ] {
        done(&person, arguments).await;
    }
    assert_eq!(listed(&person, ":").await, ["copy", "moved/a"]);
    assert_eq!(
        listed(&person, "other:").await,
        ["a", "in/t/b", "in/t/c/d", "of/b", "of/c/d"]
    );
    assert_eq!(done(&person, &["get", "other:of/c/d", "-"]).await, "t/c/d");

    stored(&server, "a", "new").await;
    let kept = person.run(&["cp", "-n", ":a", ":copy"]).await;
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert_eq!(done(&person, &["get", ":copy", "-"]).await, "a");
    for wrong in [
        &["cp", ":a", ":a"][..],
        &["cp", ":a", "./b"],
        &["cp", ":a", ":copy", ":moved"],
        &["mv", ":moved/", ":x"],
        &["mv", "-r", "other:in", "other:in/deeper/"],
    ] {
        person.run(wrong).await.refused(2, &[]);
    }
    person
        .run(&["mv", ":none", ":x"])
        .await
        .refused(1, &["file"]);
    person
        .run(&["mv", "-r", ":none/", ":x"])
        .await
        .refused(1, &["nothing at"]);
}

on_both!(buckets_are_made_changed_and_removed);
async fn buckets_are_made_changed_and_removed(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::admin(&server).await;
    let add = [
        "bucket", "add", "media", "--trash", "0s", "--quota", "10GiB", "--public", "on",
    ];
    done(&person, &add).await;
    let set = [
        "bucket",
        "set",
        "media:",
        "--host",
        "media.test",
        "--quota",
        "0",
        "--versions",
        "on",
    ];
    done(&person, &set).await;
    let output = done(&person, &["bucket", "ls", "--json"]).await;
    let media = output
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|bucket| bucket["name"] == "media")
        .expect("it is listed");
    assert_eq!(media["hosts"][0], "media.test");
    assert_eq!(media["trash_seconds"], 0);
    assert_eq!(media["quota_bytes"], Value::Null);
    assert_eq!(
        (&media["public_read"], &media["versions"]),
        (&true.into(), &true.into())
    );
    let table = done(&person, &["ls"]).await;
    assert!(
        table.contains("public versions") && table.contains("media.test"),
        "{table}"
    );

    person
        .run(&["bucket", "rm", "media"])
        .await
        .refused(2, &["--yes"]);
    done(&person, &["bucket", "rm", "--yes", "media"]).await;
    person
        .run(&["bucket", "rm", "--yes", "media"])
        .await
        .refused(1, &["bucket"]);
    person
        .run(&["bucket", "set", "files"])
        .await
        .refused(2, &["--trash"]);
    person
        .run(&["bucket", "add", "No"])
        .await
        .refused(2, &["3 to 63"]);
    person
        .run(&["ls", "nowhere:"])
        .await
        .refused(1, &["bucket"]);
    Person::new().run(&["ls", ":"]).await.refused(9, &["login"]);
}
