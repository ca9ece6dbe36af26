//! The secrets' rows. What is in them is sealed.

use crate::Result;
use crate::secret::Secret;
use base::Actor;
use storage::{Db, Row, Tx, values};

/// A secret's value, as it is stored.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) sealed: Vec<u8>,
}

fn read(row: &Row) -> Result<Secret> {
    Ok(Secret {
        name: row.get("name")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        created_by: Actor::recorded(row.get("created_by")?),
        changed_at: row.get("changed_at")?,
        changed_by: Actor::recorded(row.get("changed_by")?),
    })
}

fn read_sealed(row: &Row) -> Result<Sealed> {
    Ok(Sealed {
        name: row.get("name")?,
        version: row.get("version")?,
        sealed: row.get("sealed")?,
    })
}

/// Every secret, by name, without its value.
pub(crate) async fn list(db: &Db) -> Result<Vec<Secret>> {
    const SQL: &str = "SELECT name, version, created_at, created_by, changed_at, changed_by
        FROM secret ORDER BY name";
    db.all(SQL, values![]).await?.iter().map(read).collect()
}

/// One, with nothing of its value; locked until the transaction ends.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<Option<Secret>> {
    const SQL: &str = "SELECT name, version, created_at, created_by, changed_at, changed_by
        FROM secret WHERE name = $1";
    tx.one(SQL, values![name])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// One value.
pub(crate) async fn sealed(db: &Db, name: &str) -> Result<Option<Sealed>> {
    const SQL: &str = "SELECT name, version, sealed FROM secret WHERE name = $1";
    db.one(SQL, values![name])
        .await?
        .as_ref()
        .map(read_sealed)
        .transpose()
}

/// Every value.
pub(crate) async fn all_sealed(db: &Db) -> Result<Vec<Sealed>> {
    const SQL: &str = "SELECT name, version, sealed FROM secret ORDER BY name";
    db.all(SQL, values![])
        .await?
        .iter()
        .map(read_sealed)
        .collect()
}

/// Every value, as the transaction sees it.
pub(crate) async fn all_sealed_in(tx: &mut Tx) -> Result<Vec<Sealed>> {
    const SQL: &str = "SELECT name, version, sealed FROM secret ORDER BY name";
    tx.all(SQL, values![])
        .await?
        .iter()
        .map(read_sealed)
        .collect()
}

/// Puts a secret in, or its next value.
pub(crate) async fn put(tx: &mut Tx, secret: &Secret, sealed: Vec<u8>) -> Result<()> {
    const SQL: &str = "INSERT INTO secret
            (name, version, sealed, created_at, created_by, changed_at, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, sealed = excluded.sealed,
            changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    let values = values![
        &secret.name,
        secret.version,
        sealed,
        secret.created_at,
        secret.created_by.as_str(),
        secret.changed_at,
        secret.changed_by.as_str()
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Seals the same value anew.
pub(crate) async fn reseal(tx: &mut Tx, name: &str, sealed: Vec<u8>) -> Result<()> {
    const SQL: &str = "UPDATE secret SET sealed = $2 WHERE name = $1";
    tx.execute(SQL, values![name, sealed]).await?;
    Ok(())
}

/// Removes a secret.
pub(crate) async fn delete(tx: &mut Tx, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM secret WHERE name = $1";
    Ok(tx.execute(SQL, values![name]).await? == 1)
}

/// How many there are.
pub(crate) async fn count(tx: &mut Tx) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM secret";
    let row = tx.one(SQL, values![]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("number"))?)
}
