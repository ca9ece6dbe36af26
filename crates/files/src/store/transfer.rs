//! Copying and moving where a store has a part in it: within one bucket by the store
//! itself, and between buckets by way of this server.

use super::Held;
use crate::bucket::Bucket;
use crate::expect::{Expect, Promised};
use crate::file::{File, Object};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::put::{Along, Beside, NewFile, Uncommitted};
use crate::{Error, Files, Result, sql};
use futures::TryStreamExt;
use storage::ObjectError;

impl Files {
    /// Puts `file`, a copy of `source`, in its place: both are of one bucket in a store, and
    /// held.
    pub(crate) async fn copy_in_store(
        &self,
        held: &Held,
        bucket: &Bucket,
        source: &File,
        file: File,
        expect: &Expect,
    ) -> Result<File> {
        let there = self.observe_held(held, bucket, &file.path).await?;
        let there = there.into_file();
        expect.check(there.as_ref())?;
        let goes = there.as_ref().filter(|_| !bucket.versions);
        let room = self.room_for(bucket, &file, goes).await?;
        let aside = self.make_way(held, bucket, there.as_ref()).await?;
        let file = self.copied(held, bucket, source, file).await?;
        let placed = file.clone();
        let beside = Beside {
            along: Along::Nothing,
            aside: aside.as_ref(),
            held: Some(held),
            room: Some(&room),
        };
        match self
            .commit_along(bucket, file, expect, Some(source), beside)
            .await
        {
            Ok(file) => {
                room.was_used();
                Ok(file)
            }
            Err(Uncommitted::Certainly(error)) => {
                self.take_back(held, bucket, &placed, there, aside).await;
                room.give_back().await;
                Err(error)
            }
            Err(Uncommitted::Perhaps(error)) => Err(error),
        }
    }

    /// Has the store copy the bytes of `source` to where `file` shall be.
    pub(crate) async fn copied(
        &self,
        held: &Held,
        bucket: &Bucket,
        source: &File,
        mut file: File,
    ) -> Result<File> {
        let gone = || Error::NoFile(source.path.clone());
        let from = source.object.as_ref().ok_or_else(gone)?;
        let to = file.path.as_str().to_owned();
        if from.key == to {
            file.object = Some(from.clone());
            return Ok(file);
        }
        match held.copy(&from.key, &to, &from.etag).await {
            Ok(etag) => {
                file.object = Some(Object { key: to, etag });
                Ok(file)
            }
            Err(ObjectError::NoObject | ObjectError::Changed) => {
                if from.key == source.path.as_str() {
                    self.correct(held, bucket, &source.path).await;
                }
                Err(gone())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Copies the bytes of `source` by way of this server; `file` says what is said of the
    /// copy.
    pub(crate) async fn copy_by_bytes(
        &self,
        bucket: &Bucket,
        source: &File,
        file: File,
        expect: &Expect,
        by: &Writer,
    ) -> Result<File> {
        let sha256 = source.sha256.as_deref().and_then(|text| {
            let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
            bytes.try_into().ok()
        });
        let new = NewFile {
            media_type: Some(file.media_type),
            headers: file.headers,
            metadata: file.metadata,
            tags: file.tags,
            etag: Some(file.etag),
            expect: expect.clone(),
            promised: Promised {
                length: Some(source.size),
                sha256,
                ..Promised::default()
            },
            ..NewFile::at(file.path)
        };
        let content = self.content(source).await?;
        let bucket = self.bucket_with_id(bucket.id)?;
        let mut incoming = self.put(&bucket, by.clone(), new).await?;
        let mut bytes = content.stream(0..source.size);
        while let Some(bytes) = bytes.try_next().await? {
            incoming.write(bytes).await?;
        }
        incoming.finish().await
    }

    /// Moves a file within a bucket in a store, where both paths are held.
    pub(crate) async fn rename_in_store(
        &self,
        held: &Held,
        bucket: &Bucket,
        (from, to): (&FilePath, &FilePath),
        expect: &Expect,
        by: &Writer,
    ) -> Result<File> {
        let source = self.observe_held(held, bucket, from).await?.into_file();
        let source = source.ok_or_else(|| Error::NoFile(from.clone()))?;
        if from == to {
            return Ok(source);
        }
        let there = self.observe_held(held, bucket, to).await?.into_file();
        expect.check(there.as_ref())?;
        let aside = self.make_way(held, bucket, there.as_ref()).await?;
        let mut file = source.clone();
        file.path = to.clone();
        file.modified_at = self.now();
        let file = self.copied(held, bucket, &source, file).await?;
        let beside = (by, held, aside.as_ref());
        let committed = self.commit_rename(bucket, &source, &file, expect, beside);
        match committed.await {
            Ok(()) => {
                held.delete(from.as_str()).await?;
                self.may_be_there(bucket.id, to);
                Ok(file)
            }
            Err(error) => {
                self.take_back(held, bucket, &file, there, aside).await;
                Err(error)
            }
        }
    }

    /// Moves a file between buckets of which a store has at least one.
    pub(crate) async fn rename_by_bytes(
        &self,
        (from_bucket, from): (&Bucket, &FilePath),
        (bucket, to): (&Bucket, &FilePath),
        expect: &Expect,
        by: &Writer,
    ) -> Result<File> {
        let source = self.file(from_bucket, from).await?;
        let mut file = source.clone();
        file.path = to.clone();
        let moved = self
            .copy_by_bytes(bucket, &source, file, expect, by)
            .await?;
        self.remove_moved(from_bucket, &source, by).await?;
        Ok(moved)
    }

    /// Removes for good what was moved away, unless it has changed meanwhile.
    async fn remove_moved(&self, bucket: &Bucket, moved: &File, by: &Writer) -> Result<()> {
        let held = self.hold(bucket, &[&moved.path]).await?;
        let there = sql::file::current(self.db(), bucket.id, moved.path.as_str()).await?;
        if there.is_none_or(|there| there.id != moved.id) {
            return Ok(());
        }
        self.commit_removal(bucket, moved, by.actor.as_str(), held.as_ref())
            .await?;
        if let Some(held) = held {
            held.delete(moved.path.as_str()).await?;
        }
        Ok(())
    }
}
