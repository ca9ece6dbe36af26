//! Uploads.

use crate::file::metadata_text;
use crate::upload::{Piece, Upload, UploadKind};
use base::{BucketId, Timestamp, UploadId};
use storage::{BlobName, Db, Error, Mark, Result, Row, Tx, Value, values};
use uuid::Uuid;

const COLUMNS: &str = "id, bucket, path, kind, state, length, received, blob, hashes, stored_in,
    counts_in, type, metadata, expect, said, parts, uploader, account, created_at, expires_at";
const INSERT: &str = "INSERT INTO upload (id, bucket, path, kind, state, length, received, blob,
    hashes, type, metadata, expect, said, parts, uploader, account, created_at, expires_at,
    stored_in, counts_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    $16, $17, $18, $19, $20)";

fn read(row: &Row) -> Result<Upload> {
    let path: String = row.get("path")?;
    let path = match path.as_str() {
        "" => None,
        path => Some(
            path.parse()
                .map_err(|_| Error::Stored("an upload's path"))?,
        ),
    };
    let kind: String = row.get("kind")?;
    let state: String = row.get("state")?;
    Ok(Upload {
        id: row.get::<Uuid>("id")?.into(),
        bucket: row.get::<Option<Uuid>>("bucket")?.map(Into::into),
        path,
        kind: UploadKind::parse(&kind).ok_or(Error::Stored("an upload's kind"))?,
        done: state == "done",
        length: row.get("length")?,
        received: row.get("received")?,
        blob: row.get::<Option<Uuid>>("blob")?.map(BlobName::from),
        hashes: row.get("hashes")?,
        stored_in: row.get::<Option<Uuid>>("stored_in")?.map(Into::into),
        counts_in: row.get::<Option<Uuid>>("counts_in")?.map(Into::into),
        media_type: row.get("type")?,
        metadata: json(row, "metadata")?,
        expect: json(row, "expect")?,
        said: row.get("said")?,
        parts: row.get("parts")?,
        uploader: row.get("uploader")?,
        account: row.get("account")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn json<T: serde::de::DeserializeOwned + Default>(row: &Row, column: &'static str) -> Result<T> {
    let text: String = row.get(column)?;
    if text.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(&text).map_err(|_| Error::Stored("what is said of an upload"))
}

pub(crate) async fn insert(db: &Db, upload: &Upload) -> Result<()> {
    db.execute(INSERT, written(upload)).await.map(drop)
}

/// The same within a transaction.
pub(crate) async fn insert_in(tx: &mut Tx, upload: &Upload) -> Result<()> {
    tx.execute(INSERT, written(upload)).await.map(drop)
}

/// The values of an upload, in the order in which they are inserted.
fn written(upload: &Upload) -> Vec<Value> {
    let expect = if upload.expect.is_nothing() {
        String::new()
    } else {
        serde_json::to_string(&upload.expect).unwrap_or_default()
    };
    values![
        upload.id.uuid(),
        upload.bucket.map(BucketId::uuid),
        upload.path.as_ref().map_or("", |path| path.as_str()),
        upload.kind.as_str(),
        if upload.done { "done" } else { "open" },
        upload.length,
        upload.received,
        upload.blob.map(BlobName::uuid),
        upload.hashes.as_slice(),
        upload.media_type.as_str(),
        metadata_text(&upload.metadata).unwrap_or_default(),
        expect,
        upload.said.as_str(),
        upload.parts.as_str(),
        upload.uploader.as_str(),
        upload.account,
        upload.created_at,
        upload.expires_at,
        upload.stored_in.map(BucketId::uuid),
        upload.counts_in.map(BucketId::uuid),
    ]
}

pub(crate) async fn with_id(db: &Db, id: UploadId) -> Result<Option<Upload>> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE id = $1");
    let row = db.one(sql, values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// How many uploads of a user are not done, as far as it matters.
pub(crate) async fn count_open(db: &Db, account: Uuid, most: usize) -> Result<usize> {
    const SQL: &str = "SELECT id FROM upload WHERE account = $1 AND state = 'open' LIMIT $2";
    Ok(db.all(SQL, values![account, most]).await?.len())
}

/// Notes how far an upload has come; whether it stood where `before` says. Where it did
/// not, somebody else went on with it.
pub(crate) async fn note(
    tx: &mut Tx,
    id: UploadId,
    before: u64,
    mark: &Mark,
    expires_at: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET received = $3, hashes = $4, expires_at = $5
        WHERE id = $1 AND received = $2 AND state = 'open'";
    let values = values![
        id.uuid(),
        before,
        mark.length,
        mark.hashes.as_slice(),
        expires_at
    ];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// The same for one whose bytes came as these pieces, which are in the bucket's store by now.
pub(crate) async fn note_pieces(
    tx: &mut Tx,
    id: UploadId,
    (before, received): (u64, u64),
    pieces: &[Piece],
    expires_at: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET received = $3, expires_at = $4
        WHERE id = $1 AND received = $2 AND state = 'open'";
    const PIECE: &str =
        "INSERT INTO upload_piece (upload, starts, size, piece) VALUES ($1, $2, $3, $4)";
    let noted = tx
        .execute(SQL, values![id.uuid(), before, received, expires_at])
        .await?;
    if noted != 1 {
        return Ok(false);
    }
    for piece in pieces {
        let values = values![id.uuid(), piece.starts, piece.size, piece.name.uuid()];
        tx.execute(PIECE, values).await?;
    }
    Ok(true)
}

/// Pieces of an upload in their order, from where one begins that follows `after`.
pub(crate) async fn pieces(
    db: &Db,
    id: UploadId,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<Piece>> {
    const SQL: &str = "SELECT starts, size, piece FROM upload_piece
        WHERE upload = $1 AND starts >= $2 ORDER BY starts LIMIT $3";
    let from = after.map_or(0, |after| after.saturating_add(1));
    let rows = db.all(SQL, values![id.uuid(), from, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Piece {
                starts: row.get("starts")?,
                size: row.get("size")?,
                name: BlobName::from(row.get::<Uuid>("piece")?),
            })
        })
        .collect()
}

/// Forgets a piece.
pub(crate) async fn forget_piece(db: &Db, piece: BlobName) -> Result<()> {
    const SQL: &str = "DELETE FROM upload_piece WHERE piece = $1";
    db.execute(SQL, values![piece.uuid()]).await.map(drop)
}

/// Whether bytes in a store are to become a file's: those of an upload, or a part.
pub(crate) async fn is_coming(db: &Db, name: BlobName) -> Result<bool> {
    const SQL: &str = "SELECT piece FROM upload_piece WHERE piece = $1
        UNION ALL SELECT blob FROM part WHERE blob = $1 LIMIT 1";
    Ok(db.one(SQL, values![name.uuid()]).await?.is_some())
}

/// Notes the length of an upload; whether none was known.
pub(crate) async fn declare(db: &Db, id: UploadId, length: u64) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET length = $2
        WHERE id = $1 AND length IS NULL AND received <= $2 AND state = 'open'";
    Ok(db.execute(SQL, values![id.uuid(), length]).await? == 1)
}

/// Its bytes are a file's from now on; whether they were none yet.
pub(crate) async fn end(tx: &mut Tx, id: UploadId) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET state = 'done', blob = NULL
        WHERE id = $1 AND state = 'open'";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Removes an upload; whether there was one.
pub(crate) async fn delete(db: &Db, id: UploadId) -> Result<bool> {
    const SQL: &str = "DELETE FROM upload WHERE id = $1";
    Ok(db.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Ends an upload that has expired, so that nobody goes on with it; whether it had.
pub(crate) async fn expires(db: &Db, id: UploadId, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET state = 'done' WHERE id = $1 AND expires_at <= $2";
    Ok(db.execute(SQL, values![id.uuid(), now]).await? == 1)
}

/// Uploads that have expired, the longest expired first.
pub(crate) async fn expired(
    db: &Db,
    now: Timestamp,
    after: Option<(Timestamp, UploadId)>,
    limit: usize,
) -> Result<Vec<Upload>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM upload
        WHERE expires_at <= $1 AND (expires_at, id) > ($2, $3)
        ORDER BY expires_at, id LIMIT $4"
    );
    let least = (Timestamp::from_micros(i64::MIN), Uuid::nil().into());
    let (at, id) = after.unwrap_or(least);
    let rows = db.all(sql, values![now, at, id.uuid(), limit]).await?;
    rows.iter().map(read).collect()
}

/// An upload of this user that was put together of just these parts.
pub(crate) async fn joined(db: &Db, account: Uuid, parts: &str) -> Result<Option<Upload>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM upload
        WHERE account = $1 AND state = 'done' AND kind = 'joined' AND parts = $2 LIMIT 1"
    );
    let row = db.one(sql, values![account, parts]).await?;
    row.as_ref().map(read).transpose()
}

/// Whether an upload names these bytes.
pub(crate) async fn names(db: &Db, blob: BlobName) -> Result<bool> {
    const SQL: &str = "SELECT id FROM upload WHERE blob = $1 LIMIT 1";
    Ok(db.one(SQL, values![blob.uuid()]).await?.is_some())
}
