//! The API's description: as a document for programs at `/api/v1/openapi.json`, and
//! as a page for people at `/api/docs`, written here without a script.

mod html;
mod page;
mod schema;
mod style;

use crate::routes;
use crate::{Requirement, Routes};
use axum::extract::State;
use bytes::Bytes;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// The page has a style of its own in it, and nothing that runs.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Both forms, which are known when all routes are. The page is written when somebody asks
/// for it: what it takes to write it would stay with a server that nobody asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publishing(Arc<Forms>);

#[derive(Debug, Default)]
struct Forms {
    json: OnceLock<Bytes>,
    page: OnceLock<Bytes>,
}

impl Publishing {
    /// From now on this is what the routes say of themselves. The first stays.
    pub(crate) fn publish(&self, json: Bytes) {
        let _ = self.0.json.set(json);
    }

    fn json(&self) -> Bytes {
        self.0.json.get().cloned().unwrap_or_default()
    }

    fn page(&self) -> Bytes {
        let write = || page::render(&parsed(&self.json())).into();
        self.0.page.get_or_init(write).clone()
    }
}

/// A reference to something that a document does not hold.
pub(crate) fn undescribed(json: &[u8]) -> Option<String> {
    let document = parsed(json);
    missing(&document, &document)
}

/// What this program wrote as JSON.
fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

fn missing(document: &Value, part: &Value) -> Option<String> {
    match part {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
            match pointer {
                Some(pointer) if document.pointer(pointer).is_none() => {
                    Some(schema::last_segment(pointer).to_owned())
                }
                _ => fields.values().find_map(|field| missing(document, field)),
            }
        }
        Value::Array(items) => items.iter().find_map(|item| missing(document, item)),
        _ => None,
    }
}

pub(crate) fn routes(published: &Publishing) -> Routes {
    Routes::new()
        .add(Requirement::Public, routes!(openapi_json))
        .add(Requirement::Public, routes!(api_docs))
        .with_state(published.clone())
}

type Answered<const N: usize> = ([(HeaderName, &'static str); N], Bytes);

/// This description (OpenAPI 3.1).
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "api",
    responses((status = 200, description = "The document.", body = serde_json::Value))
)]
async fn openapi_json(State(published): State<Publishing>) -> Answered<2> {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, published.json())
}

/// This description as a page.
#[utoipa::path(
    get, path = "/api/docs", tag = "api",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
async fn api_docs(State(published): State<Publishing>) -> Answered<3> {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    (headers, published.page())
}
