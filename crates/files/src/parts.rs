//! What files stand on, for the modules of this crate.

use crate::bucket::Buckets;
use crate::presign::Signer;
use crate::remembered::Remembered;
use crate::store::Stores;
use crate::{FileSettings, Files};
use access::Access;
use base::Timestamp;
use fetch::Client;
use operations::Operations;
use std::sync::PoisonError;
use storage::{Blobs, Db};
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

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.0.remembered
    }

    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
    }

    pub(crate) fn client(&self) -> Client {
        let client = self.0.client.read();
        client.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.0.signer
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    pub(crate) fn operations(&self) -> &Operations {
        self.0
            .operations
            .get()
            .expect("the composition root connects the engine before it serves")
    }
}
