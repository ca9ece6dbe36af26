//! A folder as one archive. How archives are written is another part's to know; this one
//! says which files stand in it, one after another.

use crate::bucket::Bucket;
use crate::file::File;
use crate::list::Start;
use crate::path::after_prefix;
use crate::{DELIMITER, Error, Files, Result, sql};
use base::Timestamp;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use std::fmt;
use std::io;
use std::sync::Arc;

/// Files whose sizes are looked at before the first byte goes out: of a folder that has
/// no more, the archive's length is told.
const COUNTED: usize = 10_000;
/// Files read at once.
const BATCH: usize = 500;

/// Opens a file, when it is its turn.
pub type Open = Box<
    dyn FnOnce() -> BoxFuture<'static, io::Result<BoxStream<'static, io::Result<Bytes>>>> + Send,
>;

/// One file of an archive.
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Exactly so many bytes.
    pub size: u64,
    /// When it was changed.
    pub modified: Timestamp,
    /// Gives its bytes, when it is its turn.
    pub open: Open,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({:?}, {})", self.path, self.size)
    }
}

/// The files of an archive, in order.
pub type Members = BoxStream<'static, io::Result<Member>>;

/// An archive about to be sent.
pub struct Zipped {
    /// Its length, where all members are known.
    pub length: Option<u64>,
    /// Its bytes. It ends with an error where a member cannot be read as it was said.
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

impl fmt::Debug for Zipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zipped({:?})", self.length)
    }
}

/// Who writes archives.
pub trait Zips: fmt::Debug + Send + Sync {
    /// The archive of the `first` members and those that `follow`; with nothing to
    /// follow, its length is known before its first byte. Nothing is compressed.
    fn zip(&self, first: Vec<Member>, follow: Option<Members>) -> Zipped;
}

impl Files {
    /// Gives it who writes archives, before anything is asked of it.
    pub fn connect_zips(&self, zips: Arc<dyn Zips>) {
        let _ = self.0.zips.set(zips);
    }

    /// A folder as an archive.
    ///
    /// # Errors
    /// [`Error::NoZips`], or whatever the database says.
    pub(crate) async fn zipped(&self, bucket: &Arc<Bucket>, folder: &str) -> Result<Zipped> {
        let zips = self.0.zips.get().ok_or(Error::NoZips)?;
        let mut pages = Box::pin(pages(self.clone(), Arc::clone(bucket), folder.to_owned()));
        let mut first = Vec::new();
        while first.len() <= COUNTED {
            match pages.try_next().await? {
                None => return Ok(zips.zip(first, None)),
                Some(page) => first.extend(page),
            }
        }
        let follow = pages
            .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
            .map_err(io::Error::other)
            .try_flatten();
        Ok(zips.zip(first, Some(follow.boxed())))
    }
}

/// The files of a folder, a page at a time.
fn pages(
    files: Files,
    bucket: Arc<Bucket>,
    folder: String,
) -> impl Stream<Item = Result<Vec<Member>>> + Send {
    let end = after_prefix(&folder);
    // From the folder's own name on, its marker included, which is left out below.
    let begin = Some(Start::At(folder.clone()));
    stream::try_unfold(begin, move |from| {
        let (files, bucket) = (files.clone(), Arc::clone(&bucket));
        let (folder, end) = (folder.clone(), end.clone());
        async move {
            let Some(from) = from else { return Ok(None) };
            let page =
                sql::list::paths(files.db(), bucket.id, &from, end.as_deref(), BATCH).await?;
            let next = page
                .last()
                .filter(|_| page.len() == BATCH)
                .map(|last| Start::After(last.path.as_str().to_owned()));
            let members = page
                .into_iter()
                .filter(|file| !file.path.as_str().ends_with(DELIMITER))
                .map(|file| member(&files, file, &folder))
                .collect();
            Ok(Some((members, next)))
        }
    })
}

fn member(files: &Files, file: File, folder: &str) -> Member {
    let files = files.clone();
    let path = file.path.as_str();
    Member {
        path: path.strip_prefix(folder).unwrap_or(path).to_owned(),
        size: file.size,
        modified: file.modified_at,
        open: Box::new(move || {
            Box::pin(async move {
                let content = files.content(&file).await.map_err(io::Error::other)?;
                let size = content.size();
                Ok(content.stream(0..size).map_err(io::Error::other).boxed())
            })
        }),
    }
}
