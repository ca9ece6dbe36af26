//! An endpoint of the team's own decides who may do what in a bucket that is set to ask
//! it, whatever it answers, and when it does not answer at all.

mod judge;

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::program::{server, sharing_a_key};
use crate::shared_cache::is_open;
use crate::stored::{HOST, add_user, answered, put, refusal};
use judge::{Judge, Reply};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testing::{
    Redis, ServerOptions, TestDatabase, TestServer, on_both, on_postgres, on_sqlite, within,
};

const SECRET: &str = "judge-secret-0123456789";
const KNOCK: &str = "Bearer visitor-token-0123456789";

fn asking(options: ServerOptions, judge: &Judge) -> ServerOptions {
    options
        .env("LONGSHORE_AUTHORISER_URL", &judge.url())
        .env("LONGSHORE_AUTHORISER_SECRET", SECRET)
}

/// Sets who decides in the bucket `files`, as an administrator at the console does.
async fn decided_by(server: &TestServer, who: &str) {
    let session = server.log_in("admin", server.admin_password()).await;
    let change = session
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(json!({ "authoriser": who }).to_string());
    let (status, body) = answered(change).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
}

/// A server whose bucket `files` asks this judge.
async fn judged(berth: Berth, judge: &Judge) -> Afloat {
    judged_with(berth, |options| asking(options, judge)).await
}

/// The same of one that is set up in its own way.
async fn judged_with(berth: Berth, set_up: impl FnOnce(ServerOptions) -> ServerOptions) -> Afloat {
    let server = berth.with(set_up).await;
    put(&server, "a", b"content").await;
    decided_by(&server, "endpoint").await;
    server
}

fn file(path: &str) -> String {
    format!("/api/v1/buckets/files/files/{path}")
}

/// Somebody whom Longshore does not know.
fn visitor(server: &TestServer, method: Method, path: &str) -> RequestBuilder {
    server
        .anonymous(method, path)
        .header("Authorization", KNOCK)
}

fn at_host(server: &TestServer, method: Method, path: &str) -> RequestBuilder {
    visitor(server, method, path).header("Host", HOST)
}

