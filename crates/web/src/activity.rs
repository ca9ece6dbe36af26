//! The routes of operations: the record of all that takes time, its logs, and its
//! schedules.

mod errors;
mod logs;
mod schedules;
pub(crate) mod shown;
mod starting;

pub use starting::Starting;

use crate::routes;
use crate::{Answer, By, Json, Page, Path, Problem, Query, Requirement, RouteLimits, Routes};
use access::{Access, Role, Scope};
use axum::extract::State;
use base::{OperationId, Timestamp, Trigger};
use http::StatusCode;
use operations::{
    Filter, Operations, Order, Position, Query as ListQuery, Sort, State as OperationState,
};
use serde::{Deserialize, Serialize};
use shown::{DetailedOperation, Rights, ShownOperation};
use starting::Starter;
use std::sync::Arc;

const USUAL: u16 = 50;
const MOST: u16 = 200;

/// The routes. What changes without being an operation is recorded by `access`, and who may
/// have what started is `starting`'s to say.
pub fn routes(operations: Operations, access: Access, starting: Arc<dyn Starting>) -> Routes {
    let sees = Requirement::Role(Role::Viewer, Scope::OperationsRead);
    let acts = Requirement::Role(Role::Operator, Scope::OperationsWrite);
    let long = RouteLimits::default().time(crate::AnswerTime::OwnLimit);
    let starter = Starter::new(operations.clone(), starting);
    Routes::new()
        .add(sees, routes!(list_operations))
        .add(sees, routes!(get_operation))
        .add(acts, routes!(cancel_operation))
        .add(sees, routes!(list_kinds))
        .add(sees, routes!(logs::get_log))
        .add_within(long, sees, routes!(logs::download_log))
        .add(sees, routes!(logs::search_log))
        .schema::<Sort>()
        .schema::<Order>()
        .schema::<shown::ShownTrigger>()
        .with_state(operations)
        .merge(
            Routes::new()
                .add(acts, routes!(retry_operation))
                .with_state(starter.clone()),
        )
        .merge(schedules::routes(starter, access))
}

/// What is asked of a list of operations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Of this kind.
    kind: Option<String>,
    /// In this state.
    state: Option<OperationState>,
    /// About this, such as `stack:web`.
    subject: Option<String>,
    /// On this server.
    server: Option<String>,
    /// Asked for by this actor, such as `user:anna`.
    actor: Option<String>,
    /// Set off by this: person, api, schedule, push, operation or system.
    #[param(value_type = Option<shown::ShownTrigger>)]
    trigger: Option<Trigger>,
    /// Started by this operation.
    parent: Option<uuid::Uuid>,
    /// Asked for at this time or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Asked for before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// With this in its title, subject or error. A page may then be short, or empty,
    /// although more follow.
    #[param(max_length = 200)]
    text: Option<String>,
    /// By what it is sorted.
    sort: Option<Sort>,
    /// In which direction.
    order: Option<Order>,
    /// How many at most: 1 to 200, and 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Where a page of a sorted list begins. It belongs to its sort.
#[derive(Serialize, Deserialize)]
struct Cursor {
    sort: Sort,
    at: Position,
}

impl ListParams {
    fn query(self) -> Answer<ListQuery> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::invalid(
                "limit",
                "out-of-range",
                "limit is a number from 1 to 200",
            ));
        }
        if self.text.as_ref().is_some_and(|text| text.len() > 200) {
            return Err(Problem::invalid(
                "text",
                "out-of-range",
                "text has at most 200 bytes",
            ));
        }
        let sort = self.sort.unwrap_or_default();
        let wrong = || {
            Problem::invalid(
                "cursor",
                "invalid",
                "this is not a `next` of this list; begin again without it",
            )
        };
        let after = match &self.cursor {
            Some(text) => {
                let cursor: Cursor = crate::paging::decode(text).ok_or_else(wrong)?;
                if cursor.sort != sort {
                    return Err(wrong());
                }
                Some(cursor.at)
            }
            None => None,
        };
        Ok(ListQuery {
            filter: Filter {
                kind: self.kind,
                state: self.state,
                subject: self.subject,
                server: self.server,
                actor: self.actor,
                trigger: self.trigger,
                parent: self.parent.map(OperationId::from),
                from: self.from,
                to: self.to,
                text: self.text.filter(|text| !text.is_empty()),
            },
            sort,
            order: self.order.unwrap_or_default(),
            after,
            limit: usize::from(limit),
        })
    }
}

/// List operations, the newest first unless `sort` and `order` say otherwise.
#[utoipa::path(
    get, path = "/api/v1/operations", tag = "operations", params(ListParams),
    responses((status = 200, description = "A page of operations.", body = Page<ShownOperation>))
)]
async fn list_operations(
    State(operations): State<Operations>,
    By(caller): By,
    Query(params): Query<ListParams>,
) -> Answer<Json<Page<ShownOperation>>> {
    let query = params.query()?;
    let page = operations.list(&query).await?;
    let rights = Rights::of(&operations, &caller);
    let items = page
        .operations
        .into_iter()
        .map(|operation| ShownOperation::of(operation, &rights))
        .collect();
    let next = page.next.map(|at| Cursor {
        sort: query.sort,
        at,
    });
    Ok(Json(Page::new(items, next.as_ref())))
}

/// An operation, with every step of its life.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id.")),
    responses((status = 200, description = "The operation.", body = DetailedOperation))
)]
async fn get_operation(
    State(operations): State<Operations>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<Json<DetailedOperation>> {
    let id = OperationId::from(id);
    let operation = operations.get(id).await?;
    let transitions = operations.transitions(id).await?;
    Ok(Json(DetailedOperation {
        operation: ShownOperation::of(operation, &Rights::of(&operations, &caller)),
        transitions,
    }))
}

/// Ask for the end of an operation. One that waits ends at once, a running one soon.
#[utoipa::path(
    post, path = "/api/v1/operations/{id}/cancel", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id.")),
    responses((status = 202, description = "It ends.", body = ShownOperation))
)]
async fn cancel_operation(
    State(operations): State<Operations>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<(StatusCode, Json<ShownOperation>)> {
    let operation = operations.cancel(id.into(), &caller.actor()).await?;
    let shown = ShownOperation::of(operation, &Rights::of(&operations, &caller));
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

/// Repeat an operation that has ended: a new one with the same input.
#[utoipa::path(
    post, path = "/api/v1/operations/{id}/retry", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id.")),
    responses((status = 201, description = "The new operation.", body = ShownOperation))
)]
async fn retry_operation(
    State(starter): State<Starter>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<(StatusCode, Json<ShownOperation>)> {
    let operation = starter.start_again(&caller, id.into()).await?;
    let shown = ShownOperation::of(operation, &Rights::of(starter.operations(), &caller));
    Ok((StatusCode::CREATED, Json(shown)))
}

/// The kinds of operation that this server knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct KindList {
    /// The kinds, by name.
    items: Vec<operations::KindInfo>,
}

/// List the kinds of operation.
#[utoipa::path(
    get, path = "/api/v1/operation-kinds", tag = "operations",
    responses((status = 200, description = "The kinds.", body = KindList))
)]
async fn list_kinds(State(operations): State<Operations>) -> Json<KindList> {
    Json(KindList {
        items: operations.kinds(),
    })
}
