//! Files, current and past.

use crate::expect::hex;
use crate::file::{File, Object, metadata_text, tags_text};
use crate::path::{FilePath, after_prefix};
use crate::remove::Past;
use crate::sql::{list, places, portions};
use base::{BucketId, FileId, Timestamp};
use data_encoding::HEXLOWER;
use std::collections::HashMap;
use storage::{BlobName, Db, Error, Result, Row, Tx, Value, values};
use uuid::Uuid;

pub(super) const COLUMNS: &str = "id, bucket, path, size, type, sniffed, sha256, etag, created_at,
    modified_at, uploader, account, headers, metadata, tags, taken_at, latitude, longitude, width,
    height, blob, object, store_etag";

/// Positions are stored as millionths of a degree.
const DEGREE: f64 = 1e6;

pub(super) fn read(row: &Row) -> Result<File> {
    let path: String = row.get("path")?;
    let path: FilePath = path.parse().map_err(|_| Error::Stored("a file's path"))?;
    let (key, etag): (String, Option<String>) = (row.get("object")?, row.get("store_etag")?);
    let object = etag.map(|etag| Object {
        key: if key.is_empty() {
            path.as_str().to_owned()
        } else {
            key
        },
        etag,
    });
    let degrees = |column: &str| -> Result<Option<f64>> {
        let value: Option<i64> = row.get(column)?;
        // At most 180 million: exact.
        #[allow(clippy::cast_precision_loss)]
        Ok(value.map(|value| value as f64 / DEGREE))
    };
    Ok(File {
        id: row.get::<Uuid>("id")?.into(),
        bucket: row.get::<Uuid>("bucket")?.into(),
        path,
        size: row.get("size")?,
        media_type: row.get("type")?,
        sniffed_type: row.get("sniffed")?,
        sha256: row.get::<Option<Vec<u8>>>("sha256")?.as_deref().map(hex),
        etag: row.get("etag")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
        uploader: row.get("uploader")?,
        account: row.get("account")?,
        headers: json(row, "headers")?,
        metadata: json(row, "metadata")?,
        tags: json(row, "tags")?,
        taken_at: row.get("taken_at")?,
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
        width: row.get("width")?,
        height: row.get("height")?,
        blob: row.get::<Option<Uuid>>("blob")?.map(BlobName::from),
        object,
    })
}

/// What a column holds as JSON; an empty one holds what there is by default.
fn json<T: serde::de::DeserializeOwned + Default>(row: &Row, column: &'static str) -> Result<T> {
    let text: String = row.get(column)?;
    if text.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(&text).map_err(|_| Error::Stored("what is said of a file"))
}

const CURRENT: &str = "bucket = $1 AND path = $2 AND standing = 'current'";

/// The current file at a path.
pub(crate) async fn current(db: &Db, bucket: BucketId, path: &str) -> Result<Option<File>> {
    let sql = format!("SELECT {COLUMNS} FROM file WHERE {CURRENT}");
    let row = db.one(sql, values![bucket.uuid(), path]).await?;
    row.as_ref().map(read).transpose()
}

/// The same within a transaction.
pub(crate) async fn current_in(tx: &mut Tx, bucket: BucketId, path: &str) -> Result<Option<File>> {
    let sql = format!("SELECT {COLUMNS} FROM file WHERE {CURRENT}");
    let row = tx.one(sql, values![bucket.uuid(), path]).await?;
    row.as_ref().map(read).transpose()
}

/// What is current at any of these paths of a bucket, by its path.
pub(crate) async fn current_at(
    tx: &mut Tx,
    bucket: BucketId,
    paths: &[&str],
) -> Result<HashMap<String, File>> {
    let mut there = HashMap::new();
    for paths in portions(paths) {
        let sql = format!(
            "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = 'current'
            AND path IN ({})",
            list(paths.len(), 1)
        );
        let mut values = values![bucket.uuid()];
        values.extend(paths.iter().map(|path| Value::from(*path)));
        for row in tx.all(sql, values).await? {
            let file = read(&row)?;
            there.insert(file.path.as_str().to_owned(), file);
        }
    }
    Ok(there)
}

