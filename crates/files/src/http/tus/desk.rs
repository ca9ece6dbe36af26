//! What the routes of tus do, in its words.

use super::words::{self, Concat, Said};
use crate::bucket::Bucket;
use crate::grant::Within;
use crate::path::FilePath;
use crate::permit::{Permission, Writer};
use crate::quota::{Counted, Wanted};
use crate::upload::{Appending, Checksum, NewUpload, Upload, UploadKind};
use crate::{Error, Files};
use access::Caller;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base::{Timestamp, UploadId};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use web::{Admitted, Answer, Client, Problem, SettingsSource};

/// The version of the protocol.
const VERSION: &str = "1.0.0";
/// What is spoken beyond its core.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,\
    termination,checksum,concatenation";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) files: Files,
    pub(super) settings: SettingsSource,
}

/// A request that brings bytes.
pub(super) struct Request {
    pub(super) caller: Caller,
    pub(super) admitted: Admitted,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Desk {
    pub(super) fn options(&self) -> Response {
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

    pub(super) async fn create(&self, client: &Client, request: Request) -> Answer<Response> {
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
                let new = said.upload(Some(place), super::super::request::expect(headers)?);
                let by = Writer::from(&request.caller);
                request.admitted.release();
                self.files.join_uploads(&by, parts, named, new).await?
            }
            concat => {
                let (part, length) = (concat.is_some(), words::length(headers)?);
                let (mut place, mut room) = (None, None);
                // A part need not say where it goes.
                if part && said.path.is_none() {
                    let bytes = length.unwrap_or(0);
                    room = Some(self.room_of_part(&request.caller, &said, bytes).await?);
                } else {
                    place = Some(self.place(&request.caller, &said).await?);
                }
                let new = NewUpload {
                    room,
                    part,
                    length,
                    ..said.upload(place, super::super::request::expect(headers)?)
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

    /// The bucket against whose limits a part counts that does not say where it goes: its
    /// sender must be one who may put something somewhere, and there must be room for it there.
    async fn room_of_part(&self, caller: &Caller, said: &Said, bytes: u64) -> Answer<Arc<Bucket>> {
        let buckets = match &said.bucket {
            Some(name) => vec![self.files.bucket(name)?],
            None => self.files.all_buckets(),
        };
        let mut refused = Error::Forbidden { what: "write" };
        for bucket in buckets {
            match self.has_room(caller, &bucket, bytes).await {
                Ok(()) => return Ok(bucket),
                // That one could, if there were room, says more than that one may not elsewhere.
                Err(_) if matches!(refused, Error::Quota { .. }) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused.into())
    }

    /// Whether this caller may put so much somewhere in a bucket: below one prefix will do.
    async fn has_room(&self, caller: &Caller, bucket: &Bucket, bytes: u64) -> Result<(), Error> {
        let writes = |within: &Within| within.actions.contains(&Permission::Write);
        if !self.files.within(caller, bucket).iter().any(writes) {
            self.files
                .permit(Some(caller), bucket, "", Permission::Write)
                .await?;
        }
        let wanted = Wanted {
            path: None,
            account: Writer::from(caller).account,
            bytes,
            counted: Counted::default(),
        };
        self.files.check_quota(bucket, wanted).await
    }

    pub(super) async fn append(&self, id: &str, request: Request) -> Answer<Response> {
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

    pub(super) async fn head(
        &self,
        caller: &Caller,
        id: &str,
        headers: &HeaderMap,
    ) -> Answer<Response> {
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

    pub(super) async fn terminate(
        &self,
        caller: &Caller,
        id: &str,
        headers: &HeaderMap,
    ) -> Answer<Response> {
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
    pub(super) fn answered(&self, answer: Answer<Response>) -> Response {
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
pub(in super::super) fn bucket_of(headers: &HeaderMap) -> String {
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
pub(super) fn overridden(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(METHOD_OVERRIDE)?.to_str().ok()?;
    Some(text.trim().to_ascii_uppercase())
}

pub(super) fn not_allowed() -> Problem {
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
