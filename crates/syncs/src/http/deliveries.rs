//! Deliveries of a sync.

use super::run_unless_paused;
use crate::Syncs;
use crate::delivery::{Delivery, DeliveryFilter, DeliveryState};
use access::{Caller, Doer};
use axum::extract::State;
use base::{DeliveryId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::{Answer, By, Json, Page, Paging, Path, Query};

/// A delivery, and what can be done with it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeliveryShown {
    #[serde(flatten)]
    delivery: Delivery,
    /// What can be done with it as it stands.
    actions: &'static [&'static str],
}

impl From<Delivery> for DeliveryShown {
    fn from(delivery: Delivery) -> Self {
        Self {
            actions: delivery.actions(),
            delivery,
        }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// In this state.
    state: Option<DeliveryState>,
    /// At this target of the sync.
    target: Option<String>,
    /// Of this media type, such as `image/png` or `image/*`.
    #[serde(rename = "type")]
    media_type: Option<String>,
    /// With this in its key, path or name, whatever the case.
    q: Option<String>,
}

/// List the deliveries of a sync, the last changed first.
#[utoipa::path(
    get, path = "/api/v1/syncs/{sync}/deliveries", tag = "syncs",
    params(("sync" = String, Path, description = "The sync's name."), Wanted, Paging),
    responses((status = 200, description = "A page of deliveries.", body = Page<DeliveryShown>))
)]
pub(super) async fn list_deliveries(
    State(syncs): State<Syncs>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    paging: Paging,
) -> Answer<Json<Page<DeliveryShown>>> {
    let sync = syncs.named(&name).await?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = DeliveryFilter {
        state: wanted.state,
        target: some(wanted.target),
        media_type: some(wanted.media_type),
        text: some(wanted.q),
    };
    let limit = usize::from(paging.limit());
    let before = paging.after::<(Timestamp, Uuid)>()?;
    let found = syncs.deliveries(&sync, &filter, before, limit + 1).await?;
    let page = Page::of_found(found, limit, |one| (one.changed_at, one.id.uuid()));
    Ok(Json(page.map(DeliveryShown::from)))
}

/// A delivery.
#[utoipa::path(
    get, path = "/api/v1/syncs/{sync}/deliveries/{id}", tag = "syncs",
    params(
        ("sync" = String, Path, description = "The sync's name."),
        ("id" = Uuid, Path, description = "The delivery's id."),
    ),
    responses((status = 200, description = "The delivery.", body = DeliveryShown))
)]
pub(super) async fn get_delivery(
    State(syncs): State<Syncs>,
    Path((name, id)): Path<(String, Uuid)>,
) -> Answer<Json<DeliveryShown>> {
    let sync = syncs.named(&name).await?;
    Ok(Json(syncs.delivery(&sync, id.into()).await?.into()))
}

/// Try a failed file again.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/deliveries/{id}/retry", tag = "syncs",
    params(
        ("sync" = String, Path, description = "The sync's name."),
        ("id" = Uuid, Path, description = "The delivery's id."),
    ),
    responses((status = 200, description = "It is tried again.", body = DeliveryShown))
)]
pub(super) async fn retry_delivery(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(which): Path<(String, Uuid)>,
) -> Answer<Json<DeliveryShown>> {
    once_more(&syncs, &caller, which, OnceMore::Retried).await
}

/// Deliver a file once more. Where its target has it still, it is marked and not sent.
#[utoipa::path(
    post, path = "/api/v1/syncs/{sync}/deliveries/{id}/deliver-again", tag = "syncs",
    params(
        ("sync" = String, Path, description = "The sync's name."),
        ("id" = Uuid, Path, description = "The delivery's id."),
    ),
    responses((status = 200, description = "It is delivered again.", body = DeliveryShown))
)]
pub(super) async fn deliver_again(
    State(syncs): State<Syncs>,
    By(caller): By,
    Path(which): Path<(String, Uuid)>,
) -> Answer<Json<DeliveryShown>> {
    once_more(&syncs, &caller, which, OnceMore::DeliveredAgain).await
}

/// What is done with a delivery once more.
#[derive(Clone, Copy, Debug)]
enum OnceMore {
    /// It has failed.
    Retried,
    /// It has ended, whichever way.
    DeliveredAgain,
}

/// Has one delivery done once more by a pass that begins now, unless the sync is paused.
async fn once_more(
    syncs: &Syncs,
    caller: &Caller,
    (name, id): (String, Uuid),
    what: OnceMore,
) -> Answer<Json<DeliveryShown>> {
    let sync = syncs.named(&name).await?;
    let (by, id) = (Doer::from(caller), DeliveryId::from(id));
    match what {
        OnceMore::Retried => syncs.retry(&by, &sync, Some(id)).await.map(drop)?,
        OnceMore::DeliveredAgain => syncs.deliver_again(&by, &sync, id).await?,
    }
    run_unless_paused(syncs, &sync, caller).await?;
    Ok(Json(syncs.delivery(&sync, id).await?.into()))
}
