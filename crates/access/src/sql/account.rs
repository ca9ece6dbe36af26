//! The users' rows.

use crate::password::Hashed;
use crate::user::User;
use crate::{Result, Role};
use base::{Timestamp, UserId};
use storage::{Db, Row, Tx, values};

/// A user with what proves it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) password: Hashed,
    /// Which of its passwords it is, counted from 1.
    pub(crate) credential: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, password, credential, created_at, password_at, login_at
             FROM account ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<Account> {
    Ok(Account {
        user: User {
            id: UserId::from(row.get::<uuid::Uuid>("id")?),
            name: row.get("name")?,
            role: role(&row.get::<String>("role")?),
            created_at: row.get("created_at")?,
            password_changed_at: row.get("password_at")?,
            last_login_at: row.get("login_at")?,
        },
        password: Hashed::stored(row.get("password")?),
        credential: row.get("credential")?,
    })
}

/// A role that this version does not know may do the least.
pub(crate) fn role(word: &str) -> Role {
    word.parse().unwrap_or(Role::Viewer)
}

/// Every user, by name.
pub(crate) async fn all(db: &Db) -> Result<Vec<User>> {
    const SQL: &str = select!("ORDER BY lower(name)");
    let rows = db.all(SQL, values![]).await?;
    rows.iter().map(|row| Ok(read(row)?.user)).collect()
}

/// One, by name in any case.
pub(crate) async fn by_name(db: &Db, name: &str) -> Result<Option<Account>> {
    const SQL: &str = select!("WHERE lower(name) = lower($1)");
    db.one(SQL, values![name])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// One, by id.
pub(crate) async fn by_id(db: &Db, id: UserId) -> Result<Option<Account>> {
    const SQL: &str = select!("WHERE id = $1");
    db.one(SQL, values![id.uuid()])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// One, by name in any case, as the transaction sees it.
pub(crate) async fn by_name_in(tx: &mut Tx, name: &str) -> Result<Option<Account>> {
    const SQL: &str = select!("WHERE lower(name) = lower($1)");
    tx.one(SQL, values![name])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Whether there is any user yet.
pub(crate) async fn any(db: &Db) -> Result<bool> {
    const SQL: &str = "SELECT id FROM account LIMIT 1";
    Ok(db.one(SQL, values![]).await?.is_some())
}

/// The same, as the transaction sees it.
pub(crate) async fn any_in(tx: &mut Tx) -> Result<bool> {
    const SQL: &str = "SELECT id FROM account LIMIT 1";
    Ok(tx.one(SQL, values![]).await?.is_some())
}

/// How many have this role.
pub(crate) async fn count(tx: &mut Tx, role: Role) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) AS number FROM account WHERE role = $1";
    let row = tx.one(SQL, values![role.as_str()]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("number"))?)
}

/// Puts a new user in; false when there is one of that name.
pub(crate) async fn insert(tx: &mut Tx, user: &User, password: &Hashed) -> Result<bool> {
    const SQL: &str = "INSERT INTO account
            (id, name, role, password, credential, created_at, password_at)
        VALUES ($1, $2, $3, $4, 1, $5, $5)
        ON CONFLICT (lower(name)) DO NOTHING";
    let values = values![
        user.id.uuid(),
        &user.name,
        user.role.as_str(),
        password.as_str(),
        user.created_at
    ];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// Sets the role.
pub(crate) async fn set_role(tx: &mut Tx, id: UserId, role: Role) -> Result<()> {
    const SQL: &str = "UPDATE account SET role = $2 WHERE id = $1";
    tx.execute(SQL, values![id.uuid(), role.as_str()]).await?;
    Ok(())
}

/// Sets the password.
pub(crate) async fn set_password(
    tx: &mut Tx,
    id: UserId,
    password: &Hashed,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "UPDATE account
        SET password = $2, credential = credential + 1, password_at = $3 WHERE id = $1";
    tx.execute(SQL, values![id.uuid(), password.as_str(), now])
        .await?;
    Ok(())
}

/// Notes a log-in; false when the user is gone or the password another by now.
pub(crate) async fn logged_in(
    tx: &mut Tx,
    id: UserId,
    credential: i64,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE account SET login_at = $3 WHERE id = $1 AND credential = $2";
    Ok(tx.execute(SQL, values![id.uuid(), credential, now]).await? == 1)
}

/// Removes a user with its sessions and tokens.
pub(crate) async fn delete(tx: &mut Tx, id: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM account WHERE id = $1";
    tx.execute(SQL, values![id.uuid()]).await?;
    Ok(())
}
