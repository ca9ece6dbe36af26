//! Files that were looked up before, and the contents of small ones: what is asked for
//! often is answered without the database and the disk.
//!
//! What was looked up is believed only where this process alone writes, as it does with
//! SQLite: every change of a path passes [`Remembered::changed`] after it is stored and
//! before it is acknowledged, and what was looked up before that is not believed after
//! it. Where others write, contents alone are remembered, by the names of their bytes,
//! which never change.

use crate::file::File;
use crate::store::ObjectContent;
use base::BucketId;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use moka::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use storage::{BlobFile, BlobName};
use web::Download;

/// The largest content that is kept in memory, in bytes.
pub(crate) const SMALL: u64 = 64 * 1024;
/// Paths share these places; whoever shares one with a changed path is looked up anew, too.
const PLACES: usize = 4096;
/// What a file takes beside its content, in bytes, about: what answers say of it included.
const ENTRY: u64 = 1536;

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
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) file: Arc<File>,
    pub(crate) content: Bytes,
    /// What answers say of it, once there was one.
    described: OnceLock<Download>,
    since: u64,
}

impl Known {
    /// What answers say of it, which is made at the first.
    pub(crate) fn described(&self, describe: fn(&File) -> Download) -> Download {
        self.described.get_or_init(|| describe(&self.file)).clone()
    }
}

/// When something was looked up, counted in changes of its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(u64);

#[derive(Debug)]
pub(crate) struct Remembered {
    known: Option<Cache<(BucketId, String), Arc<Known>>>,
    contents: Option<Cache<BlobName, Bytes>>,
    changes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Remembered {
    /// At most about so many bytes, whether this process writes alone or not; 0 remembers
    /// nothing.
    pub(crate) fn new(most: u64, alone: bool) -> Self {
        let contents = (most > 0 && !alone).then(|| {
            Cache::builder()
                .max_capacity(most)
                .weigher(|_, content: &Bytes| {
                    u32::try_from(content.len() as u64 + ENTRY / 4).unwrap_or(u32::MAX)
                })
                .build()
        });
        let known = (most > 0 && alone).then(|| {
            Cache::builder()
                .max_capacity(most)
                .weigher(|key: &(BucketId, String), known: &Arc<Known>| {
                    let bytes = known.content.len() + key.1.len() * 2;
                    u32::try_from(bytes as u64 + ENTRY).unwrap_or(u32::MAX)
                })
                .build()
        });
        Self {
            known,
            contents,
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
    pub(crate) fn get(&self, bucket: BucketId, path: &str) -> Option<Arc<Known>> {
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
                described: OnceLock::new(),
                since: since.0,
            };
            known.insert(key, Arc::new(found));
        }
    }

    /// The bytes of this name.
    pub(crate) fn content(&self, blob: BlobName) -> Option<Bytes> {
        self.contents.as_ref()?.get(&blob)
    }

    /// Keeps them.
    pub(crate) fn put_content(&self, blob: BlobName, content: &Bytes) {
        if let Some(contents) = &self.contents {
            contents.insert(blob, content.clone());
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
        let remembered = Remembered::new(1 << 20, true);
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
    fn what_answers_say_is_made_once_and_goes_with_the_content() {
        let describe = |file: &File| Download::new(file.size);
        let never = |_: &File| -> Download { panic!("it is described already") };
        let remembered = Remembered::new(1 << 20, true);
        let bucket = BucketId::new();
        let size = |known: &Known, describe| format!("{:?}", known.described(describe));
        let mut one = Files::file_for_test(bucket, "a");
        one.size = 1;
        let since = remembered.now(bucket, "a");
        remembered.put(&Arc::new(one), &Bytes::from_static(b"1"), since);
        let known = remembered.get(bucket, "a").expect("it is known");
        let first = size(&known, describe);
        let again = remembered.get(bucket, "a").expect("it is known");
        assert_eq!(size(&again, never), first);
        remembered.changed(bucket, "a");
        let mut other = Files::file_for_test(bucket, "a");
        other.size = 22;
        let since = remembered.now(bucket, "a");
        remembered.put(&Arc::new(other), &Bytes::from_static(b"22"), since);
        let known = remembered.get(bucket, "a").expect("it is known");
        assert_ne!(size(&known, describe), first);
        assert_eq!(known.content, &b"22"[..]);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let most = 256 * 1024;
        let remembered = Remembered::new(most, true);
        let bucket = BucketId::new();
        let content = Bytes::from(vec![0; 16 * 1024]);
        for number in 0..100 {
            let path = number.to_string();
            let since = remembered.now(bucket, &path);
            remembered.put(&file(bucket, &path), &content, since);
        }
        let known = remembered.known.as_ref().expect("it remembers");
        known.run_pending_tasks();
        assert!(known.weighted_size() <= most);
        assert!(known.entry_count() > 0);
    }

    #[test]
    fn no_more_contents_are_remembered_than_there_is_room_for() {
        let most = 256 * 1024;
        let remembered = Remembered::new(most, false);
        // Empty ones take room, too.
        for length in [16 * 1024, 0] {
            let content = Bytes::from(vec![0; length]);
            for number in 0..2_000 {
                let blob = BlobName::from(uuid::Uuid::from_u128(number));
                remembered.put_content(blob, &content);
            }
            let contents = remembered.contents.as_ref().expect("it remembers");
            contents.run_pending_tasks();
            assert!(contents.weighted_size() <= most);
            let count = contents.entry_count();
            assert!((1..=most / (ENTRY / 4)).contains(&count), "{count}");
        }
    }

    #[test]
    fn where_others_write_contents_alone_are_remembered() {
        let remembered = Remembered::new(1 << 20, false);
        let bucket = BucketId::new();
        let since = remembered.now(bucket, "a");
        remembered.put(&file(bucket, "a"), &Bytes::new(), since);
        assert!(remembered.get(bucket, "a").is_none());
        let blob = BlobName::from(uuid::Uuid::from_u128(1));
        remembered.put_content(blob, &Bytes::from_static(b"one"));
        assert_eq!(remembered.content(blob).as_deref(), Some(&b"one"[..]));
        let other = BlobName::from(uuid::Uuid::from_u128(2));
        assert!(remembered.content(other).is_none());
    }

    #[test]
    fn without_memory_nothing_is_remembered() {
        let blob = BlobName::from(uuid::Uuid::from_u128(1));
        for alone in [true, false] {
            let remembered = Remembered::new(0, alone);
            let bucket = BucketId::new();
            let since = remembered.now(bucket, "a");
            remembered.put(&file(bucket, "a"), &Bytes::new(), since);
            remembered.put_content(blob, &Bytes::new());
            assert!(remembered.get(bucket, "a").is_none());
            assert!(remembered.content(blob).is_none());
        }
    }
}
