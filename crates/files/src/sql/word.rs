//! The words of files.

use super::file::{COLUMNS, read};
use crate::file::File;
use crate::path::after_prefix;
use crate::sql::{list, places, portions};
use base::BucketId;
use storage::{Db, Result, Tx, Value, values};

/// Rows that are counted to find the rarest of several words.
const COUNTED: usize = 500;

/// Notes the words of current files of a bucket.
pub(crate) async fn add(
    tx: &mut Tx,
    bucket: BucketId,
    files: &[(&str, Vec<String>)],
) -> Result<()> {
    let rows: Vec<(&str, &str)> = files
        .iter()
        .flat_map(|(path, words)| words.iter().map(move |word| (*path, word.as_str())))
        .collect();
    // As many statements as words would cost more than the words.
    for rows in portions(&rows) {
        let sql = format!(
            "INSERT INTO file_word (bucket, word, path) VALUES {} ON CONFLICT DO NOTHING",
            places(rows.len(), 3, 0)
        );
        let mut values = Vec::with_capacity(rows.len() * 3);
        for (path, word) in rows {
            values.extend(values![bucket.uuid(), *word, *path]);
        }
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// Forgets the words of whatever is or was current at a path.
pub(crate) async fn remove(tx: &mut Tx, bucket: BucketId, path: &str) -> Result<()> {
    remove_all(tx, bucket, &[path]).await
}

/// The same of several.
pub(crate) async fn remove_all(tx: &mut Tx, bucket: BucketId, paths: &[&str]) -> Result<()> {
    for paths in portions(paths) {
        let sql = format!(
            "DELETE FROM file_word WHERE bucket = $1 AND path IN ({})",
            list(paths.len(), 1)
        );
        let mut values = values![bucket.uuid()];
        values.extend(paths.iter().map(|path| Value::from(*path)));
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// About how many files have a word that begins so, up to a bound.
async fn count(db: &Db, bucket: BucketId, word: &str) -> Result<u64> {
    let mut values = values![bucket.uuid(), word, COUNTED];
    let within = within(word, &mut values, "word");
    let sql = format!(
        "SELECT COUNT(*) AS words FROM (SELECT 1 AS one FROM file_word
        WHERE bucket = $1 AND {within} AND word >= $2 LIMIT $3) AS counted"
    );
    match db.one(sql, values).await? {
        Some(row) => row.get("words"),
        None => Ok(0),
    }
}

/// That a column begins with a word, beyond its being no less.
fn within(word: &str, values: &mut Vec<Value>, column: &str) -> String {
    match after_prefix(word) {
        Some(end) => {
            values.extend(values![end]);
            format!("{column} < ${}", values.len())
        }
        None => "1 = 1".to_owned(),
    }
}

/// Files with a word for each of `words` that begins with it, below `prefix`. They come
/// in the order of the rarest word and of the path; `after` is one's place in it.
pub(crate) async fn search(
    db: &Db,
    bucket: BucketId,
    words: &[String],
    prefix: &str,
    after: Option<&(String, String)>,
    limit: usize,
) -> Result<Vec<(String, File)>> {
    let mut counted = Vec::new();
    for word in words {
        counted.push((count(db, bucket, word).await?, word));
    }
    // The same for the same words, or pages would not fit together; so ties go by text.
    counted.sort();
    let Some((_, rarest)) = counted.first() else {
        return Ok(Vec::new());
    };
    let mut values = values![bucket.uuid(), rarest.as_str(), limit];
    let mut conditions = vec![within(rarest, &mut values, "found.word")];
    if let Some((word, path)) = after {
        values.extend(values![word, path]);
        let last = values.len();
        conditions.push(format!(
            "(found.word, found.path) > (${}, ${last})",
            last - 1
        ));
    }
    if !prefix.is_empty() {
        values.extend(values![prefix]);
        conditions.push(format!("found.path >= ${}", values.len()));
        conditions.push(within(prefix, &mut values, "found.path"));
    }
    // A file with several words that begin so is found by the first of them.
    conditions.push(
        "NOT EXISTS (SELECT 1 FROM file_word AS first WHERE first.bucket = $1
        AND first.path = found.path AND first.word >= $2 AND first.word < found.word)"
            .to_owned(),
    );
    for (_, word) in &counted[1..] {
        values.extend(values![word.as_str()]);
        let least = values.len();
        let within = within(word, &mut values, "other.word");
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM file_word AS other WHERE other.bucket = $1
            AND other.path = found.path AND other.word >= ${least} AND {within})"
        ));
    }
    let columns: Vec<String> = COLUMNS
        .split(',')
        .map(|column| format!("file.{}", column.trim()))
        .collect();
    let sql = format!(
        "SELECT found.word AS found_word, {} FROM file_word AS found
        JOIN file ON file.bucket = found.bucket AND file.path = found.path
        AND file.standing = 'current'
        WHERE found.bucket = $1 AND found.word >= $2 AND {}
        ORDER BY found.word, found.path LIMIT $3",
        columns.join(", "),
        conditions.join(" AND ")
    );
    let rows = db.all(sql, values).await?;
    rows.iter()
        .map(|row| Ok((row.get("found_word")?, read(row)?)))
        .collect()
}
