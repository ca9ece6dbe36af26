//! Signed addresses: one file, one method, for a while, without a password.

use crate::afloat::{Berth, on_disk_and_in_store};
use crate::program::server;
use crate::stored::{HOST, add_user, answered, contents, path_of, put, refusal, uploader};
use base::{Clock, SystemClock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{TestDatabase, TestServer, on_both};

const PRESIGN: &str = "/api/v1/buckets/files/presign";

/// Signs as admin; path and query.
async fn signed(server: &TestServer, body: &Value) -> String {
    let (status, link) = server.post(PRESIGN, body).await;
    assert_eq!(status, 200, "{link}");
    path_of(server, link["url"].as_str().expect("an address"))
}

/// The same address with another character at its end.
fn altered(path: &str) -> String {
    let (before, last) = path.split_at(path.len() - 1);
    format!("{before}{}", if last == "A" { "E" } else { "A" })
}

on_both!(a_signed_address_gets_its_file_and_nothing_else);
async fn a_signed_address_gets_its_file_and_nothing_else(database: TestDatabase) {
    let server = server(&database).start().await;
    put(&server, "a/b%20c.txt", b"hello, world").await;
    put(&server, "other.txt", b"other").await;
    let path = signed(&server, &json!({ "path": "a/b c.txt", "method": "GET" })).await;
    let get = |path: &str| server.anonymous(Method::GET, path);
    assert_eq!(answered(get(&path)).await, (200, b"hello, world".to_vec()));
    let part = get(&path).header("Range", "bytes=7-");
    assert_eq!(answered(part).await, (206, b"world".to_vec()));
    let head = server.anonymous(Method::HEAD, &path).send().await;
    let head = head.expect("an answer");
    assert_eq!(head.headers()["content-length"], "12");
    let tag = head.headers()["etag"].clone();
    let same = get(&path).header("If-None-Match", tag);
    assert_eq!(answered(same).await.0, 304);

    let query = path.split_once('?').expect("a query").1.to_owned();
    let later = path.replacen("expires=1", "expires=2", 1);
    for (what, refused) in [
        ("altered", altered(&path)),
        ("a later end", later),
        (
            "another file",
            format!("/api/v1/signed/files/other.txt?{query}"),
        ),
        (
            "another bucket",
            format!("/api/v1/signed/filez/a/b%20c.txt?{query}"),
        ),
        ("no signature", "/api/v1/signed/files/other.txt".to_owned()),
    ] {
        let refusal = refusal(get(&refused)).await;
        assert_eq!(
            refusal,
            (403, "link-invalid".to_owned()),
            "{what}: {refused}"
        );
    }
    let more = format!("{path}&x=1");
    assert_eq!(
        refusal(get(&more)).await,
        (400, "invalid-request".to_owned())
    );
    let before = contents(&server);
    let other_method = server.anonymous(Method::PUT, &path).body("x");
    assert_eq!(
        refusal(other_method).await,
        (403, "link-invalid".to_owned())
    );
    assert_eq!(contents(&server), before);

    let body = json!({ "path": "a/b c.txt", "method": "GET", "download": true });
    let saved = get(&signed(&server, &body).await)
        .send()
        .await
        .expect("an answer");
    let disposition = saved.headers()["content-disposition"]
        .to_str()
        .expect("ASCII");
    assert!(disposition.starts_with("attachment"), "{disposition}");
}

on_both!(an_address_for_putting_works_once_and_as_agreed);
async fn an_address_for_putting_works_once_and_as_agreed(database: TestDatabase) {
    let server = server(&database).start().await;
    let put = |path: &str| server.anonymous(Method::PUT, path);
    let bound = json!({ "path": "in/a.txt", "method": "PUT", "length": 5, "type": "text/plain" });
    let path = signed(&server, &bound).await;
    let query = path.split_once('?').expect("a query").1.to_owned();
    let text = "text/plain";
    for (what, request, wanted) in [
        (
            "another type",
            put(&path).header("Content-Type", "text/html").body("hello"),
            (403, "link-mismatch"),
        ),
        ("no type", put(&path).body("hello"), (403, "link-mismatch")),
        (
            "another length",
            put(&path).header("Content-Type", text).body("hello!"),
            (403, "link-mismatch"),
        ),
        (
            "another path",
            put(&format!("/api/v1/signed/files/in/b.txt?{query}"))
                .header("Content-Type", text)
                .body("hello"),
            (403, "link-invalid"),
        ),
        (
            "altered",
            put(&altered(&path))
                .header("Content-Type", text)
                .body("hello"),
            (403, "link-invalid"),
        ),
        (
            "without its length",
            put(&path.replace("length=5&", ""))
                .header("Content-Type", text)
                .body("hello"),
            (403, "link-invalid"),
        ),
        (
            "another digest",
            put(&path)
                .header("Content-Type", text)
                .header("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")
                .body("hello"),
            (400, "content-mismatch"),
        ),
    ] {
        let refusal = refusal(request).await;
        assert_eq!(refusal, (wanted.0, wanted.1.to_owned()), "{what}");
        assert_eq!(
            contents(&server),
            Vec::<std::path::PathBuf>::new(),
            "{what}"
        );
    }
    let get = server.anonymous(Method::GET, &path);
    assert_eq!(refusal(get).await, (403, "link-invalid".to_owned()));

    // What failed did not use it up.
    let good = || put(&path).header("Content-Type", text).body("hello");
    assert_eq!(answered(good()).await.0, 201);
    assert_eq!(
        uploader(&server, "in/a.txt").await.as_deref(),
        Some("user:admin")
    );
    let after = contents(&server);
    assert_eq!(refusal(good()).await, (403, "link-used".to_owned()));
    assert_eq!(contents(&server), after, "a replay leaves nothing");
}

on_both!(of_two_that_use_one_address_at_once_one_puts);
async fn of_two_that_use_one_address_at_once_one_puts(database: TestDatabase) {
    let server = server(&database).start().await;
    for round in 0..5 {
        let name = format!("twice-{round}");
        let path = signed(&server, &json!({ "path": name, "method": "PUT" })).await;
        let put = |body: &'static str| answered(server.anonymous(Method::PUT, &path).body(body));
        let (one, two) = tokio::join!(put("one"), put("two"));
        let mut statuses = [one.0, two.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403]);
        let content = if one.0 == 201 { "one" } else { "two" };
        let at = format!("/api/v1/buckets/files/files/{name}");
        let (_, found) = answered(server.request(Method::GET, &at)).await;
        assert_eq!(found, content.as_bytes());
        assert_eq!(contents(&server).len(), round + 1);
    }
}

