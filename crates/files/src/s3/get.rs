//! GetObject, HeadObject and GetObjectAttributes.

use super::error::Fault;
use super::{Service, body, path, release, versions};
use crate::bucket::Bucket;
use crate::file::File;
use crate::permit::Permission;
use base::Timestamp;
use data_encoding::{BASE64, HEXLOWER};
use http::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    self, ChecksumMode, ChecksumType, ETag, ETagCondition, GetObjectAttributesInput,
    GetObjectAttributesOutput, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ObjectAttributes,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) async fn get_object(
    service: &Service,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let caller = service.caller(&request).await?;
    let input = request.input;
    let path = path(&input.key)?;
    let bucket = service
        .permitted(
            caller.as_ref(),
            &input.bucket,
            path.as_str(),
            Permission::Read,
        )
        .await?;
    let wanted = input.version_id.as_deref();
    let (file, blob) = versions::content(service, caller.as_ref(), &bucket, &path, wanted).await?;
    Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    }
    .check(&file)?;
    only_part(input.part_number, &file)?;
    let range = match input.range {
        None => 0..file.size,
        Some(range) => range
            .check(file.size)
            .map_err(|_| unsatisfiable(file.size))?,
    };
    release(&request.extensions);
    let part = input.range.is_some();
    let asked = input.checksum_mode.filter(|_| !part);
    let shown = Shown::of(&file, &bucket);
    let sha256 = sha256(&file, asked.as_ref());
    Ok(S3Response::new(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(body::content(&blob, range.clone())),
        content_length: Some(signed(range.end - range.start)),
        content_range: part.then(|| content_range(&range, file.size)),
        content_type: Some(file.media_type),
        cache_control: file.headers.cache_control,
        content_disposition: file.headers.content_disposition,
        content_encoding: file.headers.content_encoding,
        content_language: file.headers.content_language,
        checksum_type: sha256.is_some().then(full_object),
        checksum_sha256: sha256,
        e_tag: Some(shown.etag),
        last_modified: Some(shown.modified),
        metadata: shown.metadata,
        missing_meta: shown.missing,
        tag_count: shown.tags,
        version_id: shown.version,
        ..GetObjectOutput::default()
    }))
}

pub(super) async fn head_object(
    service: &Service,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let caller = service.caller(&request).await?;
    let input = request.input;
    let path = path(&input.key)?;
    let bucket = service
        .permitted(
            caller.as_ref(),
            &input.bucket,
            path.as_str(),
            Permission::Read,
        )
        .await?;
    let version = input.version_id.as_deref();
    let file = versions::find(service, caller.as_ref(), &bucket, &path, version).await?;
    Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    }
    .check(&file)?;
    only_part(input.part_number, &file)?;
    let shown = Shown::of(&file, &bucket);
    let sha256 = sha256(&file, input.checksum_mode.as_ref());
    Ok(S3Response::new(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(signed(file.size)),
        content_type: Some(file.media_type),
        cache_control: file.headers.cache_control,
        content_disposition: file.headers.content_disposition,
        content_encoding: file.headers.content_encoding,
        content_language: file.headers.content_language,
        checksum_type: sha256.is_some().then(full_object),
        checksum_sha256: sha256,
        e_tag: Some(shown.etag),
        last_modified: Some(shown.modified),
        metadata: shown.metadata,
        missing_meta: shown.missing,
        version_id: shown.version,
        ..HeadObjectOutput::default()
    }))
}

pub(super) async fn get_object_attributes(
    service: &Service,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let path = path(&input.key)?;
    let bucket = service
        .permitted(
            Some(&caller),
            &input.bucket,
            path.as_str(),
            Permission::Read,
        )
        .await?;
    let version = input.version_id.as_deref();
    let file = versions::find(service, Some(&caller), &bucket, &path, version).await?;
    let asked = |what: &str| {
        let mut asked = input.object_attributes.iter();
        asked.any(|attribute| attribute.as_str() == what)
    };
    Ok(S3Response::new(GetObjectAttributesOutput {
        e_tag: asked(ObjectAttributes::ETAG).then(|| ETag::Strong(file.etag.clone())),
        object_size: asked(ObjectAttributes::OBJECT_SIZE).then(|| signed(file.size)),
        last_modified: Some(time(file.modified_at)),
        version_id: bucket.versions.then(|| file.id.to_string()),
        ..GetObjectAttributesOutput::default()
    }))
}

/// What is told of a file in headers.
struct Shown {
    etag: ETag,
    modified: dto::Timestamp,
    metadata: Option<dto::Metadata>,
    /// How much is said of it that no header can say.
    missing: Option<i32>,
    tags: Option<i32>,
    version: Option<String>,
}

