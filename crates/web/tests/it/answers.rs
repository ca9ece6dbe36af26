//! What comes back: problems for all that goes wrong, and the headers of every answer.

use crate::fixture::{call, gate, get, post, site, site_with};
use axum::body::Body;
use http::Method;
use std::time::Duration;
use web::Settings;

const ONE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const OTHER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
const THING: &str = r#"{"name":"a","count":1}"#;

#[tokio::test]
async fn whatever_goes_wrong_is_a_problem() {
    let site = site();
    let big = format!(r#"{{"name":"{}","count":1}}"#, "x".repeat(300 * 1024));
    let plain = || call(Method::POST, "/api/v1/open").body(Body::from("a=b"));
    for (call, status, code) in [
        (get("/api/v1/nothing"), 404, "not-found"),
        (get("/api/v1/things/7/other"), 404, "not-found"),
        (
            call(Method::PUT, "/api/v1/things"),
            405,
            "method-not-allowed",
        ),
        (post("/api/v1/open", "{"), 400, "invalid-request"),
        (
            post("/api/v1/open", r#"{"name":1}"#),
            400,
            "invalid-request",
        ),
        (plain(), 415, "unsupported-media-type"),
        (
            plain().header("content-type", "text/plain"),
            415,
            "unsupported-media-type",
        ),
        (post("/api/v1/open", &big), 413, "payload-too-large"),
        (get("/api/v1/fails"), 500, "internal"),
        (get("/api/v1/panics"), 500, "internal"),
        (get("/api/v1/hangs"), 503, "timeout"),
        (get("/api/v1/from?a=%00"), 400, "invalid-request"),
        (
            call(Method::DELETE, "/api/v1/things/x").bearer("admin"),
            400,
            "invalid-request",
        ),
        (
            get("/api/v1/things?limit=x").bearer("admin"),
            400,
            "invalid-request",
        ),
    ] {
        assert_eq!(call.to(&site).await.problem(), (status, code.into()));
    }
}

#[tokio::test]
async fn a_problem_names_the_field() {
    let site = site();
    let field = |answer: crate::fixture::Answered| answer.json()["errors"][0]["field"].clone();
    let answer = call(Method::DELETE, "/api/v1/things/x")
        .bearer("admin")
        .to(&site)
        .await;
    assert_eq!(field(answer), "id");
    let answer = get("/api/v1/things?limit=300")
        .bearer("admin")
        .to(&site)
        .await;
    assert_eq!(field(answer), "limit");
    let answer = post("/api/v1/bulk", &format!("[{THING}, {{\"name\":2}}]"))
        .to(&site)
        .await;
    assert_eq!(field(answer), "[1].name");
}

#[tokio::test]
async fn nothing_internal_is_told() {
    for path in ["/api/v1/fails", "/api/v1/panics"] {
        let answer = get(path).to(&site()).await;
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_405_says_what_is_allowed() {
    let answer = call(Method::PUT, "/api/v1/things").to(&site()).await;
    let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_head_is_answered_as_its_get_without_the_body() {
    let site = site();
    for path in ["/api/v1/large", "/api/v1/nothing"] {
        let (got, head) = (
            get(path).to(&site).await,
            call(Method::HEAD, path).to(&site).await,
        );
        assert_eq!((head.status, head.text.as_str()), (got.status, ""));
        assert_eq!(head.header("content-type"), got.header("content-type"));
    }
}

#[tokio::test]
async fn a_request_has_an_id_of_its_own_or_the_sane_one_it_brings() {
    let site = site();
    let answer = get("/api/v1/from")
        .header("x-request-id", "trace-7.a_B")
        .to(&site)
        .await;
    assert_eq!(answer.header("x-request-id"), "trace-7.a_B");
    for text in ["a b", "x;y", ""] {
        let answer = get("/api/v1/nothing")
            .header("x-request-id", text)
            .to(&site)
            .await;
        assert_eq!(answer.header("x-request-id").len(), 36);
        answer.problem();
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let site = site();
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("[[[[[[[[".repeat(1024)));
    let answer = post("/api/v1/open", "")
        .body(Body::from_stream(endless))
        .to(&site)
        .await;
    assert_eq!(answer.problem(), (413, "payload-too-large".into()));
}

#[tokio::test]
async fn the_configured_body_limit_is_that_of_large_lists() {
    let settings = Settings {
        body_limit: 2_000_000,
        ..Settings::default()
    };
    let site = site_with(settings);
    let list = |count: usize| format!("[{}]", vec![THING; count].join(","));
    let answer = post("/api/v1/bulk", &list(80_000)).to(&site).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "80000"));
    assert_eq!(
        post("/api/v1/bulk", &list(90_000)).to(&site).await.status,
        413
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_the_clients_fault_and_a_slow_answer_ours() {
    let site = site();
    let never = futures::stream::pending::<Result<String, std::io::Error>>();
    let answer = post("/api/v1/open", "")
        .body(Body::from_stream(never))
        .to(&site)
        .await;
    assert_eq!(answer.problem(), (408, "request-timeout".into()));
    let answer = get("/api/v1/hangs").to(&site).await;
    assert_eq!(answer.problem(), (503, "timeout".into()));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test(start_paused = true)]
async fn more_at_once_than_can_be_answered_is_told_to_come_back() {
    let site = crate::fixture::routes().finish(&gate(Settings::default(), 2));
    let (first, second, third) = tokio::join!(
        get("/api/v1/hangs").to(&site),
        get("/api/v1/hangs").to(&site),
        get("/api/v1/from").to(&site),
    );
    assert_eq!((first.status, second.status), (503, 503));
    assert_eq!(third.problem(), (503, "overloaded".into()));
    assert_eq!(third.header("retry-after"), "1");
    assert_eq!(get("/api/v1/from").to(&site).await.status, 200);
}

#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do() {
    let site = site();
    for path in [
        "/api/v1/from",
        "/api/v1/nothing",
        "/api/v1/panics",
        "/api/v1/things",
    ] {
        let answer = get(path).to(&site).await;
        for (name, start) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("content-security-policy", "default-src 'none'"),
            ("cross-origin-opener-policy", "same-origin"),
            ("permissions-policy", "camera=()"),
        ] {
            assert!(answer.header(name).starts_with(start), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn json_is_compressed_for_those_who_take_it_and_archives_never() {
    let site = site();
    let zipped = |path: &str| get(path).header("accept-encoding", "gzip, br");
    let answer = zipped("/api/v1/large").to(&site).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(
        answer
            .header("vary")
            .eq_ignore_ascii_case("accept-encoding")
    );
    for call in [
        zipped("/api/v1/archive"),
        get("/api/v1/large"),
        zipped("/api/v1/from"),
    ] {
        assert_eq!(call.to(&site).await.header("content-encoding"), "");
    }
    assert_eq!(
        zipped("/api/v1/archive")
            .to(&site)
            .await
            .header("content-length"),
        "5000"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for_as_long_as_is_configured_and_no_longer() {
    for (seconds, status) in [(31, 200), (29, 503)] {
        let settings = Settings {
            request_timeout: Duration::from_secs(seconds),
            ..Settings::default()
        };
        // It takes 30 seconds of a clock that runs ahead.
        let answer = get("/api/v1/slow").to(&site_with(settings)).await;
        assert_eq!(answer.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_routes_and_never_by_their_paths() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let site = site();
    for id in [ONE, OTHER] {
        let path = format!("/api/v1/things/{id}/archive");
        assert_eq!(get(&path).bearer("viewer").to(&site).await.status, 200);
    }
    get("/api/v1/nothing-here").to(&site).await.problem();
    get("/api/v1/panics").to(&site).await.problem();
    let figures = recorder.handle().render();
    for line in [
        r#"longshore_http_requests_total{method="GET",route="/api/v1/things/{id}/archive",status="200"} 2"#,
        r#"longshore_http_requests_total{method="GET",route="other",status="404"} 1"#,
        r#"longshore_http_requests_total{method="GET",route="/api/v1/panics",status="500"} 1"#,
        "longshore_http_requests_running 0",
    ] {
        assert!(figures.contains(line), "{line}\n{figures}");
    }
    assert!(!figures.contains("nothing-here") && !figures.contains(ONE));
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time_also_where_the_handler_has_its_own() {
    let site = site();
    let began = tokio::time::Instant::now();
    let never = futures::stream::pending::<Result<String, std::io::Error>>();
    let call = post("/api/v1/patient", "").body(Body::from_stream(never));
    assert_eq!(
        call.to(&site).await.problem(),
        (408, "request-timeout".into())
    );
    assert_eq!(began.elapsed(), Settings::default().request_timeout * 10);
}

#[tokio::test]
async fn where_users_come_by_https_no_browser_ever_asks_without() {
    let strict = |answer: &crate::fixture::Answered| {
        answer.headers.contains_key("strict-transport-security")
    };
    assert!(!strict(&get("/api/v1/from").to(&site()).await));
    let url = "https://longshore.example.org".parse();
    let settings = Settings {
        public_url: Some(url.expect("an address")),
        ..Settings::default()
    };
    assert!(strict(&get("/api/v1/from").to(&site_with(settings)).await));
}
