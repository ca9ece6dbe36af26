//! Files as replicas keep them for each other in the shared cache.

use crate::file::{File, Headers, Metadata, Object, TagSet};
use base::{BucketId, Timestamp};
use serde::{Deserialize, Serialize};
use storage::{BlobName, Fill, Looked, SharedCache};
use uuid::Uuid;

/// Under what files are kept.
const NAMESPACE: &str = "files";
/// Positions are kept as they are stored: in millionths of a degree.
const DEGREE: f64 = 1e6;

/// A file; of the bucket and the path by which it was looked up.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: Uuid,
    size: u64,
    media_type: String,
    sniffed_type: String,
    sha256: Option<String>,
    etag: String,
    created_at: i64,
    modified_at: i64,
    uploader: String,
    metadata: Metadata,
    tags: TagSet,
    headers: Headers,
    taken_at: Option<i64>,
    latitude: Option<i64>,
    longitude: Option<i64>,
    width: Option<u64>,
    height: Option<u64>,
    bucket: Uuid,
    path: String,
    account: Option<Uuid>,
    blob: Option<Uuid>,
    /// Key and ETag in its bucket's store.
    object: Option<(String, String)>,
}

fn written(file: &File) -> Option<Vec<u8>> {
    // Every field by its name, so that none that is added is left out.
    let File {
        id,
        path,
        size,
        media_type,
        sniffed_type,
        sha256,
        etag,
        created_at,
        modified_at,
        uploader,
        metadata,
        tags,
        headers,
        taken_at,
        latitude,
        longitude,
        width,
        height,
        bucket,
        account,
        blob,
        object,
    } = file.clone();
    #[allow(clippy::cast_possible_truncation, reason = "at most 180 million")]
    let millionths = |degrees: f64| (degrees * DEGREE).round() as i64;
    let kept = Kept {
        id: id.uuid(),
        size,
        media_type,
        sniffed_type,
        sha256,
        etag,
        created_at: created_at.micros(),
        modified_at: modified_at.micros(),
        uploader,
        metadata,
        tags,
        headers,
        taken_at: taken_at.map(Timestamp::micros),
        latitude: latitude.map(millionths),
        longitude: longitude.map(millionths),
        width,
        height,
        bucket: bucket.uuid(),
        path: path.as_str().to_owned(),
        account,
        blob: blob.map(BlobName::uuid),
        object: object.map(|object| (object.key, object.etag)),
    };
    serde_json::to_vec(&kept).ok()
}

fn read(bytes: &[u8]) -> Option<File> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    #[allow(clippy::cast_precision_loss, reason = "at most 180 million: exact")]
    let degrees = |millionths: i64| millionths as f64 / DEGREE;
    Some(File {
        id: kept.id.into(),
        path: kept.path.parse().ok()?,
        size: kept.size,
        media_type: kept.media_type,
        sniffed_type: kept.sniffed_type,
        sha256: kept.sha256,
        etag: kept.etag,
        created_at: Timestamp::from_micros(kept.created_at),
        modified_at: Timestamp::from_micros(kept.modified_at),
        uploader: kept.uploader,
        metadata: kept.metadata,
        tags: kept.tags,
        headers: kept.headers,
        taken_at: kept.taken_at.map(Timestamp::from_micros),
        latitude: kept.latitude.map(degrees),
        longitude: kept.longitude.map(degrees),
        width: kept.width,
        height: kept.height,
        bucket: kept.bucket.into(),
        account: kept.account,
        blob: kept.blob.map(BlobName::from),
        object: kept.object.map(|(key, etag)| Object { key, etag }),
    })
}

/// What any replica found at a path, if that is known; or the right to say what is there.
pub(crate) async fn look_up(
    cache: &SharedCache,
    bucket: BucketId,
    path: &str,
) -> Result<File, Fill> {
    let bucket = bucket.uuid();
    let parts: [&[u8]; 2] = [bucket.as_bytes(), path.as_bytes()];
    match cache.look_up(NAMESPACE, &parts).await {
        Looked::Hit(bytes) => read(&bytes).ok_or_else(Fill::default),
        Looked::Miss(fill) => Err(fill),
    }
}

/// Keeps for every replica what the database said of a path.
pub(crate) async fn keep(fill: Fill, file: &File) {
    if let Some(bytes) = written(file) {
        fill.keep(&bytes).await;
    }
}

/// Announces a change of what is at these paths.
pub(crate) async fn change(
    cache: &SharedCache,
    places: &[(BucketId, &str)],
) -> storage::Result<storage::Change> {
    let buckets: Vec<Uuid> = places.iter().map(|(bucket, _)| bucket.uuid()).collect();
    let parts: Vec<[&[u8]; 2]> = buckets
        .iter()
        .zip(places)
        .map(|(bucket, (_, path))| [&bucket.as_bytes()[..], path.as_bytes()])
        .collect();
    let parts: Vec<&[&[u8]]> = parts.iter().map(|parts| &parts[..]).collect();
    cache.change(NAMESPACE, &parts).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    #[test]
    fn a_file_is_the_same_after_it_was_kept() {
        let mut file = Files::file_for_test(BucketId::new(), "a/ü b");
        assert_eq!(read(&written(&file).expect("written")), Some(file.clone()));
        file.size = u64::MAX;
        file.sha256 = Some("ab".repeat(32));
        file.created_at = Timestamp::from_micros(1_700_000_000_123_456);
        file.metadata.insert("k".to_owned(), 1.5.into());
        file.tags.insert("a".to_owned(), "b".to_owned());
        file.headers.cache_control = Some("no-store".to_owned());
        file.taken_at = Some(Timestamp::from_micros(-1));
        file.latitude = Some(-33.856_784);
        file.longitude = Some(151.215_297);
        file.width = Some(4000);
        file.account = Some(Uuid::from_u128(7));
        file.blob = Some(BlobName::from(Uuid::from_u128(8)));
        file.object = Some(Object {
            key: "a/ü b".to_owned(),
            etag: "e-2".to_owned(),
        });
        assert_eq!(read(&written(&file).expect("written")), Some(file));
        assert_eq!(read(b"{}"), None);
    }
}
