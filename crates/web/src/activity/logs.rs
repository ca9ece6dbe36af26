//! The routes of an operation's log.

use crate::{Answer, Json, Path, Problem, Query};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::OperationId;
use bytes::Bytes;
use futures::stream;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use operations::{Colours, LogPage, Operations, SearchPage, SearchQuery};
use serde::Deserialize;
use std::io;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LogParams {
    /// The number of the first line wanted.
    #[param(minimum = 1)]
    from: Option<u64>,
    /// How many lines at most: 1 to 5000, and 1000 when absent. Fewer come where they are
    /// long: a page holds about 2 MiB.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
}

/// Numbers of lines that the database can hold.
fn line_number(field: &str, number: Option<u64>) -> Answer<u64> {
    match number {
        None => Ok(1),
        Some(number) if (1..=i64::MAX.unsigned_abs()).contains(&number) => Ok(number),
        Some(_) => Err(Problem::invalid(
            field.to_owned(),
            "out-of-range",
            "line numbers begin with 1",
        )),
    }
}

fn within(field: &str, number: Option<usize>, usual: usize, most: usize) -> Answer<usize> {
    let number = number.unwrap_or(usual);
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(Problem::invalid(
        field.to_owned(),
        "out-of-range",
        format!("{field} is a number from 1 to {most}"),
    ))
}

/// Lines of the log, from a number on.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}/log", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id."), LogParams),
    responses((status = 200, description = "A page of lines.", body = LogPage))
)]
pub(super) async fn get_log(
    State(operations): State<Operations>,
    Path(id): Path<uuid::Uuid>,
    Query(params): Query<LogParams>,
) -> Answer<Json<LogPage>> {
    let from = line_number("from", params.from)?;
    let limit = within("limit", params.limit, 1000, 5000)?;
    Ok(Json(operations.log(id.into(), from, limit).await?))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TextParams {
    /// The number of the first line wanted; the whole log when absent.
    #[param(minimum = 1)]
    from: Option<u64>,
    /// Whether lines are as they were written, with the escape sequences of their colours
    /// and redraws. Else each is what it would leave on a terminal, in plain words.
    #[serde(default)]
    colours: bool,
}

/// The log as text, the whole of it or from a number on: plain, or with its colours.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}/log.txt", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id."), TextParams),
    responses((status = 200, description = "The log.", content_type = "text/plain", body = String))
)]
pub(super) async fn download_log(
    State(operations): State<Operations>,
    Path(id): Path<uuid::Uuid>,
    Query(params): Query<TextParams>,
) -> Answer<Response> {
    let id = OperationId::from(id);
    let from = line_number("from", params.from)?;
    let colours = if params.colours {
        Colours::Kept
    } else {
        Colours::Stripped
    };
    operations.get(id).await?;
    let text = operations.log_text(id, from, colours);
    let body = stream::unfold(Some(text), async |text| {
        let mut text = text?;
        match text.next().await {
            Ok(Some(part)) => Some((Ok(Bytes::from(part)), Some(text))),
            Ok(None) => None,
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        CONTENT_DISPOSITION,
        crate::attachment(&format!("operation-{id}.log")),
    );
    Ok(response)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchParams {
    /// What to look for.
    #[param(min_length = 1, max_length = 500)]
    q: String,
    /// Whether it is a regular expression.
    #[serde(default)]
    regex: bool,
    /// Whether case counts.
    #[serde(default)]
    case: bool,
    /// Matches are given from this line on; all are counted.
    #[param(minimum = 1)]
    from: Option<u64>,
    /// How many matches at most: 1 to 1000, and 100 when absent. Fewer come where they
    /// are long: a page holds about 2 MiB.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Look through the whole log.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}/log/search", tag = "operations",
    params(("id" = uuid::Uuid, Path, description = "The operation's id."), SearchParams),
    responses((status = 200, description = "The matches, and how many there are in all.", body = SearchPage))
)]
pub(super) async fn search_log(
    State(operations): State<Operations>,
    Path(id): Path<uuid::Uuid>,
    Query(params): Query<SearchParams>,
) -> Answer<Json<SearchPage>> {
    if params.q.is_empty() || params.q.len() > 500 {
        return Err(Problem::invalid(
            "q",
            "out-of-range",
            "q has 1 to 500 bytes",
        ));
    }
    let query = SearchQuery {
        text: params.q,
        regex: params.regex,
        case: params.case,
        from: line_number("from", params.from)?,
        limit: within("limit", params.limit, 100, 1000)?,
    };
    Ok(Json(operations.search_log(id.into(), query).await?))
}
