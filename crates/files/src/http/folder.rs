//! Folders: what is in a bucket.

use crate::Files;
use crate::file::File;
use crate::list::{Below, Browse, Found, Place, Sort};
use crate::permit::Permission;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use web::{Answer, By, Json, Page, Paging, Path, Problem, Query};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// What paths begin with; with a delimiter it ends with `/`.
    #[serde(default)]
    prefix: String,
    /// `/`: only what lies right there, and folders for what lies deeper. Without it, all
    /// files.
    #[param(value_type = Option<String>)]
    delimiter: Option<String>,
    /// Words to be found in paths and metadata, each by how it begins. All files below
    /// the prefix are searched, in an order of its own.
    q: Option<String>,
    /// By what they are sorted.
    #[param(inline, required = false)]
    #[serde(default)]
    sort: Sort,
    /// `asc` or `desc`.
    #[param(inline, required = false)]
    #[serde(default)]
    order: Order,
}

/// A direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// The least first.
    #[default]
    Asc,
    /// The greatest first.
    Desc,
}

/// A page of a folder.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FolderPage {
    /// Folders by their whole path with its `/`; they come before the files.
    folders: Vec<String>,
    /// Files.
    items: Vec<File>,
    /// What to pass as `cursor` for the next page; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

impl From<Found> for FolderPage {
    fn from(found: Found) -> Self {
        let page = Page::<File>::new(found.files, found.next.as_ref());
        Self {
            folders: found.folders,
            items: page.items,
            next: page.next,
        }
    }
}

/// List files.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/files", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name."), ListQuery, Paging),
    responses((status = 200, description = "A page of folders and files.", body = FolderPage))
)]
pub(super) async fn list_files(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Json<FolderPage>> {
    let bucket = files.bucket(&bucket)?;
    files
        .permit(Some(&caller), &bucket, &query.prefix, Permission::List)
        .await?;
    let after: Option<Place> = paging.after()?;
    let limit = usize::from(paging.limit());
    if let Some(text) = query.q.as_deref().filter(|text| !text.trim().is_empty()) {
        let found = files
            .search(&bucket, &query.prefix, text, after, limit)
            .await?;
        return Ok(Json(found.into()));
    }
    let found = files
        .browse(
            &bucket,
            &query.browse()?,
            after,
            usize::from(paging.limit()),
        )
        .await?;
    Ok(Json(found.into()))
}

/// So many files are counted at most: this takes a moment.
const MOST_COUNTED: usize = 100_000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SumQuery {
    /// What paths begin with.
    #[serde(default)]
    prefix: String,
    /// After so many files it is counted no further; 100,000, when absent.
    #[param(minimum = 1, maximum = 100_000)]
    most: Option<usize>,
}

/// Count the files below a prefix, and their bytes.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/sum", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name."), SumQuery),
    responses((status = 200, description = "How much there is.", body = Below))
)]
pub(super) async fn sum_files(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Query(query): Query<SumQuery>,
) -> Answer<Json<Below>> {
    let bucket = files.bucket(&bucket)?;
    let most = match query.most {
        None => MOST_COUNTED,
        Some(most @ 1..=MOST_COUNTED) => most,
        Some(_) => {
            let text = "from 1 up to 100,000 files are counted";
            return Err(Problem::invalid("most", "out-of-range", text));
        }
    };
    // A list says the same of each file, so whoever may list may know this.
    files
        .permit(Some(&caller), &bucket, &query.prefix, Permission::List)
        .await?;
    Ok(Json(files.below(&bucket, &query.prefix, most).await?))
}

impl ListQuery {
    fn browse(self) -> Answer<Browse> {
        Ok(Browse {
            one_folder: one_folder(&self.prefix, self.delimiter.as_deref())?,
            prefix: self.prefix,
            sort: self.sort,
            descending: self.order == Order::Desc,
        })
    }
}

/// Whether a delimiter says that only what lies right in a folder is asked for.
pub(super) fn one_folder(prefix: &str, delimiter: Option<&str>) -> Answer<bool> {
    let one_folder = match delimiter {
        None | Some("") => false,
        Some("/") => true,
        Some(_) => {
            let text = "the delimiter is `/`, or absent";
            return Err(Problem::invalid("delimiter", "invalid", text));
        }
    };
    if one_folder && !prefix.is_empty() && !prefix.ends_with('/') {
        let text = "with a delimiter, the prefix is a folder and ends with `/`";
        return Err(Problem::invalid("prefix", "invalid", text));
    }
    Ok(one_folder)
}
