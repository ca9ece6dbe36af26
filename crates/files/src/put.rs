//! Putting a file: its bytes first, to where nobody sees them, and then all at once.
//!
//! A reader finds the old content or the new one. What was acknowledged is on the disk:
//! the bytes and their folder are synced before the row that names them is committed.
//! Whoever leaves half-way leaves nothing: bytes that no row names go with their writer,
//! and what a crash left is swept.

use crate::bucket::Bucket;
use crate::event::Happened;
use crate::expect::{Expect, Promised, hex};
use crate::file::{File, Headers, Metadata, TagSet, metadata_text, tags_text};
use crate::path::FilePath;
use crate::permit::Writer;
use crate::presign::{LinkError, Once};
use crate::store::{self, Aside};
use crate::{Error, Files, Result, media, sniff, sql, words};
use base::{FileId, UploadId};
use bytes::Bytes;
use std::io::Cursor;
use std::sync::Arc;
use storage::{BlobName, BlobWriter, ObjectHeaders, ObjectWriter, StoredBlob, Tx};

/// A file to be put.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Where.
    pub path: FilePath,
    /// What it is said to be.
    pub media_type: Option<String>,
    /// Headers to be answered with it.
    pub headers: Headers,
    /// What is said of it.
    pub metadata: Metadata,
    /// Its tags.
    pub tags: TagSet,
    /// Its tag (`ETag`) in the place of the MD5 of its content.
    pub etag: Option<String>,
    /// What must be there.
    pub expect: Expect,
    /// What the content is said to be.
    pub promised: Promised,
}

impl NewFile {
    /// At this path, with nothing said of it.
    #[must_use]
    pub fn at(path: FilePath) -> Self {
        Self {
            path,
            media_type: None,
            headers: Headers::default(),
            metadata: Metadata::new(),
            tags: TagSet::new(),
            etag: None,
            expect: Expect::default(),
            promised: Promised::default(),
        }
    }
}

/// A file that comes in. Dropped before [`Incoming::finish`], nothing is left of it.
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    bucket: Arc<Bucket>,
    by: Writer,
    new: NewFile,
    sink: Sink,
    beginning: Vec<u8>,
    most: u64,
    along: Along,
}

/// Where its bytes go.
#[derive(Debug)]
enum Sink {
    Disk(Box<BlobWriter>),
    Store(Box<ObjectWriter>),
}

impl Sink {
    fn position(&self) -> u64 {
        match self {
            Self::Disk(blob) => blob.position(),
            Self::Store(object) => object.position(),
        }
    }

    /// How many of the first bytes are kept: from the store, they would have to be fetched.
    const fn beginning(&self) -> usize {
        match self {
            Self::Disk(_) => sniff::LOOK,
            Self::Store(_) => media::BEGINNING,
        }
    }
}

impl Files {
    /// Begins to put a file. What can be refused before its bytes come is refused here.
    ///
    /// # Errors
    /// [`Error::Precondition`], [`Error::Quota`], [`Error::TooLarge`], or what cannot be
    /// kept of what is said of it.
    pub async fn put(&self, bucket: &Arc<Bucket>, by: Writer, new: NewFile) -> Result<Incoming> {
        new.headers.check()?;
        metadata_text(&new.metadata)?;
        tags_text(&new.tags)?;
        let most = self.settings().max_file_bytes;
        store::is_storable(bucket, &new.path)?;
        let length = new.promised.length.unwrap_or(0);
        if length > most {
            return Err(Error::TooLarge { most });
        }
        if !new.expect.is_nothing() {
            let there = match self.file(bucket, &new.path).await {
                Err(Error::NoFile(_)) => None,
                there => Some(there?),
            };
            new.expect.check(there.as_ref())?;
        }
        self.check_quota(bucket, &by, length).await?;
        let sink = match self.store(bucket).await? {
            None => Sink::Disk(Box::new(self.blobs().create_with_md5().await?)),
            Some(store) => Sink::Store(Box::new(
                store.writer(new.path.as_str(), ObjectHeaders::default()),
            )),
        };
        Ok(Incoming {
            files: self.clone(),
            bucket: Arc::clone(bucket),
            by,
            new,
            sink,
            beginning: Vec::new(),
            most,
            along: Along::Nothing,
        })
    }

    /// Refuses a signature that was used before its bytes come.
    ///
    /// # Errors
    /// [`LinkError::Used`].
    pub(crate) async fn not_used(&self, once: Once) -> Result<()> {
        if sql::signature::is_used(self.db(), once.id).await? {
            return Err(LinkError::Used.into());
        }
        Ok(())
    }

