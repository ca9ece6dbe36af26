//! Finding files: a folder with what is in it, in an order of one's choice, and all
//! paths in their own order, as S3 lists them. Pages are found by key, never by offset.

use crate::bucket::Bucket;
use crate::file::File;
use crate::path::{DELIMITER, after_prefix};
use crate::{Files, Result, sql, words};
use serde::{Deserialize, Serialize};

/// By what a list is sorted; of the same key, by path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// By path: in a folder that is by name.
    #[default]
    Name,
    /// By length.
    Size,
    /// By when the content came.
    Date,
}

/// A question for files.
#[derive(Clone, Debug, Default)]
pub struct Browse {
    /// What paths begin with.
    pub prefix: String,
    /// Only what lies right there: deeper ones are told by their folder. The prefix is
    /// nothing or ends with `/` then.
    pub one_folder: bool,
    /// By what.
    pub sort: Sort,
    /// The greatest first.
    pub descending: bool,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// After this folder.
    #[serde(rename = "d")]
    Folder(String),
    /// After all folders.
    #[serde(rename = "e")]
    Folders,
    /// After the file with this key and path.
    #[serde(rename = "f")]
    File(i64, String),
    /// After the file with this path, which was found by this word.
    #[serde(rename = "w")]
    Word(String, String),
}

/// A page of what was found: first the folders, then the files.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Folders, by their whole path with its `/`.
    pub folders: Vec<String>,
    /// Files.
    pub files: Vec<File>,
    /// Where the next page goes on; nothing at the end.
    pub next: Option<Place>,
}

/// What stands in a list of paths.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A file.
    File(Box<File>),
    /// What several paths begin with.
    Folder(String),
}

impl Entry {
    /// The path or the prefix.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::File(file) => file.path.as_str(),
            Self::Folder(folder) => folder,
        }
    }
}

/// How much is below a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Below {
    /// Files, deeper ones included.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether there are more files: it was counted no further.
    pub more: bool,
}

/// Rows read at once when paths are listed.
const BATCH: usize = 500;

impl Files {
    /// A page of at most `limit` folders and files.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn browse(
        &self,
        bucket: &Bucket,
        ask: &Browse,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Found> {
        let mut found = Found::default();
        let after = match after {
            None | Some(Place::Folder(_)) if ask.one_folder => {
                let from = match after {
                    Some(Place::Folder(folder)) => Some(folder),
                    _ => None,
                };
                if self.folders(bucket, ask, from, limit, &mut found).await? {
                    return Ok(found);
                }
                None
            }
            Some(Place::File(key, path)) => Some((key, path)),
            _ => None,
        };
        let room = limit - found.folders.len();
        if room == 0 {
            found.next = Some(Place::Folders);
            return Ok(found);
        }
        let mut files =
            sql::list::browse(self.db(), bucket.id, ask, after.as_ref(), room + 1).await?;
        if files.len() > room {
            files.truncate(room);
            found.next = files.last().map(|file| {
                Place::File(
                    sql::list::key(ask.sort, file),
                    file.path.as_str().to_owned(),
                )
            });
        }
        // The marker of the folder itself is no file in it.
        files.retain(|file| !ask.one_folder || file.path.as_str() != ask.prefix);
        found.files = files;
        Ok(found)
    }

    /// A page of at most `limit` files below `prefix` that have, in their paths or in
    /// what is said of them, for each word of `text` one that begins with it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn search(
        &self,
        bucket: &Bucket,
        prefix: &str,
        text: &str,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Found> {
        let words = words::asked(text);
        let after = match after {
            Some(Place::Word(word, path)) => Some((word, path)),
            _ => None,
        };
        let after = after.as_ref();
        let mut rows =
            sql::word::search(self.db(), bucket.id, &words, prefix, after, limit + 1).await?;
        let mut found = Found::default();
        if rows.len() > limit {
            rows.truncate(limit);
            found.next = rows
                .last()
                .map(|(word, file)| Place::Word(word.clone(), file.path.as_str().to_owned()));
        }
        found.files = rows.into_iter().map(|(_, file)| file).collect();
        Ok(found)
    }

