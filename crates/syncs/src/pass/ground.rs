//! What a target stands on while it delivers one file.

use super::Pass;
use crate::delivery::{Claim, DeliveryState};
use crate::source::LookedAt;
use crate::sql::claim;
use crate::target::{Content, Ground, State, Trouble};
use crate::trouble;
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;

/// Of one delivery.
pub(super) struct Standing<'a> {
    pub(super) pass: &'a Pass,
    pub(super) claim: &'a Claim,
    pub(super) place: &'a str,
    pub(super) looked: &'a LookedAt,
}

impl fmt::Debug for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Standing({:?})", self.claim)
    }
}

/// Somebody else has it by now: this process was too slow, or asleep.
pub(super) fn lost() -> Trouble {
    Trouble::Later {
        reason: "another worker has taken this delivery up".to_owned(),
        after: None,
    }
}

impl Ground for Standing<'_> {
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>> {
        Box::pin(async move {
            let source = &self.pass.opened.source;
            source.open(self.place, self.looked, offset).await
        })
    }

    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let syncs = &self.pass.syncs;
            let (state, known) = (DeliveryState::from(state), known.to_string());
            let held =
                claim::record(&self.pass.ledger, self.claim, state, &known, syncs.now()).await;
            if held.map_err(|error| trouble::of_own(&error))? {
                Ok(())
            } else {
                Err(lost())
            }
        })
    }

    fn arrived(&self, bytes: u64) {
        self.pass.board.arrived(self.claim.id, bytes);
    }

    fn link(&self) -> Option<String> {
        self.pass.opened.source.link(self.place)
    }

    fn say(&self, line: &str) {
        self.pass.board.say(line.to_owned());
    }
}
