//! Writing an object of any length with little memory: what is small goes as a whole at
//! the end, what is large in parts as it comes. Until the writer is told to place it,
//! nobody sees it; dropped before, nothing is left of it.

use super::multipart::MOST_PARTS;
use super::{ObjectError, ObjectHeaders, ObjectStore, Result};
use bytes::{Bytes, BytesMut};
use data_encoding::BASE64;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// The first parts, in bytes.
const PART: usize = 8 << 20;
/// After so many parts they are twice as large, so that 10,000 suffice for any object.
const DOUBLE_AFTER: u16 = 1000;
/// How long giving up what came of an object may take.
const PATIENCE: Duration = Duration::from_secs(60);

const fn part_size(number: u16) -> usize {
    PART << (number.saturating_sub(1) / DOUBLE_AFTER)
}

/// An object that comes in. At most about two parts of it are in memory: the one that is
/// on its way to the store, and the one that is being gathered.
pub struct ObjectWriter {
    store: ObjectStore,
    key: String,
    headers: ObjectHeaders,
    sha256: Sha256,
    md5: Md5,
    gathered: BytesMut,
    size: u64,
    parts: Option<Parts>,
}

impl ObjectWriter {
    pub(super) fn new(store: ObjectStore, key: String, headers: ObjectHeaders) -> Self {
        Self {
            store,
            key,
            headers,
            sha256: Sha256::new(),
            md5: Md5::new(),
            gathered: BytesMut::new(),
            size: 0,
            parts: None,
        }
    }

    /// How many bytes were given so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.size
    }

    /// What is stored with it, if it is known in time: before the first part is on its way.
    pub fn describe(&mut self, headers: ObjectHeaders) {
        self.headers = headers;
    }

    /// Appends bytes, and waits where the store does not take them as fast.
    ///
    /// # Errors
    /// What the store says. The object cannot be placed then.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        self.sha256.update(&bytes);
        self.md5.update(&bytes);
        self.size += bytes.len() as u64;
        loop {
            let wanted = self.part_size() - self.gathered.len();
            if bytes.len() <= wanted {
                self.gathered.extend_from_slice(&bytes);
                return Ok(());
            }
            self.gathered.extend_from_slice(&bytes.split_to(wanted));
            self.send().await?;
        }
    }

    fn part_size(&self) -> usize {
        part_size(self.parts.as_ref().map_or(1, Parts::next))
    }

    /// Sends what was gathered as one part.
    async fn send(&mut self) -> Result<()> {
        if self.parts.is_none() {
            let id = self
                .store
                .create_multipart(&self.key, &self.headers)
                .await?;
            self.parts = Some(Parts::new(self.store.clone(), self.key.clone(), id));
        }
        let body = self.gathered.split().freeze();
        self.gathered = BytesMut::new();
        match &mut self.parts {
            Some(parts) => parts.send(body).await,
            None => Err(ObjectError::Stopped),
        }
    }

    /// Ends it: all of it is in the store or in memory, and what it is can be compared
    /// with what it was said to be.
    ///
    /// # Errors
    /// What the store says.
    pub async fn seal(mut self) -> Result<SealedObject> {
        if self.parts.is_some() && !self.gathered.is_empty() {
            self.send().await?;
        }
        if let Some(parts) = &mut self.parts {
            parts.settle().await?;
        }
        let md5: [u8; 16] = self.md5.finalize().into();
        Ok(SealedObject {
            size: self.size,
            sha256: self.sha256.finalize().into(),
            md5,
            store: self.store,
            key: self.key,
            headers: self.headers,
            whole: self.gathered.freeze(),
            parts: self.parts,
        })
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectWriter({})", self.size)
    }
}

/// An object that has come as a whole and that nobody sees yet.
pub struct SealedObject {
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
    /// The MD5 of its content.
    pub md5: [u8; 16],
    store: ObjectStore,
    key: String,
    headers: ObjectHeaders,
    whole: Bytes,
    parts: Option<Parts>,
}

impl SealedObject {
    /// Puts it under its key, in the place of what was there; its ETag.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. It may be there then.
    pub async fn place(mut self) -> Result<String> {
        if let Some(parts) = &mut self.parts {
            let etag = self
                .store
                .complete_multipart(&self.key, &parts.id, &parts.sent)
                .await?;
            parts.placed = true;
            return Ok(etag);
        }
        let mut pairs = self.headers;
        // Whatever happens on the way, the store compares.
        pairs.md5 = Some(BASE64.encode(&self.md5));
        self.store.put(&self.key, self.whole, &pairs).await
    }
}

impl fmt::Debug for SealedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedObject({})", self.size)
    }
}

/// The parts of an object that is large. Dropped before it is placed, they are given up.
struct Parts {
    store: ObjectStore,
    key: String,
    id: String,
    sent: Vec<(u16, String)>,
    sending: Option<AbortOnDropHandle<Result<String>>>,
    placed: bool,
}

impl Parts {
    const fn new(store: ObjectStore, key: String, id: String) -> Self {
        Self {
            store,
            key,
            id,
            sent: Vec::new(),
            sending: None,
            placed: false,
        }
    }

    /// The number of the part that comes next.
    fn next(&self) -> u16 {
        let before = self.sent.len() + usize::from(self.sending.is_some());
        u16::try_from(before + 1).unwrap_or(u16::MAX)
    }

    async fn send(&mut self, body: Bytes) -> Result<()> {
        self.settle().await?;
        let number = self.next();
        if number > MOST_PARTS {
            return Err(ObjectError::Settings(
                "the file is larger than any object of a store".to_owned(),
            ));
        }
        let (store, key, id) = (self.store.clone(), self.key.clone(), self.id.clone());
        let sending = tokio::spawn(async move { store.put_part(&key, &id, number, body).await });
        self.sending = Some(AbortOnDropHandle::new(sending));
        Ok(())
    }

    /// Waits until what was sent is stored.
    async fn settle(&mut self) -> Result<()> {
        // Taken only when it is done: whoever stops waiting loses no part.
        let Some(sending) = &mut self.sending else {
            return Ok(());
        };
        let stored = sending.await;
        self.sending = None;
        let etag = stored.map_err(|_| ObjectError::Stopped)??;
        let number = self.next();
        self.sent.push((number, etag));
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if self.placed || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let sending = self.sending.take();
        let (store, key) = (self.store.clone(), std::mem::take(&mut self.key));
        let id = std::mem::take(&mut self.id);
        let tasks = self.store.0.tasks.clone();
        tasks.spawn(async move {
            let given_up = async {
                // A part that arrives afterwards would stay.
                if let Some(sending) = sending {
                    let _ = sending.await;
                }
                store.abort_multipart(&key, &id).await
            };
            match tokio::time::timeout(PATIENCE, given_up).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "an upload to the store could not be given up");
                }
                Err(_) => tracing::warn!("giving up an upload to the store took too long"),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_suffice_for_the_largest_object() {
        let all: u64 = (1..=MOST_PARTS)
            .map(|number| part_size(number) as u64)
            .sum();
        assert!(all > 5 << 40, "{all}");
        assert_eq!(part_size(1), PART);
        assert_eq!(part_size(DOUBLE_AFTER), PART);
        assert_eq!(part_size(DOUBLE_AFTER + 1), 2 * PART);
        // The largest part that stores take.
        assert!(part_size(MOST_PARTS) as u64 <= 5 << 30);
    }
}
