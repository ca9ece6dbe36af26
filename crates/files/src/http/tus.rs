//! tus 1.0: uploads that go on after a break, for the clients that speak it.
//!
//! <https://tus.io/protocols/resumable-upload> with the extensions named in
//! [`EXTENSIONS`]. What goes wrong is a problem document like everywhere else.

mod words;

use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::permit::{Permission, Writer};
use crate::upload::{Appending, Checksum, NewUpload, Upload, UploadKind};
use crate::{Error, Files};
use access::{Caller, Role, Scope};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Timestamp, UploadId};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use utoipa_axum::routes;
use web::{
    Admitted, Answer, AnswerTime, BodyLimit, By, Client, Elsewhere, Path, Problem, Requirement,
    RouteLimits, Routes, SettingsSource,
};
use words::{Concat, Said};

/// The version of the protocol.
const VERSION: &str = "1.0.0";
/// What is spoken beyond its core.
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,\
    termination,checksum,concatenation";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// What the handlers share.
#[derive(Clone, Debug)]
struct Desk {
    files: Files,
    settings: SettingsSource,
}

/// The routes of tus.
pub fn tus_routes(files: Files, settings: SettingsSource) -> Routes {
    let sends = Requirement::Role(Role::Viewer, Scope::FilesWrite);
    let elsewhere: Arc<dyn Elsewhere> = Arc::new(files.clone());
    // A large file takes its time; the silence within it is bounded.
    let flows = RouteLimits::default()
        .body(BodyLimit::Streamed)
        .time(AnswerTime::OwnLimit);
    Routes::new()
        .add(Requirement::Public, routes!(tus_options))
        .add_within(flows, sends, routes!(tus_create))
        .add(sends, routes!(tus_head))
        .add_within(flows, sends, routes!(tus_append))
        .add(sends, routes!(tus_terminate))
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
        (status = 507, description = "It is more than the quota allows.", body = web::ProblemDocument, content_type = "application/problem+json"),
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
        (status = 507, description = "It is more than the quota allows.", body = web::ProblemDocument, content_type = "application/problem+json"),
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
        (status = 507, description = "It is more than the quota allows.", body = web::ProblemDocument, content_type = "application/problem+json"),
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
        (status = 507, description = "It is more than the quota allows.", body = web::ProblemDocument, content_type = "application/problem+json"),
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

/// A request that brings bytes.
struct Request {
    caller: Caller,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
}

impl Desk {
    fn options(&self) -> Response {
        let max = self.files.settings().max_file_bytes;
        let headers = [
            (TUS_VERSION, HeaderValue::from_static(VERSION)),
            (TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS)),
            (TUS_MAX_SIZE, HeaderValue::from(max)),
            (
                TUS_CHECKSUM_ALGORITHM,
                HeaderValue::from_static(Checksum::ALGORITHMS),
            ),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }

    async fn create(&self, client: &Client, request: Request) -> Answer<Response> {
        let headers = &request.headers;
        speaks(headers)?;
        let said = Said::of(headers)?;
        let upload = match Concat::of(headers)? {
            Some(Concat::Final { named, parts }) => {
                if headers.contains_key(UPLOAD_LENGTH) || headers.contains_key(UPLOAD_DEFER_LENGTH)
                {
                    let text = "what is put together is as long as its parts; leave it out";
                    return Err(Problem::invalid("upload-length", "unexpected", text));
                }
                let place = self.place(&request.caller, &said).await?;
                let new = said.upload(Some(place), super::request::expect(headers)?);
                let by = Writer::from(&request.caller);
                request.admitted.release();
                self.files.join_uploads(&by, parts, named, new).await?
            }
            concat => {
                let part = concat.is_some();
                let place = if part {
                    self.place_of_part(&request.caller, &said).await?
                } else {
                    Some(self.place(&request.caller, &said).await?)
                };
                let new = NewUpload {
                    part,
                    length: words::length(headers)?,
                    ..said.upload(place, super::request::expect(headers)?)
                };
                let checksum = words::checksum(headers)?;
                let brings = words::brings_bytes(headers)?;
                let by = Writer::from(&request.caller);
                let upload = self.files.begin_upload(&by, new).await?;
                if brings {
                    self.begin_with(&by, upload, checksum, request).await?
                } else {
                    upload
                }
            }
        };
        let mut answer = standing(&upload);
        if let Ok(location) = HeaderValue::from_str(&self.location(client, upload.id)) {
            answer.insert(LOCATION, location);
        }
        Ok((StatusCode::CREATED, answer).into_response())
    }

    /// The first bytes, which come along. Where they are refused, the sender is not told
    /// of the upload, so that there must be none.
    async fn begin_with(
        &self,
        by: &Writer,
        upload: Upload,
        checksum: Option<Checksum>,
        request: Request,
    ) -> Answer<Upload> {
        let appending = Appending {
            announced: words::announced(&request.headers),
            checksum,
            ..Appending::default()
        };
        request.admitted.release();
        let body = request.body.into_data_stream();
        let id = upload.id;
        match self.files.append(by, id, appending, body).await {
            Ok(upload) => Ok(upload),
            Err(error) => {
                match self.files.terminate_upload(by, id).await {
                    Ok(()) | Err(Error::NoUpload) => {}
                    Err(error) => tracing::warn!(%error, "an upload that was refused is left"),
                }
                Err(error.into())
            }
        }
    }

    /// Where the file shall be, if the caller may put one there.
    async fn place(&self, caller: &Caller, said: &Said) -> Answer<(Arc<Bucket>, FilePath)> {
        let path = said.path.clone().ok_or_else(words::no_path)?;
        let name = said.bucket.as_deref().unwrap_or(crate::DEFAULT_BUCKET);
        let bucket = self.files.bucket(name)?;
        self.files
            .permit(Some(caller), &bucket, path.as_str(), Permission::Write)
            .await?;
        Ok((bucket, path))
    }

    /// A part need not say where it goes, but its sender must be one who may put
    /// something somewhere.
    async fn place_of_part(
        &self,
        caller: &Caller,
        said: &Said,
    ) -> Answer<Option<(Arc<Bucket>, FilePath)>> {
        if said.path.is_some() {
            return self.place(caller, said).await.map(Some);
        }
        let buckets = match &said.bucket {
            Some(name) => vec![self.files.bucket(name)?],
            None => self.files.all_buckets(),
        };
        let mut refused = Error::Forbidden { what: "write" };
        for bucket in buckets {
            let permitted = self
                .files
                .permit(Some(caller), &bucket, "", Permission::Write);
            match permitted.await {
                Ok(()) => return Ok(None),
                Err(error) => refused = error,
            }
        }
        Err(refused.into())
    }

    async fn append(&self, id: &str, request: Request) -> Answer<Response> {
        let headers = &request.headers;
        speaks(headers)?;
        if !words::brings_bytes(headers)? {
            return Err(words::unsupported_media_type());
        }
        self.introduce(&request.caller, id).await?;
        let by = Writer::from(&request.caller);
        let upload = self.files.upload(&by, id_of(id)?).await?;
        if let Some((bucket, path)) = self.files.place_of_upload(&upload) {
            let caller = Some(&request.caller);
            self.files
                .permit(caller, &bucket, path.as_str(), Permission::Write)
                .await?;
        }
        let appending = Appending {
            offset: words::offset(headers)?,
            length: words::number(headers, &UPLOAD_LENGTH)?,
            announced: words::announced(headers),
            checksum: words::checksum(headers)?,
        };
        // Whoever sends for long is no reason for others to wait.
        request.admitted.release();
        let body = request.body.into_data_stream();
        let upload = self.files.append(&by, upload.id, appending, body).await?;
        Ok((StatusCode::NO_CONTENT, standing(&upload)).into_response())
    }

    async fn head(&self, caller: &Caller, id: &str, headers: &HeaderMap) -> Answer<Response> {
        speaks(headers)?;
        self.introduce(caller, id).await?;
        let by = Writer::from(caller);
        let upload = self.files.settled_upload(&by, id_of(id)?).await?;
        let mut answer = standing(&upload);
        match upload.length {
            Some(length) => answer.insert(UPLOAD_LENGTH, HeaderValue::from(length)),
            None => answer.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
        };
        let concat = match upload.kind {
            UploadKind::Whole => "",
            UploadKind::Part => "partial",
            UploadKind::Joined => &upload.parts,
        };
        for (name, text) in [
            (UPLOAD_METADATA, upload.said.as_str()),
            (UPLOAD_CONCAT, concat),
        ] {
            if !text.is_empty()
                && let Ok(value) = HeaderValue::from_str(text)
            {
                answer.insert(name, value);
            }
        }
        Ok((StatusCode::OK, answer).into_response())
    }

    async fn terminate(&self, caller: &Caller, id: &str, headers: &HeaderMap) -> Answer<Response> {
        speaks(headers)?;
        self.introduce(caller, id).await?;
        let by = Writer::from(caller);
        self.files.terminate_upload(&by, id_of(id)?).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// Asks who a guest is, of whom an upload may be: whoever decides about where it goes
    /// says so.
    async fn introduce(&self, caller: &Caller, id: &str) -> Answer<()> {
        if caller.as_guest().is_none() {
            return Ok(());
        }
        let place = self.files.place_of_any_upload(id_of(id)?).await?;
        let (bucket, path) = place.ok_or(Error::NoUpload)?;
        self.files
            .permit(Some(caller), &bucket, &path, Permission::Write)
            .await?;
        Ok(())
    }

    /// The address of an upload, as its sender reaches it.
    fn location(&self, client: &Client, id: UploadId) -> String {
        let origin = client.origin(&self.settings.borrow()).unwrap_or_default();
        format!("{origin}/tus/{id}")
    }

    /// What every answer has.
    #[allow(clippy::unused_self, reason = "reads as the desk's last step")]
    fn answered(&self, answer: Answer<Response>) -> Response {
        let mut response = match answer {
            Ok(response) => response,
            Err(problem) => problem
                .with_header(TUS_RESUMABLE, HeaderValue::from_static(VERSION))
                .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
                .into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The bucket that an upload is about to go to, by what its sender says.
pub(super) fn bucket_of(headers: &HeaderMap) -> String {
    let said = Said::of(headers).ok().and_then(|said| said.bucket);
    said.unwrap_or_else(|| crate::DEFAULT_BUCKET.to_owned())
}

fn id_of(text: &str) -> Answer<UploadId> {
    Ok(text.parse().map_err(|_| Error::NoUpload)?)
}

/// # Errors
/// When the client does not say that it speaks this version.
fn speaks(headers: &HeaderMap) -> Answer<()> {
    let said = headers.get(TUS_RESUMABLE);
    if said.is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "tus-version",
        "This is tus 1.0.0; say so in `Tus-Resumable`, and speak it.",
    )
    .with_header(TUS_VERSION, HeaderValue::from_static(VERSION)))
}

/// The method that the client means, where it cannot send it.
fn overridden(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(METHOD_OVERRIDE)?.to_str().ok()?;
    Some(text.trim().to_ascii_uppercase())
}

fn not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Name PATCH, HEAD or DELETE in `X-HTTP-Method-Override`, or send them.",
    )
}

/// How far an upload has come, and until when it is kept.
fn standing(upload: &Upload) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(upload.received));
    if !upload.done
        && let Some(expires) = http_date(upload.expires_at)
    {
        headers.insert(UPLOAD_EXPIRES, expires);
    }
    headers
}

fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(at.seconds()).ok()?;
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::from_str(&text).ok()
}
