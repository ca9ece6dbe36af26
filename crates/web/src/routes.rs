//! The route table: the only door through which a route comes into the program.
//!
//! A route is added together with what it requires; the check is put around its
//! handler here, so that no handler can forget it and nothing stands open by
//! default. What was added can be read again from [`RouteTable`], which is what
//! the test walks that shows every route to refuse those it must refuse.

mod admitted;
mod body;
mod contract;
mod elsewhere;
mod erased;
mod gate;
mod handlers;
mod hosts;
mod origin;
mod requirement;
mod responses;
mod site;
mod table;

pub use admitted::Admitted;
pub(crate) use body::TooLate;
pub use elsewhere::{AskedFor, Elsewhere};
pub use erased::Erased;
pub use gate::Gate;
use handlers::Schemas;
#[doc(hidden)]
pub use handlers::described;
pub use handlers::{Described, Handlers};
pub(crate) use hosts::Hosts;
pub use hosts::{Hosted, KnowsHost};
pub use requirement::{Admission, AnswerTime, BodyLimit, Requirement, RouteLimits};
pub use site::Site;
pub use table::{Entry, RouteTable};

use axum::routing::MethodRouter;
use http::Method;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

/// Whether routes can say what they say of themselves. In a release they cannot, so that what
/// would is not even in the program: it serves the description that it was built with.
pub const DESCRIBES: bool = cfg!(debug_assertions);

/// The routes of a part of the program, with what each requires.
#[must_use = "routes do nothing until they are merged and finished"]
pub struct Routes<S = ()> {
    added: Vec<Added<S>>,
    schemas: Vec<fn() -> Schemas>,
}

struct Added<S> {
    requirement: Requirement,
    limits: RouteLimits,
    called: Vec<(Method, String)>,
    /// Nothing where nobody [describes](DESCRIBES).
    describe: Option<fn() -> Described>,
    /// Whether the last parameter takes the rest of the path, `/` included.
    deep: bool,
    /// Who knows whether somebody else decides about a request.
    elsewhere: Option<Arc<dyn Elsewhere>>,
    handlers: MethodRouter<S, Infallible>,
}

impl<S> Added<S> {
    /// What the table says of them.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.called.iter().map(|(method, path)| Entry {
            method: method.clone(),
            path: path.clone(),
            host: None,
            requirement: self.requirement,
            limits: self.limits,
        })
    }

    /// The paths as the router writes them, each once.
    fn routed_paths(&self) -> BTreeSet<String> {
        self.called
            .iter()
            .map(|(_, path)| self.routed(path))
            .collect()
    }

    /// A path of the description as the router writes it.
    fn routed(&self, path: &str) -> String {
        match path.rfind('{') {
            Some(at) if self.deep => format!("{}{{*{}", &path[..at], &path[at + 1..]),
            _ => path.to_owned(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet.
    pub const fn new() -> Self {
        Self {
            added: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// Adds handlers of one path ([`routes!`](crate::routes!)`(list, create)`), all with
    /// the same requirement, and the limits of ordinary routes.
    pub fn add(self, requirement: Requirement, routes: Handlers<S>) -> Self {
        self.add_within(RouteLimits::default(), requirement, routes)
    }

    /// Adds handlers of one path, with limits of their own.
    pub fn add_within(
        self,
        limits: RouteLimits,
        requirement: Requirement,
        routes: Handlers<S>,
    ) -> Self {
        self.push(limits, requirement, false, routes)
    }

    /// The same where the last parameter of the path takes all the rest of the address,
    /// `/` included: the path of a file, say.
    pub fn add_deep(
        self,
        limits: RouteLimits,
        requirement: Requirement,
        routes: Handlers<S>,
    ) -> Self {
        self.push(limits, requirement, true, routes)
    }

    fn push(
        mut self,
        limits: RouteLimits,
        requirement: Requirement,
        deep: bool,
        routes: Handlers<S>,
    ) -> Self {
        self.added.push(Added {
            requirement,
            limits,
            called: routes.called,
            describe: routes.describe,
            deep,
            elsewhere: None,
            handlers: routes.router,
        });
        self
    }

    /// Where `elsewhere` says that somebody else decides, these routes take guests in.
    /// Their handlers ask for everything that such a caller wants to do.
    pub fn or_elsewhere(mut self, elsewhere: &Arc<dyn Elsewhere>) -> Self {
        for added in &mut self.added {
            added.elsewhere = Some(Arc::clone(elsewhere));
        }
        self
    }

    /// These routes and those.
    pub fn merge(mut self, other: Self) -> Self {
        self.added.extend(other.added);
        self.schemas.extend(other.schemas);
        self
    }

    /// Adds a schema to the API's description that no handler names: a message of a
    /// socket, say.
    pub fn schema<T: utoipa::ToSchema>(mut self) -> Self {
        if DESCRIBES {
            self.schemas.push(schemas_of::<T>);
        }
        self
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> Routes<S2> {
        let give = |added: Added<S>| Added {
            requirement: added.requirement,
            limits: added.limits,
            called: added.called,
            describe: added.describe,
            deep: added.deep,
            elsewhere: added.elsewhere,
            handlers: added.handlers.with_state(state.clone()),
        };
        Routes {
            added: self.added.into_iter().map(give).collect(),
            schemas: self.schemas,
        }
    }

    /// What has been added so far.
    #[must_use]
    pub fn table(&self) -> RouteTable {
        RouteTable::new(self.added.iter().flat_map(Added::entries).collect())
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> std::fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let called = self.added.iter().flat_map(|added| &added.called);
        f.debug_list().entries(called).finish()
    }
}

fn schemas_of<T: utoipa::ToSchema>() -> Schemas {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}
