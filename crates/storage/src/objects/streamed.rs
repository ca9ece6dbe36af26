//! An object whose bytes come while they are sent: one request, and none of it in memory
//! but what is on its way.
//!
//! The store has all of it or nothing: a request that breaks off leaves nothing behind,
//! also where nobody lives to tidy up.

use super::answer::{etag_in, judged};
use super::{Ask, ON_TOP, ObjectError, ObjectHeaders, ObjectStore, Result};
use data_encoding::HEXLOWER;
use fetch::Streamed;
use http::{HeaderMap, Method};
use md5::{Digest, Md5};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The largest object that stores take in one request, in bytes.
pub const MOST_AT_ONCE: u64 = 5 << 30;
/// How many bytes a second a store looks through at least before it answers.
const LOOKED_THROUGH: u64 = 64 << 20;

impl ObjectStore {
    /// Stores an object of at most [`MOST_AT_ONCE`] bytes, which come while they are sent
    /// and are not sent again; its ETag. What the store has then is compared with what was
    /// sent: by the MD5, or by the length where the store names none.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. It may be there then, but for
    /// [`ObjectError::Garbled`].
    pub async fn put_streamed(
        &self,
        key: &str,
        body: Streamed,
        headers: &ObjectHeaders,
    ) -> Result<String> {
        let length = body.length();
        let sent = Sent::default();
        let seen = sent.clone();
        let body = body.seen_by(move |piece| seen.update(piece));
        let full = self.full_key(key);
        let ask = Ask {
            method: Method::PUT,
            key: &full,
            headers: headers.pairs(),
            ..Ask::default()
        };
        let client = &self.0.writes;
        let patience = ON_TOP + Duration::from_secs(length / LOOKED_THROUGH);
        let request = self.request(client, ask)?.patience(patience);
        let response = client.upload(request, body, &self.0.cancel).await?;
        let response = judged(response).await?;
        let etag = etag_in(response.headers());
        let etag = etag.ok_or(ObjectError::Answer("it names no ETag"))?;
        if !is_md5(&etag, response.headers()) {
            let head = self.head(key).await?;
            let same = head.is_some_and(|head| head.size == length);
            return same.then_some(etag).ok_or(ObjectError::Garbled);
        }
        if etag.eq_ignore_ascii_case(&sent.md5()) {
            return Ok(etag);
        }
        // Its length may be right: nobody shall take it for what was sent.
        self.delete(key).await?;
        Err(ObjectError::Garbled)
    }
}

/// The MD5 of what was sent so far.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Md5>>);

impl Sent {
    fn update(&self, piece: &[u8]) {
        let mut md5 = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        md5.update(piece);
    }

    fn md5(&self) -> String {
        let md5 = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HEXLOWER.encode(&md5.clone().finalize())
    }
}

/// Whether an ETag is the MD5 of an object that was put with this answer. Of one that the
/// store encrypted with a key of somebody's it only looks like that.
fn is_md5(etag: &str, headers: &HeaderMap) -> bool {
    let of = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    let by_key = of("x-amz-server-side-encryption").is_some_and(|by| by.starts_with(b"aws:kms"))
        || of("x-amz-server-side-encryption-customer-algorithm").is_some();
    !by_key && etag.len() == 32 && etag.bytes().all(|letter| letter.is_ascii_hexdigit())
}
