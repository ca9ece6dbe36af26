//! The handlers of one path: what answers, and what they say of themselves.

use super::{DESCRIBES, Erased};
use axum::routing::MethodRouter;
use http::Method;
use std::convert::Infallible;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::PathItemExt;

/// Schemas of the description, by their names.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// Handlers of one path, made by [`routes!`](crate::routes!).
#[must_use = "handlers do nothing until they are added"]
pub struct Handlers<S> {
    pub(super) called: Vec<(Method, String)>,
    pub(super) describe: Option<fn() -> Described>,
    pub(super) router: MethodRouter<S, Infallible>,
}

/// What handlers say of themselves. It is asked for when somebody wants to read it, as it
/// takes a tenth of a second of an unoptimised program.
#[derive(Default)]
pub struct Described {
    pub(super) paths: Paths,
    pub(super) schemas: Schemas,
}

impl Described {
    /// Adds a handler. For [`routes!`](crate::routes!) alone.
    pub fn add(
        &mut self,
        (path, operation, methods): (String, Operation, Vec<HttpMethod>),
        schemas: Vec<(String, RefOr<Schema>)>,
    ) {
        self.paths.add_path_operation(path, methods, operation);
        self.schemas.extend(schemas);
    }
}

impl<S: Clone + Send + Sync + 'static> Handlers<S> {
    /// None yet. For [`routes!`](crate::routes!) alone.
    pub fn described(describe: fn() -> Described) -> Self {
        Self {
            called: Vec::new(),
            // In a release nobody refers to it, so it is not even in the program.
            describe: DESCRIBES.then_some(describe),
            router: MethodRouter::new(),
        }
    }

    /// Adds a handler. For [`routes!`](crate::routes!) alone.
    pub fn on(mut self, path: &str, methods: &[HttpMethod], handler: &Erased<S>) -> Self {
        for method in methods {
            self.called.push((named(method), path.to_owned()));
            self.router = self.router.on(method.to_method_filter(), handler.clone());
        }
        self
    }
}

const fn named(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// Makes [`Handlers`] of functions under `#[utoipa::path(…)]` that have one path:
/// `routes!(list, create)`. The crates `axum` and `utoipa` are in scope where it is used.
#[macro_export]
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {
        $crate::described::Handlers::described(|| {
            let mut described = $crate::described::Described::default();
            $({
                let mut schemas = ::std::vec::Vec::new();
                let handler = $crate::described::routes!(@resolve_types $handler : schemas);
                described.add(handler, schemas);
            })+
            described
        })
        $(.on(
            &$crate::described::paste! { $crate::described::routes!(@path [path()] of $handler) },
            &$crate::described::paste! { $crate::described::routes!(@path [methods()] of $handler) },
            &$crate::described::Erased::new($handler),
        ))+
    };
}

/// What [`routes!`](crate::routes!) is made of.
#[doc(hidden)]
pub mod described {
    pub use super::super::Erased;
    pub use super::{Described, Handlers};
    pub use utoipa_axum::{paste, routes};
}
