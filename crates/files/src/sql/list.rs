//! Lists of files. Each order has an index, and each page begins at a key of it.

use super::file::{COLUMNS, read};
use crate::file::File;
use crate::list::{Browse, Sort, Start, child};
use crate::path::after_prefix;
use base::BucketId;
use storage::{Db, Result, values};

/// By what a file is sorted.
pub(crate) fn key(sort: Sort, file: &File) -> i64 {
    match sort {
        Sort::Name => 0,
        Sort::Size => i64::try_from(file.size).unwrap_or(i64::MAX),
        Sort::Date => file.modified_at.micros(),
    }
}

/// Files of a folder, or all below a prefix, after a key and path.
pub(crate) async fn browse(
    db: &Db,
    bucket: BucketId,
    ask: &Browse,
    after: Option<&(i64, String)>,
    limit: usize,
) -> Result<Vec<File>> {
    let (than, order) = if ask.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let mut values = values![bucket.uuid(), limit];
    let mut within = String::new();
    if ask.one_folder {
        values.extend(values![ask.prefix.as_str()]);
        within.push_str(" AND folder = $3");
    } else if !ask.prefix.is_empty() {
        values.extend(values![ask.prefix.as_str()]);
        within.push_str(" AND path >= $3");
        if let Some(end) = after_prefix(&ask.prefix) {
            values.extend(values![end]);
            within.push_str(" AND path < $4");
        }
    }
    let column = match ask.sort {
        Sort::Name => None,
        Sort::Size => Some("size"),
        Sort::Date => Some("modified_at"),
    };
    if let Some((key, path)) = after {
        let first = values.len() + 1;
        values.extend(values![path.as_str()]);
        match column {
            None => within.push_str(&format!(" AND path {than} ${first}")),
            Some(column) => {
                values.extend(values![*key]);
                within.push_str(&format!(
                    " AND ({column}, path) {than} (${}, ${first})",
                    first + 1
                ));
            }
        }
    }
    let sorted = match column {
        None => format!("path {order}"),
        Some(column) => format!("{column} {order}, path {order}"),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = 'current'{within}
        ORDER BY {sorted} LIMIT $2"
    );
    let rows = db.all(sql, values).await?;
    rows.iter().map(read).collect()
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
