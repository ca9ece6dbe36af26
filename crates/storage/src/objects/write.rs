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

/// The usual parts, in bytes.
const PART: usize = 8 << 20;
/// The largest part that stores take.
const LARGEST: usize = 5 << 30;
/// Of an object whose length nobody knows, parts are twice as large after so many, and again
/// after as many more.
const DOUBLE_AFTER: u16 = 1000;
/// Two parts of four times the usual size are as much as shall be in memory, so that they stay
/// as large for as long as 10,000 may still suffice for any object. From this number on they
/// double, and more often.
const MORE_AFTER: u16 = 6000;
const MORE_EVERY: u16 = 500;
/// Sizes that are told ahead go by this, in bytes.
const STEP: u64 = 1 << 20;
/// How long giving up what came of an object may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How large a part is of an object whose length nobody knows.
const fn part_size(number: u16) -> usize {
    let before = number.saturating_sub(1);
    let doubled = before / DOUBLE_AFTER;
    if doubled <= 2 {
        return PART << doubled;
    }
    if before < MORE_AFTER {
        return PART << 2;
    }
    let size = PART << (3 + (before - MORE_AFTER) / MORE_EVERY);
    if size < LARGEST { size } else { LARGEST }
}

/// How large every part is but the last of an object of this length: no larger than it has to
/// be. (Some stores take parts of one size alone.)
fn even_size(length: u64) -> usize {
    let least = length.div_ceil(u64::from(MOST_PARTS));
    let size = least.next_multiple_of(STEP).max(PART as u64);
    usize::try_from(size).map_or(LARGEST, |size| size.min(LARGEST))
}

/// An object that comes in. At most about two parts of it are in memory: the one that is
/// on its way to the store, and the one that is being gathered. That is 16 MiB as a rule, at
/// most 64 MiB up to 312 GiB where the length is [announced](Self::of_length) and up to
/// 148 GiB where it is not, and grows with what is larger than that.
pub struct ObjectWriter {
    store: ObjectStore,
    key: String,
    headers: ObjectHeaders,
    sha256: Sha256,
    md5: Md5,
    gathered: BytesMut,
    size: u64,
    /// The size of all parts, where the length is known.
    even: Option<usize>,
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
            even: None,
            parts: None,
        }
    }

    /// Says how long it will be, where that is known, so that its parts are not larger than
    /// they have to be.
    #[must_use]
    pub fn of_length(mut self, length: Option<u64>) -> Self {
        self.even = length.map(even_size);
        self
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
        let next = || part_size(self.parts.as_ref().map_or(1, Parts::next));
        self.even.unwrap_or_else(next)
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
        for number in 2..=MOST_PARTS {
            assert!(part_size(number) >= part_size(number - 1), "{number}");
        }
    }

    /// The most of an object that is in memory while it comes: two parts.
    fn in_memory(sizes: impl Iterator<Item = usize>, length: u64) -> usize {
        let (mut largest, mut come) = (0, 0);
        for size in sizes.take(MOST_PARTS.into()) {
            largest = largest.max(size);
            come += size as u64;
            if come >= length {
                return 2 * largest;
            }
        }
        panic!("{length} bytes do not fit into the parts of an object")
    }

    #[test]
    fn what_is_in_memory_does_not_grow_with_the_object_as_far_as_it_may() {
        const GIB: u64 = 1 << 30;
        let most = 64 << 20;
        let unknown = |length| in_memory((1..=MOST_PARTS).map(part_size), length);
        let known = |length| in_memory(std::iter::repeat(even_size(length)), length);
        for length in [0, 1, PART as u64, GIB, 7 * GIB, 60 * GIB, 148 * GIB] {
            assert!(unknown(length) <= most, "{length}");
            assert!(known(length) <= most, "{length}");
        }
        assert_eq!(
            known(78 * GIB),
            2 * PART,
            "as long as the usual parts suffice"
        );
        assert_eq!(known(312 * GIB), most);
        // The largest that stores take, by and large.
        assert_eq!(known(5 << 40), 2 * (525 << 20));
        assert_eq!(even_size(u64::MAX), LARGEST);
    }
}
