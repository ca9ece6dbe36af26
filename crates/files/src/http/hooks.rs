//! Hooks: where a store tells of its objects; and comparing a bucket with its store.

use crate::Files;
use crate::hook::Hook;
use access::Doer;
use axum::body::Body;
use axum::extract::State;
use base::OperationId;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use web::{Answer, By, Json, Path, Problem, Query, whole};

pub(super) use crate::hook::event::MOST_BYTES;

/// A hook whose secret was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RenewedHook {
    /// Where the store shall send its events, on this server.
    path: String,
    /// Its secret, shown here and never again.
    secret: String,
}

/// The hook of a bucket.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/hook", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses((status = 200, description = "It has one.", body = Hook))
)]
pub(super) async fn get_hook(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
) -> Answer<Json<Hook>> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let hook = files.hook(&bucket).await?;
    hook.map(Json).ok_or_else(|| Problem::not_found("hook"))
}

/// Give a bucket a hook, at which its store tells of its objects; or its hook a new secret.
///
/// For buckets on S3. The secret of before opens nothing any more.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/hook", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses(
        (status = 201, description = "Its secret.", body = RenewedHook),
        (status = 422, description = "The bucket is on the disk.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn renew_hook(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
) -> Answer<(StatusCode, Json<RenewedHook>)> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let secret = files.renew_hook(&Doer::from(&caller), &bucket).await?;
    let renewed = RenewedHook {
        path: format!("/hooks/s3/{}", bucket.name),
        secret: secret.expose_secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(renewed)))
}

/// End the hook of a bucket: nobody tells of its objects any more.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}/hook", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn end_hook(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
) -> Answer<StatusCode> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    if files.end_hook(&Doer::from(&caller), &bucket).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("hook"))
    }
}

/// The secret, for those who cannot send a header.
#[derive(Debug, Deserialize)]
pub(super) struct HookQuery {
    secret: Option<SecretString>,
}

/// What is shown as the secret: `Authorization: Bearer …`, or that header without a scheme,
/// or in the address.
fn shown(headers: &HeaderMap, query: HookQuery) -> SecretString {
    let header = headers.get(AUTHORIZATION);
    let header = header.and_then(|value| value.to_str().ok()).map(|value| {
        let (scheme, rest) = value.split_once(' ').unwrap_or(("Bearer", value));
        let bearer = scheme.eq_ignore_ascii_case("Bearer");
        SecretString::from(if bearer { rest.trim() } else { "" })
    });
    header.or(query.secret).unwrap_or_default()
}

/// Tell of objects that came to the store of a bucket, or went: notifications of S3, plain
/// or by SNS or EventBridge, and of MinIO.
///
/// The answer comes when they are noted. Copies and older ones change nothing; what lies at
/// each key is asked of the store. A topic that asks for a confirmation gets it.
#[utoipa::path(
    post, path = "/hooks/s3/{bucket}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("secret" = Option<String>, Query, description = "The hook's secret, where it cannot be sent as a bearer token."),
    ),
    request_body(content = serde_json::Value, content_type = "application/json", description = "A notification, under any media type."),
    responses(
        (status = 204, description = "It is noted."),
        (status = 400, description = "It is no event.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "There is no such hook, or it has another secret; or a message says that it is of SNS, and is not.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The topic could not be told that it is wanted, or the certificate of SNS could not be had.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hear(
    State(files): State<Files>,
    Path(bucket): Path<String>,
    Query(query): Query<HookQuery>,
    headers: HeaderMap,
    body: Body,
) -> Answer<StatusCode> {
    let secret = shown(&headers, query);
    let bucket = files.hook_opens(&bucket, secret.expose_secret()).await?;
    files.hear(&bucket, &whole(body).await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask whether events can be told here; MinIO does before it tells any.
#[utoipa::path(
    get, path = "/hooks/s3/{bucket}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("secret" = Option<String>, Query, description = "The hook's secret, where it cannot be sent as a bearer token."),
    ),
    responses(
        (status = 204, description = "They can."),
        (status = 403, description = "There is no such hook, or it has another secret.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn knock(
    State(files): State<Files>,
    Path(bucket): Path<String>,
    Query(query): Query<HookQuery>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let secret = shown(&headers, query);
    files.hook_opens(&bucket, secret.expose_secret()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is compared.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    /// What the keys begin with; all, when absent.
    #[serde(default)]
    prefix: String,
    /// Say what would change, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What compares them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Comparing {
    /// The operation.
    #[schema(value_type = String, format = Uuid)]
    operation: OperationId,
}

/// Compare a bucket with its store: what others put, changed and removed there is set right
/// in the catalogue.
///
/// For buckets on S3. The operation's log says what it changed, a line each.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/reconcile", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = Comparison,
    responses(
        (status = 202, description = "It is compared.", body = Comparing),
        (status = 422, description = "The bucket is on the disk.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reconcile(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Json(comparison): Json<Comparison>,
) -> Answer<(StatusCode, Json<Comparing>)> {
    let bucket = files.bucket(&bucket)?;
    let Comparison { prefix, dry_run } = comparison;
    files.permit_correcting(&caller, &bucket, &prefix).await?;
    let operation = files.reconcile(&caller, &bucket, prefix, dry_run).await?;
    Ok((StatusCode::ACCEPTED, Json(Comparing { operation })))
}
