//! tus 1.0: uploads that go on after a break, for the clients that speak it.
//!
//! <https://tus.io/protocols/resumable-upload> with the extensions named in
//! [`desk::EXTENSIONS`]. What goes wrong is a problem document like everywhere else.

mod desk;
mod words;

use super::problem::MoreThanTheQuota;
use crate::Files;
use access::{Role, Scope};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
pub(super) use desk::bucket_of;
use desk::{Desk, Request, not_allowed, overridden};
use http::HeaderMap;
use std::sync::Arc;
use web::routes;
use web::{
    Admitted, AnswerTime, BodyLimit, By, Client, Elsewhere, Path, Requirement, RouteLimits, Routes,
    SettingsSource,
};

/// The routes of tus.
pub fn tus_routes(files: Files, settings: SettingsSource) -> Routes {
    let sends = Requirement::Role(Role::Viewer, Scope::FilesWrite);
    let elsewhere: Arc<dyn Elsewhere> = Arc::new(files.clone());
    // A large file takes its time; the silence within it is bounded.
    let flows = RouteLimits::default()
        .body(BodyLimit::Streamed)
        .time(AnswerTime::OwnLimit);
    // So do the pieces of one that are removed from a store.
    let lasts = RouteLimits::default().time(AnswerTime::OwnLimit);
    Routes::new()
        .add(Requirement::Public, routes!(tus_options))
        .add_within(flows, sends, routes!(tus_create))
        .add(sends, routes!(tus_head))
        .add_within(flows, sends, routes!(tus_append))
        .add_within(lasts, sends, routes!(tus_terminate))
        .add_within(flows, sends, routes!(tus_override))
        .or_elsewhere(&elsewhere)
        .with_state(Desk { files, settings })
}

/// What of tus is spoken here.
#[utoipa::path(
    options, path = "/tus", tag = "tus",
    responses((status = 204, description = "`Tus-Version`, `Tus-Extension`, `Tus-Max-Size`, `Tus-Checksum-Algorithm`."))
)]
async fn tus_options(State(desk): State<Desk>) -> Response {
    desk.answered(Ok(desk.options()))
}

/// Begin a resumable upload, or put whole parts together.
#[utoipa::path(
    post, path = "/tus", tag = "tus",
    params(
        ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0`."),
        ("Upload-Length" = Option<String>, Header, description = "The length in bytes."),
        ("Upload-Defer-Length" = Option<String>, Header, description = "`1`: it will be said later."),
        ("Upload-Metadata" = Option<String>, Header, description = "`bucket` (`files` when absent), `path` or `filename`, `filetype`, and what is kept as metadata; each with its value in Base64."),
        ("Upload-Concat" = Option<String>, Header, description = "`partial`, or `final;` and the addresses of the parts."),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1`, `sha256` or `md5`, and the digest of this body in Base64."),
        ("If-Match" = Option<String>, Header, description = "What must be at the path in the end."),
        ("If-None-Match" = Option<String>, Header, description = "What must not be there; `*` for anything."),
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 201, description = "It has begun; `Location` is its address."),
        (status = 204, description = "What of tus is spoken here, where `X-HTTP-Method-Override` asks for it."),
        (status = 404, description = "There is no such bucket or part.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 405, description = "`X-HTTP-Method-Override` names another method.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "A part has expired.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus, or something else is at the path.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "A body that is no `application/offset+octet-stream`.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request holds it.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 460, description = "Its bytes are not those of the checksum.", body = web::ProblemDocument, content_type = "application/problem+json"),
        MoreThanTheQuota,
    )
)]
async fn tus_create(
    State(desk): State<Desk>,
    By(caller): By,
    client: Client,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match overridden(&headers).as_deref() {
        None | Some("POST") => {}
        Some("OPTIONS") => return desk.answered(Ok(desk.options())),
        Some(_) => return desk.answered(Err(not_allowed())),
    }
    let request = Request {
        caller,
        admitted,
        headers,
        body,
    };
    desk.answered(desk.create(&client, request).await)
}

/// How far a resumable upload has come.
///
/// HEAD is what tus asks with; GET answers the same, for proxies that make one of the
/// other. A request that still sends to the upload is ended.
#[utoipa::path(
    get, path = "/tus/{id}", tag = "tus",
    params(
        ("id" = String, Path, description = "The upload's id."),
        ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0`."),
    ),
    responses(
        (status = 200, description = "`Upload-Offset` says how far, `Upload-Length` how long it is."),
        (status = 409, description = "What became of it cannot be kept.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It has expired.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus, or something else is at the path.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request holds it.", body = web::ProblemDocument, content_type = "application/problem+json"),
        MoreThanTheQuota,
    )
)]
async fn tus_head(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    desk.answered(desk.head(&caller, &id, &headers).await)
}

/// Go on with a resumable upload: the body is what comes at `Upload-Offset`.
#[utoipa::path(
    patch, path = "/tus/{id}", tag = "tus",
    params(
        ("id" = String, Path, description = "The upload's id."),
        ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0`."),
        ("Upload-Offset" = Option<String>, Header, description = "Where the body goes on."),
        ("Upload-Length" = Option<String>, Header, description = "The length, where it was not said yet."),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1`, `sha256` or `md5`, and the digest of this body in Base64."),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "It is kept; `Upload-Offset` says how far the upload has come."),
        (status = 409, description = "It goes on somewhere else.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It has expired.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus, or something else is at the path.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is no `application/offset+octet-stream`.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request goes on with it.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 460, description = "The bytes are not those of the checksum.", body = web::ProblemDocument, content_type = "application/problem+json"),
        MoreThanTheQuota,
    )
)]
async fn tus_append(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request = Request {
        caller,
        admitted,
        headers,
        body,
    };
    desk.answered(desk.append(&id, request).await)
}

/// End a resumable upload, and remove what has come of it.
#[utoipa::path(
    delete, path = "/tus/{id}", tag = "tus",
    params(
        ("id" = String, Path, description = "The upload's id."),
        ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0`."),
    ),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is a file already.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It has expired.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request holds it.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn tus_terminate(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    desk.answered(desk.terminate(&caller, &id, &headers).await)
}

/// The method that `X-HTTP-Method-Override` names, for clients and proxies that know
/// GET and POST alone.
#[utoipa::path(
    post, path = "/tus/{id}", tag = "tus",
    params(
        ("id" = String, Path, description = "The upload's id."),
        ("X-HTTP-Method-Override" = Option<String>, Header, description = "`PATCH`, `HEAD` or `DELETE`."),
        ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0`."),
        ("Upload-Offset" = Option<String>, Header, description = "Where the body goes on."),
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 200, description = "As HEAD."),
        (status = 204, description = "As PATCH and DELETE."),
        (status = 405, description = "It names no such method.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It goes on somewhere else.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It has expired.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus, or something else is at the path.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is no `application/offset+octet-stream`.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request goes on with it.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 460, description = "The bytes are not those of the checksum.", body = web::ProblemDocument, content_type = "application/problem+json"),
        MoreThanTheQuota,
    )
)]
async fn tus_override(
    State(desk): State<Desk>,
    By(caller): By,
    Path(id): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = match overridden(&headers).as_deref() {
        Some("PATCH") => {
            let request = Request {
                caller,
                admitted,
                headers,
                body,
            };
            desk.append(&id, request).await
        }
        Some("HEAD") => desk.head(&caller, &id, &headers).await,
        Some("DELETE") => desk.terminate(&caller, &id, &headers).await,
        _ => Err(not_allowed()),
    };
    desk.answered(answer)
}
