//! What somebody sees who was given a share's link: a page without scripts, and the
//! download. The password goes by a form, and opens an address that is good for a while,
//! so that a download can be gone on with.

use super::answer;
use super::page::{self, Shown};
use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::share::{GOES_ON, Share, Shared, Zipped, key_text};
use crate::{Error, Files};
use access::AccessError;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use web::{Admitted, Answer, Client, Path, Problem, Query, Wants};

/// What keys of shares are signed as.
const KEY: &str = "share";

/// The page of a share.
#[utoipa::path(
    get, path = "/s/{token}", tag = "shares",
    params(("token" = String, Path, description = "What stands in the link.")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 404, description = "There is no such share, or nothing in it any more.", content_type = "text/html", body = String),
        (status = 410, description = "It has expired, or was downloaded as often as it may be.", content_type = "text/html", body = String),
    )
)]
pub(super) async fn share_page(State(files): State<Files>, Path(token): Path<String>) -> Response {
    match shown(&files, &token).await {
        Ok(shown) => page::of(StatusCode::OK, &shown, None),
        Err(error) => page::problem(&Problem::from(error)),
    }
}

/// A share that is good still, with what it gives.
async fn good(files: &Files, token: &str) -> Result<(Share, Arc<Bucket>, Shared), Error> {
    let (share, bucket) = files.share_of(token).await?;
    if share.has_expired(files.now()) {
        return Err(Error::ShareOver);
    }
    let shared = files.shared(&bucket, &share).await?;
    Ok((share, bucket, shared))
}

async fn shown(files: &Files, token: &str) -> Result<Shown, Error> {
    let (share, _, shared) = good(files, token).await?;
    if share.is_used_up() {
        return Err(Error::ShareOver);
    }
    Ok(Shown::of(&share, &shared, token))
}

/// What opens a share, as the description shows it.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a form is read field by field")]
struct UnlockForm {
    /// The share's password.
    password: String,
}

/// Open a share by its password.
#[utoipa::path(
    post, path = "/s/{token}", tag = "shares",
    params(("token" = String, Path, description = "What stands in the link.")),
    request_body(content = UnlockForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the download, for a day."),
        (status = 403, description = "It is another password.", content((String = "text/html"), (web::ProblemDocument = "application/problem+json"))),
        (status = 404, description = "There is no such share.", content((String = "text/html"), (web::ProblemDocument = "application/problem+json"))),
        (status = 410, description = "It is over.", content((String = "text/html"), (web::ProblemDocument = "application/problem+json"))),
        (status = 429, description = "Too many were wrong.", content((String = "text/html"), (web::ProblemDocument = "application/problem+json"))),
    )
)]
pub(super) async fn unlock_share(
    State(files): State<Files>,
    client: Client,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match unlocked(&files, &client, &token, &body).await {
        Ok(response) => response,
        Err(error) => {
            let wrong = matches!(&error, Error::Access(AccessError::Unauthenticated));
            let problem = if wrong {
                wrong_password()
            } else {
                error.into()
            };
            let again = matches!(problem.status().as_u16(), 403 | 429);
            match shown(&files, &token).await {
                Ok(shown) if again && wants_page(&headers) => {
                    page::of(problem.status(), &shown, Some(&problem))
                }
                _ => refused(&headers, problem),
            }
        }
    }
}

fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong-password",
        "This is not the password; try again, or ask whoever gave you the link.",
    )
}

