//! Putting a file: its bytes first, to where nobody sees them, and then all at once.
//!
//! A reader finds the old content or the new one. What was acknowledged is on the disk:
//! the bytes and their folder are synced before the row that names them is committed.
//! Whoever leaves half-way leaves nothing: bytes that no row names go with their writer,
//! and what a crash left is swept.

mod commit;
mod described;
mod place;
mod together;

pub(crate) use commit::{Along, Beside, Uncommitted, index};
pub(crate) use described::{Came, Seen, described, described_as_seen};
pub(crate) use together::Together;

use crate::bucket::Bucket;
use crate::expect::{Expect, Promised, Wide};
use crate::file::{File, Headers, Metadata, TagSet, metadata_text, tags_text};
use crate::media::Passing;
use crate::path::FilePath;
use crate::permit::Writer;
use crate::presign::{LinkError, Once};
use crate::quota::Wanted;
use crate::{Error, Files, Result, media, sniff, sql, store};
use bytes::Bytes;
use described::sniffable;
use std::sync::Arc;
use storage::{BlobWriter, ObjectHeaders, ObjectWriter};

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
    wide: Wide,
    beginning: Vec<u8>,
    film: Passing,
    most: u64,
    along: Along,
}

/// Where bytes go that come in.
#[derive(Debug)]
pub(crate) enum Sink {
    Disk(Box<BlobWriter>),
    Store(Box<ObjectWriter>),
}

impl Sink {
    pub(crate) fn position(&self) -> u64 {
        match self {
            Self::Disk(blob) => blob.position(),
            Self::Store(object) => object.position(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Disk(blob) => blob.write(bytes).await?,
            Self::Store(object) => object.write(bytes).await?,
        }
        Ok(())
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
        self.put_along(bucket, by, new, Along::Nothing).await
    }

    /// The same where something ends with the file in its place: what has come of that counts
    /// already.
    pub(crate) async fn put_along(
        &self,
        bucket: &Arc<Bucket>,
        by: Writer,
        new: NewFile,
        along: Along,
    ) -> Result<Incoming> {
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
        let wanted = Wanted {
            path: Some(&new.path),
            account: by.account,
            bytes: length,
            counted: along.counted(self, bucket, by.account).await?,
        };
        self.check_quota(bucket, wanted).await?;
        let sink = match self.store(bucket).await? {
            None => Sink::Disk(Box::new(self.blobs().create_with_md5())),
            Some(store) => Sink::Store(Box::new(
                store
                    .writer(new.path.as_str(), ObjectHeaders::default())
                    .of_length(new.promised.length),
            )),
        };
        Ok(Incoming {
            files: self.clone(),
            bucket: Arc::clone(bucket),
            by,
            wide: Wide::of(&new.promised),
            new,
            sink,
            beginning: Vec::new(),
            film: Passing::new(),
            most,
            along,
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
}

impl Incoming {
    /// With the file in its place, this ends: the use of a signature.
    #[must_use]
    pub(crate) fn along(mut self, along: Along) -> Self {
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
        if matches!(self.sink, Sink::Store(_)) {
            self.film.look(&bytes);
            if !described {
                let told = self.told();
                if let Sink::Store(object) = &mut self.sink {
                    object.describe(told);
                }
            }
        }
        self.wide.update(&bytes);
        self.sink.write(bytes).await
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
        let files = self.files.clone();
        files.in_the_background(self.place()).await
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
            wide,
            beginning,
            film,
            along,
            ..
        } = self;
        wide.check()?;
        let beginning = Bytes::from(beginning);
        let blob = match sink {
            Sink::Disk(blob) => *blob,
            Sink::Store(mut object) => {
                if object.position() == 0 {
                    object.describe(told);
                }
                let seen = Seen {
                    beginning,
                    film: film.without_pictures(),
                };
                return files
                    .place_in_store(&bucket, &by, &new, *object, seen, along)
                    .await;
            }
        };
        let stored = blob.finish().await?;
        let came = Came::of(&stored);
        let blob = Some(stored.name);
        let file = described(&files, &bucket, &by, &new, &came, blob, beginning).await;
        let checked = new.promised.check(&came);
        let committed = match checked {
            Ok(()) => match along {
                Along::Nothing => files.commit_together(&bucket, file, new.expect).await,
                along => {
                    files
                        .commit_along(&bucket, file, &new.expect, None, along.into())
                        .await
                }
            },
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
