//! What others did to a store: the catalogue is made to say what lies there.

use super::{Held, film};
use crate::bucket::Bucket;
use crate::event::Happened;
use crate::file::{File, Headers, Metadata, Object, TagSet, media_type, metadata_text};
use crate::path::FilePath;
use crate::{Files, Result, media, put, sniff, sql};
use base::{Actor, FileId};
use bytes::Bytes;
use std::io::Cursor;
use std::ops::Range;
use storage::{ObjectError, ObjectHead, ObjectStore};

/// What looking at a key of a store came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// The catalogue knew it as it is.
    Same(File),
    /// It is in the catalogue from now on.
    Came(File),
    /// The catalogue knew another content at this path.
    Changed(File),
    /// It was in the catalogue, and the store has it no more: what it was.
    Gone(File),
    /// There is nothing, here nor there.
    Nothing,
    /// It is no path of this bucket, or its bytes do not lie in a store.
    Ignored,
}

impl Observed {
    /// The file that is there.
    #[must_use]
    pub fn into_file(self) -> Option<File> {
        match self {
            Self::Same(file) | Self::Came(file) | Self::Changed(file) => Some(file),
            Self::Gone(_) | Self::Nothing | Self::Ignored => None,
        }
    }
}

impl Files {
    /// Looks at a path of the bucket's store, and makes the catalogue say what is there.
    /// It may be called at any time, as often as wanted and by several at once.
    ///
    /// # Errors
    /// What the store or the database says. Then the catalogue is as it was.
    pub async fn observe(&self, bucket: &Bucket, path: &FilePath) -> Result<Observed> {
        if super::is_storable(bucket, path).is_err() {
            return Ok(Observed::Ignored);
        }
        let Some(store) = self.store(bucket).await? else {
            return Ok(Observed::Ignored);
        };
        // Mostly there is nothing to change, and nobody has to wait for that.
        let look = self.look(&store, bucket, path).await?;
        if let Some(observed) = look.agreed() {
            return Ok(observed);
        }
        match self.hold(bucket, &[path]).await? {
            Some(held) => self.observe_again(&held, bucket, path, look).await,
            None => Ok(Observed::Ignored),
        }
    }

    /// The same under the turn, for which others may have been waited for. What the store said
    /// before holds, as long as the catalogue says the same: what others did since then to the
    /// store alone is found by the next one who looks. That an object is gone is asked again,
    /// or a file would be forgotten that has come back.
    async fn observe_again(
        &self,
        held: &Held,
        bucket: &Bucket,
        path: &FilePath,
        look: Look,
    ) -> Result<Observed> {
        let known = sql::file::current(self.db(), bucket.id, path.as_str()).await?;
        if look.head.is_some() && known == look.known {
            self.settle(held, bucket, path, look).await
        } else {
            self.observe_held(held, bucket, path).await
        }
    }

    /// What the catalogue and the store have at a path.
    async fn look(&self, store: &ObjectStore, bucket: &Bucket, path: &FilePath) -> Result<Look> {
        Ok(Look {
            known: sql::file::current(self.db(), bucket.id, path.as_str()).await?,
            head: store.head(path.as_str()).await?,
        })
    }

    /// The same for whoever has the turn.
    pub(crate) async fn observe_held(
        &self,
        held: &Held,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<Observed> {
        let look = self.look(&held.store, bucket, path).await?;
        match look.agreed() {
            Some(observed) => Ok(observed),
            None => self.settle(held, bucket, path, look).await,
        }
    }

    /// Makes the catalogue say what the store has.
    async fn settle(
        &self,
        held: &Held,
        bucket: &Bucket,
        path: &FilePath,
        look: Look,
    ) -> Result<Observed> {
        match (look.known, look.head) {
            (known, Some(head)) => {
                let file = self.adopted(&held.store, bucket, path, &head).await;
                self.adopt(held, bucket, known, file).await
            }
            (Some(known), None) => self.forget(held, bucket, known).await,
            (None, None) => Ok(Observed::Nothing),
        }
    }

    /// A file that others put, as far as the store tells of it.
    async fn adopted(
        &self,
        store: &ObjectStore,
        bucket: &Bucket,
        path: &FilePath,
        head: &ObjectHead,
    ) -> File {
        let said = &head.headers;
        let declared = said.content_type.as_deref().and_then(media_type);
        let may_tell = declared.as_deref().is_none_or(media::may_tell);
        let beginning = if may_tell && head.size > 0 {
            beginning(store, path, head).await
        } else {
            Bytes::new()
        };
        let sniffed = sniff::sniffed(&beginning[..beginning.len().min(sniff::LOOK)]);
        let mut file = File {
            id: FileId::new(),
            path: path.clone(),
            size: head.size,
            media_type: sniff::media_type(declared.as_deref(), path, sniffed),
            sniffed_type: sniffed.to_owned(),
            sha256: None,
            etag: head.etag.clone(),
            created_at: head.last_modified,
            modified_at: head.last_modified,
            uploader: Actor::system().as_str().to_owned(),
            metadata: metadata(head),
            tags: TagSet::new(),
            headers: headers(head),
            taken_at: None,
            latitude: None,
            longitude: None,
            width: None,
            height: None,
            bucket: bucket.id,
            account: None,
            blob: None,
            object: Some(Object {
                key: path.as_str().to_owned(),
                etag: head.etag.clone(),
            }),
        };
        if media::may_tell(sniffed) {
            media::look(Cursor::new(beginning.clone()))
                .await
                .describe(&mut file);
            film::look(store, &mut file, &beginning).await;
        }
        file
    }

    async fn adopt(
        &self,
        held: &Held,
        bucket: &Bucket,
        known: Option<File>,
        mut file: File,
    ) -> Result<Observed> {
        let path = file.path.clone();
        let place = [(bucket.id, path.as_str())];
        let mut tx = self.alter_held(&place, Some(held)).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path.as_str()).await?;
        // Another replica was here meanwhile, and knows more.
        if there.as_ref().map(|there| there.id) != known.as_ref().map(|known| known.id) {
            return Ok(there.map_or(Observed::Nothing, Observed::Same));
        }
        if let Some(there) = &there {
            file.created_at = there.created_at;
            sql::word::remove(&mut tx, bucket.id, path.as_str()).await?;
            sql::file::delete(&mut tx, there.id).await?;
            sql::usage::subtract(&mut tx, there).await?;
        }
        sql::file::insert(&mut tx, &file).await?;
        sql::usage::add(&mut tx, &file).await?;
        put::index(&mut tx, &file).await?;
        let to_tell = self
            .note(
                &mut tx,
                bucket,
                Happened::Put,
                (&file, None),
                &file.uploader,
            )
            .await?;
        tx.commit(to_tell).await?;
        Ok(match there {
            Some(_) => Observed::Changed(file),
            None => Observed::Came(file),
        })
    }

