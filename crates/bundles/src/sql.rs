//! Every statement of this crate.

use crate::bundle::StoredBundle;
use base::{Actor, BundleId, Timestamp};
use operations::State;
use storage::{BlobName, Db, Result, Row, StoredBlob, Tx, Value, values};

const COLUMNS: &str = "id, name, kept, ended, sources, done, failed, bytes, blob, size, sha256, created_at, expires_at";

fn read(row: &Row) -> Result<StoredBundle> {
    Ok(StoredBundle {
        id: row.get::<uuid::Uuid>("id")?.into(),
        name: row.get("name")?,
        kept: row.get("kept")?,
        // A word that this version does not know is as good as none.
        ended: row
            .get::<Option<String>>("ended")?
            .and_then(|state| state.parse().ok()),
        sources: row.get("sources")?,
        done: row.get("done")?,
        failed: row.get("failed")?,
        bytes: row.get("bytes")?,
        blob: row.get::<Option<uuid::Uuid>>("blob")?.map(BlobName::from),
        size: row.get("size")?,
        sha256: row.get("sha256")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

/// A bundle to be noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: BundleId,
    pub(crate) name: &'a str,
    pub(crate) kept: bool,
    pub(crate) sources: usize,
    pub(crate) actor: &'a Actor,
    pub(crate) created_at: Timestamp,
}

const INSERT: &str = "INSERT INTO bundle (id, name, kept, sources, created_by, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";

impl NewRow<'_> {
    fn values(self) -> Vec<Value> {
        values![
            self.id.uuid(),
            self.name,
            self.kept,
            self.sources,
            self.actor.as_str(),
            self.created_at
        ]
    }
}

/// Notes a bundle, unless it is noted already.
pub(crate) async fn insert(db: &Db, row: NewRow<'_>) -> Result<()> {
    db.execute(INSERT, row.values()).await?;
    Ok(())
}

/// Notes a bundle together with its operation.
pub(crate) async fn insert_in(tx: &mut Tx, row: NewRow<'_>) -> Result<()> {
    tx.execute(INSERT, row.values()).await?;
    Ok(())
}

pub(crate) async fn get(db: &Db, id: BundleId) -> Result<Option<StoredBundle>> {
    let sql = format!("SELECT {COLUMNS} FROM bundle WHERE id = $1");
    db.one(sql, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The newest, before `before`.
pub(crate) async fn list(
    db: &Db,
    before: Option<BundleId>,
    limit: usize,
) -> Result<Vec<StoredBundle>> {
    let rows = match before {
        Some(before) => {
            let sql =
                format!("SELECT {COLUMNS} FROM bundle WHERE id < $1 ORDER BY id DESC LIMIT $2");
            db.all(sql, values![before.uuid(), limit]).await?
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM bundle ORDER BY id DESC LIMIT $1");
            db.all(sql, values![limit]).await?
        }
    };
    rows.iter().map(read).collect()
}

/// Notes what a bundle that succeeded came to.
pub(crate) async fn finish(
    db: &Db,
    id: BundleId,
    done: u64,
    missing: &[usize],
    bytes: u64,
    stored: Option<&StoredBlob>,
    expires_at: Option<Timestamp>,
) -> Result<()> {
    const SQL: &str =
        "UPDATE bundle SET done = $2, failed = $3, bytes = $4, missing = $5, blob = $6,
        size = $7, sha256 = $8, expires_at = $9, ended = $10 WHERE id = $1";
    let indexes: Vec<String> = missing.iter().map(ToString::to_string).collect();
    db.execute(
        SQL,
        values![
            id.uuid(),
            done,
            missing.len(),
            bytes,
            indexes.join(","),
            stored.map(|stored| stored.name.uuid()),
            stored.map(|stored| stored.size),
            stored.map(|stored| stored.sha256.to_vec()),
            expires_at,
            State::Succeeded.as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// The sources that are missing from a bundle.
pub(crate) async fn missing(db: &Db, id: BundleId) -> Result<Vec<usize>> {
    const SQL: &str = "SELECT missing FROM bundle WHERE id = $1";
    let Some(row) = db.one(SQL, values![id.uuid()]).await? else {
        return Ok(Vec::new());
    };
    let text: String = row.get("missing")?;
    Ok(text
        .split(',')
        .filter_map(|index| index.parse().ok())
        .collect())
}

const DELETE: &str = "DELETE FROM bundle WHERE id = $1";

/// Removes a bundle's row; whether there was one.
pub(crate) async fn delete(db: &Db, id: BundleId) -> Result<bool> {
    Ok(db.execute(DELETE, values![id.uuid()]).await? == 1)
}

/// Removes a bundle's row; whether there was one.
pub(crate) async fn delete_in(tx: &mut Tx, id: BundleId) -> Result<bool> {
    Ok(tx.execute(DELETE, values![id.uuid()]).await? == 1)
}

/// Those of some rows whose operations are gone, and the last that was looked at,
/// unless there was none.
#[derive(Debug, Default)]
pub(crate) struct Retired {
    pub(crate) retired: Vec<BundleId>,
    pub(crate) last: Option<BundleId>,
}

/// Looks at the `limit` rows without an archive that follow `after`. A bundle's id is
/// that of its operation.
pub(crate) async fn retired(db: &Db, after: Option<BundleId>, limit: usize) -> Result<Retired> {
    const SQL: &str = "SELECT bundle.id AS id, operation.id AS operation
        FROM bundle LEFT JOIN operation ON operation.id = bundle.id
        WHERE bundle.blob IS NULL AND bundle.id > $1 ORDER BY bundle.id LIMIT $2";
    let after = after.map_or(uuid::Uuid::nil(), BundleId::uuid);
    let mut page = Retired::default();
    for row in db.all(SQL, values![after, limit]).await? {
        let id = BundleId::from(row.get::<uuid::Uuid>("id")?);
        page.last = Some(id);
        if row.get::<Option<uuid::Uuid>>("operation")?.is_none() {
            page.retired.push(id);
        }
    }
    Ok(page)
}

/// Kept archives whose time is over, with their blob and size.
pub(crate) async fn expired(
    db: &Db,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(BundleId, BlobName, u64)>> {
    const SQL: &str = "SELECT id, blob, size FROM bundle
        WHERE expires_at <= $1 AND blob IS NOT NULL ORDER BY expires_at LIMIT $2";
    let rows = db.all(SQL, values![now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.get::<uuid::Uuid>("id")?.into(),
                BlobName::from(row.get::<uuid::Uuid>("blob")?),
                row.get("size")?,
            ))
        })
        .collect()
}

/// The archive is not kept any more; what it was stays on record.
pub(crate) async fn forget_blob(db: &Db, id: BundleId) -> Result<()> {
    db.execute(
        "UPDATE bundle SET blob = NULL WHERE id = $1",
        values![id.uuid()],
    )
    .await?;
    Ok(())
}

/// Whether a bundle owns this blob.
pub(crate) async fn owns(db: &Db, blob: BlobName) -> Result<bool> {
    const SQL: &str = "SELECT id FROM bundle WHERE blob = $1";
    Ok(db.one(SQL, values![blob.uuid()]).await?.is_some())
}

/// How many archives are kept, and their bytes.
pub(crate) async fn kept(db: &Db) -> Result<(u64, u64)> {
    const SQL: &str = "SELECT COUNT(*) AS archives, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes
        FROM bundle WHERE blob IS NOT NULL";
    match db.one(SQL, values![]).await? {
        Some(row) => Ok((row.get("archives")?, row.get("bytes")?)),
        None => Ok((0, 0)),
    }
}
