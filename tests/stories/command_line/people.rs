//! Logging in and out, users, tokens.

use super::Person;
use crate::program::server;
use reqwest::Method;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use testing::{TestDatabase, TestServer, on_both};

/// The token in a person's file.
fn token_of(person: &Person) -> String {
    let text = std::fs::read_to_string(person.servers_file()).expect("a file");
    let from = text.find("lsh_").expect("a token");
    text[from..].split('"').next().expect("its end").to_owned()
}

async fn status_with(server: &TestServer, token: &str) -> u16 {
    let request = server.anonymous(Method::GET, "/api/v1/operations");
    let answer = request.bearer_auth(token).send().await;
    answer.expect("an answer").status().as_u16()
}

on_both!(logging_in_keeps_a_token_that_nobody_else_can_read_and_logging_out_ends_it);
async fn logging_in_keeps_a_token_that_nobody_else_can_read_and_logging_out_ends_it(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&person.servers_file()), 0o600);
    assert_eq!(
        mode(person.servers_file().parent().expect("a folder")),
        0o700
    );
    let token = token_of(&person);
    assert_eq!(status_with(&server, &token).await, 200);
    let (_, tokens) = server.get("/api/v1/tokens").await;
    assert_eq!(
        tokens["items"][0]["scopes"],
        json!([
            "bundles:read",
            "bundles:write",
            "files:read",
            "files:write",
            "operations:read",
            "operations:write",
            "syncs:read",
            "syncs:write"
        ])
    );

    let out = person.run(&["logout"]).await;
    assert_eq!(out.code, Some(0), "{out:?}");
    assert_eq!(
        status_with(&server, &token).await,
        401,
        "it is deleted there, too"
    );
    let kept = std::fs::read_to_string(person.servers_file()).expect("a file");
    assert!(!kept.contains("lsh_"));
    let after = person.run(&["ops", "ls"]).await;
    after.refused(9, &["longshore login"]);
    person.run(&["logout"]).await.refused(1, &["not logged in"]);
}

on_both!(logging_in_again_replaces_the_token);
async fn logging_in_again_replaces_the_token(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    let first = token_of(&person);
    let arguments = [
        "login",
        &server.url(),
        "--user",
        "admin",
        "--password-stdin",
        "--expires",
        "1h",
    ];
    let again = person.run_with(&arguments, server.admin_password()).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_ne!(token_of(&person), first);
    assert_eq!(status_with(&server, &first).await, 401);
    assert_eq!(status_with(&server, &token_of(&person)).await, 200);
    let (_, tokens) = server.get("/api/v1/tokens").await;
    let tokens = tokens["items"].as_array().expect("a list").clone();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert!(tokens[0]["expires_at"].is_string());
}

on_both!(a_wrong_password_and_a_missing_one_are_told_in_a_sentence);
async fn a_wrong_password_and_a_missing_one_are_told_in_a_sentence(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::new();
    let url = server.url();
    let login = ["login", &url, "--user", "admin", "--password-stdin"];
    let wrong = person.run_with(&login, "not the password").await;
    wrong.refused(9, &["not right"]);
    assert!(!wrong.errors.contains("not the password"));
    person
        .run_with(&login, "")
        .await
        .refused(2, &["holds no password"]);
    let address = person
        .run_with(&["login", "localhost", "--password-stdin"], "x")
        .await;
    address.refused(2, &["http"]);
    assert!(!person.servers_file().exists());
}

on_both!(a_token_from_elsewhere_is_taken_and_the_environment_goes_before_it);
async fn a_token_from_elsewhere_is_taken_and_the_environment_goes_before_it(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let admin = Person::admin(&server).await;
    let made = admin
        .run(&[
            "token",
            "add",
            "narrow",
            "--scope",
            "bundles:read,bundles:write",
            "--expires",
            "1d",
        ])
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let narrow = made.output.trim().to_owned();
    assert!(narrow.starts_with("lsh_"), "{made:?}");

    let other = Person::new();
    let login = other
        .run_with(&["login", &server.url(), "--token-stdin"], &narrow)
        .await;
    assert_eq!(login.code, Some(0), "{login:?}");
    let refused = other.run(&["ops", "ls"]).await;
    refused.refused(9, &["operations:read"]);

    let (_, tokens) = server.get("/api/v1/tokens").await;
    let tokens = tokens["items"].as_array().expect("a list").clone();
    let of_admin = tokens.iter().find(|token| token["name"] != "narrow");
    let of_admin = of_admin.and_then(|token| token["id"].as_str());
    let not_itself = other
        .run(&["token", "rm", of_admin.expect("the log-in's")])
        .await;
    not_itself.refused(9, &["delete itself only"]);

    let mut command = other.command(&["ops", "ls"]);
    command.env("LONGSHORE_TOKEN", token_of(&admin));
    let allowed = other.came(command, "").await.ended;
    assert_eq!(allowed.code, Some(0), "{allowed:?}");

    let nobody = Person::new();
    let mut command = nobody.command(&["ops", "ls"]);
    command
        .env("LONGSHORE_URL", server.url())
        .env("LONGSHORE_TOKEN", "lsh_wrong");
    let refused = nobody.came(command, "").await.ended;
    refused.refused(9, &["LONGSHORE_TOKEN"]);
    let without = nobody.run(&["ops", "ls", "--url", &server.url()]).await;
    without.refused(9, &["longshore login"]);
}

