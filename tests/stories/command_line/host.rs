//! What works on the server's host, with no server in between: a lost password, the
//! configuration, completions.

use super::{Person, satisfies};
use crate::program::{server, variables};
use reqwest::Method;
use serde_json::Value;
use testing::{TestDatabase, TestServer, on_both, within};

async fn session_status(server: &TestServer, password: &str) -> u16 {
    let request = server.request_as("admin", password, Method::GET, "/api/v1/session");
    let answer = request.send().await.expect("an answer");
    answer.status().as_u16()
}

on_both!(a_lost_password_is_replaced_while_the_server_runs_and_while_it_does_not);
async fn a_lost_password_is_replaced_while_the_server_runs_and_while_it_does_not(
    database: TestDatabase,
) {
    let mut server = server(&database).start().await;
    let session = server.log_in("admin", server.admin_password()).await;
    let person = Person::new();
    let data = server.data().display().to_string();
    let reset = || async {
        let mut command = person.command(&["user", "reset-password", "admin", "--data", &data]);
        command.envs(variables(&database));
        let ended = person.came(command, "").await.ended;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(
            ended.output.lines().count(),
            1,
            "the password alone: {ended:?}"
        );
        ended.output.trim().to_owned()
    };

    let running = reset().await;
    server.log_in("admin", &running).await;
    // The server notices by itself, within a second or so.
    within("the old password and session to be refused", async {
        while session_status(&server, server.admin_password()).await == 200 {}
        loop {
            let request = session.request(Method::GET, "/api/v1/session");
            if request.send().await.expect("an answer").status() == 401 {
                break;
            }
        }
    })
    .await;

    server.terminate().await;
    let stopped = reset().await;
    assert_ne!(stopped, running);
    server.start_again().await;
    server.log_in("admin", &stopped).await;
    assert_eq!(session_status(&server, &running).await, 401);

    let request = server.request_as(
        "admin",
        &stopped,
        Method::GET,
        "/api/v1/audit?action=user.password",
    );
    let audit: Value = request
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let entries = audit["items"].as_array().expect("a page");
    assert_eq!(entries.len(), 2, "{audit}");
    for entry in entries {
        assert_eq!(entry["subject"], "user:admin");
        assert_ne!(
            entry["actor"], "user:admin",
            "it was done on the host: {entry}"
        );
    }
}

on_both!(a_reset_makes_nothing_where_there_is_nothing);
async fn a_reset_makes_nothing_where_there_is_nothing(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::new();
    let elsewhere = person
        .run(&["user", "reset-password", "admin", "--data", "none"])
        .await;
    elsewhere.refused(4, &["none/master.key", "--data"]);
    assert!(person.files().is_empty(), "{:?}", person.files());
    let data = server.data().display().to_string();
    let mut command = person.command(&["user", "reset-password", "nobody", "--data", &data]);
    command.envs(variables(&database));
    let nobody = person.came(command, "").await.ended;
    nobody.refused(1, &["no user `nobody`"]);
    assert_eq!(session_status(&server, server.admin_password()).await, 200);
}

#[tokio::test]
async fn the_configuration_is_shown_with_where_it_comes_from_and_without_secrets() {
    let person = Person::new();
    person.write(
        "longshore.toml",
        "listen = \"127.0.0.1:9000\"\ndatabase = \"postgres://u:geheim@db/x\"\n[fetch]\nper_host = 3\n",
    );
    let mut command = person.command(&["config", "show", "--json", "--set", "fetch.concurrent=7"]);
    command.env("LONGSHORE_FETCH_PER_HOST", "4");
    let shown = person.came(command, "").await.ended;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(!shown.output.contains("geheim"), "{shown:?}");
    let all: Value = serde_json::from_str(&shown.output).expect("JSON");
    let of = |key: &str| {
        let text = |field: &str| all[key][field].as_str().unwrap_or_default().to_owned();
        (text("value"), text("from"))
    };
    assert_eq!(
        of("listen"),
        ("\"127.0.0.1:9000\"".to_owned(), "longshore.toml".to_owned())
    );
    assert_eq!(
        of("fetch.per_host"),
        ("4".to_owned(), "LONGSHORE_FETCH_PER_HOST".to_owned())
    );
    assert_eq!(of("fetch.concurrent"), ("7".to_owned(), "--set".to_owned()));
    assert_eq!(of("fetch.redirects").1, "default");
    assert_eq!(of("database").1, "longshore.toml");

    let table = person.run(&["config", "show"]).await;
    assert!(
        table.output.starts_with("SETTING ") && !table.output.contains("geheim"),
        "{table:?}"
    );
    assert_eq!(person.run(&["config", "check"]).await.code, Some(0));
    person.write("longshore.toml", "lisen = 1\n");
    person
        .run(&["config", "check"])
        .await
        .refused(2, &["longshore.toml:1", "listen"]);
}

#[tokio::test]
async fn shells_understand_their_completions() {
    let person = Person::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = person.run(&["completions", shell]).await;
        assert_eq!(script.code, Some(0), "{shell}");
        assert!(script.output.contains("reset-password"), "{shell}");
        let parsed = satisfies(shell, &["-n"], &script.output).await;
        assert_ne!(parsed, Some(false), "{shell} does not understand it");
        assert!(shell != "bash" || parsed.is_some(), "bash is everywhere");
    }
}

#[tokio::test]
async fn every_command_says_what_it_does() {
    let person = Person::new();
    for command in [
        &["bundle"][..],
        &["login"],
        &["logout"],
        &["ops", "ls"],
        &["ops", "logs"],
        &["user", "reset-password"],
        &["token", "add"],
        &["config", "show"],
    ] {
        let help = person.run(&[command, &["--help"]].concat()).await;
        assert_eq!(help.code, Some(0), "{command:?}");
        assert!(
            help.output.contains("Usage: longshore"),
            "{command:?}: {help:?}"
        );
    }
}
