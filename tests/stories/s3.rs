//! The S3 port, asked by the clients that people have: boto3, the AWS command line,
//! rclone and s3cmd, each as it comes; and by hand for what none of them does.

mod boto;

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::program::{ends, s3_tool};
pub(crate) use boto::Boto;
use reqwest::Method;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testing::{ServerOptions, TestServer, installed, s3_client, size};
use tokio::process::Command;

/// How long a client may take with everything.
fn long() -> std::time::Duration {
    std::time::Duration::from_secs(size(240, 1800))
}

/// An access key, as clients want it.
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) id: String,
}

pub(crate) async fn access_key(server: &TestServer, name: &str, scopes: &[&str]) -> Key {
    let wanted = json!({ "name": name, "scopes": scopes });
    let (status, made) = server.post("/api/v1/access-keys", &wanted).await;
    assert_eq!(status, 201, "{made}");
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    Key {
        key: text("key"),
        secret: text("secret"),
        id: text("id"),
    }
}

async fn usual_key(server: &TestServer) -> Key {
    access_key(server, "clients", &["files:read", "files:write"]).await
}

/// A client that knows where to ask, and nothing of the machine's own.
fn of_endpoint(program: &Path, endpoint: &str, home: &Path) -> Command {
    let mut command = s3_tool(program);
    command
        .env("HOME", home)
        .env("ENDPOINT", endpoint)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The same, which knows as whom, too.
fn client(program: &Path, server: &TestServer, key: &Key, home: &Path) -> Command {
    let mut command = of_endpoint(program, &server.s3_url(), home);
    command
        .env("KEY", &key.key)
        .env("SECRET", &key.secret)
        .env("AWS_ACCESS_KEY_ID", &key.key)
        .env("AWS_SECRET_ACCESS_KEY", &key.secret);
    command
}

/// Runs a client to its end, which must be a good one; what it said.
async fn content(mut command: Command) -> String {
    let output = tokio::time::timeout(long(), command.output()).await;
    let output = output.expect("it ends in time").expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

async fn python(script: &str, server: &Afloat, key: &Key) -> Option<String> {
    let python = s3_client("python")?;
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("script.py");
    std::fs::write(&file, script).expect("a script");
    for (name, beside) in [
        ("asking.py", include_str!("s3/asking.py")),
        ("changes.py", include_str!("s3/changes.py")),
    ] {
        std::fs::write(home.path().join(name), beside).expect("a script");
    }
    let mut command = client(&python, server, key, home.path());
    command.arg(&file);
    if server.is_in_store() {
        // The store of these stories keeps objects as files of a disk.
        command.env("KEYS_ARE_PATHS", "1");
    }
    Some(content(command).await)
}

on_disk_and_in_store!(boto3_works_unchanged);
async fn boto3_works_unchanged(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    python(include_str!("s3/boto.py"), &server, &key).await;
    emptied(&server).await;
    server.comes_to(0).await;
    assert_eq!(server.unfinished(), 0);
}

/// Removes what buckets hold, their pasts too, by what they tell of it: bytes that are left
/// then are nobody's.
async fn emptied(server: &Afloat) {
    let items = async |path: String| {
        let (status, page) = server.get(&path).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["next"], Value::Null, "they are few: {page}");
        page["items"].as_array().expect("a list").clone()
    };
    for bucket in items("/api/v1/buckets".to_owned()).await {
        let bucket = format!("/api/v1/buckets/{}", bucket["name"].as_str().expect("one"));
        for file in items(format!("{bucket}/files?limit=200")).await {
            let path = file["path"].as_str().expect("a path").bytes();
            let path: String = path.map(|byte| format!("%{byte:02X}")).collect();
            let (status, gone) = server.delete(&format!("{bucket}/files/{path}")).await;
            assert!(status.is_success(), "{file}: {gone}");
        }
        for heap in ["trash", "versions"] {
            for past in items(format!("{bucket}/{heap}?limit=200")).await {
                let path = format!("{bucket}/past/{}", past["id"].as_str().expect("one"));
                let (status, gone) = server.delete(&path).await;
                assert!(status.is_success(), "{past}: {gone}");
            }
        }
    }
}

on_disk_and_in_store!(what_no_client_sends_is_refused_and_leaves_nothing);
async fn what_no_client_sends_is_refused_and_leaves_nothing(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    let ran = python(include_str!("s3/handmade.py"), &server, &key).await;
    if ran.is_none() {
        return;
    }
    let (_, page) = server.get("/api/v1/buckets/files/files").await;
    let files: Vec<&Value> = page["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|file| &file["path"])
        .collect();
    // What was sent rightly, to show what is wrong with the rest.
    let right = [
        "chunked.txt",
        "given away+.txt",
        "hand made+.txt",
        "in time.txt",
    ];
    assert_eq!(files, right);
    server.comes_to(right.len()).await;
    assert_eq!(server.unfinished(), 0);
}

/// Names that trip clients and servers up, a file large enough for parts, and `many` small
/// ones.
fn tree(below: &Path, many: u32) {
    let write = |name: &str, content: &[u8]| {
        let path = below.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, content).expect("a file");
    };
    for name in [
        "plain.txt",
        "a b/c d.txt",
        "a+b/c+d.txt",
        "100%.txt",
        "ä/ö ü.txt",
        "quotes'\"<>&.txt",
        "日本語/🚢.txt",
        "semi;colon,comma@at=is.txt",
        "deep/er/and/deep/er/still.txt",
        "...dots",
        "[brackets]{braces}.txt",
    ] {
        write(name, name.as_bytes());
    }
    write("empty", b"");
    let large: Vec<u8> = (0..17_u32 << 20).map(|at| (at % 251) as u8).collect();
    write("large.bin", &large);
    for number in 0..many {
        write(
            &format!("many/{}/{number}.txt", number % 20),
            format!("{number}").as_bytes(),
        );
    }
}

fn same(one: &Path, other: &Path) {
    let files = crate::program::files_below(one);
    assert_eq!(files, crate::program::files_below(other));
    for file in files {
        let read = |root: &Path| std::fs::read(root.join(&file)).expect("a file");
        assert!(read(one) == read(other), "{}", file.display());
    }
}

on_disk_and_in_store!(rclone_syncs_a_tree_both_ways_and_finds_no_difference);
async fn rclone_syncs_a_tree_both_ways_and_finds_no_difference(berth: Berth) {
    let Some(rclone) = installed("rclone") else {
        return;
    };
    let server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    let home = tempfile::tempdir().expect("a folder");
    let (from, back) = (home.path().join("from"), home.path().join("back"));
    let many = size(40, 10_000);
    tree(&from, many);
    let run = |arguments: &[&OsStr]| {
        let mut command = client(&rclone, &server, &key, home.path());
        command
            .env("RCLONE_CONFIG_HERE_TYPE", "s3")
            .env("RCLONE_CONFIG_HERE_PROVIDER", "Other")
            .env("RCLONE_CONFIG_HERE_ENV_AUTH", "true")
            .env("RCLONE_CONFIG_HERE_ENDPOINT", server.s3_url())
            .env("RCLONE_S3_UPLOAD_CUTOFF", "6M")
            .env("RCLONE_S3_CHUNK_SIZE", "5M")
            .args(["--retries", "1", "--low-level-retries", "1"])
            .args(arguments);
        content(command)
    };
    let there = OsStr::new("here:files/tree");
    let checks = async |one: &OsStr, other: &OsStr| {
        run(&["check".as_ref(), one, other]).await;
        run(&["check".as_ref(), "--download".as_ref(), one, other]).await;
    };
    run(&["sync".as_ref(), from.as_os_str(), there]).await;
    checks(from.as_os_str(), there).await;
    run(&["sync".as_ref(), there, back.as_os_str()]).await;
    checks(there, back.as_os_str()).await;
    same(&from, &back);
    assert!(crate::program::files_below(&back).len() > many as usize);
    // What has not changed is not sent again, though only its time is looked at.
    std::fs::write(from.join("plain.txt"), "changed").expect("a file");
    std::fs::remove_file(from.join("many/7/7.txt")).expect("a file");
    run(&["sync".as_ref(), from.as_os_str(), there]).await;
    run(&["check".as_ref(), from.as_os_str(), there]).await;
    run(&["sync".as_ref(), there, back.as_os_str()]).await;
    run(&["check".as_ref(), there, back.as_os_str()]).await;
    same(&from, &back);
    run(&["mkdir".as_ref(), "here:another".as_ref()]).await;
    run(&["purge".as_ref(), there]).await;
    let listed = run(&["lsf".as_ref(), "here:files".as_ref()]).await;
    assert_eq!(listed, "");
    run(&["rmdir".as_ref(), "here:another".as_ref()]).await;
}

on_disk_and_in_store!(the_command_line_of_aws_works_unchanged);
async fn the_command_line_of_aws_works_unchanged(berth: Berth) {
    let Some(aws) = s3_client("aws") else {
        return;
    };
    let server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    let home = tempfile::tempdir().expect("a folder");
    let (from, back) = (home.path().join("from"), home.path().join("back"));
    tree(&from, 40);
    let run = |arguments: &[&OsStr]| {
        let mut command = client(&aws, &server, &key, home.path());
        command.arg("s3").args(arguments);
        content(command)
    };
    let there = OsStr::new("s3://files/a tree+");
    run(&["mb".as_ref(), "s3://mine".as_ref()]).await;
    run(&[
        "cp".as_ref(),
        "--recursive".as_ref(),
        from.as_os_str(),
        there,
    ])
    .await;
    run(&["sync".as_ref(), there, back.as_os_str()]).await;
    same(&from, &back);
    let again = run(&["sync".as_ref(), from.as_os_str(), there]).await;
    assert_eq!(again, "", "nothing is left to do");
    let listed = run(&["ls".as_ref(), "s3://files/a tree+/".as_ref()]).await;
    assert!(
        listed.contains("PRE a b/") && listed.contains("large.bin"),
        "{listed}"
    );
    let copy = OsStr::new("s3://mine/copied large.bin");
    run(&["cp".as_ref(), "s3://files/a tree+/large.bin".as_ref(), copy]).await;
    run(&["cp".as_ref(), copy, "s3://files/copied back.bin".as_ref()]).await;
    run(&["rm".as_ref(), "s3://files/copied back.bin".as_ref()]).await;
    let url = run(&["presign".as_ref(), "s3://files/a tree+/plain.txt".as_ref()]).await;
    let got = reqwest::get(url.trim()).await.expect("an answer");
    assert_eq!(got.text().await.expect("a text"), "plain.txt");
    run(&["rb".as_ref(), "--force".as_ref(), "s3://mine".as_ref()]).await;
}

on_disk_and_in_store!(s3cmd_works_unchanged);
async fn s3cmd_works_unchanged(berth: Berth) {
    let Some(s3cmd) = s3_client("s3cmd") else {
        return;
    };
    let server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    let home = tempfile::tempdir().expect("a folder");
    let (from, back) = (home.path().join("from"), home.path().join("back"));
    tree(&from, 40);
    std::fs::create_dir(&back).expect("a folder");
    let host = server.s3_url().replace("http://", "");
    let configuration = format!(
        "[default]\naccess_key = {}\nsecret_key = {}\nhost_base = {host}\nhost_bucket = {host}\nuse_https = False\n",
        key.key, key.secret
    );
    std::fs::write(home.path().join(".s3cfg"), configuration).expect("its configuration");
    let run = |arguments: &[&OsStr]| {
        let mut command = client(&s3cmd, &server, &key, home.path());
        command.env("LC_ALL", "C.UTF-8").args(arguments);
        content(command)
    };
    let slash = |path: &PathBuf| format!("{}/", path.display());
    let there = OsStr::new("s3://files/of s3cmd/");
    run(&["sync".as_ref(), slash(&from).as_ref(), there]).await;
    run(&["sync".as_ref(), there, slash(&back).as_ref()]).await;
    same(&from, &back);
    let told = run(&["info".as_ref(), "s3://files/of s3cmd/plain.txt".as_ref()]).await;
    assert!(told.contains("MD5 sum"), "{told}");
    run(&["mb".as_ref(), "s3://by-s3cmd".as_ref()]).await;
    run(&["rb".as_ref(), "s3://by-s3cmd".as_ref()]).await;
    run(&[
        "del".as_ref(),
        "--recursive".as_ref(),
        "--force".as_ref(),
        there,
    ])
    .await;
    let left = run(&["ls".as_ref(), there]).await;
    assert_eq!(left, "");
}

const PUT: &str = "s3.put_object(Bucket='files', Key='x', Body=b'x')";
const GET: &str = "s3.get_object(Bucket='files', Key='x')";
const MAKE: &str = "s3.create_bucket(Bucket='another')";

on_disk_and_in_store!(a_key_may_what_its_owner_and_its_scopes_may_until_it_is_deleted);
async fn a_key_may_what_its_owner_and_its_scopes_may_until_it_is_deleted(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    let both = usual_key(&server).await;
    let reads = access_key(&server, "reads", &["files:read"]).await;
    let mut boto = Boto::start(&server);
    let mut expects = async |key: &Key, what: &str, expected: &str| {
        if let Some(boto) = &mut boto {
            assert_eq!(boto.asked(key, what).await, expected, "{what}");
        }
    };
    expects(&both, PUT, "fine").await;
    expects(&reads, GET, "fine").await;
    expects(&reads, PUT, "AccessDenied").await;
    expects(&reads, MAKE, "AccessDenied").await;
    // A viewer's key writes nothing, whatever its scopes.
    let new = json!({ "name": "vera", "role": "viewer", "password": "a long enough password" });
    let (status, made) = server.post("/api/v1/users", &new).await;
    assert_eq!(status, 201, "{made}");
    let vera = server.log_in("vera", "a long enough password").await;
    let wanted = json!({ "name": "mine", "scopes": ["files:read", "files:write"] });
    let made = vera
        .request(Method::POST, "/api/v1/access-keys")
        .json(&wanted);
    let made: Value = made
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("a key");
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    let hers = Key {
        key: text("key"),
        secret: text("secret"),
        id: text("id"),
    };
    expects(&hers, GET, "fine").await;
    expects(&hers, PUT, "AccessDenied").await;
    // Deleted is refused at once.
    let path = format!("/api/v1/access-keys/{}", both.id);
    let gone = server.request(Method::DELETE, &path).send().await;
    assert_eq!(gone.expect("an answer").status(), 204);
    expects(&both, GET, "InvalidAccessKeyId").await;
    let (_, listed) = server.get("/api/v1/access-keys?all=true").await;
    let names: Vec<&Value> = listed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|key| &key["name"])
        .collect();
    assert_eq!(names, ["reads", "mine"], "{listed}");
    let text = server.captured().text();
    assert!(!text.contains(&both.secret) && !text.contains(&reads.secret));
}