    /// Refuses at once what would not fit. What counts is asked once more at the end,
    /// when others may have come first.
    pub(crate) async fn check_quota(
        &self,
        bucket: &Bucket,
        by: &Writer,
        length: u64,
    ) -> Result<()> {
        if !sql::usage::has_quota(bucket) {
            return Ok(());
        }
        let held = sql::usage::of_bucket(self.db(), bucket.id).await?;
        let mine = match by.account {
            Some(account) => sql::usage::of_account(self.db(), bucket.id, account).await?,
            None => crate::bucket::Usage::default(),
        };
        sql::usage::allows(bucket, held, mine, length)
    }
}

impl Incoming {
    /// With the file in its place, this ends: the upload that it comes by, or the use of
    /// a signature.
    #[must_use]
    pub(crate) const fn along(mut self, along: Along) -> Self {
        self.along = along;
        self
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Content`] as soon as there are more than were announced,
    /// [`Error::TooLarge`], or what the disk says.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let size = self.sink.position() + bytes.len() as u64;
        let announced = self.new.promised.length;
        if announced.is_some_and(|announced| size > announced) {
            return Err(Error::Content("it is longer"));
        }
        if size > self.most {
            return Err(Error::TooLarge { most: self.most });
        }
        let wanted = self.sink.beginning().saturating_sub(self.beginning.len());
        let beginning = &bytes[..wanted.min(bytes.len())];
        let described = self.beginning.len() >= sniff::LOOK;
        self.beginning.extend_from_slice(beginning);
        if !described && matches!(self.sink, Sink::Store(_)) {
            let told = self.told();
            if let Sink::Store(object) = &mut self.sink {
                object.describe(told);
            }
        }
        match &mut self.sink {
            Sink::Disk(blob) => blob.write(bytes).await?,
            Sink::Store(object) => object.write(bytes).await?,
        }
        Ok(())
    }

    /// What the store is told of it, by what is known so far.
    fn told(&self) -> ObjectHeaders {
        let sniffed = sniff::sniffed(sniffable(&self.beginning));
        let new = &self.new;
        let media_type = sniff::media_type(new.media_type.as_deref(), &new.path, sniffed);
        store::object_headers(&media_type, new)
    }

    /// Puts it in its place: on return it is there for good. Whoever stops waiting for
    /// it does not stop it.
    ///
    /// # Errors
    /// [`Error::Content`], [`Error::Precondition`], [`Error::Quota`], or what the disk or
    /// the database says. Then nothing has changed.
    pub async fn finish(self) -> Result<File> {
        let tasks = self.files.tasks().clone();
        let placed = tasks.spawn(self.place()).await;
        placed.map_err(|_| storage::Error::Stopped)?
    }

    async fn place(self) -> Result<File> {
        let announced = self.new.promised.length;
        if announced.is_some_and(|announced| announced != self.sink.position()) {
            return Err(Error::Content("it is shorter"));
        }
        let told = self.told();
        let Self {
            files,
            bucket,
            by,
            new,
            sink,
            beginning,
            along,
            ..
        } = self;
        let beginning = Bytes::from(beginning);
        let blob = match sink {
            Sink::Disk(blob) => *blob,
            Sink::Store(mut object) => {
                if object.position() == 0 {
                    object.describe(told);
                }
                return files
                    .place_in_store(&bucket, &by, &new, *object, beginning, along)
                    .await;
            }
        };
        let stored = blob.finish().await?;
        let came = Came::of(&stored);
        let blob = Some(stored.name);
        let file = described(&files, &bucket, &by, &new, &came, blob, beginning).await;
        let checked = new.promised.check(&came);
        let committed = match checked {
            Ok(()) => {
                files
                    .commit_along(&bucket, file, &new.expect, None, (along, None))
                    .await
            }
            Err(error) => Err(Uncommitted::Certainly(error)),
        };
        match committed {
            Ok(file) => Ok(file),
            Err(Uncommitted::Certainly(error)) => {
                files.discard(stored.name).await;
                Err(error)
            }
            // It may be in the database; where it is not, the sweep finds the bytes.
            Err(Uncommitted::Perhaps(error)) => Err(error),
        }
    }
}

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
}

/// The first bytes, as far as a type is recognised by them.
fn sniffable(beginning: &[u8]) -> &[u8] {
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

/// What ends in the moment in which a file comes to its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Along {
    /// Nothing.
    Nothing,
    /// The upload that it came by.
    Upload(UploadId),
    /// The use of a signature that is good for one.
    Signature(Once),
}

impl Along {
    async fn end(self, tx: &mut Tx) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Upload(upload) if sql::upload::end(tx, upload).await? => Ok(()),
            Self::Upload(_) => Err(Error::NoUpload),
            Self::Signature(once) if sql::signature::use_up(tx, once.id, once.expires).await? => {
                Ok(())
            }
            Self::Signature(_) => Err(LinkError::Used.into()),
        }
    }
}

/// Why a change is not in the database.
pub(crate) enum Uncommitted {
    /// It is not.
    Certainly(Error),
    /// The database did not say whether it is.
    Perhaps(Error),
}

impl<E: Into<Error>> From<E> for Uncommitted {
    fn from(error: E) -> Self {
        Self::Certainly(error.into())
    }
}

impl Files {
    /// Makes `file` the current one at its path. A copy needs its `source` to be there
    /// still, for the bytes are the same.
    pub(crate) async fn commit(
        &self,
        bucket: &Bucket,
        file: File,
        expect: &Expect,
        source: Option<&File>,
    ) -> Result<File, Uncommitted> {
        let along = (Along::Nothing, None);
        self.commit_along(bucket, file, expect, source, along).await
    }

    /// The same with what ends at the same moment, and with what was copied aside of a
    /// store.
    pub(crate) async fn commit_along(
        &self,
        bucket: &Bucket,
        mut file: File,
        expect: &Expect,
        source: Option<&File>,
        (along, aside): (Along, Option<&Aside>),
    ) -> Result<File, Uncommitted> {
        let mut places = vec![(bucket.id, file.path.as_str())];
        places.extend(source.map(|source| (source.bucket, source.path.as_str())));
        let mut tx = self.alter(&places).await?;
        along.end(&mut tx).await?;
        let there = sql::file::current_in(&mut tx, bucket.id, file.path.as_str()).await?;
        expect.check(there.as_ref())?;
        if let Some(source) = source
            && !sql::file::hold(&mut tx, source.id).await?
        {
            return Err(Error::NoFile(source.path.clone()).into());
        }
        let mut freed = None;
        if let Some(there) = &there {
            file.created_at = there.created_at;
            freed = self
                .displace(&mut tx, bucket, there, &file.uploader, aside)
                .await?;
        }
        if sql::usage::has_quota(bucket) {
            sql::usage::check(&mut tx, bucket, &file).await?;
        }
        match sql::file::insert(&mut tx, &file).await {
            Ok(()) => {}
            Err(storage::Error::Reference) => {
                return Err(Error::NoBucket(bucket.name.to_string()).into());
            }
            Err(error) => return Err(error.into()),
        }
        sql::usage::add(&mut tx, &file).await?;
        index(&mut tx, &file).await?;
        let told = (&file, None);
        let to_tell = self
            .note(&mut tx, bucket, Happened::Put, told, &file.uploader)
            .await?;
        let unused = sql::file::unused(&mut tx, freed).await?;
        let committed = tx.commit().await;
        committed.map_err(|error| Uncommitted::Perhaps(error.into()))?;
        self.tell(to_tell).await;
        if let Some(blob) = unused {
            self.discard(blob).await;
        }
        Ok(file)
    }

    /// What lies at a path makes room for something else there. Its bytes, where it does
    /// not stay as a version.
    pub(crate) async fn displace(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        there: &File,
        by: &str,
        aside: Option<&Aside>,
    ) -> Result<Option<BlobName>> {
        sql::word::remove(tx, there.bucket, there.path.as_str()).await?;
        if bucket.versions {
            let object = Aside::of(aside, there)?;
            sql::file::retire(tx, there.id, "old", (by, self.now()), object).await?;
            return Ok(None);
        }
        sql::file::delete(tx, there.id).await?;
        sql::usage::subtract(tx, there).await?;
        Ok(there.blob)
    }

    /// Removes bytes that nothing names any more. What cannot be removed, the sweep will.
    pub(crate) async fn discard(&self, blob: BlobName) {
        if let Err(error) = self.blobs().delete(blob).await {
            tracing::warn!(%error, "stored content could not be removed");
        }
    }
}

/// Notes the words by which a current file is found.
pub(crate) async fn index(tx: &mut Tx, file: &File) -> storage::Result<()> {
    sql::word::add(tx, file, &words::of_file(&file.path, &file.metadata)).await
}
