//! An object whose bytes come while they are sent: one request, and none of it in memory
//! but what is on its way.
//!
//! The store has all of it or nothing: a request that breaks off leaves nothing behind,
//! also where nobody lives to tidy up.

use super::answer::{etag_in, judged, md5_in};
use super::multipart::of_part;
use super::{Ask, ON_TOP, ObjectError, ObjectHeaders, ObjectStore, Result};
use data_encoding::HEXLOWER;
use fetch::Streamed;
use http::Method;
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
    /// sent: by the MD5, or by the length where the store names none. Where the source
    /// names the `md5` of the content, the store's is compared with that one, and nothing is
    /// hashed on the way.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. It may be there then, but for
    /// [`ObjectError::Garbled`].
    pub async fn put_streamed(
        &self,
        key: &str,
        body: Streamed,
        headers: &ObjectHeaders,
        md5: Option<&str>,
    ) -> Result<String> {
        let length = body.length();
        let full = self.full_key(key);
        let ask = Ask {
            method: Method::PUT,
            key: &full,
            headers: headers.pairs(),
            ..Ask::default()
        };
        let taken = self.stream(ask, body, md5).await?;
        match taken.is_whole {
            Some(true) => Ok(taken.etag),
            // Its length may be right: nobody shall take it for what was sent.
            Some(false) => {
                self.delete(key).await?;
                Err(ObjectError::Garbled)
            }
            None => {
                let head = self.head(key).await?;
                let same = head.is_some_and(|head| head.size == length);
                same.then_some(taken.etag).ok_or(ObjectError::Garbled)
            }
        }
    }

    /// Stores one part, from 1 to [`MOST_PARTS`](super::MOST_PARTS), which comes while it is
    /// sent and is not sent again; its ETag.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. [`ObjectError::Garbled`]: it is to be
    /// sent again, in the place of what the store has.
    pub async fn put_part_streamed(
        &self,
        key: &str,
        id: &str,
        number: u16,
        body: Streamed,
    ) -> Result<String> {
        let full = self.full_key(key);
        let ask = Ask {
            method: Method::PUT,
            key: &full,
            query: of_part(id, number),
            ..Ask::default()
        };
        let taken = self.stream(ask, body, None).await?;
        if taken.is_whole == Some(false) {
            return Err(ObjectError::Garbled);
        }
        Ok(taken.etag)
    }

    /// Sends what comes, and compares what the store says of it with its `md5`, which is
    /// computed on the way where nobody knows it.
    async fn stream(&self, ask: Ask<'_>, body: Streamed, md5: Option<&str>) -> Result<Taken> {
        let length = body.length();
        let sent = Sent::default();
        let seen = sent.clone();
        let body = match md5 {
            Some(_) => body,
            None => body.seen_by(move |piece| seen.update(piece)),
        };
        let client = &self.0.writes;
        let patience = ON_TOP + Duration::from_secs(length / LOOKED_THROUGH);
        let request = self.request(client, ask)?.patience(patience);
        let response = client.upload(request, body, &self.0.cancel).await?;
        let response = judged(response).await?;
        let etag = etag_in(response.headers());
        let etag = etag.ok_or(ObjectError::Answer("it names no ETag"))?;
        let is_whole = md5_in(response.headers()).map(|said| match md5 {
            Some(md5) => said.eq_ignore_ascii_case(md5),
            None => said == sent.md5(),
        });
        Ok(Taken { etag, is_whole })
    }
}

/// What a store says of what it took.
struct Taken {
    etag: String,
    /// Whether it is what was sent, where the store says so much of it.
    is_whole: Option<bool>,
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
