//! Reading an object: piece by piece, and from where it broke off.

use super::answer::{judged, quoted};
use super::{Ask, ObjectError, ObjectHead, ObjectStore, Result};
use bytes::Bytes;
use fetch::{FetchError, Response};
use futures::stream::{self, BoxStream, StreamExt};
use http::Method;
use std::fmt;
use std::ops::Range;

/// How often in a row a body that breaks off is asked for again.
const TRIES: u32 = 3;

/// An object's bytes on their way.
pub struct ObjectRead {
    store: ObjectStore,
    key: String,
    head: ObjectHead,
    /// What is still to come.
    left: Range<u64>,
    response: Option<Response>,
    broke: u32,
}

impl ObjectRead {
    pub(super) async fn open(
        store: ObjectStore,
        key: String,
        range: Option<Range<u64>>,
        if_match: Option<&str>,
    ) -> Result<Self> {
        let response = ask(&store, &key, range.clone(), if_match).await?;
        let head = ObjectHead::of(&response)?;
        // Some stores do not look at conditions of a GET.
        if if_match.is_some_and(|etag| etag != head.etag) {
            return Err(ObjectError::Changed);
        }
        let left = range.unwrap_or(0..head.size);
        let left = left.start..left.end.min(head.size);
        Self {
            store,
            key,
            head,
            left,
            response: Some(response),
            broke: 0,
        }
        .checked()
    }

    fn checked(self) -> Result<Self> {
        let offset = self.response.as_ref().map_or(0, Response::offset);
        if offset == self.left.start {
            return Ok(self);
        }
        Err(ObjectError::Answer(
            "it sends the whole where a part was asked for",
        ))
    }

    /// What the store said of the object.
    #[must_use]
    pub const fn head(&self) -> &ObjectHead {
        &self.head
    }

    /// The next piece, never empty; nothing at the end.
    ///
    /// # Errors
    /// When it broke off for good, or is another object by now.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.left.is_empty() {
                self.response = None;
                return Ok(None);
            }
            let piece = match &mut self.response {
                Some(response) => response.next_chunk().await,
                None => return Err(ObjectError::Stopped),
            };
            match piece {
                Ok(Some(mut bytes)) => {
                    let most = self.left.end - self.left.start;
                    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                    self.left.start += bytes.len() as u64;
                    self.broke = 0;
                    return Ok(Some(bytes));
                }
                Ok(None) => return Err(ObjectError::Answer("an object ended early")),
                Err(error) => self.go_on(error).await?,
            }
        }
    }

    /// Asks for the rest after a break.
    async fn go_on(&mut self, error: FetchError) -> Result<()> {
        self.response = None;
        let may_pass = matches!(
            error,
            FetchError::Truncated { .. }
                | FetchError::Broken { .. }
                | FetchError::SilenceTimeout { .. }
        );
        self.broke += 1;
        if !may_pass || self.broke > TRIES {
            return Err(error.into());
        }
        tracing::debug!(%error, "an object broke off and is asked for again");
        let (range, etag) = (self.left.clone(), self.head.etag.clone());
        let response = ask(&self.store, &self.key, Some(range), Some(&etag)).await?;
        // Some stores do not look at conditions of a GET.
        let head = ObjectHead::of(&response)?;
        if head.etag != etag || head.size != self.head.size {
            return Err(ObjectError::Changed);
        }
        if response.offset() != self.left.start {
            return Err(error.into());
        }
        self.response = Some(response);
        Ok(())
    }

    /// All of it, as a stream. A body that broke off ends with an error.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, crate::Result<Bytes>> {
        stream::try_unfold(self, |mut read| async move {
            let piece = read.next().await?;
            Ok::<_, crate::Error>(piece.map(|piece| (piece, read)))
        })
        .boxed()
    }
}

async fn ask(
    store: &ObjectStore,
    key: &str,
    range: Option<Range<u64>>,
    if_match: Option<&str>,
) -> Result<Response> {
    let condition = if_match.map(|etag| ("if-match".to_owned(), quoted(etag)));
    let ask = Ask {
        method: Method::GET,
        key,
        headers: condition.into_iter().collect(),
        range,
        ..Ask::default()
    };
    judged(store.send(&store.0.reads, ask).await?).await
}

impl fmt::Debug for ObjectRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectRead({:?})", self.left)
    }
}