/// Waits until a moment that the server named is over, by the clock that both share.
/// Time is the event here.
pub(crate) async fn over(moment: &Value) {
    let moment: Timestamp = serde_json::from_value(moment.clone()).expect("a time");
    tokio::time::sleep(moment.since(SystemClock.now())).await;
}

on_both!(an_address_ends_with_its_time_and_with_the_rights_of_its_signer);
async fn an_address_ends_with_its_time_and_with_the_rights_of_its_signer(database: TestDatabase) {
    let server = server(&database).start().await;
    put(&server, "a", b"a").await;
    let body = json!({ "path": "a", "method": "GET", "expires_in": 1 });
    let (_, link) = server.post(PRESIGN, &body).await;
    let path = path_of(&server, link["url"].as_str().expect("an address"));
    let body = json!({ "path": "a", "method": "PUT", "expires_in": 1 });
    let (_, link) = server.post(PRESIGN, &body).await;
    let putting = path_of(&server, link["url"].as_str().expect("an address"));
    over(&link["expires_at"]).await;
    let get = |path: &str| refusal(server.anonymous(Method::GET, path));
    assert_eq!(get(&path).await, (403, "link-expired".to_owned()));
    // On the bucket's own domain the same signatures count, and end.
    let on_host = |path: &str| format!("/a?{}", path.split_once('?').expect("a query").1);
    let got = server.anonymous(Method::GET, &on_host(&path));
    let got = refusal(got.header("Host", HOST)).await;
    assert_eq!(got, (403, "link-expired".to_owned()));
    let before = contents(&server);
    for (host, path) in [("here", putting.clone()), (HOST, on_host(&putting))] {
        let late = server.anonymous(Method::PUT, &path).header("Host", host);
        let late = refusal(late.body("late")).await;
        assert_eq!(late, (403, "link-expired".to_owned()), "{host}");
        assert_eq!(contents(&server), before, "{host}");
    }
    for seconds in [0, 604_801, u64::MAX] {
        let body = json!({ "path": "a", "method": "GET", "expires_in": seconds });
        let (status, problem) = server.post(PRESIGN, &body).await;
        assert_eq!(status, 400, "{problem}");
    }
    for body in [
        json!({ "path": "../a", "method": "GET" }),
        json!({ "path": "", "method": "GET" }),
        json!({ "path": "a", "method": "DELETE" }),
        json!({ "path": "a", "method": "GET", "length": 5 }),
        json!({ "path": "a", "method": "PUT", "type": "nonsense" }),
    ] {
        let (status, problem) = server.post(PRESIGN, &body).await;
        assert_eq!(status, 400, "{body} {problem}");
    }

    let password = add_user(&server, "otto", "operator").await;
    let sign = async |body: Value| {
        let request = server.request_as("otto", &password, Method::POST, PRESIGN);
        let request = request.header("Content-Type", "application/json");
        let (status, link) = answered(request.body(body.to_string())).await;
        let link: Value = serde_json::from_slice(&link).expect("JSON");
        assert_eq!(status, 200, "{link}");
        path_of(&server, link["url"].as_str().expect("an address"))
    };
    let getting = sign(json!({ "path": "a", "method": "GET" })).await;
    let first = sign(json!({ "path": "b", "method": "PUT" })).await;
    let second = sign(json!({ "path": "b", "method": "PUT" })).await;
    let by_otto = server.anonymous(Method::PUT, &first).body("b");
    assert_eq!(answered(by_otto).await.0, 201);
    assert_eq!(uploader(&server, "b").await.as_deref(), Some("user:otto"));
    let (status, gone) = server.delete("/api/v1/users/otto").await;
    assert!(status.is_success(), "{gone}");
    assert_eq!(get(&getting).await, (403, "link-invalid".to_owned()));
    let late = server.anonymous(Method::PUT, &second).body("late");
    assert_eq!(refusal(late).await, (403, "link-invalid".to_owned()));
}

