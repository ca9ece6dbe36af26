//! Users, their passwords and their sessions.

use super::words::{NameWord, RoleWord};
use crate::routes;
use crate::{Answer, By, Json, Page, Path, Problem, Requirement, Routes};
use access::{Access, Caller, Doer, Proof, Role, Scope};
use axum::extract::State;
use base::{Name, SessionId, Timestamp, UserId};
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    #[schema(value_type = String, format = Uuid)]
    id: UserId,
    name: String,
    #[schema(value_type = RoleWord)]
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    password_changed_at: Timestamp,
    /// When it logged in last, on the console.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_seen: Option<Timestamp>,
}

impl From<access::User> for User {
    fn from(user: access::User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            role: user.role,
            created_at: user.created_at,
            password_changed_at: user.password_changed_at,
            last_seen: user.last_login_at,
        }
    }
}

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    #[schema(value_type = NameWord)]
    name: Name,
    #[schema(value_type = RoleWord)]
    role: Role,
    /// Without one, one is made up and told once, in the answer.
    #[schema(value_type = Option<String>, format = Password, min_length = 10, max_length = 512)]
    password: Option<SecretString>,
}

/// A user that was made.
#[derive(Debug, Serialize, ToSchema)]
struct UserCreated {
    #[serde(flatten)]
    user: User,
    /// The password that was made up, told this once; absent when one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// What is to change about a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    #[schema(value_type = Option<RoleWord>)]
    role: Option<Role>,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 512)]
    password: SecretString,
    /// The present one. Needed for one's own.
    #[schema(value_type = Option<String>, format = Password)]
    current: Option<SecretString>,
}

/// A console session of a user.
#[derive(Debug, Serialize, ToSchema)]
struct UserSession {
    #[schema(value_type = String, format = Uuid)]
    id: SessionId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was used last, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// When it ends even if it is used.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// From where its user logged in.
    address: String,
    /// What the browser calls itself.
    agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

const ADMIN: Requirement = Requirement::Role(Role::Admin, Scope::Admin);

pub(super) fn routes(access: &Access) -> Routes {
    let own = Requirement::SelfChecked {
        why: "one's own needs no role, and anybody else's an admin",
    };
    Routes::new()
        .add(ADMIN, routes!(list_users, create_user))
        .add(ADMIN, routes!(get_user, change_user, delete_user))
        .add(own, routes!(set_user_password))
        .add(own, routes!(list_user_sessions))
        .add(own, routes!(end_user_session))
        .with_state(access.clone())
}

/// Whether the caller is that user, for which a token needs the scope of everything,
/// or else an admin.
fn own_or_admin(by: Option<By>, name: &str) -> Answer<(Caller, bool)> {
    let By(caller) = by.ok_or_else(Problem::unauthenticated)?;
    let own = caller.name().eq_ignore_ascii_case(name);
    let role = if own { Role::Viewer } else { Role::Admin };
    if !caller.may(role, Scope::Admin) {
        return Err(Problem::forbidden(
            "Only this user itself and admins may do this, and no token without the scope admin.",
        ));
    }
    Ok((caller, own))
}

/// Every user.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users",
    responses((status = 200, description = "All of them, by name.", body = Page<User>))
)]
async fn list_users(State(access): State<Access>) -> Answer<Json<Page<User>>> {
    let users = access.users().await?;
    Ok(Json(Page::whole(
        users.into_iter().map(User::from).collect(),
    )))
}

