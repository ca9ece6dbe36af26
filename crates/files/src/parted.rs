//! A file that comes in parts, in any order and over hours, and is put together in the
//! end: what S3 calls a multipart upload.
//!
//! Each part is stored as a file is, on the disk or in the bucket's store, under a name that
//! nobody sees; putting them together is an ordinary put, so the file that results is all or
//! nothing like any other. Parts whose end nobody asks for are removed after a time.

mod content;

use crate::bucket::Bucket;
use crate::expect::{Expect, Promised, hex};
use crate::file::{File, Headers, Metadata, TagSet, metadata_text, tags_text};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::put::{Along, NewFile, Sink};
use crate::quota::{Counted, Wanted};
use crate::upload::MOST_OPEN;
use crate::{Error, Files, Result, sql, store};
use base::{BucketId, PartedId, Timestamp};
use bytes::Bytes;
use futures::TryStreamExt;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::BlobName;
use uuid::Uuid;

/// The most parts that a file has.
pub const MOST_PARTS: u64 = 10_000;
/// The fewest bytes of every part but the last.
pub const LEAST_PART: u64 = 5 << 20;

/// A file that comes in parts.
#[derive(Clone, Debug)]
pub struct Parted {
    /// Its id.
    pub id: PartedId,
    /// Where the file will be.
    pub path: FilePath,
    /// Who began it.
    pub begun_by: String,
    /// When.
    pub begun_at: Timestamp,
    /// Against whose quota it counts until it is a file.
    pub(crate) account: Uuid,
    pub(crate) described: Described,
}

/// What is said of a file before it is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Described {
    media_type: Option<String>,
    headers: Headers,
    metadata: Metadata,
    tags: TagSet,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place among the parts, from 1.
    pub number: u64,
    /// Its length in bytes.
    pub size: u64,
    /// Its MD5 in hexadecimal digits.
    pub md5: String,
    /// When it came.
    pub came_at: Timestamp,
    pub(crate) blob: BlobName,
}

/// Why parts make no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongPart {
    /// A number that parts do not have.
    #[error("the number of a part is 1 to 10000")]
    Number,
    /// None was named.
    #[error("a file has at least one part")]
    None,
    /// They do not stand in their order.
    #[error("the parts do not stand in ascending order; sort them by their numbers")]
    Order,
    /// One is not there, or is another one.
    #[error("the part {0} is not there, or it is another one than named; send it again")]
    Missing(u64),
    /// One that is not the last is too small.
    #[error("the part {0} is smaller than 5 MiB, and only the last one may be")]
    Small(u64),
    /// Together they have another length than was said.
    #[error("the parts have {found} bytes in all, and {said} were said; name all of them")]
    Size {
        /// How long the file was said to be.
        said: u64,
        /// How long they are.
        found: u64,
    },
}

/// A part that comes in. Dropped before [`IncomingPart::finish`], nothing is left of it.
#[derive(Debug)]
pub struct IncomingPart {
    files: Files,
    bucket: BucketId,
    parted: Parted,
    number: u64,
    promised: Promised,
    name: BlobName,
    sink: Sink,
    most: u64,
}

