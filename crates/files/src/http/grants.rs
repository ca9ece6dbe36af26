//! Grants: who may do what in a bucket, beside roles.

use crate::grant::{Grant, Holder, NewGrant};
use crate::permit::Permission;
use crate::{Error, Files};
use access::{AccessError, Doer};
use axum::extract::State;
use base::{GrantId, Timestamp, TokenId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;
use web::{Answer, By, Json, Page, Path, Problem};

/// A grant to be made: to a user or to a token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantBody {
    /// The user, by name. What is granted is added to what its role opens.
    user: Option<String>,
    /// The token, by id. One with grants is held to them, within what its user may.
    #[schema(value_type = Option<String>, format = Uuid)]
    token: Option<TokenId>,
    /// The access key of S3 clients, by id. It is held as a token is.
    access_key: Option<Uuid>,
    /// What paths begin with: `covers/` is that folder, nothing is the whole bucket.
    #[serde(default)]
    prefix: String,
    /// What may be done there.
    permissions: Vec<Permission>,
}

/// A grant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GrantShown {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: GrantId,
    /// What paths begin with.
    prefix: String,
    /// The user whose it is, by name; that of the token, where it is a token's. Nothing
    /// where it is gone.
    user: Option<String>,
    /// The token whose it is.
    #[schema(value_type = Option<String>, format = Uuid)]
    token: Option<TokenId>,
    /// The token's name.
    token_name: Option<String>,
    /// The access key whose it is.
    access_key: Option<Uuid>,
    /// What may be done there.
    permissions: Vec<Permission>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// By whom.
    created_by: String,
}

/// Who is called how.
struct Names {
    users: HashMap<Uuid, String>,
    tokens: HashMap<Uuid, (String, String)>,
}

impl Names {
    async fn read(files: &Files) -> Result<Self, Error> {
        let users = files.access().users().await?.into_iter();
        let tokens = files.access().tokens(None).await?.into_iter();
        Ok(Self {
            users: users.map(|user| (user.id.uuid(), user.name)).collect(),
            tokens: tokens
                .map(|token| (token.id.uuid(), (token.user, token.name)))
                .collect(),
        })
    }

    fn show(&self, grant: Grant) -> GrantShown {
        let id = grant.holder.uuid();
        let mut access_key = None;
        let (user, token, token_name) = match grant.holder {
            Holder::User(_) => (self.users.get(&id).cloned(), None, None),
            Holder::Token(token) => {
                let (user, name) = self.tokens.get(&id).cloned().unzip();
                (user, Some(token), name)
            }
            Holder::AccessKey(id) => {
                access_key = Some(id);
                (None, None, None)
            }
        };
        GrantShown {
            id: grant.id,
            prefix: grant.prefix,
            user,
            token,
            token_name,
            access_key,
            permissions: grant.permissions.iter().collect(),
            created_at: grant.created_at,
            created_by: grant.created_by,
        }
    }
}

/// List the grants of a bucket.
#[utoipa::path(
    get, path = "/api/v1/buckets/{bucket}/grants", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    responses((status = 200, description = "All of them, by prefix.", body = Page<GrantShown>))
)]
pub(super) async fn list_grants(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
) -> Answer<Json<Page<GrantShown>>> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let grants = files.grants_of(&bucket).await?;
    let names = Names::read(&files).await?;
    let shown = grants.into_iter().map(|grant| names.show(grant)).collect();
    Ok(Json(Page::whole(shown)))
}

/// Grant a user or a token something in a bucket.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/grants", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = GrantBody,
    responses((status = 201, description = "It holds from now on.", body = GrantShown))
)]
pub(super) async fn create_grant(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    Json(body): Json<GrantBody>,
) -> Answer<(StatusCode, Json<GrantShown>)> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    let names = Names::read(&files).await?;
    let holder = match (body.user, body.token, body.access_key) {
        (Some(name), None, None) => Holder::User(user(&files, &name).await?),
        (None, Some(id), None) if names.tokens.contains_key(&id.uuid()) => Holder::Token(id),
        (None, Some(_), None) => {
            let text = "there is no token of this id";
            return Err(Problem::invalid("token", "unknown", text));
        }
        (None, None, Some(id)) if is_access_key(&files, id).await? => Holder::AccessKey(id),
        (None, None, Some(_)) => {
            let text = "there is no access key of this id";
            return Err(Problem::invalid("access_key", "unknown", text));
        }
        _ => {
            let text = "a grant is to a user, a token or an access key: name one of them";
            return Err(Problem::invalid("user", "required", text));
        }
    };
    let new = NewGrant {
        holder,
        prefix: body.prefix,
        permissions: body.permissions.into_iter().collect(),
    };
    let grant = files.grant(&Doer::from(&caller), &bucket, new).await;
    let grant = grant.map_err(|error| match error {
        Error::Path(error) => Problem::invalid("prefix", "invalid", error.to_string()),
        error => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(names.show(grant))))
}

async fn is_access_key(files: &Files, id: Uuid) -> Result<bool, Error> {
    let keys = files.access().access_keys(None).await?;
    Ok(keys.iter().any(|key| key.id.uuid() == id))
}

async fn user(files: &Files, name: &str) -> Answer<base::UserId> {
    match files.access().user(name).await {
        Ok(user) => Ok(user.id),
        Err(AccessError::NotFound { .. }) => Err(Problem::invalid(
            "user",
            "unknown",
            "there is no user of this name",
        )),
        Err(error) => Err(Error::from(error).into()),
    }
}

/// Take a grant back.
#[utoipa::path(
    delete, path = "/api/v1/buckets/{bucket}/grants/{id}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("id" = uuid::Uuid, Path, description = "The grant's id."),
    ),
    responses((status = 204, description = "It holds no more. A token or access key without any other is held no more, either."))
)]
pub(super) async fn delete_grant(
    State(files): State<Files>,
    By(caller): By,
    Path((bucket, id)): Path<(String, Uuid)>,
) -> Answer<StatusCode> {
    files.not_held(&caller)?;
    let bucket = files.bucket(&bucket)?;
    files
        .revoke(&Doer::from(&caller), &bucket, id.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
