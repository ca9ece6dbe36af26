//! What files stand on, for the modules of this crate.

use crate::authoriser::{Authoriser, AuthoriserSettings};
use crate::bucket::Buckets;
use crate::copies::Copies;
use crate::feed::Feed;
use crate::hook::Certificates;
use crate::presign::Signer;
use crate::put::Together;
use crate::remembered::Remembered;
use crate::store::Stores;
use crate::{FileSettings, Files};
use access::Access;
use base::{SharedClock, Timestamp};
use fetch::Client;
use operations::Operations;
use std::sync::{Arc, PoisonError};
use storage::{Blobs, Db, SharedCache};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

impl Files {
    /// Takes other limits over, for what begins from now on.
    pub fn reconfigure(&self, client: Client, settings: FileSettings) {
        *self
            .0
            .client
            .write()
            .unwrap_or_else(PoisonError::into_inner) = client;
        *self
            .0
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        self.stores().forget();
    }

    /// Asks another endpoint, or in another way, who may what, in the buckets that do.
    pub fn reconfigure_authoriser(&self, settings: AuthoriserSettings) {
        self.0.authoriser.reconfigure(&self.client(), settings);
    }

    pub(crate) fn authoriser(&self) -> &Authoriser {
        &self.0.authoriser
    }

    pub(crate) fn settings(&self) -> FileSettings {
        *self
            .0
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn clock(&self) -> SharedClock {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.0.buckets
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }

    pub(crate) fn together(&self) -> &Together {
        &self.0.together
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.0.remembered
    }

    /// Gives it the cache that it shares with other replicas, before anything is asked
    /// of it.
    pub fn connect_cache(&self, cache: SharedCache) {
        let _ = self.0.shared.set(cache);
    }

    pub(crate) fn shared_cache(&self) -> &SharedCache {
        static NONE: SharedCache = SharedCache::none();
        self.0.shared.get().unwrap_or(&NONE)
    }

    pub(crate) fn certificates(&self) -> &Certificates {
        &self.0.certificates
    }

    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
    }

    pub(crate) fn client(&self) -> Client {
        let client = self.0.client.read();
        client.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn copies(&self) -> &Copies {
        &self.0.copies
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.0.signer
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Ends what runs in the background.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    pub(crate) fn operations(&self) -> &Operations {
        self.0
            .operations
            .get()
            .expect("the composition root connects the engine before it serves")
    }
}