on_disk_and_in_store!(a_viewer_signs_what_it_may_read_and_nothing_to_be_put);
async fn a_viewer_signs_what_it_may_read_and_nothing_to_be_put(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a", b"a").await;
    let password = add_user(&server, "vera", "viewer").await;
    for (method, wanted) in [("GET", 200), ("PUT", 403)] {
        let body = json!({ "path": "a", "method": method }).to_string();
        let request = server.request_as("vera", &password, Method::POST, PRESIGN);
        let request = request
            .header("Content-Type", "application/json")
            .body(body);
        assert_eq!(answered(request).await.0, wanted, "{method}");
    }
}

on_both!(a_buckets_own_domain_signs_addresses_of_its_own);
async fn a_buckets_own_domain_signs_addresses_of_its_own(database: TestDatabase) {
    let server = server(&database).start().await;
    let sign = async |way: &str, path: &str| {
        let at = format!("/api/{way}_presigned/{path}");
        let request = server.request(Method::GET, &at).header("Host", HOST);
        let (status, link) = answered(request).await;
        let link: Value = serde_json::from_slice(&link).expect("JSON");
        assert_eq!(status, 200, "{link}");
        let url = link["url"].as_str().expect("an address").to_owned();
        let path = url.strip_prefix(&format!("http://{HOST}"));
        path.unwrap_or_else(|| panic!("{url}")).to_owned()
    };
    let on_host = |method: Method, path: &str| server.anonymous(method, path).header("Host", HOST);
    let upload = sign("upload", "foo/b%C3%A4r.txt").await;
    let sent = on_host(Method::PUT, &upload).body("content");
    assert_eq!(answered(sent).await, (200, b"\"File uploaded\"".to_vec()));
    let before = contents(&server);
    let again = on_host(Method::PUT, &upload).body("again");
    assert_eq!(refusal(again).await, (403, "link-used".to_owned()));
    let other = sign("upload", "foo/b%C3%A4r.txt").await;
    let forged = on_host(Method::PUT, &altered(&other)).body("forged");
    assert_eq!(refusal(forged).await, (403, "link-invalid".to_owned()));
    assert_eq!(contents(&server), before, "neither leaves anything");
    let download = sign("download", "foo/b%C3%A4r.txt").await;
    assert!(
        download.starts_with("/foo/b%C3%A4r.txt?expires="),
        "{download}"
    );
    let got = on_host(Method::GET, &download);
    assert_eq!(answered(got).await, (200, b"content".to_vec()));
    let unsigned = download.split_once('?').expect("a query").0;
    assert_eq!(answered(on_host(Method::GET, unsigned)).await.0, 401);
    assert_eq!(
        answered(on_host(Method::PUT, unsigned).body("x")).await.0,
        401
    );
    let refused = on_host(Method::GET, &altered(&download));
    assert_eq!(refusal(refused).await, (403, "link-invalid".to_owned()));
    let anonymous = on_host(Method::GET, "/api/download_presigned/foo");
    assert_eq!(answered(anonymous).await.0, 401);
}

