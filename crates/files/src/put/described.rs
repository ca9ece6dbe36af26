//! What is known of a content that came, by its bytes and by what was said of it.

use super::NewFile;
use crate::bucket::Bucket;
use crate::expect::hex;
use crate::file::File;
use crate::permit::Writer;
use crate::{Files, media, sniff};
use base::FileId;
use bytes::Bytes;
use std::io::Cursor;
use storage::{BlobName, SealedObject, StoredBlob};

/// A content that came, whatever keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its SHA-256.
    pub(crate) sha256: [u8; 32],
    /// Its MD5.
    pub(crate) md5: [u8; 16],
}

impl Came {
    pub(crate) fn of(stored: &StoredBlob) -> Self {
        Self {
            size: stored.size,
            sha256: stored.sha256,
            md5: stored.md5.unwrap_or_default(),
        }
    }

    pub(crate) const fn of_object(sealed: &SealedObject) -> Self {
        Self {
            size: sealed.size,
            sha256: sealed.sha256,
            md5: sealed.md5,
        }
    }
}

/// What was seen of a content on its way to a store.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its first bytes.
    pub(crate) beginning: Bytes,
    /// A film without its pictures.
    pub(crate) film: Option<Bytes>,
}

/// The first bytes, as far as a type is recognised by them.
pub(super) fn sniffable(beginning: &[u8]) -> &[u8] {
    &beginning[..beginning.len().min(sniff::LOOK)]
}

/// What is known of a content that came; its bytes are a blob, or else lie in the bucket's
/// store.
pub(crate) async fn described(
    files: &Files,
    bucket: &Bucket,
    by: &Writer,
    new: &NewFile,
    came: &Came,
    blob: Option<BlobName>,
    beginning: Bytes,
) -> File {
    let now = files.now();
    let sniffed = sniff::sniffed(sniffable(&beginning));
    let mut file = File {
        id: FileId::new(),
        path: new.path.clone(),
        size: came.size,
        media_type: sniff::media_type(new.media_type.as_deref(), &new.path, sniffed),
        sniffed_type: sniffed.to_owned(),
        sha256: Some(hex(&came.sha256)),
        etag: new.etag.clone().unwrap_or_else(|| hex(&came.md5)),
        created_at: now,
        modified_at: now,
        uploader: by.actor.as_str().to_owned(),
        metadata: new.metadata.clone(),
        tags: new.tags.clone(),
        headers: new.headers.clone(),
        taken_at: None,
        latitude: None,
        longitude: None,
        width: None,
        height: None,
        bucket: bucket.id,
        account: by.account,
        blob,
        object: None,
    };
    if media::may_tell(sniffed) {
        let media = match blob {
            None => media::look(Cursor::new(beginning)).await,
            Some(blob) => match files.blobs().read(blob).await {
                Ok(blob) => media::look(blob.reader().at_most(media::LOOK)).await,
                Err(_) => media::Media::default(),
            },
        };
        media.describe(&mut file);
    }
    file
}

/// The same of a content whose bytes go to the bucket's store. They are not read again: what
/// a film says of itself was seen as it passed.
pub(crate) async fn described_as_seen(
    files: &Files,
    bucket: &Bucket,
    by: &Writer,
    new: &NewFile,
    came: &Came,
    seen: Seen,
) -> File {
    let Seen { beginning, film } = seen;
    let all = came.size <= beginning.len() as u64;
    let mut file = described(files, bucket, by, new, came, None, beginning).await;
    // Of a short one the beginning has said it.
    let film = film.filter(|_| !all && file.sniffed_type.starts_with("video/"));
    if let Some(film) = film {
        media::look(Cursor::new(film)).await.describe(&mut file);
    }
    file
}