on_disk_and_in_store!(a_public_bucket_is_read_without_a_key_and_never_written);
async fn a_public_bucket_is_read_without_a_key_and_never_written(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    let put = server
        .request(Method::PUT, "/api/v1/buckets/files/files/x.txt")
        .body("open")
        .send()
        .await
        .expect("an answer");
    assert_eq!(put.status(), 201);
    let url = format!("{}/files/x.txt", server.s3_url());
    let client = reqwest::Client::new();
    let status = async |method: Method, url: &str| {
        let answer = client.request(method, url).body("").send().await;
        answer.expect("an answer").status()
    };
    assert_eq!(status(Method::GET, &url).await, 403);
    let change = json!({ "public_read": true });
    let changed = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .json(&change);
    assert_eq!(changed.send().await.expect("an answer").status(), 200);
    let got = reqwest::get(&url).await.expect("an answer");
    assert!(got.headers().contains_key("x-amz-request-id"));
    assert_eq!(got.text().await.expect("a text"), "open");
    assert_eq!(status(Method::PUT, &url).await, 403);
    assert_eq!(status(Method::DELETE, &url).await, 403);
    let list = format!("{}/files", server.s3_url());
    assert_eq!(status(Method::GET, &list).await, 403);
    let as_page = format!("{url}?response-content-type=text/html");
    assert_eq!(status(Method::GET, &as_page).await, 400);
    what_was_taken_away_is_not_public(&server, &url).await;
}