on_both!(addresses_are_those_of_the_configured_url_behind_a_proxy);
async fn addresses_are_those_of_the_configured_url_behind_a_proxy(database: TestDatabase) {
    let server = server(&database)
        .env("LONGSHORE_PUBLIC_URL", "https://longshore.example.org")
        .start()
        .await;
    let body = json!({ "path": "a b", "method": "PUT" });
    let (_, link) = server.post(PRESIGN, &body).await;
    let url = link["url"].as_str().expect("an address");
    let path = url.strip_prefix("https://longshore.example.org");
    let path = path.unwrap_or_else(|| panic!("{url}"));
    assert!(path.starts_with("/api/v1/signed/files/a%20b?"), "{path}");
    // By whichever name it is reached: the signature is of the file, not of the host.
    let put = server.anonymous(Method::PUT, path).body("x");
    assert_eq!(answered(put).await.0, 201);
}

on_both!(large_files_are_got_by_a_redirect_where_the_bucket_wants_it);
async fn large_files_are_got_by_a_redirect_where_the_bucket_wants_it(database: TestDatabase) {
    let server = server(&database).start().await;
    put(&server, "small", b"1234").await;
    put(&server, "large", b"12345").await;
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    let (status, _) = answered(change.body(r#"{"redirect_above":5}"#)).await;
    assert_eq!(status, 200);
    let at = |path: &str| format!("/api/v1/buckets/files/files/{path}");
    let small = server.request(Method::GET, &at("small"));
    assert_eq!(answered(small).await.0, 200);
    for (request, host) in [
        (server.request(Method::GET, &at("large")), None),
        (
            server.request(Method::GET, "/large").header("Host", HOST),
            Some(HOST),
        ),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 307);
        let location = answer.headers()["location"].to_str().expect("ASCII");
        let mut follow = server.anonymous(Method::GET, location);
        if let Some(host) = host {
            follow = follow.header("Host", host);
        }
        let part = follow.header("Range", "bytes=1-2");
        assert_eq!(answered(part).await, (206, b"23".to_vec()), "{location}");
    }
    // What is no plain GET is answered here: an address is good for GET, and its server may
    // have another tag for the file.
    let head = server.request(Method::HEAD, &at("large"));
    assert_eq!(answered(head).await.0, 200);
    let on_host = || server.request(Method::GET, "/large").header("Host", HOST);
    let conditional = on_host().header("If-None-Match", "\"another\"");
    assert_eq!(answered(conditional).await, (200, b"12345".to_vec()));
    let nobody = server.anonymous(Method::GET, &at("large"));
    assert_eq!(answered(nobody).await.0, 401);
}
