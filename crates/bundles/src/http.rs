//! The routes of bundles.

mod archive;
mod described;
mod links;
mod socket;
mod sources;

use crate::bundle::{Bundle, Rights};
use crate::request::{NewBundleWithin, SourcesWithin};
use crate::{Bundles, Error};
use access::{Caller, Role, Scope};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::BundleId;
use described::DescribedBundle;
use http::header::LOCATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use web::routes;
use web::{
    Admitted, Answer, AnswerTime, BodyLimit, By, Json, JsonText, Links, Page, Paging, Path,
    Problem, Query, Requirement, RouteLimits, Routes, SettingsSource,
};

/// On the answer that streams an archive: the operation that makes it.
const OPERATION: HeaderName = HeaderName::from_static("longshore-operation");

/// Requests that wait for the first byte of an archive, at most.
const WAITING: usize = 512;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    bundles: Bundles,
    links: Links,
    settings: SettingsSource,
    /// Places for requests that wait for an archive.
    waiting: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// The routes. `links` sign and open archives. Sockets are closed when `shutdown` comes.
pub fn routes(
    bundles: Bundles,
    links: Links,
    settings: SettingsSource,
    shutdown: CancellationToken,
) -> Routes {
    let sees = Requirement::Role(Role::Viewer, Scope::BundlesRead);
    let makes = Requirement::Role(Role::Operator, Scope::BundlesWrite);
    let opens = Requirement::Signed(Role::Viewer, Scope::BundlesRead);
    // A list of 100,000 addresses takes its time, and a streamed archive longer. It has no
    // limit of its own above that of other bodies: see "Memory" in docs/running.md.
    let list = RouteLimits::default()
        .body(BodyLimit::Configured)
        .time(AnswerTime::OwnLimit);
    let flows = RouteLimits::default().time(AnswerTime::OwnLimit);
    let upgrade = Requirement::SelfChecked {
        why: "the page is public, and an upgrade is held to what /ws requires",
    };
    Routes::new()
        .add(sees, routes!(list_bundles))
        .add_within(list, makes, routes!(create_bundle))
        .add(sees, routes!(get_bundle))
        .add(makes, routes!(delete_bundle))
        .add(makes, routes!(retry_bundle))
        .add(sees, routes!(sources::list_sources))
        .add(makes, routes!(links::link_bundle))
        .add_within(flows, opens, routes!(archive::get_archive))
        .add_within(flows, makes, routes!(socket::bundle_socket))
        .add_within(flows, upgrade, routes!(socket::front_page))
        .schema::<Flag>()
        .with_state(Desk {
            bundles,
            links,
            settings,
            waiting: Arc::new(Semaphore::new(WAITING)),
            shutdown,
        })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CreateQuery {
    /// `1`: the archive is the answer, as it is made.
    stream: Option<Flag>,
}

/// A switch in a query.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
enum Flag {
    #[serde(rename = "0", alias = "false")]
    Off,
    #[serde(rename = "1", alias = "true")]
    On,
}

/// Make a bundle.
///
/// Kept, unless the options or `stream` say otherwise: then the answer is its record,
/// and the archive is fetched from it. With `stream=1` the answer is the archive.
#[utoipa::path(
    post, path = "/api/v1/bundles", tag = "bundles",
    params(CreateQuery), request_body = DescribedBundle,
    responses(
        (status = 201, description = "Accepted; its operation makes it.", body = Bundle),
        (status = 200, description = "The archive, with `stream=1`.", content_type = "application/zip", body = Vec<u8>),
        (status = 422, description = "None of the sources can be used.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn create_bundle(
    State(desk): State<Desk>,
    By(caller): By,
    Query(query): Query<CreateQuery>,
    admitted: Admitted,
    text: JsonText,
) -> Answer<Response> {
    let new = text.parse(NewBundleWithin(sources_within(&desk))).await?;
    let stream = matches!(query.stream, Some(Flag::On));
    let accepted = desk.bundles.create(new, &caller, stream).await?;
    if stream {
        return archive::streamed(&desk, accepted.id, &admitted).await;
    }
    created(&desk, accepted.id, &caller).await
}

/// As many sources as a bundle may have now.
fn sources_within(desk: &Desk) -> SourcesWithin {
    SourcesWithin {
        most: desk.bundles.current().settings.max_sources,
    }
}

async fn created(desk: &Desk, id: BundleId, caller: &Caller) -> Answer<Response> {
    let bundle = desk.bundles.get(id, Rights::from(caller)).await?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/bundles/{id}")) {
        headers.insert(LOCATION, location);
    }
    Ok((StatusCode::CREATED, headers, Json(bundle)).into_response())
}

/// List bundles, the newest first.
#[utoipa::path(
    get, path = "/api/v1/bundles", tag = "bundles", params(Paging),
    responses((status = 200, description = "A page of bundles.", body = Page<Bundle>))
)]
async fn list_bundles(
    State(desk): State<Desk>,
    By(caller): By,
    paging: Paging,
) -> Answer<Json<Page<Bundle>>> {
    let limit = usize::from(paging.limit());
    let before = paging.after::<uuid::Uuid>()?.map(BundleId::from);
    let rights = Rights::from(&caller);
    let found = desk.bundles.list(before, limit + 1, rights).await?;
    Ok(Json(Page::of_found(found, limit, |bundle| {
        bundle.id.uuid()
    })))
}

