//! What an answer of a store says of how it went.

use super::{MOST_ANSWER, ObjectError, Result, xml};
use fetch::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The longest document of an error that is looked at.
const MOST_ERROR: usize = 64 * 1024;
const _: () = assert!(MOST_ERROR <= MOST_ANSWER);

/// The answer, if it is a success.
pub(super) async fn judged(mut response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    // Answers to HEAD have no document; neither must every other.
    let text = response.read_all(MOST_ERROR).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let said = xml::error_in(&text);
    let code = said.as_ref().map(|(code, _)| code.as_str());
    match (status, code) {
        (StatusCode::NOT_FOUND, None | Some("NoSuchKey" | "NotFound")) => {
            return Err(ObjectError::NoObject);
        }
        (StatusCode::PRECONDITION_FAILED, _) => return Err(ObjectError::Changed),
        _ => {}
    }
    let region = response.headers().get("x-amz-bucket-region");
    let region = region.and_then(|region| region.to_str().ok());
    let (code, message) = said.unwrap_or_else(|| {
        let reason = status.canonical_reason().unwrap_or("an error");
        (reason.to_owned(), "it gives no reason".to_owned())
    });
    // Where the region is right, it is no remedy.
    let elsewhere = status.is_redirection() || status == StatusCode::BAD_REQUEST;
    let region = region.filter(|_| elsewhere);
    let refused = ObjectError::refused(status, code, message, region);
    Err(refused.asking_for(response.retry_after()))
}

/// The ETag in headers, without its quotes.
pub(super) fn etag_in(headers: &HeaderMap) -> Option<String> {
    Some(unquoted(headers.get(header::ETAG)?.to_str().ok()?))
}

/// The MD5 of an object in the headers of an answer, in small letters, where its ETag is one.
/// Of an object that the store encrypted with a key of somebody's it only looks like that.
pub(super) fn md5_in(headers: &HeaderMap) -> Option<String> {
    let of = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let by_key = of("x-amz-server-side-encryption").is_some_and(|by| by.starts_with(b"aws:kms"))
        || of("x-amz-server-side-encryption-customer-algorithm").is_some();
    let etag = etag_in(headers).filter(|_| !by_key)?;
    let is_md5 = etag.len() == 32 && etag.bytes().all(|letter| letter.is_ascii_hexdigit());
    is_md5.then(|| etag.to_ascii_lowercase())
}

pub(super) fn unquoted(etag: &str) -> String {
    etag.trim().trim_matches('"').to_owned()
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
