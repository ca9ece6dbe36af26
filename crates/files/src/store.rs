//! Buckets whose bytes lie in an S3-compatible store, under their natural keys.
//!
//! The catalogue says what lies where, as for every bucket, and the store may be changed
//! by others: a row names the ETag that it knows, a reader asks for that one, and where
//! the store has another, the row is corrected ([`observe`]). Writers of one path take
//! turns, in this process and among all replicas ([`claim`]): what may come to a path is
//! decided before its bytes lie there. What is past lies below [`HIDDEN`], which is no part
//! of the bucket for anybody else.

mod address;
mod claim;
mod film;
mod held;
mod hidden;
mod observe;
mod place;
mod room;
mod transfer;
mod turns;
mod unfinished;

pub(crate) use held::Held;
pub(crate) use hidden::{AT_ONCE, HIDDEN, clear_page, coming_key, past_key};
pub use observe::Observed;
pub(crate) use place::{Aside, object_headers};
pub(crate) use room::Room;

use crate::bucket::{Bucket, Storage};
use crate::file::{File, Object};
use crate::path::{FilePath, InvalidPath};
use crate::{Error, Files, Result};
use base::{BucketId, Name};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream, TryStreamExt};
use moka::sync::Cache;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use storage::{ObjectError, ObjectSettings, ObjectStore};
use tokio::sync::Semaphore;
use turns::PathTurns;

/// How long it is not asked again whether a secret has changed.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How long it is not asked again for what is not there.
const ABSENT: Duration = Duration::from_secs(2);
/// Of how many paths that is known.
const MOST_ABSENT: u64 = 10_000;
/// The most stores that are kept ready.
const MOST_STORES: u64 = 1_000;

/// The stores that this process knows, and who waits for whom.
#[derive(Debug)]
pub(crate) struct Stores {
    ready: Cache<BucketId, ObjectStore>,
    absent: Cache<(BucketId, String), ()>,
    turns: PathTurns,
    /// Room for what passes from bucket to bucket.
    passages: Arc<Semaphore>,
}

impl Stores {
    pub(crate) fn new() -> Self {
        Self {
            ready: Cache::builder()
                .max_capacity(MOST_STORES)
                .time_to_live(REMEMBERED)
                .build(),
            absent: Cache::builder()
                .max_capacity(MOST_ABSENT)
                .time_to_live(ABSENT)
                .build(),
            turns: PathTurns::default(),
            passages: Arc::new(Semaphore::new(held::PASSAGES)),
        }
    }

    /// Other limits or another policy hold from now on.
    pub(crate) fn forget(&self) {
        self.ready.invalidate_all();
    }
}

impl Files {
    /// Where the bytes of a bucket lie; nothing where it is this server's disk.
    ///
    /// # Errors
    /// When its key's secret is not there, or its address cannot be used.
    pub async fn store(&self, bucket: &Bucket) -> Result<Option<ObjectStore>> {
        let Storage::S3 { .. } = &bucket.storage else {
            return Ok(None);
        };
        if let Some(store) = self.stores().ready.get(&bucket.id) {
            return Ok(Some(store));
        }
        let store = self.open_store(&bucket.storage).await?;
        let store = store.map(|store| store.remembered_by(self.ledger(bucket.id)));
        if let Some(store) = &store {
            self.stores().ready.insert(bucket.id, store.clone());
        }
        Ok(store)
    }

