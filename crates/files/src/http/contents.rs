//! Files by their paths: put, get, describe, delete.

use super::problem::{MoreThanTheQuota, SomethingElse};
use super::transfer::give_way;
use super::{answer, redirect, request};
use crate::change::Description;
use crate::file::File;
use crate::path::FilePath;
use crate::permit::{Permission, Writer};
use crate::{Error, Files};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use web::{Admitted, Answer, By, Json, Path, Query, Wants};

/// The path of a file in an address.
pub(super) fn path(text: &str) -> Answer<FilePath> {
    Ok(text.parse().map_err(Error::from)?)
}

/// Put a file: the body is its content.
///
/// What was at the path is replaced, all at once. `If-Match` and `If-None-Match` make
/// sure of what it is. On the answer, the content is on the disk for good.
#[utoipa::path(
    put, path = "/api/v1/buckets/{bucket}/files/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        ("If-Match" = Option<String>, Header, description = "What must be there."),
        ("If-None-Match" = Option<String>, Header, description = "What must not be there; `*` for anything."),
        ("Repr-Digest" = Option<String>, Header, description = "The content's SHA-256, SHA-512 or MD5 (RFC 9530), which is checked."),
        ("Longshore-Metadata" = Option<String>, Header, description = "What is said of it: a JSON object, up to 8 KiB."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It replaced another content.", body = File),
        (status = 201, description = "It is there.", body = File),
        SomethingElse,
        MoreThanTheQuota,
    )
)]
pub(super) async fn put_file(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, text)): Path<(String, String)>,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&text)?;
    files
        .permit(Some(&caller), &bucket, path.as_str(), Permission::Write)
        .await?;
    let new = request::new_file(path, &headers)?;
    let mut incoming = files.put(&bucket, Writer::from(&caller), new).await?;
    // Whoever sends for long is no reason for others to wait.
    admitted.release();
    request::receive(body, &mut incoming, files.settings().silence).await?;
    Ok(create_or_replace(incoming.finish().await?))
}

/// The answer to a file that was put.
pub(super) fn create_or_replace(file: File) -> Response {
    let status = if file.created_at == file.modified_at {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    (status, answer::tagged(&file), Json(file)).into_response()
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct GetQuery {
    /// `1`: to be saved under its name instead of shown.
    download: Option<u8>,
}

impl GetQuery {
    /// Whether it is to be saved.
    pub(super) fn saves(&self) -> bool {
        self.download == Some(1)
    }
}

/// Get a file.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/files/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        GetQuery,
    ),
    responses(
        (status = 200, description = "Its content.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "The part asked for.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304, description = "It is still what the client has."),
        (status = 307, description = "It is large, and got at this signed address."),
        (status = 412, description = "It is another one.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 416, description = "It has no such part.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_file(
    State(files): State<Files>,
    by: Option<By>,
    Path((bucket, text)): Path<(String, String)>,
    Query(query): Query<GetQuery>,
    wants: Wants,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&text)?;
    let caller = by.as_ref().map(|by| &by.0);
    files
        .permit(caller, &bucket, path.as_str(), Permission::Read)
        .await?;
    let save = query.saves();
    let place = (&*bucket, &path);
    if wants.may_go_elsewhere()
        && let Some(redirect) = redirect::within(&files, caller, place, save).await?
    {
        return Ok(redirect);
    }
    answer::current(&files, place, &wants, save).await
}

/// What is known of a file.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/details/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
    ),
    responses((status = 200, description = "The file without its content.", body = File))
)]
pub(super) async fn file_details(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, text)): Path<(String, String)>,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&text)?;
    files
        .permit(Some(&caller), &bucket, path.as_str(), Permission::List)
        .await?;
    let file = files.file(&bucket, &path).await?;
    Ok((answer::tagged(&file), Json(file)).into_response())
}

/// Delete a file: into the trash, where the bucket has one.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}/files/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        ("If-Match" = Option<String>, Header, description = "What must be there."),
    ),
    responses(
        (status = 200, description = "It was this one; by its id it is restored.", body = File),
        SomethingElse,
    )
)]
pub(super) async fn delete_file(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, text)): Path<(String, String)>,
    admitted: Admitted,
    headers: HeaderMap,
) -> Answer<Json<File>> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&text)?;
    files
        .permit(Some(&caller), &bucket, path.as_str(), Permission::Delete)
        .await?;
    let expect = request::expect(&headers)?;
    give_way(&admitted, &bucket);
    let file = files
        .delete(&bucket, &path, &expect, &caller.actor())
        .await?;
    Ok(Json(file))
}

/// Change what is said of a file: its type, headers and metadata.
#[utoipa::path(
    patch, path = "/api/v1/buckets/{bucket}/files/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        ("If-Match" = Option<String>, Header, description = "What must be there."),
    ),
    request_body = Description,
    responses(
        (status = 200, description = "The file as it is now.", body = File),
        SomethingElse,
    )
)]
pub(super) async fn describe_file(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, text)): Path<(String, String)>,
    headers: HeaderMap,
    Json(description): Json<Description>,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&text)?;
    files
        .permit(Some(&caller), &bucket, path.as_str(), Permission::Write)
        .await?;
    let expect = request::expect(&headers)?;
    let by = caller.actor();
    let file = files
        .describe(&bucket, &path, &expect, description, &by)
        .await?;
    Ok((answer::tagged(&file), Json(file)).into_response())
}
