//! A bucket in an S3-compatible store that others use, too: what they put is there, what
//! is put here is theirs under its own path, and large things go without a detour.

mod addresses;

use crate::afloat::{keep_secret, moor};
use crate::command_line::Person;
use crate::program::{a_store_of_others, files_below, s3_tool, server, sharing_a_key};
use crate::s3::Boto;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testing::{
    Content, S3Store, TestDatabase, TestServer, on_both, on_postgres, s3_client, within,
};

async fn put(server: &TestServer, path: &str, content: Vec<u8>) -> StatusCode {
    let path = format!("/api/v1/buckets/files/files/{path}");
    let put = server.request(Method::PUT, &path).body(content);
    put.send().await.expect("an answer").status()
}

async fn get(server: &TestServer, path: &str) -> (StatusCode, Vec<u8>) {
    let path = format!("/api/v1/buckets/files/files/{path}");
    let answer = server.request(Method::GET, &path).send().await;
    let answer = answer.expect("an answer");
    (
        answer.status(),
        answer.bytes().await.expect("whole").to_vec(),
    )
}

on_both!(another_tool_reads_and_writes_the_same_files);
async fn another_tool_reads_and_writes_the_same_files(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    // As somebody uses it who knows the store and not Longshore.
    let config = json!({ "s3": { "addressing_style": "path" } });
    let Some(mut boto) = Boto::at(&store.endpoint(), &config) else {
        return;
    };
    let mut theirs = async |script: &str| {
        let key = (store.access_key(), store.secret());
        boto.run(key, script).await
    };
    let server = server(&database).start().await;
    moor(&server, &store).await;
    let home = tempfile::tempdir().expect("a folder");
    let large = Content::seeded(1, 20 << 20).to_vec();
    assert_eq!(put(&server, "films/a.mp4", large.clone()).await, 201);
    assert_eq!(
        put(&server, "n%C3%A4me%20one.txt", b"cargo".to_vec()).await,
        201
    );
    let list = "for known in s3.list_objects_v2(Bucket='harbour')['Contents']: print(known['Key'])";
    let listed = theirs(list).await;
    assert_eq!(listed, "films/a.mp4\nn\u{e4}me one.txt\n");
    let file = home.path().join("file");
    let path = file.to_str().expect("text");
    let load = format!("s3.download_file('harbour', 'films/a.mp4', {path:?})");
    theirs(&load).await;
    assert!(std::fs::read(&file).expect("copied") == large, "all of it");
    // The other way round.
    std::fs::write(&file, "their cargo").expect("written");
    let key = "deep/theirs.txt";
    let send = format!("s3.upload_file({path:?}, 'harbour', {key:?})");
    theirs(&send).await;
    let (status, content) = get(&server, key).await;
    assert_eq!((status, &*content), (StatusCode::OK, &b"their cargo"[..]));
    let (status, page) = server.get("/api/v1/buckets/files/files?prefix=deep/").await;
    assert_eq!(
        (status.as_u16(), &page["items"][0]["size"]),
        (200, &json!(11))
    );
    let remove = format!("s3.delete_object(Bucket='harbour', Key={key:?})");
    theirs(&remove).await;
    assert_eq!(get(&server, key).await.0, 404);
}