/// A bundle.
#[utoipa::path(
    get, path = "/api/v1/bundles/{id}", tag = "bundles",
    params(("id" = uuid::Uuid, Path, description = "The bundle's id.")),
    responses((status = 200, description = "The bundle.", body = Bundle))
)]
async fn get_bundle(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<Json<Bundle>> {
    let rights = Rights::from(&caller);
    Ok(Json(desk.bundles.get(id.into(), rights).await?))
}

/// What came free.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Deleted {
    /// Bytes of the archive that was deleted.
    freed: u64,
}

/// Delete a bundle and its bytes; one that is being made is cancelled.
#[utoipa::path(
    delete, path = "/api/v1/bundles/{id}", tag = "bundles",
    params(("id" = uuid::Uuid, Path, description = "The bundle's id.")),
    responses((status = 200, description = "It is gone.", body = Deleted))
)]
async fn delete_bundle(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
) -> Answer<Json<Deleted>> {
    let freed = desk.bundles.delete(id.into(), &caller).await?;
    Ok(Json(Deleted { freed }))
}

/// Which sources are fetched again.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    /// The numbers of the sources, from 0; all that failed, when absent.
    sources: Option<Vec<usize>>,
}

/// Make a new bundle of the sources that failed.
#[utoipa::path(
    post, path = "/api/v1/bundles/{id}/retry", tag = "bundles",
    params(("id" = uuid::Uuid, Path, description = "The bundle's id.")),
    request_body = Retry,
    responses((status = 201, description = "A new bundle.", body = Bundle))
)]
async fn retry_bundle(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<uuid::Uuid>,
    Json(retry): Json<Retry>,
) -> Answer<Response> {
    let accepted = desk
        .bundles
        .retry(id.into(), retry.sources, &caller)
        .await?;
    created(&desk, accepted.id, &caller).await
}

/// Whether a caller may make bundles; for upgrades on routes that others may see.
fn may_make(caller: Option<&Caller>) -> Answer<&Caller> {
    let caller = caller.ok_or_else(Problem::unauthenticated)?;
    if caller.may(Role::Operator, Scope::BundlesWrite) {
        Ok(caller)
    } else {
        Err(Problem::forbidden(
            "Making bundles needs the role operator.",
        ))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSources | Error::TooManySources { .. } => {
                Self::invalid("sources", "out-of-range", error.to_string())
            }
            Error::Span => Self::invalid("options.expires_in", "out-of-range", error.to_string()),
            Error::SourceTwice(_) => Self::invalid("sources", "repeated", error.to_string()),
            Error::Name => Self::invalid("name", "invalid", error.to_string()),
            Error::NoSource(_) => Self::invalid("sources", "unknown", error.to_string()),
            Error::NotStored {
                index,
                code,
                message,
            } => Self::invalid(format!("sources[{index}]"), code, message),
            Error::HeadersOfAnother(index) => {
                Self::invalid(format!("sources[{index}]"), "forbidden", error.to_string())
            }
            Error::NothingUsable(_) => Self::unprocessable("nothing-usable", error.to_string()),
            Error::NothingFailed => Self::conflict(error.to_string()),
            Error::NoBundle(_) => Self::not_found("bundle"),
            Error::KeptFull { .. } => Self::conflict(error.to_string()),
            Error::Gone | Error::Forgotten => {
                Self::new(StatusCode::GONE, "gone", error.to_string())
            }
            Error::Crowded => {
                Self::unavailable("overloaded", error.to_string(), Duration::from_secs(1))
            }
            Error::Access(error) => error.into(),
            Error::NotReady | Error::Taken => Self::conflict(error.to_string()),
            Error::Headers | Error::Secret(..) => Self::conflict(error.to_string()),
            Error::Operations(error) => error.into(),
            Error::Storage(error) => error.into(),
        }
    }
}
