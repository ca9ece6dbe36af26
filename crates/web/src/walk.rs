//! The walk through the route table that shows each route to refuse whom it must:
//! nobody, somebody of yesterday, and somebody of too low a role or too narrow a
//! token. For tests of whole programs; it calls routes only with credentials that
//! must not suffice, so nothing happens behind them.

use crate::{Entry, Requirement, Site};
use access::{Role, Scope};
use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use tower::ServiceExt;

/// Tokens that the walk shows at each door.
#[derive(Clone, Debug)]
pub struct WalkTokens {
    /// One that was right once.
    pub expired: String,
    /// A viewer's, of every scope.
    pub viewer: String,
    /// An operator's, of every scope.
    pub operator: String,
    /// An administrator's of one scope each: at least two, none of them
    /// [`Scope::Admin`]. Each route is shown one whose scope it does not ask for.
    pub narrow: Vec<(Scope, String)>,
}

/// What the walk found.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// How many refusals were seen.
    pub refusals: usize,
    /// A sentence for each route that did not refuse as it must.
    pub faults: Vec<String>,
}

/// Walks through the whole table.
pub async fn walk(site: &Site, tokens: &WalkTokens) -> Walked {
    let mut walked = Walked::default();
    for entry in site.table.entries() {
        for (who, token, query, expected) in attempts(entry, tokens) {
            let status = call(site, entry, token, query).await;
            if status == expected {
                walked.refusals += 1;
            } else {
                walked.faults.push(format!(
                    "{} {} answers {status} to {who}, not {expected}",
                    entry.method, entry.path
                ));
            }
        }
    }
    walked
}

type Attempt<'a> = (&'static str, Option<&'a str>, &'static str, StatusCode);

fn attempts<'a>(entry: &Entry, tokens: &'a WalkTokens) -> Vec<Attempt<'a>> {
    const NOBODY: StatusCode = StatusCode::UNAUTHORIZED;
    const TOO_LITTLE: StatusCode = StatusCode::FORBIDDEN;
    let Some((role, scope)) = entry.requirement.role() else {
        return Vec::new();
    };
    let other = tokens.narrow.iter().find(|(narrow, _)| *narrow != scope);
    let mut attempts = vec![
        ("nobody", None, "", NOBODY),
        ("an unknown token", Some("lsh_unknown"), "", NOBODY),
        (
            "an expired token",
            Some(tokens.expired.as_str()),
            "",
            NOBODY,
        ),
    ];
    if let Some((_, token)) = other {
        attempts.push(("a token without the scope", Some(token), "", TOO_LITTLE));
    }
    if role > Role::Viewer {
        attempts.push(("a viewer", Some(&tokens.viewer), "", TOO_LITTLE));
    }
    if role > Role::Operator {
        attempts.push(("an operator", Some(&tokens.operator), "", TOO_LITTLE));
    }
    if matches!(entry.requirement, Requirement::Signed(..)) {
        let forged = "?expires=99999999999&signature=AAAA";
        attempts.push(("a forged link", None, forged, TOO_LITTLE));
    }
    attempts
}

async fn call(site: &Site, entry: &Entry, token: Option<&str>, query: &str) -> StatusCode {
    let mut request = Request::builder()
        .method(entry.method.clone())
        .uri(format!("{}{query}", entry.example_path()));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    match request.body(Body::empty()) {
        Ok(request) => match site.router.clone().oneshot(request).await {
            Ok(response) => response.status(),
            Err(never) => match never {},
        },
        // No request can be made of this path: as good as a route that is not there.
        Err(_) => StatusCode::NOT_FOUND,
    }
}
