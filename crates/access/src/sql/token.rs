//! The tokens' rows.

use crate::Result;
use crate::sql::account::role;
use crate::token::Token;
use crate::user::Owner;
use base::{Timestamp, TokenId, UserId};
use std::time::Duration;
use storage::{Db, Row, Tx, values};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT token.id, token.account, token.name, token.ending, token.scopes,
                token.created_at, token.expires_at, token.used_at,
                account.name AS owner, account.role AS owner_role
             FROM token JOIN account ON account.id = token.account ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<Token> {
    Ok(Token {
        id: TokenId::from(row.get::<Uuid>("id")?),
        user: row.get("owner")?,
        name: row.get("name")?,
        ending: row.get("ending")?,
        // A scope that this version does not know allows nothing.
        scopes: row
            .get::<String>("scopes")?
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect(),
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        last_used_at: row.get("used_at")?,
    })
}

fn owner(row: &Row) -> Result<Owner> {
    Ok(Owner {
        id: UserId::from(row.get::<Uuid>("account")?),
        name: row.get("owner")?,
        role: role(&row.get::<String>("owner_role")?),
    })
}

/// The token with this hash, and whose it is.
pub(crate) async fn by_hash(db: &Db, hash: &[u8]) -> Result<Option<(Token, Owner)>> {
    const SQL: &str = select!("WHERE token.hash = $1");
    let row = db.one(SQL, values![hash]).await?;
    row.map(|row| Ok((read(&row)?, owner(&row)?))).transpose()
}

/// One, and whose it is.
pub(crate) async fn by_id(db: &Db, id: TokenId) -> Result<Option<(Token, Owner)>> {
    const SQL: &str = select!("WHERE token.id = $1");
    let row = db.one(SQL, values![id.uuid()]).await?;
    row.map(|row| Ok((read(&row)?, owner(&row)?))).transpose()
}

/// A user's tokens, or everybody's, by name.
pub(crate) async fn list(db: &Db, user: Option<UserId>) -> Result<Vec<Token>> {
    const OF_ONE: &str = select!("WHERE token.account = $1 ORDER BY token.name");
    const OF_ALL: &str = select!("ORDER BY lower(account.name), token.name");
    let rows = match user {
        Some(user) => db.all(OF_ONE, values![user.uuid()]).await?,
        None => db.all(OF_ALL, values![]).await?,
    };
    rows.iter().map(read).collect()
}

/// How many tokens a user has.
pub(crate) async fn count(tx: &mut Tx, user: UserId) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM token WHERE account = $1";
    let row = tx.one(SQL, values![user.uuid()]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("number"))?)
}

/// Puts a new token in; false when the user has one of that name.
pub(crate) async fn insert(tx: &mut Tx, user: UserId, token: &Token, hash: &[u8]) -> Result<bool> {
    const SQL: &str = "INSERT INTO token
            (id, account, name, hash, ending, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (account, name) DO NOTHING";
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let values = values![
        token.id.uuid(),
        user.uuid(),
        &token.name,
        hash,
        &token.ending,
        scopes.join(" "),
        token.created_at,
        token.expires_at
    ];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// Removes a token.
pub(crate) async fn delete(tx: &mut Tx, id: TokenId) -> Result<bool> {
    const SQL: &str = "DELETE FROM token WHERE id = $1";
    Ok(tx.execute(SQL, values![id.uuid()]).await? == 1)
}

/// Notes when a token was used, unless that is known well enough.
pub(crate) async fn used(tx: &mut Tx, id: TokenId, at: Timestamp, grain: Duration) -> Result<()> {
    const SQL: &str = "UPDATE token SET used_at = $2
        WHERE id = $1 AND (used_at IS NULL OR used_at <= $3)";
    tx.execute(SQL, values![id.uuid(), at, at.minus(grain)])
        .await?;
    Ok(())
}
