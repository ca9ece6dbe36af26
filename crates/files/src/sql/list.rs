//! Lists of files. Each order has an index, and each page begins at a key of it.

use super::file::{COLUMNS, read};
use crate::file::File;
use crate::list::{Browse, Sort, Start, child};
use crate::path::after_prefix;
use base::BucketId;
use storage::{Db, Result, Value, values};

/// By what a file is sorted.
pub(crate) fn key(sort: Sort, file: &File) -> i64 {
    match sort {
        Sort::Name => 0,
        Sort::Size => i64::try_from(file.size).unwrap_or(i64::MAX),
        Sort::Date => file.modified_at.micros(),
    }
}

/// As many files below a prefix are sorted without looking for a better way.
const FEW: usize = 2000;
/// As many files of a bucket are looked through, in their order, for a page of those that are
/// below a prefix.
const WINDOW: usize = 20_000;

/// Files of a folder, or all below a prefix, after a key and path.
pub(crate) async fn browse(
    db: &Db,
    bucket: BucketId,
    ask: &Browse,
    after: Option<&(i64, String)>,
    limit: usize,
) -> Result<Vec<File>> {
    let column = match ask.sort {
        Sort::Name => None,
        Sort::Size => Some("size"),
        Sort::Date => Some("modified_at"),
    };
    let mut page = Page::new(bucket, column, ask.descending, limit);
    if ask.one_folder {
        let folder = page.place(ask.prefix.as_str());
        page.within(&format!("folder = {folder}"));
    } else if let Some(column) = column
        && !ask.prefix.is_empty()
    {
        return below(db, bucket, ask, (column, after), limit).await;
    } else {
        page.below(&ask.prefix);
    }
    page.after(after);
    page.read(db).await
}

/// Files below a prefix by something else than their names. No index has both: where they
/// are few, they are sorted; where they are many, a page of them is soon found among all
/// files in that order; and where it is not, they are sorted after all.
async fn below(
    db: &Db,
    bucket: BucketId,
    ask: &Browse,
    (column, after): (&'static str, Option<&(i64, String)>),
    limit: usize,
) -> Result<Vec<File>> {
    if is_more(db, bucket, &ask.prefix, FEW).await? {
        let mut page = Page::new(bucket, Some(column), ask.descending, limit);
        page.after(after);
        let found = page.read_window(db, &ask.prefix).await?;
        if found.len() == limit {
            return Ok(found);
        }
    }
    let mut page = Page::new(bucket, Some(column), ask.descending, limit);
    page.below(&ask.prefix);
    page.after(after);
    // Or else all files might be looked through for those few.
    page.sorted = page.order("+");
    page.read(db).await
}

/// Whether more than so many files are below a prefix.
async fn is_more(db: &Db, bucket: BucketId, prefix: &str, count: usize) -> Result<bool> {
    let mut page = Page::new(bucket, None, false, count + 1);
    page.below(prefix);
    let sql = format!(
        "SELECT COUNT(*) AS files FROM (SELECT 1 AS one FROM file
        WHERE bucket = $1 AND standing = 'current'{} LIMIT $2) AS counted",
        page.within
    );
    let row = db.one(sql, page.values).await?;
    let files: u64 = row.map_or(Ok(0), |row| row.get("files"))?;
    Ok(files > count as u64)
}

/// A page of a list as a statement is put together for it.
struct Page {
    column: Option<&'static str>,
    descending: bool,
    within: String,
    sorted: String,
    values: Vec<Value>,
}

impl Page {
    fn new(bucket: BucketId, column: Option<&'static str>, descending: bool, limit: usize) -> Self {
        let mut page = Self {
            column,
            descending,
            within: String::new(),
            sorted: String::new(),
            values: values![bucket.uuid(), limit],
        };
        page.sorted = page.order("");
        page
    }

    /// The order; with a `+` before the key, no index has it.
    fn order(&self, sign: &str) -> String {
        let order = if self.descending { "DESC" } else { "ASC" };
        match self.column {
            None => format!("path {order}"),
            Some(column) => format!("{sign}{column} {order}, path {order}"),
        }
    }

