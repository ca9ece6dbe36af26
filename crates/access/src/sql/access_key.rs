//! The access keys' rows. Their secrets are sealed.

use crate::Result;
use crate::access_key::AccessKey;
use crate::sql::account::role;
use crate::user::Owner;
use base::{AccessKeyId, Timestamp, UserId};
use std::time::Duration;
use storage::{Db, Row, Tx, values};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT access_key.id, access_key.account, access_key.name, access_key.key,
                access_key.sealed, access_key.scopes, access_key.created_at,
                access_key.expires_at, access_key.used_at,
                account.name AS owner, account.role AS owner_role
             FROM access_key JOIN account ON account.id = access_key.account ",
            $rest
        )
    };
}

/// A key with whose it is, and its secret as it is stored.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: AccessKey,
    pub(crate) owner: Owner,
    pub(crate) sealed: Vec<u8>,
}

fn read(row: &Row) -> Result<Found> {
    Ok(Found {
        key: AccessKey {
            id: AccessKeyId::from(row.get::<Uuid>("id")?),
            user: row.get("owner")?,
            name: row.get("name")?,
            key: row.get("key")?,
            // A scope that this version does not know allows nothing.
            scopes: row
                .get::<String>("scopes")?
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect(),
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            last_used_at: row.get("used_at")?,
        },
        owner: Owner {
            id: UserId::from(row.get::<Uuid>("account")?),
            name: row.get("owner")?,
            role: role(&row.get::<String>("owner_role")?),
        },
        sealed: row.get("sealed")?,
    })
}

/// The one that requests call so.
pub(crate) async fn by_key(db: &Db, key: &str) -> Result<Option<Found>> {
    const SQL: &str = select!("WHERE access_key.key = $1");
    let row = db.one(SQL, values![key]).await?;
    row.as_ref().map(read).transpose()
}

/// The one with this id.
pub(crate) async fn by_id(db: &Db, id: AccessKeyId) -> Result<Option<Found>> {
    const SQL: &str = select!("WHERE access_key.id = $1");
    let row = db.one(SQL, values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// A user's keys, or everybody's, by name.
pub(crate) async fn list(db: &Db, user: Option<UserId>) -> Result<Vec<AccessKey>> {
    const OF_ONE: &str = select!("WHERE access_key.account = $1 ORDER BY access_key.name");
    const OF_ALL: &str = select!("ORDER BY lower(account.name), access_key.name");
    let rows = match user {
        Some(user) => db.all(OF_ONE, values![user.uuid()]).await?,
        None => db.all(OF_ALL, values![]).await?,
    };
    rows.iter().map(|row| Ok(read(row)?.key)).collect()
}

/// How many keys a user has.
pub(crate) async fn count(tx: &mut Tx, user: UserId) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM access_key WHERE account = $1";
    let row = tx.one(SQL, values![user.uuid()]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("number"))?)
}

/// Puts a new key in; false when the user has one of that name.
pub(crate) async fn insert(
    tx: &mut Tx,
    user: UserId,
    key: &AccessKey,
    sealed: Vec<u8>,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO access_key
            (id, account, name, key, sealed, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (account, name) DO NOTHING";
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let values = values![
        key.id.uuid(),
        user.uuid(),
        &key.name,
        &key.key,
        sealed,
        scopes.join(" "),
        key.created_at,
        key.expires_at
    ];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// Removes a key.
pub(crate) async fn delete(tx: &mut Tx, id: AccessKeyId) -> Result<bool> {
    const SQL: &str = "DELETE FROM access_key WHERE id = $1";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Notes when a key was used, unless that is known well enough.
pub(crate) async fn used(
    tx: &mut Tx,
    id: AccessKeyId,
    at: Timestamp,
    grain: Duration,
) -> Result<()> {
    const SQL: &str = "UPDATE access_key SET used_at = $2
        WHERE id = $1 AND (used_at IS NULL OR used_at <= $3)";
    tx.execute(SQL, values![id.uuid(), at, at.minus(grain)])
        .await?;
    Ok(())
}

/// Every key with its sealed secret.
pub(crate) async fn all_sealed_in(tx: &mut Tx) -> Result<Vec<(String, Vec<u8>)>> {
    const SQL: &str = "SELECT key, sealed FROM access_key ORDER BY key";
    let rows = tx.all(SQL, values![]).await?;
    rows.iter()
        .map(|row| Ok((row.get("key")?, row.get("sealed")?)))
        .collect()
}

/// Seals the same secret anew.
pub(crate) async fn reseal(tx: &mut Tx, key: &str, sealed: Vec<u8>) -> Result<()> {
    const SQL: &str = "UPDATE access_key SET sealed = $2 WHERE key = $1";
    tx.execute(SQL, values![key, sealed]).await?;
    Ok(())
}
