//! Delivers files to where they are served, exactly once.
//!
//! A sync is a [`rule`]: from which source, to which target, when. Each file under it is a
//! [`delivery`], recorded before anything is sent, and claimed by whoever works on it. A
//! pass is an operation ([`operations`]) that finds what is to be delivered and delivers
//! it; several at once, on several replicas, share the work and never a file.
//!
//! Invariants: nothing is sent before it is recorded; only who holds the claim writes;
//! memory does not grow with the number of files nor with their size; what fails rests
//! with its reason and holds nobody up.

mod buckets;
mod delivery;
mod drop_in;
mod error;
mod events;
mod foreseen;
mod http;
mod keys;
mod ledger;
mod mail;
mod notify;
mod open;
mod operations;
mod owner;
mod pass;
mod refusing;
pub mod rule;
mod settings;
pub mod source;
mod sql;
mod steer;
mod sync;
mod tally;
pub mod target;
mod trouble;

pub use buckets::{BucketArrival, BucketFile, BucketNews, BucketPlace, Buckets};
pub use delivery::{Delivery, DeliveryFilter, DeliveryState};
pub use drop_in::{NAME as ENVIRONMENT_SYNC, VARIABLES, Variables};
pub use error::{Error, Result};
pub use http::routes;
pub use mail::MailSettings;
pub use operations::{PassInput, SyncPass, SyncVerify, VerifyInput};
pub use settings::SyncSettings;
pub use steer::{DryRun, Planned, Status};
pub use sync::{NewSync, Origin, Sync, SyncChange};
pub use tally::{PassRecord, PassState, Tally};

use crate::refusing::Refusing;
use crate::target::cloudflare::Accounts;
use ::operations::Operations;
use access::Access;
use base::SharedClock;
use fetch::Client;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use storage::{Bus, Db};
use tokio_util::task::TaskTracker;

/// What syncs stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Where deliveries are recorded.
    pub db: Db,
    /// How replicas hear of changes.
    pub bus: Bus,
    /// Whose secrets rules name.
    pub access: Access,
    /// How everything outside is reached.
    pub client: Client,
    /// What time it is.
    pub clock: SharedClock,
    /// Owns what runs in the background.
    pub tasks: TaskTracker,
    /// What the environment says, where it says anything.
    pub variables: Option<Variables>,
}

/// Syncs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Syncs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ground: Ground,
    variables: Option<Arc<Variables>>,
    /// Replaced as a whole when the configuration changes.
    current: RwLock<(Client, SyncSettings)>,
    /// Which worker writes: one for each process.
    worker: String,
    operations: OnceLock<Operations>,
    buckets: OnceLock<Arc<dyn Buckets>>,
    /// The accounts at Cloudflare that are in use.
    accounts: Accounts,
    /// The targets that took nothing a moment ago.
    refusing: Refusing,
}

impl Syncs {
    /// Makes the handle. Its kinds go to the engine, and the engine then to
    /// [`Syncs::connect`].
    #[must_use]
    pub fn new(ground: Ground, settings: SyncSettings) -> Self {
        let variables = ground.variables.clone().map(Arc::new);
        let current = RwLock::new((ground.client.clone(), settings));
        Self(Arc::new(Inner {
            ground,
            variables,
            current,
            worker: uuid::Uuid::now_v7().simple().to_string(),
            operations: OnceLock::new(),
            buckets: OnceLock::new(),
            accounts: Accounts::default(),
            refusing: Refusing::default(),
        }))
    }

    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> (SyncPass, SyncVerify) {
        (SyncPass(self.clone()), SyncVerify(self.clone()))
    }

    /// Gives it the engine that runs its operations, before anything is asked of it.
    pub fn connect(&self, operations: Operations) {
        let _ = self.0.operations.set(operations);
    }

    /// Gives it who has the buckets of this server, before anything is asked of it.
    pub fn connect_buckets(&self, buckets: Arc<dyn Buckets>) {
        let _ = self.0.buckets.set(buckets);
    }

    /// Passes that begin from now on are made with these.
    pub fn reconfigure(&self, client: Client, settings: SyncSettings) {
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = (client, settings);
    }
}
