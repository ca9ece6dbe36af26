//! Bringing a content to its place in a store, and out of the way of another.

use super::{Held, past_key};
use crate::bucket::Bucket;
use crate::file::{File, Object};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::put::{Along, Beside, Came, NewFile, Seen, Uncommitted, described_as_seen};
use crate::sql::usage::has_quota;
use crate::{Error, Files, Result, sql};
use base::FileId;
use storage::{ObjectHeaders, ObjectWriter};

/// A content that was copied out of the way, to be one of the past.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    id: FileId,
    object: Object,
}

impl Aside {
    /// Where the bytes of `there` are from now on.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when it is another one: another replica was quicker.
    pub(crate) fn of<'a>(aside: Option<&'a Self>, there: &File) -> Result<Option<&'a Object>> {
        match aside {
            Some(aside) if aside.id == there.id => Ok(Some(&aside.object)),
            None if there.object.is_none() => Ok(None),
            _ => Err(storage::Error::Busy.into()),
        }
    }
}

/// What is stored with an object, so that other tools see it, too.
pub(crate) fn object_headers(media_type: &str, new: &NewFile) -> ObjectHeaders {
    let headers = &new.headers;
    let said = new.metadata.iter();
    let said = said.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut told = ObjectHeaders::default();
    told.content_type = Some(media_type.to_owned());
    told.cache_control.clone_from(&headers.cache_control);
    told.content_disposition
        .clone_from(&headers.content_disposition);
    told.content_encoding.clone_from(&headers.content_encoding);
    told.content_language.clone_from(&headers.content_language);
    told.metadata = said.collect();
    told
}

impl Files {
    /// Copies what is there out of the way of what comes, where it stays as a version.
    pub(crate) async fn make_way(
        &self,
        held: &Held,
        bucket: &Bucket,
        there: Option<&File>,
    ) -> Result<Option<Aside>> {
        match there {
            Some(there) if bucket.versions => self.set_aside(held, there).await,
            _ => Ok(None),
        }
    }

    /// Copies a current content to where those of the past lie.
    pub(crate) async fn set_aside(&self, held: &Held, there: &File) -> Result<Option<Aside>> {
        let Some(object) = &there.object else {
            return Ok(None);
        };
        let key = past_key(there.bucket, there.id);
        let etag = held.copy(&object.key, &key, &object.etag).await?;
        Ok(Some(Aside {
            id: there.id,
            object: Object { key, etag },
        }))
    }

    /// Removes what lies in a store and no row names any more. What cannot be removed is
    /// in nobody's way.
    pub(crate) async fn discard_object(&self, held: &Held, key: &str) {
        if let Err(error) = held.delete(key).await {
            tracing::warn!(%error, "stored content could not be removed from the bucket's store");
        }
    }

    /// Puts a content that has come to its place in the bucket's store. All that may refuse
    /// it is asked before its bytes lie there, while nobody else changes the path.
    pub(crate) async fn place_in_store(
        &self,
        bucket: &Bucket,
        by: &Writer,
        new: &NewFile,
        writer: ObjectWriter,
        seen: Seen,
        along: Along,
    ) -> Result<File> {
        // Dropped from here on, what came is given up.
        let sealed = writer.seal().await?;
        let came = Came::of_object(&sealed);
        new.promised.check(&came)?;
        let mut file = described_as_seen(self, bucket, by, new, &came, seen).await;
        let held = self.hold(bucket, &[&new.path]).await?;
        let held = held.ok_or_else(|| Error::NoBucket(bucket.name.to_string()))?;
        let there = self.there(&held, bucket, &new.path, new).await?;
        new.expect.check(there.as_ref())?;
        along.check(self).await?;
        let goes = there.as_ref().filter(|_| !bucket.versions);
        let counted = along.counted(self, bucket, by.account).await?;
        let room = self.room_beside(bucket, &file, goes, counted).await?;
        let aside = self.make_way(&held, bucket, there.as_ref()).await?;
        let etag = match held.place(sealed).await {
            Ok(etag) => etag,
            Err(error) => {
                // It may be there in spite of that: then the catalogue says so.
                self.correct(&held, bucket, &new.path).await;
                room.give_back().await;
                return Err(error.into());
            }
        };
        file.object = Some(Object {
            key: new.path.as_str().to_owned(),
            etag,
        });
        let placed = file.clone();
        let beside = Beside {
            along,
            aside: aside.as_ref(),
            held: Some(&held),
            room: Some(&room),
        };
        let committed = self
            .commit_along(bucket, file, &new.expect, None, beside)
            .await;
        match committed {
            Ok(file) => {
                room.was_used();
                self.may_be_there(bucket.id, &file.path);
                Ok(file)
            }
            Err(Uncommitted::Certainly(error)) => {
                self.take_back(&held, bucket, &placed, there, aside).await;
                room.give_back().await;
                Err(error)
            }
            // A reader finds out.
            Err(Uncommitted::Perhaps(error)) => Err(error),
        }
    }

    /// What lies at a path, as far as a writer has to know it: what others put counts where
    /// a condition, a version or a quota depends on it.
    async fn there(
        &self,
        held: &Held,
        bucket: &Bucket,
        path: &FilePath,
        new: &NewFile,
    ) -> Result<Option<File>> {
        if bucket.versions || has_quota(bucket) || !new.expect.is_nothing() {
            return Ok(self.observe_held(held, bucket, path).await?.into_file());
        }
        Ok(sql::file::current(self.db(), bucket.id, path.as_str()).await?)
    }

    /// Takes back what was placed and is in no row.
    pub(crate) async fn take_back(
        &self,
        held: &Held,
        bucket: &Bucket,
        placed: &File,
        there: Option<File>,
        aside: Option<Aside>,
    ) {
        let path = placed.path.as_str();
        match (there, aside) {
            (None, _) => {
                let etag = placed.object.as_ref().map(|object| object.etag.as_str());
                let head = held.store.head(path).await.ok().flatten();
                if head.is_some_and(|head| Some(head.etag.as_str()) == etag) {
                    self.discard_object(held, path).await;
                }
            }
            (Some(_), Some(aside)) => {
                let Object { key, etag } = &aside.object;
                match held.copy(key, path, etag).await {
                    Ok(_) => self.discard_object(held, key).await,
                    Err(error) => {
                        tracing::warn!(%error, "what was replaced could not be brought back");
                    }
                }
            }
            (Some(_), None) => {}
        }
        self.correct(held, bucket, &placed.path).await;
    }

    /// Makes the catalogue say what lies in the store, as well as may be.
    pub(crate) async fn correct(&self, held: &Held, bucket: &Bucket, path: &FilePath) {
        if let Err(error) = self.observe_held(held, bucket, path).await {
            tracing::warn!(%error, "the catalogue could not be compared with the bucket's store");
        }
    }
}
