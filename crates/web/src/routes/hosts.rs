//! Routes of their own for hosts of their own: the domain of a bucket, say.

use super::{Added, Entry, Gate, Routes};
use crate::{Client, Problem, SettingsSource};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use tower::ServiceExt;

/// Whether a host, with its port where it has one, is one of these.
pub type KnowsHost = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The routes of some hosts. They stand in the table and behind the gate as all do, but
/// not in the API's description: who calls them knows another one.
pub struct Hosted {
    routes: Routes,
    knows: KnowsHost,
    example: &'static str,
}

impl Hosted {
    /// These routes answer on the hosts that `knows` knows. `example` is one of them.
    #[must_use]
    pub fn new(routes: Routes, knows: KnowsHost, example: &'static str) -> Self {
        Self {
            routes,
            knows,
            example,
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let on_host = |entry: &Entry| Entry {
            host: Some(self.example),
            ..entry.clone()
        };
        self.routes.table().entries().iter().map(on_host).collect()
    }

    pub(super) fn into_router(self, gate: &Gate) -> (KnowsHost, Router) {
        let router = super::site::router(self.routes.added, gate, true, nothing_here);
        (self.knows, router)
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosted({:?})", self.routes)
    }
}

async fn nothing_here() -> Problem {
    Problem::not_found("address")
}

/// What decides which router answers.
pub(crate) struct Hosts {
    hosted: Vec<(KnowsHost, Router)>,
    usual: Router,
    settings: SettingsSource,
}

impl Hosts {
    /// Those of hosts are asked first.
    pub(super) const fn new(
        hosted: Vec<(KnowsHost, Router)>,
        usual: Router,
        settings: SettingsSource,
    ) -> Self {
        Self {
            hosted,
            usual,
            settings,
        }
    }

    pub(crate) const fn settings(&self) -> &SettingsSource {
        &self.settings
    }

    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        let router = self.router(&mut request).clone();
        let answered: Result<Response, Infallible> = router.oneshot(request).await;
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn router(&self, request: &mut Request) -> &Router {
        if self.hosted.is_empty() {
            return &self.usual;
        }
        let peer = request.extensions().get().copied();
        let settings = Arc::clone(&self.settings.borrow());
        let client = Client::of(peer, request.uri(), request.headers(), &settings);
        let host = client.authority().unwrap_or_default();
        let mut hosted = self.hosted.iter();
        let router = hosted
            .find(|(knows, _)| knows(host))
            .map_or(&self.usual, |(_, router)| router);
        // Nobody needs to look once more.
        request.extensions_mut().insert(client);
        router
    }
}

impl<S> fmt::Debug for Added<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.called).finish()
    }
}
