//! Changing what is said of a file, and copying and moving it within this server.

use crate::bucket::Bucket;
use crate::copies::{Maker, Making};
use crate::event::Happened;
use crate::expect::Expect;
use crate::file::{File, Headers, Metadata, TagSet, media_type, metadata_text, tags_text};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::put::{self, Uncommitted};
use crate::store::{Aside, Held};
use crate::{Error, Files, Result, sql};
use base::{Actor, FileId};
use serde::Deserialize;

/// What changes of what is said of a file; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Headers to be answered with it, instead of those that there are.
    pub headers: Option<Headers>,
    /// What is said of it, instead of what was.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Metadata>,
    /// Its tags, instead of those that there are.
    pub tags: Option<TagSet>,
}

impl Description {
    fn apply(self, file: &mut File) -> Result<()> {
        if let Some(text) = self.media_type {
            file.media_type = media_type(&text).ok_or(Error::Header("content-type"))?;
        }
        if let Some(headers) = self.headers {
            headers.check()?;
            file.headers = headers;
        }
        if let Some(metadata) = self.metadata {
            metadata_text(&metadata)?;
            file.metadata = metadata;
        }
        if let Some(tags) = self.tags {
            tags_text(&tags)?;
            file.tags = tags;
        }
        Ok(())
    }
}

