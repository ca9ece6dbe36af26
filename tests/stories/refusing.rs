//! What the program refuses to start with: one line, a code of its own, a remedy.

use crate::program::{Ended, ends, files_below, opened, server, variables};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use tempfile::TempDir;
use testing::{TestDatabase, TestServer, on_both};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Any port: what is refused never listens long.
const ANY: &str = "127.0.0.1:0";
/// Below the ports that programs are given, and nobody's for decades.
const NOBODY: &str = "127.0.0.1:1";

/// The user `nobody` of most systems.
const NOBODYS_ID: u32 = 65_534;

/// Starts another server on the data of one that has ended.
async fn again_on(server: &TestServer, database: &TestDatabase) -> Ended {
    let data = server.data().to_string_lossy().into_owned();
    let arguments = ["serve", "--listen", ANY, "--data", &data];
    ends(&arguments, &variables(database), folder().path()).await
}

#[tokio::test]
async fn a_taken_port_is_code_3_and_leaves_no_schema_behind() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = holder.local_addr().expect("it has an address").to_string();
    let folder = folder();
    let ended = ends(
        &["serve", "--listen", &address, "--data", "data"],
        &[],
        folder.path(),
    )
    .await;
    ended.refused(3, &[&address, "taken by another program", "--listen"]);
    assert!(!folder.path().join("data/longshore.db").exists());
}

