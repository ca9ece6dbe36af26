//! The check around every handler: admitted, identified, allowed, in time.

use super::contract::Contract;
use super::elsewhere::{Elsewhere, guest};
use super::origin::Asked;
use super::requirement::Admission;
use super::{Admitted, AnswerTime, Requirement, RouteLimits, body};
use crate::front::{self, Figures};
use crate::identify::{By, Credentials, Identify, Refused};
use crate::{Client, Links, Problem, Settings, SettingsSource};
use access::Caller;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use base::SharedClock;
use futures::future::BoxFuture;
use http::header::{COOKIE, ORIGIN, REFERER, USER_AGENT, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

/// What the checks of all routes share. Cheap to clone: every request does, several times.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

struct Shared {
    identify: Arc<dyn Identify>,
    links: Links,
    clock: SharedClock,
    settings: SettingsSource,
    free: Arc<Semaphore>,
    untrusted_proxy: AtomicBool,
    figures: Figures,
}

impl Gate {
    /// `concurrency` is how many requests are answered at once.
    #[must_use]
    pub fn new(
        identify: Arc<dyn Identify>,
        links: Links,
        clock: SharedClock,
        settings: SettingsSource,
        concurrency: usize,
    ) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            identify,
            links,
            clock,
            settings,
            free: Arc::new(Semaphore::new(concurrency)),
            untrusted_proxy: AtomicBool::new(false),
            figures: Figures::default(),
        }))
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.0.settings.borrow())
    }

    pub(super) fn source(&self) -> SettingsSource {
        self.0.settings.clone()
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// Whether nobody has been told yet that a proxy is not trusted.
    pub(crate) fn first_untrusted_proxy(&self) -> bool {
        !self.0.untrusted_proxy.swap(true, Ordering::Relaxed)
    }

    fn admit(&self, admission: Admission) -> Result<Admitted, Problem> {
        if admission == Admission::Always {
            return Ok(Admitted::default());
        }
        let place = Arc::clone(&self.0.free).try_acquire_owned();
        place.map(Admitted::with).map_err(|_| {
            Problem::unavailable(
                "overloaded",
                "There is more to do than can be done at once; try again shortly.",
                Duration::from_secs(1),
            )
        })
    }

    async fn authorise(
        &self,
        of: &Guard,
        request: &mut Request,
        settings: &Settings,
    ) -> Result<(), Problem> {
        let (requirement, dialog) = (of.requirement, of.dialog);
        let credentials = match requirement {
            Requirement::Public => Credentials::None,
            _ => Credentials::of(request.headers()),
        };
        if let Requirement::Signed(..) = requirement {
            let now = self.0.clock.now();
            if let Some(signed) = self.0.links.verify(request.method(), request.uri(), now)? {
                request.extensions_mut().insert(signed);
                return Ok(());
            }
        }
        let client = request
            .extensions()
            .get::<Client>()
            .cloned()
            .unwrap_or_else(|| Client::of(None, request.uri(), request.headers(), settings));
        let asked = Asked {
            method: request.method(),
            headers: request.headers(),
            client: &client,
            settings,
            dialog,
        };
        asked.refuse_cross_site(&credentials)?;
        let guest = match &of.elsewhere {
            Some(elsewhere) => guest(&**elsewhere, &credentials, &asked, request.uri()).await,
            None => None,
        };
        let caller = match guest {
            Some(guest) => Some(guest),
            None => self.caller(&credentials, requirement, &asked).await?,
        };
        match (requirement.role(), &caller) {
            (Some(_), None) => {
                return Err(challenged(Problem::unauthenticated(), &asked));
            }
            (Some((role, scope)), Some(caller)) if !caller.may(role, scope) => {
                return Err(Problem::forbidden(format!(
                    "This needs the role {role} and, with a token, the scope {}.",
                    scope.as_str()
                )));
            }
            _ => {}
        }
        if let Some(caller) = caller {
            tracing::Span::current().record("user", caller.name());
            request.extensions_mut().insert(By(caller));
        }
        Ok(())
    }

    async fn caller(
        &self,
        credentials: &Credentials,
        requirement: Requirement,
        asked: &Asked<'_>,
    ) -> Result<Option<Caller>, Problem> {
        let from = asked.client.address();
        let identified = match credentials {
            Credentials::None => return Ok(None),
            Credentials::Unreadable => Err(Refused::Unknown),
            Credentials::Bearer(token) => self.0.identify.by_bearer(token, from).await,
            Credentials::Basic { name, password } => {
                self.0.identify.by_basic(name, password, from).await
            }
            Credentials::Cookie(cookie) => match self.0.identify.by_cookie(cookie, from).await {
                Ok(caller) => {
                    asked.require_csrf(|token| self.0.identify.csrf_matches(&caller, token))?;
                    Ok(caller)
                }
                // An old cookie is no more than none, where none will do.
                Err(Refused::Unknown | Refused::Expired) if requirement.role().is_none() => {
                    return Ok(None);
                }
                Err(refused) => Err(refused),
            },
        };
        identified.map(Some).map_err(|refused| {
            let problem = Problem::from(refused);
            if problem.status() == StatusCode::UNAUTHORIZED {
                challenged(problem, asked)
            } else {
                problem
            }
        })
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("links", &self.0.links)
            .field("free", &self.0.free.available_permits())
            .finish_non_exhaustive()
    }
}

