//! Files in parts, and their parts.

use crate::parted::{Part, Parted};
use crate::path::after_prefix;
use base::{BucketId, PartedId, Timestamp};
use storage::{BlobName, Db, Error, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, path, described, account, begun_by, begun_at";

fn read(row: &Row) -> Result<Parted> {
    let path: String = row.get("path")?;
    let described: String = row.get("described")?;
    Ok(Parted {
        id: row.get::<Uuid>("id")?.into(),
        path: path.parse().map_err(|_| Error::Stored("a file's path"))?,
        begun_by: row.get("begun_by")?,
        begun_at: row.get("begun_at")?,
        account: row.get("account")?,
        described: serde_json::from_str(&described)
            .map_err(|_| Error::Stored("what is said of a file"))?,
    })
}

fn read_part(row: &Row) -> Result<Part> {
    Ok(Part {
        number: row.get("number")?,
        size: row.get("size")?,
        md5: row.get("md5")?,
        came_at: row.get("came_at")?,
        blob: BlobName::from(row.get::<Uuid>("blob")?),
    })
}

pub(crate) async fn insert(db: &Db, bucket: BucketId, parted: &Parted) -> Result<()> {
    const SQL: &str = "INSERT INTO parted
        (id, bucket, path, described, account, bytes, begun_by, begun_at)
        VALUES ($1, $2, $3, $4, $5, 0, $6, $7)";
    let described = serde_json::to_string(&parted.described).unwrap_or_default();
    db.execute(
        SQL,
        values![
            parted.id.uuid(),
            bucket.uuid(),
            parted.path.as_str(),
            described,
            parted.account,
            parted.begun_by.as_str(),
            parted.begun_at,
        ],
    )
    .await
    .map(drop)
}

pub(crate) async fn get(
    db: &Db,
    bucket: BucketId,
    path: &str,
    id: PartedId,
) -> Result<Option<Parted>> {
    let sql = format!("SELECT {COLUMNS} FROM parted WHERE id = $1 AND bucket = $2 AND path = $3");
    let row = db.one(sql, values![id.uuid(), bucket.uuid(), path]).await?;
    row.as_ref().map(read).transpose()
}

/// How many a user has, as far as it matters.
pub(crate) async fn count(db: &Db, account: Uuid, most: usize) -> Result<usize> {
    const SQL: &str = "SELECT id FROM parted WHERE account = $1 LIMIT $2";
    Ok(db.all(SQL, values![account, most]).await?.len())
}

/// Whose it is, and how many of its bytes have come; nothing where it is not there.
pub(crate) async fn came(db: &Db, id: PartedId) -> Result<Option<(Uuid, u64)>> {
    const SQL: &str = "SELECT account, bytes FROM parted WHERE id = $1";
    let row = db.one(SQL, values![id.uuid()]).await?;
    row.map(|row| Ok((row.get("account")?, row.get("bytes")?)))
        .transpose()
}

/// By path and age.
pub(crate) async fn all(
    db: &Db,
    bucket: BucketId,
    prefix: &str,
    after: Option<&(String, PartedId)>,
    limit: usize,
) -> Result<Vec<Parted>> {
    let nil = (prefix.to_owned(), PartedId::from(Uuid::nil()));
    let (path, id) = after.unwrap_or(&nil);
    let mut values = values![bucket.uuid(), prefix, path.as_str(), id.uuid(), limit];
    let mut within = "";
    if let Some(end) = after_prefix(prefix) {
        within = "AND path < $6";
        values.extend(values![end]);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM parted
        WHERE bucket = $1 AND path >= $2 AND (path, id) > ($3, $4) {within}
        ORDER BY path, id LIMIT $5"
    );
    let rows = db.all(sql, values).await?;
    rows.iter().map(read).collect()
}

/// Keeps it from being changed or removed by others until the transaction ends; its bucket,
/// where it is there.
pub(crate) async fn hold(tx: &mut Tx, id: PartedId) -> Result<Option<BucketId>> {
    const SQL: &str = "UPDATE parted SET begun_at = begun_at WHERE id = $1 RETURNING bucket";
    let row = tx.one(SQL, values![id.uuid()]).await?;
    row.map(|row| Ok(row.get::<Uuid>("bucket")?.into()))
        .transpose()
}

/// It is a file from now on; whether it was none yet. The bytes of its parts are nobody's.
pub(crate) async fn end(tx: &mut Tx, id: PartedId) -> Result<bool> {
    const SQL: &str = "DELETE FROM parted WHERE id = $1";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Removes it with its parts; where their bytes are.
pub(crate) async fn delete(tx: &mut Tx, id: PartedId) -> Result<Vec<BlobName>> {
    let rows = tx
        .all(
            "SELECT blob FROM part WHERE parted = $1",
            values![id.uuid()],
        )
        .await?;
    end(tx, id).await?;
    rows.iter()
        .map(|row| Ok(BlobName::from(row.get::<Uuid>("blob")?)))
        .collect()
}

/// Puts a part in the place of its number, and counts its bytes; where those are of the one that
/// was there.
pub(crate) async fn put_part(tx: &mut Tx, id: PartedId, part: &Part) -> Result<Option<BlobName>> {
    const BEFORE: &str = "SELECT blob, size FROM part WHERE parted = $1 AND number = $2";
    const COUNT: &str = "UPDATE parted SET bytes = bytes + $2 WHERE id = $1";
    const SQL: &str = "INSERT INTO part (parted, number, size, md5, blob, came_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (parted, number) DO UPDATE SET size = excluded.size, md5 = excluded.md5,
            blob = excluded.blob, came_at = excluded.came_at";
    let before = tx.one(BEFORE, values![id.uuid(), part.number]).await?;
    tx.execute(
        SQL,
        values![
            id.uuid(),
            part.number,
            part.size,
            part.md5.as_str(),
            part.blob.uuid(),
            part.came_at,
        ],
    )
    .await?;
    let signed = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let replaced = match &before {
        Some(row) => signed(row.get("size")?),
        None => 0,
    };
    let more = signed(part.size) - replaced;
    tx.execute(COUNT, values![id.uuid(), more]).await?;
    before
        .map(|row| Ok(BlobName::from(row.get::<Uuid>("blob")?)))
        .transpose()
}

/// Parts in their order, after a number.
pub(crate) async fn parts(db: &Db, id: PartedId, after: u64, limit: usize) -> Result<Vec<Part>> {
    const SQL: &str = "SELECT number, size, md5, blob, came_at FROM part
        WHERE parted = $1 AND number > $2 ORDER BY number LIMIT $3";
    let rows = db.all(SQL, values![id.uuid(), after, limit]).await?;
    rows.iter().map(read_part).collect()
}

/// The bytes of the part of this number, if it has come.
pub(crate) async fn size_of(db: &Db, id: PartedId, number: u64) -> Result<u64> {
    const SQL: &str = "SELECT size FROM part WHERE parted = $1 AND number = $2";
    let row = db.one(SQL, values![id.uuid(), number]).await?;
    row.map_or(Ok(0), |row| row.get("size"))
}

/// What was begun before `before`, the oldest first.
pub(crate) async fn overdue(db: &Db, before: Timestamp, limit: usize) -> Result<Vec<PartedId>> {
    const SQL: &str = "SELECT id FROM parted WHERE begun_at <= $1 ORDER BY begun_at, id LIMIT $2";
    let rows = db.all(SQL, values![before, limit]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<Uuid>("id")?.into()))
        .collect()
}
