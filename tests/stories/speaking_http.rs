//! HTTP itself: limits, headers, problems, proxies.

use crate::command_line::Person;
use crate::program::{server, sharing_a_key};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testing::{Nginx, TestDatabase, TestServer, on_both, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn text(answer: Response) -> String {
    answer.text().await.expect("whole")
}

/// Says something on a bare connection and gives everything that comes back until its end.
async fn said(server: &TestServer, words: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .expect("it listens");
    // A server that has heard enough may close before all of it is said.
    let _ = stream.write_all(words).await;
    let mut answer = Vec::new();
    let _ = within("the connection to end", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Checks the form of a problem (RFC 9457) and gives its code.
fn problem(status: u16, headers: &reqwest::header::HeaderMap, body: &str) -> String {
    assert_eq!(
        headers["content-type"], "application/problem+json",
        "{body}"
    );
    let problem: Value = serde_json::from_str(body).expect("a problem is JSON");
    assert_eq!(problem["status"], status, "{problem}");
    for field in ["type", "title", "detail", "code", "request_id"] {
        let text = problem[field].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{field} in {problem}");
    }
    let id = problem["request_id"].as_str();
    assert_eq!(headers["x-request-id"].to_str().ok(), id, "{problem}");
    problem["code"].as_str().expect("a code").to_owned()
}

on_both!(every_refusal_is_a_problem_with_a_code_and_the_id_of_the_request);
async fn every_refusal_is_a_problem_with_a_code_and_the_id_of_the_request(database: TestDatabase) {
    let server = server(&database).start().await;
    let password = server.admin_password().to_owned();
    for (method, path, body, status, code) in [
        (Method::GET, "/api/v1/nowhere", None, 404, "not-found"),
        (
            Method::GET,
            "/api/v1/bundles/01900000-0000-7000-8000-000000000000",
            None,
            404,
            "not-found",
        ),
        (
            Method::GET,
            "/api/v1/bundles/not-an-id",
            None,
            400,
            "invalid-request",
        ),
        (
            Method::PATCH,
            "/api/v1/bundles",
            None,
            405,
            "method-not-allowed",
        ),
        (
            Method::POST,
            "/api/v1/bundles",
            Some("{"),
            400,
            "invalid-request",
        ),
        (
            Method::GET,
            "/api/v1/operations?limit=0",
            None,
            400,
            "invalid-request",
        ),
        (
            Method::GET,
            "/api/v1/operations?cursor=rubbish",
            None,
            400,
            "invalid-request",
        ),
        (
            Method::GET,
            "/api/v1/operations?colour=red",
            None,
            400,
            "invalid-request",
        ),
    ] {
        let mut request = server.request_as("admin", &password, method.clone(), path);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let answer = request.send().await.expect("an answer");
        let headers = answer.headers().clone();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let found = problem(status, &headers, &text(answer).await);
        assert_eq!(found, code, "{method} {path}");
    }
    let form = server.request(Method::POST, "/api/v1/bundles").body("a=b");
    let form = form
        .header("Content-Type", "text/plain")
        .send()
        .await
        .expect("an answer");
    assert_eq!(form.status(), 415);
    let head = server
        .request(Method::HEAD, "/api/v1/nowhere")
        .send()
        .await
        .expect("an answer");
    assert_eq!(head.status(), 404);
    assert_eq!(head.headers()["content-type"], "application/problem+json");
    assert_eq!(text(head).await, "");
    let allowed = server
        .request(Method::PUT, "/api/v1/session")
        .send()
        .await
        .expect("an answer");
    assert_eq!(allowed.status(), 405);
    let allow = allowed.headers()["allow"].to_str().expect("ASCII");
    assert!(allow.contains("POST") && allow.contains("GET"), "{allow}");
}

on_both!(a_body_that_is_too_large_is_refused_before_it_is_read);
async fn a_body_that_is_too_large_is_refused_before_it_is_read(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_HTTP_BODY_LIMIT", "64KiB");
    let server = options.start().await;
    let body = json!({ "sources": ["x".repeat(100_000)] }).to_string();
    let request = server.request(Method::POST, "/api/v1/bundles");
    let request = request
        .header("Content-Type", "application/json")
        .body(body);
    let answer = request.send().await.expect("an answer");
    let headers = answer.headers().clone();
    assert_eq!(answer.status(), 413);
    let refused = text(answer).await;
    assert_eq!(problem(413, &headers, &refused), "payload-too-large");
    assert!(refused.contains("64KiB"), "{refused}");
    let person = Person::logged_in(&server).await;
    let list = format!("http://127.0.0.1:1/{}", "x".repeat(100_000));
    let ended = person.run_with(&["bundle", "-o", "a.zip"], &list).await;
    ended.refused(1, &["64KiB"]);
    // One that only says how large it will be is refused for what it says.
    let pair =
        data_encoding::BASE64.encode(format!("admin:{}", server.admin_password()).as_bytes());
    let announced = format!(
        "POST /api/v1/bundles HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {pair}\r\n\
         Content-Type: application/json\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n{{"
    );
    let answer = said(&server, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

on_both!(a_flood_of_headers_is_refused_and_the_server_goes_on);
async fn a_flood_of_headers_is_refused_and_the_server_goes_on(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_HTTP_HEADER_TIMEOUT", "2s");
    let server = options.start().await;
    let large = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "x".repeat(70_000)
    );
    let many: String = (0..2000)
        .map(|number| format!("X-{number}: 1\r\n"))
        .collect();
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    let endless = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\n{}",
        "X-Again: 1\r\n".repeat(200_000)
    );
    for flood in [large, many, endless] {
        let answer = said(&server, flood.as_bytes()).await;
        let first = answer.lines().next().unwrap_or_default();
        assert!(
            first.is_empty() || first.contains(" 431 ") || first.contains(" 400 "),
            "{first}"
        );
    }
    for rubbish in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
    ] {
        said(&server, &[rubbish, b"\r\n\r\n"].concat()).await;
    }
    assert_eq!(server.get("/api/v1/about").await.0, 200);
}

on_both!(who_never_finishes_a_request_is_hung_up_on);
async fn who_never_finishes_a_request_is_hung_up_on(database: TestDatabase) {
    let options = server(&database).env("LONGSHORE_HTTP_HEADER_TIMEOUT", "1s");
    let server = options.start().await;
    for beginning in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2"] {
        // It ends, though nothing more is said; what is said at its end is free.
        let answer = said(&server, beginning.as_bytes()).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

on_both!(pages_and_answers_come_with_headers_that_protect_them);
async fn pages_and_answers_come_with_headers_that_protect_them(database: TestDatabase) {
    let server = server(&database).start().await;
    for path in ["/", "/api/docs", "/api/v1/about", "/api/v1/nowhere"] {
        let answer = server
            .request(Method::GET, path)
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| {
            let value = answer.headers().get(name);
            let value =
                value.unwrap_or_else(|| panic!("{path} has no {name}: {:?}", answer.headers()));
            value.to_str().expect("ASCII").to_owned()
        };
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(!header("referrer-policy").is_empty(), "{path}");
        let policy = header("content-security-policy");
        let scripts = policy
            .split(';')
            .map(str::trim)
            .find(|rule| rule.starts_with("script-src"))
            .or_else(|| {
                policy
                    .split(';')
                    .map(str::trim)
                    .find(|rule| rule.starts_with("default-src"))
            })
            .unwrap_or_else(|| panic!("{path}: {policy}"));
        assert!(!scripts.contains("unsafe"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

on_both!(long_answers_are_compressed_for_who_takes_that);
async fn long_answers_are_compressed_for_who_takes_that(database: TestDatabase) {
    let server = server(&database).start().await;
    let request = server.request(Method::GET, "/api/v1/openapi.json");
    let answer = request
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert!(
        answer.headers()["vary"]
            .to_str()
            .expect("ASCII")
            .to_lowercase()
            .contains("accept-encoding")
    );
    let packed = answer.bytes().await.expect("whole");
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut plain)
        .expect("it is gzip");
    assert!(plain.len() > packed.len() * 3);
    let again = server
        .request(Method::GET, "/api/v1/openapi.json")
        .send()
        .await
        .expect("an answer");
    assert!(again.headers().get("content-encoding").is_none());
    assert_eq!(text(again).await, plain);
}

/// The address of the newest entry in the record, which is asked for by HTTP Basic: that
/// is an entry of its own the first time, and remembered afterwards.
async fn noted_address(server: &TestServer) -> String {
    let (status, page) = server.get("/api/v1/audit?limit=1").await;
    assert_eq!(status, 200, "{page}");
    page["items"][0]["address"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn log_in_by(server: &TestServer, base: &str, header: (&str, &str)) -> Response {
    let body = json!({ "name": "admin", "password": server.admin_password() });
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let request = client.post(format!("{base}/api/v1/session"));
    let request = request
        .header("Content-Type", "application/json")
        .header(header.0, header.1);
    request
        .body(body.to_string())
        .send()
        .await
        .expect("an answer")
}

on_both!(who_asked_is_believed_from_trusted_proxies_alone);
async fn who_asked_is_believed_from_trusted_proxies_alone(database: TestDatabase) {
    let claims = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7;proto=https"),
    ];
    let options = sharing_a_key(server(&database));
    let plain = options.clone().start().await;
    noted_address(&plain).await;
    for claim in claims {
        let answer = log_in_by(&plain, &plain.url(), claim).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            noted_address(&plain).await,
            "127.0.0.1",
            "{claim:?} is anybody's word"
        );
        let cookie = answer.headers()["set-cookie"].to_str().expect("ASCII");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    let trusting = options
        .env("LONGSHORE_TRUSTED_PROXIES", "127.0.0.0/8")
        .start()
        .await;
    noted_address(&trusting).await;
    for claim in claims {
        let answer = log_in_by(&trusting, &trusting.url(), claim).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(noted_address(&trusting).await, "203.0.113.7", "{claim:?}");
    }
    let https = log_in_by(&trusting, &trusting.url(), ("X-Forwarded-Proto", "https")).await;
    let cookie = https.headers()["set-cookie"].to_str().expect("ASCII");
    assert!(cookie.contains("Secure"), "{cookie}");
    let Some(nginx) = Nginx::before(trusting.port()).await else {
        return;
    };
    for claim in claims {
        let answer = log_in_by(&trusting, &nginx.url(), claim).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            noted_address(&trusting).await,
            "127.0.0.1",
            "nginx replaces what clients say"
        );
    }
}

on_both!(probes_need_no_password_and_figures_do);
async fn probes_need_no_password_and_figures_do(database: TestDatabase) {
    let server = server(&database).start().await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 401)] {
        let answer = server
            .anonymous(Method::GET, path)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let figures = server
        .request(Method::GET, "/metrics")
        .send()
        .await
        .expect("an answer");
    assert_eq!(figures.status(), 200);
    let figures = text(figures).await;
    assert!(
        figures.contains("# TYPE longshore_http_connections gauge"),
        "{figures}"
    );
}
