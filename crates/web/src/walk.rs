//! The walk through the route table that shows each route to refuse whom it must:
//! nobody, somebody of yesterday, somebody of too low a role or too narrow a token,
//! and another site that uses somebody's session. For tests of whole programs; it
//! calls routes only with credentials that must not suffice, so nothing happens
//! behind them.

use crate::identify::SESSION_COOKIE;
use crate::{Entry, Requirement, Site};
use access::{Role, Scope};
use axum::body::Body;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, ORIGIN, UPGRADE};
use http::{Method, Request, StatusCode};

/// Credentials that the walk shows at each door.
#[derive(Clone, Debug)]
pub struct WalkTokens {
    /// A token that was right once.
    pub expired: String,
    /// A viewer's, of every scope.
    pub viewer: String,
    /// An operator's, of every scope.
    pub operator: String,
    /// An administrator's of one scope each: at least two, none of them
    /// [`Scope::Admin`]. Each route is shown one whose scope it does not ask for.
    pub narrow: Vec<(Scope, String)>,
    /// The cookie's value of a session of yesterday.
    pub expired_session: String,
    /// The cookie's value of an administrator's session.
    pub session: String,
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
        for method in methods(entry) {
            for attempt in attempts(entry, &method, tokens) {
                let status = call(site, entry, &method, &attempt).await;
                if status == attempt.expected {
                    walked.refusals += 1;
                } else {
                    walked.faults.push(format!(
                        "{method} {} answers {status} to {}, not {}",
                        entry.path, attempt.who, attempt.expected
                    ));
                }
            }
        }
    }
    walked
}

/// A GET answers HEAD, too, and must not tell by it what it does not tell otherwise.
fn methods(entry: &Entry) -> Vec<Method> {
    if entry.method == Method::GET {
        vec![Method::GET, Method::HEAD]
    } else {
        vec![entry.method.clone()]
    }
}

/// One try at a door.
struct Attempt {
    who: &'static str,
    headers: Vec<(HeaderName, String)>,
    query: &'static str,
    expected: StatusCode,
}

impl Attempt {
    const fn new(who: &'static str, expected: StatusCode) -> Self {
        Self {
            who,
            headers: Vec::new(),
            query: "",
            expected,
        }
    }

    fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {token}"))
    }

    fn cookie(self, value: &str) -> Self {
        self.header(COOKIE, format!("{SESSION_COOKIE}={value}"))
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

const NOBODY: StatusCode = StatusCode::UNAUTHORIZED;
const TOO_LITTLE: StatusCode = StatusCode::FORBIDDEN;

fn attempts(entry: &Entry, method: &Method, tokens: &WalkTokens) -> Vec<Attempt> {
    if entry.requirement == Requirement::Public {
        return Vec::new();
    }
    // Whoever the handler lets in: what is shown must be right.
    let mut attempts = vec![
        Attempt::new("an unknown token", NOBODY).bearer("lsh_unknown"),
        Attempt::new("an expired token", NOBODY).bearer(&tokens.expired),
    ];
    if !method.is_safe() {
        attempts
            .push(Attempt::new("a session without its token", TOO_LITTLE).cookie(&tokens.session));
    }
    if *method == Method::GET {
        attempts.push(
            Attempt::new("another site's socket", TOO_LITTLE)
                .cookie(&tokens.session)
                .header(HOST, entry.host.unwrap_or("longshore.example").to_owned())
                .header(ORIGIN, "https://elsewhere.example".to_owned())
                .header(CONNECTION, "upgrade".to_owned())
                .header(UPGRADE, "websocket".to_owned()),
        );
    }
    if let Some((role, scope)) = entry.requirement.role() {
        attempts.extend(of_role(role, scope, tokens));
    }
    if matches!(entry.requirement, Requirement::Signed(..)) {
        attempts.push(Attempt {
            query: "?expires=99999999999&signature=AAAA",
            ..Attempt::new("a forged link", TOO_LITTLE)
        });
    }
    attempts
}

fn of_role(role: Role, scope: Scope, tokens: &WalkTokens) -> Vec<Attempt> {
    let mut attempts = vec![
        Attempt::new("nobody", NOBODY),
        Attempt::new("an expired session", NOBODY).cookie(&tokens.expired_session),
    ];
    let other = tokens.narrow.iter().find(|(narrow, _)| *narrow != scope);
    if let Some((_, token)) = other {
        attempts.push(Attempt::new("a token without the scope", TOO_LITTLE).bearer(token));
    }
    if role > Role::Viewer {
        attempts.push(Attempt::new("a viewer", TOO_LITTLE).bearer(&tokens.viewer));
    }
    if role > Role::Operator {
        attempts.push(Attempt::new("an operator", TOO_LITTLE).bearer(&tokens.operator));
    }
    attempts
}

async fn call(site: &Site, entry: &Entry, method: &Method, attempt: &Attempt) -> StatusCode {
    let mut request =
        Request::builder()
            .method(method)
            .uri(format!("{}{}", entry.example_path(), attempt.query));
    let others = attempt.headers.iter().any(|(name, _)| name == HOST);
    if let Some(host) = entry.host.filter(|_| !others) {
        request = request.header(HOST, host);
    }
    for (name, value) in &attempt.headers {
        request = request.header(name, value);
    }
    match request.body(Body::empty()) {
        Ok(request) => site.call(request).await.status(),
        // No request can be made of this path: as good as a route that is not there.
        Err(_) => StatusCode::NOT_FOUND,
    }
}