    /// A store as it is described, whichever bucket has it.
    pub(crate) async fn open_store(&self, storage: &Storage) -> Result<Option<ObjectStore>> {
        let Storage::S3 {
            endpoint,
            public_endpoint,
            region,
            bucket,
            prefix,
            path_style,
            access_key,
            secret,
        } = storage
        else {
            return Ok(None);
        };
        let name: Name = secret.parse().map_err(|_| {
            Error::Store("`secret` is the name of a secret that is kept here".to_owned())
        })?;
        let value = match self.access().reveal(&name).await {
            Ok(value) => value,
            Err(access::AccessError::NotFound { .. }) => {
                return Err(Error::Store(format!(
                    "there is no secret `{name}`; store the access key's secret under this name first"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let settings = ObjectSettings {
            endpoint: endpoint.clone(),
            public_endpoint: public_endpoint.clone(),
            region: region.clone(),
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            path_style: *path_style,
            access_key: access_key.clone(),
            secret: value,
        };
        let store = ObjectStore::new(settings, &self.client(), self.tasks().clone())?;
        Ok(Some(store))
    }

    /// Looks whether a new bucket's store can be used.
    ///
    /// # Errors
    /// [`Error::Store`], with what to do about it.
    pub(crate) async fn check_store(&self, storage: &Storage) -> Result<()> {
        let Storage::S3 {
            prefix,
            region,
            bucket,
            access_key,
            ..
        } = storage
        else {
            return Ok(());
        };
        if [region, bucket, access_key]
            .iter()
            .any(|text| text.is_empty())
        {
            return Err(Error::Store(
                "a store has a region (many take `us-east-1`), a bucket and an access key"
                    .to_owned(),
            ));
        }
        if !prefix.is_empty() {
            let path: FilePath = prefix.parse()?;
            if path.as_str().len() > FilePath::MAX / 2 {
                return Err(Error::Store("a prefix has at most 512 bytes".to_owned()));
            }
        }
        let said = |error: ObjectError| Error::Store(error.to_string());
        let store = match self.open_store(storage).await {
            Ok(store) => store,
            Err(Error::Storage(storage::Error::Objects(error))) => return Err(said(error)),
            Err(error) => return Err(error),
        };
        if let Some(store) = store {
            store.list("", None, 1).await.map_err(said)?;
        }
        Ok(())
    }

    /// Forgets that there is nothing at a path.
    pub(crate) fn may_be_there(&self, bucket: BucketId, path: &FilePath) {
        let key = (bucket, path.as_str().to_owned());
        self.stores().absent.invalidate(&key);
    }

    /// A file that the catalogue does not know, where the store has it.
    pub(crate) async fn found_in_store(
        &self,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<Option<File>> {
        if !matches!(bucket.storage, Storage::S3 { .. }) || is_storable(bucket, path).is_err() {
            return Ok(None);
        }
        let key = (bucket.id, path.as_str().to_owned());
        if self.stores().absent.contains_key(&key) {
            return Ok(None);
        }
        let found = self.observe(bucket, path).await?.into_file();
        if found.is_none() {
            self.stores().absent.insert(key, ());
        }
        Ok(found)
    }

    /// The content of a file whose bytes lie in a store. Where the store has another one
    /// by now, the catalogue is corrected, and the file is to be looked up anew.
    pub(crate) async fn content_in_store(
        &self,
        file: &File,
        object: &Object,
    ) -> Result<StoreContent> {
        let bucket = self.bucket_with_id(file.bucket)?;
        let gone = || Error::NoFile(file.path.clone());
        let store = self.store(&bucket).await?.ok_or_else(gone)?;
        match ObjectContent::of(store, file, object).look().await {
            Ok(found) => Ok(found),
            Err(ObjectError::NoObject | ObjectError::Changed) => {
                if object.key == file.path.as_str() {
                    self.observe(&bucket, &file.path).await?;
                }
                Err(gone())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The file at a path and its content for whoever has the turn.
    ///
    /// # Errors
    /// [`Error::NoFile`]; [`storage::Error::Busy`] where others, who do not ask whose turn
    /// it is, change it all the time.
    pub(crate) async fn content_of_held(
        &self,
        held: &Held,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<(File, StoreContent)> {
        let gone = || Error::NoFile(path.clone());
        let file = self.observe_held(held, bucket, path).await?.into_file();
        let file = file.ok_or_else(gone)?;
        let object = file.object.clone().ok_or_else(gone)?;
        let store = held.store.clone();
        match ObjectContent::of(store, &file, &object).look().await {
            Ok(found) => Ok((file, found)),
            Err(ObjectError::NoObject) => Err(gone()),
            Err(ObjectError::Changed) => Err(storage::Error::Busy.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a path may be used in this bucket.
///
/// # Errors
/// [`Error::Hidden`], or [`Error::Path`] where the store's prefix makes it too long.
pub(crate) fn is_storable(bucket: &Bucket, path: &FilePath) -> Result<()> {
    let Storage::S3 { prefix, .. } = &bucket.storage else {
        return Ok(());
    };
    if path.as_str().starts_with(HIDDEN) {
        return Err(Error::Hidden);
    }
    let length = prefix.len() + path.as_str().len();
    if length > FilePath::MAX {
        return Err(InvalidPath::Long(length).into());
    }
    Ok(())
}

/// What was found of a content in a store.
#[derive(Debug)]
pub(crate) enum StoreContent {
    /// All of it, as it is small.
    Small(Bytes),
    /// That it is there.
    Large(ObjectContent),
}

/// A content in a store.
#[derive(Clone, Debug)]
pub struct ObjectContent {
    store: ObjectStore,
    object: Object,
    size: u64,
}

impl ObjectContent {
    fn of(store: ObjectStore, file: &File, object: &Object) -> Self {
        Self {
            store,
            object: object.clone(),
            size: file.size,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Reads the whole of a small one, and looks whether a large one is there.
    async fn look(self) -> Result<StoreContent, ObjectError> {
        let Object { key, etag } = &self.object;
        if self.size > crate::remembered::SMALL {
            let head = self.store.head(key).await?.ok_or(ObjectError::NoObject)?;
            if head.etag != *etag || head.size != self.size {
                return Err(ObjectError::Changed);
            }
            return Ok(StoreContent::Large(self));
        }
        let mut read = self.store.read(key, None, Some(etag)).await?;
        if read.head().size != self.size {
            return Err(ObjectError::Changed);
        }
        let mut all = Vec::new();
        while let Some(bytes) = read.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(StoreContent::Small(all.into()))
    }

    /// The bytes of `range`, which is cut at its end. Nothing is asked of the store before
    /// the first of them is wanted.
    pub(crate) fn stream(&self, range: Range<u64>) -> BoxStream<'static, storage::Result<Bytes>> {
        let range = range.start..range.end.min(self.size);
        if range.is_empty() {
            return stream::empty().boxed();
        }
        let Self {
            store,
            object,
            size,
        } = self.clone();
        stream::once(async move {
            let read = store.read(&object.key, Some(range), Some(&object.etag));
            let read = read.await?;
            // Its length was told before, and maybe sent in part already.
            if read.head().size != size {
                return Err(ObjectError::Changed.into());
            }
            Ok::<_, storage::Error>(read.into_stream())
        })
        .try_flatten()
        .boxed()
    }
}

impl From<ObjectError> for Error {
    fn from(error: ObjectError) -> Self {
        Self::Storage(error.into())
    }
}

#[cfg(test)]
pub(crate) mod tests;