#[tokio::test]
async fn an_address_of_another_machine_is_code_3() {
    let folder = folder();
    let ended = ends(
        &["serve", "--listen", "203.0.113.7:8011"],
        &[],
        folder.path(),
    )
    .await;
    ended.refused(3, &["203.0.113.7:8011", "none of this machine", "--listen"]);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_code_4() {
    let folder = folder();
    fs::write(folder.path().join("file"), "mine").expect("a temporary folder takes files");
    for data in ["file", "file/below", "/proc/longshore"] {
        let arguments = ["serve", "--listen", ANY, "--data", data];
        let ended = ends(&arguments, &[], folder.path()).await;
        ended.refused(4, &[data, "cannot be used", "--data"]);
    }
    assert_eq!(
        fs::read(folder.path().join("file")).expect("there"),
        b"mine"
    );
}

#[tokio::test]
async fn a_data_directory_of_another_user_is_code_4_and_stays_as_it_is() {
    let folder = folder();
    let theirs = folder.path().join("theirs");
    fs::create_dir(&theirs).expect("a temporary folder takes folders");
    // Only root can give it away; for everybody else root's own will do.
    let given = std::os::unix::fs::chown(&theirs, Some(NOBODYS_ID), None).is_ok();
    let (data, owner) = if given {
        (theirs.to_string_lossy().into_owned(), NOBODYS_ID)
    } else {
        ("/etc".to_owned(), 0)
    };
    let arguments = ["serve", "--listen", ANY, "--data", &data];
    let ended = ends(&arguments, &[], folder.path()).await;
    let owner = format!("belongs to user {owner},");
    ended.refused(4, &[&data, "cannot be used", &owner, "chown", "--data"]);
    assert_eq!(files_below(&theirs), Vec::<std::path::PathBuf>::new());
}

on_both!(a_data_directory_in_use_is_code_5_and_says_by_whom);
async fn a_data_directory_in_use_is_code_5_and_says_by_whom(database: TestDatabase) {
    let server = server(&database).start().await;
    let data = server.data().to_string_lossy().into_owned();
    let arguments = ["serve", "--listen", ANY, "--data", &data];
    let ended = ends(&arguments, &[], folder().path()).await;
    let holder = format!("process {}", server.process_id());
    ended.refused(5, &[&data, "in use", &holder, "--data"]);
    let (status, _) = server.get("/api/v1/about").await;
    assert_eq!(status, 200, "who had it first goes on");
}

#[tokio::test]
async fn an_unknown_key_is_code_2_and_names_its_line_and_the_nearest() {
    let folder = folder();
    let file = "# mine\n[fetch]\nconcurent = 8\n";
    fs::write(folder.path().join("longshore.toml"), file).expect("it takes files");
    let ended = ends(&["serve"], &[], folder.path()).await;
    ended.refused(2, &["longshore.toml:3:1", "`concurent`", "`concurrent`"]);
    assert!(
        !folder.path().join("longshore-data").exists(),
        "nothing was made"
    );

    let ended = ends(&["serve", "--set", "lisen=1"], &[], folder.path()).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[tokio::test]
async fn a_misspelt_kind_is_code_2_and_names_the_nearest() {
    let folder = folder();
    let file = "[operations.concurrency]\nbundel = 8\n";
    fs::write(folder.path().join("longshore.toml"), file).expect("it takes files");
    let ended = ends(&["serve"], &[], folder.path()).await;
    ended.refused(2, &["`operations.concurrency.bundel`", "`bundle`"]);
    assert!(!folder.path().join("longshore-data").exists());
}

#[tokio::test]
async fn a_secret_among_the_arguments_is_code_2_and_is_not_repeated() {
    let folder = folder();
    let set = "database=postgres://longshore:geheim@127.0.0.1/none";
    let ended = ends(&["serve", "--set", set], &[], folder.path()).await;
    ended.refused(2, &["LONGSHORE_DATABASE", "arguments"]);
    assert!(!ended.errors.contains("geheim"), "{ended:?}");
}

#[tokio::test]
async fn a_value_out_of_range_is_code_2_and_says_what_it_must_be() {
    let folder = folder();
    let variables = [("LONGSHORE_FETCH_CONCURRENT", "0")];
    let ended = ends(&["serve"], &variables, folder.path()).await;
    ended.refused(2, &["LONGSHORE_FETCH_CONCURRENT", "from 1 to 1024"]);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_code_6_and_its_password_is_not_told() {
    let url = format!("postgres://longshore:geheim@{NOBODY}/none");
    let arguments = ["serve", "--listen", ANY, "--data", "data"];
    let variables = [
        ("LONGSHORE_DATABASE", url.as_str()),
        ("LONGSHORE_STORAGE_ACQUIRE_TIMEOUT", "1s"),
    ];
    let ended = ends(&arguments, &variables, folder().path()).await;
    ended.refused(6, &["database cannot be reached", "`database`"]);
    assert!(!ended.errors.contains("geheim"), "{ended:?}");
}

#[tokio::test]
async fn a_database_file_that_is_none_is_code_6_and_stays_as_it_is() {
    let folder = folder();
    let data = folder.path().join("data");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&data)
        .expect("a temporary folder takes folders");
    let garbage = b"this is no database, whatever its name says. ".repeat(500);
    let file = data.join("longshore.db");
    fs::write(&file, &garbage).expect("it takes files");
    let arguments = ["serve", "--listen", ANY, "--data", "data"];
    let ended = ends(&arguments, &[], folder.path()).await;
    ended.refused(
        6,
        &["data/longshore.db", "not a database", "backup", "--data"],
    );
    assert!(fs::read(&file).expect("there") == garbage);
}

on_both!(a_newer_schema_is_code_7_and_stays_as_it_is);
async fn a_newer_schema_is_code_7_and_stays_as_it_is(database: TestDatabase) {
    let mut server = server(&database).start().await;
    server.terminate().await;
    let db = opened(&server, &database).await;
    let newer = "INSERT INTO _sqlx_migrations
        (version, description, installed_on, success, checksum, execution_time)
        SELECT 9999, 'later', installed_on, success, checksum, 0
        FROM _sqlx_migrations WHERE version = 1";
    db.execute(newer, vec![])
        .await
        .expect("a version from the future");
    db.close().await;
    let ended = again_on(&server, &database).await;
    ended.refused(7, &["9999", "newer version"]);
}

on_both!(another_master_key_is_code_8);
async fn another_master_key_is_code_8(database: TestDatabase) {
    let mut server = server(&database).start().await;
    server.terminate().await;
    let key = access::MasterKeys::generate().file();
    fs::write(server.data().join("master.key"), key).expect("the key can be replaced");
    let ended = again_on(&server, &database).await;
    ended.refused(8, &["master key"]);
}
