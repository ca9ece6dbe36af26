//! What stands in a list of versions, in its order: contents of now and of the past, and the
//! folders that stand for all that is in them.

use crate::bucket::Bucket;
use crate::file::File;
use crate::list::{Entry, common};
use crate::path::after_prefix;
use crate::remove::Heap;
use crate::{Files, Result};
use base::FileId;
use uuid::Uuid;

/// Rows of the past that are read at once.
const BATCH: usize = 500;

/// One line of a list. The current content of a path comes before those of its past, and of these
/// the newest first, as clients rely on it.
pub(super) enum Line {
    /// A content, and whether it is the current one.
    Version(Box<File>, bool),
    /// What several paths begin with.
    Folder(String),
}

impl Line {
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Version(file, _) => file.path.as_str(),
            Self::Folder(folder) => folder,
        }
    }

    /// Its place among those of the same key.
    fn rank(&self) -> (bool, std::cmp::Reverse<Option<FileId>>) {
        match self {
            Self::Version(file, latest) => (!latest, std::cmp::Reverse(Some(file.id))),
            Self::Folder(_) => (false, std::cmp::Reverse(None)),
        }
    }
}

/// What of a bucket is listed.
pub(super) struct Asked<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
}

impl Asked<'_> {
    /// At most `limit` lines after one: its key, and the id of its content.
    pub(super) async fn lines(
        &self,
        files: &Files,
        after: Option<(String, FileId)>,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let key = after.as_ref().map(|(key, _)| key.as_str());
        let current = files.keys(self.bucket, self.prefix, self.delimiter, key, limit);
        let current = current.await?;
        let mut lines: Vec<Line> = current
            .into_iter()
            .map(|entry| match entry {
                Entry::File(file) => Line::Version(file, true),
                Entry::Folder(folder) => Line::Folder(folder),
            })
            .collect();
        if self.bucket.versions {
            // Where a page ended at a path, the rest of its past is still to come.
            lines.extend(self.past(files, after, limit).await?);
            lines.sort_by(|a, b| a.key().cmp(b.key()).then_with(|| a.rank().cmp(&b.rank())));
            // A folder may hold contents of now and of the past.
            lines.dedup_by(|a, b| match (a, b) {
                (Line::Folder(a), Line::Folder(b)) => a == b,
                _ => false,
            });
        }
        lines.truncate(limit);
        Ok(lines)
    }

    /// The lines of the past alone.
    async fn past(
        &self,
        files: &Files,
        after: Option<(String, FileId)>,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut after = after;
        // Where one stopped at a folder, what is in it has been told.
        if let Some((key, _)) = &after
            && self.folder(key).is_some_and(|folder| folder == *key)
        {
            match behind(key) {
                Some(next) => after = Some(next),
                None => return Ok(lines),
            }
        }
        while lines.len() < limit {
            let batch = BATCH.min(limit - lines.len() + 1).max(2);
            let heap = Heap::Versions;
            let rows = files.past(self.bucket, heap, self.prefix, after.as_ref(), batch);
            let rows = rows.await?;
            let is_full = rows.len() == batch;
            let mut within: Option<String> = None;
            for row in rows {
                let file = row.file;
                let path = file.path.as_str();
                after = Some((path.to_owned(), file.id));
                if within
                    .as_deref()
                    .is_some_and(|folder| path.starts_with(folder))
                {
                    continue;
                }
                within = self.folder(path).map(str::to_owned);
                if lines.len() == limit {
                    return Ok(lines);
                }
                lines.push(match &within {
                    Some(folder) => Line::Folder(folder.clone()),
                    None => Line::Version(Box::new(file), false),
                });
            }
            if !is_full {
                break;
            }
            // Everything below the last folder is passed over at once.
            if let Some(folder) = within {
                match behind(&folder) {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(lines)
    }

    /// The folder that stands for a path.
    fn folder<'b>(&self, path: &'b str) -> Option<&'b str> {
        common(path, self.prefix, self.delimiter?)
    }
}

/// The place behind all that is in a folder, of whose contents of the past none is left out.
fn behind(folder: &str) -> Option<(String, FileId)> {
    Some((after_prefix(folder)?, FileId::from(Uuid::max())))
}
