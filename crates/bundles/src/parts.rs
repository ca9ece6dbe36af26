//! What the methods of the handle reach: the parts that it was made of.

use crate::Bundles;
use crate::asked::AskedLists;
use crate::budget::Budget;
use crate::outlet::Outlets;
use crate::settings::Current;
use crate::takers::Takers;
use access::Access;
use base::Timestamp;
use operations::Operations;
use std::sync::{Arc, PoisonError};
use storage::{Blobs, Db};

impl Bundles {
    pub(crate) fn operations(&self) -> &Operations {
        self.0
            .operations
            .get()
            .expect("the composition root connects the engine before it serves")
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// What is in force now; a bundle keeps to what was in force when it began.
    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(
            &self
                .0
                .current
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    pub(crate) fn outlets(&self) -> &Outlets {
        &self.0.outlets
    }

    /// Who takes kept archives from this process.
    pub(crate) fn takers(&self) -> &Takers {
        &self.0.takers
    }

    pub(crate) fn asked(&self) -> &AskedLists {
        &self.0.asked
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
