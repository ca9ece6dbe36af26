//! Copying and moving files.

use super::contents::path;
use super::problem::{MoreThanTheQuota, SomethingElse};
use super::{answer, request};
use crate::Files;
use crate::bucket::{Bucket, Storage};
use crate::change::Description;
use crate::file::File;
use crate::permit::{Permission, Writer};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use web::{Admitted, Answer, By, Json, Path};

/// Lets others be answered meanwhile, where a bucket's store may have much to copy.
pub(super) fn give_way(admitted: &Admitted, bucket: &Bucket) {
    if matches!(bucket.storage, Storage::S3 { .. }) {
        admitted.release();
    }
}

/// From where to where.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
// Operations have another `Transfer`; in the description, one name is one schema.
#[schema(as = FileTransfer)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    /// The file's path in this bucket.
    from: String,
    /// The path that it shall have.
    to: String,
    /// The bucket that it shall be in, by name; this one, when absent.
    to_bucket: Option<String>,
}

/// Copy a file, without sending its bytes.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/copy", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("If-Match" = Option<String>, Header, description = "What must be at the new path."),
        ("If-None-Match" = Option<String>, Header, description = "What must not be there; `*` for anything."),
    ),
    request_body = Transfer,
    responses(
        (status = 200, description = "The copy.", body = File),
        SomethingElse,
        MoreThanTheQuota,
    )
)]
pub(super) async fn copy_file(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    Json(transfer): Json<Transfer>,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let target = files.bucket(
        transfer
            .to_bucket
            .as_deref()
            .unwrap_or(bucket.name.as_str()),
    )?;
    let (from, to) = (path(&transfer.from)?, path(&transfer.to)?);
    let caller = &caller;
    files
        .permit(Some(caller), &bucket, from.as_str(), Permission::Read)
        .await?;
    files
        .permit(Some(caller), &target, to.as_str(), Permission::Write)
        .await?;
    let expect = request::expect(&headers)?;
    give_way(&admitted, &bucket);
    give_way(&admitted, &target);
    let file = files
        .copy(
            (&bucket, &from),
            (&target, &to),
            &expect,
            Description::default(),
            &Writer::from(caller),
        )
        .await?;
    Ok((answer::tagged(&file), Json(file)).into_response())
}

/// Move a file to another path or bucket.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/move", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("If-Match" = Option<String>, Header, description = "What must be at the new path."),
        ("If-None-Match" = Option<String>, Header, description = "What must not be there; `*` for anything."),
    ),
    request_body = Transfer,
    responses(
        (status = 200, description = "The file where it is now.", body = File),
        SomethingElse,
        MoreThanTheQuota,
    )
)]
pub(super) async fn move_file(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    Json(transfer): Json<Transfer>,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let target = files.bucket(
        transfer
            .to_bucket
            .as_deref()
            .unwrap_or(bucket.name.as_str()),
    )?;
    let (from, to) = (path(&transfer.from)?, path(&transfer.to)?);
    let caller = &caller;
    for permission in [Permission::Read, Permission::Delete] {
        files
            .permit(Some(caller), &bucket, from.as_str(), permission)
            .await?;
    }
    files
        .permit(Some(caller), &target, to.as_str(), Permission::Write)
        .await?;
    let expect = request::expect(&headers)?;
    give_way(&admitted, &bucket);
    give_way(&admitted, &target);
    let file = files
        .rename(
            (&bucket, &from),
            (&target, &to),
            &expect,
            &Writer::from(caller),
        )
        .await?;
    Ok((answer::tagged(&file), Json(file)).into_response())
}
