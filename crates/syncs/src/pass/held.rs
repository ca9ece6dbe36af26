//! The claims that a pass knows to hold: those are renewed, and no others. One whose beginning
//! or end could not be written, or was written and not answered, ends with its lease, and
//! whoever comes then takes the file up.

use crate::delivery::Claim;
use base::DeliveryId;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// By the number of the claim, too: a file may be claimed again before the one who had it has
/// let go.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<BTreeSet<(DeliveryId, u64)>>);

impl Held {
    fn inner(&self) -> MutexGuard<'_, BTreeSet<(DeliveryId, u64)>> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take<'a>(&self, claims: impl Iterator<Item = &'a Claim>) {
        let claims = claims.map(|claim| (claim.id, claim.attempt));
        self.inner().extend(claims);
    }

    /// It is over, or nobody can say whether it is.
    pub(super) fn let_go(&self, claim: &Claim) {
        self.inner().remove(&(claim.id, claim.attempt));
    }

    pub(super) fn all(&self) -> Vec<DeliveryId> {
        self.inner().iter().map(|(id, _)| *id).collect()
    }
}
