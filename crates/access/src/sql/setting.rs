//! Settings that are kept in the database, and the number of changes.

use crate::Result;
use storage::{Db, Tx, values};

/// A setting's value.
pub(crate) async fn read(db: &Db, name: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT value FROM setting WHERE name = $1";
    let row = db.one(SQL, values![name]).await?;
    Ok(row.map(|row| row.get("value")).transpose()?)
}

/// The same, as the transaction sees it.
pub(crate) async fn read_in(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT value FROM setting WHERE name = $1";
    let row = tx.one(SQL, values![name]).await?;
    Ok(row.map(|row| row.get("value")).transpose()?)
}

/// Sets it if it is not set; whoever is first decides.
pub(crate) async fn put_first(db: &Db, name: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO setting (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO NOTHING";
    db.execute(SQL, values![name, value]).await?;
    Ok(())
}

/// Sets it anew.
pub(crate) async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO setting (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(SQL, values![name, value]).await?;
    Ok(())
}

/// The number of the newest change.
pub(crate) async fn changed(db: &Db) -> Result<i64> {
    const SQL: &str = "SELECT value FROM counter WHERE name = 'access_changed'";
    let row = db.one(SQL, values![]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("value"))?)
}

/// Counts one more change; its number. Until the transaction ends no other gets the next.
pub(crate) async fn count_change(tx: &mut Tx) -> Result<i64> {
    const SQL: &str = "UPDATE counter SET value = value + 1 WHERE name = 'access_changed'
        RETURNING value";
    let row = tx.one(SQL, values![]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("value"))?)
}
