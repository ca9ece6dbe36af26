//! Access keys: what S3 clients sign their requests with.

use super::words::{NameWord, ScopeWord};
use crate::routes;
use crate::{Answer, By, Json, Page, Path, Problem, Query, Requirement, Routes};
use access::{Access, Role, Scope};
use axum::extract::State;
use base::{AccessKeyId, Name, Timestamp};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// A hundred years: what lives for longer had better say `null`.
const LONGEST: u64 = 36_500 * 24 * 3600;

/// An access key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct AccessKey {
    #[schema(value_type = String, format = Uuid)]
    id: AccessKeyId,
    name: String,
    /// Whose it is, by name.
    owner: String,
    /// What S3 clients call it: `AWS_ACCESS_KEY_ID`.
    key: String,
    #[schema(value_type = Vec<ScopeWord>)]
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends; `null` for never.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used: Option<Timestamp>,
}

impl From<access::AccessKey> for AccessKey {
    fn from(key: access::AccessKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            owner: key.user,
            key: key.key,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used: key.last_used_at,
        }
    }
}

/// An access key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccessKey {
    #[schema(value_type = NameWord)]
    name: Name,
    /// `files:read`, `files:write`, or both, which is usual.
    #[serde(default = "both")]
    #[schema(value_type = Vec<ScopeWord>)]
    scopes: Vec<Scope>,
    /// For how many seconds; for ever without. With a token that ends, no longer than that one.
    #[schema(minimum = 1, maximum = 3_153_600_000_u64)]
    expires_in: Option<u64>,
}

fn both() -> Vec<Scope> {
    vec![Scope::FilesRead, Scope::FilesWrite]
}

/// An access key that was made.
#[derive(Debug, Serialize, ToSchema)]
struct AccessKeyIssued {
    #[serde(flatten)]
    about: AccessKey,
    /// The secret, told this once: `AWS_SECRET_ACCESS_KEY`.
    secret: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// Everybody's, for admins.
    #[serde(default)]
    all: bool,
}

pub(super) fn routes(access: &Access) -> Routes {
    let user = Requirement::Role(Role::Viewer, Scope::Admin);
    Routes::new()
        .add(user, routes!(list_access_keys, create_access_key))
        .add(user, routes!(delete_access_key))
        .with_state(access.clone())
}

/// The caller's access keys.
#[utoipa::path(
    get, path = "/api/v1/access-keys", tag = "access keys", params(Whose),
    responses((status = 200, description = "All of them.", body = Page<AccessKey>))
)]
async fn list_access_keys(
    State(access): State<Access>,
    By(caller): By,
    Query(whose): Query<Whose>,
) -> Answer<Json<Page<AccessKey>>> {
    if whose.all && !caller.may(Role::Admin, Scope::Admin) {
        return Err(Problem::forbidden(
            "Only admins see everybody's access keys; leave `all` out.",
        ));
    }
    let of = (!whose.all).then(|| caller.user());
    let keys = access.access_keys(of).await?;
    Ok(Json(Page::whole(
        keys.into_iter().map(AccessKey::from).collect(),
    )))
}

/// Make an access key for the caller.
#[utoipa::path(
    post, path = "/api/v1/access-keys", tag = "access keys", request_body = NewAccessKey,
    responses(
        (status = 201, description = "Made.", body = AccessKeyIssued),
        (status = 409, description = "There is one of that name.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn create_access_key(
    State(access): State<Access>,
    By(caller): By,
    Json(given): Json<NewAccessKey>,
) -> Answer<(StatusCode, Json<AccessKeyIssued>)> {
    if given.expires_in.is_some_and(|seconds| seconds > LONGEST) {
        let message = format!("at most {LONGEST} seconds; leave it out for a key without an end");
        return Err(Problem::invalid("expires_in", "out-of-range", message));
    }
    let new = access::NewAccessKey {
        name: given.name,
        scopes: given.scopes,
        expires_in: given.expires_in.map(Duration::from_secs),
    };
    let (secret, key) = access.create_access_key(&caller, new).await?;
    let issued = AccessKeyIssued {
        about: key.into(),
        secret: secret.expose_secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// Delete an access key of the caller, or as an admin anybody's. It is refused at once.
#[utoipa::path(
    delete, path = "/api/v1/access-keys/{id}", tag = "access keys",
    params(("id" = uuid::Uuid, Path, description = "The access key.")),
    responses((status = 204, description = "Gone."))
)]
async fn delete_access_key(
    State(access): State<Access>,
    By(caller): By,
    Path(id): Path<AccessKeyId>,
) -> Answer<StatusCode> {
    access.delete_access_key(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
