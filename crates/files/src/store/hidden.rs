//! What Longshore itself keeps in a store beside what everybody sees, and what a crash left
//! of it.
//!
//! Every bucket has a place of its own there, below its id: another Longshore that uses the
//! same store, or another bucket of this one, is never swept by mistake.

use crate::bucket::Bucket;
use crate::{Files, Result, sql};
use base::{BucketId, FileId, Timestamp};
use futures::stream::{self, TryStreamExt};
use storage::{BlobName, ObjectStore, ObjectSummary};
use uuid::Uuid;

/// Below it lies nothing that is a file's.
pub(crate) const HIDDEN: &str = ".longshore/";
/// Keys that are looked at at once.
const PAGE: usize = 500;
/// How many contents are removed at once.
pub(crate) const AT_ONCE: usize = 16;

/// Where a bucket has its own.
fn place(bucket: BucketId) -> String {
    format!("{HIDDEN}{bucket}/")
}

/// The key of a content of the past.
pub(crate) fn past_key(bucket: BucketId, id: FileId) -> String {
    format!("{}past/{id}", place(bucket))
}

/// The key of bytes that are to become a file's: a piece of an upload, or a part.
pub(crate) fn coming_key(bucket: BucketId, name: BlobName) -> String {
    format!("{}coming/{}", place(bucket), name.uuid())
}

/// What a key of a bucket's own place is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Past(FileId),
    Coming(BlobName),
}

impl Kept {
    /// Nothing for what this version does not put there.
    fn of(bucket: BucketId, key: &str) -> Option<Self> {
        let (kind, id) = key.strip_prefix(&place(bucket))?.split_once('/')?;
        let id: Uuid = id.parse().ok()?;
        match kind {
            "past" => Some(Self::Past(id.into())),
            "coming" => Some(Self::Coming(id.into())),
            _ => None,
        }
    }
}

/// The next page of a bucket's own place.
pub(crate) struct Swept {
    /// After which key to go on; nothing at the end.
    pub(crate) next: Option<String>,
    /// How many contents were removed.
    pub(crate) removed: u64,
}

impl Files {
    /// Removes from the bucket's own place in its store what no row names and what has lain
    /// there since before `before`: a page of it, after a key.
    pub(crate) async fn sweep_store(
        &self,
        bucket: &Bucket,
        before: Timestamp,
        after: Option<&str>,
    ) -> Result<Swept> {
        let Some(store) = self.store(bucket).await? else {
            return Ok(Swept {
                next: None,
                removed: 0,
            });
        };
        let page = store.list(&place(bucket.id), after, PAGE).await?;
        let mut removed = 0;
        for object in page.objects {
            removed += u64::from(self.sweep_object(&store, bucket, before, &object).await?);
        }
        Ok(Swept {
            next: page.next,
            removed,
        })
    }

    async fn sweep_object(
        &self,
        store: &ObjectStore,
        bucket: &Bucket,
        before: Timestamp,
        object: &ObjectSummary,
    ) -> Result<bool> {
        let Some(kept) = Kept::of(bucket.id, &object.key) else {
            return Ok(false);
        };
        if object.last_modified > before {
            return Ok(false);
        }
        let named = match kept {
            Kept::Past(id) => sql::file::past(self.db(), bucket.id, id).await?.is_some(),
            Kept::Coming(name) => sql::upload::is_coming(self.db(), name).await?,
        };
        if !named {
            store.delete(&object.key).await?;
        }
        Ok(!named)
    }
}

/// Removes a page of what a bucket that is gone had in its own place.
pub(crate) async fn clear_page(store: &ObjectStore, bucket: BucketId) -> Result<Swept> {
    let page = store.list(&place(bucket), None, PAGE).await?;
    let removed = page.objects.len() as u64;
    let keys = page.objects.into_iter().map(|object| Ok(object.key));
    let gone =
        stream::iter(keys).try_for_each_concurrent(AT_ONCE, async |key| store.delete(&key).await);
    gone.await?;
    Ok(Swept {
        next: page.next,
        removed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_in_the_buckets_own_place_is_anything() {
        let (bucket, other) = (BucketId::new(), BucketId::new());
        let (file, name) = (FileId::new(), BlobName::from(Uuid::now_v7()));
        let past = past_key(bucket, file);
        let coming = coming_key(bucket, name);
        assert_eq!(Kept::of(bucket, &past), Some(Kept::Past(file)));
        assert_eq!(Kept::of(bucket, &coming), Some(Kept::Coming(name)));
        for key in [
            past_key(other, file),
            format!("{past}/x"),
            format!("{HIDDEN}{bucket}/later/{file}"),
            format!("{HIDDEN}past/{file}"),
            "a".to_owned(),
        ] {
            assert_eq!(Kept::of(bucket, &key), None, "{key}");
        }
    }
}
