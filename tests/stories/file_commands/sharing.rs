//! Links for those who have no login, and signed addresses.

use super::{done, stored};
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::command_line::Person;
use reqwest::Method;
use serde_json::Value;
use testing::{Content, TestServer};

/// What somebody gets by a link, who has nothing but that.
async fn by_link(server: &TestServer, link: &str) -> (u16, String) {
    let path = link
        .trim()
        .strip_prefix(&server.url())
        .expect("an address here");
    let request = server.anonymous(Method::GET, &format!("{path}/download"));
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap_or_default())
}

on_disk_and_in_store!(a_link_is_made_listed_and_taken_back);
async fn a_link_is_made_listed_and_taken_back(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::logged_in(&server).await;
    stored(&server, "d/a b.txt", "shared").await;

    let link = done(&person, &["share", ":d/a b.txt", "--downloads", "1"]).await;
    assert_eq!(link.lines().count(), 1, "{link}");
    assert_eq!(by_link(&server, &link).await, (200, "shared".to_owned()));
    assert_eq!(by_link(&server, &link).await.0, 410);

    let never = [
        "share",
        ":d/",
        "--expires",
        "never",
        "--json",
        "--password-stdin",
    ];
    let ended = person.run_with(&never, "a long password\n").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let folder: Value = serde_json::from_str(&ended.output).expect("JSON");
    assert_eq!(folder["expires_at"], Value::Null);
    assert_eq!(folder["has_password"], true);
    let link = folder["url"].as_str().expect("a link");
    assert_ne!(
        by_link(&server, link).await.0,
        200,
        "it asks for a password"
    );

    let listed = done(&person, &["share", "ls"]).await;
    assert!(
        listed.contains("d/a b.txt") && listed.contains("1/1"),
        "{listed}"
    );
    let listed = done(&person, &["share", "ls", "files:", "--json"]).await;
    for share in listed.lines() {
        let share: Value = serde_json::from_str(share).expect("JSON");
        let id = share["id"].as_str().expect("an id");
        done(&person, &["share", "rm", id]).await;
    }
    assert_eq!(done(&person, &["share", "ls", "--json"]).await, "");
    assert_eq!(by_link(&server, link).await.0, 404);
    person.run(&["share", ":none"]).await.refused(1, &["file"]);
    let nothing = person.run(&["share"]).await;
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    person
        .run(&["share", "rm", "../users"])
        .await
        .refused(2, &["share ls"]);
}

on_disk_and_in_store!(a_large_file_is_got_by_its_signed_address);
async fn a_large_file_is_got_by_its_signed_address(berth: Berth) {
    let server = berth.usual().await;
    let person = Person::admin(&server).await;
    let content = Content::seeded(1, 300_000).to_vec();
    std::fs::write(person.folder().join("a.bin"), &content).expect("a file");
    done(
        &person,
        &["bucket", "set", "files", "--redirect-above", "100KiB"],
    )
    .await;
    done(&person, &["put", "a.bin", ":"]).await;
    let asked = server.request(Method::GET, "/api/v1/buckets/files/files/a.bin");
    assert_eq!(asked.send().await.expect("an answer").status(), 307);
    done(&person, &["get", ":a.bin", "b.bin"]).await;
    let here = std::fs::read(person.folder().join("b.bin")).expect("it is there");
    assert!(here == content, "the content differs");

    let report = done(&person, &["probe", "--json"]).await;
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let signed = &report["steps"][3];
    assert_eq!(signed["step"], "presigned download");
    assert_eq!(signed["state"], "ok");
}
