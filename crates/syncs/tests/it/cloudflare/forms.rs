//! What is sent to Images, taken apart by a parser that is not ours, and compared with what
//! Cloudflare's own client sends.

use super::{client, images_settings};
use crate::shore::{Cargo, Shore};
use crate::syncs::target::cloudflare::{
    Account, AccountSettings, Accounts, Images, ImagesSettings,
};
use serde_json::{Value, json};
use std::process::Stdio;
use testing::{FormServer, cloudflare_peer, within};
use tokio::process::Command;

const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
const TOKEN: &str = "a-token-of-an-account";
/// A name that has to be quoted, and is not ASCII.
const NAME: &str = "a \"b\"; c=d \u{fc} 100%.png";

fn account(server: &FormServer) -> Account {
    let api = Some(format!("{}/client/v4", server.url()));
    let settings = AccountSettings::new(ACCOUNT.to_owned(), TOKEN.to_owned().into(), api);
    Accounts::default().open(settings, &client()).unwrap()
}

fn cargo() -> Cargo {
    let mut cargo = Cargo::picture("7/\u{fc}", 200_001);
    NAME.clone_into(&mut cargo.item.name);
    cargo
        .item
        .metadata
        .insert("place".to_owned(), json!("K\u{f6}ln \"=&\r\n--"));
    cargo
}

/// The parts of the only form that came.
async fn only_form(server: &FormServer) -> Vec<Value> {
    let taken = server.taken().await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(
        taken[0]["path"],
        format!("/client/v4/accounts/{ACCOUNT}/images/v1")
    );
    assert_eq!(taken[0]["authorization"], format!("Bearer {TOKEN}"));
    taken[0]["parts"].as_array().cloned().unwrap()
}

fn file(cargo: &Cargo) -> Value {
    json!({
        "name": "file",
        "filename": NAME,
        "type": "image/png",
        "size": 200_001,
        "sha256": cargo.sha256(),
    })
}

/// The field of this name, as JSON.
fn field(parts: &[Value], name: &str) -> Value {
    let part = parts.iter().find(|part| part["name"] == name).unwrap();
    serde_json::from_str(part["value"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn another_parser_finds_every_field_as_it_was_meant() {
    let Some(server) = FormServer::start().await else {
        return;
    };
    let cargo = cargo();
    let settings = ImagesSettings {
        creator: Some("anna".to_owned()),
        ..images_settings()
    };
    let target = Images::new(account(&server), settings);
    let (id, _) = Shore::of(&cargo).deliver(&target, &cargo.item).await;
    assert_eq!(id, "file/7/\u{fc}");
    let parts = only_form(&server).await;
    let names: Vec<_> = parts.iter().map(|part| part["name"].clone()).collect();
    assert_eq!(names, ["id", "metadata", "creator", "file"]);
    assert_eq!(parts[0]["value"], "file/7/\u{fc}");
    assert_eq!(field(&parts, "metadata")["place"], "K\u{f6}ln \"=&\r\n--");
    assert!(parts[1]["value"].as_str().unwrap().len() <= 1024);
    assert_eq!(parts[2]["value"], "anna");
    assert_eq!(parts[3], file(&cargo));
}

#[tokio::test]
async fn another_parser_finds_that_a_picture_is_served_by_signed_urls() {
    let Some(server) = FormServer::start().await else {
        return;
    };
    let cargo = cargo();
    let settings = ImagesSettings {
        signed: true,
        ..images_settings()
    };
    let target = Images::new(account(&server), settings);
    let (id, _) = Shore::of(&cargo).deliver(&target, &cargo.item).await;
    assert_eq!(id, "an id of its own");
    let parts = only_form(&server).await;
    let names: Vec<_> = parts.iter().map(|part| part["name"].clone()).collect();
    assert_eq!(names, ["metadata", "requireSignedURLs", "file"]);
    assert_eq!(parts[1]["value"], "true");
    assert_eq!(parts[2], file(&cargo));
}

/// Sends what stands in the arguments, as it is, by Cloudflare's client of npm.
const SCRIPT: &str = r#"
import Cloudflare, { toFile } from "cloudflare";
const [baseURL, account_id, apiToken, name, metadata] = process.argv.slice(1);
const pieces = [];
for await (const piece of process.stdin) pieces.push(piece);
const file = await toFile(Buffer.concat(pieces), name, { type: "image/png" });
const client = new Cloudflare({ apiToken, baseURL, maxRetries: 0 });
await client.images.v1.create({ account_id, file, metadata, requireSignedURLs: true });
"#;

#[tokio::test]
async fn cloudflares_own_client_sends_the_same() {
    let (Some(folder), Some(node)) = (cloudflare_peer(), testing::installed("node")) else {
        return;
    };
    let (Some(ours), Some(theirs)) = (FormServer::start().await, FormServer::start().await) else {
        return;
    };
    let cargo = cargo();
    let settings = ImagesSettings {
        signed: true,
        ..images_settings()
    };
    let target = Images::new(account(&ours), settings);
    Shore::of(&cargo).deliver(&target, &cargo.item).await;
    let mut sent = only_form(&ours).await;
    let metadata = sent[0]["value"].as_str().unwrap();
    let folder_of_content = tempfile::tempdir().unwrap();
    let content = folder_of_content.path().join("content");
    std::fs::write(&content, cargo.content.to_vec()).unwrap();
    let output = Command::new(node)
        .args(["--input-type=module", "--eval", SCRIPT])
        .args([&*format!("{}/client/v4", theirs.url()), ACCOUNT, TOKEN])
        .args([NAME, metadata])
        .current_dir(folder)
        .stdin(Stdio::from(std::fs::File::open(content).unwrap()))
        .kill_on_drop(true)
        .output();
    let output = within("the client", output).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut expected = only_form(&theirs).await;
    let by_name = |part: &Value| part["name"].to_string();
    sent.sort_by_key(by_name);
    expected.sort_by_key(by_name);
    assert_eq!(sent, expected);
}
