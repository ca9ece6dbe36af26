//! Buckets.

use crate::bucket::{Bucket, BucketChange, NewBucket, Storage, Usage};
use crate::grant::Within;
use crate::{Error, Files, Permission};
use access::{Doer, Role};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use web::{Answer, By, Json, Page, Path, Problem};

/// A bucket with what it holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BucketShown {
    #[serde(flatten)]
    bucket: Bucket,
    /// What it holds, its trash and versions included.
    usage: Usage,
    /// What this caller may do in all of it: `read`, `list`, `write`, `delete`, `share`,
    /// `change`.
    #[schema(value_type = Vec<String>)]
    actions: Vec<&'static str>,
    /// What grants allow this caller in parts of it.
    within: Vec<Within>,
    /// The endpoint of the configuration that may be asked who may, where there is one, for
    /// those who change buckets. Without what is secret in its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    authoriser_url: Option<String>,
}

impl BucketShown {
    fn is_for_caller(&self) -> bool {
        !self.actions.is_empty() || !self.within.is_empty()
    }
}

async fn shown(files: &Files, bucket: &Bucket, caller: &access::Caller) -> Answer<BucketShown> {
    let mut actions = Vec::new();
    for (permission, word) in [
        (Permission::Read, "read"),
        (Permission::List, "list"),
        (Permission::Write, "write"),
        (Permission::Delete, "delete"),
        (Permission::Share, "share"),
    ] {
        match files.permit(Some(caller), bucket, "", permission).await {
            Ok(()) => actions.push(word),
            Err(Error::Forbidden { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rules = caller.may(Role::Admin, access::Scope::FilesWrite);
    let mut authoriser_url = None;
    if rules && files.not_held(caller).is_ok() {
        actions.push("change");
        authoriser_url = files.authoriser().address();
    }
    Ok(BucketShown {
        bucket: bucket.clone(),
        usage: files.usage(bucket).await?,
        actions,
        within: files.within(caller, bucket),
        authoriser_url,
    })
}

/// List buckets: those in which the caller may do anything.
#[utoipa::path(
    get, path = "/api/v1/buckets", tag = "files",
    responses((status = 200, description = "All buckets, by name.", body = Page<BucketShown>))
)]
pub(super) async fn list_buckets(
    State(files): State<Files>,
    By(caller): By,
) -> Answer<Json<Page<BucketShown>>> {
    let mut found = Vec::new();
    for bucket in files.all_buckets() {
        let bucket = shown(&files, &bucket, &caller).await?;
        if bucket.is_for_caller() {
            found.push(bucket);
        }
    }
    Ok(Json(Page::whole(found)))
}

/// Make a bucket.
#[utoipa::path(
    post, path = "/api/v1/buckets", tag = "files", request_body = NewBucket,
    responses((status = 201, description = "It is there.", body = BucketShown))
)]
pub(super) async fn create_bucket(
    State(files): State<Files>,
    By(caller): By,
    Json(new): Json<NewBucket>,
) -> Answer<Response> {
    files.not_held(&caller)?;
    let in_store = matches!(new.storage, Some(Storage::S3 { .. }));
    if in_store && !caller.may(Role::Admin, access::Scope::FilesWrite) {
        return Err(Problem::forbidden(
            "A bucket in a store uses a secret that is kept here; ask an admin to make it.",
        ));
    }
    let bucket = files.create_bucket(&Doer::from(&caller), new).await?;
    let body = shown(&files, &bucket, &caller).await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// A bucket in which the caller may do something; to all others it is not there.
pub(super) async fn visible(
    files: &Files,
    name: &str,
    caller: &access::Caller,
) -> Answer<(Arc<Bucket>, BucketShown)> {
    let bucket = files.bucket(name)?;
    let shown = shown(files, &bucket, caller).await?;
    if !shown.is_for_caller() {
        return Err(Error::NoBucket(name.to_owned()).into());
    }
    Ok((bucket, shown))
}

/// A bucket.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses((status = 200, description = "The bucket.", body = BucketShown))
)]
pub(super) async fn get_bucket(
    State(files): State<Files>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<Json<BucketShown>> {
    Ok(Json(visible(&files, &name, &caller).await?.1))
}

/// Change a bucket's rules.
#[utoipa::path(
    patch, path = "/api/v1/buckets/{bucket}", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = BucketChange,
    responses((status = 200, description = "The bucket as it is now.", body = BucketShown))
)]
pub(super) async fn change_bucket(
    State(files): State<Files>,
    By(caller): By,
    Path(name): Path<String>,
    Json(change): Json<BucketChange>,
) -> Answer<Json<BucketShown>> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&name)?;
    let bucket = files
        .change_bucket(&Doer::from(&caller), &bucket, change)
        .await?;
    Ok(Json(shown(&files, &bucket, &caller).await?))
}

/// Remove an empty bucket.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It still holds files, its trash included, or a token or access key has grants in it alone.",
            body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_bucket(
    State(files): State<Files>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    files.not_held(&caller)?;
    let (bucket, _) = visible(&files, &name, &caller).await?;
    files
        .permit(Some(&caller), &bucket, "", Permission::Delete)
        .await?;
    files.delete_bucket(&Doer::from(&caller), &bucket).await?;
    Ok(StatusCode::NO_CONTENT)
}
