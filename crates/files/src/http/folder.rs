//! Folders: what is in a bucket.

use crate::Files;
use crate::file::File;
use crate::list::{Browse, Found, Place, Sort};
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

impl ListQuery {
    fn browse(self) -> Answer<Browse> {
        let one_folder = match self.delimiter.as_deref() {
            None | Some("") => false,
            Some("/") => true,
            Some(_) => {
                let text = "the delimiter is `/`, or absent";
                return Err(Problem::invalid("delimiter", "invalid", text));
            }
        };
        if one_folder && !self.prefix.is_empty() && !self.prefix.ends_with('/') {
            let text = "with a delimiter, the prefix is a folder and ends with `/`";
            return Err(Problem::invalid("prefix", "invalid", text));
        }
        Ok(Browse {
            prefix: self.prefix,
            one_folder,
            sort: self.sort,
            descending: self.order == Order::Desc,
        })
    }
}
