//! Counting and timing requests, by route template: never by path, whose number
//! has no bound.

use axum::extract::{MatchedPath, Request};
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};
use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Instant;

/// The counters of a site. To find one by its labels takes longer than to count, so each is
/// found once. There are as many as routes have methods and answers.
#[derive(Default)]
pub(crate) struct Figures {
    running: OnceLock<Gauge>,
    of_routes: RwLock<HashMap<String, Vec<Figure>>>,
}

/// What counts the answers of one status to one method of a route.
#[derive(Clone)]
struct Figure {
    method: &'static str,
    status: StatusCode,
    answered: Counter,
    seconds: Histogram,
}

impl Figures {
    fn running(&self) -> Gauge {
        let find = || metrics::gauge!("longshore_http_requests_running");
        self.running.get_or_init(find).clone()
    }

    fn of(&self, method: &'static str, route: &str, status: StatusCode) -> Figure {
        let known = self
            .of_routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(route)
            .and_then(|figures| find(figures, method, status));
        known.unwrap_or_else(|| self.begin(method, route, status))
    }

    fn begin(&self, method: &'static str, route: &str, status: StatusCode) -> Figure {
        let mut of_routes = self
            .of_routes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let figures = of_routes.entry(route.to_owned()).or_default();
        if let Some(figure) = find(figures, method, status) {
            return figure;
        }
        let figure = Figure {
            method,
            status,
            answered: metrics::counter!(
                "longshore_http_requests_total",
                "method" => method,
                "route" => route.to_owned(),
                "status" => status.as_str().to_owned(),
            ),
            seconds: metrics::histogram!(
                "longshore_http_request_seconds",
                "method" => method,
                "route" => route.to_owned(),
            ),
        };
        figures.push(figure.clone());
        figure
    }
}

fn find(figures: &[Figure], method: &str, status: StatusCode) -> Option<Figure> {
    let same = |figure: &&Figure| figure.method == method && figure.status == status;
    figures.iter().find(same).cloned()
}

/// By what a request is counted.
pub(crate) enum Route {
    /// The template that it matched.
    Template(MatchedPath),
    /// What a protocol is called, or those are that match nothing.
    Named(&'static str),
}

impl Route {
    pub(crate) fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        matched.map_or(Self::Named("other"), Self::Template)
    }

    fn name(&self) -> &str {
        match self {
            Self::Template(path) => path.as_str(),
            Self::Named(name) => name,
        }
    }
}

pub(crate) struct Measure {
    method: &'static str,
    route: Route,
    began: Instant,
    _running: Running,
}

/// Counts one running request down again, also when its answer is abandoned.
struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl Measure {
    pub(crate) fn begin(figures: &Figures, method: &Method, route: Route) -> Self {
        let running = figures.running();
        running.increment(1.0);
        Self {
            method: known(method),
            route,
            began: Instant::now(),
            _running: Running(running),
        }
    }

    /// The head of the answer is ready.
    pub(crate) fn end(self, figures: &Figures, status: StatusCode) {
        let took = self.began.elapsed();
        let figure = figures.of(self.method, self.route.name(), status);
        figure.answered.increment(1);
        figure.seconds.record(took.as_secs_f64());
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn what_nobody_knows_is_counted_in_one_place() {
        let figures = Figures::default();
        for number in 0..1_000 {
            let method = Method::from_bytes(format!("M{number}").as_bytes());
            let method = method.expect("a method");
            let uri = format!("/nowhere/{number}?{number}");
            let request = Request::builder().uri(uri).body(Body::empty());
            let route = Route::of(&request.expect("a request"));
            Measure::begin(&figures, &method, route).end(&figures, StatusCode::NOT_FOUND);
        }
        let of_routes = figures.of_routes.read().expect("no panic");
        let kept: Vec<_> = of_routes
            .iter()
            .map(|(route, figures)| (route.as_str(), figures.len()))
            .collect();
        assert_eq!(kept, [("other", 1)]);
    }
}
