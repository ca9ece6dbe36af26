//! What a bundle was asked to hold, a page at a time.

use super::Desk;
use crate::asked::AskedSource;
use axum::extract::State;
use base::BundleId;
use serde::{Deserialize, Serialize};
use web::{Answer, Json, Path, Problem, Query};

const USUAL: usize = 1000;
const MOST: usize = 5000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SourcesQuery {
    /// The number of the first source, from 0; 0 when absent.
    from: Option<u64>,
    /// How many at most: 1 to 5,000, and 1,000 when absent.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
}

/// A source, by its number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BundleSource)]
pub(super) struct NumberedSource {
    /// Its number, from 0.
    source: u64,
    #[serde(flatten)]
    asked: AskedSource,
}

/// A page of what a bundle was asked to hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SourcePage {
    /// The sources, in the order in which they were asked for.
    items: Vec<NumberedSource>,
    /// Where the next page begins; `null` at the end.
    #[schema(required)]
    next: Option<u64>,
}

/// The sources that a bundle was asked to hold, without credentials and headers.
#[utoipa::path(
    get, path = "/api/v1/bundles/{id}/sources", tag = "bundles",
    params(("id" = uuid::Uuid, Path, description = "The bundle's id."), SourcesQuery),
    responses(
        (status = 200, description = "A page of sources.", body = SourcePage),
        (status = 410, description = "The bundle's operation is not on record any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_sources(
    State(desk): State<Desk>,
    Path(id): Path<uuid::Uuid>,
    Query(query): Query<SourcesQuery>,
) -> Answer<Json<SourcePage>> {
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(
            "limit",
            "out-of-range",
            "limit is a number from 1 to 5000",
        ));
    }
    let list = desk.bundles.asked_of(BundleId::from(id)).await?;
    let from = usize::try_from(query.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let end = from.saturating_add(limit).min(list.len());
    let items = list.get(from..end).unwrap_or_default();
    let numbered = items.iter().zip(from as u64..);
    Ok(Json(SourcePage {
        items: numbered
            .map(|(asked, source)| NumberedSource {
                source,
                asked: asked.clone(),
            })
            .collect(),
        next: (end < list.len()).then_some(end as u64),
    }))
}
