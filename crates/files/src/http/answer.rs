//! From a file to the answer that gives it.

use crate::Files;
use crate::bucket::Bucket;
use crate::file::File;
use crate::path::FilePath;
use crate::remembered::Content;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_DISPOSITION, HeaderName};
use http::{HeaderMap, HeaderValue};
use web::{Answer, Download, Wants};

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// What is at this path now, or the part of it that is wanted. `save`: as a file to be
/// kept, under its name.
pub(super) async fn current(
    files: &Files,
    (bucket, path): (&Bucket, &FilePath),
    wants: &Wants,
    save: bool,
) -> Answer<Response> {
    if let Some(known) = files.remembered().get(bucket.id, path.as_str()) {
        let download = known.described(described);
        let content = Content::Small(known.content.clone());
        return Ok(answered(download, &known.file, content, wants, save));
    }
    let (file, found) = files.file_and_content(bucket, path).await?;
    Ok(content(&file, found, wants, save))
}

/// The content, or the part of it that is wanted.
pub(super) fn content(file: &File, content: Content, wants: &Wants, save: bool) -> Response {
    answered(described(file), file, content, wants, save)
}

/// What every answer with this file says of it.
fn described(file: &File) -> Download {
    let mut download = Download::new(file.size)
        .media_type(&file.media_type)
        .etag(&file.etag)
        .modified(file.modified_at);
    for (name, value) in file.headers.iter() {
        if let Ok(value) = HeaderValue::from_str(value) {
            download = download.header(HeaderName::from_static(name), value);
        }
    }
    if let Some(digest) = file.sha256.as_deref().and_then(repr_digest) {
        download = download.header(REPR_DIGEST, digest);
    }
    download
}

fn answered(
    mut download: Download,
    file: &File,
    content: Content,
    wants: &Wants,
    save: bool,
) -> Response {
    if save {
        download = download.header(CONTENT_DISPOSITION, web::attachment(file.path.name()));
    }
    match content {
        Content::Stored(blob) => download.of_blob(wants, &blob),
        Content::Small(bytes) => download.of_bytes(wants, bytes),
        content @ Content::InStore(_) => {
            download.answer(wants, move |range| Body::from_stream(content.stream(range)))
        }
    }
}

/// RFC 9530 §3.
fn repr_digest(sha256: &str) -> Option<HeaderValue> {
    let bytes = data_encoding::HEXLOWER.decode(sha256.as_bytes()).ok()?;
    let text = format!("sha-256=:{}:", data_encoding::BASE64.encode(&bytes));
    HeaderValue::from_str(&text).ok()
}

/// The tag of a file, as an answer to a change carries it.
pub(super) fn tagged(file: &File) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", file.etag)) {
        headers.insert(http::header::ETAG, tag);
    }
    headers
}
