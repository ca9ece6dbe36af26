//! The trash and older versions.

use super::answer;
use super::contents::GetQuery;
use super::transfer::give_way;
use crate::Files;
use crate::file::File;
use crate::permit::Permission;
use crate::remove::{Heap, Past};
use access::Doer;
use axum::extract::State;
use axum::response::Response;
use base::FileId;
use http::StatusCode;
use serde::Deserialize;
use web::{Admitted, Answer, By, Json, Page, Paging, Path, Problem, Query, Wants};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PastQuery {
    /// What paths begin with.
    #[serde(default)]
    prefix: String,
    /// This path alone, the newest content first.
    path: Option<String>,
}

/// List what was deleted, by path, and of each path the newest first.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/trash", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name."), PastQuery, Paging),
    responses((status = 200, description = "A page of the trash.", body = Page<Past>))
)]
pub(super) async fn list_trash(
    files: State<Files>,
    by: By,
    bucket: Path<String>,
    query: Query<PastQuery>,
    paging: Paging,
) -> Answer<Json<Page<Past>>> {
    list(Heap::Trash, files, by, bucket, query, paging).await
}

/// List older versions, by path, and of each path the newest first.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/versions", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name."), PastQuery, Paging),
    responses((status = 200, description = "A page of versions.", body = Page<Past>))
)]
pub(super) async fn list_versions(
    files: State<Files>,
    by: By,
    bucket: Path<String>,
    query: Query<PastQuery>,
    paging: Paging,
) -> Answer<Json<Page<Past>>> {
    list(Heap::Versions, files, by, bucket, query, paging).await
}

async fn list(
    heap: Heap,
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Query(query): Query<PastQuery>,
    paging: Paging,
) -> Answer<Json<Page<Past>>> {
    let bucket = files.bucket(&bucket)?;
    let within = query.path.as_deref().unwrap_or(&query.prefix);
    files
        .permit(Some(&caller), &bucket, within, Permission::List)
        .await?;
    let limit = usize::from(paging.limit());
    let after: Option<(String, FileId)> = paging.after()?;
    let found = match &query.path {
        Some(path) => {
            let before = after.map(|(_, id)| id);
            files
                .past_at(&bucket, heap, path, before, limit + 1)
                .await?
        }
        None => {
            files
                .past(&bucket, heap, &query.prefix, after.as_ref(), limit + 1)
                .await?
        }
    };
    Ok(Json(Page::of_found(found, limit, |past| {
        (past.file.path.as_str().to_owned(), past.file.id)
    })))
}

/// Get a content of the past: an older version, or one of the trash.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/past/{id}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("id" = uuid::Uuid, Path, description = "The id of the content."),
        GetQuery,
    ),
    responses(
        (status = 200, description = "The content.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "The part asked for.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304, description = "It is still what the client has."),
        (status = 412, description = "It is another one.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 416, description = "It has no such part.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_past(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, id)): Path<(String, uuid::Uuid)>,
    Query(query): Query<GetQuery>,
    wants: Wants,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    let file = files.past_file(&bucket, FileId::from(id)).await?;
    // What everybody may read is not what was taken away: that is for who sees the lists.
    for needed in [Permission::Read, Permission::List] {
        files
            .permit(Some(&caller), &bucket, file.path.as_str(), needed)
            .await?;
    }
    let content = files.content(&file).await?;
    Ok(answer::content(&file, content, &wants, query.saves()))
}

/// What is brought back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    /// The id of the content.
    #[schema(value_type = String, format = Uuid)]
    id: FileId,
    /// Whether it may replace what lies at its path now.
    #[serde(default)]
    replace: bool,
}

/// Bring a deleted file or an older version back to its path.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/restore", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = Restore,
    responses(
        (status = 200, description = "The file that is there again.", body = File),
        (status = 412, description = "Another file lies there now.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn restore_file(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    admitted: Admitted,
    Json(restore): Json<Restore>,
) -> Answer<Json<File>> {
    let bucket = files.bucket(&bucket)?;
    let path = files.past_path(&bucket, restore.id).await?;
    files
        .permit(Some(&caller), &bucket, &path, Permission::Write)
        .await?;
    give_way(&admitted, &bucket);
    let file = files
        .restore(&bucket, restore.id, restore.replace, &caller.actor())
        .await?;
    Ok(Json(file))
}

/// Remove a deleted file or an older version for good.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}/past/{id}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("id" = uuid::Uuid, Path, description = "The id of the content."),
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn purge_file(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, id)): Path<(String, uuid::Uuid)>,
    admitted: Admitted,
) -> Answer<StatusCode> {
    let bucket = files.bucket(&bucket)?;
    let id = FileId::from(id);
    let path = files.past_path(&bucket, id).await?;
    files
        .permit(Some(&caller), &bucket, &path, Permission::Delete)
        .await?;
    give_way(&admitted, &bucket);
    if files.purge_by(&Doer::from(&caller), &bucket, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("deleted file or version"))
    }
}
