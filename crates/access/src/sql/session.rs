//! The sessions' rows.

use crate::Result;
use crate::session::Session;
use crate::sql::account::role;
use crate::user::Owner;
use base::{SessionId, Timestamp, UserId};
use std::time::Duration;
use storage::{Db, Row, Tx, values};
use uuid::Uuid;

fn read(row: &Row) -> Result<Session> {
    Ok(Session {
        id: SessionId::from(row.get::<Uuid>("id")?),
        user: UserId::from(row.get::<Uuid>("account")?),
        created_at: row.get("created_at")?,
        seen_at: row.get("seen_at")?,
        expires_at: row.get("expires_at")?,
        address: row.get("address")?,
        agent: row.get("agent")?,
    })
}

/// The session of a cookie and whose it is.
pub(crate) async fn by_hash(db: &Db, hash: &[u8]) -> Result<Option<(Session, Owner)>> {
    const SQL: &str = "SELECT session.id, session.account, session.created_at, session.seen_at,
            session.expires_at, session.address, session.agent, account.name, account.role
        FROM session JOIN account ON account.id = session.account WHERE session.hash = $1";
    let Some(row) = db.one(SQL, values![hash]).await? else {
        return Ok(None);
    };
    let owner = Owner {
        id: UserId::from(row.get::<Uuid>("account")?),
        name: row.get("name")?,
        role: role(&row.get::<String>("role")?),
    };
    Ok(Some((read(&row)?, owner)))
}

/// One, by id.
pub(crate) async fn by_id(db: &Db, id: SessionId) -> Result<Option<Session>> {
    const SQL: &str = "SELECT id, account, created_at, seen_at, expires_at, address, agent
        FROM session WHERE id = $1";
    db.one(SQL, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// A user's sessions, the one used last first.
pub(crate) async fn of(db: &Db, user: UserId, limit: u64) -> Result<Vec<Session>> {
    const SQL: &str = "SELECT id, account, created_at, seen_at, expires_at, address, agent
        FROM session WHERE account = $1 ORDER BY seen_at DESC, id DESC LIMIT $2";
    let rows = db.all(SQL, values![user.uuid(), limit]).await?;
    rows.iter().map(read).collect()
}

/// The addresses from which the user of this name has sessions, of which there are few.
pub(crate) async fn addresses(db: &Db, name: &str, now: Timestamp) -> Result<Vec<String>> {
    const SQL: &str = "SELECT DISTINCT session.address FROM session
        JOIN account ON account.id = session.account
        WHERE lower(account.name) = lower($1) AND session.expires_at > $2";
    let rows = db.all(SQL, values![name, now]).await?;
    rows.iter().map(|row| Ok(row.get("address")?)).collect()
}

/// Puts a new session in.
pub(crate) async fn insert(tx: &mut Tx, session: &Session, hash: &[u8]) -> Result<()> {
    const SQL: &str = "INSERT INTO session
            (id, account, hash, created_at, seen_at, expires_at, address, agent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = values![
        session.id.uuid(),
        session.user.uuid(),
        hash,
        session.created_at,
        session.seen_at,
        session.expires_at,
        &session.address,
        &session.agent
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Ends the sessions of a user beyond the `keep` that were used last.
pub(crate) async fn trim(tx: &mut Tx, user: UserId, keep: u64) -> Result<u64> {
    const SQL: &str = "DELETE FROM session WHERE account = $1 AND id NOT IN (
            SELECT id FROM session WHERE account = $1 ORDER BY seen_at DESC, id DESC LIMIT $2)";
    Ok(tx.execute(SQL, values![user.uuid(), keep]).await?)
}

/// Ends one session of a user.
pub(crate) async fn delete(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool> {
    const SQL: &str = "DELETE FROM session WHERE id = $1 AND account = $2";
    Ok(tx.execute(SQL, values![id.uuid(), user.uuid()]).await? == 1)
}

/// Ends every session of a user but, where there is one, `except`.
pub(crate) async fn delete_all(
    tx: &mut Tx,
    user: UserId,
    except: Option<SessionId>,
) -> Result<u64> {
    const SQL: &str = "DELETE FROM session WHERE account = $1 AND id <> $2";
    let except = except.map_or(Uuid::nil(), SessionId::uuid);
    Ok(tx.execute(SQL, values![user.uuid(), except]).await?)
}

/// Notes when a session was used, unless that is known well enough.
pub(crate) async fn seen(tx: &mut Tx, id: SessionId, at: Timestamp, grain: Duration) -> Result<()> {
    const SQL: &str = "UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at <= $3";
    tx.execute(SQL, values![id.uuid(), at, at.minus(grain)])
        .await?;
    Ok(())
}

/// Removes sessions that expired, or were last used, before then.
pub(crate) async fn sweep(db: &Db, expired: Timestamp, idle: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM session WHERE expires_at < $1 OR seen_at < $2";
    Ok(db.execute(SQL, values![expired, idle]).await?)
}
