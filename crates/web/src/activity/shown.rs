//! Operations as the API shows them: with what this caller may do.

use access::{Caller, Role, Scope};
use operations::{Operation, Transition};
use serde::Serialize;

/// An operation, and what the caller may do with it now.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OperationView)]
pub(crate) struct ShownOperation {
    #[serde(flatten)]
    operation: Operation,
    /// What can be done with it now, by this caller: `cancel`, `retry`.
    #[schema(value_type = Vec<String>)]
    actions: &'static [&'static str],
}

impl ShownOperation {
    /// `acts`: whether the caller may do anything with operations at all.
    pub(crate) fn of(operation: Operation, acts: bool) -> Self {
        let actions = if acts { operation.actions() } else { &[] };
        Self { operation, actions }
    }
}

/// An operation with every step of its life.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DetailedOperation {
    #[serde(flatten)]
    pub(crate) operation: ShownOperation,
    /// Its life, from its acceptance on.
    pub(crate) transitions: Vec<Transition>,
}

/// What sets an operation off, as a list of words.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(
    dead_code,
    reason = "it describes base::Trigger, which knows no API descriptions"
)]
pub(crate) enum ShownTrigger {
    Person,
    Api,
    Schedule,
    Push,
    Operation,
    System,
}

/// Whether a caller may cancel and retry.
pub(crate) fn may_act(caller: &Caller) -> bool {
    caller.may(Role::Operator, Scope::OperationsWrite)
}
