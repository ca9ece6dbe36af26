//! Who may have an operation repeated, or started by the clock: whoever may start it in the
//! part that it belongs to. Neither is a way around what is asked for there.

use super::shown;
use crate::{Answer, Problem};
use access::{Caller, Proof};
use async_trait::async_trait;
use base::{OperationId, Trigger};
use operations::{Operation, Operations};
use std::fmt;
use std::sync::Arc;

/// Knows of every kind of operation what it takes to have one started, besides the scope
/// that the kind itself names.
#[async_trait]
pub trait Starting: fmt::Debug + Send + Sync + 'static {
    /// Refuses a caller who may not have one of this kind started with this input, as JSON.
    /// What it is started with instead, where an input says for whom it is.
    ///
    /// # Errors
    /// Why not.
    async fn admit(&self, caller: &Caller, kind: &str, input: &str) -> Answer<Option<String>>;
}

/// Starts operations, for those who may.
#[derive(Clone, Debug)]
pub(super) struct Starter {
    operations: Operations,
    starting: Arc<dyn Starting>,
}

impl Starter {
    pub(super) fn new(operations: Operations, starting: Arc<dyn Starting>) -> Self {
        Self {
            operations,
            starting,
        }
    }

    pub(super) const fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Refuses who may not have one of this kind started with this input.
    pub(super) async fn may_start(
        &self,
        caller: &Caller,
        kind: &str,
        input: &serde_json::Value,
    ) -> Answer<()> {
        self.has_scope(caller, kind)?;
        let input = input.to_string();
        self.starting.admit(caller, kind, &input).await.map(drop)
    }

    /// Repeats one that has ended.
    pub(super) async fn start_again(&self, caller: &Caller, id: OperationId) -> Answer<Operation> {
        self.has_scope(caller, &self.operations.get(id).await?.kind)?;
        let (earlier, input) = self.operations.to_repeat(id).await?;
        let theirs = self.starting.admit(caller, &earlier.kind, &input).await?;
        let trigger = match caller.proof() {
            Proof::Session(_) => Trigger::Person,
            Proof::Password | Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Guest(_) => {
                Trigger::Api
            }
        };
        let repeated =
            self.operations
                .repeat(earlier, theirs.unwrap_or(input), caller.actor(), trigger);
        Ok(repeated.await?)
    }

    /// Refuses a token that lacks the scope of the part that the kind belongs to.
    fn has_scope(&self, caller: &Caller, kind: &str) -> Answer<()> {
        let Some(needed) = shown::missing_scope(&self.operations, caller, kind) else {
            return Ok(());
        };
        Err(Problem::forbidden(format!(
            "An operation of the kind {kind} needs, with a token, the scope {needed}, too."
        )))
    }
}
