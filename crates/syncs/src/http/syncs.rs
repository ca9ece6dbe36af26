//! Syncs themselves.

use super::trigger;
use crate::steer::Status;
use crate::{NewSync, SyncChange, Syncs};
use access::Doer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use web::{Answer, By, Json, Page, Path};

/// List syncs, with how they stand.
#[utoipa::path(
    get, path = "/api/v1/syncs", tag = "syncs",
    responses((status = 200, description = "All syncs, by name.", body = Page<Status>))
)]
pub(super) async fn list_syncs(State(syncs): State<Syncs>) -> Answer<Json<Page<Status>>> {
    let mut shown = Vec::new();
    for sync in syncs.all().await? {
        shown.push(syncs.status(sync).await?);
    }
    Ok(Json(Page::whole(shown)))
}

/// Make a sync.
#[utoipa::path(
    post, path = "/api/v1/syncs", tag = "syncs", request_body = NewSync,
    responses((status = 201, description = "It is there.", body = Status))
)]
pub(super) async fn create_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Json(new): Json<NewSync>,
) -> Answer<Response> {
    let sync = syncs.create(&Doer::from(&caller), new).await?;
    let body = syncs.status(sync).await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// A sync, and how it stands.
#[utoipa::path(
    get, path = "/api/v1/syncs/{sync}", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 200, description = "The sync.", body = Status))
)]
pub(super) async fn get_sync(
    State(syncs): State<Syncs>,
    Path(name): Path<String>,
) -> Answer<Json<Status>> {
    let sync = syncs.named(&name).await?;
    Ok(Json(syncs.status(sync).await?))
}

/// Change a sync's rule, or pause it. With another rule, what no target took is looked at
/// anew.
#[utoipa::path(
    patch, path = "/api/v1/syncs/{sync}", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    request_body = SyncChange,
    responses((status = 200, description = "The sync as it is now.", body = Status))
)]
pub(super) async fn change_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
    Json(change): Json<SyncChange>,
) -> Answer<Json<Status>> {
    let by = Doer::from(&caller);
    let sync = syncs.change((&by, trigger(&caller)), &name, change).await?;
    Ok(Json(syncs.status(sync).await?))
}

/// Delete a sync, with what is known of its deliveries. What was delivered stays where it
/// is.
#[utoipa::path(
    delete, path = "/api/v1/syncs/{sync}", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name.")),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete_sync(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    syncs.delete(&Doer::from(&caller), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