impl Files {
    /// Begins a file in parts.
    ///
    /// # Errors
    /// What cannot be kept of what is said of it, [`Error::Quota`] of a full bucket, or
    /// [`Error::TooManyUploads`].
    pub async fn begin_parted(&self, bucket: &Bucket, by: &Writer, new: NewFile) -> Result<Parted> {
        new.headers.check()?;
        metadata_text(&new.metadata)?;
        tags_text(&new.tags)?;
        store::is_storable(bucket, &new.path)?;
        let wanted = Wanted {
            path: Some(&new.path),
            account: by.account,
            bytes: 0,
            counted: Counted::default(),
        };
        self.check_quota(bucket, wanted).await?;
        let account = by.account.unwrap_or_default();
        if sql::parted::count(self.db(), account, MOST_OPEN).await? >= MOST_OPEN {
            return Err(Error::TooManyUploads { most: MOST_OPEN });
        }
        let parted = Parted {
            id: PartedId::new(),
            path: new.path,
            begun_by: by.actor.as_str().to_owned(),
            begun_at: self.now(),
            account,
            described: Described {
                media_type: new.media_type,
                headers: new.headers,
                metadata: new.metadata,
                tags: new.tags,
            },
        };
        match sql::parted::insert(self.db(), bucket.id, &parted).await {
            Ok(()) => Ok(parted),
            Err(storage::Error::Reference) => Err(Error::NoBucket(bucket.name.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The file in parts with this id at this path.
    ///
    /// # Errors
    /// [`Error::NoParted`].
    pub async fn parted(&self, bucket: &Bucket, path: &FilePath, id: PartedId) -> Result<Parted> {
        let found = sql::parted::get(self.db(), bucket.id, path.as_str(), id).await?;
        found.ok_or(Error::NoParted)
    }

    /// Files in parts whose paths begin with `prefix`, by path and age, after one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn all_parted(
        &self,
        bucket: &Bucket,
        prefix: &str,
        after: Option<&(String, PartedId)>,
        limit: usize,
    ) -> Result<Vec<Parted>> {
        Ok(sql::parted::all(self.db(), bucket.id, prefix, after, limit).await?)
    }

    /// The parts that have come, in their order, after the number `after`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn parts(&self, parted: &Parted, after: u64, limit: usize) -> Result<Vec<Part>> {
        Ok(sql::parted::parts(self.db(), parted.id, after, limit).await?)
    }

    /// Begins to take a part, instead of one of that number that has come.
    ///
    /// # Errors
    /// [`Error::WrongPart`], [`Error::Quota`], [`Error::TooLarge`].
    pub async fn put_part(
        &self,
        bucket: &Bucket,
        parted: &Parted,
        number: u64,
        promised: Promised,
    ) -> Result<IncomingPart> {
        if !(1..=MOST_PARTS).contains(&number) {
            return Err(Error::WrongPart(WrongPart::Number));
        }
        let most = self.settings().max_file_bytes;
        let length = promised.length.unwrap_or(0);
        if length > most {
            return Err(Error::TooLarge { most });
        }
        self.check_part(bucket, parted, number, length).await?;
        let (name, sink) = self.part_sink(bucket).await?;
        Ok(IncomingPart {
            files: self.clone(),
            bucket: bucket.id,
            parted: parted.clone(),
            number,
            promised,
            name,
            sink,
            most,
        })
    }

    /// Refuses a part for which there is no room beside the others.
    async fn check_part(
        &self,
        bucket: &Bucket,
        parted: &Parted,
        number: u64,
        bytes: u64,
    ) -> Result<()> {
        if !sql::usage::has_quota(bucket) {
            return Ok(());
        }
        let replaced = sql::parted::size_of(self.db(), parted.id, number).await?;
        let wanted = Wanted {
            path: Some(&parted.path),
            account: Some(parted.account),
            bytes,
            counted: Counted::of_one(replaced),
        };
        self.check_quota(bucket, wanted).await
    }

    /// Puts the file together of these parts, each by its number and MD5, which come to this
    /// size where one was said, and puts it in its place. `watch` sees its bytes on the way
    /// and, when all of them have passed, nothing: then it may still refuse the whole.
    ///
    /// # Errors
    /// [`Error::WrongPart`], and all that [`Files::put`] says.
    pub async fn complete_parted(
        &self,
        bucket: &Arc<Bucket>,
        by: Writer,
        parted: &Parted,
        (wanted, size): (&[(u64, String)], Option<u64>),
        expect: Expect,
        mut watch: impl FnMut(Option<&Bytes>) -> Result<()> + Send,
    ) -> Result<File> {
        let came = self.parts(parted, 0, usize::from(u16::MAX)).await?;
        let parts = chosen(&came, wanted)?;
        let found: u64 = parts.iter().map(|part| part.size).sum();
        if let Some(said) = size.filter(|said| *said != found) {
            return Err(Error::WrongPart(WrongPart::Size { said, found }));
        }
        let described = parted.described.clone();
        let new = NewFile {
            media_type: described.media_type,
            headers: described.headers,
            metadata: described.metadata,
            tags: described.tags,
            expect,
            promised: Promised {
                length: Some(found),
                ..Promised::default()
            },
            etag: Some(combined(&parts)),
            ..NewFile::at(parted.path.clone())
        };
        let along = Along::Parts(parted.id);
        let mut incoming = self.put_along(bucket, by, new, along).await?;
        for part in &parts {
            let mut bytes = self.bytes_of_part(bucket, part).await?;
            while let Some(bytes) = bytes.try_next().await.map_err(content::gone)? {
                watch(Some(&bytes))?;
                incoming.write(bytes).await?;
            }
        }
        watch(None)?;
        let file = incoming.finish().await?;
        // With the file in its place nothing names the parts. What of them comes at this very
        // moment, the sweep finds.
        let names = came.iter().map(|part| part.blob).collect();
        self.discard_parts(bucket.id, names).await;
        Ok(file)
    }

    /// Gives a file in parts up, with all that has come of it.
    ///
    /// # Errors
    /// [`Error::NoParted`].
    pub async fn abort_parted(&self, parted: &Parted) -> Result<()> {
        if self.forget_parted(parted.id).await? {
            Ok(())
        } else {
            Err(Error::NoParted)
        }
    }

    /// Removes a file in parts and its parts; whether it was there.
    pub(crate) async fn forget_parted(&self, id: PartedId) -> Result<bool> {
        let mut tx = self.db().begin().await?;
        let Some(bucket) = sql::parted::hold(&mut tx, id).await? else {
            return Ok(false);
        };
        let blobs = sql::parted::delete(&mut tx, id).await?;
        tx.commit().await?;
        self.discard_parts(bucket, blobs).await;
        Ok(true)
    }
}

impl IncomingPart {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Content`] as soon as there are more than were announced,
    /// [`Error::TooLarge`], or what the disk says.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let size = self.sink.position() + bytes.len() as u64;
        if self.promised.length.is_some_and(|length| size > length) {
            return Err(Error::Content("it is longer"));
        }
        if size > self.most {
            return Err(Error::TooLarge { most: self.most });
        }
        self.sink.write(bytes).await
    }

    /// Keeps it: on return it is there for good.
    ///
    /// # Errors
    /// [`Error::Content`], [`Error::NoParted`] when the file was given up meanwhile, or
    /// what the disk, the store or the database says.
    pub async fn finish(self) -> Result<Part> {
        let files = self.files.clone();
        files.in_the_background(self.keep()).await
    }

    async fn keep(self) -> Result<Part> {
        let length = self.promised.length;
        if length.is_some_and(|length| length != self.sink.position()) {
            return Err(Error::Content("it is shorter"));
        }
        let (files, bucket, name) = (self.files, self.bucket, self.name);
        // Others may have come meanwhile, and its length is known now.
        let (rules, size) = (files.bucket_with_id(bucket)?, self.sink.position());
        files
            .check_part(&rules, &self.parted, self.number, size)
            .await?;
        let came = files.keep_part(self.sink, &self.promised).await?;
        let part = Part {
            number: self.number,
            size: came.size,
            md5: hex(&came.md5),
            came_at: files.now(),
            blob: name,
        };
        let mut tx = files.db().begin().await?;
        let id = self.parted.id;
        if sql::parted::hold(&mut tx, id).await?.is_none() {
            drop(tx);
            files.discard_part(bucket, name).await;
            return Err(Error::NoParted);
        }
        let replaced = sql::parted::put_part(&mut tx, id, &part).await?;
        // Those that came at the same moment have not seen each other before.
        let noted = (Some(&self.parted.path), self.parted.account, part.size);
        if let Err(error) = files.check_noted(&mut tx, &rules, noted).await {
            drop(tx);
            files.discard_part(bucket, name).await;
            return Err(error);
        }
        tx.commit().await?;
        if let Some(replaced) = replaced {
            files.discard_part(bucket, replaced).await;
        }
        Ok(part)
    }
}

/// The parts that were named, if they make a file.
fn chosen(came: &[Part], wanted: &[(u64, String)]) -> Result<Vec<Part>> {
    let mut chosen: Vec<Part> = Vec::with_capacity(wanted.len());
    for (number, md5) in wanted {
        let before = chosen.last();
        if before.is_some_and(|before| before.number >= *number) {
            return Err(Error::WrongPart(WrongPart::Order));
        }
        if let Some(small) = before.filter(|before| before.size < LEAST_PART) {
            return Err(Error::WrongPart(WrongPart::Small(small.number)));
        }
        let found = came
            .binary_search_by_key(number, |part| part.number)
            .ok()
            .map(|index| &came[index])
            .filter(|part| part.md5 == *md5);
        chosen.push(found.ok_or(WrongPart::Missing(*number))?.clone());
    }
    if chosen.is_empty() {
        return Err(Error::WrongPart(WrongPart::None));
    }
    Ok(chosen)
}

/// The tag of a file in parts, as S3 makes it: the MD5 of the MD5s, and how many.
fn combined(parts: &[Part]) -> String {
    let mut digest = Md5::new();
    for part in parts {
        let md5 = data_encoding::HEXLOWER.decode(part.md5.as_bytes());
        digest.update(md5.unwrap_or_default());
    }
    format!("{}-{}", hex(&digest.finalize()), parts.len())
}

#[cfg(test)]
mod tests;
