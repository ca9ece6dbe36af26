//! Deleting, the trash, and bringing back.

use crate::bucket::Bucket;
use crate::event::Happened;
use crate::expect::Expect;
use crate::file::File;
use crate::path::FilePath;
use crate::put::Uncommitted;
use crate::store::{Aside, Held};
use crate::{Error, Files, Result, put, sql};
use access::{AuditEntry, Doer};
use base::{Actor, FileId, Timestamp};
use serde::Serialize;
use serde_json::json;

/// A content that is not current any more.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Past {
    /// The file as it was.
    #[serde(flatten)]
    pub file: File,
    /// When it stopped being current.
    #[schema(value_type = String, format = DateTime)]
    pub removed_at: Timestamp,
    /// Who deleted or overwrote it.
    pub removed_by: String,
}

/// Which contents of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heap {
    /// What was deleted.
    Trash,
    /// What was overwritten, or deleted in a bucket that keeps versions.
    Versions,
}

impl Heap {
    pub(crate) const fn standing(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Versions => "old",
        }
    }
}

impl Files {
    /// Deletes the file at a path: into the trash, where the bucket has one, among the
    /// versions, where it keeps them, or for good. What was there. Once its turn has come,
    /// whoever stops waiting for it does not stop it.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::Precondition`].
    pub async fn delete(
        &self,
        bucket: &Bucket,
        path: &FilePath,
        expect: &Expect,
        by: &Actor,
    ) -> Result<File> {
        let held = self.hold(bucket, &[path]).await?;
        let (files, bucket, path) = (self.clone(), bucket.clone(), path.clone());
        let (expect, by) = (expect.clone(), by.clone());
        self.in_the_background(async move {
            files.delete_held(held, &bucket, &path, &expect, &by).await
        })
        .await
    }

