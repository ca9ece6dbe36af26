//! Listing operations: filters, sorting in both directions, paging by key.
//!
//! A page costs the same wherever it lies. Every sort has an index that ends in
//! the id; a text is looked for in a bounded window of rows, so a page may come
//! back short, or empty, and still say where to go on.

use crate::operation::Operation;
use crate::state::State;
use base::{OperationId, Timestamp, Trigger};
use serde::{Deserialize, Serialize};

/// Which operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// About this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// On this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Asked for by this actor, such as `user:anna`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Set off by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub trigger: Option<Trigger>,
    /// Started by this operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub parent: Option<OperationId>,
    /// Asked for at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Asked for before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// With this in its title, subject or error, whatever the case (of ASCII letters).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Filter {
    /// Whether `operation` passes.
    #[must_use]
    pub fn matches(&self, operation: &Operation) -> bool {
        fn is(wanted: Option<&String>, found: Option<&str>) -> bool {
            // What is absent is stored as an empty text, and found by one.
            wanted.is_none_or(|wanted| found.unwrap_or_default() == wanted)
        }
        is(self.kind.as_ref(), Some(&operation.kind))
            && self.state.is_none_or(|state| state == operation.state)
            && is(self.subject.as_ref(), operation.subject.as_deref())
            && is(self.server.as_ref(), operation.server.as_deref())
            && is(self.actor.as_ref(), Some(operation.actor.as_str()))
            && self
                .trigger
                .is_none_or(|trigger| trigger == operation.trigger)
            && self
                .parent
                .is_none_or(|parent| Some(parent) == operation.parent)
            && self.from.is_none_or(|from| operation.created_at >= from)
            && self.to.is_none_or(|to| operation.created_at < to)
            && self
                .text
                .as_ref()
                .is_none_or(|text| contains(operation, text))
    }
}

fn contains(operation: &Operation, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let error = operation.error.as_ref().map(|error| error.message.as_str());
    [
        Some(operation.title.as_str()),
        operation.subject.as_deref(),
        error,
    ]
    .into_iter()
    .flatten()
    .any(|field| field.to_ascii_lowercase().contains(&text))
}

/// By what a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The time it was asked for.
    #[default]
    CreatedAt,
    /// The kind.
    Kind,
    /// The state.
    State,
    /// What it is about.
    Subject,
    /// The server.
    Server,
    /// Who asked.
    Actor,
    /// What set it off.
    Trigger,
}

/// In which direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    #[default]
    Desc,
}

/// Where a page begins: after the row with this value and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The sorted column's value; empty when sorted by time.
    pub value: String,
    /// The id.
    pub id: OperationId,
}

/// A question for a page.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which operations.
    pub filter: Filter,
    /// By what they are sorted.
    pub sort: Sort,
    /// In which direction.
    pub order: Order,
    /// After which row.
    pub after: Option<Position>,
    /// How many at most.
    pub limit: usize,
}

/// A page of operations.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The operations, in order.
    pub operations: Vec<Operation>,
    /// Where the next page begins.
    pub next: Option<Position>,
}