on_both!(where_nobody_answers_it_says_so_and_to_whom);
async fn where_nobody_answers_it_says_so_and_to_whom(database: TestDatabase) {
    let mut server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    server.terminate().await;
    let ended = person.run(&["ops", "ls"]).await;
    ended.refused(
        9,
        &["no Longshore answers at", &server.url(), "is it running?"],
    );
}

on_both!(users_and_tokens_are_managed_by_who_may);
async fn users_and_tokens_are_managed_by_who_may(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::logged_in(&server).await;
    person.run(&["user", "ls"]).await.refused(9, &["--admin"]);
    let admin = Person::admin(&server).await;

    let made = admin
        .run(&["user", "add", "anna", "--role", "viewer"])
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let password = made.output.trim().to_owned();
    server.log_in("anna", &password).await;
    let bert = admin
        .run_with(
            &[
                "user",
                "add",
                "bert",
                "--role",
                "operator",
                "--password-stdin",
            ],
            "bert's secret\n",
        )
        .await;
    assert_eq!((bert.code, bert.output.as_str()), (Some(0), ""), "{bert:?}");
    server.log_in("bert", "bert's secret").await;
    admin
        .run(&["user", "add", "anna", "--role", "viewer"])
        .await
        .refused(1, &["anna"]);

    let role = admin.run(&["user", "role", "anna", "operator"]).await;
    assert_eq!(role.code, Some(0), "{role:?}");
    let list = admin.run(&["user", "ls"]).await;
    let anna = list.output.lines().find(|line| line.starts_with("anna "));
    assert!(
        anna.is_some_and(|line| line.contains("operator")),
        "{list:?}"
    );
    let set = admin
        .run_with(
            &["user", "password", "anna", "--password-stdin"],
            "another secret",
        )
        .await;
    assert_eq!(set.code, Some(0), "{set:?}");
    server.log_in("anna", "another secret").await;
    let own = format!("my new password\n{}\n", server.admin_password());
    let set = admin
        .run_with(&["user", "password", "admin", "--password-stdin"], &own)
        .await;
    assert_eq!(set.code, Some(0), "{set:?}");
    server.log_in("admin", "my new password").await;
    let gone = admin.run(&["user", "rm", "anna"]).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    admin
        .run(&["user", "rm", "anna"])
        .await
        .refused(1, &["no such"]);
    admin
        .run(&["user", "role", "admin", "viewer"])
        .await
        .refused(1, &["last admin"]);

    let made = admin
        .run(&["token", "add", "ci", "--scope", "bundles:read"])
        .await;
    let token = made.output.trim().to_owned();
    let list = admin.run(&["token", "ls"]).await;
    let row = list.output.lines().find(|line| line.contains(" ci "));
    let ending = format!("…{}", &token[token.len() - 4..]);
    assert!(row.is_some_and(|row| row.contains(&ending)), "{list:?}");
    assert!(!list.output.contains(&token));
    let gone = admin.run(&["token", "rm", "ci"]).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    assert_eq!(status_with(&server, &token).await, 401);
    admin
        .run(&["token", "rm", "ci"])
        .await
        .refused(1, &["token ls"]);
}

on_both!(a_viewer_logs_in_for_what_a_viewer_may);
async fn a_viewer_logs_in_for_what_a_viewer_may(database: TestDatabase) {
    let server = server(&database).start().await;
    let body = json!({ "name": "vera", "role": "viewer", "password": "vera's secret" });
    let (status, _) = server.post("/api/v1/users", &body).await;
    assert_eq!(status, 201);
    let vera = Person::new();
    let login = ["login", &server.url(), "--user", "vera", "--password-stdin"];
    let ended = vera.run_with(&login, "vera's secret\n").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let list = vera.run(&["ops", "ls"]).await;
    assert_eq!(list.code, Some(0), "{list:?}");
    let bundle = vera
        .run_with(&["bundle", "-o", "a.zip"], "http://127.0.0.1:1/a")
        .await;
    bundle.refused(9, &["operator"]);
    assert!(vera.files().is_empty());
}