    async fn delete_held(
        &self,
        held: Option<Held>,
        bucket: &Bucket,
        path: &FilePath,
        expect: &Expect,
        by: &Actor,
    ) -> Result<File> {
        let heap = if bucket.versions {
            Some(Heap::Versions)
        } else if bucket.trash_seconds > 0 {
            Some(Heap::Trash)
        } else {
            None
        };
        let mut aside = None;
        if let Some(held) = &held {
            let there = self.observe_held(held, bucket, path).await?.into_file();
            if let Some(there) = &there {
                expect.check(Some(there))?;
                if heap.is_some() {
                    aside = self.set_aside(held, there).await?;
                }
            }
        }
        let place = [(bucket.id, path.as_str())];
        let mut tx = self.alter_held(&place, held.as_ref()).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path.as_str()).await?;
        let file = there.ok_or_else(|| Error::NoFile(path.clone()))?;
        expect.check(Some(&file))?;
        let mut unused = None;
        sql::word::remove(&mut tx, bucket.id, path.as_str()).await?;
        if let Some(heap) = heap {
            let standing = heap.standing();
            let object = Aside::of(aside.as_ref(), &file)?;
            let now = (by.as_str(), self.now());
            sql::file::retire(&mut tx, file.id, standing, now, object).await?;
        } else {
            sql::file::delete(&mut tx, file.id).await?;
            sql::usage::subtract(&mut tx, &file).await?;
            unused = sql::file::unused(&mut tx, file.blob).await?;
        }
        let told = (&file, None);
        let to_tell = self
            .note(&mut tx, bucket, Happened::Deleted, told, by.as_str())
            .await?;
        tx.commit(to_tell).await?;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        if let Some(held) = held {
            held.delete(path.as_str()).await?;
        }
        Ok(file)
    }

    /// Removes a current file for good from the catalogue, with whom that is told.
    pub(crate) async fn commit_removal(
        &self,
        bucket: &Bucket,
        file: &File,
        by: &str,
        held: Option<&Held>,
    ) -> Result<()> {
        let path = file.path.as_str();
        let mut tx = self.alter_held(&[(bucket.id, path)], held).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path).await?;
        if there.is_none_or(|there| there.id != file.id) {
            return Ok(());
        }
        sql::word::remove(&mut tx, bucket.id, path).await?;
        sql::file::delete(&mut tx, file.id).await?;
        sql::usage::subtract(&mut tx, file).await?;
        let to_tell = self
            .note(&mut tx, bucket, Happened::Deleted, (file, None), by)
            .await?;
        let unused = sql::file::unused(&mut tx, file.blob).await?;
        tx.commit(to_tell).await?;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        Ok(())
    }

    /// Brings a content of the past back to its path. Once its turn has come, whoever stops
    /// waiting for it does not stop it.
    ///
    /// # Errors
    /// [`Error::NothingToRestore`], or [`Error::Precondition`] when another file lies at
    /// the path now, unless `over` it.
    pub async fn restore(
        &self,
        bucket: &Bucket,
        id: FileId,
        over: bool,
        by: &Actor,
    ) -> Result<File> {
        let past = self.past_file(bucket, id).await?;
        let held = self.hold(bucket, &[&past.path]).await?;
        let (files, bucket, by) = (self.clone(), bucket.clone(), by.clone());
        self.in_the_background(
            async move { files.restore_held(held, &bucket, id, over, &by).await },
        )
        .await
    }

    async fn restore_held(
        &self,
        held: Option<Held>,
        bucket: &Bucket,
        id: FileId,
        over: bool,
        by: &Actor,
    ) -> Result<File> {
        // Another may have brought it back, or removed it, before our turn.
        let past = self.past_file(bucket, id).await?;
        let Some(held) = held else {
            let restored = self.commit_restoring(bucket, past, over, by, None).await;
            return restored.map_err(Uncommitted::into_error);
        };
        let there = self.observe_held(&held, bucket, &past.path).await?;
        let there = there.into_file();
        if there.is_some() && !over {
            return Err(Error::Precondition);
        }
        let aside = self.make_way(&held, bucket, there.as_ref()).await?;
        let file = match self.copied(&held, bucket, &past, past.clone()).await {
            Ok(file) => file,
            Err(Error::NoFile(_)) => return Err(Error::NothingToRestore),
            Err(error) => {
                // It may be there in spite of that: then the catalogue says so.
                self.correct(&held, bucket, &past.path).await;
                return Err(error);
            }
        };
        let placed = file.clone();
        let beside = Some((&held, aside.as_ref()));
        let restored = self.commit_restoring(bucket, file, over, by, beside).await;
        match restored {
            Ok(file) => {
                if let Some(object) = past.object {
                    self.discard_object(&held, &object.key).await;
                }
                Ok(file)
            }
            Err(Uncommitted::Certainly(error)) => {
                self.take_back(&held, bucket, &placed, there, aside).await;
                Err(error)
            }
            // A reader finds out.
            Err(Uncommitted::Perhaps(error)) => Err(error),
        }
    }

    /// Notes that a content of the past is current again. In a store it is there already, and
    /// what lay there was copied aside.
    async fn commit_restoring(
        &self,
        bucket: &Bucket,
        mut file: File,
        over: bool,
        by: &Actor,
        in_store: Option<(&Held, Option<&Aside>)>,
    ) -> Result<File, Uncommitted> {
        let (held, aside) = in_store.unzip();
        // Whoever knows what lay there meanwhile must see by the date that this is another.
        file.modified_at = self.now();
        let path = file.path.as_str();
        let mut tx = self.alter_held(&[(bucket.id, path)], held).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, path).await?;
        let mut freed = None;
        if let Some(there) = &there {
            if !over {
                return Err(Error::Precondition.into());
            }
            freed = self
                .displace(&mut tx, bucket, there, by.as_str(), aside.flatten())
                .await?;
        }
        if !sql::file::make_current(&mut tx, &file).await? {
            return Err(Error::NothingToRestore.into());
        }
        put::index(&mut tx, &file).await?;
        let told = (&file, None);
        let to_tell = self
            .note(&mut tx, bucket, Happened::Put, told, by.as_str())
            .await?;
        let unused = sql::file::unused(&mut tx, freed).await?;
        let committed = tx.commit(to_tell).await;
        committed.map_err(|error| Uncommitted::Perhaps(error.into()))?;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        Ok(file)
    }

    /// The current file of a path, where its content has this id.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) async fn current_version(
        &self,
        bucket: &Bucket,
        path: &FilePath,
        id: FileId,
    ) -> Result<Option<File>> {
        let current = sql::file::current(self.db(), bucket.id, path.as_str()).await?;
        Ok(current.filter(|file| file.id == id))
    }

    /// An older version of a path, by the id of its content. What is in the trash is none, even
    /// where the bucket has come to keep versions since.
    ///
    /// # Errors
    /// [`Error::NothingToRestore`] when there is none, or the bucket keeps no versions.
    pub(crate) async fn older_version(
        &self,
        bucket: &Bucket,
        path: &FilePath,
        id: FileId,
    ) -> Result<File> {
        if !bucket.versions {
            return Err(Error::NothingToRestore);
        }
        let (standing, path) = (Heap::Versions.standing(), path.as_str());
        let older = sql::file::past_with(self.db(), bucket.id, standing, path, id).await?;
        older.ok_or(Error::NothingToRestore)
    }

    /// A content of the past, as the file that it was.
    ///
    /// # Errors
    /// [`Error::NothingToRestore`].
    pub async fn past_file(&self, bucket: &Bucket, id: FileId) -> Result<File> {
        let past = sql::file::past(self.db(), bucket.id, id).await?;
        Ok(past.ok_or(Error::NothingToRestore)?.file)
    }

    /// The path at which a content of the past lay.
    ///
    /// # Errors
    /// [`Error::NothingToRestore`].
    pub async fn past_path(&self, bucket: &Bucket, id: FileId) -> Result<String> {
        let file = self.past_file(bucket, id).await?;
        Ok(file.path.as_str().to_owned())
    }

    /// Removes a content of the past for good; whether there was one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn purge(&self, bucket: &Bucket, id: FileId) -> Result<bool> {
        self.purge_past(None, bucket, id).await
    }

    /// The same where somebody wants it, which is put on the record: nothing else tells of
    /// what nobody can restore.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn purge_by(&self, by: &Doer, bucket: &Bucket, id: FileId) -> Result<bool> {
        self.purge_past(Some(by), bucket, id).await
    }

    async fn purge_past(&self, by: Option<&Doer>, bucket: &Bucket, id: FileId) -> Result<bool> {
        let Some(past) = sql::file::past(self.db(), bucket.id, id).await? else {
            return Ok(false);
        };
        // Or what somebody brings back at this moment would lose its row half-way.
        let held = self.hold_past(bucket, &past.file).await?;
        let (files, by, bucket) = (self.clone(), by.cloned(), bucket.clone());
        let purge = async move {
            let by = by.as_ref();
            files.purge_held(held, by, &bucket, &past.file).await
        };
        self.in_the_background(purge).await
    }

    async fn purge_held(
        &self,
        held: Option<Held>,
        by: Option<&Doer>,
        bucket: &Bucket,
        past: &File,
    ) -> Result<bool> {
        let mut tx = self.db().begin().await?;
        if let Some(held) = &held {
            held.keep(&mut tx).await?;
        }
        // It may have come back before our turn.
        if !sql::file::delete_past(&mut tx, past.id).await? {
            return Ok(false);
        }
        sql::usage::subtract(&mut tx, past).await?;
        let unused = sql::file::unused(&mut tx, past.blob).await?;
        if let Some(by) = by {
            let subject = format!("bucket:{}", bucket.name);
            let before = json!({ "path": past.path.as_str(), "size": past.size });
            let entry = AuditEntry::new(by, "file.purged", subject).before(before);
            self.access().audit_in(&mut tx, entry).await?;
        }
        tx.commit().await?;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        if let (Some(held), Some(object)) = (&held, &past.object) {
            self.discard_object(held, &object.key).await;
        }
        Ok(true)
    }

    /// The turn at the path of what goes for good, where its bytes lie in a store. In one that
    /// cannot be opened nobody brings anything back: what goes leaves its bytes there, for the
    /// sweep.
    async fn hold_past(&self, bucket: &Bucket, past: &File) -> Result<Option<Held>> {
        if past.object.is_none() {
            return Ok(None);
        }
        match self.store(bucket).await {
            Ok(_) => self.hold(bucket, &[&past.path]).await,
            Err(error) if error.is_of_database() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "stored content stays in a store that cannot be opened");
                Ok(None)
            }
        }
    }

    /// Contents of the past, by path and then the newest first, after that of `after`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn past(
        &self,
        bucket: &Bucket,
        heap: Heap,
        prefix: &str,
        after: Option<&(String, FileId)>,
        limit: usize,
    ) -> Result<Vec<Past>> {
        let standing = heap.standing();
        Ok(sql::file::all_past(self.db(), bucket.id, standing, prefix, after, limit).await?)
    }

    /// Contents of the past of one path, the newest first, those that are older than
    /// `before`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn past_at(
        &self,
        bucket: &Bucket,
        heap: Heap,
        path: &str,
        before: Option<FileId>,
        limit: usize,
    ) -> Result<Vec<Past>> {
        let standing = heap.standing();
        Ok(sql::file::past_at(self.db(), bucket.id, standing, path, before, limit).await?)
    }
}
