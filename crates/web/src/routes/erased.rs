//! Handlers whose types end here.
//!
//! The future of a handler is of a type that names every future within it, down to the
//! database. The router puts some ten layers around each, all of them generic, and for
//! every one the compiler went through that type again: half of the time of a crate with
//! sixty routes. Behind a pointer they are the same layers for all.

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use std::pin::Pin;
use std::sync::Arc;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler of whatever type.
pub struct Erased<S>(Arc<dyn Fn(Request, S) -> Answering + Send + Sync>);

impl<S> Erased<S> {
    /// The same handler without its type. Its future is boxed already, so a request costs
    /// one call through a pointer.
    pub fn new<H, T>(handler: H) -> Self
    where
        H: Handler<T, S, Future = Answering>,
    {
        Self(Arc::new(move |request, state| {
            handler.clone().call(request, state)
        }))
    }
}

impl<S> Clone for Erased<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> std::fmt::Debug for Erased<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Erased").finish_non_exhaustive()
    }
}

impl<S: 'static> Handler<(), S> for Erased<S> {
    type Future = Answering;

    fn call(self, request: Request, state: S) -> Answering {
        (self.0)(request, state)
    }
}