// The other Longshore is the store: it takes keys that no folder on a disk takes.
on_both!(keys_go_round_exactly);
async fn keys_go_round_exactly(database: TestDatabase) {
    let other = a_store_of_others().start().await;
    let wanted = json!({ "name": "boxes", "scopes": ["files:read", "files:write"] });
    let (_, key) = other.post("/api/v1/access-keys", &wanted).await;
    let server = server(&database).start().await;
    keep_secret(&server, key["secret"].as_str().expect("a secret")).await;
    assert_eq!(server.delete("/api/v1/buckets/files").await.0, 204);
    let bucket = json!({
        "name": "files",
        "storage": {
            "kind": "s3",
            "endpoint": other.s3_url(),
            "region": "us-east-1",
            "bucket": "files",
            "prefix": "here/",
            "path_style": true,
            "access_key": key["key"],
            "secret": "harbour-key",
        },
    });
    let (status, made) = server.post("/api/v1/buckets", &bucket).await;
    assert_eq!(status, 201, "{made}");
    for (encoded, path) in [
        ("a+b%2Bc", "a+b+c"),
        ("a%20%20b", "a  b"),
        ("deep//er/", "deep//er/"),
        ("%2Fleading", "/leading"),
        ("100%25%41", "100%A"),
        ("q%3Fx=1&y%23z", "q?x=1&y#z"),
        (
            "%E6%97%A5%F0%9F%9A%A2;,:@=!$'()*",
            "\u{65e5}\u{1f6a2};,:@=!$'()*",
        ),
    ] {
        let content = format!("content of {path}").into_bytes();
        assert_eq!(put(&server, encoded, content.clone()).await, 201, "{path}");
        assert_eq!(
            get(&server, encoded).await,
            (StatusCode::OK, content),
            "{path}"
        );
        let mut url = reqwest::Url::parse(&other.url()).expect("an address");
        url.set_path("/api/v1/buckets/files/files");
        url.query_pairs_mut()
            .append_pair("prefix", &format!("here/{path}"));
        let query = url.query().expect("one");
        let (_, page) = other
            .get(&format!("/api/v1/buckets/files/files?{query}"))
            .await;
        assert_eq!(page["items"][0]["path"], format!("here/{path}"), "{page}");
    }
}

on_both!(the_command_line_makes_a_bucket_in_a_store);
async fn the_command_line_makes_a_bucket_in_a_store(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).start().await;
    keep_secret(&server, store.secret()).await;
    let person = Person::logged_in(&server).await;
    let (endpoint, key) = (store.endpoint(), store.access_key());
    let usual = [
        "bucket",
        "add",
        "media",
        "--s3-endpoint",
        &endpoint,
        "--s3-access-key",
        key,
        "--s3-secret",
        "harbour-key",
        "--s3-path-style",
        "--s3-bucket",
    ];
    let made = person.run(&[&usual[..], &["nowhere"]].concat()).await;
    made.refused(1, &["make the bucket in the store first"]);
    let wanted = [&usual[..], &[store.bucket(), "--trash", "0s"]].concat();
    let made = person.run(&wanted).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    std::fs::write(person.folder().join("a.txt"), "cargo").expect("written");
    let sent = person.run(&["put", "a.txt", "media:b/"]).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(store.keys(), ["b/a.txt"]);
    let lacking = ["bucket", "add", "other", "--s3-endpoint", &endpoint];
    let lacking = person.run(&lacking).await;
    assert_eq!(lacking.code, Some(2), "{lacking:?}");
}

on_both!(uploads_in_pieces_end_in_the_store);
async fn uploads_in_pieces_end_in_the_store(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let server = server(&database).with_s3().start().await;
    moor(&server, &store).await;
    let content = Content::seeded(2, 20 << 20).to_vec();
    let name = data_encoding::BASE64.encode(b"films/by tus.mp4");
    let upload = server
        .request(Method::POST, "/tus")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", content.len())
        .header("Upload-Metadata", format!("filename {name}"))
        .header("Content-Type", "application/offset+octet-stream")
        .body(content.clone());
    let answer = upload.send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let got = get(&server, "films/by%20tus.mp4").await;
    assert!(got == (StatusCode::OK, content.clone()), "all of it");
    let Some(python) = s3_client("python") else {
        return;
    };
    let wanted = json!({ "name": "clients", "scopes": ["files:read", "files:write"] });
    let (_, key) = server.post("/api/v1/access-keys", &wanted).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("film"), &content).expect("written");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut command = s3_tool(&python);
    command
        .args(["-c", PARTS])
        .env("AWS_ACCESS_KEY_ID", text(&key["key"]))
        .env("AWS_SECRET_ACCESS_KEY", text(&key["secret"]))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", server.s3_url())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .kill_on_drop(true);
    let output = within("boto3", command.output()).await.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let got = get(&server, "films/copied.mp4").await;
    assert!(got == (StatusCode::OK, content), "all of it");
    let keys = ["films/by boto.mp4", "films/by tus.mp4", "films/copied.mp4"];
    assert_eq!(store.keys(), keys);
    let left = files_below(&server.data().join("files"));
    assert!(left.is_empty(), "nothing stays on the disk: {left:?}");
    assert_eq!(store.unfinished(), 0);
}

