//! The buckets of this server, as far as syncs need them: who has files implements this.

use crate::target::{Content, Item, Trouble};
use async_trait::async_trait;
use base::SyncId;
use futures::stream::BoxStream;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A file of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketFile {
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// What changes exactly when its content does.
    pub etag: String,
    /// Its media type.
    pub media_type: String,
    /// Who put it there.
    pub uploader: String,
    /// What is said of it.
    pub metadata: BTreeMap<String, Value>,
}

/// What changed in buckets since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketNews {
    /// The files that came; none where everything else is no news.
    pub came: Vec<BucketArrival>,
    /// The number of the change up to which that is all.
    pub up_to: u64,
}

/// A file came into a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketArrival {
    /// The bucket's name.
    pub bucket: String,
    /// The path of the file that came; nothing where it is not known what happened.
    pub path: Option<String>,
    /// The number of the change, counted over all buckets: whoever goes on after it misses
    /// nothing.
    pub number: u64,
}

/// Files of buckets, read and written in the name of a sync.
#[async_trait]
pub trait Buckets: fmt::Debug + Send + Sync {
    /// At most `limit` files whose paths begin with `prefix`, in the order of their paths,
    /// after one.
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BucketFile>, Trouble>;

    /// One file, if it is there.
    async fn look(&self, bucket: &str, path: &str) -> Result<Option<BucketFile>, Trouble>;

    /// The content of a file from byte `offset` on, and the file that it is of.
    async fn open(
        &self,
        bucket: &str,
        path: &str,
        offset: u64,
    ) -> Result<(BucketFile, Content), Trouble>;

    /// Puts a file in the place of what was there, all of it or nothing. `said` goes along
    /// with it.
    async fn put(
        &self,
        to: BucketPlace<'_>,
        item: &Item,
        said: BTreeMap<String, Value>,
        content: Content,
    ) -> Result<BucketFile, Trouble>;

    /// Deletes a file. It is no error when it is not there.
    async fn delete(&self, to: BucketPlace<'_>) -> Result<(), Trouble>;

    /// The number of the last change in any bucket by now.
    async fn newest(&self) -> Result<u64, Trouble>;

    /// What changes in buckets after the change of this number, in order. Ends with the
    /// server.
    fn news(&self, after: u64) -> BoxStream<'static, BucketNews>;
}

/// Where a sync puts a file.
#[derive(Clone, Copy, Debug)]
pub struct BucketPlace<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The path in it.
    pub path: &'a str,
    /// In the name of which sync.
    pub sync: SyncId,
}
