//! Webhooks of a bucket. They are told of all that happens there, so whoever is held to grants
//! neither makes nor sees any.

use crate::Files;
use crate::webhook::{NewWebhook, Webhook, WebhookChange};
use access::Doer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::WebhookId;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Serialize;
use std::sync::Arc;
use web::{Answer, By, Json, Page, Path, Problem};

/// A webhook that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MadeWebhook {
    #[serde(flatten)]
    webhook: Webhook,
    /// The key of its signatures, shown here and never again.
    secret: String,
}

/// List the webhooks of a bucket.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/webhooks", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses((status = 200, description = "All of them.", body = Page<Webhook>))
)]
pub(super) async fn list_webhooks(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
) -> Answer<Json<Page<Webhook>>> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let webhooks = files.buckets().webhooks(bucket.id);
    Ok(Json(Page::whole(webhooks).map(Arc::unwrap_or_clone)))
}

/// Make a webhook: it is told of every file that comes, changes, moves and goes.
///
/// `POST {"events": […]}` with `Longshore-Signature: t=…,v1=…`, the HMAC-SHA-256, by the
/// key that is shown once, of the time in seconds, a full stop and the body.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/webhooks", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = NewWebhook,
    responses((status = 201, description = "It is there.", body = MadeWebhook))
)]
pub(super) async fn create_webhook(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Json(new): Json<NewWebhook>,
) -> Answer<Response> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let (webhook, secret) = files
        .create_webhook(&Doer::from(&caller), &bucket, new)
        .await?;
    let body = MadeWebhook {
        webhook,
        secret: secret.expose_secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Switch a webhook off or on. What happens while it is off it is never told.
#[utoipa::path(
    patch, path = "/api/v1/buckets/{bucket}/webhooks/{id}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("id" = uuid::Uuid, Path, description = "The webhook's id."),
    ),
    request_body = WebhookChange,
    responses((status = 200, description = "The webhook as it is now.", body = Webhook))
)]
pub(super) async fn change_webhook(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, id)): Path<(String, uuid::Uuid)>,
    Json(change): Json<WebhookChange>,
) -> Answer<Json<Webhook>> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let changed = files
        .change_webhook(&Doer::from(&caller), &bucket, WebhookId::from(id), change)
        .await?;
    changed
        .map(Json)
        .ok_or_else(|| Problem::not_found("webhook"))
}

/// Remove a webhook; what it was not told yet is not told any more.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}/webhooks/{id}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("id" = uuid::Uuid, Path, description = "The webhook's id."),
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete_webhook(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, id)): Path<(String, uuid::Uuid)>,
) -> Answer<StatusCode> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let removed = files
        .delete_webhook(&Doer::from(&caller), &bucket, WebhookId::from(id))
        .await?;
    if removed {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("webhook"))
    }
}
