//! Whether answers are those that a route says it gives. Whoever writes a client reads the
//! description, so an answer that is not in it is a mistake of the program; where routes
//! [describe](super::DESCRIBES) themselves, which a release does not, every answer is looked
//! at, whoever asked: that way all tests hold the description true, not only those of it.

use super::{Added, Described, Requirement, RouteLimits, responses, table};
use crate::Problem;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use utoipa::openapi::Paths;

/// What the routes of one path say of their answers.
pub(super) struct Contract {
    describe: fn() -> Described,
    requirement: Requirement,
    limits: RouteLimits,
    /// Found once, and only for routes that somebody calls.
    answers: OnceLock<BTreeSet<(String, String)>>,
}

impl Contract {
    /// Nothing where nobody describes.
    pub(super) fn of<S>(added: &Added<S>) -> Option<Self> {
        Some(Self {
            describe: added.describe?,
            requirement: added.requirement,
            limits: added.limits,
            answers: OnceLock::new(),
        })
    }

    /// This answer, or that the program is wrong.
    pub(super) fn held(&self, method: &Method, answer: Response) -> Response {
        let status = answer.status();
        if self.names(method, status) {
            return answer;
        }
        tracing::error!(%method, %status, "a route gave an answer that it does not describe");
        let text = format!("This route does not describe that it answers {method} with {status}.");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "undescribed", text).into_response()
    }

    fn names(&self, method: &Method, status: StatusCode) -> bool {
        // Every GET answers HEAD, too.
        let method = match method {
            &Method::HEAD => &Method::GET,
            other => other,
        };
        let asked = (method.to_string(), status.as_str().to_owned());
        self.answers.get_or_init(|| self.find()).contains(&asked)
    }

    fn find(&self) -> BTreeSet<(String, String)> {
        let mut answers = BTreeSet::new();
        let mut paths = completed((self.describe)().paths, self.requirement, self.limits);
        for item in paths.paths.values_mut() {
            for (method, operation) in table::operations_mut(item) {
                let statuses = operation.responses.responses.keys();
                answers.extend(statuses.map(|status| (method.to_string(), status.clone())));
            }
        }
        answers
    }
}

/// What routes say of themselves, with what they get without being asked.
pub(super) fn completed(mut paths: Paths, requirement: Requirement, limits: RouteLimits) -> Paths {
    for (path, item) in &mut paths.paths {
        for (method, operation) in table::operations_mut(item) {
            responses::complete(operation, path, &method, requirement, limits);
        }
    }
    paths
}
