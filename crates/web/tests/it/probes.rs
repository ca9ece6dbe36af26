//! Health, readiness and figures.

use crate::fixture::{call, gate, get};
use async_trait::async_trait;
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use web::{Check, Probes, Settings, Site};

struct Broken(Arc<AtomicUsize>);

#[async_trait]
impl Check for Broken {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err("password=hunter2 refused".into())
    }
}

struct Stuck;

#[async_trait]
impl Check for Stuck {
    fn name(&self) -> &'static str {
        "blobs"
    }

    async fn check(&self) -> Result<(), String> {
        std::future::pending().await
    }
}

fn site(checks: Vec<Box<dyn Check>>, open: bool) -> Site {
    let settings = Settings {
        metrics_open: open,
        ..Settings::default()
    };
    let (_, source) = watch::channel(Arc::new(settings.clone()));
    let probes = Probes::new(checks, || "longshore_up 1\n".to_owned(), source);
    // One at once, and that one is taken: probes are answered all the same.
    probes.routes().finish(&gate(settings, 1))
}

#[tokio::test]
async fn a_living_process_says_so() {
    let answer = get("/healthz").to(&site(Vec::new(), false)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn it_is_ready_until_it_stops() {
    let stopping = CancellationToken::new();
    let site_now = site(vec![Box::new(stopping.clone())], false);
    let answer = get("/readyz").to(&site_now).await;
    assert_eq!(answer.json()["parts"][0]["name"], "running");
    stopping.cancel();
    let later = site(vec![Box::new(stopping)], false);
    assert_eq!(
        get("/readyz").to(&later).await.problem(),
        (503, "not-ready".into())
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_well_is_named_and_its_reason_is_not_told() {
    let asked = Arc::new(AtomicUsize::new(0));
    let site = site(
        vec![Box::new(Broken(asked.clone())), Box::new(Stuck)],
        false,
    );
    let answer = get("/readyz").to(&site).await;
    let fields: Vec<_> = answer.json()["errors"]
        .as_array()
        .expect("some")
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(fields, ["database", "blobs"]);
    assert!(!answer.text.contains("hunter2"));
    // However often somebody asks, the parts are not asked more often than they must.
    for _ in 0..10 {
        get("/readyz").to(&site).await.problem();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn figures_need_a_viewer_unless_they_are_open() {
    let closed = site(Vec::new(), false);
    assert_eq!(
        get("/metrics").to(&closed).await.problem(),
        (401, "unauthenticated".into())
    );
    assert_eq!(
        get("/metrics")
            .bearer("only-bundles:read")
            .to(&closed)
            .await
            .problem(),
        (403, "forbidden".into())
    );
    for call in [
        get("/metrics").bearer("viewer"),
        get("/metrics").basic("viewer", "right"),
    ] {
        let answer = call.to(&closed).await;
        assert_eq!(answer.text, "longshore_up 1\n");
        assert_eq!(
            answer.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
    }
    assert_eq!(
        get("/metrics").to(&site(Vec::new(), true)).await.status,
        200
    );
    assert_eq!(
        call(Method::HEAD, "/metrics")
            .to(&site(Vec::new(), true))
            .await
            .status,
        200
    );
}
