//! Logging in, who one is, and logging out.

use super::users::User;
use crate::identify::SESSION_COOKIE;
use crate::routes;
use crate::{Answer, By, Client, Json, Problem, Requirement, Routes, Settings};
use access::{Access, Proof};
use axum::Extension;
use axum::extract::State;
use base::Timestamp;
use http::header::{SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// A name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The user's name, in any case.
    name: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Who one is, and how to go on.
#[derive(Debug, Serialize, ToSchema)]
struct Session {
    user: User,
    /// What requests that change something carry in `X-CSRF-Token`. Empty for those
    /// who came by password or token, who need none.
    csrf: String,
    /// When the session ends if it is not used any more; `null` without a session.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    expires_at: Option<Timestamp>,
}

pub(super) fn routes(access: &Access) -> Routes {
    let anybody = Requirement::SelfChecked {
        why: "whoever somebody is may know it and stop being it, by any proof of any scope",
    };
    Routes::new()
        .add(Requirement::Public, routes!(log_in))
        .add(anybody, routes!(who_am_i, log_out))
        .with_state(access.clone())
}

/// Log in: the answer sets the session's cookie.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = Credentials,
    responses(
        (status = 200, description = "Logged in.", body = Session),
        (status = 401, description = "The name or the password is not right.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts; `Retry-After` says when the next may come.",
            body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn log_in(
    State(access): State<Access>,
    client: Client,
    Extension(settings): Extension<Arc<Settings>>,
    headers: HeaderMap,
    Json(given): Json<Credentials>,
) -> Answer<([(HeaderName, HeaderValue); 1], Json<Session>)> {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let logged_in = access
        .log_in(
            &given.name,
            &given.password,
            client.address(),
            agent.unwrap_or_default(),
        )
        .await?;
    let session = &logged_in.session;
    let lifetime = session.expires_at.since(session.created_at);
    let cookie = set_cookie(
        logged_in.cookie.expose_secret(),
        lifetime,
        client.is_https() || settings.public_https(),
    )?;
    let (_, ends) = access.session(session.id).await?;
    let answer = Session {
        user: logged_in.user.into(),
        csrf: logged_in.csrf,
        expires_at: Some(ends),
    };
    Ok(([(SET_COOKIE, cookie)], Json(answer)))
}

/// Who the caller is.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses((status = 200, description = "This is who.", body = Session))
)]
async fn who_am_i(State(access): State<Access>, by: Option<By>) -> Answer<Json<Session>> {
    let By(caller) = by.ok_or_else(Problem::unauthenticated)?;
    let user = access.user(caller.name()).await?.into();
    let (csrf, expires_at) = match caller.proof() {
        Proof::Session(id) => {
            let (_, ends) = access.session(*id).await?;
            (access.csrf_token(*id), Some(ends))
        }
        Proof::Password | Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Guest(_) => {
            (String::new(), None)
        }
    };
    Ok(Json(Session {
        user,
        csrf,
        expires_at,
    }))
}

/// Log out: ends the session, if there is one, and takes its cookie back.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Logged out."))
)]
async fn log_out(
    State(access): State<Access>,
    client: Client,
    Extension(settings): Extension<Arc<Settings>>,
    by: Option<By>,
) -> Answer<(StatusCode, [(HeaderName, HeaderValue); 1])> {
    if let Some(By(caller)) = by {
        access.log_out(&caller).await?;
    }
    let https = client.is_https() || settings.public_https();
    let cookie = set_cookie("", Duration::ZERO, https)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

/// The session's cookie (RFC 6265): no script reads it, no other site's request
/// carries it, and where the console is reached by https it never goes out without.
fn set_cookie(value: &str, lifetime: Duration, https: bool) -> Answer<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    let text = format!(
        "{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    );
    let mut cookie = HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}
