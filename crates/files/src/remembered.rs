//! Files that were looked up before, and the contents of small ones: what is asked for
//! often is answered without the database and the disk.
//!
//! It is believed only where this process alone writes, as it does with SQLite: every
//! change of a path passes [`Remembered::changed`] after it is stored and before it is
//! acknowledged, and what was looked up before that is not believed after it.

use crate::file::File;
use crate::store::ObjectContent;
use base::BucketId;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use moka::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use storage::BlobFile;

/// The largest content that is kept in memory, in bytes.
pub(crate) const SMALL: u64 = 64 * 1024;
/// Paths share these places; whoever shares one with a changed path is looked up anew, too.
const PLACES: usize = 4096;
/// What a file takes beside its content, in bytes, about.
const ENTRY: u64 = 1024;

/// Where the bytes of a file are to be had.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Small(Bytes),
    /// On the disk.
    Stored(BlobFile),
    /// In the bucket's store.
    InStore(ObjectContent),
}

impl Content {
    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Stored(blob) => blob.size(),
            Self::InStore(content) => content.size(),
            Self::Small(bytes) => bytes.len() as u64,
        }
    }

    /// The bytes of `range`, which is cut at the end of the content.
    #[must_use]
    pub fn stream(&self, range: Range<u64>) -> BoxStream<'static, storage::Result<Bytes>> {
        match self {
            Self::Stored(blob) => blob.stream(range).boxed(),
            Self::InStore(content) => content.stream(range),
            Self::Small(bytes) => {
                let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
                let end = at(range.end).min(bytes.len());
                let part = bytes.slice(at(range.start).min(end)..end);
                stream::iter((!part.is_empty()).then_some(Ok(part))).boxed()
            }
        }
    }
}

/// A file and its content, small enough to be remembered.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) file: Arc<File>,
    pub(crate) content: Bytes,
    since: u64,
}

/// When something was looked up, counted in changes of its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(u64);

#[derive(Debug)]
pub(crate) struct Remembered {
    known: Option<Cache<(BucketId, String), Known>>,
    changes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Remembered {
    /// At most about so many bytes; 0 remembers nothing.
    pub(crate) fn new(most: u64) -> Self {
        let known = (most > 0).then(|| {
            Cache::builder()
                .max_capacity(most)
                .weigher(|key: &(BucketId, String), known: &Known| {
                    let bytes = known.content.len() + key.1.len() * 2;
                    u32::try_from(bytes as u64 + ENTRY).unwrap_or(u32::MAX)
                })
                .build()
        });
        Self {
            known,
            changes: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    fn place(&self, bucket: BucketId, path: &str) -> &AtomicU64 {
        let hash = self.hasher.hash_one((bucket, path));
        // The remainder is below the number of places.
        #[allow(clippy::cast_possible_truncation)]
        let index = (hash % PLACES as u64) as usize;
        &self.changes[index]
    }

    /// Call it before looking a path up; what is found holds since then.
    pub(crate) fn now(&self, bucket: BucketId, path: &str) -> Since {
        Since(self.place(bucket, path).load(SeqCst))
    }

    /// What is known of a path, unless it has changed since.
    pub(crate) fn get(&self, bucket: BucketId, path: &str) -> Option<Known> {
        let known = self.known.as_ref()?.get(&(bucket, path.to_owned()))?;
        (known.since == self.now(bucket, path).0).then_some(known)
    }

    /// Keeps what was found at a path.
    pub(crate) fn put(&self, file: &Arc<File>, content: &Bytes, since: Since) {
        if let Some(known) = &self.known {
            let key = (file.bucket, file.path.as_str().to_owned());
            let found = Known {
                file: Arc::clone(file),
                content: content.clone(),
                since: since.0,
            };
            known.insert(key, found);
        }
    }

    /// Call it after a change of this path is stored.
    pub(crate) fn changed(&self, bucket: BucketId, path: &str) {
        self.place(bucket, path).fetch_add(1, SeqCst);
        if let Some(known) = &self.known {
            known.invalidate(&(bucket, path.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    fn file(bucket: BucketId, path: &str) -> Arc<File> {
        Arc::new(Files::file_for_test(bucket, path))
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_believed_after_it() {
        let remembered = Remembered::new(1 << 20);
        let bucket = BucketId::new();
        let content = Bytes::from_static(b"old");
        let since = remembered.now(bucket, "a");
        // The change comes between looking up and keeping.
        remembered.changed(bucket, "a");
        remembered.put(&file(bucket, "a"), &content, since);
        assert!(remembered.get(bucket, "a").is_none());
        let since = remembered.now(bucket, "a");
        remembered.put(&file(bucket, "a"), &content, since);
        assert!(remembered.get(bucket, "a").is_some());
        assert!(remembered.get(BucketId::new(), "a").is_none());
        remembered.changed(bucket, "a");
        assert!(remembered.get(bucket, "a").is_none());
    }

    #[test]
    fn where_others_write_nothing_is_remembered() {
        let remembered = Remembered::new(0);
        let bucket = BucketId::new();
        let since = remembered.now(bucket, "a");
        remembered.put(&file(bucket, "a"), &Bytes::new(), since);
        assert!(remembered.get(bucket, "a").is_none());
    }
}
