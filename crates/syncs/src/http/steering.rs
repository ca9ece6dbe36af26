//! What is asked of a sync: run, pause, check, try again.

use super::{looked_in_time, run_unless_paused, trigger};
use crate::steer::{DryRun, Status};
use crate::target::Checked;
use crate::{SyncChange, Syncs};
use access::{Caller, Doer};
use axum::extract::State;
use base::OperationId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use web::{Answer, By, Json, Page, Path};

/// The operation that was started.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Started {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    operation: OperationId,
}

/// Run a sync now.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/run", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 202, description = "The operation that delivers.", body = Started))
)]
pub(super) async fn run_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<(StatusCode, Json<Started>)> {
    let sync = syncs.named(&name).await?;
    let operation = syncs.run(&sync, caller.actor(), trigger(&caller)).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { operation })))
}

async fn set_paused(
    syncs: &Syncs,
    caller: &Caller,
    name: &str,
    paused: bool,
) -> Answer<Json<Status>> {
    let change = SyncChange {
        paused: Some(paused),
        ..SyncChange::default()
    };
    let by = Doer::from(caller);
    let sync = syncs.change((&by, trigger(caller)), name, change).await?;
    Ok(Json(syncs.status(sync).await?))
}

/// Pause a sync: what runs goes on to its end, and nothing new begins.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/pause", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "The sync as it is now.", body = Status))
)]
pub(super) async fn pause_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<Json<Status>> {
    set_paused(&syncs, &caller, &name, true).await
}

/// Resume a sync that was paused.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/resume", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "The sync as it is now.", body = Status))
)]
pub(super) async fn resume_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<Json<Status>> {
    set_paused(&syncs, &caller, &name, false).await
}

/// What is done about what is missing at the target.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Verify {
    /// Whether it is delivered again.
    again: bool,
}

/// Compare what was delivered with what the targets have.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/verify", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    request_body = Verify,
    responses((status = 202, description = "The operation that compares.", body = Started))
)]
pub(super) async fn verify_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
    Json(verify): Json<Verify>,
) -> Answer<(StatusCode, Json<Started>)> {
    let sync = syncs.named(&name).await?;
    let by = (caller.actor(), trigger(&caller));
    let operation = syncs.verify(&sync, verify.again, by).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { operation })))
}

/// What is tried again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Retried {
    /// How many files.
    retried: u64,
    /// The operation that tries them; nothing where there are none, or while it is paused.
    #[schema(value_type = Option<String>, format = Uuid)]
    operation: Option<OperationId>,
}

/// Try all failed files of a sync again.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/retry", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "What is tried.", body = Retried))
)]
pub(super) async fn retry_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<Json<Retried>> {
    let sync = syncs.named(&name).await?;
    let retried = syncs.retry(&Doer::from(&caller), &sync, None).await?;
    let operation = match retried {
        0 => None,
        _ => run_unless_paused(&syncs, &sync, &caller).await?,
    };
    Ok(Json(Retried { retried, operation }))
}

/// One thing that was looked at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedThing {
    /// What.
    what: String,
    /// Whether all is well with it.
    ok: bool,
    /// What is missing, and how to mend it.
    missing: Option<String>,
}

impl From<Checked> for CheckedThing {
    fn from(checked: Checked) -> Self {
        Self {
            ok: checked.missing.is_none(),
            what: checked.what,
            missing: checked.missing,
        }
    }
}

/// Look whether everything is there that a sync needs: its database, its columns, its
/// buckets and the tokens of its targets.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/check", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "What was looked at.", body = Page<CheckedThing>))
)]
pub(super) async fn check_sync(
    State(syncs): State<Syncs>,
    Path(name): Path<String>,
) -> Answer<Json<Page<CheckedThing>>> {
    let sync = syncs.named(&name).await?;
    let checked = looked_in_time(syncs.check(sync)).await?;
    Ok(Json(Page::whole(checked).map(CheckedThing::from)))
}

/// Tell what a pass would do. Nothing is sent, recorded or marked.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/dry-run", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "What a pass would do.", body = DryRun))
)]
pub(super) async fn dry_run_sync(
    State(syncs): State<Syncs>,
    Path(name): Path<String>,
) -> Answer<Json<DryRun>> {
    let sync = syncs.named(&name).await?;
    Ok(Json(looked_in_time(syncs.dry_run(sync)).await?))
}