/// Neither an older version of a public file, nor what went into the trash before there were any,
/// whether its id is known or not.
async fn what_was_taken_away_is_not_public(server: &Afloat, url: &str) {
    let file = "/api/v1/buckets/files/files/x.txt";
    let as_json = async |request: reqwest::RequestBuilder| -> Value {
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.expect("JSON")
    };
    let id = |file: &Value| file["id"].as_str().expect("an id").to_owned();
    let in_trash = id(&as_json(server.request(Method::DELETE, file)).await);
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    as_json(change.json(&json!({ "versions": true }))).await;
    let put = |content: &'static str| server.request(Method::PUT, file).body(content);
    let older = id(&as_json(put("regretted")).await);
    let current = id(&as_json(put("said instead")).await);
    let version = |id: &str| format!("{url}?versionId={id}");
    let got = reqwest::get(version(&current)).await.expect("an answer");
    assert_eq!(got.headers()["x-amz-version-id"], *current);
    assert_eq!(got.text().await.expect("a text"), "said instead");
    let client = reqwest::Client::new();
    let refused = async |method: Method, url: &str| {
        let answer = client.request(method.clone(), url).send().await;
        let status = answer.expect("an answer").status();
        assert_eq!(status, 403, "{method} {url}");
    };
    let unknown = "00000000-0000-7000-8000-000000000000";
    for id in [in_trash.as_str(), &older, unknown] {
        for method in [Method::GET, Method::HEAD, Method::DELETE] {
            refused(method, &version(id)).await;
        }
        for what in ["tagging", "acl"] {
            refused(Method::GET, &format!("{}&{what}", version(id))).await;
        }
    }
    let list = format!("{}/files?versions", server.s3_url());
    refused(Method::GET, &list).await;
    as_json(server.request(Method::DELETE, file)).await;
    refused(Method::GET, &version(&current)).await;
}

