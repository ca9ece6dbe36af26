//! Making shares, seeing them and taking them back.

use super::contents::path;
use super::folder::one_folder;
use crate::Files;
use crate::share::{LONGEST, NewShare, Share, SharesOf, link};
use axum::extract::State;
use base::ShareId;
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use web::{Answer, By, Json, Origin, Page, Paging, Path, Problem, Query};

/// A share to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShareBody {
    /// A file, or a folder with its `/`, which downloads as a ZIP.
    path: String,
    /// Seconds for which the link is good; for ever, when absent.
    #[schema(minimum = 1, maximum = 315_360_000)]
    expires_in: Option<u64>,
    /// A password that is asked for: 10 to 512 characters.
    #[schema(value_type = Option<String>)]
    password: Option<SecretString>,
    /// How often it may be downloaded; as often as wanted, when absent.
    #[schema(minimum = 1)]
    max_downloads: Option<u64>,
}

/// A share with its link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ShareMade {
    /// The link. It is shown this once.
    url: String,
    #[serde(flatten)]
    share: Share,
}

/// Share a file or a folder by a link.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/shares", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = ShareBody,
    responses((status = 201, description = "The share with its link.", body = ShareMade))
)]
pub(super) async fn create_share(
    State(files): State<Files>,
    By(caller): By,
    Origin(origin): Origin,
    Path(bucket): Path<String>,
    Json(body): Json<ShareBody>,
) -> Answer<(StatusCode, Json<ShareMade>)> {
    let bucket = files.bucket(&bucket)?;
    let expires_in = match body.expires_in {
        None => None,
        Some(seconds @ 1..=LONGEST) => Some(Duration::from_secs(seconds)),
        Some(_) => {
            let text = "a share is good for 1 second up to ten years";
            return Err(Problem::invalid("expires_in", "out-of-range", text));
        }
    };
    // What does not fit the database is no limit that anybody comes to.
    if !matches!(body.max_downloads, None | Some(1..=1_000_000_000)) {
        let text = "a share is good for 1 up to a thousand million downloads";
        return Err(Problem::invalid("max_downloads", "out-of-range", text));
    }
    let new = NewShare {
        path: path(&body.path)?,
        expires_in,
        password: body.password,
        max_downloads: body.max_downloads,
    };
    let (token, share) = files.share(&caller, &bucket, new).await?;
    let url = link(&origin, &token);
    Ok((StatusCode::CREATED, Json(ShareMade { url, share })))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SharesQuery {
    /// What the paths of files and folders begin with.
    #[serde(default)]
    prefix: String,
    /// `/`: only files and folders that lie right there.
    #[param(value_type = Option<String>)]
    delimiter: Option<String>,
}

/// List the shares of a bucket.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/shares", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name."), SharesQuery, Paging),
    responses((status = 200, description = "A page of them, the newest last.", body = Page<Share>))
)]
pub(super) async fn list_shares(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Query(query): Query<SharesQuery>,
    paging: Paging,
) -> Answer<Json<Page<Share>>> {
    let bucket = files.bucket(&bucket)?;
    let of = SharesOf {
        one_folder: one_folder(&query.prefix, query.delimiter.as_deref())?,
        prefix: query.prefix,
    };
    let limit = usize::from(paging.limit());
    let after: Option<ShareId> = paging.after()?;
    let found = files
        .shares(&caller, &bucket, &of, after, limit + 1)
        .await?;
    Ok(Json(Page::of_found(found, limit, |share| share.id)))
}

/// Take a share back.
#[utoipa::path(
    delete, path = "/api/v1/shares/{id}", tag = "files",
    params(("id" = uuid::Uuid, Path, description = "The share's id.")),
    responses((status = 204, description = "Its link opens nothing any more."))
)]
pub(super) async fn delete_share(
    State(files): State<Files>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<StatusCode> {
    files.unshare(&caller, id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