fn permissions(judge: &Judge) -> Vec<String> {
    let text = |asked: &judge::Asked, field: &str| {
        asked.question[field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let asked = judge.questions();
    asked
        .iter()
        .map(|asked| format!("{} {}", text(asked, "permission"), text(asked, "file")))
        .collect()
}

/// Anna may write below `in/` and read and list everything.
fn anna(question: &Value) -> Value {
    if question["credentials"]["authorization"] != KNOCK {
        return json!({ "allow": false });
    }
    let inside = question["file"]
        .as_str()
        .unwrap_or_default()
        .starts_with("in/");
    let reads = question["permission"] == "read" || question["permission"] == "list";
    json!({ "allow": reads || inside, "identity": "anna" })
}

on_disk_and_in_store!(the_endpoint_lets_in_whom_it_allows_under_the_name_that_it_says);
async fn the_endpoint_lets_in_whom_it_allows_under_the_name_that_it_says(berth: Berth) {
    let judge = Judge::start(Reply::Of(anna)).await;
    let server = judged(berth, &judge).await;
    let get = visitor(&server, Method::GET, &format!("{}?download=1", file("a")));
    assert_eq!(answered(get).await, (200, b"content".to_vec()));
    let asked = judge.questions();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].authorization, format!("Bearer {SECRET}"));
    let question = &asked[0].question;
    for (field, expected) in [
        ("type", json!("REQUEST")),
        ("method", json!("GET")),
        ("host", json!(format!("127.0.0.1:{}", server.port()))),
        ("path", json!(file("a"))),
        ("query", json!(["download"])),
        ("address", json!("127.0.0.1")),
        ("bucket", json!("files")),
        ("file", json!("a")),
        ("permission", json!("read")),
    ] {
        assert_eq!(question[field], expected, "{field}");
    }
    assert_eq!(question["credentials"]["scheme"], "bearer");

    let body = "new";
    let put = visitor(&server, Method::PUT, &file("in/b")).body(body);
    assert_eq!(answered(put).await.0, 201);
    // A password is asked about, whosever it is.
    let (status, _) = server.get("/api/v1/buckets/files/details/in/b").await;
    assert_eq!(status, 403);
    let session = server.log_in("admin", server.admin_password()).await;
    let details = session.request(Method::GET, "/api/v1/buckets/files/details/in/b");
    let (status, details) = answered(details).await;
    assert_eq!(status, 200);
    let details: Value = serde_json::from_slice(&details).expect("JSON");
    assert_eq!(details["uploader"], "authoriser:anna");

    let put = visitor(&server, Method::PUT, &file("out/b")).body(body);
    assert_eq!(refusal(put).await, (403, "forbidden".to_owned()));
    let delete = visitor(&server, Method::DELETE, &file("a"));
    assert_eq!(refusal(delete).await, (403, "forbidden".to_owned()));
    let nobody = server.anonymous(Method::GET, &file("a"));
    assert_eq!(refusal(nobody).await, (401, "unauthenticated".to_owned()));
    let listed = visitor(
        &server,
        Method::GET,
        "/api/v1/buckets/files/files?prefix=in/",
    );
    assert_eq!(answered(listed).await.0, 200);
    let transfer = json!({ "from": "a", "to": "in/c" }).to_string();
    let copy = visitor(&server, Method::POST, "/api/v1/buckets/files/copy")
        .header("Content-Type", "application/json")
        .body(transfer);
    assert_eq!(answered(copy).await.0, 200);
    let asked = permissions(&judge);
    assert!(asked.contains(&"write in/c".to_owned()), "{asked:?}");

    // What is not in the bucket is none of its business.
    for path in [
        "/api/v1/buckets",
        "/api/v1/users",
        "/api/v1/buckets/files/grants",
    ] {
        let asked = visitor(&server, Method::GET, path);
        assert_eq!(answered(asked).await.0, 401, "{path}");
    }
    assert_eq!(judge.questions().len(), 0);
    let log = server.captured().text();
    for secret in [SECRET, "visitor-token", "url-secret"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

on_disk_and_in_store!(who_is_known_to_longshore_is_let_in_without_a_question);
async fn who_is_known_to_longshore_is_let_in_without_a_question(berth: Berth) {
    let judge = Judge::start(Reply::Json(json!({ "allow": false }))).await;
    let server = judged(berth, &judge).await;
    let session = server.log_in("admin", server.admin_password()).await;
    let get = session.request(Method::GET, &file("a"));
    assert_eq!(answered(get).await.0, 200);
    let made = session
        .request(Method::POST, "/api/v1/tokens")
        .header("Content-Type", "application/json")
        .body(json!({ "name": "ci", "scopes": ["files:read"] }).to_string());
    let (status, made) = answered(made).await;
    assert_eq!(status, 201);
    let made: Value = serde_json::from_slice(&made).expect("JSON");
    let token = made["token"].as_str().expect("a token");
    let get = server.anonymous(Method::GET, &file("a")).bearer_auth(token);
    assert_eq!(answered(get).await.0, 200);
    let put = server.anonymous(Method::PUT, &file("a")).bearer_auth(token);
    assert_eq!(answered(put.body("x")).await.0, 403, "its scopes hold");
    assert_eq!(judge.questions().len(), 0);
    // Back again: nothing is asked, and nobody else let in.
    decided_by(&server, "builtin").await;
    assert_eq!(
        refusal(visitor(&server, Method::GET, &file("a"))).await.0,
        401
    );
    assert_eq!(judge.questions().len(), 0);
}

on_disk_and_in_store!(whatever_is_no_answer_lets_nobody_in_and_is_not_remembered);
async fn whatever_is_no_answer_lets_nobody_in_and_is_not_remembered(berth: Berth) {
    let allow = || json!({ "allow": true, "identity": "anna" });
    let mut judge = Judge::start(Reply::Json(allow())).await;
    let server = judged_with(berth, |options| {
        asking(options, &judge).env("LONGSHORE_AUTHORISER_TIMEOUT", "20s")
    })
    .await;
    let before = server.contents();
    let get = || visitor(&server, Method::GET, &file("a"));
    let mut long = json!({ "allow": true }).to_string().into_bytes();
    long.resize(70 * 1024, b' ');
    for reply in [
        Reply::Raw(200, b"<html>yes</html>".to_vec()),
        Reply::Raw(200, Vec::new()),
        Reply::Raw(200, long),
        Reply::Raw(500, allow().to_string().into_bytes()),
        Reply::Raw(204, Vec::new()),
        Reply::Raw(302, Vec::new()),
        Reply::Raw(401, allow().to_string().into_bytes()),
        Reply::Json(json!({ "allow": "yes" })),
        Reply::Json(json!({ "allow": true, "isAuthorized": true })),
    ] {
        judge.replies(reply);
        let unavailable = (403, "authoriser-unavailable".to_owned());
        assert_eq!(refusal(get()).await, unavailable);
        let put = visitor(&server, Method::PUT, &file("b")).body("x");
        assert_eq!(refusal(put).await, unavailable);
        let nobody = server.anonymous(Method::GET, &file("a"));
        assert_eq!(refusal(nobody).await.0, 401);
        judge.replies(Reply::Json(allow()));
        assert_eq!(answered(get()).await.0, 200, "not remembered");
    }
    judge.go().await;
    assert_eq!(
        refusal(get()).await,
        (403, "authoriser-unavailable".to_owned())
    );
    judge.listen().await;
    assert_eq!(answered(get()).await.0, 200);
    assert_eq!(server.contents(), before, "nothing was stored");
    let log = server.captured().text();
    assert!(log.contains("nobody is let in"), "{log}");
}

on_disk_and_in_store!(an_endpoint_that_is_silent_lets_nobody_in);
async fn an_endpoint_that_is_silent_lets_nobody_in(berth: Berth) {
    let judge = Judge::start(Reply::Silence).await;
    let server = judged_with(berth, |options| {
        asking(options, &judge).env("LONGSHORE_AUTHORISER_TIMEOUT", "100ms")
    })
    .await;
    let unavailable = (403, "authoriser-unavailable".to_owned());
    let get = visitor(&server, Method::GET, &file("a"));
    assert_eq!(refusal(get).await, unavailable);
    let put = visitor(&server, Method::PUT, &file("b")).body("x");
    assert_eq!(refusal(put).await, unavailable);
}

on_postgres!(what_one_replica_was_answered_the_other_need_not_ask);
async fn what_one_replica_was_answered_the_other_need_not_ask(database: TestDatabase) {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let judge = Judge::start(Reply::Json(
        json!({ "allow": true, "remember_seconds": 300 }),
    ))
    .await;
    let options =
        sharing_a_key(asking(server(&database), &judge)).env("LONGSHORE_CACHE", &redis.url());
    let one = options.clone().start().await;
    let other = options.start().await;
    is_open(&one).await;
    is_open(&other).await;
    put(&one, "a", b"content").await;
    decided_by(&one, "endpoint").await;
    assert_eq!(
        answered(at_host(&one, Method::GET, "/api/list")).await.0,
        200
    );
    // Whom the bucket asks, it hears within a second; until then it lets nobody in.
    within("the other to let them in", async {
        while answered(at_host(&other, Method::GET, "/api/list")).await.0 != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(judge.questions().len(), 1);
}

on_disk_and_in_store!(an_answer_is_remembered_for_as_long_as_it_says);
async fn an_answer_is_remembered_for_as_long_as_it_says(berth: Berth) {
    let judge = Judge::start(Reply::Json(json!({
        "allow": true, "identity": "anna", "remember_seconds": 300,
    })))
    .await;
    let server = judged(berth, &judge).await;
    put_as_session(&server, "b").await;
    let get = |path: &str| visitor(&server, Method::GET, &file(path));
    for _ in 0..3 {
        assert_eq!(answered(get("a")).await.0, 200);
    }
    assert_eq!(judge.questions().len(), 1);
    // Anything else is another question.
    assert_eq!(answered(get("b")).await.0, 200);
    let other = server
        .anonymous(Method::GET, &file("a"))
        .bearer_auth("other");
    assert_eq!(answered(other).await.0, 200);
    assert_eq!(judge.questions().len(), 2);
    judge.replies(Reply::Json(json!({ "allow": true, "remember_seconds": 0 })));
    for _ in 0..2 {
        let put = visitor(&server, Method::PUT, &file("c")).body("x");
        assert!(matches!(answered(put).await.0, 200 | 201));
    }
    assert_eq!(judge.questions().len(), 2, "asked each time");
    judge.replies(Reply::Json(
        json!({ "allow": false, "remember_seconds": 300 }),
    ));
    for _ in 0..2 {
        let delete = visitor(&server, Method::DELETE, &file("b"));
        assert_eq!(answered(delete).await.0, 403);
    }
    assert_eq!(judge.questions().len(), 1, "a denial, too");
}

on_sqlite!(an_answer_is_asked_for_again_when_its_time_is_over);
async fn an_answer_is_asked_for_again_when_its_time_is_over(database: TestDatabase) {
    // As long as it says, and no longer than is set.
    for (said, most) in [(1, "1h"), (3600, "200ms")] {
        let reply = json!({ "allow": true, "remember_seconds": said });
        let judge = Judge::start(Reply::Json(reply)).await;
        let server = asking(server(&database), &judge)
            .env("LONGSHORE_AUTHORISER_REMEMBER", most)
            .start()
            .await;
        put(&server, "a", b"content").await;
        decided_by(&server, "endpoint").await;
        let get = || visitor(&server, Method::GET, &file("a"));
        assert_eq!(answered(get()).await.0, 200);
        judge.replies(Reply::Json(json!({ "allow": false })));
        within("the next question", async {
            while answered(get()).await.0 == 200 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
        assert_eq!(judge.questions().len(), 2, "{said} s, {most}");
    }
}

/// Puts a file as an administrator whom nobody is asked about.
async fn put_as_session(server: &TestServer, path: &str) {
    let session = server.log_in("admin", server.admin_password()).await;
    let put = session.request(Method::PUT, &file(path)).body("content");
    assert_eq!(answered(put).await.0, 201);
}

on_disk_and_in_store!(of_equal_questions_at_once_one_is_asked);
async fn of_equal_questions_at_once_one_is_asked(berth: Berth) {
    let judge = Judge::start(Reply::Held(
        json!({ "allow": true, "remember_seconds": 60 }),
    ));
    let judge = judge.await;
    let server = judged_with(berth, |options| {
        asking(options, &judge).env("LONGSHORE_AUTHORISER_TIMEOUT", "20s")
    })
    .await;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let get = visitor(&server, Method::GET, &file("a"));
        waiting.spawn(async move { answered(get).await.0 });
    }
    judge.was_asked(1).await;
    judge.release();
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.expect("no panic"), 200);
    }
    assert_eq!(judge.questions().len(), 1);
}

on_disk_and_in_store!(answers_of_lambda_functions_are_taken);
async fn answers_of_lambda_functions_are_taken(berth: Berth) {
    let judge = Judge::start(Reply::Of(|question| {
        let arn = question["methodArn"].as_str().unwrap_or_default();
        let read = arn.replace("/GET/", "/*/");
        json!({
            "principalId": "anna",
            "policyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [read] },
                { "Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*/DELETE/*" },
            ] },
            "context": { "department": "quay" },
        })
    }))
    .await;
    let server = judged(berth, &judge).await;
    let get = |path: &str| at_host(&server, Method::GET, path);
    assert_eq!(answered(get("/a")).await, (200, b"content".to_vec()));
    assert_eq!(
        answered(at_host(&server, Method::DELETE, "/a")).await.0,
        403
    );
    let put = at_host(&server, Method::PUT, "/api/upload/b").body("x");
    assert_eq!(answered(put).await, (200, b"\"File uploaded\"".to_vec()));
    judge.replies(Reply::Json(json!({
        "isAuthorized": true, "context": { "sub": "bert" },
    })));
    let put = at_host(&server, Method::PUT, "/c").body("x");
    assert_eq!(answered(put).await.0, 200);
    let (status, list) = answered(get("/api/list")).await;
    assert_eq!(status, 200);
    let list: Value = serde_json::from_slice(&list).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(3), "{list}");
    let mut uploaders = Vec::new();
    for path in ["b", "c"] {
        let details = visitor(
            &server,
            Method::GET,
            &format!("/api/v1/buckets/files/details/{path}"),
        );
        let details: Value = serde_json::from_slice(&answered(details).await.1).expect("JSON");
        uploaders.push(details["uploader"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(uploaders, ["authoriser:anna", "authoriser:bert"]);
    judge.replies(Reply::Json(json!({ "isAuthorized": false })));
    assert_eq!(answered(get("/b")).await.0, 403);
    let nobody = server.anonymous(Method::GET, "/b").header("Host", HOST);
    let nobody = nobody.send().await.expect("an answer");
    assert_eq!(nobody.status(), 401);
    let ways = nobody.headers().get_all("www-authenticate").iter();
    let ways: Vec<&str> = ways.filter_map(|way| way.to_str().ok()).collect();
    assert!(ways.iter().any(|way| way.starts_with("Basic")), "{ways:?}");
}

on_both!(public_files_and_signed_addresses_need_no_question);
async fn public_files_and_signed_addresses_need_no_question(database: TestDatabase) {
    let judge = Judge::start(Reply::Json(json!({ "allow": true, "identity": "anna" }))).await;
    // In a store the addresses are the store's own, which knows nobody else.
    let server = judged(Berth::on_disk(&database), &judge).await;
    let address = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let url = body["url"].as_str().expect("an address").to_owned();
        url.split_once(HOST).expect("this host").1.to_owned()
    };
    let (status, got) = answered(at_host(&server, Method::GET, "/api/download_presigned/a")).await;
    assert_eq!(status, 200);
    let get = address(&got);
    let (_, put) = answered(at_host(&server, Method::GET, "/api/upload_presigned/d")).await;
    let put = address(&put);
    judge.replies(Reply::Json(json!({ "allow": false })));
    judge.questions();
    let anybody = |method: Method, path: &str| server.anonymous(method, path).header("Host", HOST);
    assert_eq!(answered(anybody(Method::GET, &get)).await.0, 200);
    assert_eq!(answered(anybody(Method::PUT, &put).body("x")).await.0, 200);
    assert_eq!(
        answered(anybody(Method::PUT, &put).body("x")).await.0,
        403,
        "once"
    );
    assert_eq!(judge.questions().len(), 0);
    let session = server.log_in("admin", server.admin_password()).await;
    let details = session.request(Method::GET, "/api/v1/buckets/files/details/d");
    let details: Value = serde_json::from_slice(&answered(details).await.1).expect("JSON");
    assert_eq!(details["uploader"], "authoriser:anna");

    // Where nobody decides any more, what was signed by its leave is over.
    decided_by(&server, "builtin").await;
    assert_eq!(answered(anybody(Method::GET, &get)).await.0, 403);
    decided_by(&server, "endpoint").await;
    let change = session
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(r#"{"public_read":true}"#);
    assert_eq!(answered(change).await.0, 200);
    assert_eq!(answered(anybody(Method::GET, "/a")).await.0, 200);
    assert_eq!(judge.questions().len(), 0);
    assert_eq!(answered(anybody(Method::DELETE, "/a")).await.0, 401);
    assert_eq!(judge.questions().len(), 1);
}

/// A request of tus.
fn tus(server: &TestServer, method: Method, path: &str, token: &str) -> RequestBuilder {
    server
        .anonymous(method, path)
        .bearer_auth(token)
        .header("Tus-Resumable", "1.0.0")
}

on_disk_and_in_store!(resumable_uploads_belong_to_whom_the_endpoint_names);
async fn resumable_uploads_belong_to_whom_the_endpoint_names(berth: Berth) {
    let judge = Judge::start(Reply::Of(|question| {
        let token = &question["credentials"]["token"];
        json!({ "allow": question["file"] != "closed", "identity": token })
    }))
    .await;
    let server = judged(berth, &judge).await;
    let metadata = |path: &str| format!("path {}", data_encoding::BASE64.encode(path.as_bytes()));
    let begin = |path: &str, token: &str| {
        tus(&server, Method::POST, "/tus", token)
            .header("Upload-Length", "6")
            .header("Upload-Metadata", metadata(path))
    };
    assert_eq!(answered(begin("closed", "anna")).await.0, 403);
    let begun = begin("up", "anna").send().await.expect("an answer");
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    let upload = location[location.find("/tus/").expect("an upload")..].to_owned();
    let append = |token: &str, offset: &str, body: &'static str| {
        tus(&server, Method::PATCH, &upload, token)
            .header("Content-Type", "application/offset+octet-stream")
            .header("Upload-Offset", offset)
            .body(body)
    };
    assert_eq!(answered(append("anna", "0", "abc")).await.0, 204);
    assert_eq!(
        answered(append("bert", "3", "xyz")).await.0,
        404,
        "it is anna's"
    );
    let head = tus(&server, Method::HEAD, &upload, "anna").send().await;
    assert_eq!(head.expect("an answer").headers()["upload-offset"], "3");
    assert_eq!(answered(append("anna", "3", "def")).await.0, 204);
    let get = visitor(&server, Method::GET, &file("up"));
    assert_eq!(answered(get).await, (200, b"abcdef".to_vec()));
    judge.replies(Reply::Json(json!({ "allow": false })));
    let end = tus(&server, Method::DELETE, &upload, "anna");
    assert_eq!(answered(end).await.0, 403);
}

on_both!(a_bucket_cannot_ask_an_endpoint_that_is_not_there);
async fn a_bucket_cannot_ask_an_endpoint_that_is_not_there(database: TestDatabase) {
    let server = server(&database).start().await;
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(r#"{"authoriser":"endpoint"}"#);
    assert_eq!(refusal(change).await, (400, "invalid-request".to_owned()));
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(r#"{"authoriser":"builtin"}"#);
    assert_eq!(answered(change).await.0, 200);
}

on_both!(who_changes_buckets_sees_where_others_are_asked_without_what_is_secret_of_it);
async fn who_changes_buckets_sees_where_others_are_asked_without_what_is_secret_of_it(
    database: TestDatabase,
) {
    let judge = Judge::start(Reply::Json(json!({ "allow": false }))).await;
    let url = judge.url();
    let (open, _secret) = url.split_once('?').expect("a query with a secret");
    let server = server(&database)
        .env("LONGSHORE_AUTHORISER_URL", &url)
        .start()
        .await;
    let (_, bucket) = server.get("/api/v1/buckets/files").await;
    let shown = bucket["authoriser_url"].as_str().expect("it is shown");
    assert_eq!(shown, format!("{open}?…"));
    let password = add_user(&server, "vera", "viewer").await;
    let vera = server.request_as("vera", &password, Method::GET, "/api/v1/buckets/files");
    let (status, bucket) = answered(vera).await;
    let bucket: Value = serde_json::from_slice(&bucket).expect("JSON");
    assert_eq!((status, &bucket["authoriser_url"]), (200, &Value::Null));
}
