//! Links to archives that need no password.
//!
//! Whoever has one may fetch the archive, so making one is sharing: it needs the rights
//! to make bundles, and is on record.

use super::Desk;
use crate::Error;
use crate::bundle::{archive_path, check_span};
use access::{AuditEntry, Caller, Doer};
use axum::extract::State;
use base::{BundleId, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use web::{Answer, By, Client, Json, Path, Problem};

/// For how long a link is good.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    /// Seconds; a day, when absent. Never longer than the archive is kept.
    #[schema(minimum = 1, maximum = 31_536_000)]
    expires_in: Option<u64>,
}

/// A link that needs no password.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Link {
    /// The address.
    pub(super) url: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Make a link to the archive that needs no password.
#[utoipa::path(
    post, path = "/api/v1/bundles/{id}/link", tag = "bundles",
    params(("id" = uuid::Uuid, Path, description = "The bundle's id.")),
    request_body = NewLink,
    responses(
        (status = 201, description = "The link.", body = Link),
        (status = 410, description = "The archive is not kept any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn link_bundle(
    State(desk): State<Desk>,
    By(caller): By,
    client: Client,
    Path(id): Path<uuid::Uuid>,
    Json(new): Json<NewLink>,
) -> Answer<(StatusCode, Json<Link>)> {
    check_span(new.expires_in)
        .map_err(|error| Problem::invalid("expires_in", "out-of-range", error.to_string()))?;
    let wanted = new.expires_in.map_or(
        desk.bundles.current().settings.link_expires_in,
        Duration::from_secs,
    );
    let link = signed(&desk, &caller, &client, id.into(), wanted).await?;
    Ok((StatusCode::CREATED, Json(link)))
}

/// Makes a link for `caller`, and puts it on record.
pub(super) async fn signed(
    desk: &Desk,
    caller: &Caller,
    client: &Client,
    id: BundleId,
    wanted: Duration,
) -> Answer<Link> {
    let stored = desk.bundles.stored(id).await?;
    if stored.has_expired(desk.bundles.now()) {
        return Err(Error::Gone.into());
    }
    if stored.blob.is_none() {
        // It is made still, or never will be.
        let operation = desk.bundles.operation(id).await?;
        let ended = operation.is_none_or(|operation| operation.state.is_ended());
        return Err(if ended { Error::Gone } else { Error::NotReady }.into());
    }
    let wanted = web::whole_seconds(desk.bundles.now().plus(wanted));
    let expires_at = stored.expires_at.map_or(wanted, |kept| kept.min(wanted));
    let made = AuditEntry::new(&Doer::from(caller), "bundle.linked", format!("bundle:{id}"))
        .after(serde_json::json!({ "name": stored.name, "expires_at": expires_at }));
    desk.bundles.access().audit(made).await?;
    let path = archive_path(id);
    let query = desk.links.sign(&path, expires_at);
    let settings = desk.settings.borrow().clone();
    let origin = client.origin(&settings).unwrap_or_default();
    Ok(Link {
        url: format!("{origin}{path}?{query}"),
        expires_at,
    })
}
