//! Secrets in the headers of sources are sent where they belong and found nowhere else.

use crate::archive::{contents, report};
use crate::desk::{ended, log_lines, made};
use crate::program::{ends, files_below, opened, server, variables};
use reqwest::Method;
use serde_json::json;
use std::fs;
use storage::Db;
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both};

const SECRET: &str = "s3cr3t-of-the-origin-0815";

/// Where a text is kept: files of the data directory, SQLite's among them, and columns
/// of Postgres.
async fn places_with(server: &TestServer, database: &TestDatabase, text: &str) -> Vec<String> {
    let mut places = files_with(server, text);
    if database.postgres_url().is_some() {
        places.extend(columns_with(&opened(server, database).await, text).await);
    }
    places
}

/// The columns of a Postgres that hold a text, as text or as bytes.
async fn columns_with(db: &Db, text: &str) -> Vec<String> {
    let all = "SELECT CAST(table_name AS TEXT) AS in_table, CAST(column_name AS TEXT) AS name
        FROM information_schema.columns WHERE table_schema = 'public'";
    // Bytes are shown in hexadecimal.
    let bytes = data_encoding::HEXLOWER.encode(text.as_bytes());
    let mut found = Vec::new();
    for row in db.all(all, vec![]).await.expect("the columns") {
        let table: String = row.get("in_table").expect("a table");
        let name: String = row.get("name").expect("a column");
        let holding = format!(
            "SELECT count(*) AS rows FROM \"{table}\"
             WHERE strpos(CAST(\"{name}\" AS TEXT), '{text}') > 0
                OR strpos(CAST(\"{name}\" AS TEXT), '{bytes}') > 0"
        );
        let rows = db.one(holding, vec![]).await.expect("a count");
        let rows: i64 = rows.expect("a row").get("rows").expect("a number");
        if rows > 0 {
            found.push(format!("{table}.{name}"));
        }
    }
    db.close().await;
    found
}

fn files_with(server: &TestServer, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    files_below(server.data())
        .into_iter()
        .filter(|file| fs::read(server.data().join(file)).is_ok_and(|bytes| holds(&bytes)))
        .map(|file| file.display().to_string())
        .collect()
}

on_both!(a_header_of_a_source_reaches_its_origin_and_no_log_answer_or_database);
async fn a_header_of_a_source_reaches_its_origin_and_no_log_answer_or_database(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let other = Origin::start_on("127.0.0.2".parse().expect("an address")).await;
    let elsewhere = other.put("/elsewhere.bin", Answer::ok(Content::bytes("there")));
    let urls = [
        origin.put("/a.bin", Answer::ok(Content::bytes("here"))),
        origin.put("/away.bin", Answer::redirect(&elsewhere)),
        origin.put("/refused.bin", Answer::status(401)),
        // An origin that repeats what it was told in an address that cannot be.
        origin.put(
            "/echo.bin",
            Answer::redirect(&format!("http://{SECRET}.invalid/{SECRET}")),
        ),
    ];
    let server = server(&database)
        .env("LONGSHORE_LOG_FILTER", "debug")
        .start()
        .await;
    let headers = json!({ "Authorization": format!("Bearer {SECRET}"), "X-Key": SECRET });
    let sources: Vec<_> = urls
        .iter()
        .map(|url| json!({ "url": url, "headers": headers }))
        .collect();
    let (id, archive) = made(&server, &json!({ "sources": sources })).await;

    assert_eq!(contents(&archive).len(), 2);
    let bearer = format!("Bearer {SECRET}");
    for seen in origin.seen() {
        assert_eq!(
            seen.header("authorization"),
            Some(bearer.as_str()),
            "{seen:?}"
        );
        assert_eq!(seen.header("x-key"), Some(SECRET), "{seen:?}");
    }
    for seen in other.seen() {
        assert_eq!(
            seen.header("authorization"),
            None,
            "another origin is not told"
        );
        assert_eq!(seen.header("x-key"), None, "another origin is not told");
    }
    assert_eq!(other.seen().len(), 1);

    let lines = log_lines(&server, &id).await;
    assert!(!format!("{lines:?}").contains(SECRET), "{lines:#?}");
    let bundle = ended(&server, &id).await;
    assert!(!bundle.to_string().contains(SECRET), "{bundle:#}");
    for path in [
        format!("/api/v1/operations/{id}"),
        "/api/v1/operations".to_owned(),
        "/api/v1/bundles".to_owned(),
        "/api/v1/audit".to_owned(),
    ] {
        let (status, shown) = server.get(&path).await;
        assert_eq!(status, 200);
        assert!(!shown.to_string().contains(SECRET), "{path}: {shown:#}");
    }
    let text = server.request(Method::GET, &format!("/api/v1/operations/{id}/log.txt"));
    let text = text
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a text");
    assert!(!text.contains(SECRET), "{text}");
    let report = report(&archive).expect("two are missing");
    assert!(!report.to_string().contains(SECRET), "{report:#}");
    let said = server.captured().text();
    let told: Vec<&str> = said.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(told.is_empty(), "the program's own log says {told:#?}");
    let places = places_with(&server, &database, SECRET).await;
    assert_eq!(places, Vec::<String>::new());
    // That the search would find something.
    let known = places_with(&server, &database, "refused.bin").await;
    assert!(!known.is_empty());
}

on_both!(what_opens_doors_is_stored_nowhere_as_it_is);
async fn what_opens_doors_is_stored_nowhere_as_it_is(database: TestDatabase) {
    let server = server(&database).start().await;
    let new = json!({ "name": "harbour-master", "scopes": ["bundles:read"] });
    let (status, token) = server.post("/api/v1/tokens", &new).await;
    assert_eq!(status, 201, "{token}");
    let token = token["token"].as_str().expect("it is shown this once");
    // It is used, too, so that it is remembered and noted.
    let request = server.anonymous(Method::GET, "/api/v1/bundles");
    let answer = request.bearer_auth(token).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    let new = json!({ "name": "crane-driver", "scopes": ["files:read"] });
    let (status, key) = server.post("/api/v1/access-keys", &new).await;
    assert_eq!(status, 201, "{key}");
    let session = server.log_in("admin", server.admin_password()).await;
    let (_, cookie) = session.cookie().split_once('=').expect("name and value");

    let texts = [
        // Without what all of them begin with.
        token.strip_prefix("lsh_").expect("its prefix"),
        key["secret"].as_str().expect("it is shown this once"),
        cookie,
        server.admin_password(),
    ];
    for text in texts {
        assert!(text.len() > 20, "{text}");
        let places = places_with(&server, &database, text).await;
        assert_eq!(places, Vec::<String>::new(), "{text}");
    }
    // That the search would find something.
    for name in ["harbour-master", "crane-driver"] {
        assert!(!places_with(&server, &database, name).await.is_empty());
    }
}

on_both!(a_stored_secret_is_write_only_and_taken_out_of_every_log);
async fn a_stored_secret_is_write_only_and_taken_out_of_every_log(database: TestDatabase) {
    let server = server(&database).start().await;
    let body = json!({ "value": SECRET }).to_string();
    let put = server
        .request(Method::PUT, "/api/v1/secrets/origin-key")
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await;
    assert_eq!(put.expect("an answer").status(), 204);
    let (status, secrets) = server.get("/api/v1/secrets").await;
    assert_eq!(status, 200);
    assert_eq!(secrets["items"][0]["name"], "origin-key", "{secrets}");
    assert!(!secrets.to_string().contains(SECRET));

    let origin = Origin::start().await;
    let url = origin.put(&format!("/{SECRET}.bin"), Answer::ok(Content::bytes("x")));
    let (id, _) = made(&server, &json!({ "sources": [url] })).await;
    let lines = log_lines(&server, &id).await;
    assert!(!format!("{lines:?}").contains(SECRET), "{lines:#?}");
    let (_, audit) = server.get("/api/v1/audit").await;
    assert!(!audit.to_string().contains(SECRET), "{audit:#}");
    assert!(
        audit.to_string().contains("origin-key"),
        "that it was set is on record"
    );
}

on_both!(a_stored_secret_is_sent_by_name_also_under_a_new_master_key);
async fn a_stored_secret_is_sent_by_name_also_under_a_new_master_key(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/named.bin", Answer::ok(Content::bytes("here")));
    let mut server = server(&database)
        .env("LONGSHORE_LOG_FILTER", "debug")
        .start()
        .await;
    let put = server
        .request(Method::PUT, "/api/v1/secrets/origin-key")
        .json(&json!({ "value": SECRET }));
    assert!(put.send().await.expect("an answer").status().is_success());
    let bundle = |secret: &str| {
        let headers = json!({ "X-Key": { "secret": secret } });
        json!({ "sources": [{ "url": url, "headers": headers }, url] })
    };
    made(&server, &bundle("origin-key")).await;

    let data = server.data().to_string_lossy().into_owned();
    let rotate = ["master-key", "rotate", "--data", &data];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let running = ends(&rotate, &variables(&database), folder.path()).await;
    assert_eq!(running.code, Some(5), "while a server runs: {running:?}");
    server.terminate().await;
    let keys = || fs::read_to_string(server.data().join("master.key")).expect("a file");
    let before = keys();
    let rotated = ends(&rotate, &variables(&database), folder.path()).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(
        rotated.errors.contains("encrypted with it: 1"),
        "{rotated:?}"
    );
    assert!(keys().contains(before.trim()), "the older key still opens");
    assert!(keys().len() > before.len());
    server.start_again().await;

    let (id, _) = made(&server, &bundle("origin-key")).await;
    let sent = origin.seen();
    let with = |seen: &&testing::Seen| seen.header("x-key") == Some(SECRET);
    assert_eq!(sent.iter().filter(with).count(), 2, "{sent:?}");
    let lines = log_lines(&server, &id).await;
    assert!(!format!("{lines:?}").contains(SECRET), "{lines:#?}");
    assert!(!server.captured().text().contains(SECRET));
    let places = places_with(&server, &database, SECRET).await;
    assert_eq!(places, Vec::<String>::new());

    // One that is not there fails its source, and says so.
    let (_, archive) = made(&server, &bundle("no-such-key")).await;
    let told = report(&archive).expect("one is missing").to_string();
    assert!(told.contains("no-such-key"), "{told}");
}