    async fn forget(&self, held: &Held, bucket: &Bucket, known: File) -> Result<Observed> {
        let path = known.path.clone();
        let place = [(bucket.id, path.as_str())];
        let mut tx = self.alter_held(&place, Some(held)).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path.as_str()).await?;
        match there {
            Some(there) if there.id == known.id => {}
            Some(there) => return Ok(Observed::Same(there)),
            None => return Ok(Observed::Nothing),
        }
        sql::word::remove(&mut tx, bucket.id, path.as_str()).await?;
        sql::file::delete(&mut tx, known.id).await?;
        sql::usage::subtract(&mut tx, &known).await?;
        let by = Actor::system();
        let to_tell = self
            .note(
                &mut tx,
                bucket,
                Happened::Deleted,
                (&known, None),
                by.as_str(),
            )
            .await?;
        tx.commit(to_tell).await?;
        Ok(Observed::Gone(known))
    }
}

/// What the catalogue and the store have at a path.
struct Look {
    known: Option<File>,
    head: Option<ObjectHead>,
}

impl Look {
    /// What that came to, where they say the same.
    fn agreed(&self) -> Option<Observed> {
        match (&self.known, &self.head) {
            (None, None) => Some(Observed::Nothing),
            (Some(file), Some(head)) if is_of(file, head) => Some(Observed::Same(file.clone())),
            _ => None,
        }
    }
}

/// Whether the store has the content that the catalogue knows.
fn is_of(file: &File, head: &ObjectHead) -> bool {
    let object = file.object.as_ref();
    object.is_some_and(|object| object.etag == head.etag) && file.size == head.size
}

/// What a content begins with; nothing where it cannot be read, as it is a hint only.
async fn beginning(store: &ObjectStore, path: &FilePath, head: &ObjectHead) -> Bytes {
    let range = 0..head.size.min(media::BEGINNING as u64);
    let read = part(store, path.as_str(), &head.etag, range).await;
    read.unwrap_or_else(|error| {
        tracing::debug!(%error, "what an object begins with could not be read");
        Bytes::new()
    })
}

/// A small part of an object.
pub(super) async fn part(
    store: &ObjectStore,
    key: &str,
    etag: &str,
    range: Range<u64>,
) -> Result<Bytes, ObjectError> {
    let mut read = store.read(key, Some(range), Some(etag)).await?;
    let mut all = Vec::new();
    while let Some(bytes) = read.next().await? {
        all.extend_from_slice(&bytes);
    }
    Ok(all.into())
}

/// Headers that a store answers with an object, as far as they can be kept.
fn headers(head: &ObjectHead) -> Headers {
    let said = head.headers.clone();
    let headers = Headers {
        cache_control: said.cache_control,
        content_disposition: said.content_disposition,
        content_encoding: said
            .content_encoding
            .filter(|coding| !coding.is_empty() && coding != "aws-chunked"),
        content_language: said.content_language,
    };
    if headers.check().is_ok() {
        headers
    } else {
        Headers::default()
    }
}

fn metadata(head: &ObjectHead) -> Metadata {
    let said = head.headers.metadata.iter();
    let metadata: Metadata = said
        .map(|(name, text)| (name.clone(), text.clone().into()))
        .collect();
    if metadata_text(&metadata).is_ok() {
        metadata
    } else {
        Metadata::new()
    }
}
