//! The routes of schedules. Who makes, changes or deletes one is put on the record.

mod record;

use super::starting::Starter;
use crate::routes;
use crate::{Answer, By, Json, Path, Requirement, Routes};
use access::{Access, Role, Scope};
use axum::extract::State;
use base::{Name, ScheduleId, Timestamp};
use http::StatusCode;
use operations::{Missed, NewSchedule, Operations, Schedule, ScheduleChange, Timing};
use record::OnTheRecord;
use serde::{Deserialize, Serialize};

/// What the routes need.
#[derive(Clone, Debug)]
struct Schedules {
    starter: Starter,
    access: Access,
}

impl Schedules {
    const fn operations(&self) -> &Operations {
        self.starter.operations()
    }
}

pub(super) fn routes(starter: Starter, access: Access) -> Routes {
    let sees = Requirement::Role(Role::Viewer, Scope::OperationsRead);
    let acts = Requirement::Role(Role::Operator, Scope::OperationsWrite);
    Routes::new()
        .add(sees, routes!(list_schedules))
        .add(acts, routes!(create_schedule))
        .add(sees, routes!(get_schedule))
        .add(acts, routes!(change_schedule))
        .add(acts, routes!(delete_schedule))
        .add(sees, routes!(preview_schedule))
        .with_state(Schedules { starter, access })
}

/// Schedules.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ScheduleList {
    /// The schedules, by name.
    items: Vec<Schedule>,
}

/// List schedules, with their next runs.
#[utoipa::path(
    get, path = "/api/v1/schedules", tag = "schedules",
    responses((status = 200, description = "The schedules.", body = ScheduleList))
)]
async fn list_schedules(State(schedules): State<Schedules>) -> Answer<Json<ScheduleList>> {
    Ok(Json(ScheduleList {
        items: schedules.operations().schedules().await?,
    }))
}

/// A schedule to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleRequest {
    /// Its name.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    name: Name,
    /// The kind of operation it starts.
    kind: String,
    /// The title of the operations; the kind's own, when absent.
    #[serde(default)]
    title: String,
    /// The input of the operations.
    #[schema(value_type = Object)]
    input: serde_json::Value,
    /// When: a cron expression of five fields.
    cron: String,
    /// In this time zone; UTC, when absent.
    #[serde(default)]
    zone: String,
    /// What is done about runs missed while Longshore was down; one run, when absent.
    missed: Option<Missed>,
    /// Whether it runs at all; it does, when absent.
    enabled: Option<bool>,
}

/// Make a schedule.
#[utoipa::path(
    post, path = "/api/v1/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses((status = 201, description = "The schedule.", body = Schedule))
)]
async fn create_schedule(
    State(schedules): State<Schedules>,
    By(caller): By,
    Json(request): Json<ScheduleRequest>,
) -> Answer<(StatusCode, Json<Schedule>)> {
    // What cannot be is refused for that, and not for what would have to be done first.
    schedules.operations().check_schedulable(&request.kind)?;
    let may_start = schedules
        .starter
        .may_start(&caller, &request.kind, &request.input);
    may_start.await?;
    let new = NewSchedule {
        timing: Timing::parse(&request.cron, &request.zone)?,
        name: request.name,
        kind: request.kind,
        title: request.title.chars().take(200).collect(),
        input: request.input,
        missed: request.missed.unwrap_or(Missed::RunOnce),
        enabled: request.enabled.unwrap_or(true),
    };
    let record = OnTheRecord::of(&schedules.access, &caller);
    let schedule = schedules
        .operations()
        .create_schedule(new, &caller.actor(), &record)
        .await?;
    Ok((StatusCode::CREATED, Json(schedule)))
}

/// A schedule.
#[utoipa::path(
    get, path = "/api/v1/schedules/{id}", tag = "schedules",
    params(("id" = uuid::Uuid, Path, description = "The schedule's id.")),
    responses((status = 200, description = "The schedule.", body = Schedule))
)]
async fn get_schedule(
    State(schedules): State<Schedules>,
    Path(id): Path<uuid::Uuid>,
) -> Answer<Json<Schedule>> {
    let schedule = schedules
        .operations()
        .schedule(ScheduleId::from(id))
        .await?;
    Ok(Json(schedule))
}

/// What changes in a schedule; what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SchedulePatch {
    /// When: a cron expression. With a `zone`, or UTC.
    cron: Option<String>,
    /// The time zone of `cron`; only together with it.
    zone: Option<String>,
    /// The input of the operations.
    #[schema(value_type = Option<Object>)]
    input: Option<serde_json::Value>,
    /// What is done about missed runs.
    missed: Option<Missed>,
    /// Whether it runs at all.
    enabled: Option<bool>,
}

/// Change a schedule.
#[utoipa::path(
    patch, path = "/api/v1/schedules/{id}", tag = "schedules",
    params(("id" = uuid::Uuid, Path, description = "The schedule's id.")),
    request_body = SchedulePatch,
    responses((status = 200, description = "The schedule.", body = Schedule))
)]
async fn change_schedule(
    State(schedules): State<Schedules>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
    Json(patch): Json<SchedulePatch>,
) -> Answer<Json<Schedule>> {
    let id = ScheduleId::from(id);
    let before = schedules.operations().schedule(id).await?;
    // Also who changes but the time has it started then.
    let input = patch.input.as_ref().unwrap_or(&before.input);
    let may_start = schedules.starter.may_start(&caller, &before.kind, input);
    may_start.await?;
    let timing = match (&patch.cron, &patch.zone) {
        (Some(cron), zone) => Some(Timing::parse(cron, zone.as_deref().unwrap_or_default())?),
        (None, Some(_)) => {
            return Err(crate::Problem::invalid(
                "zone",
                "alone",
                "a zone is given together with its cron expression",
            ));
        }
        (None, None) => None,
    };
    let change = ScheduleChange {
        timing,
        input: patch.input,
        missed: patch.missed,
        enabled: patch.enabled,
    };
    let record = OnTheRecord::of(&schedules.access, &caller);
    let schedule = schedules
        .operations()
        .change_schedule(id, change, &record)
        .await?;
    Ok(Json(schedule))
}

/// Delete a schedule. What it started goes on.
#[utoipa::path(
    delete, path = "/api/v1/schedules/{id}", tag = "schedules",
    params(("id" = uuid::Uuid, Path, description = "The schedule's id.")),
    responses((status = 204, description = "It is gone."))
)]
async fn delete_schedule(
    State(schedules): State<Schedules>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<StatusCode> {
    let record = OnTheRecord::of(&schedules.access, &caller);
    schedules
        .operations()
        .delete_schedule(ScheduleId::from(id), &record)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An expression to be tried.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRequest {
    /// A cron expression.
    cron: String,
    /// A time zone; UTC, when absent.
    #[serde(default)]
    zone: String,
}

/// What an expression means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Preview {
    /// In words.
    words: String,
    /// The next five runs.
    #[schema(value_type = Vec<String>)]
    next_runs: Vec<Timestamp>,
}

/// What a cron expression means, and when it would run next.
#[utoipa::path(
    post, path = "/api/v1/schedules/preview", tag = "schedules", request_body = PreviewRequest,
    responses((status = 200, description = "What it means.", body = Preview))
)]
async fn preview_schedule(
    State(schedules): State<Schedules>,
    Json(request): Json<PreviewRequest>,
) -> Answer<Json<Preview>> {
    let timing = Timing::parse(&request.cron, &request.zone)?;
    Ok(Json(Preview {
        words: timing.words(),
        next_runs: timing.upcoming(schedules.operations().now()),
    }))
}
