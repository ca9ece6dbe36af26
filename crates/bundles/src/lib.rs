//! Bundles: a list of URLs in, one streaming ZIP out.
//!
//! A bundle is an operation. Its sources are fetched at once through the guarded
//! client ([`gather`]), written one by one into an archive ([`make`], [`zip`]), and
//! sent to whoever takes it, or kept on disk until it expires ([`outlet`]).
//!
//! Invariants: memory is bounded by [`budget`], whatever the sources are; what is
//! missing is listed in the archive; an archive that broke never ends cleanly.

mod asked;
mod board;
mod budget;
mod bundle;
mod error;
mod flowing;
mod gather;
mod http;
mod ledger;
mod make;
pub mod name;
mod operations;
mod outlet;
mod parts;
pub mod plain;
pub mod report;
mod request;
mod settings;
mod source;
mod sql;
mod stored;
mod takers;
pub mod zip;

pub use bundle::{Accepted, Bundle, Compress, EntryOrder, NewBundle, Options};
pub use error::{Error, Result};
pub use http::routes;
pub use operations::{BundleInput, ExpireBundles, ExpireInput, MakeBundle};
pub use settings::BundleSettings;
pub use source::{DetailedSource, HeaderText, SourceRequest, StoredSecret};
pub use stored::{FoundFile, NotStored, Stored, StoredFile, StoredPlace, StoredRequest};

use ::operations::Operations;
use access::Access;
use asked::AskedLists;
use base::SharedClock;
use budget::Budget;
use fetch::Client;
use outlet::Outlets;
use settings::Current;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use storage::{Blobs, Db};
use takers::Takers;

/// Bundles. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bundles(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    blobs: Blobs,
    access: Access,
    clock: SharedClock,
    budget: Arc<Budget>,
    /// Replaced as a whole when the configuration changes.
    current: RwLock<Arc<Current>>,
    outlets: Outlets,
    takers: Takers,
    asked: AskedLists,
    operations: OnceLock<Operations>,
    stored: OnceLock<Arc<dyn Stored>>,
}

impl Bundles {
    /// Makes the handle. Its kinds go to the engine, and the engine then to
    /// [`Bundles::connect`].
    #[must_use]
    pub fn new(
        db: Db,
        blobs: Blobs,
        client: Client,
        access: Access,
        clock: SharedClock,
        settings: BundleSettings,
    ) -> Self {
        Self(Arc::new(Inner {
            db,
            blobs,
            access,
            clock,
            budget: Budget::new(settings.buffer),
            current: RwLock::new(Arc::new(Current { client, settings })),
            outlets: Outlets::default(),
            takers: Takers::default(),
            asked: AskedLists::default(),
            operations: OnceLock::new(),
            stored: OnceLock::new(),
        }))
    }

    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> (MakeBundle, ExpireBundles) {
        (MakeBundle(self.clone()), ExpireBundles(self.clone()))
    }

    /// Gives it the engine that runs its operations, before anything is asked of it.
    pub fn connect(&self, operations: Operations) {
        let _ = self.0.operations.set(operations);
    }

    /// Gives it who has stored files, before anything is asked of it.
    pub fn connect_stored(&self, stored: Arc<dyn Stored>) {
        let _ = self.0.stored.set(stored);
    }

    pub(crate) fn stored_files(&self) -> Option<Arc<dyn Stored>> {
        self.0.stored.get().cloned()
    }

    /// Bundles that begin from now on are made with these. The memory they share keeps
    /// its size until a restart.
    pub fn reconfigure(&self, client: Client, settings: BundleSettings) {
        let fresh = Arc::new(Current { client, settings });
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}
