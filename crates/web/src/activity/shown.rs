//! Operations as the API shows them: with what this caller may do.

use access::{Caller, Role, Scope};
use operations::{Operation, Operations, Transition};
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
    /// As who has these `rights` sees it.
    pub(crate) fn of(operation: Operation, rights: &Rights) -> Self {
        Self::offering(rights.allow(&operation), operation)
    }

    /// The same, where it is known whether the caller may do what can be done with it.
    pub(crate) fn offering(allowed: bool, operation: Operation) -> Self {
        let actions = if allowed { operation.actions() } else { &[] };
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

/// What one caller may do with operations.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    operations: Operations,
    caller: Caller,
}

impl Rights {
    pub(crate) fn of(operations: &Operations, caller: &Caller) -> Self {
        Self {
            operations: operations.clone(),
            caller: caller.clone(),
        }
    }

    /// Whether the caller may do what can be done with `operation` as it stands. One that
    /// has ended can be started once more, which not everybody may who may cancel it.
    pub(crate) fn allow(&self, operation: &Operation) -> bool {
        let acts = self.caller.may(Role::Operator, Scope::OperationsWrite);
        acts && (!operation.state.is_ended() || self.start(&operation.kind))
    }

    fn start(&self, kind: &str) -> bool {
        self.operations.knows(kind) && missing_scope(&self.operations, &self.caller, kind).is_none()
    }
}

/// The scope that starting an operation of this kind needs and `caller` lacks.
pub(crate) fn missing_scope(
    operations: &Operations,
    caller: &Caller,
    kind: &str,
) -> Option<&'static str> {
    let needed = operations.scope_of(kind)?;
    // A scope that there is not is nobody's.
    let scope = needed.parse::<Scope>().ok();
    let has_it = scope.is_some_and(|scope| caller.may(Role::Operator, scope));
    (!has_it).then_some(needed)
}
