//! The passes of a sync.

use crate::Syncs;
use crate::tally::PassRecord;
use axum::extract::State;
use base::Timestamp;
use uuid::Uuid;
use web::{Answer, Json, Page, Paging, Path};

/// List the passes of a sync, the newest first. Each is an operation.
#[utoipa::path(
    get, path = "/api/v1/syncs/{sync}/passes", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name."), Paging),
    responses((status = 200, description = "A page of passes.", body = Page<PassRecord>))
)]
pub(super) async fn list_passes(
    State(syncs): State<Syncs>,
    Path(name): Path<String>,
    paging: Paging,
) -> Answer<Json<Page<PassRecord>>> {
    let sync = syncs.named(&name).await?;
    let limit = usize::from(paging.limit());
    let before = paging.after::<(Timestamp, Uuid)>()?;
    let found = syncs.passes(&sync, before, limit + 1).await?;
    Ok(Json(Page::of_found(found, limit, |pass| {
        (pass.started_at, pass.id.uuid())
    })))
}
