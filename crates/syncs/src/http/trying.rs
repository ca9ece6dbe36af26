//! What a rule would do that nobody has stored.

use super::looked_in_time;
use crate::Syncs;
use crate::rule::Rule;
use crate::steer::DryRun;
use axum::extract::State;
use serde::Deserialize;
use web::{Answer, Json};

/// A rule to be tried.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncTrial {
    /// What it says.
    rule: Rule,
    /// The name of the sync that would say so, if there is one already: what is known of its
    /// files counts.
    #[serde(default)]
    sync: Option<String>,
}

/// Tell what a pass would do by a rule that is not stored. Nothing is sent, recorded or
/// marked.
#[utoipa::path(
    post, path = "/api/v1/sync-dry-run", tag = "syncs", request_body = SyncTrial,
    responses(
        (status = 200, description = "What a pass would do.", body = DryRun),
        (status = 404, description = "There is no sync of that name.", body = web::ProblemDocument,
         content_type = "application/problem+json"),
    )
)]
pub(super) async fn dry_run_rule(
    State(syncs): State<Syncs>,
    Json(trial): Json<SyncTrial>,
) -> Answer<Json<DryRun>> {
    let planning = syncs.dry_run_by(trial.rule, trial.sync.as_deref());
    Ok(Json(looked_in_time(planning).await?))
}
