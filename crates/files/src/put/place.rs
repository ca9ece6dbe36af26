//! The rows of contents that come to their places: of one, or of several of one bucket that
//! come at the same time, which cost few more statements than one. Whether each may is known
//! before anything is written, so that what is refused of one leaves the others alone.

use crate::bucket::Bucket;
use crate::event::{Happened, ToTell};
use crate::expect::Expect;
use crate::file::{File, Object};
use crate::sql::usage::{Tally, has_quota};
use crate::store::Aside;
use crate::{Error, Files, Result, sql, words};
use base::BucketId;
use std::collections::HashMap;
use storage::{BlobName, Tx};

/// A content that is to be the current one at its path.
#[derive(Debug)]
pub(super) struct Coming<'a> {
    /// Its bucket, with the rules that held when it came.
    pub(super) bucket: &'a Bucket,
    pub(super) file: File,
    /// What must be there.
    pub(super) expect: &'a Expect,
    /// Where what is there was copied to.
    pub(super) aside: Option<&'a Aside>,
    /// Whether it has its room already.
    pub(super) granted: bool,
}

impl Coming<'_> {
    /// Whether it is still to be asked if there is room for it.
    const fn is_limited(&self) -> bool {
        !self.granted && has_quota(self.bucket)
    }
}

/// A file in its place, and bytes that nothing names any more since.
pub(super) type Placing = (File, Option<BlobName>);

/// What came of bringing contents to their places.
#[derive(Debug)]
pub(super) struct Placed {
    /// Of each in its turn; what was refused has changed nothing.
    pub(super) outcomes: Vec<Result<Placing>>,
    /// Who is to be told once it is for good.
    pub(super) to_tell: ToTell,
}

/// What lay at a path where another content may come.
struct Displaced<'a> {
    there: File,
    /// Where its bytes are, where it stays as a version.
    kept: Option<Option<&'a Object>>,
    by: String,
}

impl Files {
    /// Brings contents of one bucket to their places, no two of them to one path.
    pub(super) async fn place_all(&self, tx: &mut Tx, coming: Vec<Coming<'_>>) -> Result<Placed> {
        let Some(bucket) = coming.first().map(|one| one.file.bucket) else {
            return Ok(Placed {
                outcomes: Vec::new(),
                to_tell: ToTell::default(),
            });
        };
        let paths: Vec<&str> = coming.iter().map(|one| one.file.path.as_str()).collect();
        let mut there = sql::file::current_at(tx, bucket, &paths).await?;
        let mut tally = tally(tx, bucket, &coming).await?;
        let mut displaced = Vec::new();
        let mut buckets = Vec::with_capacity(coming.len());
        let mut outcomes: Vec<Result<Placing>> = Vec::with_capacity(coming.len());
        for one in coming {
            buckets.push(one.bucket);
            let found = there.remove(one.file.path.as_str());
            outcomes.push(admit(one, found, &mut tally, &mut displaced).map(|file| (file, None)));
        }
        let files: Vec<&File> = outcomes.iter().flatten().map(|(file, _)| file).collect();
        if files.is_empty() {
            return Ok(Placed {
                outcomes,
                to_tell: ToTell::default(),
            });
        }
        self.make_room(tx, bucket, &displaced).await?;
        match sql::file::insert_all(tx, &files).await {
            Err(storage::Error::Reference) => {
                return Err(Error::NoBucket(buckets[0].name.to_string()));
            }
            inserted => inserted?,
        }
        tally.keep(tx, bucket).await?;
        let words = files.iter();
        let words = words.map(|file| {
            let words = words::of_file(&file.path, &file.metadata);
            (file.path.as_str(), words)
        });
        sql::word::add(tx, bucket, &words.collect::<Vec<_>>()).await?;
        self.note_puts(tx, bucket, &files).await?;
        let mut to_tell = ToTell::default();
        for (bucket, outcome) in buckets.into_iter().zip(&outcomes) {
            if let Ok((file, _)) = outcome {
                let told = (file, None);
                let by = &file.uploader;
                let more = self.note_for_webhooks(tx, bucket, Happened::Put, told, by);
                to_tell.extend(more.await?);
            }
        }
        let unused = unused(tx, &displaced).await?;
        for (file, blob) in outcomes.iter_mut().flatten() {
            *blob = unused.get(file.path.as_str()).copied();
        }
        Ok(Placed { outcomes, to_tell })
    }

    /// What lay there makes room.
    async fn make_room(
        &self,
        tx: &mut Tx,
        bucket: BucketId,
        displaced: &[Displaced<'_>],
    ) -> storage::Result<()> {
        let paths = displaced.iter().map(|one| one.there.path.as_str());
        sql::word::remove_all(tx, bucket, &paths.collect::<Vec<_>>()).await?;
        let mut gone = Vec::new();
        for one in displaced {
            match one.kept {
                None => gone.push(one.there.id),
                Some(object) => {
                    let by = (one.by.as_str(), self.now());
                    sql::file::retire(tx, one.there.id, "old", by, object).await?;
                }
            }
        }
        sql::file::delete_all(tx, &gone).await
    }
}

/// What a bucket holds, as far as it has to be known.
async fn tally(tx: &mut Tx, bucket: BucketId, coming: &[Coming<'_>]) -> storage::Result<Tally> {
    let limited = || coming.iter().filter(|one| one.is_limited());
    if limited().next().is_none() {
        return Ok(Tally::default());
    }
    let accounts = limited().map(|one| one.file.account.unwrap_or_default());
    Tally::of_limited(tx, bucket, accounts).await
}

/// Whether a content may come to its place, and what it displaces there.
fn admit<'a>(
    coming: Coming<'a>,
    there: Option<File>,
    tally: &mut Tally,
    displaced: &mut Vec<Displaced<'a>>,
) -> Result<File> {
    let limited = coming.is_limited();
    let Coming {
        bucket,
        mut file,
        expect,
        aside,
        ..
    } = coming;
    expect.check(there.as_ref())?;
    let kept = match &there {
        Some(there) if bucket.versions => Some(Aside::of(aside, there)?),
        _ => None,
    };
    let goes = there.as_ref().filter(|_| kept.is_none());
    if let Some(there) = goes {
        tally.subtract(there);
    }
    if limited && let Err(error) = tally.allows(bucket, &file) {
        if let Some(there) = goes {
            tally.add(there);
        }
        return Err(error);
    }
    tally.add(&file);
    if let Some(there) = there {
        file.created_at = there.created_at;
        displaced.push(Displaced {
            there,
            kept,
            by: file.uploader.clone(),
        });
    }
    Ok(file)
}

/// The bytes that nothing names any more, by the path at which they were.
async fn unused(
    tx: &mut Tx,
    displaced: &[Displaced<'_>],
) -> storage::Result<HashMap<String, BlobName>> {
    let gone = displaced.iter().filter(|one| one.kept.is_none());
    let gone = gone.filter_map(|one| Some((one.there.path.as_str().to_owned(), one.there.blob?)));
    let mut gone: HashMap<String, BlobName> = gone.collect();
    let blobs: Vec<BlobName> = gone.values().copied().collect();
    let named = sql::file::named(tx, &blobs).await?;
    gone.retain(|_, blob| !named.contains(blob));
    Ok(gone)
}
