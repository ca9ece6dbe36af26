//! Whether Longshore lives, whether it can do its work, and its figures.
//!
//! These are answered however much there is to do, and tell strangers no more than
//! yes or no: reasons go to the log.

use crate::routes;
use crate::{Answer, By, Problem, Requirement, RouteLimits, Routes, SettingsSource};
use access::{Role, Scope};
use async_trait::async_trait;
use axum::extract::State;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

/// One check takes no longer.
const LONGEST: Duration = Duration::from_secs(2);
/// How long what was found stays true: however often somebody asks, the parts are
/// asked no more often than this.
const FRESH: Duration = Duration::from_millis(500);

/// A part that must be well for Longshore to do its work.
#[async_trait]
pub trait Check: Send + Sync + 'static {
    /// What it is called in the answer: `database`.
    fn name(&self) -> &'static str;
    /// Whether it is well; if not, why, for the log.
    async fn check(&self) -> Result<(), String>;
}

/// The routes `/healthz`, `/readyz` and `/metrics`.
#[derive(Clone)]
pub struct Probes {
    inner: Arc<Inner>,
}

struct Inner {
    checks: Vec<Box<dyn Check>>,
    figures: Box<dyn Fn() -> String + Send + Sync>,
    settings: SettingsSource,
    found: Mutex<Option<(Instant, Vec<PartState>)>>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct PartState {
    /// Which part.
    #[schema(value_type = String)]
    name: &'static str,
    /// Whether it is well.
    ready: bool,
}

/// Whether Longshore can do its work.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Readiness {
    /// Always true in this answer; otherwise it is a 503.
    ready: bool,
    /// Each part.
    parts: Vec<PartState>,
}

impl Probes {
    /// With these checks, and figures in Prometheus' text format
    /// (`move || handle.render()`). `settings` say whether figures need a user.
    #[must_use]
    pub fn new(
        checks: Vec<Box<dyn Check>>,
        figures: impl Fn() -> String + Send + Sync + 'static,
        settings: SettingsSource,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                checks,
                figures: Box::new(figures),
                settings,
                found: Mutex::new(None),
            }),
        }
    }

    /// The routes.
    pub fn routes(self) -> Routes {
        let limits = RouteLimits::default().always();
        let metrics = Requirement::SelfChecked {
            why: "the setting metrics.open decides whether it needs a viewer",
        };
        Routes::new()
            .add_within(limits, Requirement::Public, routes!(healthz))
            .add_within(limits, Requirement::Public, routes!(readyz))
            .add_within(limits, metrics, routes!(figures))
            .with_state(self)
    }
}

impl Inner {
    async fn parts(&self) -> Vec<PartState> {
        // Held across await so that many who ask at once wait for one round of
        // checks, which has a limit.
        let mut found = self.found.lock().await;
        if let Some((at, parts)) = &*found
            && at.elapsed() < FRESH
        {
            return parts.clone();
        }
        let parts =
            futures::future::join_all(self.checks.iter().map(|check| state(&**check))).await;
        *found = Some((Instant::now(), parts.clone()));
        parts
    }
}

async fn state(check: &dyn Check) -> PartState {
    let name = check.name();
    let outcome = tokio::time::timeout(LONGEST, check.check()).await;
    let reason = match outcome {
        Ok(Ok(())) => return PartState { name, ready: true },
        Ok(Err(reason)) => reason,
        Err(_) => format!("no answer within {LONGEST:?}"),
    };
    tracing::warn!(part = name, reason, "not ready");
    PartState { name, ready: false }
}

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
async fn healthz() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CACHE_CONTROL, "no-store")], "ok\n")
}

/// Whether Longshore can do its work.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot; `errors` names the parts that are not well.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn readyz(State(probes): State<Probes>) -> Answer<crate::Json<Readiness>> {
    let parts = probes.inner.parts().await;
    if parts.iter().all(|part| part.ready) {
        return Ok(crate::Json(Readiness { ready: true, parts }));
    }
    let problem = Problem::unavailable(
        "not-ready",
        "Part of Longshore is not well; its log says why.",
        Duration::from_secs(1),
    );
    let failing = parts.iter().filter(|part| !part.ready);
    Err(failing.fold(problem, |problem, part| {
        problem.and(part.name, "not-ready", "is not well")
    }))
}

/// Longshore's figures, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "In Prometheus' text format.", body = String, content_type = "text/plain"))
)]
async fn figures(
    State(probes): State<Probes>,
    by: Option<By>,
) -> Answer<([(HeaderName, &'static str); 2], String)> {
    let open = probes.inner.settings.borrow().metrics_open;
    match by {
        _ if open => {}
        None => return Err(Problem::unauthenticated()),
        Some(by) if by.may(Role::Viewer, Scope::OperationsRead) => {}
        Some(_) => return Err(Problem::forbidden("This needs the scope operations:read.")),
    }
    let headers = [
        (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, (probes.inner.figures)()))
}

impl std::fmt::Debug for Probes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.inner.checks.iter().map(|check| check.name());
        f.debug_list().entries(names).finish()
    }
}

/// A check that fails from the moment on at which the program begins to stop, so
/// that whoever spreads requests sends no more of them here.
#[async_trait]
impl Check for tokio_util::sync::CancellationToken {
    fn name(&self) -> &'static str {
        "running"
    }

    async fn check(&self) -> Result<(), String> {
        if self.is_cancelled() {
            return Err("it is stopping".to_owned());
        }
        Ok(())
    }
}

/// The database answers.
#[async_trait]
impl Check for storage::Db {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.ping().await.map_err(|error| error.to_string())
    }
}
