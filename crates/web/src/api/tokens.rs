//! API tokens: what programs prove themselves with.

use super::words::{NameWord, ScopeWord};
use crate::routes;
use crate::{Answer, By, Json, Page, Path, Problem, Query, Requirement, Routes};
use access::{Access, Proof, Role, Scope};
use axum::extract::State;
use base::{Name, Timestamp, TokenId};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// A hundred years: what lives for longer had better say `null`.
const LONGEST: u64 = 36_500 * 24 * 3600;

/// A token, without what proves it.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    #[schema(value_type = String, format = Uuid)]
    id: TokenId,
    name: String,
    /// Whose it is, by name.
    owner: String,
    /// Its last four characters, by which its owner knows it again.
    ending: String,
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

impl From<access::Token> for Token {
    fn from(token: access::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            owner: token.user,
            ending: token.ending,
            scopes: token.scopes,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used: token.last_used_at,
        }
    }
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    #[schema(value_type = NameWord)]
    name: Name,
    #[schema(value_type = Vec<ScopeWord>, min_items = 1)]
    scopes: Vec<Scope>,
    /// For how many seconds; for ever without. With a token that ends, no longer than that one.
    #[schema(minimum = 1, maximum = 3_153_600_000_u64)]
    expires_in: Option<u64>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
struct TokenIssued {
    #[serde(flatten)]
    about: Token,
    /// The token itself, told this once.
    token: String,
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
    let own = Requirement::SelfChecked {
        why: "a token may give itself up, whatever else it may do",
    };
    Routes::new()
        .add(user, routes!(list_tokens, create_token))
        .add(own, routes!(delete_token))
        .with_state(access.clone())
}

/// The caller's tokens.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens", params(Whose),
    responses((status = 200, description = "All of them.", body = Page<Token>))
)]
async fn list_tokens(
    State(access): State<Access>,
    By(caller): By,
    Query(whose): Query<Whose>,
) -> Answer<Json<Page<Token>>> {
    if whose.all && !caller.may(Role::Admin, Scope::Admin) {
        return Err(Problem::forbidden(
            "Only admins see everybody's tokens; leave `all` out.",
        ));
    }
    let of = (!whose.all).then(|| caller.user());
    let tokens = access.tokens(of).await?;
    Ok(Json(Page::whole(
        tokens.into_iter().map(Token::from).collect(),
    )))
}

/// Make a token for the caller.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses(
        (status = 201, description = "Made.", body = TokenIssued),
        (status = 409, description = "There is one of that name.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn create_token(
    State(access): State<Access>,
    By(caller): By,
    Json(given): Json<NewToken>,
) -> Answer<(StatusCode, Json<TokenIssued>)> {
    if given.expires_in.is_some_and(|seconds| seconds > LONGEST) {
        let message = format!("at most {LONGEST} seconds; leave it out for a token without an end");
        return Err(Problem::invalid("expires_in", "out-of-range", message));
    }
    let new = access::NewToken {
        name: given.name,
        scopes: given.scopes,
        expires_in: given.expires_in.map(Duration::from_secs),
    };
    let (text, token) = access.create_token(&caller, new).await?;
    let issued = TokenIssued {
        about: token.into(),
        token: text.expose_secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// Delete a token of the caller, or as an admin anybody's. It is refused at once.
///
/// A token of any scope may delete itself: that is how a program logs out.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token.")),
    responses((status = 204, description = "Gone."))
)]
async fn delete_token(
    State(access): State<Access>,
    by: Option<By>,
    Path(id): Path<TokenId>,
) -> Answer<StatusCode> {
    let By(caller) = by.ok_or_else(Problem::unauthenticated)?;
    let itself = matches!(caller.proof(), Proof::Token { id: own, .. } if *own == id);
    if !itself && !caller.may(Role::Viewer, Scope::Admin) {
        return Err(Problem::forbidden(
            "A token without the scope admin may delete itself only.",
        ));
    }
    access.delete_token(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
