//! Counting and timing requests, by route template: never by path, whose number
//! has no bound.

use http::{Method, StatusCode};
use std::time::Instant;

pub(crate) struct Measure {
    method: &'static str,
    route: String,
    began: Instant,
    _running: Running,
}

/// Counts one running request down again, also when its answer is abandoned.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        metrics::gauge!("longshore_http_requests_running").decrement(1.0);
    }
}

impl Measure {
    pub(crate) fn begin(method: &Method, route: Option<&str>) -> Self {
        metrics::gauge!("longshore_http_requests_running").increment(1.0);
        Self {
            method: known(method),
            route: route.unwrap_or("other").to_owned(),
            began: Instant::now(),
            _running: Running,
        }
    }

    /// The head of the answer is ready.
    pub(crate) fn end(self, status: StatusCode) {
        let took = self.began.elapsed();
        metrics::counter!(
            "longshore_http_requests_total",
            "method" => self.method,
            "route" => self.route.clone(),
            "status" => status.as_str().to_owned(),
        )
        .increment(1);
        metrics::histogram!(
            "longshore_http_request_seconds",
            "method" => self.method,
            "route" => self.route.clone(),
        )
        .record(took.as_secs_f64());
        let (status, millis) = (status.as_u16(), took.as_millis());
        if status >= 500 {
            tracing::warn!(status, millis, "answered");
        } else {
            tracing::debug!(status, millis, "answered");
        }
    }
}

fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| method.as_str() == *known);
    known.unwrap_or("other")
}
