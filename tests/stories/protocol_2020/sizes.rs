//! Where an archive is one message, and from which length on it is a link.

use super::{Socket, answer, ask, next, socket};
use crate::archive::contents;
use crate::program::server;
use bundles::name::EntryName;
use bundles::zip::ArchiveLength;
use reqwest::Method;
use serde_json::json;
use testing::{Answer, Content, Origin, TestDatabase, on_both};
use tokio_tungstenite::tungstenite::Message;

/// From this length on an archive is a link.
const ONE_MESSAGE: u64 = 64 << 20;

/// The name and the length of the one file in an archive of this length: it is stored as
/// it is, so that only what stands around it has to go.
fn file_of(archive: u64) -> (String, u64) {
    // Some lengths cannot be had with a name, as what stands between the blocks of a file
    // comes with the next block; a longer name shifts them.
    let names = (0..8).map(|longer| format!("{}large.jpg", "x".repeat(longer)));
    let mut fitting = names.filter_map(|text| {
        let name = EntryName::from_path(&text)?;
        let length = |file: u64| {
            let mut length = ArchiveLength::new();
            length.add_streamed(&name, file);
            length.total().expect("far from 4 GiB")
        };
        let mut file = archive;
        for _ in 0..4 {
            file = file + archive - length(file);
        }
        (length(file) == archive).then_some((text, file))
    });
    fitting.next().expect("one of them fits")
}

/// Asks for an archive of this length; the name and the content of its file.
async fn asked(socket: &mut Socket, origin: &Origin, archive: u64) -> (String, Content) {
    let (name, length) = file_of(archive);
    let content = Content::seeded(archive, length);
    let url = origin.put(&format!("/{name}"), Answer::ok(content.clone()));
    ask(socket, &json!([url])).await;
    (name, content)
}

on_both!(an_archive_of_64_mib_is_a_link_and_one_byte_less_is_a_message);
async fn an_archive_of_64_mib_is_a_link_and_one_byte_less_is_a_message(database: TestDatabase) {
    let origin = Origin::start().await;
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;

    let (name, content) = asked(&mut socket, &origin, ONE_MESSAGE - 1).await;
    let (texts, archive) = answer(&mut socket).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(archive.len() as u64, ONE_MESSAGE - 1);
    assert!(contents(&archive)[&name] == content.to_vec());

    let (name, content) = asked(&mut socket, &origin, ONE_MESSAGE).await;
    let Message::Text(text) = next(&mut socket).await else {
        panic!("no text of the file")
    };
    assert!(text.contains(&name), "{text}");
    let Message::Text(link) = next(&mut socket).await else {
        panic!("no link")
    };
    let path = link
        .strip_prefix(&server.url())
        .expect("an address of this server");
    // The link works without a password.
    let answer = server
        .anonymous(Method::GET, path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let archive = answer.bytes().await.expect("whole");
    assert_eq!(archive.len() as u64, ONE_MESSAGE);
    assert!(contents(&archive)[&name] == content.to_vec());
}