    /// The place of a value.
    fn place(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn within(&mut self, condition: &str) {
        self.within.push_str(" AND ");
        self.within.push_str(condition);
    }

    /// What begins with `prefix`.
    fn below(&mut self, prefix: &str) {
        if let Some(condition) = self.begins_with(prefix) {
            self.within(&condition);
        }
    }

    fn begins_with(&mut self, prefix: &str) -> Option<String> {
        if prefix.is_empty() {
            return None;
        }
        let mut condition = format!("path >= {}", self.place(prefix));
        if let Some(end) = after_prefix(prefix) {
            condition.push_str(&format!(" AND path < {}", self.place(end)));
        }
        Some(condition)
    }

    /// What comes after a key and path.
    fn after(&mut self, after: Option<&(i64, String)>) {
        let Some((key, path)) = after else { return };
        let than = if self.descending { "<" } else { ">" };
        let path = self.place(path);
        let condition = match self.column {
            None => format!("path {than} {path}"),
            Some(column) => format!("({column}, path) {than} ({}, {path})", self.place(*key)),
        };
        self.within(&condition);
    }

    async fn read(self, db: &Db) -> Result<Vec<File>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = 'current'{}
            ORDER BY {} LIMIT $2",
            self.within, self.sorted
        );
        let rows = db.all(sql, self.values).await?;
        rows.iter().map(read).collect()
    }

    /// Of the next files in this order those that begin with `prefix`: a whole page of them
    /// is the page that was asked for.
    async fn read_window(mut self, db: &Db, prefix: &str) -> Result<Vec<File>> {
        let begins = self.begins_with(prefix);
        let sql = format!(
            "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = 'current' AND path IN (
                SELECT path FROM (
                    SELECT {column}, path FROM file
                    WHERE bucket = $1 AND standing = 'current'{within}
                    ORDER BY {order} LIMIT {WINDOW}
                ) AS looked_through WHERE {begins} ORDER BY {order} LIMIT $2
            ) ORDER BY {sorted}",
            column = self.column.unwrap_or("path"),
            within = self.within,
            order = self.sorted,
            begins = begins.as_deref().unwrap_or("1 = 1"),
            // These few are not to be looked for in the order of an index.
            sorted = self.order("+"),
        );
        let rows = db.all(sql, self.values).await?;
        rows.iter().map(read).collect()
    }
}

/// The folder right below `prefix` that follows `after`, in either direction.
pub(crate) async fn next_folder(
    db: &Db,
    bucket: BucketId,
    prefix: &str,
    after: Option<&str>,
    descending: bool,
) -> Result<Option<String>> {
    // Beyond the folder itself, and not beyond all that begin like it.
    let mut low = (prefix.to_owned(), ">");
    let mut high = after_prefix(prefix);
    match after {
        None => {}
        Some(after) if descending => high = Some(after.to_owned()),
        Some(after) => match after_prefix(after) {
            Some(next) => low = (next, ">="),
            None => return Ok(None),
        },
    }
    let mut values = values![bucket.uuid(), low.0];
    let mut within = format!("folder {} $2", low.1);
    if let Some(high) = high {
        values.extend(values![high]);
        within.push_str(" AND folder < $3");
    }
    let order = if descending { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT folder FROM file WHERE bucket = $1 AND standing = 'current' AND {within}
        ORDER BY folder {order} LIMIT 1"
    );
    let Some(row) = db.one(sql, values).await? else {
        return Ok(None);
    };
    let folder: String = row.get("folder")?;
    Ok(child(prefix, &folder))
}

/// How many files there are from `from` to `end`, and of how many bytes.
pub(crate) async fn sum(
    db: &Db,
    bucket: BucketId,
    from: &str,
    end: Option<&str>,
) -> Result<(u64, u64)> {
    let mut values = values![bucket.uuid(), from];
    let mut within = String::new();
    if let Some(end) = end {
        values.extend(values![end]);
        within.push_str(" AND path < $3");
    }
    let sql = format!(
        "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM file
        WHERE bucket = $1 AND standing = 'current' AND path >= $2{within}"
    );
    let Some(row) = db.one(sql, values).await? else {
        return Ok((0, 0));
    };
    Ok((row.get("files")?, row.get("bytes")?))
}

/// The same of what begins with `prefix`, in the order of paths; after `most` files it is
/// counted no further.
pub(crate) async fn sum_of_first(
    db: &Db,
    bucket: BucketId,
    prefix: &str,
    most: usize,
) -> Result<(u64, u64)> {
    let mut page = Page::new(bucket, None, false, most);
    page.below(prefix);
    let sql = format!(
        "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM (
            SELECT size FROM file WHERE bucket = $1 AND standing = 'current'{}
            ORDER BY {} LIMIT $2
        ) AS counted",
        page.within, page.sorted
    );
    let Some(row) = db.one(sql, page.values).await? else {
        return Ok((0, 0));
    };
    Ok((row.get("files")?, row.get("bytes")?))
}

/// Files in the order of their paths.
pub(crate) async fn paths(
    db: &Db,
    bucket: BucketId,
    from: &Start,
    end: Option<&str>,
    limit: usize,
) -> Result<Vec<File>> {
    let (than, from) = match from {
        Start::At(path) => (">=", path),
        Start::After(path) => (">", path),
    };
    let mut values = values![bucket.uuid(), limit, from];
    let mut within = String::new();
    if let Some(end) = end {
        values.extend(values![end]);
        within.push_str(" AND path < $4");
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = 'current'
        AND path {than} $3{within} ORDER BY path LIMIT $2"
    );
    let rows = db.all(sql, values).await?;
    rows.iter().map(read).collect()
}
