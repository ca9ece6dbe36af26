//! What is running here.

use crate::routes;
use crate::{Json, Requirement, Routes};
use access::{Role, Scope};
use axum::extract::State;
use base::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What is running here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct About {
    /// The program's version.
    pub version: String,
    /// The database's name: `SQLite` or `Postgres`.
    pub database: String,
    /// When this process began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// The directory of its data on its host.
    pub data: String,
}

pub(super) fn routes(about: About) -> Routes {
    Routes::new()
        .add(
            Requirement::Role(Role::Viewer, Scope::OperationsRead),
            routes!(get_about),
        )
        .with_state(about)
}

/// What is running here.
#[utoipa::path(
    get, path = "/api/v1/about", tag = "about",
    responses((status = 200, description = "This.", body = About))
)]
async fn get_about(State(about): State<About>) -> Json<About> {
    Json(about)
}
