//! As many files of a real nginx as the README says: by plain curl (streamed, kept, and
//! gone on with), by the command line and by the protocol of 2020. Not in a
//! browser: what console/e2e/bundle.spec.ts saves comes from a server of its own.

use crate::archive::{contents, is_sound, run};
use crate::command_line::Person;
use crate::desk::{ended, id_of};
use crate::program::{server, stored};
use crate::protocol_2020::{answer, ask, socket};
use serde_json::{Value, json};
use std::fs;
use testing::{Content, Nginx, TestDatabase, installed, on_both};

/// As many files as the README promises.
const FILES: u64 = 500;

fn content(number: u64) -> Vec<u8> {
    Content::seeded(number, 100 + number * 13 % 4000).to_vec()
}

/// A folder of files behind a real nginx, and the list of their addresses as JSON.
async fn served() -> Option<(Nginx, tempfile::TempDir, Value)> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for number in 0..FILES {
        let file = folder.path().join(format!("{number}.jpg"));
        fs::write(file, content(number)).expect("a temporary folder takes files");
    }
    let nginx = Nginx::serving(folder.path()).await?;
    let urls: Vec<String> = (0..FILES)
        .map(|number| format!("{}/{number}.jpg", nginx.url()))
        .collect();
    Some((nginx, folder, json!({ "name": "covers", "sources": urls })))
}

/// The options with which everybody calls curl.
fn curl<'a>(user: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let always = [
        "--silent",
        "--show-error",
        "--fail",
        "--max-time",
        "60",
        "--user",
        user,
    ];
    always.iter().copied().chain(more.iter().copied()).collect()
}

fn is_all_of_it(archive: &[u8]) {
    let contents = contents(archive);
    assert_eq!(contents.len() as u64, FILES);
    for number in 0..FILES {
        assert!(
            contents[&format!("{number}.jpg")] == self::content(number),
            "{number}"
        );
    }
}

on_both!(plain_curl_saves_the_zip_of_500_files_of_a_real_nginx);
async fn plain_curl_saves_the_zip_of_500_files_of_a_real_nginx(database: TestDatabase) {
    let Some(program) = installed("curl") else {
        return;
    };
    let Some((_nginx, folder, list)) = served().await else {
        return;
    };
    let server = server(&database).start().await;
    let user = format!("admin:{}", server.admin_password());
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(file("list.json"), list.to_string()).expect("it takes files");
    let (post, kind) = (
        format!("@{}", file("list.json")),
        "Content-Type: application/json",
    );
    let bundles = format!("{}/api/v1/bundles", server.url());

    let stream = format!("{bundles}?stream=1");
    let saved = file("streamed.zip");
    let arguments = [
        "--header", kind, "--data", &post, "--output", &saved, &stream,
    ];
    run(program.clone(), &curl(&user, &arguments)).await;
    let archive = fs::read(&saved).expect("curl saved it");
    is_all_of_it(&archive);
    is_sound(&archive, 500).await;
    assert!(
        stored(server.data()).is_empty(),
        "a streamed one is not kept"
    );

    let said = run(
        program.clone(),
        &curl(&user, &["--header", kind, "--data", &post, &bundles]),
    )
    .await;
    let bundle: Value = serde_json::from_str(&said).expect("JSON");
    let url = format!(
        "{bundles}/{}/archive",
        bundle["id"].as_str().expect("an id")
    );
    let saved = file("kept.zip");
    run(program.clone(), &curl(&user, &["--output", &saved, &url])).await;
    let archive = fs::read(&saved).expect("curl saved it");
    is_all_of_it(&archive);
    is_sound(&archive, 500).await;
    let bundle = ended(&server, &id_of(&bundle)).await;
    assert_eq!(bundle["state"], "succeeded", "{bundle:#}");
    assert_eq!(bundle["done"], 500);

    // A download that broke off is gone on with, as people do.
    let part = file("resumed.zip");
    fs::write(&part, &archive[..archive.len() / 3]).expect("it takes files");
    run(
        program,
        &curl(&user, &["--continue-at", "-", "--output", &part, &url]),
    )
    .await;
    assert!(fs::read(&part).expect("there") == archive, "byte for byte");
}

on_both!(the_command_line_and_the_protocol_of_2020_give_the_same_500_files);
async fn the_command_line_and_the_protocol_of_2020_give_the_same_500_files(database: TestDatabase) {
    let Some((_nginx, _folder, list)) = served().await else {
        return;
    };
    let server = server(&database).start().await;
    let urls = list["sources"].as_array().expect("a list");
    let lines: Vec<&str> = urls.iter().filter_map(Value::as_str).collect();

    let person = Person::logged_in(&server).await;
    person.write("list.txt", &lines.join("\n"));
    let ended = person.run(&["bundle", "list.txt", "-o", "out.zip"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let archive = fs::read(person.folder().join("out.zip")).expect("it was saved");
    is_all_of_it(&archive);

    let mut socket = socket(&server, server.port(), "/ws").await;
    ask(&mut socket, &list["sources"]).await;
    let (texts, archive) = answer(&mut socket).await;
    assert_eq!(texts.len() as u64, FILES);
    is_all_of_it(&archive);
}
