//! Secrets: their names. A value goes in and never comes out here.

use super::words::NameWord;
use crate::routes;
use crate::{Answer, By, Json, Page, Path, Requirement, Routes};
use access::{Access, Doer, Role, Scope};
use axum::extract::State;
use base::{Actor, Name, Timestamp};
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A secret, without its value.
#[derive(Debug, Serialize, ToSchema)]
struct Secret {
    name: String,
    /// How many values it has had.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    created_by: Actor,
    /// When its value was set last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    #[schema(value_type = String)]
    changed_by: Actor,
}

impl From<access::Secret> for Secret {
    fn from(secret: access::Secret) -> Self {
        Self {
            name: secret.name,
            version: secret.version,
            created_at: secret.created_at,
            created_by: secret.created_by,
            changed_at: secret.changed_at,
            changed_by: secret.changed_by,
        }
    }
}

/// A secret's value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretValue {
    /// Long enough to be found in logs, where it is blotted out.
    #[schema(value_type = String, format = Password, min_length = 4, max_length = 65536)]
    value: SecretString,
}

pub(super) fn routes(access: &Access) -> Routes {
    let admin = Requirement::Role(Role::Admin, Scope::Admin);
    Routes::new()
        .add(admin, routes!(list_secrets))
        .add(admin, routes!(put_secret, delete_secret))
        .with_state(access.clone())
}

/// Every secret, by name.
#[utoipa::path(
    get, path = "/api/v1/secrets", tag = "secrets",
    responses((status = 200, description = "All of them; never a value.", body = Page<Secret>))
)]
async fn list_secrets(State(access): State<Access>) -> Answer<Json<Page<Secret>>> {
    let secrets = access.secrets().await?;
    Ok(Json(Page::whole(
        secrets.into_iter().map(Secret::from).collect(),
    )))
}

/// Make a secret, or give it another value.
#[utoipa::path(
    put, path = "/api/v1/secrets/{name}", tag = "secrets", request_body = SecretValue,
    params(("name" = NameWord, Path, description = "Its name.")),
    responses((status = 204, description = "Stored, and looked for in every log from now on."))
)]
async fn put_secret(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<Name>,
    Json(given): Json<SecretValue>,
) -> Answer<StatusCode> {
    access
        .put_secret(&Doer::from(&caller), &name, &given.value)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a secret.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{name}", tag = "secrets",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 204, description = "Gone."))
)]
async fn delete_secret(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    access.delete_secret(&Doer::from(&caller), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