/// Waits until nobody else changes what is at these paths, until the transaction ends.
/// The order is the same for all, so that no two wait for each other.
pub(crate) async fn lock(tx: &mut Tx, places: &[(BucketId, &str)]) -> Result<()> {
    let mut numbers: Vec<i64> = places.iter().map(number).collect();
    numbers.sort_unstable();
    for number in numbers {
        tx.lock(number).await?;
    }
    Ok(())
}

/// FNV-1a: who shares a number with another path waits for it, too, and no more.
fn number((bucket, path): &(BucketId, &str)) -> i64 {
    let mut number: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bucket.uuid().as_bytes().iter().chain(path.as_bytes()) {
        number = (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    number.cast_signed()
}

/// Keeps a row from being changed or removed until the transaction ends; whether it is there.
pub(crate) async fn hold(tx: &mut Tx, id: FileId) -> Result<bool> {
    const SQL: &str = "UPDATE file SET size = size WHERE id = $1";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Writes again where a file is, and since when.
pub(crate) async fn rename(tx: &mut Tx, file: &File) -> Result<()> {
    const SQL: &str = "UPDATE file SET bucket = $2, path = $3, folder = $4, store_etag = $5,
        modified_at = $6 WHERE id = $1";
    tx.execute(
        SQL,
        values![
            file.id.uuid(),
            file.bucket.uuid(),
            file.path.as_str(),
            file.path.folder(),
            store_etag(file),
            file.modified_at,
        ],
    )
    .await
    .map(drop)
}

fn store_etag(file: &File) -> Option<String> {
    file.object.as_ref().map(|object| object.etag.clone())
}

/// Puts a current file into the catalogue.
pub(crate) async fn insert(tx: &mut Tx, file: &File) -> Result<()> {
    insert_all(tx, &[file]).await
}

/// Puts current files into the catalogue.
pub(crate) async fn insert_all(tx: &mut Tx, files: &[&File]) -> Result<()> {
    const INTO: &str = "INSERT INTO file (id, bucket, path, folder, standing, size, type, sniffed,
        sha256, etag, created_at, modified_at, uploader, account, headers, metadata, taken_at,
        latitude, longitude, width, height, blob, tags, store_etag) VALUES ";
    const COUNT: usize = 24;
    for files in portions(files) {
        let sql = format!("{INTO}{}", places(files.len(), COUNT, 0));
        let mut values = Vec::with_capacity(files.len() * COUNT);
        for file in files {
            values.extend(row(file));
        }
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// The values of a current file, in the order in which they are inserted.
fn row(file: &File) -> Vec<Value> {
    let sha256 = file
        .sha256
        .as_deref()
        .and_then(|text| HEXLOWER.decode(text.as_bytes()).ok());
    #[allow(clippy::cast_possible_truncation)]
    let millionths =
        |degrees: Option<f64>| degrees.map(|degrees| (degrees * DEGREE).round() as i64);
    values![
        file.id.uuid(),
        file.bucket.uuid(),
        file.path.as_str(),
        file.path.folder(),
        "current",
        file.size,
        file.media_type.as_str(),
        file.sniffed_type.as_str(),
        sha256,
        file.etag.as_str(),
        file.created_at,
        file.modified_at,
        file.uploader.as_str(),
        file.account,
        file.headers.text(),
        metadata_text(&file.metadata).unwrap_or_default(),
        file.taken_at,
        millionths(file.latitude),
        millionths(file.longitude),
        file.width,
        file.height,
        file.blob.map(BlobName::uuid),
        tags_text(&file.tags).unwrap_or_default(),
        store_etag(file),
    ]
}

/// Writes again what is said of a file: its type, headers, metadata and tags.
pub(crate) async fn describe(tx: &mut Tx, file: &File) -> Result<()> {
    const SQL: &str =
        "UPDATE file SET type = $2, headers = $3, metadata = $4, tags = $5 WHERE id = $1";
    tx.execute(
        SQL,
        values![
            file.id.uuid(),
            file.media_type.as_str(),
            file.headers.text(),
            metadata_text(&file.metadata).unwrap_or_default(),
            tags_text(&file.tags).unwrap_or_default(),
        ],
    )
    .await
    .map(drop)
}

/// A current file is one of the past from now on; where its bytes lie in a store, that
/// has them there by now.
pub(crate) async fn retire(
    tx: &mut Tx,
    id: FileId,
    standing: &str,
    (by, now): (&str, Timestamp),
    object: Option<&Object>,
) -> Result<()> {
    const SQL: &str = "UPDATE file SET standing = $2, removed_by = $3, removed_at = $4,
        object = $5, store_etag = $6 WHERE id = $1";
    let key = object.map_or("", |object| object.key.as_str());
    let etag = object.map(|object| object.etag.as_str());
    tx.execute(SQL, values![id.uuid(), standing, by, now, key, etag])
        .await
        .map(drop)
}

/// A file of the past is current again; whether it was there still.
pub(crate) async fn make_current(tx: &mut Tx, file: &File) -> Result<bool> {
    const SQL: &str = "UPDATE file SET standing = 'current', removed_by = '', removed_at = NULL,
        object = '', store_etag = $2, modified_at = $3 WHERE id = $1 AND standing <> 'current'";
    let values = values![file.id.uuid(), store_etag(file), file.modified_at];
    Ok(tx.execute(SQL, values).await? == 1)
}

pub(crate) async fn delete(tx: &mut Tx, id: FileId) -> Result<()> {
    delete_all(tx, &[id]).await
}

pub(crate) async fn delete_all(tx: &mut Tx, ids: &[FileId]) -> Result<()> {
    for ids in portions(ids) {
        let sql = format!("DELETE FROM file WHERE id IN ({})", list(ids.len(), 0));
        let values = ids.iter().map(|id| Value::from(id.uuid())).collect();
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// Removes a file of the past; whether it was one.
pub(crate) async fn delete_past(tx: &mut Tx, id: FileId) -> Result<bool> {
    const SQL: &str = "DELETE FROM file WHERE id = $1 AND standing <> 'current'";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// These bytes, unless a row names them still. Call it after the row that did is gone.
pub(crate) async fn unused(tx: &mut Tx, blob: Option<BlobName>) -> Result<Option<BlobName>> {
    let Some(blob) = blob else { return Ok(None) };
    let named = named(tx, &[blob]).await?;
    Ok(named.is_empty().then_some(blob))
}

/// Which of these bytes a row names.
pub(crate) async fn named(tx: &mut Tx, blobs: &[BlobName]) -> Result<Vec<BlobName>> {
    let mut named = Vec::new();
    for blobs in portions(blobs) {
        let sql = format!(
            "SELECT blob FROM file WHERE blob IN ({})",
            list(blobs.len(), 0)
        );
        let values = blobs.iter().map(|blob| Value::from(blob.uuid())).collect();
        for row in tx.all(sql, values).await? {
            named.push(BlobName::from(row.get::<Uuid>("blob")?));
        }
    }
    Ok(named)
}

/// Which of these blobs nothing names: no file, no part of one that is still to come, and
/// no upload that is about to be one.
pub(crate) async fn unnamed(db: &Db, blobs: &[BlobName]) -> Result<Vec<BlobName>> {
    const SQL: &str = "SELECT blob FROM file WHERE blob = $1
        UNION ALL SELECT blob FROM part WHERE blob = $1
        UNION ALL SELECT blob FROM upload WHERE blob = $1 LIMIT 1";
    let mut unnamed = Vec::new();
    for blob in blobs {
        if db.one(SQL, values![blob.uuid()]).await?.is_none() {
            unnamed.push(*blob);
        }
    }
    Ok(unnamed)
}

fn read_past(row: &Row) -> Result<Past> {
    Ok(Past {
        file: read(row)?,
        removed_at: row.get("removed_at")?,
        removed_by: row.get("removed_by")?,
    })
}

/// A file of the past.
pub(crate) async fn past(db: &Db, bucket: BucketId, id: FileId) -> Result<Option<Past>> {
    let sql = format!(
        "SELECT {COLUMNS}, removed_at, removed_by FROM file
        WHERE id = $1 AND bucket = $2 AND standing <> 'current'"
    );
    let row = db.one(sql, values![id.uuid(), bucket.uuid()]).await?;
    row.as_ref().map(read_past).transpose()
}

/// The same, where it was at this path and stands so.
pub(crate) async fn past_with(
    db: &Db,
    bucket: BucketId,
    standing: &str,
    path: &str,
    id: FileId,
) -> Result<Option<File>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM file WHERE bucket = $1 AND standing = $2 AND standing <> 'current'
        AND path = $3 AND id = $4"
    );
    let values = values![bucket.uuid(), standing, path, id.uuid()];
    let row = db.one(sql, values).await?;
    row.as_ref().map(read).transpose()
}

/// Files of the past by path, and of each path the newest first. Where a page begins, the
/// caller says, and nobody has checked that: it opens nothing before `prefix`.
pub(crate) async fn all_past(
    db: &Db,
    bucket: BucketId,
    standing: &str,
    prefix: &str,
    after: Option<&(String, FileId)>,
    limit: usize,
) -> Result<Vec<Past>> {
    let beginning = (prefix.to_owned(), FileId::from(Uuid::max()));
    let after = after.filter(|(path, _)| path.as_str() >= prefix);
    let (path, id) = after.unwrap_or(&beginning);
    let mut values = values![bucket.uuid(), standing, path.as_str(), id.uuid(), limit];
    let mut within = "";
    if let Some(end) = after_prefix(prefix) {
        within = "AND path < $6";
        values.extend(values![end]);
    }
    let sql = format!(
        "SELECT {COLUMNS}, removed_at, removed_by FROM file
        WHERE bucket = $1 AND standing = $2 AND standing <> 'current'
        AND path >= $3 AND (path > $3 OR id < $4) {within}
        ORDER BY path, id DESC LIMIT $5"
    );
    let rows = db.all(sql, values).await?;
    rows.iter().map(read_past).collect()
}

/// Files of the past of one path, the newest first.
pub(crate) async fn past_at(
    db: &Db,
    bucket: BucketId,
    standing: &str,
    path: &str,
    before: Option<FileId>,
    limit: usize,
) -> Result<Vec<Past>> {
    let before = before.map_or(Uuid::max(), |id| id.uuid());
    let sql = format!(
        "SELECT {COLUMNS}, removed_at, removed_by FROM file
        WHERE bucket = $1 AND standing = $2 AND standing <> 'current'
        AND path = $3 AND id < $4 ORDER BY id DESC LIMIT $5"
    );
    let values = values![bucket.uuid(), standing, path, before, limit];
    let rows = db.all(sql, values).await?;
    rows.iter().map(read_past).collect()
}

/// What has lain in the trash of a bucket since before `before`, the oldest first.
pub(crate) async fn overdue(
    db: &Db,
    bucket: BucketId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<FileId>> {
    const SQL: &str = "SELECT id FROM file WHERE bucket = $1 AND standing = 'trash'
        AND standing <> 'current' AND removed_at <= $2 LIMIT $3";
    let rows = db.all(SQL, values![bucket.uuid(), before, limit]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<Uuid>("id")?.into()))
        .collect()
}