    /// How much is below a prefix, counted up to `most` files.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn below(&self, bucket: &Bucket, prefix: &str, most: usize) -> Result<Below> {
        let count = |most| sql::list::sum_of_first(self.db(), bucket.id, prefix, most);
        let (files, bytes) = count(most + 1).await?;
        if files <= most as u64 {
            return Ok(Below {
                files,
                bytes,
                more: false,
            });
        }
        // Of those that are told, and not of the one that shows that there are more.
        let (files, bytes) = count(most).await?;
        Ok(Below {
            files,
            bytes,
            more: true,
        })
    }

    /// Fills in folders; whether there are more than fit.
    async fn folders(
        &self,
        bucket: &Bucket,
        ask: &Browse,
        mut after: Option<String>,
        limit: usize,
        found: &mut Found,
    ) -> Result<bool> {
        // Folders have no size; only the order of their names can be turned round.
        let descending = ask.descending && ask.sort == Sort::Name;
        loop {
            let next = sql::list::next_folder(
                self.db(),
                bucket.id,
                &ask.prefix,
                after.as_deref(),
                descending,
            )
            .await?;
            let Some(folder) = next else { return Ok(false) };
            if found.folders.len() == limit {
                found.next = found.folders.last().cloned().map(Place::Folder);
                return Ok(true);
            }
            after = Some(folder.clone());
            found.folders.push(folder);
        }
    }

    /// At most `limit` entries in the order of their bytes after `after`: paths that
    /// begin with `prefix`, and for those that hold `delimiter` behind it what they
    /// have in common up to there.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn keys(
        &self,
        bucket: &Bucket,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let end = after_prefix(prefix);
        let mut entries = Vec::new();
        let mut from = Start::of(prefix, after);
        // Where one stopped at a folder, what is in it has been told.
        if let (Some(delimiter), Some(after)) = (delimiter, after)
            && let Some(folder) = common(after, prefix, delimiter)
            && folder == after
        {
            match after_prefix(folder) {
                Some(next) => from = Start::At(next),
                None => return Ok(entries),
            }
        }
        while entries.len() < limit {
            let batch = BATCH.min(limit - entries.len() + 1).max(2);
            let rows = sql::list::paths(self.db(), bucket.id, &from, end.as_deref(), batch).await?;
            let full = rows.len() == batch;
            let mut folder: Option<String> = None;
            let mut last = None;
            for file in rows {
                last = Some(file.path.as_str().to_owned());
                if folder
                    .as_deref()
                    .is_some_and(|folder| file.path.as_str().starts_with(folder))
                {
                    continue;
                }
                folder = delimiter
                    .and_then(|delimiter| common(file.path.as_str(), prefix, delimiter))
                    .map(str::to_owned);
                if entries.len() == limit {
                    return Ok(entries);
                }
                entries.push(match &folder {
                    Some(folder) => Entry::Folder(folder.clone()),
                    None => Entry::File(Box::new(file)),
                });
            }
            let Some(last) = last.filter(|_| full) else {
                break;
            };
            // Everything below the last folder is passed over at once.
            from = match folder {
                Some(folder) => match after_prefix(&folder) {
                    Some(next) => Start::At(next),
                    None => break,
                },
                None => Start::After(last),
            };
        }
        Ok(entries)
    }
}

/// What `path` has up to and with the first `delimiter` behind `prefix`.
pub(crate) fn common<'a>(path: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(prefix)?;
    let at = rest.find(delimiter)?;
    path.get(..prefix.len() + at + delimiter.len())
}

/// The folder right below `prefix` in which `folder` lies.
pub(crate) fn child(prefix: &str, folder: &str) -> Option<String> {
    let mut delimiter = [0; 4];
    common(folder, prefix, DELIMITER.encode_utf8(&mut delimiter)).map(str::to_owned)
}

/// Where a list of paths begins.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// With this path.
    At(String),
    /// Behind it.
    After(String),
}

impl Start {
    fn of(prefix: &str, after: Option<&str>) -> Self {
        match after {
            Some(after) if after >= prefix => Self::After(after.to_owned()),
            _ => Self::At(prefix.to_owned()),
        }
    }
}