/// Names HTTP Basic as a way in, too, but not to a browser's page, which would open a
/// dialog of its own over the console's, where it is the console's.
fn challenged(problem: Problem, asked: &Asked<'_>) -> Problem {
    let headers = asked.headers;
    const BASIC: HeaderValue =
        HeaderValue::from_static("Basic realm=\"longshore\", charset=\"UTF-8\"");
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let browser = agent.is_some_and(|agent| agent.starts_with("Mozilla/"))
        || headers.contains_key("sec-fetch-mode")
        || [ORIGIN, REFERER, COOKIE]
            .iter()
            .any(|name| headers.contains_key(name));
    if browser && !asked.dialog {
        problem
    } else {
        problem.with_header(WWW_AUTHENTICATE, BASIC)
    }
}

/// One route's part of the check.
pub(super) struct Guard {
    /// What its answers are held against, where anybody says.
    pub(super) contract: Option<Contract>,
    pub(super) gate: Gate,
    pub(super) requirement: Requirement,
    pub(super) limits: RouteLimits,
    /// Who knows whether somebody else decides about a request.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Whether browsers may ask for a password themselves.
    pub(super) dialog: bool,
}

/// A route behind its check, with what stands around every answer.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) guard: Arc<Guard>,
    pub(super) route: Route,
}

impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { guard, route } = self.clone();
        Box::pin(async move {
            let inner = async |request: Request| {
                let method = request.method().clone();
                let answer = match checked(&guard, request, route).await {
                    Ok(response) => response,
                    Err(problem) => problem.into_response(),
                };
                match &guard.contract {
                    Some(contract) => contract.held(&method, answer),
                    None => answer,
                }
            };
            Ok(front::answer(&guard.gate, request, inner).await)
        })
    }
}

async fn checked(guard: &Guard, mut request: Request, route: Route) -> Result<Response, Problem> {
    let settings = guard.gate.settings();
    // Given back when all is done, or earlier by the handler.
    let admitted = guard.gate.admit(guard.limits.admission)?;
    request.extensions_mut().insert(admitted.clone());
    let within = match guard.limits.time {
        AnswerTime::Configured => Some(settings.request_timeout),
        AnswerTime::Within(within) => Some(within),
        AnswerTime::OwnLimit => None,
    };
    let authorising = guard.gate.authorise(guard, &mut request, &settings);
    // Also where the handler has a limit of its own: this part is not the handler's.
    let longest = within.unwrap_or(settings.request_timeout);
    match tokio::time::timeout(longest, authorising).await {
        Ok(authorised) => authorised?,
        Err(_) => return Err(took_too_long()),
    }
    let (request, arrived) = body::limit(request, guard.limits, &settings)?;
    let answering = route.oneshot(request);
    let Some(within) = within else {
        let Ok(response) = answering.await;
        return Ok(response);
    };
    match tokio::time::timeout(within, answering).await {
        Ok(Ok(response)) => Ok(response),
        Err(_) if arrived.yet() => Err(took_too_long()),
        Err(_) => Err(Problem::request_timeout()),
    }
}

fn took_too_long() -> Problem {
    Problem::unavailable(
        "timeout",
        "The answer took too long and was given up; try again shortly.",
        Duration::from_secs(5),
    )
}