impl Files {
    /// Changes what is said of a file; its content stays.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::Precondition`], or what cannot be kept.
    pub async fn describe(
        &self,
        bucket: &Bucket,
        path: &FilePath,
        expect: &Expect,
        description: Description,
        by: &Actor,
    ) -> Result<File> {
        let mut tx = self.alter(&[(bucket.id, path.as_str())]).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path.as_str()).await?;
        let mut file = there.ok_or_else(|| Error::NoFile(path.clone()))?;
        expect.check(Some(&file))?;
        description.apply(&mut file)?;
        sql::file::describe(&mut tx, &file).await?;
        sql::word::remove(&mut tx, bucket.id, path.as_str()).await?;
        put::index(&mut tx, &file).await?;
        let told = (&file, None);
        let to_tell = self
            .note(&mut tx, bucket, Happened::Described, told, by.as_str())
            .await?;
        tx.commit(to_tell).await?;
        Ok(file)
    }

    /// Puts the content of a file at a second path, without reading it.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::Precondition`], [`Error::Quota`].
    pub async fn copy(
        &self,
        (from_bucket, from): (&Bucket, &FilePath),
        (bucket, to): (&Bucket, &FilePath),
        expect: &Expect,
        description: Description,
        by: &Writer,
    ) -> Result<File> {
        let source = self.file(from_bucket, from).await?;
        self.copy_of(source, (bucket, to), expect, description, by)
            .await
    }

    /// The same of a content that is or was at a path. Once its turn has come, whoever stops
    /// waiting for it does not stop it.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub(crate) async fn copy_of(
        &self,
        source: File,
        (bucket, to): (&Bucket, &FilePath),
        expect: &Expect,
        description: Description,
        by: &Writer,
    ) -> Result<File> {
        let by_store = source.object.is_some() || self.store(bucket).await?.is_some();
        // Who holds on to something asks for a change of its own, and not for this one.
        let making = if by_store && expect.is_nothing() {
            let by = by.actor.as_str();
            // All that is said of the source, too: it may be described anew meanwhile, and a
            // copy from before that is another one.
            let wanted = format!("{:?}", (&source, bucket.id, to, &description, by));
            match self.copies().begin(&wanted).await {
                Maker::Another(file) => return Ok(*file),
                Maker::This(making) => Some(making),
            }
        } else {
            None
        };
        let mut file = source.clone();
        let now = self.now();
        file.id = FileId::new();
        file.path = to.clone();
        file.bucket = bucket.id;
        file.created_at = now;
        file.modified_at = now;
        by.actor.as_str().clone_into(&mut file.uploader);
        file.account = by.account;
        description.apply(&mut file)?;
        let files = self.clone();
        let (bucket, expect, by) = (bucket.clone(), expect.clone(), by.clone());
        if source.object.is_some() && source.bucket == bucket.id {
            let held = self.held(&bucket, &[&source.path, &file.path]).await?;
            let copy = async move {
                let held = &held;
                let copied = files.copy_in_store(held, &bucket, &source, file, &expect);
                Box::pin(copied).await
            };
            self.in_the_background(told(making, copy)).await
        } else if by_store {
            let passage = self.hold_passage(&bucket, &file.path).await?;
            let copy = async move {
                let _passage = passage;
                let copied = files.copy_by_bytes(&bucket, &source, file, &expect, &by);
                Box::pin(copied).await
            };
            self.in_the_background(told(making, copy)).await
        } else {
            let copy = async move {
                let copied = files.commit(&bucket, file, &expect, Some(&source));
                Box::pin(copied).await.map_err(Uncommitted::into_error)
            };
            self.in_the_background(copy).await
        }
    }

    /// Puts a file at another path, where what is said of it goes along. Once its turn has
    /// come, whoever stops waiting for it does not stop it.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::Precondition`], [`Error::Quota`].
    pub async fn rename(
        &self,
        (from_bucket, from): (&Bucket, &FilePath),
        (bucket, to): (&Bucket, &FilePath),
        expect: &Expect,
        by: &Writer,
    ) -> Result<File> {
        let in_store = self.store(from_bucket).await?.is_some();
        let into_store = self.store(bucket).await?.is_some();
        let files = self.clone();
        let (from_bucket, from) = (from_bucket.clone(), from.clone());
        let (bucket, to) = (bucket.clone(), to.clone());
        let (expect, by) = (expect.clone(), by.clone());
        if in_store && from_bucket.id == bucket.id {
            let held = self.held(&bucket, &[&from, &to]).await?;
            let moved = async move {
                let held = &held;
                let renamed = files.rename_in_store(held, &bucket, (&from, &to), &expect, &by);
                Box::pin(renamed).await
            };
            return self.in_the_background(moved).await;
        }
        if in_store || into_store {
            let passage = self.hold_passage(&bucket, &to).await?;
            let moved = async move {
                let _passage = passage;
                let (from, to) = ((&from_bucket, &from), (&bucket, &to));
                Box::pin(files.rename_by_bytes(from, to, &expect, &by)).await
            };
            return self.in_the_background(moved).await;
        }
        let moved = async move {
            let (from, to) = ((&from_bucket, &from), (&bucket, &to));
            Box::pin(files.rename_on_disk(from, to, &expect, &by)).await
        };
        self.in_the_background(moved).await
    }

    async fn rename_on_disk(
        &self,
        (from_bucket, from): (&Bucket, &FilePath),
        (bucket, to): (&Bucket, &FilePath),
        expect: &Expect,
        by: &Writer,
    ) -> Result<File> {
        let places = [(from_bucket.id, from.as_str()), (bucket.id, to.as_str())];
        let mut tx = self.alter(&places).await?;
        let source = sql::file::current_in(&mut tx, from_bucket.id, from.as_str()).await?;
        let source = source.ok_or_else(|| Error::NoFile(from.clone()))?;
        if places[0] == places[1] {
            return Ok(source);
        }
        let there = sql::file::current_in(&mut tx, bucket.id, to.as_str()).await?;
        expect.check(there.as_ref())?;
        let mut freed = None;
        if let Some(there) = &there {
            freed = self
                .displace(&mut tx, bucket, there, by.actor.as_str(), None)
                .await?;
        }
        let mut file = source.clone();
        file.path = to.clone();
        file.bucket = bucket.id;
        file.modified_at = self.now();
        if from_bucket.id != bucket.id {
            sql::usage::subtract(&mut tx, &source).await?;
            if sql::usage::has_quota(bucket) {
                sql::usage::check(&mut tx, bucket, &file).await?;
            }
            sql::usage::add(&mut tx, &file).await?;
        }
        sql::file::rename(&mut tx, &file).await?;
        sql::word::remove(&mut tx, from_bucket.id, from.as_str()).await?;
        put::index(&mut tx, &file).await?;
        let told = (&file, Some(from));
        let actor = by.actor.as_str();
        let mut to_tell = self
            .note_for_webhooks(&mut tx, bucket, Happened::Moved, told, actor)
            .await?;
        if from_bucket.id == bucket.id {
            self.note_for_watchers(&mut tx, bucket, Happened::Moved, told, actor)
                .await?;
        } else {
            // Who watches a bucket need not know of another one.
            let come = (&file, None);
            self.note_for_watchers(&mut tx, bucket, Happened::Put, come, actor)
                .await?;
            let told = (&source, None);
            let more = self.note(&mut tx, from_bucket, Happened::Deleted, told, actor);
            to_tell.extend(more.await?);
        }
        let unused = sql::file::unused(&mut tx, freed).await?;
        tx.commit(to_tell).await?;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        Ok(file)
    }

    /// Notes that `source` is at the path of `file` by now, within one bucket.
    pub(crate) async fn commit_rename(
        &self,
        bucket: &Bucket,
        source: &File,
        file: &File,
        expect: &Expect,
        (by, held, aside): (&Writer, &Held, Option<&Aside>),
    ) -> Result<()> {
        let (from, to) = (source.path.as_str(), file.path.as_str());
        let actor = by.actor.as_str();
        let places = [(bucket.id, from), (bucket.id, to)];
        let mut tx = self.alter_held(&places, Some(held)).await?;
        let still = sql::file::current_in(&mut tx, bucket.id, from).await?;
        if still.is_none_or(|still| still.id != source.id) {
            return Err(Error::NoFile(source.path.clone()));
        }
        let there = sql::file::current_in(&mut tx, bucket.id, to).await?;
        expect.check(there.as_ref())?;
        if let Some(there) = &there {
            self.displace(&mut tx, bucket, there, actor, aside).await?;
        }
        sql::file::rename(&mut tx, file).await?;
        sql::word::remove(&mut tx, bucket.id, from).await?;
        put::index(&mut tx, file).await?;
        let told = (file, Some(&source.path));
        let to_tell = self.note(&mut tx, bucket, Happened::Moved, told, actor);
        let to_tell = to_tell.await?;
        tx.commit(to_tell).await?;
        Ok(())
    }
}

/// Makes a copy, and has those hear of it who asked for the same.
async fn told(making: Option<Making>, copy: impl Future<Output = Result<File>>) -> Result<File> {
    let copied = copy.await?;
    if let Some(making) = making {
        making.made(&copied);
    }
    Ok(copied)
}
