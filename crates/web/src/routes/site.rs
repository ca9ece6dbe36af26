//! From the table to a router that answers: every handler behind its check, the
//! description of all of them, and the layers around everything.

use super::contract::{Contract, completed};
use super::gate::{Guard, Guarded};
use super::hosts::{Hosted, Hosts};
use super::{Added, Described, Entry, Gate, RouteTable, Routes, responses, table};
use crate::problem::{FieldProblem, ProblemDocument};
use crate::{Problem, Requirement, RouteLimits, SettingsSource, console, docs, front};
use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use axum::response::Response;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode};
use std::collections::HashMap;
use std::sync::Arc;
use tower::layer::layer_fn;
use utoipa::PartialSchema;
use utoipa::openapi::{Components, Info, OpenApi, Paths};

/// Everything that answers. Only [`crate::serve`] takes it apart, so that no route can
/// be added to it past the table.
#[derive(Clone)]
pub struct Site {
    hosts: Arc<Hosts>,
    /// What was added, for the test that walks it.
    pub table: RouteTable,
}

impl Routes {
    /// Puts every route behind its check and everything behind the common layers.
    ///
    /// # Panics
    /// As [`description`](Self::description).
    #[must_use]
    pub fn finish(self, gate: &Gate) -> Site {
        self.finish_with(gate, Vec::new(), None)
    }

    /// The same with further routes, which answer on hosts of their own, and with the
    /// description that was made of these routes before.
    ///
    /// # Panics
    /// As [`description`](Self::description), where none was made before.
    #[must_use]
    pub fn finish_with(
        self,
        gate: &Gate,
        hosted: Vec<Hosted>,
        described: Option<&'static [u8]>,
    ) -> Site {
        let published = docs::Publishing::default();
        let routes = self.merge(docs::routes(&published));
        let mut table = routes.table().with(console_entry());
        for entry in hosted.iter().flat_map(Hosted::entries) {
            table = table.with(entry);
        }
        let anew = || document(&routes);
        published.publish(described.map_or_else(anew, Bytes::from_static));
        let usual = router(routes.added, gate, false, console::fallback);
        let hosted = hosted
            .into_iter()
            .map(|hosted| hosted.into_router(gate))
            .collect();
        Site {
            hosts: Arc::new(Hosts::new(hosted, usual, gate.source())),
            table,
        }
    }

    /// What these routes say of themselves, where they [do](super::DESCRIBES): an OpenAPI
    /// document, as JSON.
    ///
    /// # Panics
    /// When two routes have the same method and path, or the same name
    /// (`operation_id`), or one refers to a schema that none describes: mistakes of
    /// the program that its first test shows.
    #[must_use]
    pub fn description(self) -> Bytes {
        document(&self.merge(docs::routes(&docs::Publishing::default())))
    }
}

fn document(routes: &Routes) -> Bytes {
    let json = serde_json::to_vec(&describe(routes)).expect("a description is JSON");
    if let Some(schema) = docs::undescribed(&json) {
        panic!("a route refers to the schema {schema}, which none describes; add .schema::<…>()");
    }
    json.into()
}

/// Every route behind its check, and what answers where none does. `dialog`: whether
/// browsers may ask for a password themselves, as there is no page that does; what then
/// answers is not in the API's description, which promises nothing of it.
pub(super) fn router<T: 'static>(
    added: Vec<Added<()>>,
    gate: &Gate,
    dialog: bool,
    otherwise: impl Handler<T, ()>,
) -> Router {
    let mut router = Router::new();
    for added in added {
        let contract = (!dialog).then(|| Contract::of(&added)).flatten();
        let check = Arc::new(Guard {
            contract,
            gate: gate.clone(),
            requirement: added.requirement,
            limits: added.limits,
            elsewhere: added.elsewhere.clone(),
            dialog,
        });
        let paths = added.routed_paths();
        let behind = layer_fn(move |route| Guarded {
            guard: Arc::clone(&check),
            route,
        });
        let handlers = added.handlers.route_layer(behind);
        for path in paths {
            router = router.route(&path, handlers.clone());
        }
    }
    router
        .method_not_allowed_fallback(open(gate, method_not_allowed))
        .fallback(open(gate, otherwise))
}

/// A handler without a check, with what stands around every answer.
fn open<T: 'static>(
    gate: &Gate,
    handler: impl Handler<T, ()>,
) -> impl Fn(Request<Body>) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static {
    let gate = gate.clone();
    move |request| {
        let (gate, handler) = (gate.clone(), handler.clone());
        let inner = |request| handler.call(request, ());
        Box::pin(async move { front::answer(&gate, request, inner).await })
    }
}

impl Site {
    /// Answers one request, as if it had come over a connection.
    pub async fn call(&self, request: Request<Body>) -> Response {
        self.hosts.answer(request).await
    }

    /// One that has no table: all its requests go to one place, which checks them itself.
    pub(crate) fn without_routes(router: Router, settings: SettingsSource) -> Self {
        Self {
            hosts: Arc::new(Hosts::new(Vec::new(), router, settings)),
            table: RouteTable::default(),
        }
    }

    /// What answers.
    pub(crate) fn hosts(&self) -> Arc<Hosts> {
        Arc::clone(&self.hosts)
    }
}

/// What answers where no route does.
fn console_entry() -> Entry {
    Entry {
        method: Method::GET,
        path: "/{*console}".to_owned(),
        host: None,
        requirement: Requirement::Public,
        limits: RouteLimits::default(),
    }
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This address does not take this method; `Allow` says which it takes.",
    )
}

fn describe(routes: &Routes) -> OpenApi {
    let mut info = Info::new("Longshore", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Files, containers and everything that takes time. Errors are problem details (RFC 9457) \
         with a stable `code`."
            .to_owned(),
    );
    let mut components = Components::new();
    let described: Vec<(&Added<()>, Described)> = routes
        .added
        .iter()
        .filter_map(|added| Some((added, added.describe?())))
        .collect();
    components
        .schemas
        .extend(routes.schemas.iter().flat_map(|schemas| schemas()));
    components
        .schemas
        .insert("Problem".to_owned(), ProblemDocument::schema());
    components
        .schemas
        .insert("FieldProblem".to_owned(), FieldProblem::schema());
    responses::components(&mut components);
    let mut document = OpenApi::new(info, Paths::new());
    let mut names = HashMap::new();
    for (added, described) in described {
        components.schemas.extend(described.schemas);
        let paths = completed(described.paths, added.requirement, added.limits);
        for (path, mut item) in paths.paths {
            for (method, operation) in table::operations_mut(&mut item) {
                let here = format!("{method} {path}");
                let name = operation.operation_id.clone().unwrap_or_default();
                if let Some(there) = names.insert(name.clone(), here.clone()) {
                    panic!("{there} and {here} are both called `{name}`; give one an operation_id");
                }
            }
            match document.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => {
                    document.paths.paths.insert(path, item);
                }
            }
        }
    }
    document.components = Some(components);
    document
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
