//! The bytes of parts: on the disk where their bucket is, or else in its store, so that every
//! replica has them.

use super::Part;
use crate::bucket::Bucket;
use crate::expect::Promised;
use crate::put::{Came, Sink};
use crate::store::{AT_ONCE, coming_key};
use crate::{Error, Files, Result};
use base::BucketId;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use storage::{BlobName, ObjectError, ObjectHeaders};
use uuid::Uuid;

impl Files {
    /// Where the bytes of a part go, and under which name they are found.
    pub(super) async fn part_sink(&self, bucket: &Bucket) -> Result<(BlobName, Sink)> {
        let Some(store) = self.store(bucket).await? else {
            let blob = self.blobs().create_with_md5();
            return Ok((blob.name(), Sink::Disk(Box::new(blob))));
        };
        let name = BlobName::from(Uuid::now_v7());
        let key = coming_key(bucket.id, name);
        let object = store.writer(&key, ObjectHeaders::default());
        Ok((name, Sink::Store(Box::new(object))))
    }

    /// Keeps the bytes of a part, if they are what was promised.
    pub(super) async fn keep_part(&self, sink: Sink, promised: &Promised) -> Result<Came> {
        match sink {
            Sink::Disk(blob) => {
                let stored = blob.finish().await?;
                let came = Came::of(&stored);
                if let Err(error) = promised.check(&came) {
                    self.discard(stored.name).await;
                    return Err(error);
                }
                Ok(came)
            }
            Sink::Store(object) => {
                let sealed = object.seal().await?;
                let came = Came::of_object(&sealed);
                promised.check(&came)?;
                sealed.place().await?;
                Ok(came)
            }
        }
    }

    /// Reads a part.
    ///
    /// # Errors
    /// [`Error::NoParted`] when somebody else has put the file together, or given it up.
    pub(super) async fn bytes_of_part(
        &self,
        bucket: &Bucket,
        part: &Part,
    ) -> Result<BoxStream<'static, storage::Result<Bytes>>> {
        let Some(store) = self.store(bucket).await? else {
            let content = self.blobs().read(part.blob).await.map_err(gone)?;
            return Ok(content.stream(0..part.size).boxed());
        };
        let key = coming_key(bucket.id, part.blob);
        let read = store.read(&key, None, None).await;
        let read = read.map_err(|error| gone(error.into()))?;
        Ok(read.into_stream())
    }

    /// Removes the bytes of parts. What cannot be removed, the sweep will.
    pub(super) async fn discard_parts(&self, bucket: BucketId, names: Vec<BlobName>) {
        stream::iter(names)
            .for_each_concurrent(AT_ONCE, |name| self.discard_part(bucket, name))
            .await;
    }

    /// The same of one.
    pub(super) async fn discard_part(&self, bucket: BucketId, name: BlobName) {
        let removed = async {
            let bucket = self.bucket_with_id(bucket)?;
            match self.store(&bucket).await? {
                None => drop(self.blobs().delete(name).await?),
                Some(store) => store.delete(&coming_key(bucket.id, name)).await?,
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = removed.await {
            tracing::warn!(%error, "a part could not be removed");
        }
    }
}

/// Bytes that are gone were another's to take.
pub(super) fn gone(error: storage::Error) -> Error {
    match error {
        storage::Error::NoBlob | storage::Error::Objects(ObjectError::NoObject) => Error::NoParted,
        error => error.into(),
    }
}