#[tokio::test]
async fn a_taken_s3_port_is_code_3_and_names_its_flag() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = holder.local_addr().expect("it has an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let ended = ends(
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--s3-listen",
            &address,
            "--data",
            "data",
        ],
        &[],
        folder.path(),
    )
    .await;
    ended.refused(3, &[&address, "taken by another program", "--s3-listen"]);
    assert!(!folder.path().join("data/longshore.db").exists());
}

on_disk_and_in_store!(what_was_put_over_s3_is_there_after_a_kill_and_on_the_other_ways_out);
async fn what_was_put_over_s3_is_there_after_a_kill_and_on_the_other_ways_out(berth: Berth) {
    let mut server = berth.with(ServerOptions::with_s3).await;
    let key = usual_key(&server).await;
    let put = "s3.put_object(Bucket='files', Key='a b.txt', Body=b'kept', Metadata={'a': '1'}, Tagging='t=2')";
    let Some(mut boto) = Boto::start(&server) else {
        return;
    };
    assert_eq!(boto.asked(&key, put).await, "fine");
    server.kill9().await;
    server.start_again().await;
    let (status, file) = server.get("/api/v1/buckets/files/details/a%20b.txt").await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(file["metadata"], json!({ "a": "1" }));
    assert_eq!(file["tags"], json!({ "t": "2" }));
    assert_eq!(file["uploader"], "key:admin/clients");
    let get = "print(s3.get_object(Bucket='files', Key='a b.txt')['Body'].read())";
    assert_eq!(boto.asked(&key, get).await, "b'kept'\nfine");
}