async fn unlocked(
    files: &Files,
    client: &Client,
    token: &str,
    body: &[u8],
) -> Result<Response, Error> {
    let (share, ..) = good(files, token).await?;
    if share.is_used_up() {
        return Err(Error::ShareOver);
    }
    let mut address = format!("/s/{token}/download");
    if share.has_password {
        let password = url::form_urlencoded::parse(body)
            .find(|(name, _)| name == "password")
            .map(|(_, value)| SecretString::from(value.into_owned()))
            .unwrap_or_default();
        files.unlock(&share, password, client.address()).await?;
        let expires = files.now().plus(GOES_ON).seconds();
        let key = files.signer().sign_text(KEY, &key_text(&share, expires));
        address.push_str(&format!("?expires={expires}&key={key}"));
    }
    let headers = [
        (
            LOCATION,
            HeaderValue::from_str(&address).map_err(|_| Error::NoShare)?,
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyQuery {
    /// Of a share with a password: until when the key is good.
    expires: Option<i64>,
    /// The key, which the form gives.
    key: Option<String>,
}

/// Download what is shared.
///
/// It counts when it begins; whoever goes on with it from the same address within a day,
/// by a range, is not counted anew.
#[utoipa::path(
    get, path = "/s/{token}/download", tag = "shares",
    params(("token" = String, Path, description = "What stands in the link."), KeyQuery),
    responses(
        (status = 200, description = "The file, or the folder as a ZIP.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "The part asked for.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304, description = "It is still what the client has."),
        (status = 403, description = "It asks for a password.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such share, or nothing in it any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It is over.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is another one.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 416, description = "It has no such part.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(super) async fn download_share(
    State(files): State<Files>,
    client: Client,
    Path(token): Path<String>,
    Query(query): Query<KeyQuery>,
    method: Method,
    admitted: Admitted,
    headers: HeaderMap,
    wants: Wants,
) -> Response {
    let asked = Asked {
        files: &files,
        client: &client,
        method: &method,
        wants: &wants,
    };
    match asked.download(&token, &query, &admitted).await {
        Ok(response) => response,
        Err(problem) => refused(&headers, problem),
    }
}

/// A request for a download.
struct Asked<'a> {
    files: &'a Files,
    client: &'a Client,
    method: &'a Method,
    wants: &'a Wants,
}

impl Asked<'_> {
    async fn download(
        &self,
        token: &str,
        query: &KeyQuery,
        admitted: &Admitted,
    ) -> Answer<Response> {
        let (share, bucket, shared) = good(self.files, token).await?;
        if share.has_password && !self.has_key(&share, query) {
            return Err(Error::ShareLocked.into());
        }
        let mut response = match shared {
            Shared::File(_) => self.file(&share, &bucket).await?,
            Shared::Folder { .. } => self.folder(&share, &bucket).await?,
        };
        let begins = matches!(
            response.status(),
            StatusCode::OK | StatusCode::PARTIAL_CONTENT
        );
        if begins && self.method != Method::HEAD {
            let address = self.client.address();
            self.files
                .count_download(&share, address, from_start(&response))
                .await?;
        }
        admitted.release();
        page::private(response.headers_mut());
        Ok(response)
    }

    fn has_key(&self, share: &Share, query: &KeyQuery) -> bool {
        let (Some(expires), Some(key)) = (query.expires, query.key.as_deref()) else {
            return false;
        };
        let text = key_text(share, expires);
        self.files.signer().has_signed_text(KEY, &text, key) && expires > self.files.now().seconds()
    }

    async fn file(&self, share: &Share, bucket: &Bucket) -> Answer<Response> {
        let path: FilePath = share.path.parse().map_err(Error::from)?;
        let (file, content) = self.files.file_and_content(bucket, &path).await?;
        Ok(answer::content(&file, content, self.wants, true))
    }

    async fn folder(&self, share: &Share, bucket: &Arc<Bucket>) -> Answer<Response> {
        let name = if share.name().is_empty() {
            bucket.name.as_str()
        } else {
            share.name()
        };
        let mut response = if self.method == Method::HEAD {
            // Of a length that is not told, unlike an empty one.
            let untold = stream::empty::<Result<Bytes, Infallible>>();
            Response::new(Body::from_stream(untold))
        } else {
            let Zipped { length, body } = self.files.zipped(bucket, &share.path).await?;
            let mut response = Response::new(Body::from_stream(body));
            if let Some(length) = length {
                response.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
        let named = web::attachment(&format!("{name}.zip"));
        headers.insert(http::header::CONTENT_DISPOSITION, named);
        Ok(response)
    }
}

/// Whether an answer has the first byte.
fn from_start(response: &Response) -> bool {
    let range = response.headers().get(CONTENT_RANGE);
    let range = range.and_then(|value| value.to_str().ok());
    range.is_none_or(|range| range.starts_with("bytes 0-"))
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A page for people, a document for programs.
fn refused(headers: &HeaderMap, problem: Problem) -> Response {
    if wants_page(headers) {
        page::problem(&problem)
    } else {
        problem.into_response()
    }
}