/// Make a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses(
        (status = 201, description = "Made.", body = UserCreated),
        (status = 409, description = "There is one of that name.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn create_user(
    State(access): State<Access>,
    By(caller): By,
    Json(given): Json<NewUser>,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<UserCreated>)> {
    let new = access::NewUser {
        name: given.name,
        role: given.role,
        password: given.password,
    };
    let (user, made_up) = access.create_user(&Doer::from(&caller), new).await?;
    let place = format!("/api/v1/users/{}", user.name);
    let answer = UserCreated {
        user: user.into(),
        password: made_up.map(|password| password.reveal().to_owned()),
    };
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(answer)))
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{name}", tag = "users",
    params(("name" = String, Path, description = "In any case.")),
    responses((status = 200, description = "It.", body = User))
)]
async fn get_user(State(access): State<Access>, Path(name): Path<String>) -> Answer<Json<User>> {
    Ok(Json(access.user(&name).await?.into()))
}

/// Change a user's role, which holds at once.
#[utoipa::path(
    patch, path = "/api/v1/users/{name}", tag = "users", request_body = UserChange,
    params(("name" = String, Path, description = "In any case.")),
    responses(
        (status = 200, description = "As it is now.", body = User),
        (status = 409, description = "It is the last admin.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn change_user(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
    Json(change): Json<UserChange>,
) -> Answer<Json<User>> {
    let user = match change.role {
        Some(role) => access.set_role(&Doer::from(&caller), &name, role).await?,
        None => access.user(&name).await?,
    };
    Ok(Json(user.into()))
}

/// Delete a user, with its sessions and tokens.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "users",
    params(("name" = String, Path, description = "In any case.")),
    responses(
        (status = 204, description = "Gone."),
        (status = 409, description = "It is the last admin.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn delete_user(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    access.delete_user(&Doer::from(&caller), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a password: one's own with the present one, or as an admin anybody else's.
#[utoipa::path(
    post, path = "/api/v1/users/{name}/password", tag = "users", request_body = PasswordChange,
    params(("name" = String, Path, description = "In any case.")),
    responses((status = 204, description = "Set. Other sessions of the user have ended."))
)]
async fn set_user_password(
    State(access): State<Access>,
    // Nobody's body is not even read.
    by: By,
    Path(name): Path<String>,
    Json(change): Json<PasswordChange>,
) -> Answer<StatusCode> {
    let (caller, own) = own_or_admin(Some(by), &name)?;
    if own {
        let current = change.current.as_ref().ok_or_else(|| {
            Problem::invalid("current", "missing", "give your present password, too")
        })?;
        access
            .change_password(&caller, current, &change.password)
            .await?;
    } else {
        access
            .set_password(&Doer::from(&caller), &name, &change.password)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A user's console sessions.
#[utoipa::path(
    get, path = "/api/v1/users/{name}/sessions", tag = "users",
    params(("name" = String, Path, description = "In any case.")),
    responses((status = 200, description = "Those that live, the last used first.", body = Page<UserSession>))
)]
async fn list_user_sessions(
    State(access): State<Access>,
    by: Option<By>,
    Path(name): Path<String>,
) -> Answer<Json<Page<UserSession>>> {
    let (caller, _) = own_or_admin(by, &name)?;
    let own = match caller.proof() {
        Proof::Session(id) => Some(*id),
        Proof::Password | Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Guest(_) => None,
    };
    let shown = |session: access::Session| UserSession {
        id: session.id,
        created_at: session.created_at,
        last_seen: session.seen_at,
        expires_at: session.expires_at,
        address: session.address,
        agent: session.agent,
        current: Some(session.id) == own,
    };
    let sessions = access.sessions(&name).await?;
    Ok(Json(Page::whole(sessions.into_iter().map(shown).collect())))
}

/// End a session of a user, which is refused at once.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/sessions/{id}", tag = "users",
    params(
        ("name" = String, Path, description = "In any case."),
        ("id" = uuid::Uuid, Path, description = "The session."),
    ),
    responses((status = 204, description = "Ended."))
)]
async fn end_user_session(
    State(access): State<Access>,
    by: Option<By>,
    Path((name, id)): Path<(String, SessionId)>,
) -> Answer<StatusCode> {
    let (caller, _) = own_or_admin(by, &name)?;
    access.end_session(&Doer::from(&caller), &name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