impl Shown {
    fn of(file: &File, bucket: &Bucket) -> Self {
        let mut metadata = dto::Metadata::new();
        let mut missing = 0_i32;
        for (name, value) in &file.metadata {
            match value.as_str().filter(|text| sayable(name, text)) {
                Some(text) => drop(metadata.insert(name.clone(), text.to_owned())),
                None => missing += 1,
            }
        }
        let tags = i32::try_from(file.tags.len()).unwrap_or(i32::MAX);
        Self {
            etag: ETag::Strong(file.etag.clone()),
            modified: time(file.modified_at),
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
            missing: (missing > 0).then_some(missing),
            tags: (tags > 0).then_some(tags),
            version: bucket.versions.then(|| file.id.to_string()),
        }
    }
}

/// Whether this can stand in a header: what came over S3 can, what came over the API
/// need not.
fn sayable(name: &str, text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token) && !text.chars().any(char::is_control)
}

/// The SHA-256 of a file, for clients that want to compare it: of what came in parts they
/// expect another one.
fn sha256(file: &File, asked: Option<&ChecksumMode>) -> Option<String> {
    asked.filter(|mode| mode.as_str() == ChecksumMode::ENABLED)?;
    let hex = file
        .sha256
        .as_deref()
        .filter(|_| !file.etag.contains('-'))?;
    let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
    Some(BASE64.encode(&bytes))
}

fn full_object() -> ChecksumType {
    ChecksumType::from_static(ChecksumType::FULL_OBJECT)
}

/// What came in one part is its first part; where others were cut, nobody remembers.
fn only_part(number: Option<i32>, file: &File) -> Fault<()> {
    match number {
        None => Ok(()),
        Some(1) if !file.etag.contains('-') => Ok(()),
        Some(1..=10_000) if file.etag.contains('-') => Err(s3_error!(
            NotImplemented,
            "Single parts are not kept; ask for a range."
        )),
        Some(_) => Err(s3_error!(InvalidPart, "There is no such part.")),
    }
}

/// Under which conditions an answer is wanted (RFC 9110 §13.2.2).
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<dto::Timestamp>,
    pub(super) unmodified_since: Option<dto::Timestamp>,
}

/// What conditions say.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl Conditions {
    fn verdict(&self, file: &File) -> Verdict {
        let names = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(tag) => tag.value() == file.etag,
        };
        // Dates in headers have no fractions.
        let modified = file.modified_at.seconds();
        let failed = match (&self.if_match, &self.unmodified_since) {
            (Some(condition), _) => !names(condition),
            (None, Some(since)) => modified > seconds(since),
            (None, None) => false,
        };
        if failed {
            return Verdict::Failed;
        }
        let same = match (&self.if_none_match, &self.modified_since) {
            (Some(condition), _) => names(condition),
            (None, Some(since)) => modified <= seconds(since),
            (None, None) => false,
        };
        if same {
            Verdict::NotModified
        } else {
            Verdict::Proceed
        }
    }

    /// Whether a file may be answered.
    pub(super) fn check(&self, file: &File) -> Fault<()> {
        match self.verdict(file) {
            Verdict::Proceed => Ok(()),
            Verdict::Failed => Err(failed()),
            Verdict::NotModified => {
                let mut error = s3_error!(NotModified);
                let mut headers = HeaderMap::new();
                if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", file.etag)) {
                    headers.insert(ETAG, tag);
                }
                let at = httpdate::fmt_http_date(system_time(file.modified_at));
                if let Ok(at) = HeaderValue::from_str(&at) {
                    headers.insert(LAST_MODIFIED, at);
                }
                error.set_headers(headers);
                Err(error)
            }
        }
    }

    /// Whether a file may be copied: there is no "not modified" then.
    pub(super) fn check_source(&self, file: &File) -> Fault<()> {
        match self.verdict(file) {
            Verdict::Proceed => Ok(()),
            Verdict::Failed | Verdict::NotModified => Err(failed()),
        }
    }
}

fn failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "The file has changed since; look at it again before going on."
    )
}

fn unsatisfiable(size: u64) -> S3Error {
    let mut error = s3_error!(
        InvalidRange,
        "The range lies outside of the {} bytes that there are.",
        size
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
        headers.insert(CONTENT_RANGE, range);
    }
    error.set_headers(headers);
    error
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_micros(micros)
}

/// A time, as the library has it.
pub(super) fn time(at: Timestamp) -> dto::Timestamp {
    system_time(at).into()
}

fn seconds(at: &dto::Timestamp) -> i64 {
    let mut text = Vec::new();
    // A text of our own format is read again.
    let written = at.format(dto::TimestampFormat::EpochSeconds, &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    let whole = text.split('.').next().unwrap_or_default();
    written
        .ok()
        .and_then(|()| whole.parse().ok())
        .unwrap_or(i64::MIN)
}

/// A length, as the library has it.
pub(super) fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