/// boto3 sends in parts what is larger than 8 MiB.
const PARTS: &str = r#"
import boto3
s3 = boto3.client("s3")
s3.upload_file("film", "files", "films/by boto.mp4")
s3.copy_object(Bucket="files", Key="films/copied.mp4",
               CopySource={"Bucket": "files", "Key": "films/by boto.mp4"})
part = s3.get_object(Bucket="files", Key="films/copied.mp4", Range="bytes=9000000-9000009")
with open("film", "rb") as film:
    film.seek(9000000)
    assert part["Body"].read() == film.read(10)
"#;

on_postgres!(uploads_go_on_at_another_replica_with_a_disk_of_its_own);
async fn uploads_go_on_at_another_replica_with_a_disk_of_its_own(database: TestDatabase) {
    let Some(store) = S3Store::start().await else {
        return;
    };
    let options = sharing_a_key(server(&database)).with_s3();
    let (one, other) = (options.clone().start().await, options.start().await);
    moor(&one, &store).await;
    within("the other to hear of the bucket", async {
        while other.get("/api/v1/buckets/files").await.1["storage"]["kind"] != "s3" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let content = Content::seeded(4, 20 << 20).to_vec();
    let tus = |server: &TestServer, method: Method, path: &str| {
        let request = server.request(method, path);
        request.header("Tus-Resumable", "1.0.0")
    };
    let create = tus(&one, Method::POST, "/tus")
        .header("Upload-Length", content.len())
        .header("Upload-Metadata", "filename ZmlsbQ==");
    let begun = create.send().await.expect("an answer");
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"].to_str().expect("text");
    let path = location
        .strip_prefix(&one.url())
        .expect("it is here")
        .to_owned();
    let pieces = [0..9_000_001, 9_000_001..9_000_005, 9_000_005..content.len()];
    for (server, piece) in [&one, &other, &one].into_iter().zip(pieces) {
        let head = tus(server, Method::HEAD, &path).send().await;
        let head = head.expect("an answer");
        assert_eq!(head.headers()["upload-offset"], piece.start.to_string());
        let patch = tus(server, Method::PATCH, &path)
            .header("Upload-Offset", piece.start)
            .header("Content-Type", "application/offset+octet-stream")
            .body(content[piece].to_vec());
        assert_eq!(patch.send().await.expect("an answer").status(), 204);
    }
    assert!(
        get(&other, "film").await == (StatusCode::OK, content),
        "all of it"
    );
    let Some(python) = s3_client("python") else {
        return;
    };
    let wanted = json!({ "name": "clients", "scopes": ["files:read", "files:write"] });
    let (_, key) = one.post("/api/v1/access-keys", &wanted).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let home = tempfile::tempdir().expect("a folder");
    let mut command = s3_tool(&python);
    command
        .args(["-c", REPLICAS, &one.s3_url(), &other.s3_url()])
        .env("AWS_ACCESS_KEY_ID", text(&key["key"]))
        .env("AWS_SECRET_ACCESS_KEY", text(&key["secret"]))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", home.path())
        .kill_on_drop(true);
    let output = within("boto3", command.output()).await.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(store.keys(), ["film", "in parts"]);
    assert_eq!(store.unfinished(), 0);
}

/// Parts that go to one replica each, put together by the second.
const REPLICAS: &str = r#"
import sys, boto3
one, other = [boto3.client("s3", endpoint_url=url) for url in sys.argv[1:]]
where = {"Bucket": "files", "Key": "in parts"}
where["UploadId"] = one.create_multipart_upload(**where)["UploadId"]
parts = []
for number, (s3, body) in enumerate([(one, b"1" * (5 << 20)), (other, b"two")], 1):
    tag = s3.upload_part(PartNumber=number, Body=body, **where)["ETag"]
    parts.append({"PartNumber": number, "ETag": tag})
other.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
del where["UploadId"]
assert one.get_object(**where)["Body"].read() == b"1" * (5 << 20) + b"two"
"#;
