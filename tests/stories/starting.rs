//! The first start, the second, and two at once.

use crate::program::{server, sharing_a_key};
use reqwest::Method;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use testing::{TestDatabase, TestServer, on_both, on_postgres, within};

fn mode(path: &Path) -> u32 {
    let found = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    found.permissions().mode() & 0o777
}

/// What stands after a word at the beginning of a line, for every such line.
fn values(said: &str, word: &str) -> Vec<String> {
    said.lines()
        .filter_map(|line| line.trim().strip_prefix(word))
        .map(|rest| rest.trim().to_owned())
        .collect()
}

on_both!(an_empty_directory_becomes_a_private_one_and_the_server_is_ready);
async fn an_empty_directory_becomes_a_private_one_and_the_server_is_ready(database: TestDatabase) {
    database.emptied().await;
    let server = server(&database).from_nothing().start().await;
    assert_eq!(mode(server.data()), 0o700);
    assert_eq!(mode(&server.data().join("master.key")), 0o600);
    let ready = server.anonymous(Method::GET, "/readyz").send().await;
    assert_eq!(ready.expect("an answer").status(), 200);
    let (status, about) = server.get("/api/v1/about").await;
    assert_eq!(status, 200);
    assert_eq!(about["database"], database.name(), "{about}");
}

on_both!(the_password_is_printed_once_with_the_address_and_opens_the_console);
async fn the_password_is_printed_once_with_the_address_and_opens_the_console(
    database: TestDatabase,
) {
    let options = server(&database).from_nothing();
    let options = options.env("LONGSHORE_ADMIN_PASSWORD", "");
    let mut server = options.start().await;
    server.captured().contains("Password").await;
    let said = server.captured().text();
    assert_eq!(values(&said, "Console"), [server.url()], "{said}");
    let passwords = values(&said, "Password");
    assert_eq!(passwords.len(), 1, "{said}");
    server.log_in("admin", &passwords[0]).await;

    let key = fs::read(server.data().join("master.key")).expect("a key");
    assert!(server.terminate().await.success());
    server.start_again().await;
    let said = server.captured().text();
    assert_eq!(
        values(&said, "Console").len(),
        2,
        "it was started twice: {said}"
    );
    assert_eq!(values(&said, "Password"), passwords, "and said it once");
    assert_eq!(said.matches(passwords[0].as_str()).count(), 1);
    assert_eq!(
        fs::read(server.data().join("master.key")).expect("a key"),
        key
    );
    server.log_in("admin", &passwords[0]).await;
}

on_both!(a_given_password_is_taken_at_the_first_start_alone_and_never_printed);
async fn a_given_password_is_taken_at_the_first_start_alone_and_never_printed(
    database: TestDatabase,
) {
    let mut server = server(&database).from_nothing().start().await;
    let password = server.admin_password().to_owned();
    server.log_in("admin", &password).await;
    server.captured().contains("Console").await;
    assert!(!server.captured().text().contains(&password));
    let body = serde_json::json!({ "password": "another-one-of-mine", "current": password });
    let (status, said) = server.post("/api/v1/users/admin/password", &body).await;
    assert_eq!(status, 204, "{said}");
    server.terminate().await;
    server.start_again().await;
    server.log_in("admin", "another-one-of-mine").await;
    let (status, _) = server.get("/api/v1/about").await;
    assert_eq!(
        status, 401,
        "the variable does not undo what a person changed"
    );
}

/// Waits until this is in the data directory. The file system tells nobody.
async fn appears(name: &str, server: &TestServer) {
    within("a first start to come this far", async {
        while !server.data().join(name).exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

on_both!(a_first_start_that_ends_halfway_is_begun_anew);
async fn a_first_start_that_ends_halfway_is_begun_anew(database: TestDatabase) {
    let mut server = server(&database).from_nothing().start().await;
    let last = if database.postgres_url().is_some() {
        "blobs"
    } else {
        "longshore.db-wal"
    };
    for reached in ["lock", "master.key", last] {
        for suddenly in [true, false] {
            server.kill9().await;
            fs::remove_dir_all(server.data()).expect("its data are there");
            if database.postgres_url().is_some() {
                database.emptied().await;
            }
            server.begin_again();
            appears(reached, &server).await;
            if suddenly {
                server.kill9().await;
            } else {
                // It may not have come to listen to signals yet, and then ends by it.
                server.terminate().await;
            }
            server.start_again().await;
            server.log_in("admin", server.admin_password()).await;
            let (status, users) = server.get("/api/v1/users").await;
            assert_eq!(status, 200, "{users}");
            let users = users["items"].as_array().expect("a list");
            assert_eq!(users.len(), 1, "{users:?}");
        }
    }
}

on_postgres!(two_replicas_start_at_once_on_one_fresh_postgres);
async fn two_replicas_start_at_once_on_one_fresh_postgres(database: TestDatabase) {
    database.emptied().await;
    let options = sharing_a_key(server(&database)).from_nothing();
    let (one, other) = tokio::join!(options.clone().start(), options.start());
    for server in [&one, &other] {
        let (status, users) = server.get("/api/v1/users").await;
        assert_eq!(status, 200, "{users}");
        assert_eq!(
            users["items"].as_array().expect("a list").len(),
            1,
            "{users}"
        );
        let said = server.captured().text();
        assert!(!said.contains("ERROR"), "{said}");
    }
}

#[tokio::test]
async fn the_description_in_the_repository_is_that_of_the_program() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ended = crate::program::ends(&["openapi"], &[], folder.path()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kept = include_str!("../../openapi.json");
    assert!(
        ended.output == kept,
        "openapi.json is not what `longshore openapi` prints; `cargo xtask gen-api` writes it anew"
    );
}

on_both!(the_server_keeps_little_memory_under_the_number_that_it_was_started_with);
async fn the_server_keeps_little_memory_under_the_number_that_it_was_started_with(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let of_process = format!("/proc/{}/environ", server.process_id());
    let environment = fs::read(of_process).expect("Linux tells the environment");
    let environment = String::from_utf8_lossy(&environment).into_owned();
    for expected in [
        "MALLOC_ARENA_MAX=2",
        "MALLOC_MMAP_THRESHOLD_=131072",
        "MALLOC_TRIM_THRESHOLD_=131072",
    ] {
        assert!(
            environment.split('\0').any(|variable| variable == expected),
            "what bundles of many sources, and many takers, cost depends on {expected}"
        );
    }
}
